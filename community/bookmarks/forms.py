"""The form of a bookmark: a note, and when to be reminded."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from community.bookmarks.models import NOTE_MAX_CHARS, Bookmark
from community.members.models import Member
from community.members.zones import as_typed, instant, morning, next_monday

NEVER, HOURS, TOMORROW, WEEK, AT = "", "hours", "tomorrow", "week", "at"


class BookmarkForm(forms.Form):
    note = forms.CharField(
        required=False,
        max_length=NOTE_MAX_CHARS,
        label=_("Note"),
        help_text=_("For you alone."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    when = forms.ChoiceField(
        required=False,
        label=_("Remind me"),
        choices=[
            (NEVER, pgettext_lazy("remind me", "Not at all")),
            (HOURS, pgettext_lazy("remind me", "In two hours")),
            (TOMORROW, pgettext_lazy("remind me", "Tomorrow at eight")),
            (WEEK, pgettext_lazy("remind me", "Next Monday at eight")),
            (AT, pgettext_lazy("remind me", "At this time")),
        ],
        widget=forms.RadioSelect,
    )
    at = forms.DateTimeField(
        required=False,
        label=_("Date and time"),
        error_messages={"invalid": _("Write a date and a time.")},
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, member: Member, kept: Bookmark | None = None, **kwargs: Any):
        if kept is not None:
            at = as_typed(kept.remind_at, member) if kept.remind_at else ""
            first = {"note": kept.note, "when": AT if at else NEVER, "at": at}
            kwargs["initial"] = {**first, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.member = member
        self.kept = kept
        self.fields["at"].help_text = _("On your clock: %(zone)s.") % {"zone": member.time_zone}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        now, when = timezone.now(), cleaned.get("when")
        cleaned["remind_at"] = None
        if when == HOURS:
            cleaned["remind_at"] = now + timedelta(hours=2)
        elif when == TOMORROW:
            cleaned["remind_at"] = morning(self.member, days=1, now=now)
        elif when == WEEK:
            cleaned["remind_at"] = next_monday(self.member, now=now)
        elif when == AT:
            cleaned["remind_at"] = self._typed(cleaned.get("at"), now)
        return cleaned

    def _typed(self, typed: datetime | None, now: datetime) -> datetime | None:
        if typed is None:
            self.add_error("at", _("Write a date and a time."))
            return None
        at = instant(typed, self.member)
        before = self.kept.remind_at if self.kept else None
        if before and as_typed(before, self.member) == as_typed(at, self.member):
            return before  # the form as it came
        if at <= now:
            self.add_error("at", _("That time has passed."))
        return at

    @property
    def changes(self) -> dict[str, Any]:
        """What to keep of the form: fields that were not in it stay as they are."""
        given: dict[str, Any] = {}
        if "note" in self.data:
            given["note"] = self.cleaned_data["note"]
        if "when" in self.data:
            given["remind_at"] = self.cleaned_data["remind_at"]
        return given
