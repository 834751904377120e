"""Keeping order in a room: pause, slow mode, who writes, topic, archive. Each leaves an entry."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from community.chat import hub
from community.chat.errors import Archived, MayNotKeepOrder, RoomNameTaken, RoomNameUnfit
from community.chat.models import REASON_MAX_CHARS, Room, RoomEntry
from community.chat.opengraph import on_one_line
from community.chat.rooms import clean_name, clean_topic, ensure_not_silenced
from community.members.models import Member

SLOW_MODE_MAX_SECONDS: Final = 24 * 3600
Verb = RoomEntry.Verb


@transaction.atomic
def pause_room(*, room: Room, by: Member, reason: str = "") -> Room:
    """Let nobody but moderators write until it goes on. Raises MayNotKeepOrder, Archived."""
    room = _kept(room, by)
    if room.paused_at is None:
        room.paused_at = timezone.now()
        _save(room, "paused_at")
        note(room, Verb.PAUSE, by, reason)
    return room


@transaction.atomic
def go_on(*, room: Room, by: Member) -> Room:
    """Let everybody write again. Raises MayNotKeepOrder, Archived."""
    room = _kept(room, by)
    if room.paused_at is not None:
        room.paused_at = None
        _save(room, "paused_at")
        note(room, Verb.GO_ON, by)
    return room


@transaction.atomic
def set_slow_mode(*, room: Room, seconds: int, by: Member, reason: str = "") -> Room:
    """Let a member write once in so many seconds, 0 to a day. Raises MayNotKeepOrder, Archived."""
    room = _kept(room, by)
    seconds = min(max(0, seconds), SLOW_MODE_MAX_SECONDS)
    if room.slow_mode_seconds != seconds:
        room.slow_mode_seconds = seconds
        _save(room, "slow_mode_seconds")
        note(room, Verb.SLOW, by, reason, seconds=seconds)
    return room


@transaction.atomic
def set_writers(*, room: Room, writers: str, by: Member, reason: str = "") -> Room:
    """Say who writes: everybody in the room or its moderators. Raises MayNotKeepOrder, Archived."""
    room = _kept(room, by)
    new = Room.Writers(writers)
    if room.writers != new:
        room.writers = new
        _save(room, "writers")
        note(room, Verb.WRITERS, by, reason, writers=str(new))
    return room


@transaction.atomic
def describe_room(*, room: Room, name: str, topic: str, by: Member) -> Room:
    """Change name and topic; a group's first room keeps the group's name.

    Its address stays. Raises MayNotKeepOrder, Archived, RoomNameUnfit or RoomNameTaken.
    """
    room = _kept(room, by)
    name = clean_name(name) if name.strip() else ""
    if room.kind == "group" and bool(name) != bool(room.slug):
        raise RoomNameUnfit
    taken = Room.objects.filter(kind="group", group=room.group_id, name__iexact=name)
    if name and room.group_id and taken.exclude(pk=room.pk).exists():
        raise RoomNameTaken
    topic = clean_topic(topic)
    if (room.name, room.topic) != (name, topic):
        room.name, room.topic = name, topic
        _save(room, "name", "topic")
        note(room, Verb.TOPIC, by, name=name, topic=topic)
    return room


@transaction.atomic
def set_all(*, room: Room, by: Member, name: str, topic: str, writers: str, slow_mode: int) -> Room:
    """Change what the form of settings holds, all of it or nothing; raises what the parts do."""
    describe_room(room=room, name=name, topic=topic, by=by)
    set_writers(room=room, writers=writers, by=by)
    return set_slow_mode(room=room, seconds=slow_mode, by=by)


@transaction.atomic
def archive_room(*, room: Room, by: Member, reason: str = "") -> Room:
    """Close a room for good: it is read and no longer written in.

    A group's first room is not archived. Raises MayNotKeepOrder or Archived.
    """
    room = _kept(room, by)
    if room.kind == "group" and not room.slug:
        raise MayNotKeepOrder
    room.archived_at = timezone.now()
    _save(room, "archived_at")
    note(room, Verb.ARCHIVE, by, reason)
    return room


@transaction.atomic
def reopen_room(*, room: Room, by: Member) -> Room:
    """Take an archiving back. Raises MayNotKeepOrder."""
    room = _kept(room, by, archived=True)
    if room.archived_at is not None:
        room.archived_at = None
        _save(room, "archived_at")
        note(room, Verb.REOPEN, by)
    return room


def _kept(room: Room, by: Member, *, archived: bool = False) -> Room:
    """The room, for one who keeps order in it, as it is now. Raises Silenced too."""
    if not Room.objects.visible_to(by).filter(pk=room.pk).exists():
        raise MayNotKeepOrder
    if not room.as_kind.keeps_order(by, room):
        raise MayNotKeepOrder
    ensure_not_silenced(by)
    rows = Room.objects.select_for_update(of=("self",)).select_related("group", "thread")
    fresh = rows.get(pk=room.pk)
    if fresh.archived_at is not None and not archived:
        raise Archived
    return fresh


def _save(room: Room, *columns: str) -> None:
    room.save(update_fields=columns)


def note(room: Room, verb: RoomEntry.Verb, by: Member, reason: str = "", **details: Any) -> None:
    """Write an entry at the place where the room stands now, and tell its pages.

    The room's row is locked till the end: entries get their numbers in the order of their commits,
    so that a page that asks for all after its last misses none.
    """
    room = Room.objects.select_for_update(of=("self",)).get(pk=room.pk)
    RoomEntry.objects.create(
        room=room,
        verb=verb,
        by=by,
        reason=on_one_line(reason)[:REASON_MAX_CHARS],
        details=details,
        after_seq=room.last_seq,
    )
    transaction.on_commit(lambda: hub.announce_room(room))
