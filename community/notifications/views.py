"""The list, its badge, and what a member wants to hear of."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.members.web import MemberRequest, member_required, safe_next, wants_delete
from community.notifications import push, services
from community.notifications.context import unread_count
from community.notifications.forms import PreferencesForm, PushForm
from community.notifications.models import Notification, PushSubscription
from community.notifications.words import address, excerpt, icon, sentence
from config.paging import read_time_cursor, time_cursor

PER_PAGE: Final = 30


@require_GET
@never_cache
@member_required
def index(request: MemberRequest) -> HttpResponse:
    """What the member was told, latest first: `show=unread` for the rest; keyset `before`."""
    only_unread = request.GET.get("show") == "unread"
    listed = Notification.objects.listed_for(request.user)
    found = listed.unread() if only_unread else listed
    if cursor := read_time_cursor(request.GET.get("before")):
        at, pk = cursor
        found = found.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    rows = list(found.with_what_they_tell().newest_first()[: PER_PAGE + 1])
    more = len(rows) > PER_PAGE
    rows = rows[:PER_PAGE]
    unread = (
        {row.pk for row in rows}
        if only_unread
        else set(
            listed.unread().filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True)
        )
    )
    return render(
        request,
        "community/notifications/index.html",
        {
            "rows": [
                {
                    "notification": row,
                    "says": sentence(row),
                    "excerpt": excerpt(row),
                    "icon": icon(row),
                    "is_unread": row.pk in unread,
                }
                for row in rows
            ],
            "only_unread": only_unread,
            "before": time_cursor(rows[-1].at, rows[-1].pk) if more else "",
            "is_first": cursor is None,
        },
    )


@require_GET
@never_cache
@member_required
def follow(request: MemberRequest, notification_id: int) -> HttpResponse:
    """Lead to what a notification tells of, and mark it read: unless a browser only peeks."""
    row = get_object_or_404(
        Notification.objects.visible_to(request.user).with_what_they_tell(), pk=notification_id
    )
    if "prefetch" not in request.headers.get("Sec-Purpose", ""):
        services.mark_read(row)
    return redirect(address(row))


@require_http_methods(["POST", "DELETE"])
@member_required
def read(request: MemberRequest, notification_id: int) -> HttpResponse:
    """Mark one read (POST), or not read (DELETE)."""
    row = get_object_or_404(Notification.objects.visible_to(request.user), pk=notification_id)
    services.mark_read(row, read=not wants_delete(request))
    return redirect(safe_next(request) or "notifications")


@require_POST
@member_required
def read_all(request: MemberRequest) -> HttpResponse:
    services.mark_all_read(request.user)
    return redirect("notifications")


@require_GET
@never_cache
@member_required
def badge(request: MemberRequest) -> HttpResponse:
    """The inside of the badge, for a page that was told there is news."""
    return render(
        request,
        "community/notifications/_count.html",
        {"unread_notifications": unread_count(request.user)},
    )


@require_http_methods(["GET", "POST"])
@never_cache
@member_required
def preferences(request: MemberRequest) -> HttpResponse:
    """Choose what to hear of, where, and when to be left alone."""
    member = request.user
    form = PreferencesForm(member, services.preferences_of(member), request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.choose(
            member=member,
            wanted=form.wanted,
            email_when=form.cleaned_data["email_when"],
            quiet=form.quiet,
            digest=form.cleaned_data["digest"],
            time_zone=form.cleaned_data["time_zone"],
        )
        more = any(form.cleaned_data[name] is True for name in form.changed_data)
        messages.success(request, _("Saved."), extra_tags="push-offer" if more else "")
        return redirect("notification_settings")
    return render(
        request,
        "community/notifications/preferences.html",
        {
            "form": form,
            "push_key": push.public_key(),
            "devices": PushSubscription.objects.filter(member=member).count(),
            "replies": bool(settings.REPLY_ADDRESS),
        },
        status=422 if request.method == "POST" else 200,
    )


@require_http_methods(["POST", "DELETE"])
@member_required
def push_subscription(request: MemberRequest) -> HttpResponse:
    """Keep a browser to push to (POST), or forget it, or all of them without one (DELETE)."""
    mine = PushSubscription.objects.filter(member=request.user)
    if wants_delete(request):
        endpoint = request.POST.get("endpoint", "")
        (mine.filter(endpoint=endpoint) if endpoint else mine).delete()
        if not endpoint:
            messages.success(request, _("Nothing is pushed to any of your devices now."))
            return redirect("notification_settings")
        return HttpResponse(status=204)
    form = PushForm(request.POST)
    if not form.is_valid() or not push.public_key():
        return HttpResponse(status=422)
    services.add_push_subscription(request.user, **form.cleaned_data)
    return HttpResponse(status=204)
