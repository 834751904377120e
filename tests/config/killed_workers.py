"""A process that keeps two workers busy and kills them with -9 in the middle of their work.

`main(way, kills, seed)` is the whole of it. The way is how work reaches a worker: "outbox";
"popped", a Redis list as Celery uses it (taken, then done); or "acked", the same with acks_late
(done, then taken off). A worker says "." down a pipe when a handler begins; at random ones it is
killed within 4 ms, while the handler waits, writes its effect and waits again. Prints "ready", then
"killed" when all kills are done, and ends when its standard input is closed.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import connection
from redis import Redis

from config import outbox

WORKERS = 2
WAITING, TAKEN = "kill-test:waiting", "kill-test:taken"
# A worker does between these numbers of events before it is killed in its next.
EVENTS_BETWEEN_KILLS = (6, 20)


@cache
def lists() -> Redis:
    """Patient, unlike config.redis: here Redis is the only way of the tasks."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=10, decode_responses=True)


@dataclass(frozen=True)
class Sold(outbox.Event):
    number: int


def handle(event: Sold) -> None:
    """Write one effect, which the table would let happen twice."""
    os.write(PIPE, b".")
    time.sleep(random.uniform(0, 0.003))
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO kill_effect (number) VALUES (%s)", [event.number])
    time.sleep(random.uniform(0, 0.002))


# Inherited by the workers; the test itself writes nothing to it.
PIPE = -1


def take_from_outbox(number: int) -> None:
    if not outbox.drain(queue="default"):
        time.sleep(0.01)


def take_popped(number: int) -> None:
    taken = lists().rpop(WAITING)
    if taken is None:
        time.sleep(0.01)
    else:
        handle(Sold(int(str(taken))))


def take_acked(number: int) -> None:
    taken = lists().rpoplpush(WAITING, f"{TAKEN}:{number}")
    if taken is None:
        time.sleep(0.01)
    else:
        handle(Sold(int(str(taken))))
        lists().lrem(f"{TAKEN}:{number}", 1, str(taken))


TAKES = {"outbox": take_from_outbox, "popped": take_popped, "acked": take_acked}


def spawn(way: str, number: int, seed: int) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        random.seed(seed)
        while os.getppid() == parent:
            TAKES[way](number)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


def restore_taken(number: int) -> None:
    """Do at once what the visibility timeout does for a dead worker's tasks."""
    while lists().rpoplpush(f"{TAKEN}:{number}", WAITING) is not None:
        pass


def main(way: str, kills: int, seed: int) -> None:
    global PIPE
    pipe_in, PIPE = os.pipe()
    dice = random.Random(seed)
    # Quick retries: a killed event comes back after 0.1 to 0.3 seconds instead of 1 to 3.
    settings.OUTBOX_RETRY_SECONDS = 0.2
    outbox.subscribe(Sold, handle)
    workers = [spawn(way, number, seed + number) for number in range(WORKERS)]
    print("ready", flush=True)
    begun, next_kill = 0, dice.randint(*EVENTS_BETWEEN_KILLS)
    killed = 0
    try:
        while True:
            readable, _, _ = select.select([pipe_in, sys.stdin], [], [], 10)
            if sys.stdin in readable:
                return
            if pipe_in not in readable:
                continue
            begun += len(os.read(pipe_in, 1))
            if killed == kills or begun < next_kill:
                continue
            time.sleep(dice.uniform(0, 0.004))
            victim = dice.randrange(WORKERS)
            os.kill(workers[victim], signal.SIGKILL)
            os.waitpid(workers[victim], 0)
            killed += 1
            if way == "acked":
                restore_taken(victim)
            workers[victim] = spawn(way, victim, seed + killed * 10)
            begun, next_kill = 0, dice.randint(*EVENTS_BETWEEN_KILLS)
            if killed == kills:
                print("killed", flush=True)
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)
