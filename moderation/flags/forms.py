"""Forms of flags."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from moderation.flags.models import NOTE_MAX_CHARS, FlagReason, Outcome


class FlagForm(forms.Form):
    """What is wrong, and a word to the moderators."""

    reason = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=FlagReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is wrong.")},
    )
    note = forms.CharField(
        label=_("Anything a moderator should know"),
        max_length=NOTE_MAX_CHARS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DecisionForm(forms.Form):
    """How a case ends."""

    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose to keep or to hide.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("When it is hidden, its author reads this."),
        error_messages={"required": _("Say why; the author will read it.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ShowAgainForm(forms.Form):
    """Taking a hiding back."""

    reason = forms.CharField(
        label=_("Why it is shown again"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
