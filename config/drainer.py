"""The drainer: a child process of each Celery worker that runs outbox events as they are told of.

It listens in PostgreSQL and needs nothing else, so events go on while Redis is away. One thread a
queue, for the queues its worker takes. It looks by itself every LOOK_SECONDS too: a hint may be
lost, and behind PgBouncer in transaction mode none arrives. See docs/decisions/outbox.md.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from config import outbox

log = structlog.stdlib.get_logger(__name__)

LOOK_SECONDS = 2.0
WATCH_SECONDS = 0.5
# As CELERY_TASK_TIME_LIMIT does for tasks.
HANDLER_MAX_SECONDS = 60.0
STUCK_EXIT = 70


class Drainer:
    """Drains `queues` until told to stop, or until the process `parent` is gone."""

    def __init__(self, queues: Sequence[str], *, parent: int | None = None) -> None:
        self.parent = parent
        self.stopping = threading.Event()
        self.wake = {queue: threading.Event() for queue in queues}

    def run(self) -> None:
        """Work until stopped; call it from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        threads = [
            threading.Thread(target=self._listen, name="listen", daemon=True),
            *(
                threading.Thread(target=self._drain, args=[queue], name=queue, daemon=True)
                for queue in self.wake
            ),
        ]
        for thread in threads:
            thread.start()
        while not self.stopping.wait(WATCH_SECONDS):
            if self.parent is not None and os.getppid() != self.parent:
                self.stopping.set()
            self._end_if_stuck()
        for event in self.wake.values():
            event.set()
        # Without a parent nobody waits for us: what is half done is rolled back and comes again.
        orphaned = self.parent is not None and os.getppid() != self.parent
        until = time.monotonic() + (0.0 if orphaned else HANDLER_MAX_SECONDS)
        for thread in threads[1:]:
            thread.join(max(0.0, until - time.monotonic()))

    def _drain(self, queue: str) -> None:
        wake = self.wake[queue]
        while True:
            # Before the look at `stopping`, which is set before the wake: no wake is missed.
            wake.clear()
            if self.stopping.is_set():
                break
            try:
                close_old_connections()
                while outbox.drain(queue=queue, go_on=self._go_on) and self._go_on():
                    pass
            except (DatabaseError, InterfaceError) as error:
                log.warning("database away", queue=queue, error=type(error).__name__)
                connection.close()
                self.stopping.wait(LOOK_SECONDS)
            except Exception:
                log.exception("drain failed", queue=queue)
                self.stopping.wait(LOOK_SECONDS)
            else:
                wake.wait(LOOK_SECONDS)
        connection.close()

    def _go_on(self) -> bool:
        return not self.stopping.is_set()

    def _listen(self) -> None:
        while not self.stopping.is_set():
            try:
                self._hear()
            except (DatabaseError, InterfaceError, OSError):
                # The draining threads say that it is away.
                self.stopping.wait(LOOK_SECONDS)

    def _hear(self) -> None:
        with connection.wrap_database_errors:
            heard = connection.get_new_connection(connection.get_connection_params())
            with heard:
                heard.autocommit = True
                heard.execute(f"LISTEN {outbox.CHANNEL}")
                while not self.stopping.is_set():
                    for hint in heard.notifies(timeout=WATCH_SECONDS):
                        if hint.payload in self.wake:
                            self.wake[hint.payload].set()

    def _end_if_stuck(self) -> None:
        """End the process over a handler that never returns: a thread cannot be stopped.

        The try is counted already, so the event comes back later and less often, then is parked.
        """
        now = time.monotonic()
        for row, since in list(outbox.running.values()):
            if now - since > HANDLER_MAX_SECONDS:
                log.error("handler stuck", outbox_id=row, seconds=round(now - since))
                os._exit(STUCK_EXIT)
