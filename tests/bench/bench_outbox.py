"""What the outbox costs, as ratios to plain one-row transactions in the same run.

Run by `make bench`. A ratio of 0.5 means half as many a second, of this process's CPU and by the
clock (which on a shared machine means little). Measured on an empty outbox, and on one with 200,000
events done and 20,000 waiting, to see that neither makes it slower.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import connection, transaction

from config.outbox import Event, drain, oldest_due_seconds, publish, subscribed

ROUNDS = 7
A_ROUND = 200
DONE = 200_000
WAITING = 20_000


@dataclass(frozen=True)
class Measured(Event):
    number: int


def insert(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_effect (number) VALUES (%s)", [number])


def handle(event: Measured) -> None:
    insert(event.number)


def plain() -> None:
    for number in range(A_ROUND):
        with transaction.atomic():
            insert(number)


def announced() -> None:
    for number in range(A_ROUND):
        with transaction.atomic():
            insert(number)
            publish(Measured(number))


def drained() -> None:
    taken = 0
    while taken < A_ROUND:
        taken += drain(limit=A_ROUND - taken)


def a_round(clock: Callable[[], float]) -> tuple[float, ...]:
    """Return how many a second of `clock` each of the three does."""
    speeds = []
    for work in (plain, announced, drained):
        began = clock()
        work()
        speeds.append(A_ROUND / (clock() - began))
    return tuple(speeds)


def measure(what: str) -> None:
    for name, clock in (("CPU", time.process_time), ("clock", time.perf_counter)):
        rounds = [a_round(clock) for _ in range(ROUNDS)]
        base = statistics.median(row[0] for row in rounds)
        write = statistics.median(row[1] / row[0] for row in rounds)
        read = statistics.median(row[2] / row[0] for row in rounds)
        print(
            f"{what:32} a second of {name:5}  plain {base:5.0f} = 1"
            f"   with publish {write:.2f}   drained {read:.2f} = {base * read:.0f} events"
        )


@pytest.mark.django_db(transaction=True)
def bench_outbox():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_effect (id bigserial, number integer)")
    try:
        with subscribed(Measured, handle):
            print()
            measure("empty outbox")
            fill()
            measure(f"{DONE:,} done, {WAITING:,} waiting")
            began = time.perf_counter()
            oldest_due_seconds()
            print(f"how late it is, asked: {(time.perf_counter() - began) * 1000:.1f} ms")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_effect")


def fill() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for state, rows in (("done", DONE), ("due", WAITING)):
            cursor.execute(
                """
                INSERT INTO config_outboxevent (
                    kind, payload, queue, request_id, tries, last_error, state, next_try_at,
                    waiting_for, finished_at
                )
                SELECT %(kind)s, jsonb_build_object('number', n), 'default', '', 0, '', %(state)s,
                    statement_timestamp() - interval '1 hour' + n * interval '1 ms',
                    CASE WHEN %(state)s = 'due' THEN jsonb_build_array(%(path)s::text)
                        ELSE '[]' END,
                    CASE WHEN %(state)s = 'done' THEN statement_timestamp() END
                FROM generate_series(1, %(rows)s) AS n
                """,
                {
                    "kind": Measured.kind,
                    "state": state,
                    "rows": rows,
                    "path": f"{handle.__module__}.{handle.__qualname__}",
                },
            )
