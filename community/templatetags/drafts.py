"""Drafts in the composer: what stands in the form when its page is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from django import template
from django.template import Context

from community.drafts.forms import DraftPart
from community.drafts.models import Draft
from community.drafts.quoting import quote_of
from community.drafts.services import UNDO_SECONDS
from community.drafts.targets import RESTORE, parsed
from community.members.models import Member
from community.threads.forms import PostForm
from config.paging import whole_number

register = template.Library()


@dataclass(frozen=True, slots=True)
class Composing:
    """Of the composer on a page: which draft is in it, and whether one waits beside it."""

    target: str
    sequence: str = ""  # of the draft in the form
    waiting: Draft | None = None  # not put in: the form holds the post as it stands

    target_name: ClassVar[str] = DraftPart().add_prefix("target")  # of the hidden fields
    sequence_name: ClassVar[str] = DraftPart().add_prefix("sequence")
    undo_seconds: ClassVar[int] = UNDO_SECONDS


@register.simple_tag(takes_context=True)
def composing(context: Context, form: PostForm, target: str) -> Composing:
    """Put the member's draft for `target` into a form that was not sent yet, and say which.

    `?draft` asks for it, so that pages of threads ask nothing (scripts look on their own); a new
    thread's form always has it. `?quote=<post id>` quotes a whole post below it. One query for
    each, none without.
    """
    if form.is_bound:
        return Composing(target, str(form.data.get(Composing.sequence_name, "")))
    request = context.get("request")
    member = getattr(request, "user", None)
    place = parsed(target)
    if request is None or request.method != "GET" or not isinstance(member, Member) or not place:
        return Composing(target)
    asked, draft = RESTORE in request.GET, None
    if asked or place[0] != "thread":
        draft = Draft.objects.filter(member=member, target=target).first()
    if draft is not None and (asked or place[0] == "group"):
        texts = {"body": draft.body, "title": draft.title, **draft.extra}
        for part in (form, getattr(form, "head", None)):
            if part is not None:
                part.initial.update({name: texts[name] for name in texts if name in part.fields})
    quoted = whole_number(request.GET.get("quote"))
    if quoted is not None and (words := quote_of(quoted, member)):
        body = str(form.initial.get("body") or "").rstrip()
        form.initial["body"] = f"{body}\n\n{words}" if body else words
    if draft is not None and place[0] == "post" and not asked:
        return Composing(target, waiting=draft)
    return Composing(target, str(draft.sequence) if draft else "")
