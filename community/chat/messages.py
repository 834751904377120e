"""What happens to a message after it was sent: edits, reactions, pins, hiding.

Each takes the room's next change number in its transaction, so that a page that was away asks for
all changes after the last it has, as it does for messages.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from community.chat import hub
from community.chat.errors import (
    Archived,
    MayNotChange,
    MayNotKeepOrder,
    MessageGone,
    NothingSaid,
    NotInRoom,
    ReasonMissing,
    TooFast,
    TooLate,
    TooLong,
    TooManyPins,
    UnknownReaction,
)
from community.chat.keeping import note
from community.chat.models import (
    MESSAGE_MAX_CHARS,
    Message,
    MessageReaction,
    MessageRevision,
    Room,
    RoomEntry,
)
from community.chat.pace import is_over
from community.chat.rooms import ensure_not_silenced
from community.chat.services import (
    MESSAGE_GATES,
    clean_body,
    ensure_may_write,
    ensure_wanted,
    refer,
)
from community.events import MessageEdited, MessageHiddenChanged
from community.members.models import Member
from community.threads.rendering import render_message
from config.outbox import publish

EDIT_WITHIN: Final = timedelta(days=1)
PINS_A_ROOM_MAX: Final = 50
DELETED: Final = "Deleted by its author"
CHANGES_MAX: Final = 30  # every page of the room asks for each
CHANGES_SECONDS: Final = 10


@transaction.atomic
def edit_message(*, message: Message, body: str, by: Member) -> Message:
    """Let one's own message say something else; what it said is kept. The same text writes nothing.

    Raises MayNotChange, TooLate after a day, MessageGone, Archived, NothingSaid, TooLong, Paused,
    ReadOnly, NotAnswered, TooFast, or what a gate raises. Announces MessageEdited.
    """
    message = _lock(message, by)
    if message.sender_id != by.pk:
        raise MayNotChange
    if message.is_hidden:
        raise MessageGone
    if timezone.now() - message.sent_at > EDIT_WITHIN:
        raise TooLate
    body = clean_body(body)
    if not body:
        raise NothingSaid
    if len(body) > MESSAGE_MAX_CHARS:
        raise TooLong
    if body == message.body:
        return message
    _ensure_unhurried(by)
    ensure_may_write(by, message.room, edits=True)
    for gate in MESSAGE_GATES:
        gate(by, message.room, body)
    rendered = render_message(body, author=by, group=message.room.group)
    MessageRevision.objects.create(message=message, body=message.body, html=message.html)
    message.body, message.html, message.edited_at = body, rendered.html, timezone.now()
    refer(message, rendered, again=True)
    _changed(message, "body", "html", "edited_at")
    publish(MessageEdited(message_id=message.pk))
    return message


@transaction.atomic
def toggle_message_reaction(*, message: Message, by: Member, name: str) -> bool:
    """Give a reaction or take it back; True when given. One's own message may be reacted to too.

    Raises UnknownReaction, NotInRoom, MessageGone, Archived, Silenced, TooFast, or what keeps them
    from being heard there.
    """
    if name not in settings.REACTIONS:
        raise UnknownReaction
    ensure_not_silenced(by)
    _ensure_unhurried(by)
    message = _lock(message, by)
    if message.is_hidden:
        raise MessageGone
    ensure_wanted(by, message.room, edits=True)
    mine = MessageReaction.objects.filter(message=message, member=by, name=name)
    taken, _rows = mine.delete()
    if not taken:
        MessageReaction.objects.create(message=message, member=by, name=name)
    count = int(message.reactions.get(name, 0)) + (-1 if taken else 1)
    counts = {**message.reactions, name: count}
    message.reactions = {each: number for each, number in counts.items() if number > 0}
    _changed(message, "reactions")
    return not taken


@transaction.atomic
def pin_message(*, message: Message, by: Member) -> Message:
    """Put a message among the room's pins. Raises MayNotKeepOrder, MessageGone, TooManyPins."""
    message = _lock(message, by)
    _ensure_keeps_order(message.room, by)
    if message.is_hidden:
        raise MessageGone
    if message.pinned_at is None:
        pinned = Message.objects.filter(room=message.room, pinned_at__isnull=False)
        if pinned.count() >= PINS_A_ROOM_MAX:
            raise TooManyPins
        message.pinned_at, message.pinned_by = timezone.now(), by
        _changed(message, "pinned_at", "pinned_by")
        note(message.room, RoomEntry.Verb.PIN, by, seq=message.seq)
    return message


