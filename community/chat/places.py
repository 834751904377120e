"""A member's place in a room: how far they read, and what of it they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from community.chat import hub
from community.chat.errors import NotInRoom
from community.chat.models import Place, Room
from community.members.models import Member

Listener = Callable[[Room, Member, int], object]
# Each is told, in the transaction, how far a member has read a room. Notifications join here.
AFTER_READING: Final[list[Listener]] = []


def place_in(room: Room, member: Member) -> Place | None:
    return Place.objects.filter(room=room, member=member).first()


@transaction.atomic
def read_to(*, room: Room, member: Member, seq: int, again: bool = False) -> None:
    """Note that the member has read up to message `seq`. It never goes back by itself.

    With `again` it does: everything from `seq` on is unread. Their other pages are told. The caller
    has checked that they may read the room.
    """
    seq = min(seq, room.last_seq)
    now = timezone.now()
    if again:
        values: dict[str, Any] = {"read_seq": max(0, seq - 1), "read_at": now}
    else:
        values = {"read_seq": Greatest(F("read_seq"), seq), "read_at": now}
    rows = Place.objects.filter(room=room, member=member)
    if not again and not rows.filter(read_seq__lt=seq).exists() and rows.exists():
        return
    if not rows.update(**values):
        Place.objects.bulk_create(
            [
                Place(
                    room=room,
                    member=member,
                    read_seq=max(0, seq - 1) if again else seq,
                    read_at=now,
                )
            ],
            ignore_conflicts=True,
        )
    if not again:
        for listener in AFTER_READING:
            listener(room, member, seq)
    transaction.on_commit(lambda: hub.announce_reading(room, member))


def set_level(*, room: Room, member: Member, level: str) -> Place:
    """Say what of a room the member is told: all, mentions, nothing. Raises NotInRoom."""
    if not Room.objects.visible_to(member).filter(pk=room.pk).exists():
        raise NotInRoom
    place, _ = Place.objects.update_or_create(
        room=room,
        member=member,
        defaults={"level": Place.Level(level)},
        create_defaults={"level": Place.Level(level), "read_seq": room.last_seq},
    )
    return place
