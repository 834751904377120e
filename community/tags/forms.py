"""Forms of tags."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from community.tags.errors import TagRefusal
from community.tags.models import TAG_MAX_CHARS
from community.tags.services import ABOUT_MAX_CHARS, split_names


class TagsField(forms.CharField):
    """Tags with commas between them; a list of names. What may be a tag is the services' to say."""

    widget = forms.TextInput(
        attrs={"autocomplete": "off", "list": "tag-options", "autocapitalize": "none"}
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{
                "required": False,
                "label": _("Tags"),
                "help_text": _("Up to 5, with commas between them."),
                "max_length": 400,
                **options,
            }
        )

    def clean(self, value: Any) -> Any:
        try:
            return split_names(super().clean(value))
        except TagRefusal as refusal:
            raise forms.ValidationError(refusal.reason) from refusal

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class NewTagForm(forms.Form):
    name = forms.CharField(label=_("New tag"), max_length=TAG_MAX_CHARS)
    about = forms.CharField(label=_("What it is for"), max_length=ABOUT_MAX_CHARS, required=False)
