"""Keeping a post, and being reminded of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models.functions import Now

from community.bookmarks.models import Bookmark
from community.events import BookmarkDue
from community.members.models import Member
from community.threads.models import Post
from config.outbox import publish

DUE_MAX: Final = 500  # reminders sent by one run

UNCHANGED: Final = object()


@transaction.atomic
def keep_bookmark(
    *,
    member: Member,
    post: Post,
    note: str | None = None,
    remind_at: datetime | object | None = UNCHANGED,
) -> Bookmark:
    """Bookmark a post, or change the bookmark there is: once for a member and post.

    What is not given stays. A new time reminds again; None reminds of nothing. The caller has
    checked that `member` may see the post, or has the bookmark already.
    """
    Bookmark.objects.bulk_create([Bookmark(member=member, post=post)], ignore_conflicts=True)
    kept = Bookmark.objects.select_for_update(no_key=True).get(member=member, post=post)
    if note is not None:
        kept.note = note
    if remind_at is not UNCHANGED and remind_at != kept.remind_at:
        kept.remind_at = remind_at if isinstance(remind_at, datetime) else None
        kept.reminded_at = None
    kept.save(update_fields=["note", "remind_at", "reminded_at"])
    return kept


def send_due_reminders(limit: int = DUE_MAX) -> int:
    """Announce BookmarkDue for each bookmark whose time has come, once. Return how many.

    The row is claimed by the update that only one of two runs can make.
    """
    due = Bookmark.objects.filter(remind_at__lte=Now(), reminded_at__isnull=True)
    sent = 0
    for pk in due.order_by("remind_at").values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            if due.filter(pk=pk).update(reminded_at=Now()):
                publish(BookmarkDue(bookmark_id=pk))
                sent += 1
    return sent
