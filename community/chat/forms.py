"""Forms of chat."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from community.chat.models import MESSAGE_MAX_CHARS


class MessageForm(forms.Form):
    """A message and the sender's own id for it."""

    body = forms.CharField(
        label=_("Message"),
        max_length=MESSAGE_MAX_CHARS,
        error_messages={
            "required": _("Write something first."),
            "max_length": _("That is too long: a message has at most 4,000 characters."),
        },
        widget=forms.Textarea(attrs={"rows": 1, "autocomplete": "off"}),
    )
    client_key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    reply_to = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
