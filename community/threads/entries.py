"""What moderators did to a thread: entries written beside the act, and shown between its posts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from community.events import ThreadModerated
from community.members.models import Member
from community.threads.models import Thread, ThreadEntry
from config.outbox import publish

REASON_MAX_CHARS: Final = 300
ENTRIES_A_PAGE_MAX: Final = 100


def leave_entry(
    thread: Thread,
    verb: ThreadEntry.Verb,
    *,
    by: Member | None,
    reason: str = "",
    at: datetime | None = None,
    after: int | None = None,
    **details: Any,
) -> ThreadEntry:
    """Write who did what to the locked `thread`, when and why; `by` None: it came by itself.

    It is shown after post number `after`, the last one of now when None. `details` hold ids and
    values by verb. Announces ThreadModerated.
    """
    entry = ThreadEntry.objects.create(
        thread=thread,
        verb=verb,
        by=by,
        at=at or timezone.now(),
        reason=clean_reason(reason),
        after_number=thread.last_number if after is None else after,
        details=details,
    )
    publish(ThreadModerated(entry_id=entry.pk))
    return entry


def clean_reason(reason: str) -> str:
    """Return the reason on one line, cut to REASON_MAX_CHARS characters."""
    return " ".join(reason.replace("\x00", "").split())[:REASON_MAX_CHARS]


def entries_between(thread: Thread, first: int, last: int | None) -> list[ThreadEntry]:
    """Return what was done after post number `first` or later, and before `last` + 1; in order.

    `last` None: to the end of the thread. One query.
    """
    rows = ThreadEntry.objects.filter(thread=thread, after_number__gte=first)
    if last is not None:
        rows = rows.filter(after_number__lte=last)
    found = rows.select_related("by").order_by("after_number", "pk")[:ENTRIES_A_PAGE_MAX]
    return list(found)
