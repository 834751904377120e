"""What pages ask for again when they are told of news in chat, and people to write to."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from community.chat.models import Room
from community.chat.pages import rooms_page
from community.chat.people import people_for
from community.chat.unread import unread_in_chat
from community.members.web import MemberRequest, member_required
from config.paging import whole_number

QUERY_MAX_CHARS: Final = 60


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
