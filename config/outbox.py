"""The transactional outbox: facts that must not be lost, from one domain to those above it.

`publish` writes a row in the caller's transaction, so the fact exists exactly if what it tells of
does. A worker drains the rows: each handler runs in one transaction with its receipt, so its
effect in PostgreSQL happens exactly once however often a worker dies. What a handler does outside
PostgreSQL (an e-mail, a request) may happen twice: it must be safe to run twice.

Order is not promised: rows are taken roughly oldest first, by several workers, and a failed one
comes later. Handlers read the state of now by the ids they are given.

Nothing here needs Redis. See docs/decisions/outbox.md.
"""

from __future__ import annotations

import json
import random
import threading
import time
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from structlog.contextvars import bound_contextvars, get_contextvars

from config.hints import hint_after_commit
from config.logging import without_personal
from config.models import OutboxEvent, State
from config.prepared import prepared_cursor

log = structlog.stdlib.get_logger(__name__)

CHANNEL = "outbox"
LAST_ERROR_MAX_CHARS = 2_000
RETRY_FACTOR = 4
RETRY_MAX_SECONDS = 3_600
DRAIN_SECONDS = 20.0
SWEEP_ROWS = 5_000


class OutsideTransaction(RuntimeError):
    """An event was published outside a transaction: it could be lost, or tell of nothing."""


class InsideTransaction(RuntimeError):
    """A drain was asked for inside a transaction: its claims would not be seen by others."""


class AlreadySubscribed(ValueError):
    """The handler listens to this event already."""


class UnknownQueue(ValueError):
    """The queue is not one of settings.OUTBOX_QUEUES."""


class NotParked(ValueError):
    """Only a parked event can be replayed."""


class UnknownEvent(LookupError):
    """No event class or handler has this name: another version of the code announced it."""


# -- events -----------------------------------------------------------------------------------


class Event:
    """A fact, told by ids. Subclasses are frozen dataclasses in `<domain>/events.py`.

    Fields are int, str, bool, UUID, or one of these or None. `kind` is "<domain>.<class name>" and
    is stored: renaming a class leaves its due rows behind.
    """

    kind: typing.ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.kind = f"{cls.__module__.partition('.')[0]}.{cls.__name__}"
        known = _events.get(cls.kind)
        if known is not None and _path(known) != _path(cls):
            raise TypeError(f"Two events are called {cls.kind}: {_path(known)} and {_path(cls)}.")
        _events[cls.kind] = cls


E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Subscription:
    handler: Callable[[Any], None]
    path: str
    queue: str


_events: dict[str, type[Event]] = {}
_hints: dict[str, dict[str, Any]] = {}  # of an event's fields, by its kind
_subscriptions: dict[str, list[Subscription]] = {}


def subscribe(
    event_type: type[E], handler: Callable[[E], None], *, queue: str = "default"
) -> Subscription:
    """Let `handler` run in a worker, on `queue`, for each event of the type.

    Handlers are known by their dotted path. Raises AlreadySubscribed or UnknownQueue.
    """
    if queue not in settings.OUTBOX_QUEUES:
        raise UnknownQueue(f"{queue!r} is not one of {', '.join(settings.OUTBOX_QUEUES)}.")
    subscription = Subscription(handler, _path(handler), queue)
    known = _subscriptions.setdefault(event_type.kind, [])
    if any(each.path == subscription.path for each in known):
        raise AlreadySubscribed(f"{subscription.path} listens to {event_type.kind} already.")
    known.append(subscription)
    return subscription


@contextmanager
def subscribed(
    event_type: type[E], handler: Callable[[E], None], *, queue: str = "default"
) -> Iterator[None]:
    """Subscribe for the length of a `with` block: for tests."""
    subscription = subscribe(event_type, handler, queue=queue)
    try:
        yield
    finally:
        _subscriptions[event_type.kind].remove(subscription)


