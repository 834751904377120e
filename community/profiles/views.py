"""A member's page with its tabs, and their settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from community.events import MemberChanged
from community.members.models import Member
from community.members.web import MemberRequest, member_required
from community.profiles.activity import (
    figures_of,
    groups_of,
    page_by_id,
    posts_of,
    reactions_of,
    threads_of,
    with_words,
)
from community.profiles.forms import ProfileForm
from community.standing.models import BadgeGrant
from community.standing.pages import shown_grants
from community.uploads.errors import ImageRefused
from community.uploads.services import save_image
from config.outbox import publish
from config.paging import whole_number

ROWS_PER_PAGE = 15
GROUPS_PER_PAGE = 24
LATEST_POSTS = 5
BEST_POSTS = 3
GROUPS_SHOWN = 12
BADGES_SHOWN = 8

Tab = Callable[[HttpRequest, Member], dict[str, Any]]


def tab(name: str) -> Callable[[Tab], Callable[[HttpRequest, str], HttpResponse]]:
    """Make a view of a function that fills one tab of a profile.

    A closed account is 404 like one that never was. Handles are lower case; others redirect.
    """

    def decorate(fill: Tab) -> Callable[[HttpRequest, str], HttpResponse]:
        @require_GET
        @wraps(fill)
        def view(request: HttpRequest, handle: str) -> HttpResponse:
            former = Member.objects.filter(handle=handle, erased_at__isnull=False)
            if handle.startswith("former-") and (member := former.first()) is not None:
                gone = {"member": member}
                return render(request, "community/privacy/former.html", gone, status=410)
            member = get_object_or_404(
                Member.objects.select_related("avatar"), handle=handle.lower(), is_active=True
            )
            if member.handle != handle:
                route = "member" if name == "overview" else f"member_{name}"
                return redirect(route, member.handle)
            return render(
                request,
                f"community/profiles/{name}.html",
                {
                    "member": member,
                    "tab": name,
                    "is_me": request.user == member,
                    # For the member and the staff to see: it is no pillory.
                    "is_silenced": (request.user == member or request.user.is_staff)
                    and member.is_silenced(timezone.now()),
                    **fill(request, member),
                },
            )

        return view

    return decorate


@tab("overview")
def overview(request: HttpRequest, member: Member) -> dict[str, Any]:
    """Who somebody is, in figures, and the latest and best of what they wrote."""
    own = posts_of(member, request.user).select_related("thread__group").defer("html")
    grants = _grants(member).order_by("-badge__rank", "-pk")[:BADGES_SHOWN]
    return {
        "figures": figures_of(member, request.user),
        "interests": member.interests.all(),
        "grants": shown_grants(grants, request.user),
        "groups": groups_of(member, request.user)[:GROUPS_SHOWN],
        "latest": with_words(own.order_by("-pk")[:LATEST_POSTS]),
        "best": with_words(
            own.filter(reaction_count__gt=0).order_by("-reaction_count", "-pk")[:BEST_POSTS]
        ),
    }


@tab("posts")
def posts(request: HttpRequest, member: Member) -> dict[str, Any]:
    """All they wrote, newest first, keyset `before=<post id>`."""
    own = posts_of(member, request.user).select_related("thread__group").defer("html")
    page, state = _page(request, own)
    return {"posts": with_words(page), **state}


@tab("threads")
def threads(request: HttpRequest, member: Member) -> dict[str, Any]:
    """The threads they opened, newest first, keyset `before=<thread id>`."""
    page, state = _page(request, threads_of(member, request.user))
    return {"threads": page, **state}


@tab("reactions")
def reactions(request: HttpRequest, member: Member) -> dict[str, Any]:
    """What they reacted to, newest first, keyset `before=<reaction id>`."""
    page, state = _page(request, reactions_of(member, request.user))
    words = with_words(reaction.post for reaction in page)
    return {
        "rows": [(one, said) for one, (_post, said) in zip(page, words, strict=True)],
        **state,
    }


@tab("badges")
def badges(request: HttpRequest, member: Member) -> dict[str, Any]:
    """What they were thanked for, and why; keyset `before=<grant id>`."""
    page, state = _page(request, _grants(member))
    return {"grants": shown_grants(page, request.user), **state}


@tab("groups")
def groups(request: HttpRequest, member: Member) -> dict[str, Any]:
    """The groups they are in, largest first, keyset `after=<member_count>-<id>`."""
    found = groups_of(member, request.user)
    size_text, _dash, last_text = request.GET.get("after", "").partition("-")
    size, last = whole_number(size_text, digits=9), whole_number(last_text)
    if size is not None and last is not None:
        found = found.filter(Q(member_count__lt=size) | Q(member_count=size, pk__gt=last))
    page = list(found[: GROUPS_PER_PAGE + 1])
    more = len(page) > GROUPS_PER_PAGE
    page = page[:GROUPS_PER_PAGE]
    return {
        "groups": page,
        "after": f"{page[-1].member_count}-{page[-1].pk}" if more else "",
        "is_first": "after" not in request.GET,
    }


def _grants(member: Member) -> Any:
    return BadgeGrant.objects.shown().filter(member=member).select_related("badge")


def _page(request: HttpRequest, rows: Any) -> tuple[list[Any], dict[str, Any]]:
    before = whole_number(request.GET.get("before"))
    page, further = page_by_id(rows, before, ROWS_PER_PAGE)
    return page, {"before": further, "is_first": before is None}


@require_http_methods(["GET", "POST"])
@member_required
def edit(request: MemberRequest) -> HttpResponse:
    """Change what others read about oneself, and how one reads."""
    # The form writes into its instance while it looks; the page's own member stays as it was.
    member = Member.objects.select_related("avatar").get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, request.FILES or None, instance=member)
    if request.method == "POST" and form.is_valid():
        try:
            if picture := form.cleaned_data["picture"]:
                member.avatar = save_image(owner=request.user, group=None, file=picture)
            elif form.cleaned_data.get("remove_picture"):
                member.avatar = None
        except ImageRefused as refused:
            form.add_error("picture", str(refused))
        else:
            with transaction.atomic():
                form.save()
                publish(MemberChanged(member_id=member.pk))
            messages.success(request, _("Saved."))
            answer = redirect(member)
            if "language" in form.changed_data:
                # What was chosen at the foot of a page would go before it.
                answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
            return answer
    return render(
        request,
        "community/profiles/edit.html",
        {"form": form},
        status=422 if request.method == "POST" else 200,
    )
