"""Hostile ends of a socket: each is refused with a reason, and nobody else notices.

Most run against uvicorn as it is started for sockets, since much of what is refused is refused
there. Somebody listens meanwhile: they must hear all that is said, in its order.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.test import Client

from community.chat import consumers
from community.chat.consumers import LiveConsumer
from community.chat.doors import Doors
from community.chat.guard import Opener
from community.chat.here import CHANNEL
from community.chat.hub import Hub
from community.chat.models import Room
from community.chat.rooms import room_of
from community.members.models import Member
from config.redis import client
from tests.config.child_processes import environment_of_a_child
from tests.config.processes import wait_for
from tests.factories import join, make_group, make_member
from tests.raw_sockets import (
    BINARY,
    CLOSE,
    PART,
    PING,
    PONG,
    TEXT,
    RawSocket,
    allow_files,
    frame,
    sockets_process,
)
from tests.sockets import SocketClient, in_a_loop_of_its_own

pytestmark = pytest.mark.xdist_group("hostile sockets")

numbers = itertools.count(1)
UNKNOWN = {"type": "refused", "why": "Not a frame this socket knows."}


@dataclass(frozen=True)
class Process:
    port: int
    pid: int

    def megabytes(self) -> float:
        return float(psutil.Process(self.pid).memory_info().rss) / 1_000_000


@contextlib.contextmanager
def process(*flags: str) -> Iterator[Process]:
    """A sockets process with the limits of production, behind a proxy that says who calls."""
    env = environment_of_a_child(
        TRUSTED_PROXIES="1",
        SOCKETS_PER_ADDRESS="20",
        SOCKET_CONNECTS_PER_SECOND="10",
        SOCKET_CONNECTS_BURST="40",
        DATABASE_CONN_MAX_AGE="60",
    )
    with sockets_process(env, *flags, application="tests.community.patient_server:application") as (
        port,
        pid,
    ):
        yield Process(port, pid)


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Process]:
    # No pings: whoever does not read on purpose would be closed for that.
    with process("--ws-ping-interval", "3600") as one:
        yield one


class Listener(threading.Thread):
    """Somebody else in the room: reads what comes, answers pings."""

    def __init__(self, server: Process, cookie: str, room: Room) -> None:
        super().__init__(daemon=True)
        self.socket = RawSocket(server.port, cookie, address="203.0.113.9")
        self.seqs: list[int] = []
        told = self.socket.subscribe(room.pk)
        assert told["type"] == "subscribed"
        while not told.get("live") and told["type"] != "live":
            told = self.socket.hear()  # until the process hears Redis
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                told = self.socket.hear()
                if told["type"] == "message":
                    self.seqs.append(told["seq"])


@dataclass
class Scene:
    server: Process
    room: Room
    secret: Room  # of a group the hostile one is not in
    cookie: str  # of the hostile one, a member of the room's group
    listener: Listener
    # Of its own in each test: what one did, the process remembers.
    address: str = field(default_factory=lambda: f"198.51.100.{next(numbers)}")
    said: int = 0
    opened: list[RawSocket] = field(default_factory=list)

    def attack(self, **how: Any) -> RawSocket:
        opened = RawSocket(self.server.port, self.cookie, **{"address": self.address, **how})
        self.opened.append(opened)
        return opened

    def say(self, count: int = 20, html: str = "") -> None:
        """Say so much in the room, and wait until the listener has heard all of it in order."""
        for _ in range(count):
            self.said += 1
            told = {"type": "message", "room": self.room.pk, "seq": self.said}
            client().publish(CHANNEL, json.dumps({**told, "html": {"en": html}}))
        wait_for(lambda: len(self.listener.seqs) >= self.said)
        assert self.listener.seqs == list(range(1, self.said + 1))


def cookie_of(member: Member) -> str:
    browser = Client()
    browser.force_login(member)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={browser.cookies[name].value}"


def scene_at(server: Process) -> Scene:
    here, cellar = make_group("here"), make_group("cellar")
    eve, bo = make_member("eve"), make_member("bo")
    for one in (eve, bo):
        join(one, here)
    room = room_of(here)
    listener = Listener(server, cookie_of(bo), room)
    return Scene(server, room, room_of(cellar), cookie_of(eve), listener)


@pytest.fixture
def scene(transactional_db: None, server: Process) -> Iterator[Scene]:
    made = scene_at(server)
    yield made
    made.say()  # whatever was done, the room goes on
    for one in (*made.opened, made.listener.socket):
        one.leave()


def test_binary_is_refused(scene: Scene):
    hostile = scene.attack()
    hostile.send(BINARY, bytes(range(256)))
    assert hostile.closed() == (1008, "Text only.")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"x" * 4_097), 1008),
        (frame(TEXT, b"x" * 70_000), 1009),
        # What it says it will send is enough: nobody waits for a terabyte.
        (b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"\0\0\0\0", 1009),
        (frame(TEXT, b"x" * 60_000, last=False) + frame(PART, b"x" * 60_000), 1009),
    ],
    ids=["of a frame", "of the server", "a terabyte", "in parts"],
)
def test_what_is_too_long_is_refused(scene: Scene, sent: bytes, code: int):
    hostile = scene.attack()
    hostile.sock.sendall(sent)
    assert hostile.closed()[0] == code


@pytest.mark.parametrize(
    "said",
    [
        "[" * 4_000,
        '{"room":' + '{"a":' * 600 + "1" + "}" * 601,
        '{"type":"subscribe","room":7}',
        '{"type":["subscribe"],"room":{"1":[]}}',
        '{"type":true,"room":null}',
        "1e400",
        "NaN",
    ],
    ids=["deep lists", "deep objects", "a number", "lists", "no texts", "too large", "no number"],
)
def test_what_is_no_frame_is_refused_and_the_socket_stands(scene: Scene, said: str):
    hostile = scene.attack()
    hostile.say(said)
    assert hostile.hear() == UNKNOWN
    assert hostile.subscribe(scene.room.pk)["type"] == "subscribed"


def test_bytes_that_are_no_text_and_frames_that_are_none_are_refused(scene: Scene):
    for sent in (frame(TEXT, b"\xff\xfe"), b"\xff" * 64, b"\x81\x02hi"):
        hostile = scene.attack()
        hostile.sock.sendall(sent)
        assert hostile.closed()[0] in (1002, 1007)  # not masked, not UTF-8, no such frame


def test_a_room_one_may_not_see_is_answered_as_one_that_is_not_there(scene: Scene):
    hostile = scene.attack()
    hidden, missing = (hostile.subscribe(pk) for pk in (scene.secret.pk, 10**9))
    assert hidden == {**missing, "room": str(scene.secret.pk)}
    assert missing["why"] == "There is no such room."


def test_pages_of_others_open_no_socket(scene: Scene):
    for origin in ("https://evil.example", "http://localhost.evil.example", "null", ""):
        refused = scene.attack(origin=origin)
        assert (refused.status, refused.body) == (
            *(403, "Only pages of this site open sockets here."),
        )
    assert scene.attack(origin="http://localhost:8000").status == 101


def flood(scene: Scene, breath: bytes) -> None:
    """Say it at once; be told why that was the end."""
    hostile = scene.attack()

    def say() -> None:
        with contextlib.suppress(OSError):
            hostile.sock.sendall(breath)

    saying = threading.Thread(target=say)
    saying.start()
    assert hostile.closed() == (1008, "Too many frames.")
    hostile.leave()
    saying.join()


@pytest.mark.parametrize(
    "breath",
    [
        frame(TEXT, b'{"type":"subscribe","room":"1"}') * 10_000,
        frame(PING, b"x" * 125) * 10_000,  # each is answered, whether anybody reads it or not
        frame(PONG) * 10_000,
        frame(TEXT, last=False) + frame(PART, last=False) * 10_000,
    ],
    ids=["texts", "pings", "pongs", "parts"],
)
def test_ten_thousand_frames_a_second_end_the_socket(scene: Scene, breath: bytes):
    flood(scene, breath)
    before = scene.server.megabytes()
    for _ in range(5):
        scene.say(2)
        flood(scene, breath)
    assert scene.server.megabytes() - before < 12  # the frames of one breath, as objects, are 5


def test_a_thousand_connects_a_second_from_one_address_keep_nobody_else_out(scene: Scene):
    RawSocket(scene.server.port, address=scene.address).leave()
    before, began = scene.server.megabytes(), time.monotonic()
    answers: list[RawSocket] = []
    for number in range(1_000):
        answers.append(
            RawSocket(scene.server.port, address=scene.address)
        )  # of a guest: no session
        answers[-1].leave()
        if number % 100 == 0:
            scene.say(1)
            other = RawSocket(scene.server.port, scene.cookie, address=f"203.0.113.{number // 100}")
            assert other.subscribe(scene.room.pk)["type"] == "subscribed"
            other.leave()
    let_in = sum(one.status == 101 for one in answers)
    refused = [one for one in answers if one.status != 101]
    assert let_in <= 40 + 10 * (time.monotonic() - began) + 1
    assert {(one.status, one.body) for one in refused} <= {
        (429, "Too many sockets at once from this address.")
    }
    assert len(refused) > 500 or time.monotonic() - began > 40
    assert scene.server.megabytes() - before < 12


@in_a_loop_of_its_own
async def test_a_flood_of_connects_asks_the_database_nothing(monkeypatch: pytest.MonkeyPatch):
    asked: list[object] = []

    def who_opens(scope: object) -> Opener | None:
        asked.append(scope)
        return None

    monkeypatch.setattr(consumers, "who_opens", who_opens)
    monkeypatch.setattr(consumers, "doors", Doors())
    monkeypatch.setattr(settings, "SOCKETS_PER_ADDRESS", 20)
    monkeypatch.setattr(settings, "SOCKET_CONNECTS_PER_SECOND", 1e-9)
    monkeypatch.setattr(settings, "SOCKET_CONNECTS_BURST", 40)
    codes = []
    for _ in range(1_000):
        one = SocketClient(LiveConsumer.as_asgi(), client=("198.51.100.66", 1))
        codes.append(await one.connect())
    assert (len(asked), codes.count(None), codes.count(1008)) == (40, 40, 960)


def test_an_address_holds_twenty_sockets_and_hears_why_no_more(scene: Scene):
    cookies = [cookie_of(make_member(f"m{number}")) for number in range(5)]
    held = [
        RawSocket(scene.server.port, cookies[number // 5], address=scene.address)
        for number in range(20)
    ]
    assert {one.subscribe(0)["why"] for one in held} == {"There is no such room."}
    assert scene.attack().closed() == (1008, "Too many sockets from this address.")
    held.pop().leave()

    def is_let_in() -> bool:
        one = RawSocket(scene.server.port, cookies[4], address=scene.address)
        with contextlib.suppress(OSError):
            one.say({"type": "subscribe", "room": "0"})
        return one.read()[0] == TEXT

    wait_for(is_let_in)


def test_who_reads_nothing_is_closed_and_the_others_hear_all(scene: Scene):
    slow = [scene.attack(buffer=4_096) for _ in range(4)]
    for one in slow:
        assert one.subscribe(scene.room.pk)["type"] == "subscribed"
    scene.say(20, "x" * 30_000)
    before = scene.server.megabytes()
    for _ in range(50):
        scene.say(20, "x" * 30_000)  # 30 MB to each in all
    assert scene.server.megabytes() - before < 16
    for one in slow:
        seqs = []
        while True:
            opcode, payload = one.read()
            if opcode == CLOSE:
                break
            seqs.append(json.loads(payload)["seq"])
        # All they were sent came in order; then they were told why no more.
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) < scene.said
        assert (int.from_bytes(payload[:2], "big"), payload[2:]) == (1013, b"Too slow.")


class Stuck:
    """A server's end of a socket whose reader takes nothing, or of one who takes all."""

    def __init__(self, *, reads: bool) -> None:
        self.way = asyncio.Event()
        if reads:
            self.way.set()
        self.heard = 0
        self.transport = self
        self.aborted = asyncio.Event()

    async def send(self, event: dict[str, Any]) -> None:
        await self.way.wait()
        self.heard += 1

    def abort(self) -> None:
        self.aborted.set()


