"""Kinds of threads: which ones a group offers, what each asks for, and how the answers read.

A talk and a question ask for nothing more. The other kinds have a form; its answers are kept in
`Thread.details` under the names of its fields, as numbers, texts and dates in ISO 8601, and are
drawn as a table of facts. Selling is not a kind of thread: listings do that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from community.groups.models import Group, Template
from community.threads.errors import DetailsUnfit, KindUnknown
from community.threads.models import ThreadKind
from config.money import CURRENCIES, NotAnAmount, in_words, parse_minor, typed

Details = dict[str, Any]

OFFERED: Final[dict[str, tuple[ThreadKind, ...]]] = {
    Template.SECOND_HAND: (
        *(ThreadKind.TALK, ThreadKind.QUESTION, ThreadKind.WANTED, ThreadKind.REVIEW),
    ),
    Template.FITNESS: (ThreadKind.TALK, ThreadKind.QUESTION, ThreadKind.LOG),
    Template.COLLECTIBLES: (
        *(ThreadKind.TALK, ThreadKind.QUESTION, ThreadKind.SHOWCASE, ThreadKind.WANTED),
    ),
    Template.SERVICES: (
        *(ThreadKind.TALK, ThreadKind.QUESTION, ThreadKind.REVIEW, ThreadKind.WANTED),
    ),
}
DISTANCE_MAX_M: Final = 1_000_000
DURATION_MAX_SECONDS: Final = 7 * 24 * 3600
_DURATION: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,4})(?::(\d{1,2}))?", re.ASCII)

ACTIVITIES: Final = {
    "run": pgettext_lazy("activity", "Run"),
    "walk": pgettext_lazy("activity", "Walk"),
    "ride": pgettext_lazy("activity", "Ride"),
    "swim": pgettext_lazy("activity", "Swim"),
    "row": pgettext_lazy("activity", "Row"),
    "strength": pgettext_lazy("activity", "Strength"),
    "climb": pgettext_lazy("activity", "Climb"),
    "mobility": pgettext_lazy("activity", "Mobility"),
    "other": pgettext_lazy("activity", "Something else"),
}
CONDITIONS: Final = {
    "mint": pgettext_lazy("condition", "Mint"),
    "excellent": pgettext_lazy("condition", "Excellent"),
    "good": pgettext_lazy("condition", "Good"),
    "worn": pgettext_lazy("condition", "Worn"),
    "restored": pgettext_lazy("condition", "Restored"),
    "parts": pgettext_lazy("condition", "For parts"),
}


# -- fields that keep one thing and show another ----------------------------------------------


class MetresField(forms.CharField):
    """Kilometres as typed ("12.5", "12,5"); whole metres as kept."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(required=False, max_length=12, widget=widget, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value).replace(",", ".")
        if not text:
            return None
        try:
            metres = Decimal(text) * 1000
        except ArithmeticError:  # no number, or one of a million digits
            metres = Decimal(-1)
        if not metres.is_finite() or not 1 <= metres <= DISTANCE_MAX_M:
            raise forms.ValidationError(gettext("Write kilometres in figures, like 12.5."))
        return int(metres.to_integral_value())

    def prepare_value(self, value: Any) -> Any:
        return f"{Decimal(value) / 1000:f}" if isinstance(value, int) else value


class DurationField(forms.CharField):
    """Hours, minutes and seconds as typed ("1:05", "1:05:30", "45" minutes); seconds as kept."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off"})
        super().__init__(required=False, max_length=12, widget=widget, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        parts = _DURATION.fullmatch(text)
        if parts is None:
            raise forms.ValidationError(gettext("Write hours and minutes, like 1:05."))
        hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        whole = hours * 3600 + minutes * 60 + seconds
        too_many = seconds > 59 or (parts[1] is not None and minutes > 59)
        if too_many or not 1 <= whole <= DURATION_MAX_SECONDS:
            raise forms.ValidationError(gettext("Write hours and minutes, like 1:05."))
        return whole

    def prepare_value(self, value: Any) -> Any:
        return in_hours(value) if isinstance(value, int) else value


class DayField(forms.DateField):
    """A day, kept in ISO 8601; not one that is still to come anywhere on earth."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(widget=widget, input_formats=["%Y-%m-%d"], **options)

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if day is None:
            return None
        if day.year < 1900 or (day - timezone.now().date()).days > 1:
            raise forms.ValidationError(gettext("That day is not in the past."))
        return day.isoformat()


