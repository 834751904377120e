"""What the main pages cost, as a multiple of a hello-world view in the same run.

Run by `make bench`, or alone: `pytest tests/bench/bench_pages.py -o python_files='bench_*.py'
-o python_functions='bench_*' -q -s`. The whole WSGI application answers, with its full middleware,
in this process; what counts is CPU: of this process, of its PostgreSQL backend and of Valkey. Times
on a shared machine mean little; the ratios of one run do. Search has
bench_search.py. docs/speed.md says what came out.
"""

from __future__ import annotations

import gzip
import io
import itertools
import statistics
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone

from community.chat.here import note_here
from community.members.models import Member
from community.threads.marks import Follow, FollowLevel
from community.threads.models import Post, Thread
from config.guest_pages import guest_pages, stop_listening
from config.redis import client
from config.urls import urlpatterns as site_patterns
from config.wsgi import application

ROUNDS = 5
REQUESTS_A_ROUND = 20


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello, world")


urlpatterns = [path("hello/", hello), *site_patterns]


@pytest.fixture(scope="module")
def talk(django_db_setup: None, django_db_blocker: Any) -> Any:
    """50 groups, 2,000 threads, 40,000 posts."""
    with django_db_blocker.unblock():
        call_command("bench_data")
        vacuum()
        yield
        stop_listening()
        call_command("flush", interactive=False, verbosity=0)


def ask(
    method: str,
    address: str,
    cookies: str = "",
    form: dict[str, str] | None = None,
    **more: str,
) -> bytes:
    """Put one request through the WSGI application. Raises on any answer but 2xx and 3xx.

    `more` goes into its environment: `HTTP_ACCEPT="application/json"`.
    """
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
        **more,
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
        # To the nanosecond where there is one; psutil knows hundredths of a second.
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        pass
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def valkey_cpu() -> float:
    """CPU seconds of Valkey, all its clients together."""
    found: dict[str, Any] = client().info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


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


@dataclass
class Row:
    """One line of the table: work, what comes before each call uncounted, the issue's figures."""

    name: str
    work: Callable[[], object]
    before: Callable[[], object] | None = None
    aim: str = ""


def measure(rows: list[Row], *, times: int = REQUESTS_A_ROUND, rounds: int = ROUNDS) -> list[float]:
    """Print a line for each row; return what each costs in hellos."""
    found = []
    for row in rows:
        for _ in range(3):
            row.work()
        ratios = []
        for _ in range(rounds):
            hello_own, _ = cost(lambda: ask("GET", "/hello/"), times * 5)
            valkey = -valkey_cpu()
            own, database = cost(row.work, times, row.before)
            valkey = 0.0 if row.before else (valkey + valkey_cpu()) / times
            ratios.append([part / hello_own for part in (own, database, valkey)])
        own, database, valkey = (statistics.median(parts) for parts in zip(*ratios, strict=True))
        if row.before:
            row.before()
        with CaptureQueriesContext(connection) as spent:
            page = row.work()
        size = ""
        if isinstance(page, bytes) and page:
            size = f"{len(page) / 1000:.1f} kB, {len(gzip.compress(page)) / 1000:.1f} gzipped"
        print(
            f"{row.name:38}{own + database + valkey:8.1f}{row.aim:>6}{own:9.1f}{database:12.1f}"
            f"{valkey:8.2f}{len(spent):9}   {size}",
            flush=True,
        )
        found.append(own + database + valkey)
    return found


def sign_in(handle: str, address: str, settings: Any) -> tuple[str, str]:
    """Return a member's cookies, and the token their forms send."""
    browser = Client()
    browser.force_login(Member.objects.get(handle=handle))
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    token = browser.get(address).cookies[settings.CSRF_COOKIE_NAME].value
    cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}"
    return cookies, token


def put_online(thread: Thread, members: int) -> None:
    """Let so many members watch the thread and have it open."""
    watchers = Member.objects.order_by("pk")[100 : 100 + members]
    Follow.objects.filter(thread=thread, level=FollowLevel.WATCHING).delete()
    Follow.objects.bulk_create(
        Follow(member=one, thread=thread, level=FollowLevel.WATCHING) for one in watchers
    )
    for one in watchers:
        note_here(one.pk)


def lengthen(thread: Thread, posts: int) -> None:
    """Copy rows until the thread has so many posts."""
    first = thread.last_number + 1
    texts = list(Post.objects.filter(thread=thread).order_by("number")[:100])
    Post.objects.bulk_create(
        (
            Post(
                thread=thread,
                number=number,
                author_id=texts[number % len(texts)].author_id,
                body=texts[number % len(texts)].body,
                html=texts[number % len(texts)].html,
                markup_version=texts[number % len(texts)].markup_version,
            )
            for number in range(first, posts + 1)
        ),
        batch_size=2_000,
    )
    thread.last_number, thread.reply_count = posts, posts - 1
    thread.save(update_fields=["last_number", "reply_count"])


