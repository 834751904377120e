"""Forms of threads. What a body or title may be is the services' to say: one rule, one place."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from community.groups.models import Group
from community.members.models import Member
from community.threads.errors import ReasonMissing, Refused, TitleMissing
from community.threads.heads import HeadForm
from community.threads.models import EDIT_REASON_MAX_CHARS, TITLE_MAX_CHARS, Post
from community.threads.services import LOCK_REASON_MAX_CHARS
from community.uploads.errors import ImageRefused
from community.uploads.models import ALT_MAX_CHARS
from community.uploads.services import save_image
from config.paging import whole_number

HIDING_REASON_MISSING = _("Say why, for its author.")


class KeyField(forms.CharField):
    """A UUID made with the form, so that submitting it twice is seen; a broken one is None."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> UUID | None:  # type: ignore[override]
        try:
            return UUID(str(value))
        except ValueError:
            return None


class NumberField(forms.IntegerField):
    """A number the page itself wrote; a broken one is None rather than a member's mistake."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> int | None:
        return whole_number(str(value or ""), digits=9)


class ComposerPart(forms.Form):
    """Fields in the composer that make something of their own beside the post, or nothing.

    Features above threads add theirs to PARTS in community/apps.py. `add` is the name of the
    button that shows the fields; pressing it sends nothing but what was typed so far.
    """

    add: ClassVar[str]
    goes_with_edits: ClassVar[bool] = False

    def __init__(self, *args: Any, writer: Member | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.writer = writer

    @property
    def is_asked_for(self) -> bool:
        """Whether the fields stand in the form that was sent."""
        return any(self.add_prefix(name) in self.data for name in self.fields)

    @property
    def is_filled_in(self) -> bool:
        """Whether there is anything in them to make something of."""
        raise NotImplementedError

    def write(self, post: Post) -> None:
        """Make it, in the post's own transaction."""
        raise NotImplementedError


PARTS: list[type[ComposerPart]] = []


class PostForm(forms.Form):
    """The composer: a body in Markdown and, for those without scripts, a picture to put in it."""

    body = forms.CharField(
        strip=False,
        required=False,
        label=_("Your reply"),
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    picture = forms.FileField(required=False, label=_("Picture"))
    picture_alt = forms.CharField(
        required=False, max_length=ALT_MAX_CHARS, label=_("What the picture shows")
    )
    # Markdown that a piece of the page offers to put at the end: a link to a listing.
    add = forms.CharField(required=False, max_length=1000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts: dict[str, ComposerPart] = {}  # those that were taken, by their `add`

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if add := str(cleaned.get("add", "")).strip():
            body = str(cleaned.get("body", "")).rstrip()
            cleaned["body"] = f"{body}\n\n{add}" if body else add
            # In the text from here on: a preview or a refusal must not add it a second time.
            self.retype(body=cleaned["body"], add="")
        return cleaned

    def take_parts(self, writer: Member, *, editing: bool = False) -> None:
        """Read the parts that stand in the form; a fault in one is a fault of the form."""
        kinds = [part for part in PARTS if part.goes_with_edits or not editing]
        for kind in kinds:
            part = kind(self.data, writer=writer)
            if part.is_asked_for or part.add in self.data:
                # Fields that come only now begin with what they begin with.
                self.parts[part.add] = part if part.is_asked_for else kind(writer=writer)
                if part.is_filled_in and part.errors and not self.is_unfinished:
                    self.add_error(None, _("Look at what is marked below."))

    @property
    def is_unfinished(self) -> bool:
        """Whether it was sent for a look or for more fields, not to be posted."""
        return "preview" in self.data or any(part.add in self.data for part in PARTS)

    def write_parts(self, post: Post) -> None:
        for part in self.parts.values():
            if part.is_filled_in:
                part.write(post)

    def refuse(self, refusal: Refused) -> None:
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, refusal.reason)

    def retype(self, **values: str) -> None:
        """Show other values in the form again than those that were sent."""
        self.data = {**dict(self.data.items()), **values}

    def fresh_key(self) -> str:
        """The key of this form: the one it came with, or a new one."""
        given = self["client_key"].value() if "client_key" in self.fields else None
        return str(given or uuid4())

    def take_picture(self, *, owner: Member, group: Group) -> None:
        """Save the picture, if one came, and write it at the end of the body.

        It is in the body from then on, so that neither a preview nor a refusal loses it.
        """
        file = self.cleaned_data.get("picture")
        if file is None:
            return
        try:
            image = save_image(
                owner=owner, group=group, file=file, alt=self.cleaned_data.get("picture_alt", "")
            )
        except ImageRefused as refusal:
            self.add_error("picture", str(refusal))
            return
        body = self.cleaned_data["body"].rstrip()
        self.cleaned_data["body"] = f"{body}\n\n{image.markdown}" if body else image.markdown
        self.retype(body=self.cleaned_data["body"], picture_alt="")


class ReplyForm(PostForm):
    client_key = KeyField(required=False)
    reply_to = NumberField(required=False)  # a post's number in the thread
    seen = NumberField(required=False)  # the last post's number on the page the form stands on


class NewThreadForm(PostForm):
    title = forms.CharField(
        label=_("Title"),
        error_messages={"required": TitleMissing.says},
        help_text=_("A question or a sentence: people decide by it whether to open the thread."),
        widget=forms.TextInput(attrs={"maxlength": TITLE_MAX_CHARS, "autocomplete": "off"}),
    )
    client_key = KeyField(required=False)

    field_order = ["title", "body"]
    head: HeadForm  # kind and tags, set by the view: they depend on the group


class EditForm(PostForm):
    based_on = NumberField(required=False)  # revisions there were when editing began
    reason = forms.CharField(
        required=False,
        label=_("Why"),
        help_text=_("A few words for those who look at what changed."),
        widget=forms.TextInput(attrs={"maxlength": EDIT_REASON_MAX_CHARS, "autocomplete": "off"}),
    )


class HideForm(forms.Form):
    reason = forms.CharField(
        label=_("Why it is hidden"),
        error_messages={"required": HIDING_REASON_MISSING},
        help_text=_("Its author and everybody who reads the thread see this."),
        widget=forms.TextInput(attrs={"maxlength": LOCK_REASON_MAX_CHARS}),
    )


class LockForm(forms.Form):
    reason = forms.CharField(
        label=_("Why it takes no more replies"),
        error_messages={"required": ReasonMissing.says},
        help_text=_("Shown at the top of the thread."),
        widget=forms.TextInput(attrs={"maxlength": LOCK_REASON_MAX_CHARS}),
    )
