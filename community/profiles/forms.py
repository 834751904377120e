"""Forms of profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.groups.forms import InterestsField
from community.groups.models import Group, Interest
from community.members.errors import MayNotWrite
from community.members.models import Member
from community.members.sanctions import ensure_may_write

CONTINENTS: Final = {
    *("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia"),
    *("Europe", "Indian", "Pacific"),
}


def time_zones() -> list[tuple[str, str]]:
    """Return the zones people live in: UTC, and those named after places."""
    names = sorted(name for name in available_timezones() if name.split("/")[0] in CONTINENTS)
    return [(name, name.replace("_", " ")) for name in ("UTC", *names)]


if TYPE_CHECKING:
    MemberForm = forms.ModelForm[Member]
else:
    MemberForm = forms.ModelForm


# What others read and see of a member. It stays as it is while they are silenced.
SHOWN: Final = ("name", "place", "bio", "picture", "remove_picture")


class ProfileForm(MemberForm):
    """What a member says of themselves. The picture is re-encoded by the view."""

    picture = forms.FileField(
        label=_("Picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
        help_text=_("A square photo works best. At most 10 MB."),
    )
    remove_picture = forms.BooleanField(label=_("Show my initials instead"), required=False)
    interests = InterestsField(
        label=_("Interests"), help_text=_("Others find you by them, and we suggest groups.")
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("As my browser asks")), *settings.LANGUAGES],
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=time_zones,
        help_text=_("For reminders, quiet hours and letters."),
    )

    class Meta:
        model = Member
        fields = [
            *("name", "place", "bio", "interests", "is_listed", "shows_presence"),
            *("language", "time_zone"),
        ]
        labels = {
            "name": _("Your name"),
            "place": _("Place"),
            "bio": _("About you"),
            "is_listed": _("List me in the member directory"),
            "shows_presence": _("Show in chat that I am here and that I am writing"),
        }
        help_texts = {
            "name": _("What others read beside your posts."),
            "place": _("A town or an area, never an address."),
            "shows_presence": _("Only those who share a room with you ever see it."),
        }
        widgets = {"bio": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.avatar_id is None:
            del self.fields["remove_picture"]
        self.silence = ""  # why what is SHOWN stays as it is
        try:
            ensure_may_write(self.instance)
        except MayNotWrite as refusal:
            self.silence = refusal.reason

    def clean(self) -> dict[str, Any]:
        if self.silence and not {*SHOWN}.isdisjoint(self.changed_data):
            raise forms.ValidationError(
                gettext("What others read about you stays as it is for now.")
            )
        return super().clean() or {}

    def clean_time_zone(self) -> str:
        return self.cleaned_data["time_zone"] or self.instance.time_zone

    def clean_name(self) -> str:
        name: str = " ".join(self.cleaned_data["name"].split())
        if not any(letter.isalnum() for letter in name):
            raise forms.ValidationError(gettext("Use at least one letter or digit."))
        return name


class DirectoryForm(forms.Form):
    """Filters of the member directory. Bad values are ignored, an address is not a form."""

    q = forms.CharField(max_length=60, required=False)
    interest = forms.ModelChoiceField(
        queryset=Interest.objects.all(), to_field_name="slug", required=False
    )
    group = forms.ModelChoiceField(
        queryset=Group.objects.none(), to_field_name="slug", required=False
    )
    order = forms.ChoiceField(choices=[("active", ""), ("newest", "")], required=False)

    def __init__(self, *args: Any, groups: QuerySet[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = groups  # type: ignore[attr-defined]
