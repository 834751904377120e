"""A member's own clock: what they type is in their zone, what is kept is UTC."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from community.members.models import Member

MORNING = time(8, 0)


def zone_of(member: Member) -> ZoneInfo:
    """The member's zone; UTC for a name nobody knows."""
    try:
        return ZoneInfo(member.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def instant(typed: datetime, member: Member) -> datetime:
    """The instant that a date and time without a zone, typed by `member`, stands for."""
    return timezone.make_aware(
        timezone.make_naive(typed) if typed.tzinfo else typed, zone_of(member)
    )


def as_typed(at: datetime, member: Member) -> str:
    """Write an instant as a `datetime-local` field of the member's takes it."""
    return at.astimezone(zone_of(member)).strftime("%Y-%m-%dT%H:%M")


def morning(member: Member, *, days: int, now: datetime) -> datetime:
    """Eight in the morning on the member's clock, so many days from today."""
    day = now.astimezone(zone_of(member)).date() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, MORNING), zone_of(member))


def next_monday(member: Member, *, now: datetime) -> datetime:
    """Eight in the morning of the next Monday on the member's clock; on a Monday in seven days."""
    return morning(member, days=7 - now.astimezone(zone_of(member)).weekday(), now=now)
