"""Forms of chat."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from community.chat.models import MESSAGE_MAX_CHARS
from community.members.models import Member
from community.uploads.models import ALT_MAX_CHARS
from community.uploads.services import save_image


class MessageForm(forms.Form):
    """A message and the sender's own id for it."""

    body = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=MESSAGE_MAX_CHARS,
        error_messages={
            "max_length": _("That is too long: a message has at most 4,000 characters."),
        },
        widget=forms.Textarea(attrs={"rows": 1, "autocomplete": "off"}),
    )
    client_key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    reply_to = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    # A picture chosen without scripts; with them it goes to the uploads and into the body.
    picture = forms.FileField(required=False)
    picture_alt = forms.CharField(required=False, max_length=ALT_MAX_CHARS)

    def clean(self) -> dict[str, Any]:
        """Refuse what has neither words nor a picture."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not said.get("body") and not said.get("picture"):
            self.add_error("body", _("Write something first."))
        return said

    def body_with_picture(self, *, sender: Member) -> str:
        """The body, and the picture at its end if one came. Raises ImageRefused."""
        body: str = self.cleaned_data["body"].rstrip()
        file = self.cleaned_data["picture"]
        if file is None:
            return body
        image = save_image(
            owner=sender,
            group=None,
            file=file,
            alt=self.cleaned_data["picture_alt"],
            is_confined=True,
        )
        return f"{body}\n\n{image.markdown}" if body else image.markdown
