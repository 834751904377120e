"""500 facts announced while workers are killed with -9 in the middle of handling them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from config import outbox
from config.models import OutboxEvent
from tests.config.child_processes import environment_of_a_child
from tests.config.killed_workers import TAKEN, WAITING, WORKERS, Sold, handle, lists

EVENTS = 500
KILLS = 20
SEED = 20261122
LISTS = [WAITING, *(f"{TAKEN}:{number}" for number in range(WORKERS))]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def orders(transactional_db):
    """Each event's fact and, by its workers, its effect."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kill_order (number integer PRIMARY KEY)")
        cursor.execute("CREATE TABLE kill_effect (id bigserial, number integer)")
    lists().delete(*LISTS)
    yield
    lists().delete(*LISTS)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE kill_order, kill_effect")


@contextmanager
def workers_killed(way: str) -> Iterator[Callable[[], bool]]:
    """Two workers, killed KILLS times; gives a function that says whether all kills are done."""
    program = (
        "import django; django.setup(); from tests.config.killed_workers import main;"
        f"main({way!r}, {KILLS}, {SEED})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment_of_a_child(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        os.set_blocking(process.stdout.fileno(), False)
        said = b""

        def all_killed() -> bool:
            nonlocal said
            said += process.stdout.read() or b""  # type: ignore[union-attr]
            return said == b"killed\n"

        yield all_killed
        process.stdin.close()
        assert process.wait(10) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


def sell(announce: Callable[[int], None]) -> None:
    for number in range(EVENTS):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO kill_order VALUES (%s)", [number])
            announce(number)


def wait_until(finished: Callable[[], bool], *, seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not finished():
        assert time.monotonic() < until, "The workers did not come to an end."
        time.sleep(0.02)


def lost_and_doubled() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kill_order")
        assert cursor.fetchone() == (EVENTS,)
        cursor.execute("SELECT number FROM kill_effect")
        effects = Counter(number for (number,) in cursor.fetchall())
    return EVENTS - len(effects), sum(count > 1 for count in effects.values())


def put_in_list(number: int) -> None:
    """What `on_commit(lambda: task.delay(number))` comes down to."""
    transaction.on_commit(lambda: lists().lpush(WAITING, number))


def test_the_outbox_loses_and_doubles_nothing_when_workers_are_killed(orders):
    with outbox.subscribed(Sold, handle), workers_killed("outbox") as all_killed:
        sell(lambda number: outbox.publish(Sold(number)))
        wait_until(lambda: all_killed() and not OutboxEvent.objects.due().exists())
    tries = sum(OutboxEvent.objects.values_list("tries", flat=True))
    print(f"outbox: {EVENTS} events, {KILLS} kills, {tries} tries, (lost, doubled) =", end=" ")
    print(lost_and_doubled())
    assert lost_and_doubled() == (0, 0)
    assert not OutboxEvent.objects.parked().exists()
    # Kills that hit an event in its middle: else the two zeros would mean nothing.
    assert tries > EVENTS


def test_a_task_sent_on_commit_is_lost_with_its_worker(orders):
    with workers_killed("popped") as all_killed:
        sell(put_in_list)
        wait_until(lambda: all_killed() and not lists().exists(WAITING))
        time.sleep(0.1)  # The last one taken.
    lost, doubled = lost_and_doubled()
    print(
        f"on_commit and a list: {EVENTS} tasks, {KILLS} kills, (lost, doubled) =", (lost, doubled)
    )
    assert lost > 0
    assert doubled == 0


def test_a_task_acknowledged_late_is_done_twice(orders):
    with workers_killed("acked") as all_killed:
        sell(put_in_list)
        wait_until(lambda: all_killed() and not lists().exists(*LISTS))
    lost, doubled = lost_and_doubled()
    print(f"acknowledged late: {EVENTS} tasks, {KILLS} kills, (lost, doubled) =", (lost, doubled))
    assert doubled > 0
