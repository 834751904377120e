"""The forms of a thread's head: its kind with what that asks for, and its tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from community.groups.models import Group
from community.tags.forms import TagsField
from community.threads.kinds import KINDS, DetailsForm, kinds_of
from community.threads.models import Thread, ThreadKind


class HeadForm(forms.Form):
    """Kind and tags. All kinds' fields are in the page; those of the chosen one count.

    `thread` is the one being changed; its kind stays on offer wherever it came from.
    """

    use_required_attribute = False

    kind = forms.ChoiceField(label=_("What kind of thread"), required=False)
    tags = TagsField()

    def __init__(
        self,
        group: Group,
        data: Mapping[str, Any] | None = None,
        *,
        thread: Thread | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.group = group
        self.offered = list(kinds_of(group))
        if thread is not None and thread.kind not in self.offered:
            self.offered.append(ThreadKind(thread.kind))
        kind: Any = self.fields["kind"]
        kind.choices = [(one.value, one.label) for one in self.offered]
        said = (data or {}).get("kind") or self.initial.get("kind")
        self.chosen = next((one for one in self.offered if one == said), self.offered[0])
        self.details: dict[str, DetailsForm] = {}
        for one in self.offered:
            form = KINDS[one].form
            if data is not None and one == self.chosen:
                self.details[one] = form(data, prefix=one)
                continue
            kept: dict[str, Any] = {}
            if data is not None:
                kept = {name: data.get(f"{one}-{name}", "") for name in form.base_fields}
            elif thread is not None and thread.kind == one:
                kept = thread.details
            self.details[one] = form(prefix=one, initial=kept)

    @property
    def fieldsets(self) -> list[tuple[ThreadKind, str, DetailsForm]]:
        """Each kind with its icon and its form."""
        return [(one, KINDS[one].icon, self.details[one]) for one in self.offered]

    def is_complete(self) -> bool:
        """Whether kind and tags and what the chosen kind asks for can be kept."""
        ours, theirs = self.is_valid(), self.details[self.chosen].is_valid()
        return ours and theirs

    @property
    def typed(self) -> dict[str, Any]:
        """What was typed into the chosen kind's form, by the names of its fields."""
        form = self.details[self.chosen]
        return {name: form.data.get(form.add_prefix(name), "") for name in form.fields}

    @property
    def names(self) -> list[str]:
        """The tags typed."""
        names: list[str] = self.cleaned_data.get("tags", [])
        return names