def more_threads(upto: int) -> None:
    """Copy rows until there are so many threads, each with its opening post."""
    rows = list(Thread.objects.order_by("pk"))
    made = Thread.objects.bulk_create(
        (
            Thread(
                group_id=row.group_id,
                author_id=row.author_id,
                title=row.title,
                excerpt=row.excerpt,
                created_at=row.created_at - timedelta(days=60),
                last_post_at=row.last_post_at - timedelta(days=60),
                last_post_by_id=row.author_id,
                last_number=1,
            )
            for row in itertools.islice(itertools.cycle(rows), upto - len(rows))
        ),
        batch_size=2_000,
    )
    opening = Post.objects.filter(number=1)[0]
    Post.objects.bulk_create(
        (
            Post(
                thread=thread,
                number=1,
                author_id=thread.author_id,
                body=opening.body,
                html=opening.html,
                markup_version=opening.markup_version,
            )
            for thread in made
        ),
        batch_size=2_000,
    )
    vacuum()


def vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")


@pytest.mark.django_db(transaction=True)
def bench_pages(talk: None, settings: Any, django_db_blocker: Any) -> None:
    settings.ROOT_URLCONF = "tests.bench.bench_pages"
    settings.GUEST_PAGES_SECONDS = 30
    Member.objects.update(onboarded_at=timezone.now(), trust_level=2)
    thread, twin = Thread.objects.order_by("-last_number", "pk")[:2]
    address = thread.get_absolute_url()
    cookies, _ = sign_in("m3", address, settings)
    writing, token = sign_in("m4", address, settings)

    def write() -> bytes:
        form = {
            "body": "A reply of two lines,\n\nwith **some** markup.",
            "client_key": str(uuid.uuid4()),
            "csrfmiddlewaretoken": token,
        }
        return ask("POST", f"/t/{thread.pk}/replies/", writing, form)

    head = f"{'':38}{'x hello':>8}{'aim':>6}{'Python':>9}{'PostgreSQL':>12}{'Valkey':>8}"
    print(f"\n{head}{'queries':>9}")
    measure(
        [
            Row("guest, thread page, kept", lambda: ask("GET", f"{address}?page=2"), None, "3"),
            Row("  right after a write", lambda: ask("GET", f"{address}?page=2"), write, "8"),
            Row("guest, thread list, kept", lambda: ask("GET", "/g/g0/"), None, "3"),
            Row("  right after a write", lambda: ask("GET", "/g/g0/"), write, "6"),
            Row(
                "member, thread page", lambda: ask("GET", f"{address}?page=2", cookies), None, "12"
            ),
            Row("  right after a write", lambda: ask("GET", f"{address}?page=2", cookies), write),
            Row("member, thread list", lambda: ask("GET", "/g/g0/", cookies)),
        ]
    )
    put_online(thread, 20)
    (few,) = measure([Row("reply, 20 people online", write, None, "25")])
    put_online(thread, 500)
    (many,) = measure([Row("reply, 500 people online", write)])
    print(f"  500 online cost {many / few:.2f} of 20 (aim 1.1)")
    lengthen(twin, 480)  # so that its last page is full, as later
    small = twin.get_absolute_url()
    pages = [
        Row(
            "member, last page of a long thread", lambda: ask("GET", f"{small}?page=last", cookies)
        ),
        Row("guest, the same after a write", lambda: ask("GET", f"{small}?page=24"), drop_all),
    ]
    lists = [
        Row("member, list of a group", lambda: ask("GET", "/g/g0/", cookies)),
        Row("member, home", lambda: ask("GET", "/", cookies)),
        Row("guest, list after a write", lambda: ask("GET", "/g/g0/"), drop_all),
    ]
    before = measure([*pages, *lists])
    lengthen(twin, 5_000 - 5_000 % settings.POSTS_PER_PAGE)
    more_threads(20_000)
    pages[1].work = lambda: ask("GET", f"{small}?page=250")
    after = measure([*pages, *lists])
    for row, less, more in zip([*pages, *lists], before, after, strict=True):
        print(f"  {row.name:36} {more / less:.2f} at 5,000 posts and 20,000 threads (aim 1.1)")


def drop_all() -> None:
    """As after a write to everything: no page is kept, the pieces are."""
    guest_pages.clear()
