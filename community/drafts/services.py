"""Keeping what was typed, letting it go, and taking a post back into a draft."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from community.drafts.errors import (
    AlreadyPosted,
    DraftOutdated,
    DraftTooLong,
    RepliedMeanwhile,
    TooLateToTakeBack,
    TooManyDrafts,
)
from community.drafts.models import Draft
from community.members.models import Member
from community.threads.hiding import take_back_post
from community.threads.models import Post
from community.threads.services import submitted
from community.threads.texts import storable

BODY_MAX_CHARS: Final = 100_000  # what is too long to post is still not lost
TITLE_MAX_CHARS: Final = 300
EXTRA_MAX_CHARS: Final = 10_000  # of the other fields together, as JSON
DRAFTS_MAX: Final = 500  # a member
SEQUENCE_MAX: Final = 2**31 - 1

UNDO_SECONDS: Final = 10  # shown to the member
UNDO_GRACE_SECONDS: Final = 5  # for the way there and back


@transaction.atomic
def save_draft(
    *,
    member: Member,
    target: str,
    body: str,
    title: str = "",
    extra: Mapping[str, Any] | None = None,
    sequence: int,
    client_key: UUID | None = None,
) -> Draft | None:
    """Keep what `member` typed for `target`; one with nothing in it ends the draft (None).

    The later `sequence` wins; the same again with the same text changes nothing. `client_key` is
    that of the form: once a post was made with it, nothing is kept. The caller has checked that
    the member may see the place.

    Raises DraftOutdated, AlreadyPosted, DraftTooLong, TooManyDrafts.
    """
    body, title = _storable(body), _storable(" ".join(title.split()))
    extra = {_storable(name): _storable_value(value) for name, value in (extra or {}).items()}
    too_long = len(body) > BODY_MAX_CHARS or len(title) > TITLE_MAX_CHARS
    if too_long or len(json.dumps(extra)) > EXTRA_MAX_CHARS:
        raise DraftTooLong
    if client_key is not None and submitted(member, client_key):
        raise AlreadyPosted
    # Of two first saves at once one makes the row and the other waits for it here.
    is_empty = not (body.strip() or title)
    if not is_empty and not Draft.objects.filter(member=member, target=target).exists():
        if Draft.objects.filter(member=member).count() >= DRAFTS_MAX:
            raise TooManyDrafts
        Draft.objects.bulk_create(
            [Draft(member=member, target=target, sequence=0)], ignore_conflicts=True
        )
    kept = Draft.objects.select_for_update().filter(member=member, target=target).first()
    if kept is None:
        return None
    if sequence <= kept.sequence:
        if sequence == kept.sequence and (kept.body, kept.title) == (body, title):
            return kept
        raise DraftOutdated(kept)
    if is_empty:
        kept.delete()
        return None
    kept.body, kept.title, kept.extra = body, title, extra
    kept.sequence, kept.changed_at = sequence, timezone.now()
    kept.save()
    return kept


def next_sequence(member: Member, target: str) -> int:
    """Return a sequence later than that of the draft there is. One query."""
    found = Draft.objects.filter(member=member, target=target).values_list("sequence", flat=True)
    return (found.first() or 0) + 1


def end_draft(*, member: Member, target: str, sequence: int) -> None:
    """Let go of a draft that was posted, unless another window typed on after `sequence`."""
    Draft.objects.filter(member=member, target=target, sequence__lte=sequence).delete()


@transaction.atomic
def take_back(*, post: Post, by: Member) -> Draft:
    """Take a post back within UNDO_SECONDS of posting it: it is gone, its text a draft again.

    The database's clock decides. A draft that was begun meanwhile goes below the text.

    Raises TooLateToTakeBack, RepliedMeanwhile, or what `take_back_post` raises.
    """
    window = timedelta(seconds=UNDO_SECONDS + UNDO_GRACE_SECONDS)
    fresh = Post.objects.filter(pk=post.pk, author=by, created_at__gt=Now() - window)
    if post.is_hidden or not fresh.exists():
        raise TooLateToTakeBack
    if Post.objects.filter(thread=post.thread_id, number__gt=post.number).exists():
        raise RepliedMeanwhile
    take_back_post(post=post, by=by)
    thread = post.thread
    target = f"group:{thread.group_id}" if post.is_opening else f"thread:{thread.pk}"
    # Here rather than by `save_draft`: it ends a draft with nothing in it, and a post has words.
    kept, _made = Draft.objects.select_for_update().get_or_create(
        member=by, target=target, defaults={"sequence": 0}
    )
    begun = kept.body.strip()
    kept.body = f"{post.body}\n\n{kept.body}"[:BODY_MAX_CHARS] if begun else post.body
    kept.title = thread.title if post.is_opening else ""
    kept.extra = {"reply_to": str(post.reply_to.number)} if post.reply_to else {}
    kept.sequence, kept.changed_at = kept.sequence + 1, timezone.now()
    kept.save()
    return kept


def _storable(text: str) -> str:
    return storable(text).replace("\r\n", "\n")


def _storable_value(value: Any) -> str | list[str]:
    """What a field held, a text or texts, as it can be kept."""
    if isinstance(value, list):
        return [_storable(str(each)) for each in value]
    return _storable(str(value))
