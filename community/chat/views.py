"""Pages of chat: my rooms, a room, sending, and all after a number."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_POST

from community.chat.errors import MessageRefused
from community.chat.forms import MessageForm
from community.chat.models import Message, Room
from community.chat.services import room_of, send_message
from community.groups.models import Group
from community.members.blocking import folded_for
from community.members.models import Member
from community.members.web import MemberRequest, member_required, safe_next
from config.paging import whole_number

MESSAGES_PER_PAGE = 50
GAP_MESSAGES = 200
RAIL_MESSAGES = 20
RUN_GAP = timedelta(minutes=5)


def room_or_404(request: MemberRequest, slug: str) -> Room:
    """The group's room for its members; there is none for others, in any group."""
    group = get_object_or_404(Group.objects.joined_by(request.user), slug=slug)
    room = room_of(group)
    room.group = group
    return room


@require_GET
@member_required
def rooms(request: MemberRequest) -> HttpResponse:
    """The rooms of the member's groups, the busiest first, each with its last words."""
    groups = list(Group.objects.joined_by(request.user).order_by("name"))
    found = {
        room.group_id: room
        for room in Room.objects.filter(group__in=groups).select_related("group")
    }
    last = {
        message.room_id: message
        for message in Message.objects.filter(room__in=found.values(), hidden_at=None)
        .order_by("room_id", "-seq")
        .distinct("room_id")
        .select_related("sender__avatar")
    }
    rows = [
        (group, last.get(found[group.pk].pk) if group.pk in found else None) for group in groups
    ]
    rows.sort(key=lambda row: row[1].sent_at.timestamp() if row[1] else 0, reverse=True)
    return render(request, "community/chat/rooms.html", {"rows": rows})


@require_GET
@member_required
def room(request: MemberRequest, slug: str) -> HttpResponse:
    """The newest messages, or those before `before`; numbers, so a page stays where it is."""
    found = room_or_404(request, slug)
    return render(
        request,
        "community/chat/room.html",
        {**room_context(request, found), "form": MessageForm()},
    )


@require_GET
@member_required
def beside(request: MemberRequest, slug: str) -> HttpResponse:
    """The newest messages for the rail of another page, which fetches them when there is room.

    `next` is that page: a message sent without scripts goes back to it.
    """
    found = room_or_404(request, slug)
    messages = Message.objects.filter(room=found).select_related("sender__avatar")
    page = list(messages.order_by("-seq")[:RAIL_MESSAGES])[::-1]
    mark_runs(page, request.user)
    context = {
        "room": found,
        "group": found.group,
        "chat_messages": page,
        "form": MessageForm(),
        "back": request.GET.get("next", ""),
    }
    response = render(request, "community/chat/_chat.html", context)
    response["Cache-Control"] = "no-store"
    return response


def room_context(request: MemberRequest, found: Room) -> dict[str, object]:
    before = whole_number(request.GET.get("before"))
    messages = Message.objects.filter(room=found).select_related("sender__avatar")
    if before is not None:
        messages = messages.filter(seq__lt=before)
    page = list(messages.order_by("-seq")[: MESSAGES_PER_PAGE + 1])
    older = len(page) > MESSAGES_PER_PAGE
    page = page[:MESSAGES_PER_PAGE][::-1]
    mark_runs(page, request.user)
    return {
        "room": found,
        "group": found.group,
        "chat_messages": page,
        "older": page[0].seq if older else None,
        "newest_shown": before is None,
    }


def mark_runs(messages: list[Message], viewer: Member) -> None:
    """Say of each message whether it continues its sender's last one, is mine, or folds."""
    last: Message | None = None
    folded = folded_for(viewer)
    for message in messages:
        message.viewer_is_sender = message.sender_id == viewer.pk
        message.is_folded = message.sender_id in folded
        message.continues = (
            last is not None
            and last.sender_id == message.sender_id
            and last.sent_at.date() == message.sent_at.date()
            and message.sent_at - last.sent_at < RUN_GAP
        )
        last = message


@require_GET
@member_required
def after(request: MemberRequest, slug: str) -> JsonResponse:
    """All after number `after`, oldest first, at most 200: `{messages: [...], more, seq}`.

    Each message is `{seq, key, sender, html}`. With `only=<seq>` just that one, as it is now.
    """
    found = room_or_404(request, slug)
    messages = Message.objects.filter(room=found).select_related("sender__avatar")
    only = whole_number(request.GET.get("only"))
    if only is not None:
        messages = messages.filter(seq=only)
    else:
        messages = messages.filter(seq__gt=whole_number(request.GET.get("after")) or 0)
    page = list(messages.order_by("seq")[: GAP_MESSAGES + 1])
    more = len(page) > GAP_MESSAGES
    response = JsonResponse(
        {
            "messages": [as_json(message, request.user) for message in page[:GAP_MESSAGES]],
            "more": more,
            "seq": found.last_seq,
        }
    )
    response["Cache-Control"] = "no-store"
    return response


def as_json(message: Message, viewer: Member) -> dict[str, object]:
    message.viewer_is_sender = message.sender_id == viewer.pk
    message.is_folded = message.sender_id in folded_for(viewer)
    return {
        "seq": message.seq,
        "key": str(message.client_key) if message.client_key else None,
        "sender": message.sender.handle,
        "html": render_to_string("community/chat/_message.html", {"message": message}),
    }


@require_POST
@member_required
def send(request: MemberRequest, slug: str) -> HttpResponse:
    """Send `body`. A script (Accept: application/json) gets the message, a form the page again."""
    found = room_or_404(request, slug)
    wants_json = "application/json" in request.headers.get("Accept", "")
    form = MessageForm(request.POST)
    refusal, status = "", 422
    if form.is_valid():
        key: UUID | None = form.cleaned_data["client_key"]
        try:
            message = send_message(
                room=found, sender=request.user, body=form.cleaned_data["body"], client_key=key
            )
        except MessageRefused as refused:
            refusal, status = refused.reason, refused.status
        else:
            if wants_json:
                return JsonResponse(as_json(message, request.user), status=201)
            return redirect(safe_next(request) or f"{found.get_absolute_url()}#end")
    else:
        refusal = str(next(iter(form.errors.values()))[0])
    if wants_json:
        return JsonResponse({"error": refusal}, status=status)
    if not form.errors:
        form.add_error("body", refusal)
    return render(
        request,
        "community/chat/room.html",
        {**room_context(request, found), "form": form},
        status=status,
    )
