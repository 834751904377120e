"""The component sheet: every part templates may use, on one page. Demo and tests only."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

SWATCHES = [
    ("canvas", "page"),
    ("surface", "cards"),
    ("surface-2", "wells"),
    ("surface-3", "hover"),
    ("ink", "text"),
    ("ink-2", "secondary"),
    ("ink-3", "small print"),
    ("brand", "act, unread"),
    ("brand-tint", "selected"),
    ("deal", "money acts"),
    ("deal-ink", "deal prices"),
    ("deal-tint", "countdown"),
    ("live", "live now"),
    ("ok-tint", "solved, trusted"),
    ("warn-tint", "waiting"),
    ("danger-tint", "removed"),
    ("info-tint", "notice"),
    ("c1", "series 1"),
    ("c2", "series 2"),
    ("c3", "series 3"),
    ("c4", "series 4"),
    ("c5", "series 5"),
]
NAMES = ["Ivo Larsen", "Noor Haddad", "Tomás Silva", "Ana Brandt", "Jude Wren", "Sam Park"]


class SampleForm(forms.Form):
    title = forms.CharField(initial="Optra R2 rangefinder")
    price = forms.DecimalField(
        help_text="With postage.", widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    condition = forms.ChoiceField(choices=[("b", "Good, light wear"), ("a", "Like new")])
    place = forms.CharField(required=False)
    how = forms.ChoiceField(
        label="How does it change hands?",
        widget=forms.RadioSelect,
        choices=[("meet", "Meet up"), ("post", "By post"), ("both", "Either")],
        initial="both",
    )
    photo = forms.FileField(required=False)
    story = forms.CharField(widget=forms.Textarea, required=False, label="What should one know?")
    agree = forms.BooleanField(label="The photos show every fault")


@require_GET
def sheet(request: HttpRequest) -> HttpResponse:
    form = SampleForm({"title": "Optra R2 rangefinder", "price": "free", "how": "both"})
    people = [
        SimpleNamespace(
            handle=name.split()[0].lower(),
            name=name,
            avatar_id=None,
            initials="".join(word[0] for word in name.split()),
        )
        for name in NAMES
    ]
    glyphs = "📷🎧🥾🪴🖋️⚓🧶🚲🎲🐚🪙🔧"
    return render(
        request,
        "components.html",
        {
            "swatches": SWATCHES,
            "form": form,
            "people": people,
            "tints": [
                SimpleNamespace(glyph=glyph, tint=tint)
                for tint, glyph in enumerate(c for c in glyphs if c != "\ufe0f")
            ],
            "covers": ["second_hand", "fitness", "collectibles", "services"],
            "moment": datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
            "parts": [(1, 41), (2, 24), (3, 20), (4, 15)],
            "heat": [(41, [(34, 3), (27, 2), (24, 2)]), (38, [(37, 3), (29, 2), (17, 0)])],
        },
    )
