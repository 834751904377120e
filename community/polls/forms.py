"""The fields of a poll: in the composer, and on the page that changes one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from community.members.models import Member
from community.members.zones import as_typed, instant
from community.polls.models import OPTION_MAX_CHARS, OPTIONS_MAX, QUESTION_MAX_CHARS, Poll
from community.polls.services import make_poll
from community.threads.forms import ComposerPart
from community.threads.models import Post


class PollForm(ComposerPart):
    """A poll beside a post. Left empty, there is none."""

    prefix = "poll"
    add = "add_poll"

    question = forms.CharField(
        required=False,
        max_length=QUESTION_MAX_CHARS,
        label=_("Question"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    options = forms.CharField(
        required=False,
        label=_("Answers, one a line"),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    choices_max = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=OPTIONS_MAX,
        initial=1,
        label=_("How many one may choose"),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    results = forms.ChoiceField(
        required=False,
        choices=Poll.Results.choices,
        initial=Poll.Results.ALWAYS,
        label=_("Results"),
    )
    closes_at = forms.DateTimeField(
        required=False,
        label=_("Closes"),
        help_text=_("On your clock. Without it the poll stays open until you close it."),
        error_messages={"invalid": _("Write a date and a time.")},
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )

    @classmethod
    def of(cls, poll: Poll, member: Member) -> PollForm:
        """The form with what the poll says now."""
        closes = as_typed(poll.closes_at, member) if poll.closes_at else ""
        return cls(
            writer=member,
            initial={
                "question": poll.question,
                "options": "\n".join(poll.options.values_list("text", flat=True)),
                "choices_max": poll.choices_max,
                "results": poll.results,
                "closes_at": closes,
            },
        )

    @property
    def is_filled_in(self) -> bool:
        typed = (self.data.get(self.add_prefix(name), "") for name in ("question", "options"))
        return any(text.strip() for text in typed)

    def clean_question(self) -> str:
        return " ".join(str(self.cleaned_data["question"]).replace("\x00", "").split())

    def clean_options(self) -> list[str]:
        """The answers, each once, in their order."""
        lines = str(self.cleaned_data["options"]).replace("\x00", "").splitlines()
        return list(dict.fromkeys(text for line in lines if (text := " ".join(line.split()))))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["results"] = cleaned.get("results") or Poll.Results.ALWAYS
        cleaned["choices_max"] = cleaned.get("choices_max") or 1
        if not self.is_filled_in:
            return cleaned
        if not cleaned.get("question") and "question" not in self.errors:
            self.add_error("question", _("Ask something."))
        options: list[str] = cleaned.get("options", [])
        if len(options) < 2:
            self.add_error("options", _("Give at least two different answers."))
        elif len(options) > OPTIONS_MAX:
            said = ngettext("At most %(n)d answer.", "At most %(n)d answers.", OPTIONS_MAX)
            self.add_error("options", said % {"n": OPTIONS_MAX})
        elif any(len(text) > OPTION_MAX_CHARS for text in options):
            said = ngettext(
                "An answer has at most %(n)d character.",
                "An answer has at most %(n)d characters.",
                OPTION_MAX_CHARS,
            )
            self.add_error("options", said % {"n": OPTION_MAX_CHARS})
        elif "choices_max" not in self.errors and cleaned["choices_max"] > len(options):
            self.add_error("choices_max", _("There are not so many answers."))
        if typed := cleaned.get("closes_at"):
            cleaned["closes_at"] = self._instant(typed)
        return cleaned

    def _instant(self, typed: datetime) -> datetime | None:
        at = instant(typed, self.writer) if self.writer is not None else typed
        if at <= timezone.now():
            self.add_error("closes_at", _("That time has passed."))
            return None
        return at

    @property
    def says(self) -> dict[str, Any]:
        """What `make_poll` and `change_poll` take."""
        names = ("question", "options", "choices_max", "results", "closes_at")
        return {name: self.cleaned_data[name] for name in names}

    def write(self, post: Post) -> None:
        make_poll(post=post, **self.says)
