"""What moderators do to threads, into the audit trail."""

from __future__ import annotations

from community.events import ThreadModerated
from community.threads.models import ThreadEntry
from moderation.audit.services import record


def record_thread_entry(event: ThreadModerated) -> None:
    """Write an entry of a moderator's; what an author or the clock did is no act of moderation."""
    entry = ThreadEntry.objects.select_related("thread__author", "by").get(pk=event.entry_id)
    if entry.by is None or entry.details.get("as_author"):
        return
    record(
        actor=entry.by,
        action=f"thread.{entry.verb}",
        target=f"thread:{entry.thread_id}",
        subject=entry.thread.author,
        reason=entry.reason,
        entry=entry.pk,
        **entry.details,
    )