@transaction.atomic
def unpin_message(*, message: Message, by: Member) -> Message:
    """Take a message from the room's pins. Raises MayNotKeepOrder."""
    message = _lock(message, by)
    _ensure_keeps_order(message.room, by)
    if message.pinned_at is not None:
        message.pinned_at = message.pinned_by = None
        _changed(message, "pinned_at", "pinned_by")
        note(message.room, RoomEntry.Verb.UNPIN, by, seq=message.seq)
    return message


@transaction.atomic
def delete_message(*, message: Message, by: Member) -> Message:
    """Take one's own message away: hidden, never deleted. Raises MayNotChange, TooFast."""
    message = _lock(message, by)
    if message.sender_id != by.pk:
        raise MayNotChange
    if not message.is_hidden:
        _ensure_unhurried(by)
        _hide(message, by, DELETED)
    return message


@transaction.atomic
def hide_message(*, message: Message, by: Member, reason: str) -> Message:
    """Hide another's message for a reason that its sender reads.

    Raises MayNotKeepOrder, MessageGone, ReasonMissing.
    """
    message = _lock(message, by)
    _ensure_keeps_order(message.room, by)
    if message.is_hidden:
        raise MessageGone
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise ReasonMissing
    _hide(message, by, reason)
    return message


@transaction.atomic
def restore_message(*, message: Message, by: Member) -> Message:
    """Show again what its sender deleted, or what a moderator of this room hid, by either of them.

    What the site's moderators hid is theirs to show. Raises MayNotChange.
    """
    message = _lock(message, by)
    if not message.is_hidden:
        return message
    own = message.sender_id == by.pk and message.hidden_by_id == by.pk
    hidden_here = (
        message.hidden_by is not None
        and not message.is_deleted
        and message.room.as_kind.keeps_order(message.hidden_by, message.room)
    )
    if not own and not (hidden_here and message.room.as_kind.keeps_order(by, message.room)):
        raise MayNotChange
    message.show()
    _changed(message, "hidden_at", "hidden_by", "hidden_reason")
    publish(MessageHiddenChanged(message_id=message.pk))
    return message


def message_hidden_changed(message: Message) -> None:
    """Tell of what moderation hid or showed, and saved, in a case of its own."""
    _changed(message)
    publish(MessageHiddenChanged(message_id=message.pk))


@transaction.atomic
def message_shows_otherwise(message: Message) -> None:
    """Tell pages that what is drawn under a message is another now: a link's card, a listing's."""
    _changed(Message.objects.select_for_update().get(pk=message.pk))


def take_change(room_id: int) -> int:
    """Take the room's next change number. The row stays locked until the change is committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE community_room SET last_change = last_change + 1"
            " WHERE id = %s RETURNING last_change",
            [room_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise Room.DoesNotExist
    return int(row[0])


# -- inside -----------------------------------------------------------------------------------


def _lock(message: Message, by: Member) -> Message:
    """The message as it is now, for one who reads its room. Raises NotInRoom, Archived."""
    rows = Message.objects.select_for_update(of=("self",)).select_related(
        "room__group", "room__thread", "sender", "hidden_by"
    )
    message = rows.get(pk=message.pk)
    if not Room.objects.visible_to(by).filter(pk=message.room_id).exists():
        raise NotInRoom
    if message.room.archived_at is not None:
        raise Archived
    return message


def _ensure_unhurried(by: Member) -> None:
    if is_over("changes", by, most=CHANGES_MAX, seconds=CHANGES_SECONDS):
        raise TooFast


def _ensure_keeps_order(room: Room, by: Member) -> None:
    if not room.as_kind.keeps_order(by, room):
        raise MayNotKeepOrder
    ensure_not_silenced(by)


def _hide(message: Message, by: Member, reason: str) -> None:
    message.hide(by=by, reason=reason, at=timezone.now())
    columns = ["hidden_at", "hidden_by", "hidden_reason"]
    if message.pinned_at is not None:
        message.pinned_at = message.pinned_by = None
        columns += ["pinned_at", "pinned_by"]
    _changed(message, *columns)
    publish(MessageHiddenChanged(message_id=message.pk))


def _changed(message: Message, *columns: str) -> None:
    message.change = take_change(message.room_id)
    message.save(update_fields=[*columns, "change"])
    transaction.on_commit(lambda: hub.announce_change(message))