def publish(event: Event) -> None:
    """Write the event in the transaction around us; workers hear of it when that commits.

    Raises OutsideTransaction. The block that a test wraps round itself does not count as one.
    """
    if not _in_transaction():
        raise OutsideTransaction(f"{event.kind} must be published inside transaction.atomic().")
    waiting: dict[str, list[str]] = {}
    for subscription in _subscriptions.get(event.kind, []):
        waiting.setdefault(subscription.queue, []).append(subscription.path)
    payload = json.dumps(_payload(event))
    request_id = str(get_contextvars().get("request_id", ""))
    rows = waiting or {"default": []}
    with prepared_cursor() as cursor:
        cursor.execute(
            _PUBLISH,
            {
                "kind": event.kind,
                "payload": payload,
                "request_id": request_id,
                "queues": list(rows),
                "waiting_for": [json.dumps(paths) for paths in rows.values()],
            },
        )
    for queue in waiting:
        # Workers look by themselves every few seconds, should the hint be lost.
        hint_after_commit(CHANNEL, queue)


# Written out, as all statements of the busy path: the ORM would cost twice as much as PostgreSQL.
# With nobody to wait for it is a record only, and no worker need look at it.
_PUBLISH = """
    INSERT INTO config_outboxevent
        (kind, payload, queue, request_id, tries, last_error, waiting_for, state, finished_at)
    SELECT
        %(kind)s, %(payload)s::jsonb, queue, %(request_id)s, 0, '', waiting_for,
        CASE WHEN waiting_for = '[]' THEN 'done' ELSE 'due' END,
        CASE WHEN waiting_for = '[]' THEN statement_timestamp() END
    FROM unnest(%(queues)s::text[], %(waiting_for)s::jsonb[]) AS asked (queue, waiting_for)
"""


# -- draining ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Claim:
    pk: int
    kind: str
    payload: dict[str, Any]
    request_id: str
    tries: int
    waiting_for: list[str]


# What each thread is doing now: (row, since when by the monotonic clock). The worker's watchdog
# reads it to find a handler that never ends.
running: dict[int, tuple[int, float]] = {}


def drain(
    limit: int = 100,
    queue: str | None = None,
    *,
    seconds: float = DRAIN_SECONDS,
    go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Run what is due, at most `limit` rows or for about `seconds`, and return how many were taken.

    `queue` None takes from all queues in turn. A handler's error is logged and kept on its row; it
    is never raised here. Any number of drains may run at once. Raises InsideTransaction.
    """
    if _in_transaction():
        raise InsideTransaction("drain() runs each handler in a transaction of its own.")
    queues = [queue] if queue else list(settings.OUTBOX_QUEUES)
    until = time.monotonic() + seconds
    taken = 0
    while queues:
        for each in tuple(queues):
            if taken >= limit or time.monotonic() > until or not go_on():
                return taken
            claim = _claim(each)
            if claim is None:
                queues.remove(each)
                continue
            taken += 1
            running[threading.get_ident()] = (claim.pk, time.monotonic())
            try:
                _run(claim)
            finally:
                running.pop(threading.get_ident(), None)
    return taken


# The try is counted, and the next one set, before anything runs: an event that kills its worker
# comes again later than its neighbours, and in the end is parked. Losing that count in a crash of
# PostgreSQL does no harm, so its commit need not wait for the disk.
_CLAIM = """
    UPDATE config_outboxevent
    SET tries = tries + 1,
        next_try_at = statement_timestamp() + least(
            make_interval(secs => %(first)s * power(%(factor)s, tries) * (0.5 + random())),
            make_interval(secs => %(most)s)
        )
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS no_wait
    WHERE id = (
        SELECT id FROM config_outboxevent
        WHERE state = 'due' AND queue = %(queue)s AND next_try_at <= statement_timestamp()
        ORDER BY next_try_at, id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, kind, payload::text, request_id, tries, waiting_for::text
"""


def _claim(queue: str) -> _Claim | None:
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "queue": queue,
                "first": settings.OUTBOX_RETRY_SECONDS,
                "factor": RETRY_FACTOR,
                "most": RETRY_MAX_SECONDS,
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    pk, kind, payload, request_id, tries, waiting_for = row
    return _Claim(pk, kind, json.loads(payload), request_id, tries, json.loads(waiting_for))


def _run(claim: _Claim) -> None:
    context = {"outbox_id": claim.pk, "kind": claim.kind, "request_id": claim.request_id or None}
    with bound_contextvars(**context):
        if claim.tries > settings.OUTBOX_MAX_TRIES:
            _park(claim, "Its worker ended each time before it was through.")
            return
        waiting_for = claim.waiting_for
        errors = []
        for path in claim.waiting_for:
            rest = [each for each in waiting_for if each != path]
            try:
                if not _run_handler(claim, path, rest):
                    return
            except Exception as error:
                if not connection.is_usable():
                    raise  # PostgreSQL went away: the try set at the claim stands.
                log.exception("handler failed", handler=path, tries=claim.tries)
                errors.append(describe(path, error))
            else:
                waiting_for = rest
        if errors:
            _put_off(claim, "\n".join(errors))


def _run_handler(claim: _Claim, path: str, rest: list[str]) -> bool:
    """Run one handler and write its receipt, both or neither; False if the claim is no longer ours.

    The row stays locked meanwhile, so that a slow handler is not started again beside itself.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, {"pk": claim.pk, "tries": claim.tries})
            if cursor.fetchone() != (True,):
                return False
        _handler(claim.kind, path)(_event(claim.kind, claim.payload))
        with connection.cursor() as cursor:
            cursor.execute(_RECEIPT, {"pk": claim.pk, "rest": json.dumps(rest)})
    return True


def run_together(
    event_type: type[E], handler: Callable[[E], None], do: Callable[[Sequence[E]], None]
) -> int:
    """Let `do` do for all that waits for `handler` what it would do one by one; return how many.

    For much that comes at once and from ourselves: one transaction for all of it, and no tries.
    `do` gets the events oldest first. What it raises is raised, and nothing has happened.
    """
    if _in_transaction():
        raise InsideTransaction("run_together() has a transaction of its own.")
    path = _path(handler)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_ALL, {"kind": event_type.kind, "path": path})
        if rows := cursor.fetchall():
            do([cast(E, _event(event_type.kind, json.loads(payload))) for _, payload in rows])
            cursor.execute(_RECEIPT_OF_ALL, {"path": path, "ids": [pk for pk, _ in rows]})
    return len(rows)


