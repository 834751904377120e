"""Pages of chat: my rooms, a room, sending, and all after a number.

A group's first room is at /chat/<group>/; every room, that one too, has its verbs below
/rooms/<id>/. What one may not read is 404 everywhere.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.contrib import messages as notices
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from community.chat.errors import MessageRefused, NoSuchMessage
from community.chat.forms import MessageForm
from community.chat.here import announce_writing, who_is_here
from community.chat.models import Message, Room
from community.chat.pages import (
    around,
    from_number,
    given_by,
    heading_of,
    mark_runs,
    messages_of,
    newest,
    on_day,
    rooms_page,
)
from community.chat.places import place_in, read_to
from community.chat.rooms import ensure_not_silenced, room_of
from community.chat.services import ensure_may_write, send_message
from community.groups.models import Group
from community.members.blocking import folded_for
from community.members.errors import MayNotWrite
from community.members.models import Member
from community.members.web import MemberRequest, member_required, safe_next
from config.paging import whole_number

GAP_MESSAGES = 200
RAIL_MESSAGES = 20


def room_or_404(request: MemberRequest, room_id: int) -> Room:
    """The room, for those who may read it; there is none for others."""
    rooms = Room.objects.visible_to(request.user).select_related("group", "thread")
    return get_object_or_404(rooms, pk=room_id)


def first_room_or_404(request: MemberRequest, slug: str) -> Room:
    """The group's first room for its members; there is none for others, in any group."""
    group = get_object_or_404(Group.objects.joined_by(request.user), slug=slug)
    room = room_of(group)
    room.group = group
    return room


@require_GET
@member_required
def rooms(request: MemberRequest) -> HttpResponse:
    """The member's rooms, the busiest first, each with its last words and what is unread."""
    return render(request, "community/chat/rooms.html", rooms_page(request.user))


@require_GET
@member_required
def group_room(request: MemberRequest, slug: str) -> HttpResponse:
    return _room(request, first_room_or_404(request, slug))


@require_GET
@member_required
def room(request: MemberRequest, room_id: int) -> HttpResponse:
    found = room_or_404(request, room_id)
    if request.path != found.get_absolute_url():
        return redirect(found)
    return _room(request, found)


def _room(request: MemberRequest, found: Room) -> HttpResponse:
    """The newest messages, or those before `before`; numbers, so a page stays where it is."""
    context = {**room_context(request, found), "form": MessageForm()}
    return render(request, "community/chat/room.html", context)


@require_GET
@member_required
def beside(request: MemberRequest, slug: str) -> HttpResponse:
    """The newest messages for the rail of another page, which fetches them when there is room.

    `next` is that page: a message sent without scripts goes back to it.
    """
    found = first_room_or_404(request, slug)
    messages = messages_of(found)
    page = list(messages.order_by("-seq")[:RAIL_MESSAGES])[::-1]
    mark_runs(page, request.user)
    context = {
        "room": found,
        "heading": heading_of(found, request.user),
        "group": found.group,
        "chat_messages": page,
        "form": MessageForm(),
        "back": request.GET.get("next", ""),
    }
    response = render(request, "community/chat/_chat.html", context)
    response["Cache-Control"] = "no-store"
    return response