async def tell_three(deliver: Callable[[Hub, int], Any]) -> list[int]:
    """Say 50 things to a room with a stuck reader in the middle; how much each has heard."""
    own, ends = Hub(), [Stuck(reads=True), Stuck(reads=False), Stuck(reads=True)]
    own.confirmed_at = time.monotonic()
    for end in ends:
        one = LiveConsumer()
        one.send, one.language, one.rooms = end.send, "en", {}
        own.rooms.setdefault(1, set()).add(one)
    telling = asyncio.ensure_future(deliver(own, 50))
    await asyncio.wait([telling], timeout=0.5)
    telling.cancel()
    heard = [end.heard for end in ends]
    for end in ends:
        end.way.set()
    await asyncio.sleep(0)
    return heard


async def as_we_do(own: Hub, count: int) -> None:
    for number in range(count):
        own.deliver(b'{"room":1,"seq":%d}' % number)


async def one_after_another(own: Hub, count: int) -> None:
    """A twin that waits until each has taken what it is sent."""
    for number in range(count):
        for one in tuple(own.rooms[1]):
            await one.send({"type": "websocket.send", "text": str(number)})


@in_a_loop_of_its_own
async def test_one_who_is_stuck_holds_nobody_up():
    assert await tell_three(as_we_do) == [50, 0, 50]
    heard = await tell_three(one_after_another)
    assert heard != [50, 0, 50]
    assert max(heard) <= 1


