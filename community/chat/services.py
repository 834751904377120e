"""Sending a message: the one verb that writes in a room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from community.chat import hub
from community.chat.errors import NothingSaid, NotInRoom, TooFast, TooLong
from community.chat.models import MESSAGE_MAX_CHARS, Message, Room
from community.events import MessageSent
from community.groups.models import Group
from community.groups.services import membership_of
from community.members.models import Member
from community.threads.rendering import render_message
from config.outbox import publish

BURST_MESSAGES: Final = 20
BURST_SECONDS: Final = 10

Gate = Callable[[Member, Room, str], None]
# Asked in order before a message is written; a gate raises MessageRefused. Moderation joins here.
MESSAGE_GATES: list[Gate] = []


def room_of(group: Group) -> Room:
    """The group's room, made on first use."""
    room, _ = Room.objects.get_or_create(group=group)
    return room


def send_message(
    *,
    room: Room,
    sender: Member,
    body: str,
    client_key: UUID | None = None,
    at: datetime | None = None,
) -> Message:
    """Write a message of at most MESSAGE_MAX_CHARS characters and hint it to open pages.

    The same `client_key` of the same sender is the same message, however often it is sent. `at`
    keeps the time of talk brought in from elsewhere. Raises a MessageRefused. Announces
    MessageSent.
    """
    body = body.replace("\r\n", "\n").strip()
    if not body:
        raise NothingSaid
    if len(body) > MESSAGE_MAX_CHARS:
        raise TooLong
    if "\x00" in body:
        body = body.replace("\x00", "")
    if membership_of(sender, room.group) is None:
        raise NotInRoom
    if client_key is not None and (sent := _sent_before(sender, client_key)):
        return sent
    if at is None:
        _ensure_unhurried(sender)
    for gate in MESSAGE_GATES:
        gate(sender, room, body)
    html = render_message(body, author=sender, group=room.group).html
    sent_at = at or timezone.now()
    try:
        with transaction.atomic():
            message = Message.objects.create(
                room=room,
                seq=_take_seq(room, sent_at),
                sender=sender,
                client_key=client_key,
                body=body,
                html=html,
                sent_at=sent_at,
            )
            publish(MessageSent(message_id=message.pk))
            transaction.on_commit(lambda: hub.announce_message(message))
    except IntegrityError:
        # Two sends of one message raced; the other one won.
        if client_key is not None and (sent := _sent_before(sender, client_key)):
            return sent
        raise
    return message


def _take_seq(room: Room, at: datetime) -> int:
    """Take the room's next number. The row stays locked until the message is committed.

    A number from a sequence would not do: commits overtake it, and a reader who asks for all
    after n would miss the late ones (docs/decisions/chat.md).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE community_room SET last_seq = last_seq + 1,"
            " last_message_at = GREATEST(last_message_at, %s) WHERE id = %s RETURNING last_seq",
            [at, room.pk],
        )
        row = cursor.fetchone()
    if row is None:
        raise Room.DoesNotExist
    return int(row[0])


def _sent_before(sender: Member, client_key: UUID) -> Message | None:
    return (
        Message.objects.select_related("sender", "room__group")
        .filter(sender=sender, client_key=client_key)
        .first()
    )


def _ensure_unhurried(sender: Member) -> None:
    """At most BURST_MESSAGES in BURST_SECONDS, counted where it cannot be away: PostgreSQL."""
    since = timezone.now() - timedelta(seconds=BURST_SECONDS)
    if Message.objects.filter(sender=sender, sent_at__gt=since).count() >= BURST_MESSAGES:
        raise TooFast