def in_hours(seconds: int) -> str:
    """Return "1:05:30" or, without seconds left over, "1:05"; under an hour "0:45"."""
    minutes, rest = divmod(seconds, 60)
    text = f"{minutes // 60}:{minutes % 60:02d}"
    return f"{text}:{rest:02d}" if rest else text


# -- forms ------------------------------------------------------------------------------------


class DetailsForm(forms.Form):
    """What a kind asks for. Empty answers are not kept."""

    # A browser must not ask for the fields of a kind that was not chosen.
    use_required_attribute = False

    def details(self) -> Details:
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name in self.fields and value not in (None, "")
        }


class LogForm(DetailsForm):
    activity = forms.ChoiceField(label=_("Activity"), choices=list(ACTIVITIES.items()))
    on = DayField(label=_("Date"))
    distance_m = MetresField(label=_("Distance in km"))
    sets = forms.CharField(
        label=_("Sets"), required=False, max_length=60, help_text=_("Like 5 × 5 at 80 kg.")
    )
    duration_seconds = DurationField(label=_("Duration"), help_text=_("Hours and minutes: 1:05."))
    effort = forms.TypedChoiceField(
        label=_("Effort, 1 to 10"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "–"), *((n, str(n)) for n in range(1, 11))],
    )


class ShowcaseForm(DetailsForm):
    maker = forms.CharField(label=_("Maker"), max_length=80)
    year = forms.CharField(
        label=_("Year"), required=False, max_length=20, help_text=_("Or about when: 1960s.")
    )
    condition = forms.ChoiceField(
        label=_("Condition"), required=False, choices=[("", "–"), *CONDITIONS.items()]
    )
    provenance = forms.CharField(
        label=_("Provenance"),
        required=False,
        max_length=200,
        help_text=_("Where it comes from, and how you know."),
    )


