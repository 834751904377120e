from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from celery.signals import before_task_publish
from django.db import transaction
from django.test import Client, override_settings

from config.celery import app
from config.logging import logging_settings, without_personal
from config.models import OutboxEvent
from config.outbox import drain, publish, subscribed
from tests.config.test_health import own_pages, quiet  # noqa: F401
from tests.config.test_outbox import Rang


class Lines:
    """What production would have written so far."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def __call__(self, event: str = "") -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if not event or line["event"] == event]


@pytest.fixture
def lines() -> Iterator[Lines]:
    written = Lines()
    line = logging_settings(json=True)["formatters"]["line"]
    handler = logging.StreamHandler(written.stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=line["processors"], foreign_pre_chain=line["foreign_pre_chain"]
        )
    )
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


# -- request ids ------------------------------------------------------------------------------


def test_each_answer_says_its_request_id_and_each_line_carries_it(lines, guest):
    answer = guest.get("/nothing-here-at-all")
    request_id = answer.headers["X-Request-ID"]
    assert len(request_id) == 32
    (line,) = lines("request")
    assert line["request_id"] == request_id
    assert guest.get("/healthz").headers["X-Request-ID"] != request_id


def test_an_id_from_a_stranger_is_not_taken_over(guest):
    answer = guest.get("/healthz", headers={"X-Request-ID": "chosen-by-a-stranger"})
    assert answer.headers["X-Request-ID"] != "chosen-by-a-stranger"


@override_settings(TRUSTED_PROXIES=1)
def test_an_id_from_our_proxy_is_taken_over(guest):
    answer = guest.get("/healthz", headers={"X-Request-ID": "proxy:0193f2f4-7c1e"})
    assert answer.headers["X-Request-ID"] == "proxy:0193f2f4-7c1e"


@override_settings(TRUSTED_PROXIES=1)
@pytest.mark.parametrize("bad", ["short", "x" * 65, "two words here", "new\nline-in-it", "é" * 10])
def test_an_id_that_is_none_is_replaced_even_from_our_proxy(guest, bad):
    answer = guest.get("/healthz", HTTP_X_REQUEST_ID=bad)
    assert len(answer.headers["X-Request-ID"]) == 32


@own_pages
@pytest.mark.django_db
def test_handlers_in_a_worker_log_under_the_request_that_announced_the_event(lines):
    def handle(event: Rang) -> None:
        structlog.stdlib.get_logger("handler").warning("handled")

    with subscribed(Rang, handle):
        with (
            structlog.contextvars.bound_contextvars(request_id="0123456789abcdef"),
            transaction.atomic(),
        ):
            publish(Rang(1))
        drain()
    (line,) = lines("handled")
    assert line["request_id"] == "0123456789abcdef"
    assert line["kind"] == "tests.Rang"
    assert line["outbox_id"] == OutboxEvent.objects.get().pk


def test_a_task_logs_under_the_request_of_whoever_sent_it(lines):
    known: list[Any] = []

    @app.task(name="default.look_at_the_context")
    def look() -> None:
        known.append(structlog.contextvars.get_contextvars())

    # As a message would bring it; the headers come from config.celery's own hook.
    headers: dict[str, Any] = {}
    with structlog.contextvars.bound_contextvars(request_id="0123456789abcdef"):
        before_task_publish.send(sender=look.name, headers=headers)
    assert headers == {"request_id": "0123456789abcdef"}
    look.apply(headers=headers).get()
    app.tasks.pop(look.name)
    (context,) = known
    assert context["task"] == "default.look_at_the_context"
    assert context["request_id"] == "0123456789abcdef"


# -- what a line holds ------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_request_is_logged_by_its_route_and_not_by_its_path(lines, guest):
    guest.get("/accounts/password/reset/key/4f-secret-key/?next=/ada@shoal.example")
    (line,) = lines("request")
    assert "<" in line["route"]
    assert line["method"] == "GET"
    assert line["ms"] >= 0
    assert "secret-key" not in lines.stream.getvalue()
    assert "ada@" not in lines.stream.getvalue()


@own_pages
@pytest.mark.django_db
def test_an_error_is_logged_with_where_it_happened_and_without_what_was_written(
    lines,
    quiet: Client,  # noqa: F811
):
    answer = quiet.get("/broken?q=private")
    (line,) = lines("Internal Server Error")
    assert "in broken" in line["exception"]
    assert line["request_id"] == answer.headers["X-Request-ID"]
    written = lines.stream.getvalue()
    assert "ada@shoal.example" not in written
    assert "private" not in written
    assert "/broken" not in written


def test_a_traceback_shows_no_local_variables(lines):
    def work() -> None:
        diary = "what ada " + "wrote"
        raise ValueError(len(diary))

    try:
        work()
    except ValueError:
        logging.getLogger("elsewhere").exception("failed")
    (line,) = lines("failed")
    assert "ValueError: 14" in line["exception"]
    assert "what ada wrote" not in line["exception"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("mail to ada.quist+x@mail.shoal.example failed", "mail to (e-mail) failed"),
        ("<ada@shoal.example>: 550", "<(e-mail)>: 550"),
        ("duplicate\nDETAIL:  Key (handle)=(ada) exists.", "duplicate\nDETAIL: (left out)"),
        ("to redis://:hunter2@10.0.0.1:6379/0", "to redis://:(left out)@10.0.0.1:6379/0"),
        ("at postgresql://shoal:pw@db/shoal", "at postgresql://shoal:(left out)@db/shoal"),
        ("ratio 3@2 is no address", "ratio 3@2 is no address"),
    ],
)
def test_personal_values_are_taken_out_of_texts(text, clean):
    assert without_personal(text) == clean


def test_lines_for_people_are_plain_when_nobody_is_at_the_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    line = logging_settings(json=False)["formatters"]["line"]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=line["processors"], foreign_pre_chain=line["foreign_pre_chain"]
    )
    record = logging.LogRecord("shop", logging.INFO, "", 0, "opened at %s", (9,), None)
    assert formatter.format(record).endswith("[info] opened at 9 [shop]")
