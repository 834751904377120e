from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.db import transaction
from django.db.models.functions import Now
from structlog.contextvars import bound_contextvars

from config.celery import app, packages_with_tasks, route
from config.models import OutboxEvent
from config.outbox import publish, subscribed
from config.tasks import catch_up_outbox, drain_outbox
from tests.config.child_processes import environment_of_a_child
from tests.config.test_outbox import Rang, note, note_too

pytestmark = pytest.mark.flaky(reruns=1)  # docs/decisions/tests-run-again.md
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("links.link_post", "links"),
        ("insights.attribute", "insights"),
        ("mail.send_digest", "mail"),
        ("default.sweep_outbox", "default"),
        ("community.threads.tasks.render", "default"),
        ("mailing", "default"),
    ],
)
def test_the_first_word_of_a_task_s_name_is_its_queue(task, queue):
    assert route(task) == {"queue": queue}


def test_every_task_the_clock_starts_exists_and_is_dropped_when_late():
    app.loader.import_default_modules()
    assert app.conf.beat_schedule
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["expires"] > 0


def test_tasks_are_looked_for_in_each_feature_that_has_some():
    expected = {"config"} | {
        f"{domain}.{folder.parent.name}"
        for domain in ("community", "commerce", "moderation")
        for folder in (ROOT / domain).glob("*/tasks.py")
    }
    assert set(packages_with_tasks()) == expected


def test_no_task_may_outlast_the_time_after_which_another_worker_gets_it():
    visible = app.conf.broker_transport_options["visibility_timeout"]
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit < visible
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_ignore_result


@pytest.mark.django_db
def test_only_queues_that_are_behind_are_caught_up(monkeypatch):
    sent: list[tuple[tuple[str], str]] = []
    monkeypatch.setattr(
        drain_outbox, "apply_async", lambda args, queue, expires: sent.append((args, queue))
    )
    with (
        subscribed(Rang, note),
        subscribed(Rang, note_too, queue="mail"),
        transaction.atomic(),
    ):
        publish(Rang(1))
    catch_up_outbox()
    assert sent == []
    OutboxEvent.objects.filter(queue="mail").update(next_try_at=Now() - timedelta(seconds=3))
    catch_up_outbox()
    assert sent == [(("mail",), "mail")]


# -- a real worker ----------------------------------------------------------------------------


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[psutil.Popen]:
    with (tmp_path / "worker.log").open("wb") as log:
        process = psutil.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "config.celery", "worker"),
                *("-P", "solo", "-Q", "default", "--without-gossip", "--without-mingle"),
            ],
            cwd=ROOT,
            env=environment_of_a_child(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    yield process
    if process.is_running():
        process.kill()
    process.wait(10)


def wait_for(find: Callable[[], object], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not find():
        assert time.monotonic() < until
        time.sleep(0.1)


def drainers(worker: psutil.Popen) -> list[psutil.Process]:
    found = []
    for child in worker.children():
        # One that is just ending is gone, or has no command line any more.
        with suppress(psutil.Error):
            if "--follow" in child.cmdline():
                found.append(child)
    return found


def test_a_worker_keeps_a_drainer_and_takes_it_along_when_it_is_killed(worker, tmp_path):
    wait_for(lambda: drainers(worker))
    (first,) = drainers(worker)
    assert first.cmdline()[-1] == "--queue=default"

    with bound_contextvars(request_id="0123456789abcdef"):
        app.send_task(drain_outbox.name, ("default", "one too many"), queue="default")
    log = tmp_path / "worker.log"
    wait_for(lambda: "request_id=0123456789abcdef" in log.read_text())

    first.kill()
    wait_for(lambda: [each for each in drainers(worker) if each != first])
    (second,) = drainers(worker)
    time.sleep(1.5)  # It reads whose child it is while it starts.

    worker.kill()
    worker.wait(10)
    wait_for(lambda: not second.is_running())


def test_a_worker_asked_to_stop_ends_its_drainer_first(worker):
    wait_for(lambda: drainers(worker))
    (drainer,) = drainers(worker)
    wait_for(lambda: len(drainer.threads()) > 1)
    worker.terminate()
    assert worker.wait(60) == 0
    assert not drainer.is_running()
