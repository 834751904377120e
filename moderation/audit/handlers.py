"""What moderators do to threads and their posts in the page, into the audit trail."""

from __future__ import annotations

from community.events import ThreadModerated
from community.threads.models import Post, ThreadEntry
from moderation.audit.services import record


def record_thread_entry(event: ThreadModerated) -> None:
    """Write an entry of a moderator's; what an author or the clock did is no act of moderation."""
    entry = ThreadEntry.objects.select_related("thread__author", "by").get(pk=event.entry_id)
    if entry.by is None or entry.details.get("as_author"):
        return
    subject, target = entry.thread.author, f"thread:{entry.thread_id}"
    if (pk := entry.details.get("post")) is not None:
        post = Post.objects.select_related("author").get(pk=pk)
        subject, target = post.author, f"post:{pk}"
        if subject == entry.by:
            return
    record(
        actor=entry.by,
        action=f"{target.partition(':')[0]}.{entry.verb}",
        target=target,
        subject=subject,
        reason=entry.reason,
        entry=entry.pk,
        **entry.details,
    )
