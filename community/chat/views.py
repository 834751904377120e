"""Pages of chat: my rooms, a room, sending, and all after a number.

A group's first room is at /chat/<group>/; every room, that one too, has its verbs below
/rooms/<id>/. What one may not read is 404 everywhere.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages as notices
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from community.chat import commands
from community.chat.days import days_of, number_on, read_day
from community.chat.drawing import draw_message
from community.chat.entries import later_entries, mark_entries
from community.chat.errors import MessageRefused, NoSuchMessage
from community.chat.forms import MessageForm
from community.chat.here import announce_writing, who_is_here
from community.chat.models import Message, Room, RoomEntry
from community.chat.pages import (
    GAP_MESSAGES,
    around,
    first_unread,
    from_number,
    given_by,
    heading_of,
    mark_runs,
    messages_after,
    messages_of,
    newest,
    opening,
    rooms_page,
    unread_of,
)
from community.chat.places import place_in, read_to
from community.chat.rooms import ensure_not_silenced, readable_room, room_of
from community.chat.services import ensure_may_write, send_message
from community.groups.models import Group
from community.members.blocking import folded_for
from community.members.errors import MayNotWrite
from community.members.models import Member
from community.members.web import MemberRequest, member_required, safe_next
from community.members.zones import zone_of
from community.uploads.errors import ImageRefused
from config.paging import whole_number

RAIL_MESSAGES = 20


def room_or_404(request: MemberRequest, room_id: int) -> Room:
    """The room, for those who may read it; there is none for others."""
    room = readable_room(request.user, room_id)
    if room is None:
        raise Http404
    return room


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
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(found.get_absolute_url() + query)
    return _room(request, found)


def _room(request: MemberRequest, found: Room) -> HttpResponse:
    """The newest messages, or those before `before`; numbers, so a page stays where it is.

    `on` a day leads to the first message on it or later, among its neighbours.
    """
    on = read_day(request.GET.get("on", ""))
    if on is not None and "at" not in request.GET:
        seq = number_on(found, on, zone_of(request.user))
        if seq is not None:
            return redirect(f"{found.get_absolute_url()}?on={on.isoformat()}&at={seq}#m{seq}")
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
    is_whole = not page or page[0].seq == 1
    leading, last_entry = mark_entries(found, page, oldest=is_whole, newest=True)
    context = {
        "room": found,
        "leading_entries": leading,
        "last_entry": last_entry,
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
    """Where the room opens, or what the address asks for: `before`, `after`, `at`, `on` a day.

    `newest` asks for the newest messages however much is unread.
    """
    asked = request.GET
    at = whole_number(asked.get("at"))
    place = place_in(found, request.user)
    on = read_day(asked.get("on", ""))
    if (before := whole_number(asked.get("before"))) is not None:
        window = newest(found, before=before)
    elif (after := whole_number(asked.get("after"))) is not None:
        window = from_number(found, after)
    elif at is not None:
        window = around(found, at)
    elif "newest" in asked:
        window = newest(found)
    else:
        window = opening(found, place)
    mark_runs(window.messages, request.user)
    leading, last_entry = mark_entries(
        found, window.messages, oldest=window.older is None, newest=window.is_newest
    )
    answered = whole_number(asked.get("reply_to"))
    return {
        "room": found,
        "heading": heading_of(found, request.user),
        "group": found.group,
        "chat_messages": window.messages,
        "leading_entries": leading,
        "last_entry": last_entry,
        "older": window.older,
        "newer": window.newer,
        "newest_shown": window.is_newest,
        "at": at,
        "days": days_of(found, window, on, zone_of(request.user)),
        "may_make_thread": may_make_thread(found, request.user),
        "mine": given_by(request.user, window.messages),
        "place": place,
        "first_unread": first_unread(window, place),
        "unread": unread_of(found, place),
        "reply_to": (
            messages_of(found).filter(seq=answered, hidden_at=None).first() if answered else None
        ),
        "why_not": why_not_write(found, request.user),
    }


def may_make_thread(room: Room, member: Member) -> str:
    """Of whose messages the member may make a thread: "all", their "own", or none of them."""
    if room.group is None:
        return ""
    return "all" if room.as_kind.keeps_order(member, room) else "own"


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


def answer_with(request: MemberRequest, message: Message) -> HttpResponse:
    """After an act: the message as it is now for a script, its place in the room for a form."""
    if wants_json(request):
        now = messages_of(message.room).get(pk=message.pk)
        return JsonResponse(as_json(now, request.user))
    return redirect(safe_next(request) or message.get_absolute_url())


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
    Asked with `entry`, the last entry it has, it is told `entries`, each `{entry, after, html}`.
    """
    found = room_or_404(request, room_id)
    only = whole_number(request.GET.get("only"))
    start = whole_number(request.GET.get("after")) or 0
    page, more = [], False
    if only is not None:
        page = list(messages_of(found).filter(seq=only))
    elif start < found.last_seq:
        page, more = messages_after(found, start)
    changed: list[Message] = []
    since, last = whole_number(request.GET.get("change")), found.last_change
    if since is not None and since < last:
        later = messages_of(found).filter(change__gt=since, seq__lte=start)
        changed = list(later.order_by("change")[:GAP_MESSAGES])
        if len(changed) == GAP_MESSAGES:
            more, last = True, changed[-1].change
    mine = given_by(request.user, [*page, *changed])
    known = whole_number(request.GET.get("entry"))
    entries = later_entries(found, known) if known is not None else []
    response = JsonResponse(
        {
            "messages": [as_json(message, request.user, mine) for message in page],
            "more": more,
            "seq": found.last_seq,
            "changed": [as_json(message, request.user, mine) for message in changed],
            "change": last,
            "entries": [entry_as_json(entry) for entry in entries],
        }
    )
    response["Cache-Control"] = "no-store"
    return response


