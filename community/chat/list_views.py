"""What pages ask for again when they are told of news in chat, and people to write to."""

from __future__ import annotations

from typing import Final

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from community.chat.models import Place, Room
from community.chat.pages import rooms_page
from community.chat.unread import unread_in_chat
from community.groups.models import Membership
from community.members.models import Block, Member
from community.members.web import MemberRequest, member_required
from config.paging import whole_number

OFFERED_MAX: Final = 8
QUERY_MAX_CHARS: Final = 60
IN_A_GROUP, ELSEWHERE = 1, 2  # as the templates of mentions say


@require_GET
@never_cache
@member_required
def unread(request: MemberRequest) -> HttpResponse:
    """The inside of the count on "Chat"."""
    count = unread_in_chat(request.user)
    return render(request, "community/chat/_unread.html", {"unread_chat": count})


@require_GET
@never_cache
@member_required
def rooms_now(request: MemberRequest) -> HttpResponse:
    """The member's rooms as they are now: all of them, or with `side` for beside a room.

    `here` is the room one is in.
    """
    template = "_side.html" if "side" in request.GET else "_lists.html"
    context = {**rooms_page(request.user), "here": whole_number(request.GET.get("here"))}
    return render(request, f"community/chat/{template}", context)


def people_for(viewer: Member, *, beginning: str, room: Room | None = None) -> list[Member]:
    """At most OFFERED_MAX members to name in `room` of people, else whom one may write to.

    Their handle, or a word of their name, begins so. Who shares a group with the viewer comes
    first; others only when they are listed and something was typed. Neither the viewer nor who is
    blocked by or has blocked them. One query.
    """
    found = Member.objects.filter(is_active=True, erased_at=None).exclude(pk=viewer.pk)
    if beginning:
        said = Q(handle__startswith=beginning.lower()) | Q(name__istartswith=beginning)
        found = found.filter(said | Q(name__icontains=f" {beginning}"))
    near = Exists(
        Membership.objects.filter(member=OuterRef("pk"), group__memberships__member=viewer)
    )
    if room is not None:
        found = found.filter(places__room=room, places__state=Place.State.IN)
    elif beginning:
        found = found.filter(near | Q(is_listed=True))
    else:
        found = found.filter(near)
    apart = Block.objects.filter(
        Q(by=viewer, of=OuterRef("pk"), kind=Block.Kind.BLOCK)
        | Q(by=OuterRef("pk"), of=viewer, kind=Block.Kind.BLOCK)
    )
    nearness = Case(
        When(near, then=Value(IN_A_GROUP)),
        default=Value(ELSEWHERE),
        output_field=IntegerField(),
    )
    found = found.exclude(Exists(apart)).annotate(nearness=nearness)
    return list(found.order_by("nearness", "-activity", "handle")[:OFFERED_MAX])


@require_GET
@member_required
def people(request: MemberRequest) -> HttpResponse:
    """Options of a combobox for `q`, in the room of people `room` or anywhere; 204 for none."""
    room: Room | None = None
    if (pk := whole_number(request.GET.get("room"))) is not None:
        room = get_object_or_404(Room.objects.visible_to(request.user), pk=pk, group=None)
    beginning = request.GET.get("q", "").replace("\x00", "").strip().lstrip("@")[:QUERY_MAX_CHARS]
    found = people_for(request.user, beginning=beginning, room=room)
    if not found:
        return HttpResponse(status=204)
    response = render(request, "community/threads/_mentions.html", {"people": found})
    response["Cache-Control"] = "private, max-age=30"
    return response
