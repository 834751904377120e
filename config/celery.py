"""Celery: tasks that a clock or another task starts, and the worker that drains the outbox.

The first word of a task's name is its queue: "links.link_post" runs on `links`, "mail.send_digest"
on `mail`; a name with no queue's word in front runs on `default`. Tasks take ids, call one service,
end within 60 seconds and survive running twice. A request never sends one: it publishes an event
(config/outbox.py), for Redis may be away.

    celery -A config.celery worker -Q default,links,insights,mail
    celery -A config.celery beat
"""

from __future__ import annotations

import importlib.util
import logging.config
import os
import pkgutil
import subprocess
import sys
import threading
import time
from typing import Any

import structlog
from celery import Celery, bootsteps
from celery.schedules import crontab
from celery.signals import (
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
)
from django.conf import settings
from kombu import Queue
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from config.embedded.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

log = structlog.stdlib.get_logger(__name__)

DOMAINS = ("community", "commerce", "moderation")
# As long as a task may take, and a handler of the drainer.
DRAINER_STOP_SECONDS = 60.0
# The worker's, when it forks its pool.
PROCESS = os.getpid()


def route(name: str, *_: Any, **__: Any) -> dict[str, str]:
    """Return the queue that the task's name begins with."""
    queue = name.partition(".")[0]
    return {"queue": queue if queue in settings.OUTBOX_QUEUES else "default"}


def packages_with_tasks() -> list[str]:
    """Return config and each feature that has a tasks.py: features are not apps of their own."""
    found = ["config"]
    for domain in DOMAINS:
        spec = importlib.util.find_spec(domain)
        for module in pkgutil.iter_modules(spec.submodule_search_locations if spec else None):
            name = f"{domain}.{module.name}"
            if module.ispkg and importlib.util.find_spec(f"{name}.tasks"):
                found.append(name)
    return found


class DrainerStep(bootsteps.StartStopStep):
    """Runs `manage.py drain --follow` beside a Celery worker and starts it again if it ends."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.stopping = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.keeper: threading.Thread | None = None

    def start(self, worker: Any) -> None:
        queues = [
            name for name in worker.app.amqp.queues.consume_from if name in settings.OUTBOX_QUEUES
        ]
        if queues:
            self.keeper = threading.Thread(
                target=self._keep, args=[queues], name="drainer", daemon=True
            )
            self.keeper.start()

    def stop(self, worker: Any) -> None:
        self.stopping.set()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
        if self.keeper is not None:
            self.keeper.join(DRAINER_STOP_SECONDS)

    def terminate(self, worker: Any) -> None:
        self.stopping.set()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def _keep(self, queues: list[str]) -> None:
        wait = 1.0
        while not self.stopping.is_set():
            began = time.monotonic()
            # A process, not a thread: the pool forks, and a fork copies locks that a thread holds.
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(settings.BASE_DIR / "manage.py"),
                    "drain",
                    "--follow",
                    f"--parent={os.getpid()}",
                    *(f"--queue={queue}" for queue in queues),
                ],
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                # Ctrl-C in a terminal is for the worker, which then tells us.
                start_new_session=True,
            )
            if self.stopping.is_set():
                self.process.terminate()
            code = self.process.wait()
            if self.stopping.is_set():
                return
            lived = time.monotonic() - began
            wait = 1.0 if lived > 60 else min(wait * 2, 30.0)
            log.error("drainer ended", code=code, seconds=round(lived, 1), again_in_seconds=wait)
            self.stopping.wait(wait)


app = Celery("shoal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = "default"
app.conf.task_queues = [Queue(name) for name in settings.OUTBOX_QUEUES]
app.conf.task_routes = (route,)
app.autodiscover_tasks(packages_with_tasks, force=False)
app.steps["worker"].add(DrainerStep)

# What is not sent in time is dropped (`expires`): the next one does its work too.
app.conf.beat_schedule = {
    "catch up with the outbox": {
        "task": "default.catch_up_outbox",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "forget what is long done": {
        "task": "default.sweep_outbox",
        "schedule": crontab(hour="3", minute="40"),
        "options": {"expires": 3600},
    },
    "send what members are told by e-mail": {
        "task": "mail.send_emails",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "send what members are told by push": {
        "task": "mail.send_pushes",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "plan the digests that are due": {
        "task": "mail.plan_digests",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget what members were told long ago": {
        "task": "mail.forget_old",
        "schedule": crontab(hour="4", minute="25"),
        "options": {"expires": 3600},
    },
    "fetch the pages that messages link to": {
        "task": "links.fetch_previews",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "remind of bookmarks": {
        "task": "community.bookmarks",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "look for what is new among saved searches": {
        "task": "default.look_for_saved_searches",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "find what is like threads that were read": {
        "task": "default.find_alike_threads",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "count the words of search anew": {
        "task": "default.refresh_search",
        "schedule": crontab(hour="3", minute="55"),
        "options": {"expires": 3600},
    },
    "score threads for the top lists": {
        "task": "insights.score_threads",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "unpin and lock threads whose time has come": {
        "task": "default.tidy_threads",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "look whose trust level is another now": {
        "task": "default.review_trust",
        "schedule": crontab(minute="20"),
        "options": {"expires": 1800},
    },
    "grant badges that no event told of": {
        "task": "default.sweep_badges",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 3600},
    },
    "count how active members are": {
        "task": "default.count_activity",
        "schedule": crontab(hour="*/3", minute="50"),
        "options": {"expires": 3600},
    },
    "make copies of data and erase accounts": {
        "task": "default.tend_privacy",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget copies of data after their week": {
        "task": "default.forget_exports",
        "schedule": crontab(minute="35"),
        "options": {"expires": 1800},
    },
    "forget whose old clicks were": {
        "task": "default.forget_old_ties",
        "schedule": crontab(hour="4", minute="10"),
        "options": {"expires": 3600},
    },
}


if settings.SEARCH_EMBEDDER != "none":
    app.conf.beat_schedule["embed what search does not know by meaning"] = {
        "task": "default.embed_documents",
        "schedule": 60.0,
        "options": {"expires": 60},
    }


@worker_process_init.connect
def _die_with_the_worker(**_: Any) -> None:
    """A pool child in the middle of a task would outlive a killed worker by that task."""
    if os.getpid() != PROCESS:  # With `-P solo` the worker is its own pool.
        die_with_parent(PROCESS)
        log.info("this child of the worker ends with it")


@setup_logging.connect
def _use_our_logging(**_: Any) -> None:
    logging.config.dictConfig(settings.LOGGING)


@before_task_publish.connect
def _pass_request_id_on(headers: dict[str, Any] | None = None, **_: Any) -> None:
    request_id = get_contextvars().get("request_id")
    if request_id and headers is not None:
        headers["request_id"] = request_id


@task_prerun.connect
def _bind_request_id(task: Any = None, task_id: str = "", **_: Any) -> None:
    clear_contextvars()
    bind_contextvars(task=task.name, task_id=task_id)
    # A message's headers become attributes of the request; those of `apply()` stay together.
    request_id = getattr(task.request, "request_id", None)
    request_id = request_id or (task.request.headers or {}).get("request_id")
    if request_id:
        bind_contextvars(request_id=str(request_id)[:64])


@task_postrun.connect
def _forget_request_id(**_: Any) -> None:
    clear_contextvars()