_LOCK_ALL = """
    SELECT id, payload::text FROM config_outboxevent
    WHERE state = 'due' AND kind = %(kind)s AND waiting_for ? %(path)s
    ORDER BY id
    FOR UPDATE SKIP LOCKED
"""

_RECEIPT_OF_ALL = """
    UPDATE config_outboxevent
    SET waiting_for = waiting_for - %(path)s,
        state = CASE WHEN waiting_for - %(path)s = '[]' THEN 'done' ELSE 'due' END,
        finished_at = CASE WHEN waiting_for - %(path)s = '[]' THEN statement_timestamp() END
    WHERE id = ANY(%(ids)s)
"""


# Looked up by id alone: while statistics lag behind a burst of events, a condition on the state
# tempts the planner to walk the index of all that is due (151 rows a second instead of 818).
_LOCK = """
    SELECT state = 'due' AND tries = %(tries)s FROM config_outboxevent
    WHERE id = %(pk)s
    FOR UPDATE SKIP LOCKED
"""

_RECEIPT = """
    UPDATE config_outboxevent
    SET waiting_for = %(rest)s::jsonb,
        state = CASE WHEN %(rest)s::jsonb = '[]' THEN 'done' ELSE 'due' END,
        finished_at = CASE WHEN %(rest)s::jsonb = '[]' THEN statement_timestamp() END
    WHERE id = %(pk)s
"""


def _put_off(claim: _Claim, error: str) -> None:
    """Keep the error and try again later, counted from now, or park when the tries are used up."""
    if claim.tries >= settings.OUTBOX_MAX_TRIES:
        _park(claim, error)
        return
    seconds = settings.OUTBOX_RETRY_SECONDS * RETRY_FACTOR ** (claim.tries - 1)
    # Jitter: what failed together must not come back together.
    seconds = min(seconds * random.uniform(0.5, 1.5), RETRY_MAX_SECONDS)  # noqa: S311
    OutboxEvent.objects.filter(pk=claim.pk, tries=claim.tries).update(
        last_error=error, next_try_at=Now() + timedelta(seconds=seconds)
    )


def _park(claim: _Claim, error: str) -> None:
    log.error("event parked", tries=claim.tries, error=error)
    OutboxEvent.objects.filter(pk=claim.pk, tries=claim.tries).update(
        state=State.PARKED, last_error=error
    )


# -- looking after it -------------------------------------------------------------------------


