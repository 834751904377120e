"""When a member may be disturbed, and when their digest is due. Pure: instants in, instants out.

A member's day is told by the clock on their wall: `zone` is an IANA name, UTC when it is unknown.
Where clocks leap over a time, it counts as if they had not leapt yet; where a time comes twice,
the first one counts.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DIGEST_TIME: Final = time(8)
MONDAY: Final = 0


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone, or UTC for a name that nobody knows."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # also names like "..", a folder, or one too long
        return ZoneInfo("UTC")


def quiet_until(at: datetime, zone: str, quiet: tuple[time, time] | None) -> datetime | None:
    """Return when the quiet hours around `at` end; None when it is not in any.

    Quiet hours are `[from, until)` by the member's clock, over midnight when until is earlier.
    """
    if quiet is None:
        return None
    begins, ends = quiet
    here = zone_of(zone)
    today = at.astimezone(here).date()
    for day in (today - timedelta(days=1), today):
        starts = _instant(day, begins, here)
        stops = _instant(day if begins < ends else day + timedelta(days=1), ends, here)
        if starts <= at < stops:
            return stops
    return None


def next_digest(after: datetime, zone: str, every: str) -> datetime:
    """Return the first 8:00 by the member's clock later than `after`; of a Monday for `week`."""
    here = zone_of(zone)
    day = after.astimezone(here).date()
    while True:
        due = _instant(day, DIGEST_TIME, here)
        if due > after and (every == "day" or day.weekday() == MONDAY):
            return due
        day += timedelta(days=1)


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
