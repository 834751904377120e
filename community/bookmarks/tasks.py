"""The clock of bookmarks."""

from __future__ import annotations

from celery import shared_task

from community.bookmarks.services import send_due_reminders


@shared_task(name="community.bookmarks")
def remind() -> None:
    """Remind of what is due, at most 500 bookmarks; the next minute takes the rest."""
    send_due_reminders()
