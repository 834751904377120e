"""The outbox in tests."""

from __future__ import annotations

from config import outbox
from config.models import OutboxEvent


def run_outbox() -> int:
    """Run all that is due, and what that announces, and return how many events were taken.

    Unlike `config.outbox.drain`, which keeps errors on their rows, it fails with the first one.
    """
    taken = 0
    while count := outbox.drain():
        taken += count
    failed = OutboxEvent.objects.exclude(state="done").exclude(last_error="").first()
    assert failed is None, f"{failed}: {failed.last_error}"
    return taken
