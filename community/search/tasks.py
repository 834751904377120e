"""What search does by the clock."""

from __future__ import annotations

import time

import structlog
from celery import shared_task

from community.search.embedders import EmbedderAway, embedder
from community.search.messages import write_missing_messages
from community.search.saving import look_for_news
from community.search.services import embed_documents, refresh_lexemes, write_missing
from community.search.similar import find_asked

log = structlog.stdlib.get_logger(__name__)

EMBED_SECONDS = 40.0


@shared_task(name="default.refresh_search")
def refresh_search() -> None:
    """Count the words anew, and write what no event told of."""
    write_missing()
    write_missing_messages()
    refresh_lexemes()


@shared_task(name="default.look_for_saved_searches")
def look_for_saved_searches() -> None:
    """Tell members of what is new among what they search for."""
    look_for_news()


@shared_task(name="default.find_alike_threads")
def find_alike_threads() -> None:
    """Find what is like the threads that were read without."""
    find_asked()


@shared_task(name="default.embed_documents")
def embed_new_documents() -> None:
    """Embed posts without a vector, for about 40 seconds at most."""
    if not embedder().is_on:
        return
    until = time.monotonic() + EMBED_SECONDS
    try:
        while embed_documents() and time.monotonic() < until:
            pass
    except EmbedderAway as away:
        log.warning("embedder away", reason=str(away))
