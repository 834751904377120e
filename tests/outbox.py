"""The outbox in tests."""

from __future__ import annotations

import pytest

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


@pytest.fixture
def nothing_earned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody earn badges or levels by the way: tests of what members are told count rows."""
    for kind, known in outbox._subscriptions.items():
        others = [each for each in known if ".standing." not in each.path]
        monkeypatch.setitem(outbox._subscriptions, kind, others)
