"""Jumping to a day of a room, in the reader's time zone: which days there are, and what is said
when nothing was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from community.chat.models import Message, Room
from community.chat.pages import Window


@dataclass(frozen=True)
class Days:
    """The days one may jump to, the one asked for, and `missed`: why another one is shown."""

    first: date
    last: date
    asked: date | None = None
    missed: str = ""

    @property
    def shown(self) -> date:
        return self.asked or self.last


def read_day(text: str) -> date | None:
    """Read a day as the form sends it: 2026-11-22; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def number_on(room: Room, day: date, zone: tzinfo) -> int | None:
    """The number of the first message on a day or later, by the clock of `zone`. One query."""
    begin = datetime.combine(day, time.min, zone)
    later = Message.objects.filter(room=room, sent_at__gte=begin).order_by("sent_at")
    return later.values_list("seq", flat=True).first()


def days_of(room: Room, window: Window, asked: date | None, zone: tzinfo) -> Days:
    """`window` is what is shown of the room for `asked`. One query, none where all is shown."""
    today = timezone.localdate(timezone=zone)
    first = _first_day(room, window, zone) or today
    missed = ""
    if asked is not None:
        on_or_after = [
            day for message in window.messages if (day := _day_of(message, zone)) >= asked
        ]
        found = on_or_after[0] if on_or_after else None
        if not window.messages or found is None:
            missed = _("Nothing was said on %(day)s or later. These are the newest messages.")
        elif found != asked:
            missed = _("Nothing was said on %(day)s. These messages came next.")
        missed = missed % {"day": date_format(asked)} if missed else ""
    return Days(first, max(today, first), asked, missed)


def _first_day(room: Room, window: Window, zone: tzinfo) -> date | None:
    if window.older is None:
        return _day_of(window.messages[0], zone) if window.messages else None
    oldest = Message.objects.filter(room=room).order_by("seq").first()
    return _day_of(oldest, zone) if oldest is not None else None


def _day_of(message: Message, zone: tzinfo) -> date:
    return message.sent_at.astimezone(zone).date()
