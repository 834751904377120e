"""What a clock does to threads: scores of the top lists, pins and silences that are over."""

from __future__ import annotations

from celery import shared_task

from community.threads.moderating import lock_silent, unpin_overdue
from community.threads.scores import refresh_scores


@shared_task(name="insights.score_threads")
def score_threads() -> None:
    """Tell the scores of the top lists again."""
    refresh_scores()


@shared_task(name="default.tidy_threads")
def tidy_threads() -> None:
    """Unpin and lock the threads whose time has come. Neither waits for it to be in effect."""
    unpin_overdue()
    lock_silent()
