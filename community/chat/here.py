"""Whether a member has a page of ours open, or is writing: notes in Redis that fade, hints.

What others are told of it goes to those in the same room, and only of members who show it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from django.core.cache import cache
from django.db.models import Exists, OuterRef

from community.chat.models import Place, Room
from community.members.models import Block, Member
from config.redis import announce

HERE_SECONDS: Final = 180
NOTE_SECONDS: Final = 60.0
MOST_NOTED: Final = 10_000
MOST_ASKED: Final = 200
WRITING_EVERY_SECONDS: Final = 3
CHANNEL: Final = "shoal:chat"

_noted: dict[int, float] = {}  # when this process last noted whom, by the monotonic clock


def note_here(member_id: int) -> None:
    """Note that the member has a page of ours open; written once a minute at most."""
    now = time.monotonic()
    if now - _noted.get(member_id, -NOTE_SECONDS) < NOTE_SECONDS:
        return
    if len(_noted) > MOST_NOTED:
        _noted.clear()
    _noted[member_id] = now
    cache.set(f"here:{member_id}", 1, HERE_SECONDS)


def note_all_here(members: Iterable[int]) -> None:
    """Note it of many at once, in one call; each once a minute at most."""
    now = time.monotonic()
    due = [pk for pk in members if now - _noted.get(pk, -NOTE_SECONDS) >= NOTE_SECONDS]
    if not due:
        return
    if len(_noted) > MOST_NOTED:
        _noted.clear()
    _noted.update(dict.fromkeys(due, now))
    cache.set_many({f"here:{pk}": 1 for pk in due}, HERE_SECONDS)


def is_here(member_id: int) -> bool:
    """Whether the member had a page open in the last minutes. No when Redis is away."""
    return cache.get(f"here:{member_id}") is not None


def who_is_here(room: Room, viewer: Member) -> list[Member]:
    """Those in the room who have a page open and show it, by name; of the 200 most active.

    Whoever blocked `viewer` is not here for them. One query and one call of the cache.
    """
    if room.group_id is not None:
        inside = Member.objects.filter(memberships__group=room.group_id)
    else:
        inside = Member.objects.filter(places__room=room, places__state=Place.State.IN)
    shown = inside.filter(shows_presence=True, is_active=True).order_by("-activity", "pk")
    unseen = Block.objects.filter(by=OuterRef("pk"), of=viewer, kind=Block.Kind.BLOCK)
    shown = shown.filter(~Exists(unseen))
    members = {f"here:{member.pk}": member for member in shown[:MOST_ASKED]}
    found = cache.get_many(list(members))
    return sorted((members[key] for key in found), key=lambda member: member.name.casefold())


def announce_writing(member: Member, room: Room) -> bool:
    """Tell pages of the room that a member is writing, at most once in WRITING_EVERY_SECONDS.

    The caller asked whether they may write. Nobody hears of a member who hides their presence, and
    whom they blocked hears nothing: `unless` is for the hub alone.
    """
    if not member.shows_presence:
        return False
    key = f"writing:{room.pk}:{member.pk}"
    if not cache.add(key, 1, WRITING_EVERY_SECONDS):
        return False
    return announce(
        CHANNEL,
        {
            "type": "writing",
            "room": room.pk,
            "member": member.pk,
            "name": member.get_short_name(),
            "unless": sorted(
                Block.objects.filter(by=member, kind=Block.Kind.BLOCK).values_list("of", flat=True)
            ),
        },
    )
