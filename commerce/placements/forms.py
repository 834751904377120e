"""Forms of placements."""

from __future__ import annotations

from django import forms


class FindListingForm(forms.Form):
    """Find a listing by words, or by its pasted address."""

    q = forms.CharField(
        max_length=500,
        required=False,
        label="Words, or the listing's address",
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