@in_a_loop_of_its_own
async def test_who_does_not_even_take_the_goodbye_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(consumers, "GOODBYE_SECONDS", 0.01)
    end, one = Stuck(reads=False), LiveConsumer()
    one.send = end.send
    for number in range(consumers.QUEUE_FRAMES + 2):
        one.offer(str(number))
    await asyncio.wait_for(end.aborted.wait(), 30)
    assert end.heard == 0


@pytest.mark.django_db(transaction=True)
def test_half_open_sockets_are_let_go():
    allow_files(1_024)
    with process("--ws-ping-interval", "0.5", "--ws-ping-timeout", "5") as server:
        scene = scene_at(server)
        # Halves of a handshake: they hold no place of their address.
        halves = []
        before = server.megabytes()
        for _ in range(200):
            half = socket.create_connection(("127.0.0.1", server.port))
            half.sendall(b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51")
            halves.append(half)
        scene.say()
        assert server.megabytes() - before < 8
        # Whole ones that never say a word again, not even to a ping.
        silent = [scene.attack() for _ in range(5)]
        for one in silent:
            assert one.closed() == (1011, "keepalive ping timeout")
        scene.say()  # whoever answers pings stays
        for left in (*halves, *(one.sock for one in silent), scene.listener.socket.sock):
            left.close()
