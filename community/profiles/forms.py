"""Forms of profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.members.models import Member

if TYPE_CHECKING:
    MemberForm = forms.ModelForm[Member]
else:
    MemberForm = forms.ModelForm


class ProfileForm(MemberForm):
    """What a member says of themselves. The picture is re-encoded by the view."""

    picture = forms.FileField(
        label=_("Picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
        help_text=_("A square photo works best. At most 10 MB."),
    )
    remove_picture = forms.BooleanField(label=_("Show my initials instead"), required=False)

    class Meta:
        model = Member
        fields = ["name", "place", "bio"]
        labels = {"name": _("Your name"), "place": _("Place"), "bio": _("About you")}
        help_texts = {
            "name": _("What others read beside your posts."),
            "place": _("A town or an area, never an address."),
        }
        widgets = {"bio": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.avatar_id is None:
            del self.fields["remove_picture"]

    def clean_name(self) -> str:
        name: str = " ".join(self.cleaned_data["name"].split())
        if not any(letter.isalnum() for letter in name):
            raise forms.ValidationError(gettext("Use at least one letter or digit."))
        return name
