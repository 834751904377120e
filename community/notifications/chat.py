"""Who is told of a message, and as what. One set of queries however many they are.

Mentions, replies and requests are told each; of a room of people, and of one of which somebody
wants to hear all, one row is unread at a time, and tells of the latest message.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, Max, Q
from django.utils import timezone

from community.chat.models import Message, MessageMention, Place, Room
from community.chat.rooms import DIRECT
from community.events import MessageEdited, MessageSent
from community.members.models import Member
from community.notifications import live
from community.notifications.models import (
    ONE_A_ROOM,
    Kind,
    Notification,
    read_in_chat,
)
from community.notifications.recipients import deaf_to
from community.notifications.services import Occasion, Wishes, tell

# Talk brought in from elsewhere keeps its dates: what is older than this is no news.
NEWS_FOR: Final = timedelta(days=2)
# Whoever read what stands above so lately is likely looking on: no badge flickers for them.
LOOKING: Final = timedelta(minutes=2)
Level, State = Place.Level, Place.State


def tell_of_message(event: MessageSent) -> None:
    """Tell those it names or answers, those it is written to, and those who want to hear all.

    Not in it: the sender, those who muted the room, blocked or muted the sender, may not read the
    room, or have read the message already.
    """
    message = _message(event.message_id)
    if message is not None:
        _tell(message, reasons(message))


def tell_of_edited_message(event: MessageEdited) -> None:
    """Tell those whom an edit names. Who heard of the message before hears nothing again."""
    message = _message(event.message_id)
    if message is not None:
        named = {pk: kinds for pk, kinds in reasons(message).items() if kinds[0] == Kind.NAMED}
        _tell(message, {pk: [Kind.NAMED] for pk in named})


def _tell(message: Message, kinds: dict[int, list[Kind]]) -> None:
    if not kinds:
        return
    _mark_passed(message.room_id, kinds)
    wishes = Wishes(list(kinds))
    looking = _looking_on(message)
    at_once: list[Occasion] = []
    of_the_room: dict[Kind, list[int]] = {}
    for member_id, each in kinds.items():
        kind = next((kind for kind in each if wishes.any(member_id, kind)), None)
        if kind in ONE_A_ROOM:
            of_the_room.setdefault(kind, []).append(member_id)
        elif kind is not None:
            at_once.append(_occasion(message, member_id, kind, looking))
    tell(at_once)
    for kind, members in of_the_room.items():
        _tell_of_the_room(message, kind, members, looking)


def reasons(message: Message) -> dict[int, list[Kind]]:
    """Who has what reason to hear of a message, the strongest first, by member."""
    room = message.room
    named = set(MessageMention.objects.filter(message=message).values_list("member_id", flat=True))
    places = Place.objects.filter(room=room)
    if room.kind != DIRECT:
        places = places.filter(Q(level=Level.ALL) | Q(member__in=named))
    at = {place.member_id: place for place in places}
    found: dict[int, list[Kind]] = {}
    for member_id in {*at, *named}:
        place = at.get(member_id)
        is_unread = place is None or place.read_seq < message.seq
        if is_unread and (kinds := _kinds(room, place, member_id in named)):
            found[member_id] = kinds
    found.pop(message.sender_id, None)
    for member_id in deaf_to(message.sender_id, found):
        found.pop(member_id)
    allowed = may_read(room, found)
    return {member_id: kinds for member_id, kinds in found.items() if member_id in allowed}


def _kinds(room: Room, place: Place | None, is_named: bool) -> list[Kind]:
    if place is None:
        return [Kind.NAMED] if is_named else []
    if place.level == Level.MUTED or place.state in (State.REFUSED, State.LEFT):
        return []
    if place.state == State.ASKED:
        return [Kind.REQUEST]
    # In a room of people everything is for them; a mention is no other news.
    every = Kind.DIRECT if room.group_id is None else Kind.ROOM
    if place.level != Level.ALL:
        return [Kind.NAMED] if is_named else []
    if every == Kind.DIRECT:
        return [Kind.DIRECT]
    return [Kind.NAMED, Kind.ROOM] if is_named else [Kind.ROOM]


def may_read(room: Room, members: Collection[int]) -> set[int]:
    """Return those of `members` who may read the room: `visible_to` for many at once."""
    if not members:
        return set()
    readers = room.as_kind.readers([room], members).get(room.pk, set())
    active = Member.objects.filter(pk__in=readers, is_active=True)
    return set(active.values_list("pk", flat=True))


def is_muted(member: Member, room: Room) -> bool:
    """Whether the member wants to hear nothing of the room."""
    return Place.objects.filter(room=room, member=member, level=Level.MUTED).exists()


def mark_room_read(room: Room, member: Member, seq: int) -> None:
    """Mark what tells of the room's messages up to `seq` as read."""
    rows = Notification.objects.filter(member=member, read_at=None, room=room)
    if rows.filter(message__seq__lte=seq).update(read_at=timezone.now()):
        live.hint([member.pk])


# -- inside -------------------------------------------------------------------------------------


def _message(message_id: int) -> Message | None:
    """The message as it is now, unless it is hidden or no news."""
    return (
        Message.objects.select_related("sender", "room__group", "room__thread", "reply_to")
        .filter(pk=message_id, hidden_at=None, sent_at__gt=timezone.now() - NEWS_FOR)
        .first()
    )


def _looking_on(message: Message) -> set[int]:
    """Who has read all above the message, and lately."""
    since = timezone.now() - LOOKING
    rows = Place.objects.filter(room=message.room_id, read_at__gt=since)
    return set(rows.filter(read_seq__gte=message.seq - 1).values_list("member_id", flat=True))


def _occasion(message: Message, member_id: int, kind: Kind, looking: set[int]) -> Occasion:
    answered = message.reply_to
    is_reply = answered is not None and answered.sender_id == member_id
    return Occasion(
        member_id,
        [kind],
        # Of a request one is told once, however much is written.
        f"request:{message.room_id}" if kind == Kind.REQUEST else f"message:{message.pk}",
        actor_id=message.sender_id,
        message=message,
        is_quiet=member_id in looking,
        details={"is_reply": True} if is_reply and kind == Kind.NAMED else {},
    )


def _mark_passed(room_id: int, members: Iterable[int]) -> None:
    """Close rows whose messages were read without them, so that they do not pile up."""
    Notification.objects.filter(
        Exists(read_in_chat()), room=room_id, member__in=list(members), read_at=None
    ).update(read_at=timezone.now())


@transaction.atomic
def _tell_of_the_room(
    message: Message, kind: Kind, members: Collection[int], looking: set[int]
) -> None:
    """Let the unread row of each tell of this message, or open one.

    Who was told of this message or a later one, and looked, hears nothing again.
    """
    # Held till the end, so that of two messages at once both do not open a row.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"told:{message.room_id}"]
        )
    rows = Notification.objects.filter(room=message.room_id, kind=kind, member__in=members)
    latest = rows.values("member").annotate(last=Max("message__seq"))
    told = dict(latest.values_list("member", "last"))
    fresh = [member_id for member_id in members if told.get(member_id, 0) < message.seq]
    open_rows = rows.filter(member__in=fresh, read_at=None)
    known = set(open_rows.values_list("member", flat=True))
    open_rows.update(message=message, actor=message.sender, at=timezone.now())
    tell(
        _occasion(message, member_id, kind, looking)
        for member_id in fresh
        if member_id not in known
    )
