"""The form of preferences: a box for every kind on every channel, and when to be left alone."""

from __future__ import annotations

from datetime import time
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.members.models import Member
from community.notifications.models import Channel, DigestEvery, EmailWhen, Kind, Preferences
from community.notifications.services import Wishes


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Names people know: those of places, and UTC."""
    places = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe")
    names = available_timezones()
    known = {name for name in names if name.startswith((*places, "Indian", "Pacific"))}
    return ("UTC", *sorted(known))


class PreferencesForm(forms.Form):
    """What a member wants to hear of, where and when."""

    email_when = forms.ChoiceField(
        label=gettext_lazy("When do we write e-mails?"),
        choices=EmailWhen.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "They wait two minutes, and are not sent if you read the notification meanwhile."
        ),
    )
    quiet_from = forms.TimeField(
        label=gettext_lazy("Quiet from"),
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    quiet_until = forms.TimeField(
        label=gettext_lazy("Quiet until"),
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Your time zone"))
    digest = forms.ChoiceField(
        label=gettext_lazy("How often?"), choices=DigestEvery.choices, widget=forms.RadioSelect
    )

    def __init__(self, member: Member, kept: Preferences, data: Any = None) -> None:
        super().__init__(
            data,
            initial={
                "email_when": kept.email_when,
                "quiet_from": kept.quiet_from,
                "quiet_until": kept.quiet_until,
                "digest": kept.digest,
                "time_zone": member.time_zone,
            },
        )
        zones = time_zones()
        if member.time_zone not in zones:
            zones = (member.time_zone, *zones)
        self.fields["time_zone"].choices = [(name, name.replace("_", " ")) for name in zones]  # type: ignore[attr-defined]
        wishes = Wishes([member.pk])
        for kind, label in Kind.choices:
            for channel, where in Channel.choices:
                self.fields[f"{kind}-{channel}"] = forms.BooleanField(
                    required=False,
                    label=f"{label}: {where}",
                    initial=wishes.wanted(member.pk, kind, channel),
                )

    def rows(self) -> list[tuple[str, list[tuple[str, BoundField]]]]:
        """Each kind's words with its boxes, by the channel's words."""
        return [
            (
                str(label),
                [(str(where), self[f"{kind}-{channel}"]) for channel, where in Channel.choices],
            )
            for kind, label in Kind.choices
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        begins, ends = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (begins is None) != (ends is None) and not self.errors:
            missing = "quiet_from" if begins is None else "quiet_until"
            self.add_error(missing, _("Give both times, or none."))
        elif begins is not None and begins == ends:
            self.add_error("quiet_until", _("Quiet hours end at another time than they begin."))
        return cleaned

    @property
    def wanted(self) -> dict[tuple[str, str], bool]:
        return {
            (kind, channel): self.cleaned_data[f"{kind}-{channel}"]
            for kind in Kind.values
            for channel in Channel.values
        }

    @property
    def quiet(self) -> tuple[time, time] | None:
        begins = self.cleaned_data["quiet_from"]
        return (begins, self.cleaned_data["quiet_until"]) if begins is not None else None


class PushForm(forms.Form):
    """What a browser says of itself when it wants to be pushed to."""

    endpoint = forms.URLField(max_length=1_000, assume_scheme="https")
    p256dh = forms.RegexField(r"^[A-Za-z0-9_-]{86,88}=*$", max_length=100)
    auth = forms.RegexField(r"^[A-Za-z0-9_-]{21,24}=*$", max_length=40)

    def clean_endpoint(self) -> str:
        endpoint: str = self.cleaned_data["endpoint"]
        if not endpoint.startswith("https://"):
            raise forms.ValidationError(_("Push services are reached by https."))
        return endpoint