def as_json(
    message: Message, viewer: Member, mine: dict[int, list[str]] | None = None
) -> dict[str, object]:
    message.viewer_is_sender = message.sender_id == viewer.pk
    message.is_folded = not message.viewer_is_sender and message.sender_id in folded_for(viewer)
    given = given_by(viewer, [message]) if mine is None else mine
    return {
        "seq": message.seq,
        "key": str(message.client_key) if message.client_key else None,
        "sender": message.sender.handle,
        "html": draw_message(message),
        "mine": given.get(message.seq, []),
    }


def entry_as_json(entry: RoomEntry) -> dict[str, object]:
    return {
        "entry": entry.pk,
        "after": entry.after_seq,
        "html": render_to_string("community/chat/_entry.html", {"entry": entry}),
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
    """Send `body`. A script (Accept: application/json) gets the message, a form the page again.

    A body that begins with a command is done instead (chat.commands): `{did}` says what.
    """
    found = room_or_404(request, room_id)
    form = MessageForm(request.POST, request.FILES)
    refusal, status = "", 422
    if form.is_valid():
        key: UUID | None = form.cleaned_data["client_key"]
        answered = form.cleaned_data["reply_to"]
        try:
            reply_to = _answered(found, answered) if answered else None
            if commands.is_command(form.cleaned_data["body"]):
                words = form.cleaned_data["body"]
                did = commands.run(room=found, by=request.user, body=words, reply_to=reply_to)
                return _did(request, found, did)
            if form.cleaned_data["picture"] is not None:
                ensure_may_write(request.user, found)
            message = send_message(
                room=found,
                sender=request.user,
                body=commands.message_of(form.body_with_picture(sender=request.user)),
                client_key=key,
                reply_to=reply_to,
            )
        except MessageRefused as refused:
            refusal, status = refused.reason, refused.status
        except ImageRefused as refused_picture:
            refusal, status = str(refused_picture), 422
        else:
            if wants_json(request):
                return JsonResponse(as_json(message, request.user), status=201)
            return redirect(safe_next(request) or f"{found.get_absolute_url()}#end")
    else:
        refusal = str(next(iter(form.errors.values()))[0])
    if wants_json(request):
        return JsonResponse({"error": refusal}, status=status)
    if "body" not in form.errors:
        form.add_error("body", refusal)
    return render(
        request,
        "community/chat/room.html",
        {**room_context(request, found), "form": form},
        status=status,
    )


def _did(request: MemberRequest, room: Room, did: str) -> HttpResponse:
    """What a command did: for a script its words, for a form the room again with them above."""
    if wants_json(request):
        return JsonResponse({"did": did})
    notices.success(request, did)
    if not Room.objects.visible_to(request.user).filter(pk=room.pk).exists():
        return redirect("chat")
    return redirect(safe_next(request) or f"{room.get_absolute_url()}#end")


@require_GET
@member_required
def command_list(request: MemberRequest, room_id: int) -> HttpResponse:
    """The commands of use to the member here, for whoever types "/"."""
    found = room_or_404(request, room_id)
    context = {"commands": commands.offered_to(request.user, found)}
    return render(request, "community/chat/_commands.html", context)


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
    members = who_is_here(found, request.user)
    names = [member.name for member in members[:20]]
    response = JsonResponse({"names": names, "count": len(members)})
    response["Cache-Control"] = "no-store"
    return response