def room_context(request: MemberRequest, found: Room) -> dict[str, object]:
    """The newest messages, or those the address asks for: `before`, `after`, `at`, `on` a day."""
    asked = request.GET
    at = whole_number(asked.get("at"))
    if (before := whole_number(asked.get("before"))) is not None:
        window = newest(found, before=before)
    elif (after := whole_number(asked.get("after"))) is not None:
        window = from_number(found, after)
    elif at is not None:
        window = around(found, at)
    elif (day := _day(asked.get("on", ""))) is not None:
        window = on_day(found, day)
    else:
        window = newest(found)
    mark_runs(window.messages, request.user)
    answered = whole_number(asked.get("reply_to"))
    return {
        "room": found,
        "heading": heading_of(found, request.user),
        "group": found.group,
        "chat_messages": window.messages,
        "older": window.older,
        "newer": window.newer,
        "newest_shown": window.is_newest,
        "at": at,
        "mine": given_by(request.user, window.messages),
        "place": place_in(found, request.user),
        "reply_to": (
            messages_of(found).filter(seq=answered, hidden_at=None).first() if answered else None
        ),
        "why_not": why_not_write(found, request.user),
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def why_not_write(room: Room, member: Member) -> str:
    """Say why the member may not write here now, or nothing."""
    try:
        ensure_may_write(member, room)
        ensure_not_silenced(member)
    except MessageRefused as refusal:
        return refusal.reason
    return ""


def wants_json(request: MemberRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def answer_with(request: MemberRequest, message: Message, back: str) -> HttpResponse:
    """After an act: the message as it is now for a script, its place in the room for a form."""
    if wants_json(request):
        now = messages_of(message.room).get(pk=message.pk)
        return JsonResponse(as_json(now, request.user))
    return redirect(safe_next(request) or back)


def refused(
    request: MemberRequest, refusal: MessageRefused | MayNotWrite, back: str
) -> HttpResponse:
    """A refused act: its reason for a script, a message on the room's page for a form."""
    if wants_json(request):
        return JsonResponse({"error": refusal.reason}, status=refusal.status)
    notices.error(request, refusal.reason)
    return redirect(back)


@require_GET
@member_required
def after(request: MemberRequest, room_id: int) -> JsonResponse:
    """All after number `after`, oldest first, at most 200, and what changed after `change`.

    `{messages: [...], more, seq, changed: [...], change}`; each message is `{seq, key, sender,
    html, mine}`. With `only=<seq>` just that one, as it is now. `changed` has messages up to number
    `after` whose change number is over `change`, at most 200, and `change` how far that goes.
    """
    found = room_or_404(request, room_id)
    messages = messages_of(found)
    only = whole_number(request.GET.get("only"))
    if only is not None:
        messages = messages.filter(seq=only)
    else:
        messages = messages.filter(seq__gt=whole_number(request.GET.get("after")) or 0)
    page = list(messages.order_by("seq")[: GAP_MESSAGES + 1])
    more = len(page) > GAP_MESSAGES
    changed: list[Message] = []
    since, last = whole_number(request.GET.get("change")), found.last_change
    if since is not None and since < last:
        later = messages_of(found).filter(
            change__gt=since, seq__lte=whole_number(request.GET.get("after")) or 0
        )
        changed = list(later.order_by("change")[:GAP_MESSAGES])
        if len(changed) == GAP_MESSAGES:
            more, last = True, changed[-1].change
    mine = given_by(request.user, [*page[:GAP_MESSAGES], *changed])
    response = JsonResponse(
        {
            "messages": [as_json(message, request.user, mine) for message in page[:GAP_MESSAGES]],
            "more": more,
            "seq": found.last_seq,
            "changed": [as_json(message, request.user, mine) for message in changed],
            "change": last,
        }
    )
    response["Cache-Control"] = "no-store"
    return response


def as_json(
    message: Message, viewer: Member, mine: dict[int, list[str]] | None = None
) -> dict[str, object]:
    message.viewer_is_sender = message.sender_id == viewer.pk
    message.is_folded = message.sender_id in folded_for(viewer)
    given = given_by(viewer, [message]) if mine is None else mine
    return {
        "seq": message.seq,
        "key": str(message.client_key) if message.client_key else None,
        "sender": message.sender.handle,
        "html": render_to_string("community/chat/_message.html", {"message": message}),
        "mine": given.get(message.seq, []),
    }


def _answered(room: Room, seq: int) -> Message:
    """The message of that number, to be answered. Raises NoSuchMessage."""
    found = Message.objects.filter(room=room, seq=seq, hidden_at=None).first()
    if found is None:
        raise NoSuchMessage
    return found


@require_POST
@member_required
def send(request: MemberRequest, room_id: int) -> HttpResponse:
    """Send `body`. A script (Accept: application/json) gets the message, a form the page again."""
    found = room_or_404(request, room_id)
    form = MessageForm(request.POST)
    refusal, status = "", 422
    if form.is_valid():
        key: UUID | None = form.cleaned_data["client_key"]
        answered = form.cleaned_data["reply_to"]
        try:
            message = send_message(
                room=found,
                sender=request.user,
                body=form.cleaned_data["body"],
                client_key=key,
                reply_to=_answered(found, answered) if answered else None,
            )
        except MessageRefused as refused:
            refusal, status = refused.reason, refused.status
        else:
            if wants_json(request):
                return JsonResponse(as_json(message, request.user), status=201)
            return redirect(safe_next(request) or f"{found.get_absolute_url()}#end")
    else:
        refusal = str(next(iter(form.errors.values()))[0])
    if wants_json(request):
        return JsonResponse({"error": refusal}, status=status)
    if not form.errors:
        form.add_error("body", refusal)
    return render(
        request,
        "community/chat/room.html",
        {**room_context(request, found), "form": form},
        status=status,
    )


@require_POST
@member_required
def read(request: MemberRequest, room_id: int) -> HttpResponse:
    """Note that the member read up to number `seq`; with `unread`, that all from it on is not."""
    found = room_or_404(request, room_id)
    seq = whole_number(request.POST.get("seq"))
    if seq is None:
        return HttpResponse(status=422)
    read_to(room=found, member=request.user, seq=seq, again="unread" in request.POST)
    if wants_json(request):
        return HttpResponse(status=204)
    return redirect("chat")


@require_POST
@member_required
def writing(request: MemberRequest, room_id: int) -> HttpResponse:
    """Say that the member is writing; told only while they may and want it to be."""
    found = room_or_404(request, room_id)
    if not why_not_write(found, request.user):
        announce_writing(request.user, found)
    return HttpResponse(status=204)


@require_GET
@member_required
def here(request: MemberRequest, room_id: int) -> JsonResponse:
    """Who is here: `{names: [at most 20], count}`, for those in the room."""
    found = room_or_404(request, room_id)
    members = who_is_here(found)
    names = [member.name for member in members[:20]]
    response = JsonResponse({"names": names, "count": len(members)})
    response["Cache-Control"] = "no-store"
    return response
