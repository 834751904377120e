"""Forms of saved searches."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from community.search.models import SAVED_NAME_MAX_CHARS, SavedSearch
from community.search.queries import QUERY_MAX_CHARS


class SaveForm(forms.Form):
    """Keep a search."""

    q = forms.CharField(max_length=QUERY_MAX_CHARS, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), max_length=SAVED_NAME_MAX_CHARS, required=False)
    alert = forms.ChoiceField(
        label=_("Tell me of new posts"),
        choices=SavedSearch.Alert.choices,
        initial=SavedSearch.Alert.AT_ONCE,
        required=False,
    )


class SavedForm(forms.Form):
    """Rename a saved search, or change when it tells."""

    name = forms.CharField(label=_("Name"), max_length=SAVED_NAME_MAX_CHARS)
    alert = forms.ChoiceField(label=_("Tell me of new posts"), choices=SavedSearch.Alert.choices)
