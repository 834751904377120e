"""The part of the composer that says which draft a post is made of."""

from __future__ import annotations

from django import forms

from community.drafts.services import end_draft
from community.drafts.targets import parsed
from community.threads.forms import ComposerPart, NumberField
from community.threads.models import Post


class DraftPart(ComposerPart):
    """Ends the draft in the post's own transaction. Nobody sees or fills in its fields."""

    prefix = "draft"
    add = "add_draft"
    goes_with_edits = True

    target = forms.CharField(required=False, widget=forms.HiddenInput)
    sequence = NumberField(required=False)

    @property
    def is_filled_in(self) -> bool:
        return parsed(str(self.data.get(self.add_prefix("target"), ""))) is not None

    def write(self, post: Post) -> None:
        if self.writer is None or not self.is_valid():
            return
        sequence = self.cleaned_data["sequence"]
        if sequence is not None:
            target = self.cleaned_data["target"]
            end_draft(member=self.writer, target=target, sequence=sequence)
