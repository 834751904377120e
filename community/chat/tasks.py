"""The clock of chat."""

from __future__ import annotations

import time
from typing import Final

from celery import shared_task

from community.chat.previews import fetch_due

# A page and its picture take at most 10 seconds, and a task 60.
FETCH_SECONDS: Final = 35.0


@shared_task(name="links.fetch_previews")
def fetch_previews() -> None:
    """Fetch the pages that messages link to, as long as there are some and time is left."""
    ends_at = time.monotonic() + FETCH_SECONDS
    fetch_due(until=lambda: time.monotonic() > ends_at)