class WantedForm(DetailsForm):
    budget_minor = forms.CharField(
        label=_("Budget"),
        required=False,
        max_length=20,
        help_text=_("The most you would pay, like 120."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(
        label=_("Currency"), choices=[(code, code) for code in CURRENCIES], required=False
    )
    place = forms.CharField(
        label=_("Place"), required=False, max_length=80, help_text=_("A town is near enough.")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        initial = dict(options.get("initial") or {})
        if isinstance(initial.get("budget_minor"), int):
            initial["budget_minor"] = typed(initial["budget_minor"], initial["currency"])
        super().__init__(*args, **{**options, "initial": initial})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        currency = cleaned.get("currency") or CURRENCIES[0]
        text = cleaned.get("budget_minor", "")
        cleaned["budget_minor"] = cleaned["currency"] = None
        if text:
            try:
                cleaned["budget_minor"] = parse_minor(text, currency)
            except NotAnAmount as refusal:
                self.add_error("budget_minor", str(refusal))
            else:
                cleaned["currency"] = currency
        return cleaned


class ReviewForm(DetailsForm):
    subject = forms.CharField(label=_("What or who it is about"), max_length=100)
    rating = forms.TypedChoiceField(
        label=_("Rating, 1 to 5"), coerce=int, choices=[(n, str(n)) for n in range(5, 0, -1)]
    )


# -- kinds ------------------------------------------------------------------------------------

Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thread: the icon of its badge, what it asks for, how the answers read."""

    icon: str
    form: type[DetailsForm] = DetailsForm
    facts: Callable[[Details], list[Fact]] = lambda _details: []


def _log_facts(details: Details) -> list[Fact]:
    facts = [(gettext("Activity"), _one_of(ACTIVITIES, details.get("activity")))]
    if on := details.get("on"):
        facts.append((gettext("Date"), date_format(date.fromisoformat(on), "DATE_FORMAT")))
    if metres := details.get("distance_m"):
        kilometres = (Decimal(metres) / 1000).quantize(Decimal("0.01")).normalize()
        km = number_format(f"{kilometres:f}")
        facts.append((gettext("Distance"), gettext("%(km)s km") % {"km": km}))
    if sets := details.get("sets"):
        facts.append((gettext("Sets"), sets))
    if seconds := details.get("duration_seconds"):
        facts.append((gettext("Duration"), in_hours(seconds)))
    if effort := details.get("effort"):
        facts.append((gettext("Effort"), pgettext("rating", "%(n)s of 10") % {"n": effort}))
    return facts


def _showcase_facts(details: Details) -> list[Fact]:
    return [
        (gettext("Maker"), details.get("maker", "")),
        (gettext("Year"), details.get("year", "")),
        (gettext("Condition"), _one_of(CONDITIONS, details.get("condition"))),
        (gettext("Provenance"), details.get("provenance", "")),
    ]


def _wanted_facts(details: Details) -> list[Fact]:
    minor = details.get("budget_minor")
    budget = "" if minor is None else in_words(minor, details["currency"])
    return [(gettext("Budget"), budget), (gettext("Place"), details.get("place", ""))]


def _review_facts(details: Details) -> list[Fact]:
    rating = details.get("rating")
    said = pgettext("rating", "%(n)s of 5") % {"n": rating} if rating else ""
    stars = f"{'★' * rating}{'☆' * (5 - rating)} " if rating else ""
    return [
        (pgettext("review", "About"), details.get("subject", "")),
        (gettext("Rating"), stars + said),
    ]


def _one_of(words: Mapping[str, Any], key: str | None) -> str:
    return str(words[key]) if key and key in words else ""


KINDS: Final[dict[str, Kind]] = {
    ThreadKind.TALK: Kind("message-square"),
    ThreadKind.QUESTION: Kind("circle-question-mark"),
    ThreadKind.LOG: Kind("timer", LogForm, _log_facts),
    ThreadKind.SHOWCASE: Kind("award", ShowcaseForm, _showcase_facts),
    ThreadKind.WANTED: Kind("search", WantedForm, _wanted_facts),
    ThreadKind.REVIEW: Kind("star", ReviewForm, _review_facts),
}


def kinds_of(group: Group) -> tuple[ThreadKind, ...]:
    """Return the kinds threads of the group may have, talk first."""
    return OFFERED[group.template]


def clean_kind(kind: str, group: Group) -> ThreadKind:
    """Return the kind if the group offers it. Raises KindUnknown."""
    for offered in kinds_of(group):
        if offered == kind:
            return offered
    raise KindUnknown


def clean_details(kind: ThreadKind, typed_in: Mapping[str, Any]) -> Details:
    """Return the answers to the form of a kind as they are kept. Raises DetailsUnfit."""
    form = KINDS[kind].form(data=dict(typed_in))
    if not form.is_valid():
        raise DetailsUnfit(
            " ".join(
                f"{form[name].label}: {' '.join(map(str, found))}"
                for name, found in form.errors.items()
            )
        )
    return form.details()


def facts_of(kind: str, details: Details) -> list[Fact]:
    """Return what is known of a thread of this kind, as pairs of name and text; empty ones out.

    In the active language. Answers kept under an older form never fail a page.
    """
    if kind not in KINDS or not details:
        return []
    try:
        facts = KINDS[kind].facts(details)
    except (KeyError, TypeError, ValueError):
        return []
    return [(name, str(text)) for name, text in facts if text]
