"""What moderators did in a room, as its readers see it among the messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.chat.models import Message, Room, RoomEntry
from community.groups.models import JoinMode
from community.members.models import Member
from community.threads.models import Thread
from config.written import Written

ENTRIES_SHOWN: Final = 100
LATEST_SHOWN: Final = 30
Verb = RoomEntry.Verb


def latest_entries(room: Room) -> list[RoomEntry]:
    """What was done in the room last, newest first. Two queries at most."""
    return named(list(_entries(room).order_by("-pk")[:LATEST_SHOWN]))


def later_entries(room: Room, after: int) -> list[RoomEntry]:
    """Those after an entry's number, the oldest first. Two queries at most.

    They are written while the room's row is locked, so none comes late (keeping.note).
    """
    return named(_LATER.rows(room.pk, after))


def mark_entries(
    room: Room, messages: Sequence[Message], *, oldest: bool, newest: bool
) -> tuple[list[RoomEntry], int]:
    """Hang on each message what was done after it; returns what was done before the first, and the
    number of the last.

    `messages` are a run of the room's; `oldest` and `newest` say whether it begins or ends with the
    room. The latest ENTRIES_SHOWN. Two queries at most.
    """
    found = _entries(room)
    if messages and not oldest:
        found = found.filter(after_seq__gte=messages[0].seq)
    if messages and not newest:
        found = found.filter(after_seq__lte=messages[-1].seq)
    leading: list[RoomEntry] = []
    hung: dict[int, list[RoomEntry]] = {}
    seqs = [message.seq for message in messages]
    entries = named(list(found.order_by("-pk")[:ENTRIES_SHOWN])[::-1])
    for entry in entries:
        before = [seq for seq in seqs if seq <= entry.after_seq]
        (hung.setdefault(before[-1], []) if before else leading).append(entry)
    for place, message in enumerate(messages):
        message.entries_after = hung.get(message.seq, [])
        if message.entries_after and place + 1 < len(messages):
            messages[place + 1].continues = False
    if entries:
        return leading, entries[-1].pk
    return leading, _last(room) if newest and not oldest else 0


def named(entries: list[RoomEntry]) -> list[RoomEntry]:
    """Name whom or which thread they are about; one query for each if there are any."""
    wanted = {pk for entry in entries if (pk := entry.details.get("member")) is not None}
    people = Member.objects.in_bulk(wanted) if wanted else {}
    made = {pk for entry in entries if (pk := entry.details.get("thread")) is not None}
    threads = _titled(entries[0].room_id).in_bulk(made) if made else {}
    for entry in entries:
        one = people.get(entry.details.get("member"))
        thread = threads.get(entry.details.get("thread"))
        entry.whom = one.name if one else thread.title if thread else ""
    return entries


def _titled(room_id: int) -> QuerySet[Thread]:
    """Threads whose titles all who read the room may read: not one that went to a hidden group."""
    here = Room.objects.filter(pk=room_id, group=OuterRef("group_id"))
    open_to_all = ~Q(group__join_mode=JoinMode.HIDDEN) | Exists(here)
    return Thread.objects.filter(open_to_all, is_listed=True)


def words_of(entry: RoomEntry) -> str:
    """What was done, as a sentence without a full stop, its reason after a colon."""
    said = _said(entry)
    if not entry.reason:
        return said
    return _("%(done)s: %(reason)s") % {"done": said, "reason": entry.reason}


def _said(entry: RoomEntry) -> str:
    details = entry.details
    says = {
        "who": entry.by.name if entry.by is not None else _("Somebody"),
        "whom": entry.whom or _("somebody"),
        "topic": details.get("topic", ""),
    }
    match entry.verb:
        case Verb.PAUSE:
            return _("%(who)s paused the room") % says
        case Verb.GO_ON:
            return _("%(who)s let the room go on") % says
        case Verb.SLOW if seconds := int(details.get("seconds", 0)):
            words = ngettext(
                "%(who)s set slow mode to one message in %(n)s second",
                "%(who)s set slow mode to one message in %(n)s seconds",
                seconds,
            )
            return words % {**says, "n": seconds}
        case Verb.SLOW:
            return _("%(who)s switched slow mode off") % says
        case Verb.ARCHIVE:
            return _("%(who)s archived the room") % says
        case Verb.REOPEN:
            return _("%(who)s opened the room again") % says
        case Verb.WRITERS if details.get("writers") == Room.Writers.MODERATORS:
            return _("%(who)s let only moderators write") % says
        case Verb.WRITERS:
            return _("%(who)s let everybody write") % says
        case Verb.TOPIC if says["topic"]:
            return _("%(who)s set the topic: “%(topic)s”") % says
        case Verb.TOPIC:
            return _("%(who)s changed what the room is called") % says
        case Verb.PIN:
            return _("%(who)s pinned a message") % says
        case Verb.UNPIN:
            return _("%(who)s unpinned a message") % says
        case Verb.REMOVE:
            return _("%(who)s took %(whom)s out of the group") % says
        case _thread:
            count = int(details.get("messages", 1))
            words = ngettext(
                "%(who)s made a thread of %(n)s message",
                "%(who)s made a thread of %(n)s messages",
                count,
            )
            said = words % {**says, "n": count}
            return f"{said}: {entry.whom}" if entry.whom else said


def message_of(entry: RoomEntry) -> int | None:
    """The number of the message it is about."""
    return entry.details.get("seq") if entry.verb in (Verb.PIN, Verb.UNPIN) else None


def thread_of(entry: RoomEntry) -> str:
    """Where the thread is that was made; nothing for entries about something else."""
    made = entry.details.get("thread") if entry.verb == Verb.THREAD else None
    return reverse("thread", args=[made, "thread"]) if made else ""


def _entries(room: Room) -> QuerySet[RoomEntry]:
    return RoomEntry.objects.filter(room=room).select_related("by")


# Every page that has no socket asks it every few seconds.
_LATER: Final = Written(
    lambda room, after: _entries(Room(pk=room)).filter(pk__gt=after).order_by("pk")[:ENTRIES_SHOWN]
)


def _last(room: Room) -> int:
    """The number of the latest entry; 0 of none."""
    numbers = RoomEntry.objects.filter(room=room).order_by("-pk").values_list("pk", flat=True)
    return numbers.first() or 0
