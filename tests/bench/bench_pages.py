"""Requests per CPU-second of the main pages, as ratios to a hello-world view in the same run.

Run by `make bench`. The whole WSGI application answers, with its full middleware, in this process;
what counts is the CPU time of this process (PostgreSQL's own is shown beside it). Times on a shared
machine mean little; the ratios of one run do.
"""

from __future__ import annotations

import io
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from community.members.models import Member
from community.threads.models import Thread
from config.pieces import pieces
from config.urls import urlpatterns as site_patterns
from config.wsgi import application

ROUNDS = 7
REQUESTS_A_ROUND = 40


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello, world")


urlpatterns = [path("hello/", hello), *site_patterns]


@pytest.fixture(scope="module")
def talk(django_db_setup: None, django_db_blocker: Any) -> Any:
    """50 groups, 2,000 threads, 40,000 posts."""
    with django_db_blocker.unblock():
        call_command("bench_data")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        yield
        call_command("flush", interactive=False, verbosity=0)


def ask(method: str, address: str, cookies: str = "", form: dict[str, str] | None = None) -> bytes:
    """Put one request through the WSGI application. Raises on any answer but 2xx and 3xx."""
    address, _, query = address.partition("?")
    body = urlencode(form or {}).encode()
    status: list[str] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": address,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": cookies,
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }

    def start_response(
        said: str, headers: object, info: object = None, /
    ) -> Callable[[bytes], object]:
        status.append(said)
        return lambda written: None

    answer = application(environ, start_response)
    content = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    assert status[0][0] in "23", f"{method} {address}: {status[0]}"
    return content


def backend_cpu() -> float:
    """CPU seconds of the PostgreSQL backend that serves this process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def cost(
    work: Callable[[], object], times: int, before: Callable[[], object] | None = None
) -> tuple[float, float]:
    """CPU seconds a call: of this process, of PostgreSQL. `before` each call is not counted."""
    own = database = 0.0
    for _ in range(times if before else 1):
        if before:
            before()
        database -= backend_cpu()
        own -= time.process_time()
        for _ in range(1 if before else times):
            work()
        own += time.process_time()
        database += backend_cpu()
    return own / times, database / times


@pytest.mark.django_db(transaction=True)
def bench_pages(talk: None, settings: Any, django_db_blocker: Any) -> None:
    settings.ROOT_URLCONF = "tests.bench.bench_pages"
    member = Member.objects.get(handle="m3")
    client = Client()
    client.force_login(member)
    signed_in = (
        f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    )
    long_thread = Thread.objects.order_by("-last_number", "pk")[0]
    address = long_thread.get_absolute_url()
    token = client.get(address).cookies[settings.CSRF_COOKIE_NAME].value
    may_post = f"{signed_in}; {settings.CSRF_COOKIE_NAME}={token}"

    def post() -> None:
        form = {
            "body": "A reply of two lines,\n\nwith **some** markup.",
            "client_key": str(uuid.uuid4()),
            "csrfmiddlewaretoken": token,
        }
        ask("POST", f"/t/{long_thread.pk}/replies/", may_post, form)

    pages: dict[str, Callable[[], object]] = {
        "hello world": lambda: ask("GET", "/hello/"),
        "group page, guest": lambda: ask("GET", "/g/g0/"),
        "group page, member": lambda: ask("GET", "/g/g0/", signed_in),
        "thread page, guest": lambda: ask("GET", f"{address}?page=2"),
        "thread page, member": lambda: ask("GET", f"{address}?page=2", signed_in),
        "posting a reply": post,
        "thread, first read": lambda: ask("GET", f"{address}?page=2"),
        "group, first read": lambda: ask("GET", "/g/g0/"),
        "thread, after a reply": lambda: ask("GET", f"{address}?page=last"),
    }
    # What is kept of a page (config/pieces.py) is gone before each call.
    before: dict[str, Callable[[], object]] = {
        "thread, first read": pieces.clear,
        "group, first read": pieces.clear,
        "thread, after a reply": post,
    }
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
    for work in pages.values():
        work()
    for _ in range(ROUNDS):
        for name, work in pages.items():
            many = REQUESTS_A_ROUND * (10 if name == "hello world" else 1)
            costs[name].append(cost(work, many, before.get(name)))
    plain = statistics.median(own for own, _ in costs["hello world"])
    print(f"\n{'':22}{'req per CPU s':>14}{'of hello':>10}{'PostgreSQL ms':>15}")
    for name, found in costs.items():
        own = statistics.median(own for own, _ in found)
        database = statistics.median(database for _, database in found)
        print(f"{name:22}{1 / own:14.0f}{plain / own:10.3f}{database * 1000:15.2f}")