@transaction.atomic
def replay(event: OutboxEvent) -> None:
    """Make a parked row due again with all its tries.

    Handlers that are through do not run again. One that no longer exists under its name gives way
    to those that listen now, if any do. Raises NotParked.
    """
    row = OutboxEvent.objects.select_for_update().get(pk=event.pk)
    if row.state != State.PARKED:
        raise NotParked(f"{row} is {row.state}.")
    listening = {each.path: each for each in _subscriptions.get(row.kind, [])}
    if any(path not in listening for path in row.waiting_for):
        known = [path for path in row.waiting_for if path in listening]
        now = [each.path for each in listening.values() if each.queue == row.queue]
        row.waiting_for = list(dict.fromkeys(known + now)) or row.waiting_for
    OutboxEvent.objects.filter(pk=row.pk).update(
        state=State.DUE, waiting_for=row.waiting_for, tries=0, next_try_at=Now()
    )
    hint_after_commit(CHANNEL, row.queue)


def oldest_due_seconds(queue: str | None = None) -> float:
    """Return how late the latest row is: seconds since it should have run; 0.0 when none waits.

    A row that failed and waits for its next try is not late.
    """
    queues = [queue] if queue else list(settings.OUTBOX_QUEUES)
    # One look at the head of the index for each queue, however many rows are due.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(extract(epoch FROM max(statement_timestamp() - head.next_try_at)), 0)
            FROM unnest(%s::text[]) AS wanted(queue)
            CROSS JOIN LATERAL (
                SELECT next_try_at FROM config_outboxevent
                WHERE state = 'due' AND queue = wanted.queue
                ORDER BY next_try_at LIMIT 1
            ) AS head
            """,
            [queues],
        )
        (late,) = cursor.fetchone()
    return max(0.0, float(late))


def sweep(*, keep: timedelta = timedelta(days=14)) -> int:
    """Delete rows done longer ago than `keep`, in small steps, and return how many went."""
    gone = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                DELETE FROM config_outboxevent WHERE id IN (
                    SELECT id FROM config_outboxevent
                    WHERE state = 'done'
                    AND finished_at < statement_timestamp() - make_interval(secs => %s)
                    ORDER BY finished_at LIMIT %s
                    FOR UPDATE SKIP LOCKED
                )
                """,
                [keep.total_seconds(), SWEEP_ROWS],
            )
            step: int = cursor.rowcount
        gone += step
        if step < SWEEP_ROWS:
            return gone


def describe(path: str, error: BaseException) -> str:
    """Return one line of at most LAST_ERROR_MAX_CHARS characters, without personal values."""
    text = f"{path}: {type(error).__name__}: {error}"
    return " ".join(without_personal(text).split())[:LAST_ERROR_MAX_CHARS]


# -- inside -----------------------------------------------------------------------------------


def _path(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _in_transaction() -> bool:
    """Say whether code of ours opened a transaction.

    Django's TestCase (and pytest's `django_db`) wraps each test in atomic blocks it marks as its
    own. They do not count, so a missing transaction.atomic() fails in tests as it does in life.
    """
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


_PLAIN: tuple[type, ...] = (int, str, bool, types.NoneType)


def _payload(event: Event) -> dict[str, int | str | bool | None]:
    payload: dict[str, int | str | bool | None] = {}
    for field in fields(cast(Any, event)):
        value = getattr(event, field.name)
        if isinstance(value, UUID):
            payload[field.name] = str(value)
        elif type(value) in _PLAIN:
            payload[field.name] = value
        else:
            raise TypeError(f"{event.kind}.{field.name} is not an id, text or yes/no: {value!r}.")
    return payload


def _event(kind: str, payload: dict[str, Any]) -> Event:
    if kind not in _events:
        raise UnknownEvent(f"No event is called {kind}.")
    event_type = _events[kind]
    if kind not in _hints:
        _hints[kind] = typing.get_type_hints(event_type)
    hints = _hints[kind]
    values = {}
    for field in fields(cast(Any, event_type)):
        if field.name not in payload:
            continue  # A field newer than the row has its default, or the constructor says so.
        value = payload[field.name]
        wants = typing.get_args(hints[field.name]) or (hints[field.name],)
        values[field.name] = UUID(value) if UUID in wants and isinstance(value, str) else value
    return event_type(**values)


def _handler(kind: str, path: str) -> Callable[[Any], None]:
    for subscription in _subscriptions.get(kind, []):
        if subscription.path == path:
            return subscription.handler
    raise UnknownEvent(f"{path} does not listen to {kind}.")
