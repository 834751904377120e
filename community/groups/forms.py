"""Forms of groups."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.groups.errors import NameTaken
from community.groups.models import TINTS, Group, Interest, JoinMode, Template

RESERVED_SLUGS = frozenset({"new", "mine"})


class InterestsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Some of the site's interests, to tick."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("queryset", Interest.objects.all())
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(required=False, **kwargs)

    def label_from_instance(self, obj: Interest) -> str:
        return f"{obj.glyph} {obj.label}"


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    """Open a group, or change what it says of itself."""

    class Meta:
        model = Group
        fields = [
            *("name", "glyph", "template", "join_mode", "about", "rules", "interests", "tint"),
        ]
        labels = {
            "name": _("Name"),
            "glyph": _("Emoji"),
            "about": _("About"),
            "rules": _("Rules"),
        }
        help_texts = {
            "about": _("What brings people here, in two or three sentences."),
            "rules": _("One rule a line. Four short ones are read; twelve long ones are not."),
        }
        widgets = {
            "about": forms.Textarea(attrs={"rows": 3}),
            "rules": forms.Textarea(attrs={"rows": 4}),
            "template": forms.RadioSelect,
            "join_mode": forms.RadioSelect,
        }

    template = forms.ChoiceField(
        label=_("Kind of group"), choices=Template.choices, widget=forms.RadioSelect
    )
    join_mode = forms.ChoiceField(
        label=_("Who may join"),
        choices=JoinMode.choices,
        initial=JoinMode.OPEN,
        widget=forms.RadioSelect,
    )
    tint = forms.TypedChoiceField(
        label=_("Colour"),
        coerce=int,
        choices=[(n, format_lazy(_("Colour {number}"), number=n + 1)) for n in range(TINTS)],
        initial=0,
    )

    interests = InterestsField(
        label=_("Interests"), help_text=_("What people who would like this group look for.")
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if self.instance.pk:
            return name
        slug = slugify(name)[:50].strip("-")
        if not slug:
            raise forms.ValidationError(gettext("Use some letters or digits in the name."))
        if slug in RESERVED_SLUGS or Group.objects.filter(slug=slug).exists():
            raise forms.ValidationError(str(NameTaken.message))
        self.cleaned_data["slug"] = slug
        return name


class JoinRequestForm(forms.Form):
    """What somebody says when asking to join."""

    message = forms.CharField(
        max_length=300,
        required=False,
        label=_("Say hello (optional)"),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class DirectoryForm(forms.Form):
    """Filters of the group directory. Bad values are ignored, an address is not a form."""

    q = forms.CharField(max_length=60, required=False, label=_("Find a group"))
    template = forms.ChoiceField(
        choices=[("", _("All kinds")), *Template.choices], required=False, label=_("Kind")
    )
    interest = forms.ModelChoiceField(
        queryset=Interest.objects.all(), to_field_name="slug", required=False, label=_("Interest")
    )
