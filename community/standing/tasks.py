"""The clock of standing."""

from __future__ import annotations

import time
from typing import Final

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from community.standing.activity import count_activity
from community.standing.badges import sweep
from community.standing.services import review_due

REVIEW_SECONDS: Final = 30.0
PLACE: Final = "standing:reviewed"  # a hint: without it the next hour begins at the first member


@shared_task(name="default.review_trust")
def review_trust() -> None:
    """Look whose trust level is another now, in batches; the next hour goes on where this ended."""
    until = time.monotonic() + REVIEW_SECONDS
    after: int | None = cache.get(PLACE) or 0
    while after is not None and time.monotonic() < until:
        after = review_due(timezone.now(), after=after)
    cache.set(PLACE, after or 0, 24 * 3600)


@shared_task(name="default.sweep_badges")
def sweep_badges() -> None:
    """Grant what no event told of."""
    sweep()


@shared_task(name="default.count_activity")
def count_members_activity() -> None:
    """Bring the figures up to date by which the directory orders members."""
    count_activity()
