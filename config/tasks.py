"""The outbox's tasks. Its usual way is the drainer of each worker (config/drainer.py)."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from config import outbox

LATE_SECONDS = 2.0


@shared_task(name="default.drain_outbox")
def drain_outbox(queue: str) -> None:
    """Run what is due on the queue, for about 20 seconds at most."""
    outbox.drain(limit=10_000, queue=queue)


@shared_task(name="default.catch_up_outbox")
def catch_up_outbox() -> None:
    """Send a drain to the workers of each queue that is behind: the pool helps the drainers."""
    for queue in settings.OUTBOX_QUEUES:
        if outbox.oldest_due_seconds(queue) > LATE_SECONDS:
            drain_outbox.apply_async((queue,), queue=queue, expires=10)


@shared_task(name="default.sweep_outbox")
def sweep_outbox() -> None:
    """Delete events done two weeks ago or earlier."""
    outbox.sweep()
