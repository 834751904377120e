"""Forms of groups."""

from __future__ import annotations

from django import forms
from django.utils.text import slugify

from community.groups.models import TINTS, Group, JoinMode, Template

RESERVED_SLUGS = frozenset({"new", "mine"})


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    """Open a group, or change what it says of itself."""

    class Meta:
        model = Group
        fields = ["name", "glyph", "template", "join_mode", "about", "rules", "tint"]
        labels = {
            "glyph": "Emoji",
            "template": "Kind of group",
            "join_mode": "Who may join",
            "tint": "Colour",
        }
        help_texts = {
            "about": "What brings people here, in two or three sentences.",
            "rules": "One rule a line. Four short ones are read; twelve long ones are not.",
        }
        widgets = {
            "about": forms.Textarea(attrs={"rows": 3}),
            "rules": forms.Textarea(attrs={"rows": 4}),
            "template": forms.RadioSelect,
            "join_mode": forms.RadioSelect,
        }

    template = forms.ChoiceField(
        label="Kind of group", choices=Template.choices, widget=forms.RadioSelect
    )
    join_mode = forms.ChoiceField(
        label="Who may join",
        choices=JoinMode.choices,
        initial=JoinMode.OPEN,
        widget=forms.RadioSelect,
    )
    tint = forms.TypedChoiceField(
        label="Colour",
        coerce=int,
        choices=[(n, f"Colour {n + 1}") for n in range(TINTS)],
        initial=0,
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if self.instance.pk:
            return name
        slug = slugify(name)[:50].strip("-")
        if not slug:
            raise forms.ValidationError("Use some letters or digits in the name.")
        if slug in RESERVED_SLUGS or Group.objects.filter(slug=slug).exists():
            raise forms.ValidationError("There is a group of this name already. Try another.")
        self.cleaned_data["slug"] = slug
        return name


class JoinRequestForm(forms.Form):
    """What somebody says when asking to join."""

    message = forms.CharField(
        max_length=300,
        required=False,
        label="Say hello (optional)",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class DirectoryForm(forms.Form):
    """Filters of the group directory. Bad values are ignored, an address is not a form."""

    q = forms.CharField(max_length=60, required=False, label="Find a group")
    template = forms.ChoiceField(
        choices=[("", "All kinds"), *Template.choices], required=False, label="Kind"
    )
