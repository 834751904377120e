"""Forms of privacy."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class ErasureForm(forms.Form):
    """One box to tick; that it is the member's own hand is asked by signing in again."""

    sure = forms.BooleanField(
        label=_("Erase my account. I know that it cannot be brought back."),
        error_messages={"required": _("Tick the box if you are sure.")},
    )
