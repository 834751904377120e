"""Sending a message: the one verb that adds to a room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from community.chat import hub
from community.chat.errors import (
    Archived,
    NoSuchMessage,
    NotAnswered,
    NothingSaid,
    NotInRoom,
    Paused,
    ReadOnly,
    SlowedDown,
    TooFast,
    TooLong,
)
from community.chat.models import (
    MESSAGE_MAX_CHARS,
    Message,
    MessageImage,
    MessageMention,
    Place,
    Room,
)
from community.chat.rooms import DIRECT, READING, readable_room
from community.chat.unread import give_places, tell_of
from community.events import MessageSent
from community.members.models import Block, Member
from community.threads.markup import Rendered
from community.threads.rendering import render_message
from community.uploads.services import confine
from config.outbox import publish
from config.prepared import prepared_cursor

BURST_MESSAGES: Final = 20
BURST_SECONDS: Final = 10

Gate = Callable[[Member, Room, str], None]
# Asked in order before a message is written; a gate raises MessageRefused. Moderation joins here.
MESSAGE_GATES: list[Gate] = []


def send_message(
    *,
    room: Room,
    sender: Member,
    body: str,
    client_key: UUID | None = None,
    reply_to: Message | None = None,
    at: datetime | None = None,
) -> Message:
    """Write a message of at most MESSAGE_MAX_CHARS characters and hint it to open pages.

    The same `client_key` of the same sender is the same message, however often it is sent. `at`
    keeps the time of talk brought in from elsewhere. Raises a MessageRefused. Announces
    MessageSent.
    """
    body = clean_body(body)
    if not body:
        raise NothingSaid
    if len(body) > MESSAGE_MAX_CHARS:
        raise TooLong
    if reply_to is not None and reply_to.room_id != room.pk:
        raise NoSuchMessage
    if readable_room(sender, room.pk) is None:
        raise NotInRoom
    sent_already, lately = _look_back(sender, client_key)
    if client_key is not None and sent_already and (sent := _sent_before(sender, client_key)):
        return sent
    is_only = False
    if at is None:
        is_only = ensure_may_write(sender, room)
        if lately >= BURST_MESSAGES:
            raise TooFast
    for gate in MESSAGE_GATES:
        gate(sender, room, body)
    rendered = render_message(body, author=sender, group=room.group)
    sent_at = at or timezone.now()
    try:
        with transaction.atomic():
            seq = _take_seq(room, sender, sent_at)
            if is_only:
                ensure_may_write(sender, room)  # another of theirs may have come before
            message = Message.objects.create(
                room=room,
                seq=seq,
                sender=sender,
                client_key=client_key,
                reply_to=reply_to,
                body=body,
                html=rendered.html,
                sent_at=sent_at,
            )
            refer(message, rendered)
            publish(MessageSent(message_id=message.pk))
            transaction.on_commit(lambda: hub.announce_message(message))
            transaction.on_commit(lambda: tell_of(message))
    except IntegrityError:
        # Two sends of one message raced; the other one won.
        if client_key is not None and (sent := _sent_before(sender, client_key)):
            return sent
        raise
    return message


def clean_body(body: str) -> str:
    return body.replace("\r\n", "\n").replace("\x00", "").strip()


def refer(message: Message, rendered: Rendered, *, again: bool = False) -> None:
    """Write the rows of whom a message names and what it shows; `again` after an edit."""
    named = set(
        Member.objects.filter(handle__in=rendered.mentions, erased_at=None).values_list(
            "pk", flat=True
        )
        if rendered.mentions
        else ()
    )
    if message.reply_to is not None:
        named.add(message.reply_to.sender_id)
    named.discard(message.sender_id)
    if again:
        MessageMention.objects.filter(message=message).exclude(member__in=named).delete()
        MessageImage.objects.filter(message=message).exclude(image__in=rendered.image_ids).delete()
    if named:
        MessageMention.objects.bulk_create(
            (
                MessageMention(
                    message=message, member_id=pk, room_id=message.room_id, seq=message.seq
                )
                for pk in sorted(named)
            ),
            ignore_conflicts=True,
        )
        if message.room.group_id is not None and not again:
            give_places(message.room, named, message.seq)
    if rendered.image_ids:
        confine(rendered.image_ids, owner=message.sender)
        MessageImage.objects.bulk_create(
            (MessageImage(message=message, image_id=pk) for pk in rendered.image_ids),
            ignore_conflicts=True,
        )


def ensure_may_write(sender: Member, room: Room, *, edits: bool = False) -> bool:
    """Raise Archived, Paused, ReadOnly, SlowedDown, NotAnswered, or what the room's kind raises.

    Who only `edits` what they said waits for no answer and for no slow mode. Returns whether this
    message may have no other beside it: two at once know nothing of each other.
    """
    if room.archived_at is not None:
        raise Archived
    is_only = ensure_wanted(sender, room, edits=edits)
    limited = (
        room.paused_at is not None
        or room.writers == Room.Writers.MODERATORS
        or room.slow_mode_seconds > 0
    )
    if not limited or room.as_kind.keeps_order(sender, room):
        return is_only
    if room.paused_at is not None:
        raise Paused
    if room.writers == Room.Writers.MODERATORS:
        raise ReadOnly
    since = timezone.now() - timedelta(seconds=room.slow_mode_seconds)
    if not edits and Message.objects.filter(sender=sender, room=room, sent_at__gt=since).exists():
        raise SlowedDown
    return is_only or room.slow_mode_seconds > 0


def ensure_wanted(sender: Member, room: Room, *, edits: bool = False) -> bool:
    """Raise NotInRoom, NotAnswered or what the room's kind raises where others want no word.

    Among people, to somebody who has not answered one message is all: True for that one.
    """
    if (ensure := room.as_kind.ensure_may_write) is not None:
        ensure(sender, room)
    return room.kind == DIRECT and _is_unanswered(sender, room, edits=edits)


def _is_unanswered(sender: Member, room: Room, *, edits: bool) -> bool:
    """Whether nobody else is in the room yet. Raises NotInRoom or NotAnswered.

    Of a pair, whoever blocked the other is taken for one who never answers: no refusal tells of it.
    Nor that they never were asked: one message is taken, and they do not see it.
    """
    places = dict(Place.objects.filter(room=room).values_list("member_id", "state"))
    if places.get(sender.pk) != Place.State.IN:
        raise NotInRoom
    others = [pk for pk in places if pk != sender.pk]
    blocked = (
        len(others) == 1
        and places[others[0]] in READING
        and Block.objects.filter(by__in=others, of=sender, kind=Block.Kind.BLOCK).exists()
    )
    if blocked:
        raise NotAnswered
    answered = any(places[pk] == Place.State.IN for pk in others)
    if answered or edits:
        return False
    if Message.objects.filter(room=room, sender=sender).exists():
        raise NotAnswered
    return True


def _take_seq(room: Room, sender: Member, at: datetime) -> int:
    """Take the room's next number. The row stays locked until the message is committed.

    Whoever writes has read what stands above: their place moves along. A number from a sequence
    would not do: commits overtake it, and a reader who asks for all after n would miss the late
    ones (docs/decisions/chat.md).
    """
    with prepared_cursor() as cursor:
        cursor.execute(_TAKE_SEQ, {"at": at, "room": room.pk, "sender": sender.pk})
        row = cursor.fetchone()
    if row is None:
        raise Archived
    return int(row[0])


_TAKE_SEQ = """
    WITH taken AS (
        UPDATE community_room
        SET last_seq = last_seq + 1, last_message_at = greatest(last_message_at, %(at)s)
        WHERE id = %(room)s AND archived_at IS NULL
        RETURNING last_seq
    ), read AS (
        UPDATE community_place SET read_seq = taken.last_seq, read_at = %(at)s FROM taken
        WHERE room_id = %(room)s AND member_id = %(sender)s
    )
    SELECT last_seq FROM taken
"""


def _look_back(sender: Member, client_key: UUID | None) -> tuple[bool, int]:
    """Say whether this was sent before, and how many were sent in the last BURST_SECONDS.

    Counted where it cannot be away: PostgreSQL. At most BURST_MESSAGES.
    """
    since = timezone.now() - timedelta(seconds=BURST_SECONDS)
    asked = {"sender": sender.pk, "key": client_key, "since": since, "most": BURST_MESSAGES}
    with prepared_cursor() as cursor:
        cursor.execute(_LOOK_BACK, asked)
        sent_already, lately = cursor.fetchone()
    return sent_already, lately


_LOOK_BACK = """
    SELECT
        EXISTS (
            SELECT FROM community_message
            WHERE sender_id = %(sender)s AND client_key = %(key)s::uuid
        ),
        (SELECT count(*) FROM (
            SELECT FROM community_message
            WHERE sender_id = %(sender)s AND sent_at > %(since)s LIMIT %(most)s
        ) AS few)
"""


def _sent_before(sender: Member, client_key: UUID) -> Message | None:
    return (
        Message.objects.select_related("sender", "room__group")
        .filter(sender=sender, client_key=client_key)
        .first()
    )
