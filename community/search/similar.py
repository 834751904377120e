"""Threads like a title: while it is typed, so that nothing is asked a second time, and below a
thread, for whoever read it to its end.

Those below a thread are looked for by a worker and kept in the cache by the thread's title. A page
that finds none there asks for them and goes without.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache

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
# Of the thread's own score, which finds itself first.
WORTH_NAMING: Final = 0.25

WANTED: Final = "alike-wanted"  # ids of threads drawn without
WANTED_MAX: Final = 200
KEPT_SECONDS: Final = 24 * 3600


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


# -- below a thread --------------------------------------------------------------------------------


def alike(thread: Thread, viewer: Viewer) -> list[Thread]:
    """Return the threads kept as like this one that `viewer` may read, the best first.

    One query; none, and none returned, before a worker has looked for them.
    """
    known = cache.get_many([_name(thread), WANTED])
    wanted: list[int] | None = known.get(_name(thread))
    if wanted is None:
        asked: list[int] = known.get(WANTED) or []
        if thread.pk not in asked:
            # Two pages at once may lose one's asking: the next one who reads it asks again.
            cache.set(WANTED, [*asked[1 - WANTED_MAX :], thread.pk], KEPT_SECONDS)
    if not wanted:
        return []
    visible = Thread.objects.visible_to(viewer).filter(is_listed=True)
    found = visible.select_related("group").in_bulk(wanted)
    return [found[pk] for pk in wanted if pk in found]


def find_asked() -> int:
    """Find what is like each thread that was asked for; return of how many."""
    asked: list[int] = cache.get(WANTED) or []
    if asked:
        cache.delete(WANTED)
    for thread in Thread.objects.filter(pk__in=asked, is_listed=True).only("title", "is_listed"):
        cache.set(_name(thread), find_alike(thread), KEPT_SECONDS)
    return len(asked)


def find_alike(thread: Thread) -> list[int]:
    """Return the ids of threads everybody may read that begin like this one, the best first."""
    said = tuple(dict.fromkeys(words(thread.title)))[:WORDS_MAX]
    if not said:
        return []
    # As a guest: what is kept is for all who read the thread.
    query = Query(words=said, filters=(Filter("is", "thread"),))
    found = find(query, AnonymousUser(), limit=SIMILAR_MAX + 1, correcting=False).hits
    if not found:
        return []
    own = any(hit.thread_id == thread.pk for hit in found)
    least = found[0].score * (WORTH_NAMING if own else WORTH_SHOWING)
    others = [hit for hit in found if hit.thread_id not in (None, thread.pk)]
    return [hit.thread_id for hit in others if hit.score >= least and hit.thread_id][:SIMILAR_MAX]


def _name(thread: Thread) -> str:
    return f"alike:{thread.pk}:{crc32(thread.title.encode()):x}"
