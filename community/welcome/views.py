"""The first visit: three steps, each of which can be skipped and come back to."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.chat.errors import MessageRefused
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.errors import GroupRefusal
from community.groups.models import Interest, JoinRequest
from community.groups.services import join_group
from community.members.models import Member
from community.members.web import MemberRequest, member_required, safe_next
from community.threads.errors import Refused
from community.threads.services import publish_post
from community.welcome.forms import HelloForm
from community.welcome.steps import (
    STEPS,
    all_interests,
    next_step,
    places,
    step_after,
    suggested_groups,
)


@require_GET
@member_required
def welcome(request: MemberRequest) -> HttpResponse:
    """Go on where one left; home when the first visit is over."""
    if request.user.onboarded_at is not None:
        return redirect("home")
    return redirect(f"welcome_{next_step(request.user)}")


@require_http_methods(["GET", "POST"])
@member_required
def interests(request: MemberRequest) -> HttpResponse:
    """What one likes: it orders the groups that are suggested next."""
    if request.method == "POST":
        chosen = Interest.objects.filter(slug__in=request.POST.getlist("interest"))
        request.user.interests.set(chosen)
        return _on(request, "interests")
    mine = set(request.user.interests.values_list("pk", flat=True))
    return _step(request, "interests", {"interests": all_interests(), "mine": mine})


@require_http_methods(["GET", "POST"])
@member_required
def groups(request: MemberRequest) -> HttpResponse:
    """Join what one likes the look of; of a group on request its moderators are asked."""
    offered = suggested_groups(request.user)
    if request.method == "POST":
        wanted = set(request.POST.getlist("group"))
        for group in offered:
            if group.slug not in wanted:
                continue
            try:
                joined = join_group(member=request.user, group=group)
            except GroupRefusal as refusal:
                messages.error(request, f"{group.name}: {refusal}")
                continue
            if isinstance(joined, JoinRequest):
                said = _("%(name)s: asked. A moderator will answer.")
                messages.success(request, said % {"name": group.name})
        return _on(request, "groups")
    return _step(request, "groups", {"groups": offered})


@require_http_methods(["GET", "POST"])
@member_required
def hello(request: MemberRequest) -> HttpResponse:
    """A first word, in a thread of introductions or in a group's chat."""
    offered = places(request.user)
    form = HelloForm(request.POST or None, places=offered)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            place = next(one for one in offered if one.key == form.cleaned_data["place"])
            body, address = form.cleaned_data["body"], ""
            try:
                if place.thread is not None:
                    post = publish_post(author=request.user, thread=place.thread, body=body)
                    address = post.place
                else:
                    room = room_of(place.group)
                    send_message(room=room, sender=request.user, body=body)
                    address = room.get_absolute_url()
            except (Refused, MessageRefused) as refusal:
                form.add_error("body", refusal.reason)
                status = refusal.status
            else:
                _finish(request.user)
                return HttpResponseRedirect(address)
    return _step(request, "hello", {"form": form, "places": offered}, status=status)


@require_POST
@member_required
def done(request: MemberRequest) -> HttpResponse:
    """It is over, or not wanted: nothing more is offered. Back to `next`, else home."""
    _finish(request.user)
    return HttpResponseRedirect(safe_next(request) or "/")


def _finish(member: Member) -> None:
    Member.objects.filter(pk=member.pk, onboarded_at=None).update(onboarded_at=timezone.now())


def _on(request: MemberRequest, step: str) -> HttpResponse:
    return redirect(f"welcome_{step_after(step)}")


def _step(
    request: MemberRequest, step: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    after = step_after(step)
    return render(
        request,
        f"community/welcome/{step}.html",
        {
            "steps": STEPS,
            "step": step,
            "after": f"welcome_{after}" if after else "",
            "is_welcome": True,
            **context,
        },
        status=status,
    )
