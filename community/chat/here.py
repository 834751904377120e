"""Whether a member has a page of ours open: a note in Redis that fades. A hint, no more."""

from __future__ import annotations

import time
from typing import Final

from django.core.cache import cache

HERE_SECONDS: Final = 180
NOTE_SECONDS: Final = 60.0
MOST_NOTED: Final = 10_000

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


def is_here(member_id: int) -> bool:
    """Whether the member had a page open in the last minutes. No when Redis is away."""
    return cache.get(f"here:{member_id}") is not None
