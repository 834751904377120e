"""Two web and two socket processes behind a proxy, a crowd that writes, and kills with -9.

What counts is what each reader's ledger holds in the end. Each zero has a twin in the same run that
is built the tempting way and must not reach it: a reader who goes by the ids of rows instead of
numbers, one who hears the socket only, and a writer who sends again without a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.middleware.csrf import _get_new_csrf_string
from django.utils import timezone

from community.chat.models import Message, Room
from community.chat.rooms import open_room, room_of
from community.chat.services import send_message
from community.groups.models import Membership
from community.members.models import Member, TrustLevel
from config.sessions import SessionStore
from tests.chaos.crowd import Client, Crowd
from tests.chaos.processes import Site, site_of_two
from tests.chaos.proxy import Proxy
from tests.config.processes import wait_for
from tests.factories import join, make_group, make_member, owner_of

# Larger runs by hand: SHOAL_CHAOS_MESSAGES=5000 SHOAL_CHAOS_CLIENTS=400 and so on.
CLIENTS = int(os.environ.get("SHOAL_CHAOS_CLIENTS", "200"))
MESSAGES = int(os.environ.get("SHOAL_CHAOS_MESSAGES", "600"))
A_SECOND = float(os.environ.get("SHOAL_CHAOS_A_SECOND", "60"))
LOSE_EVERY = 25  # the answer to every so-manieth form is lost on its way
KEYLESS = 10
HELD_SECONDS = 1.5  # shorter than the lock's timeout of two seconds
END_SECONDS = 240.0  # only ends a run that fails


def enlist(count: int, group_id: int) -> list[tuple[str, str]]:
    """Members of the group, signed in: of each the cookies and the token of its forms."""
    now = timezone.now()
    members = Member.objects.bulk_create(
        Member(
            handle=f"c{number}",
            name=f"Client {number}",
            email=f"c{number}@shoal.example",
            password="!",
            trust_level=TrustLevel.BASIC,
            onboarded_at=now,
        )
        for number in range(count)
    )
    Membership.objects.bulk_create(Membership(group_id=group_id, member=one) for one in members)
    keys = [uuid.uuid4().hex for _ in members]
    Session.objects.bulk_create(
        Session(
            session_key=key,
            session_data=SessionStore().encode(
                {
                    SESSION_KEY: str(member.pk),
                    BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
                    HASH_SESSION_KEY: member.get_session_auth_hash(),
                }
            ),
            expire_date=now + timedelta(days=1),
        )
        for member, key in zip(members, keys, strict=True)
    )
    signed_in = []
    for key in keys:
        token = _get_new_csrf_string()
        names = settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME
        signed_in.append((f"{names[0]}={key}; {names[1]}={token}", token))
    return signed_in


class Life:
    """The proxy and the crowd, in a loop and a thread of their own; the test kills meanwhile."""

    def __init__(self, site: Site, rooms: list[Room], signed_in: list[tuple[str, str]]) -> None:
        self.proxy = Proxy(
            web=[one.port for one in site.web], sockets=[one.port for one in site.sockets]
        )
        self.rooms, self.signed_in = [room.pk for room in rooms], signed_in
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="crowd")
        self.crowd: Crowd

    def run(self, work: Any, seconds: float = END_SECONDS) -> Any:
        """Do it in the loop and wait for what comes of it."""
        return self.begin(work).result(seconds)

    def begin(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def start(self) -> None:
        self.thread.start()
        self.run(self.proxy.start())
        self.crowd = Crowd(self.proxy.port, self.rooms)
        self.crowd.clients = [
            Client(self.crowd, number, *one) for number, one in enumerate(self.signed_in)
        ]

    def end(self) -> None:
        if hasattr(self, "crowd"):
            self.run(self.crowd.leave())
        self.loop.call_soon_threadsafe(self.proxy.stop)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@contextlib.contextmanager
def life_of(site: Site, rooms: list[Room], signed_in: list[tuple[str, str]]) -> Iterator[Life]:
    life = Life(site, rooms, signed_in)
    life.start()
    try:
        yield life
    finally:
        life.end()


class ById(threading.Thread):
    """The bad twin: one mark for all rooms, the id of the last row seen."""

    def __init__(self, rooms: list[Room]) -> None:
        super().__init__(name="by-id", daemon=True)
        self.rooms = rooms
        self.last = 0
        self.seen: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        try:
            while not self.over.wait(0.05):
                self.look()
            self.look()
        finally:
            connection.close()

    def look(self) -> None:
        rows = Message.objects.filter(room__in=self.rooms, pk__gt=self.last).order_by("pk")
        for pk, key in rows.values_list("pk", "client_key"):
            self.last = pk
            self.seen.append(str(key))


def write_and_wait(room: Room, sender: Member, by_id: ById) -> tuple[str, tuple[int, int]]:
    """Send a message and commit late: when others have committed rows with higher ids."""
    key = uuid.uuid4()
    with transaction.atomic():
        said = send_message(room=room, sender=sender, body="Committed late", client_key=key)
        until = time.monotonic() + HELD_SECONDS
        while by_id.last < said.pk and time.monotonic() < until:
            time.sleep(0.01)
    return str(key), (room.pk, said.seq)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_ledger_is_whole_after_kills_of_valkey_a_socket_and_a_web_process(
    settings: Any, tmp_path: Path
) -> None:
    random.seed(20261122)
    group = make_group("storm", name="Storm")
    owner = owner_of(group)
    late = make_member("late")
    join(late, group)
    rooms = [room_of(group), open_room(group=group, name="Aside", by=owner)]
    without_keys = open_room(group=group, name="No keys", by=owner)
    signed_in = enlist(CLIENTS, group.pk)
    began = time.monotonic()
    with site_of_two(tmp_path) as site, life_of(site, rooms, signed_in) as life:
        settings.REDIS_URL = site.redis_url  # for what this process sends itself
        crowd, by_id = life.crowd, ById(rooms)
        by_id.start()
        life.run(crowd.gather())
        ready = time.monotonic()
        writing = life.begin(crowd.write(MESSAGES, a_second=A_SECOND, lose_every=LOSE_EVERY))
        committed_late = {}

        async def send_without_keys() -> None:
            for number in range(KEYLESS):
                words = f"Without a key {number}"
                await crowd.clients[0].send(without_keys.pk, words, "", lose=True)

        def when(share: float, act: Callable[[], object]) -> None:
            """Do it when so much was written, beside a message that is committed late."""
            wait_for(
                lambda: writing.done() or len(crowd.told) >= share * MESSAGES,
                within_seconds=END_SECONDS,
            )
            act()
            if not writing.done():
                key, told = write_and_wait(rooms[1], late, by_id)
                committed_late[key] = told

        def start_again(one: Any) -> None:
            one.kill()
            one.start()

        keyless = life.begin(send_without_keys())
        when(0.10, site.valkey.kill)
        when(0.20, site.valkey.start)
        when(0.30, lambda: start_again(site.sockets[0]))
        when(0.40, lambda: start_again(site.web[0]))
        when(0.50, lambda: site.sockets[0].wait())
        when(0.60, lambda: [life.begin(one.reload()) for one in crowd.clients[::4]])
        when(0.70, site.valkey.kill)
        when(0.80, site.valkey.start)
        when(0.90, lambda: None)
        writing.result(END_SECONDS)
        keyless.result(END_SECONDS)
        written = time.monotonic()
        for one in site.all:
            one.wait()
        life.run(crowd.all_listen())
        crowd.told.update(committed_late)
        before_the_last_look = crowd.counts["filled"]
        life.run(crowd.catch_up())
        by_id.over.set()
        by_id.join(30)
        # The way processes end in a deploy: each page is told, and goes to the other one.
        ending = site.sockets[0].child
        assert ending is not None
        ending.ask_to_stop()
        wait_for(lambda: not ending.running(), within_seconds=END_SECONDS)
        life.run(crowd.all_listen())
        counts = Counter(crowd.counts)
    ended = time.monotonic()

    kept = {
        room.pk: [
            (seq, str(key))
            for seq, key in Message.objects.filter(room=room)
            .order_by("seq")
            .values_list("seq", "client_key")
        ]
        for room in rooms
    }
    lost = doubled = out_of_order = unheard = 0
    for client in crowd.clients:
        for place, ledger in client.ledgers.items():
            seen = Counter(key for _, key in ledger.entries)
            lost += sum(key not in seen for key, (at, _) in crowd.told.items() if at == place)
            doubled += sum(count - 1 for count in seen.values())
            out_of_order += ledger.entries != kept[place]
            unheard += len(kept[place]) - len(ledger.heard)
    lost_by_id = len(crowd.told) - len(set(by_id.seen))
    sent_without_keys = Message.objects.filter(room=without_keys).count()
    figures = {
        "clients": CLIENTS,
        "messages": len(crowd.told),
        "kills": {one.name: one.kills for one in site.all if one.kills},
        "lost": lost,
        "doubled": doubled,
        "ledgers out of order": out_of_order,
        "lost by a cursor of ids": f"{lost_by_id} of {len(crowd.told)}",
        "lost by sockets alone": f"{unheard} of {CLIENTS * len(crowd.told)}",
        "doubled without keys": f"{sent_without_keys - KEYLESS} of {KEYLESS}",
        "answers lost": life.proxy.lost_answers,
        "found only by the last look": counts["filled"] - before_the_last_look,
        **dict(sorted(counts.items())),
        "seconds": f"{ready - began:.1f} to start, {written - ready:.1f} writing, "
        f"{ended - written:.1f} to the end",
    }
    print("\n" + "\n".join(f"  {name}: {value}" for name, value in figures.items()))

    # One row for each message that was taken, and numbers without gaps.
    assert len(crowd.told) == MESSAGES + len(committed_late)
    for room in rooms:
        assert [seq for seq, _ in kept[room.pk]] == list(range(1, len(kept[room.pk]) + 1))
    assert {key: (at, seq) for at, rows in kept.items() for seq, key in rows} == crowd.told
    assert (lost, doubled, out_of_order, counts["answers with a hole"]) == (0, 0, 0, 0)
    assert not [name for name in counts if name.startswith("failed")]
    assert counts["closed with 1012"] > 0
    # The twins: what happened would have cost them something.
    assert lost_by_id > 0
    assert unheard > 0
    assert sent_without_keys > KEYLESS
    assert life.proxy.lost_answers >= MESSAGES // LOSE_EVERY
