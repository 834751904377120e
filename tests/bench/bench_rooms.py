"""What chat costs, as a multiple of a hello-world view in the same run; and a room that grew.

Run by `make bench`, or alone: `pytest tests/bench/bench_rooms.py -o python_files='bench_*.py'
-o python_functions='bench_*' -q -s`. SHOAL_BENCH_MESSAGES is how many messages the long room has
(1,000,000). Sockets have bench_fanout.py; what is counted here is said in bench_pages.py.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from community.chat import services
from community.chat.models import Message, Place, Room
from community.chat.rooms import room_of
from community.groups.models import Group, Membership
from community.members.models import Member, TrustLevel
from config.guest_pages import stop_listening
from tests.bench.bench_pages import Row, ask, measure, sign_in, vacuum
from tests.factories import make_group

MESSAGES = int(os.environ.get("SHOAL_BENCH_MESSAGES", "1000000"))
FEW = 1_000
SENDERS = 40  # in turns, so that none is asked to wait
JSON = "application/json"
SAID = "Has anybody tried the **new seals**? They come with the set of `R2` screws."
SHOWN = "<p>Has anybody tried the <strong>new seals</strong>?</p>"

# A message every 20 seconds, three of each sender at a time, the last one now; some have reactions.
_FILL = """
    INSERT INTO community_message
        (hidden_reason, room_id, seq, sender_id, body, html, sent_at, change, reactions)
    SELECT
        '', %(room)s, n, (%(members)s::bigint[])[1 + (n / 3) %% %(count)s], %(body)s, %(html)s,
        now() - (%(upto)s - n) * interval '20 seconds', 0,
        CASE WHEN n %% 25 = 0 THEN '{"heart": 2}'::jsonb ELSE '{}'::jsonb END
    FROM generate_series(1, %(upto)s) AS n
"""


@pytest.fixture(scope="module")
def empty_site(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield
        stop_listening()
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        call_command("flush", interactive=False, verbosity=0)


def crowd(handle: str, count: int) -> list[Member]:
    now = timezone.now() - timedelta(days=900)
    return Member.objects.bulk_create(
        Member(
            handle=f"{handle}{number}",
            name=f"{handle.title()} {number}",
            email=f"{handle}{number}@shoal.example",
            password="!",
            trust_level=TrustLevel.MEMBER,
            onboarded_at=now,
        )
        for number in range(count)
    )


def group_of(slug: str, members: list[Member]) -> Group:
    group = make_group(slug, name=slug.title())
    Membership.objects.bulk_create(Membership(group=group, member=one) for one in members)
    return group


def fill(room: Room, members: list[Member], upto: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            _FILL,
            {
                "room": room.pk,
                "members": [one.pk for one in members],
                "count": len(members),
                "body": SAID,
                "html": SHOWN,
                "upto": upto,
            },
        )
    Room.objects.filter(pk=room.pk).update(last_seq=upto, last_message_at=timezone.now())


def sender_of(room: Room, members: list[Member], settings: Any) -> Callable[[], bytes]:
    """Each call sends a message as a script does, the members in turn."""
    # A quick machine sends more in ten seconds than people may.
    services.BURST_MESSAGES = 10_000  # type: ignore[misc]
    address = room.get_absolute_url()
    signed_in = [sign_in(one.handle, address, settings) for one in members[:SENDERS]]
    turns = itertools.cycle(signed_in)

    def send() -> bytes:
        cookies, token = next(turns)
        form = {
            "body": "Two lines,\nwith **some** markup.",
            "client_key": str(uuid.uuid4()),
            "csrfmiddlewaretoken": token,
        }
        return ask("POST", f"/rooms/{room.pk}/messages/", cookies, form, HTTP_ACCEPT=JSON)

    return send


def rows_of(room: Room, cookies: str, upto: int) -> list[Row]:
    """What a reader does in a room; the middle is where nobody looked lately."""
    address, middle = room.get_absolute_url(), upto // 2
    sent_at = Message.objects.get(room=room, seq=middle).sent_at
    after = f"/rooms/{room.pk}/after/?change=0&entry=0&after="

    def get(path: str, accept: str = "text/html") -> Callable[[], bytes]:
        return lambda: ask("GET", path, cookies, HTTP_ACCEPT=accept)

    return [
        Row("open a room", get(address)),
        Row("  scroll back, ?before=", get(f"{address}?before={middle}")),
        Row("  jump to a message, ?at=", get(f"{address}?at={middle}")),
        Row("  jump to a day, ?on=", get(f"{address}?on={sent_at.date()}")),
        Row("  the last 10, after/", get(f"{after}{upto - 10}", JSON)),
        Row("  200 in the middle, after/", get(f"{after}{middle}", JSON)),
        Row("  nothing new, after/", get(f"{after}{upto}", JSON)),
    ]


def seq_scans(row: Row) -> list[str]:
    """Those plans of a row's statements that read all messages."""
    with CaptureQueriesContext(connection) as spent:
        row.work()
    found = []
    for query in spent.captured_queries:
        statement = query["sql"]
        if "community_message" not in statement or not statement.startswith("SELECT"):
            continue
        # What was prepared is logged without its values.
        first, *rest = statement.split("%s")
        generic = first + "".join(f"${place}{text}" for place, text in enumerate(rest, start=1))
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {'(GENERIC_PLAN)' if rest else ''} {generic}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        if "Seq Scan on community_message " in plan:
            found.append(f"{row.name}: {statement}\n{plan}")
    return found


@pytest.mark.django_db(transaction=True)
def bench_rooms(empty_site: None, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.bench.bench_pages"
    members = crowd("m", 500)
    readers = members[:20]
    few, many = group_of("few", readers), group_of("many", members)
    for group in (few, many):
        fill(room_of(group), readers, FEW)
    for number in range(28):
        group = group_of(f"g{number}", members[3:5])
        fill(room_of(group), members[3:5], 20)
        Place.objects.create(room=room_of(group), member=members[3], read_seq=10)
    vacuum()
    cookies, _ = sign_in("m3", "/chat/few/", settings)

    head = f"{'':38}{'x hello':>8}{'aim':>6}{'Python':>9}{'PostgreSQL':>12}{'Valkey':>8}"
    print(f"\n{head}{'queries':>9}")
    in_few, in_many = measure(
        [
            Row("send a message, 20 members", sender_of(room_of(few), readers, settings)),
            Row("send a message, 500 members", sender_of(room_of(many), members, settings)),
        ]
    )
    print(f"  500 members cost {in_many / in_few:.2f} of 20 (aim 1.1)")
    measure([Row("list of 30 rooms", lambda: ask("GET", "/chat/", cookies))])

    short, long = room_of(group_of("short", readers)), room_of(group_of("long", readers))
    fill(short, readers, FEW)
    fill(long, readers, MESSAGES)
    vacuum()
    rows, grown = rows_of(short, cookies, FEW), rows_of(long, cookies, MESSAGES)
    scans = [plan for row in grown for plan in seq_scans(row)]
    rows.append(Row("send a message", sender_of(short, readers, settings)))
    grown.append(Row("send a message", sender_of(long, readers, settings)))
    # In turns: what else the machine does meanwhile then touches both alike.
    costs = measure([row for pair in zip(rows, grown, strict=True) for row in pair])
    for row, less, more in zip(rows, costs[::2], costs[1::2], strict=True):
        print(f"  {row.name:36} {more / less:.2f} with {MESSAGES:,} messages (aim 1.1)")
    with connection.cursor() as cursor:
        # Row by row, as tests are tidied up, a million would take minutes.
        cursor.execute("TRUNCATE community_message CASCADE")
    assert scans == []
