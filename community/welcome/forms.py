"""Forms of the first visit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.threads.models import POST_MAX_CHARS
from community.welcome.steps import Place


class HelloForm(forms.Form):
    """A first word, and where it is said."""

    place = forms.ChoiceField(
        label=gettext_lazy("Where"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose where to say it.")},
    )
    body = forms.CharField(
        label=gettext_lazy("Your first words"),
        max_length=POST_MAX_CHARS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Who you are and what brings you here; two sentences are plenty."),
        error_messages={"required": gettext_lazy("Write something first.")},
    )

    def __init__(self, *args: Any, places: Sequence[Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [(one.key, _named(one)) for one in places]  # type: ignore[attr-defined]
        if places:
            self.fields["place"].initial = places[0].key


def _named(place: Place) -> str:
    if place.thread is None:
        return _("In the chat of %(group)s") % {"group": place.group.name}
    says = {"group": place.group.name, "thread": place.thread.heading}
    return _("In “%(thread)s” of %(group)s") % says
