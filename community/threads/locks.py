"""Locks that verbs about whole threads take.

A verb that moves posts needs many posts and two threads at once, while everybody else takes one
post and then its thread, or a thread and, as it commits, the posts it points at. It therefore
never waits while it holds something: it takes all of them at once or none, and tries again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable
from typing import Final, TypeVar

from django.db import OperationalError, transaction
from django.db.models import Model, Q, QuerySet
from psycopg.errors import LockNotAvailable

from community.threads.errors import Busy
from community.threads.models import Post, Thread

M = TypeVar("M", bound=Model)

TRY_SECONDS: Final = 3.0
PAUSE_SECONDS: Final = 0.02
LOOKS_MAX: Final = 10


def lock_thread_row(thread_id: int, *, nowait: bool = False) -> Thread:
    """Lock a thread, with its group beside it (not locked)."""
    # Not FOR UPDATE: rows that only point at the thread need not wait for us.
    rows = Thread.objects.select_for_update(no_key=True, of=("self",), nowait=nowait)
    return lock_beside(rows.select_related("group", "author"), thread_id)


def lock_beside(rows: QuerySet[M], pk: int) -> M:
    """Lock a row of `rows`, with what it points at beside it. Raises DoesNotExist.

    Of a row that was led elsewhere while we waited (a thread moved, a post split off) PostgreSQL
    finds nothing: it looks at the new row beside the one it pointed at before. It is asked again.
    """
    return as_it_is_now(rows.model, pk, lambda: next(iter(rows.filter(pk=pk)), None))


def as_it_is_now(model: type[M], pk: int, look: Callable[[], M | None]) -> M:
    """What `look` finds, asked again while there is such a row. Raises DoesNotExist."""
    for _ in range(LOOKS_MAX):
        if (found := look()) is not None:
            return found
        if not model._base_manager.filter(pk=pk).exists():
            break
    raise model.DoesNotExist  # type: ignore[attr-defined]


def lock_all(thread_ids: Iterable[int], posts: Callable[[], Collection[int]]) -> dict[int, Thread]:
    """Lock the posts that `posts` names and the threads, by id, without waiting for one of them.

    `posts` is asked again until what it names is what is locked. Answers to these posts that stand
    in other threads are locked too. Must be called before anything else is locked, inside a
    transaction. Raises Busy after TRY_SECONDS.
    """
    until = time.monotonic() + TRY_SECONDS
    while True:
        try:
            with transaction.atomic():
                return _lock_now(sorted(thread_ids), posts)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
        except _Changed:
            pass
        if time.monotonic() > until:
            raise Busy
        # Unlike the others who try at the same time.
        time.sleep(PAUSE_SECONDS * (0.5 + random.random()))  # noqa: S311


class _Changed(Exception):
    """Posts came or went between our look and our lock."""


def _lock_now(thread_ids: list[int], posts: Callable[[], Collection[int]]) -> dict[int, Thread]:
    wanted = set(posts())
    rows = Post.objects.filter(Q(pk__in=wanted) | Q(reply_to__in=wanted))
    # FOR UPDATE, for numbers are keys: else the lock would have to grow later, and wait.
    held = {post.pk for post in rows.only("pk").order_by("pk").select_for_update(nowait=True)}
    threads = {pk: lock_thread_row(pk, nowait=True) for pk in thread_ids}
    if set(posts()) != wanted or not wanted <= held:
        raise _Changed
    return threads
