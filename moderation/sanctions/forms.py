"""Forms of sanctions and of standing, for moderators."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import npgettext_lazy

from community.members.models import TrustLevel
from community.standing.models import REASON_MAX_CHARS as STANDING_REASON_MAX_CHARS
from community.standing.models import Badge
from moderation.sanctions.models import REASON_MAX_CHARS, Sanction

DAYS = (1, 3, 7, 30, 90)
_DAYS = npgettext_lazy("how long", "%(n)d day", "%(n)d days", "n")


class SanctionForm(forms.Form):
    """What is taken, for how long, and why."""

    kind = forms.ChoiceField(
        label=_("Sanction"), choices=Sanction.Kind.choices, widget=forms.RadioSelect
    )
    days = forms.TypedChoiceField(
        label=_("For how long"), coerce=int, empty_value=None, required=False, initial=7
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_MAX_CHARS,
        help_text=_("The member reads this."),
        error_messages={"required": _("Say why; the member will read it.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(n, _DAYS % {"n": n}) for n in DAYS]
        self.fields["days"].choices = [*choices, ("", _("Till it is lifted"))]  # type: ignore[attr-defined]


class LiftForm(forms.Form):
    """Which sanction ends now, and why."""

    sanction = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Why it is lifted"), max_length=REASON_MAX_CHARS, widget=forms.TextInput
    )


class LevelForm(forms.Form):
    """A trust level set by hand, or left to be earned."""

    level = forms.TypedChoiceField(
        label=_("Trust level"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", _("As it is earned")), *TrustLevel.choices],
    )
    reason = forms.CharField(
        label=_("Why"), max_length=STANDING_REASON_MAX_CHARS, widget=forms.TextInput
    )


class BadgeForm(forms.Form):
    """A badge given by hand."""

    badge = forms.ModelChoiceField(label=_("Badge"), queryset=Badge.objects.active())
    reason = forms.CharField(
        label=_("What for"),
        max_length=STANDING_REASON_MAX_CHARS,
        help_text=_("Everybody reads this."),
        widget=forms.TextInput,
    )
