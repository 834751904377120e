"""Forms of placements."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class FindListingForm(forms.Form):
    """Find a listing by words, or by its pasted address."""

    q = forms.CharField(
        max_length=500,
        required=False,
        label=_("Words, or the listing's address"),
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
