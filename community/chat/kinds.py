"""Kinds of rooms: who reads one, who keeps order in it, what it is called and where it leads.

The kinds of this domain are below; another domain adds its own with `add_kind` when it starts
(COMMERCE: a listing's room; live rooms later). A kind answers for many rooms at once with a
condition in SQL, so that `Room.objects.visible_to` stays one query whatever kinds there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.functional import Promise

if TYPE_CHECKING:
    from community.chat.models import Room
    from community.members.models import Member


@dataclass(frozen=True)
class RoomKind:
    """What chat asks of a kind.

    `readable(member)` is a condition on Room, for a signed-in member of whom only the pk is known:
    it is put into SQL once. `readers(rooms, member ids)`
    answers the same for many at once: of each room's id, which of them may read it; sockets are
    asked about with it. `keeps_order(member, room)` says who hides, pins, pauses, archives.
    `title(room, viewer)` is its name for this reader; `about` the template, if any, drawn above the
    messages, told `room` and `user`. `ensure_may_write(member, room)` raises MessageRefused for
    those who only read. `prepare(rooms)` loads what titles and pictures of many rooms need at once;
    `picture(room)` is the address of what stands before it in lists, in the place of its icon.
    """

    name: str
    label: str | Promise
    readable: Callable[[Member], Q]
    readers: Callable[[Sequence[Room], Collection[int]], Mapping[int, set[int]]]
    keeps_order: Callable[[Member, Room], bool]
    title: Callable[[Room, Member], str]
    about: str = ""
    icon: str = "message-circle"
    ensure_may_write: Callable[[Member, Room], None] | None = None
    prepare: Callable[[Sequence[Room]], None] | None = None
    picture: Callable[[Room], str] | None = None


KINDS: dict[str, RoomKind] = {}


def add_kind(kind: RoomKind) -> None:
    """Let chat have rooms of this kind. Raises ValueError when the name is taken."""
    if KINDS.get(kind.name, kind) is not kind:
        raise ValueError(f"there is already a kind of rooms called {kind.name}")
    KINDS[kind.name] = kind


def prepare(rooms: Iterable[Room]) -> None:
    """Load what lists of these rooms draw, once a kind."""
    by_kind: dict[str, list[Room]] = {}
    for room in rooms:
        by_kind.setdefault(room.kind, []).append(room)
    for name, same in by_kind.items():
        if (load := KINDS[name].prepare) is not None:
            load(same)


def readable_by(member: Member) -> Q:
    """The rooms of any kind that `member` may read, as a condition on Room."""
    condition = Q(pk__in=[])
    for kind in KINDS.values():
        condition |= Q(kind=kind.name) & kind.readable(member)
    return condition
