"""Spans of UTC days: what an address asks for, what came before, how to say and to draw them.

Pure: today comes in as a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

DAY: Final = timedelta(days=1)
WEEK_DAYS: Final = 7
MAX_DAYS: Final = 731
EARLIEST: Final = date(2000, 1, 1)  # as for orders (connectors.generic)
DAILY_MAX_DAYS: Final = 92  # longer ones are drawn by week
PRESETS: Final = {"7d": 7, "30d": 30, "90d": 90, "12m": 365}
DEFAULT: Final = "30d"


@dataclass(frozen=True, slots=True)
class Period:
    """The UTC days [start, end). `preset` is the name it was asked by, or empty."""

    start: date
    end: date
    preset: str = ""

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last day that is in."""
        return self.end - DAY

    @property
    def since(self) -> datetime:
        return datetime.combine(self.start, time(), UTC)

    @property
    def until(self) -> datetime:
        """The first instant that is out."""
        return datetime.combine(self.end, time(), UTC)

    @property
    def before(self) -> Period:
        """As many days, just before."""
        return Period(self.start - self.days * DAY, self.start)

    @property
    def step(self) -> int:
        """How many days a point of a chart stands for."""
        return 1 if self.days <= DAILY_MAX_DAYS else WEEK_DAYS

    @property
    def steps(self) -> list[Period]:
        """The points of a chart, oldest first; counted from the end, so the last is whole."""
        found = []
        end = self.end
        while end > self.start:
            found.append(Period(max(self.start, end - self.step * DAY), end))
            end -= self.step * DAY
        return found[::-1]

    @property
    def query(self) -> str:
        """The period in an address: "from=2026-10-24&to=2026-11-22"."""
        return f"from={self.start.isoformat()}&to={self.last.isoformat()}"

    @property
    def length(self) -> str:
        """How long: "30 days", "1 day"."""
        return ngettext("%(count)s day", "%(count)s days", self.days) % {"count": self.days}

    def __str__(self) -> str:
        """In words: "24 Oct – 22 Nov 2026"."""
        if self.days == 1:
            return day_words(self.start, year=True)
        first = day_words(self.start, year=self.start.year != self.last.year)
        last = day_words(self.last, year=True)
        return gettext("%(first)s – %(last)s") % {"first": first, "last": last}


def day_words(day: date, *, year: bool = False) -> str:
    """Write a day: "24 Oct" or "24 Oct 2026"."""
    return date_format(day, "SHORT_DATE_FORMAT" if year else gettext("j M"))


def preset(name: str, today: date) -> Period:
    """Return the days of a preset, today being the last of them."""
    return Period(today - (PRESETS[name] - 1) * DAY, today + DAY, name)


class PeriodForm(forms.Form):
    """`from` and `to`, both in; or `period`, a name of PRESETS; or nothing, which is DEFAULT."""

    period = forms.CharField(required=False)

    def __init__(self, data: Mapping[str, Any], *, today: date) -> None:
        super().__init__(data)
        self.today = today
        # `from` is no name in Python.
        self.fields["from"] = forms.DateField(
            label=gettext("From"), required=False, widget=_day_input(today)
        )
        self.fields["to"] = forms.DateField(
            label=gettext("To (that day included)"), required=False, widget=_day_input(today)
        )

    def clean_period(self) -> str:
        name: str = self.cleaned_data["period"]
        if name and name not in PRESETS:
            raise forms.ValidationError(gettext("Choose 7 days, 30 days, 90 days or 12 months."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("from"), cleaned.get("to")
        if "from" in self.errors or "to" in self.errors:
            return cleaned
        if (first is None) != (last is None):
            self.add_error("to" if first else "from", gettext("Give both days."))
        elif first and not EARLIEST <= first <= self.today + MAX_DAYS * DAY:
            self.add_error("from", gettext("Choose a day nearer to today."))
        elif first and last and first > last:
            self.add_error("to", gettext("The period ends before it begins."))
        elif first and last and (last - first).days >= MAX_DAYS:
            self.add_error("from", gettext("Choose at most two years."))
        elif last and last > self.today:
            cleaned["to"] = max(self.today, first or self.today)
        return cleaned

    def fill(self, period: Period) -> None:
        """Show the days of `period` in a form that asked for none or by a name."""
        said = {name: value for name, value in self.data.items() if value}
        self.data = {"from": period.start, "to": period.last, **said}

    @property
    def asked(self) -> Period:
        """What the address asks for; the default where it asks for something impossible."""
        if not self.is_valid():
            return preset(DEFAULT, self.today)
        first, last = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if first and last:
            return Period(first, last + DAY)
        return preset(self.cleaned_data["period"] or DEFAULT, self.today)


def _day_input(today: date) -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "max": today.isoformat()})
