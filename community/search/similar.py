"""Threads like a title that is being typed: so that a question is not asked a second time."""

from __future__ import annotations

from typing import Final

from community.groups.models import Group
from community.members.models import Viewer
from community.search.finding import find
from community.search.queries import Filter, Query
from community.search.words import words
from community.threads.models import Thread

SIMILAR_MAX: Final = 5
WORDS_MAX: Final = 20
TITLE_MIN_CHARS: Final = 4
# Of the best one's score: what is further off shares a word by chance.
WORTH_SHOWING: Final = 0.45


def similar_threads(title: str, group: Group, viewer: Viewer) -> list[Thread]:
    """Return the group's threads that begin like this, the best first, at most SIMILAR_MAX.

    Only what `viewer` may read. The queries of a search and one more; none for a short title.
    """
    said = tuple(dict.fromkeys(words(title)))[:WORDS_MAX]
    if len(title.strip()) < TITLE_MIN_CHARS or not said:
        return []
    among = (Filter("in", group.slug), Filter("is", "thread"))
    hits = find(Query(words=said, filters=among), viewer, limit=SIMILAR_MAX).hits
    if not hits:
        return []
    least = hits[0].score * WORTH_SHOWING
    wanted = [hit.thread_id for hit in hits if hit.thread_id and hit.score >= least]
    threads = Thread.objects.visible_to(viewer).filter(is_listed=True).in_bulk(wanted)
    return [threads[pk] for pk in wanted if pk in threads]
