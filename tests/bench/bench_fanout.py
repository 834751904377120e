"""What it costs to tell a room of many sockets something, beside Channels' groups and a bare loop.

Run by `make bench ARGS="tests/bench/bench_fanout.py"`. Three uvicorn processes with the same flags
hold the same number of sockets: ours, where each has a session, a room and its rights asked again
and again; Channels' consumers in one group of its Redis pub/sub layer; and a loop that sends what
comes from Redis to all, and does nothing else. The same frame goes to all three in turn; it is read
here, by one thread that counts bytes. What counts is the ratio between them, taken in each round:
times on a shared machine mean little. docs/decisions/chat.md says what came out.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from community.chat import hub
from community.chat.here import CHANNEL
from community.chat.models import Room
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.models import Group, Membership
from community.members.models import Member
from config.redis import client
from config.sessions import SessionStore
from tests.bench.fanout_servers import BARE_CHANNEL, GROUP
from tests.config.child_processes import environment_of_a_child
from tests.factories import join, make_group, make_member
from tests.raw_sockets import Crowd, RawSocket, allow_files, sockets_process

ROUNDS = 7
SINGLE, BURST, WINDOW = 10, 40, 5
BURST_OF_CHANNELS = 8
COUNTS = (500, 1_000)
IDLE = 2_000
IDLE_SECONDS = 10
NAMES = ("bare", "ours", "channels")
APPLICATIONS = {
    "ours": "config.asgi:application",
    "channels": "tests.bench.fanout_servers:channels",
    "bare": "tests.bench.fanout_servers:bare",
}
WORDS = (
    "The **shutter** of this one hangs at a fifteenth; a drop of naphtha on the pin freed it, "
    "and it has kept time since. See https://example.org/shutters for a drawing. "
)


@dataclass
class Scene:
    """A room, who is in it, and the frame that goes to all."""

    room: Room
    cookies: list[str]
    payload: dict[str, Any]  # as it comes from Redis

    def text(self, number: int) -> str:
        spoken = {**self.payload, "seq": 100_000 + number, "html": self.payload["html"]["en"]}
        return json.dumps(spoken, separators=(",", ":"))

    @property
    def frame_bytes(self) -> int:
        return len(self.text(0).encode()) + 4

    def writer(self, name: str) -> Callable[[int], None]:
        """What publishes message `number` where a server listens."""
        if name == "ours":
            return lambda number: publish(
                CHANNEL, json.dumps({**self.payload, "seq": 100_000 + number})
            )
        if name == "bare":
            return lambda number: publish(BARE_CHANNEL, self.text(number))
        layer = RedisPubSubChannelLayer(hosts=[settings.REDIS_URL])
        return lambda number: publish(
            f"asgi__group__{GROUP}",
            layer.serialize({"type": "relay", "text": self.text(number)}),
        )


def publish(channel: str, data: str | bytes) -> None:
    client().publish(channel, data)


@dataclass
class Server:
    name: str
    port: int
    pid: int

    def cpu(self) -> float:
        """CPU seconds of all its threads, to the nanosecond where there is one."""
        try:
            return sum(
                int(path.read_text().split()[0]) / 1e9
                for path in Path(f"/proc/{self.pid}/task").glob("*/schedstat")
            )
        except OSError:
            times = psutil.Process(self.pid).cpu_times()
            return float(times.user + times.system)

    def kilobytes(self) -> float:
        return float(psutil.Process(self.pid).memory_info().rss) / 1024

    def open(self, scene: Scene, count: int) -> list[RawSocket]:
        opened = []
        for number in range(count):
            socket = RawSocket(self.port, scene.cookies[number // settings.SOCKETS_PER_MEMBER])
            assert socket.status == 101, socket.body
            if self.name == "ours":
                assert socket.subscribe(scene.room.pk)["type"] == "subscribed"
            opened.append(socket)
        return opened


@contextmanager
def serving(name: str) -> Iterator[Server]:
    # A ping of uvicorn's own would be counted for a part of a message.
    flags = ("--ws-ping-interval", "3600")
    env = environment_of_a_child(DATABASE_CONN_MAX_AGE="60")
    with sockets_process(env, *flags, application=APPLICATIONS[name]) as (port, pid):
        yield Server(name, port, pid)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    told: list[dict[str, Any]] = []
    group = make_group("film-cameras", name="Film cameras")
    ada = make_member("ada", name="Ada Quist")
    join(ada, group)
    room = room_of(group)
    message = send_message(room=room, sender=ada, body=WORDS * 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hub, "announce", lambda _channel, payload: told.append(payload))
        hub.announce_message(message)
    return Scene(room, enlist(group, IDLE // settings.SOCKETS_PER_MEMBER), told[0])


def enlist(group: Group, count: int) -> list[str]:
    """Members of the group with a session each; gives their cookies."""
    members = Member.objects.bulk_create(
        Member(handle=f"c{n}", name=f"Client {n}", email=f"c{n}@example.org") for n in range(count)
    )
    Membership.objects.bulk_create(Membership(group=group, member=one) for one in members)
    cookies = []
    for member in members:
        session = SessionStore()
        session[SESSION_KEY] = str(member.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = member.get_session_auth_hash()
        session.save()
        cookies.append(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
    return cookies


@dataclass
class Found:
    """What one round says of one server."""

    per_cpu_second: float
    p50: float  # seconds
    p99: float
    per_second: float


def measure(servers: dict[str, Server], crowds: dict[str, Crowd], scene: Scene) -> dict[str, Found]:
    """One round: single messages in turn, each server under the same load, then bursts."""
    write = {name: scene.writer(name) for name in NAMES}
    size, everybody = scene.frame_bytes, len(crowds["ours"].sockets)
    spent, told = dict.fromkeys(NAMES, 0.0), dict.fromkeys(NAMES, 0)
    p50s: dict[str, list[float]] = {name: [] for name in NAMES}
    p99s: dict[str, list[float]] = {name: [] for name in NAMES}
    per_second = {}

    def take(name: str, count: int, window: int) -> tuple[list[list[float]], float]:
        spent[name] -= servers[name].cpu()
        found = crowds[name].take(count, size, write[name], window)
        time.sleep(0.01)
        spent[name] += servers[name].cpu()
        told[name] += count
        return found

    for _ in range(SINGLE):
        for name in NAMES:
            (delays,), _took = take(name, 1, 1)
            cuts = statistics.quantiles(delays, n=100)
            p50s[name].append(cuts[49])
            p99s[name].append(cuts[98])
    for name in NAMES:
        count = BURST_OF_CHANNELS if name == "channels" else BURST
        _delays, took = take(name, count, WINDOW)
        per_second[name] = count * everybody / took
    return {
        name: Found(
            per_cpu_second=told[name] * everybody / spent[name],
            p50=statistics.median(p50s[name]),
            p99=statistics.median(p99s[name]),
            per_second=per_second[name],
        )
        for name in NAMES
    }


def ratio(rounds: list[dict[str, Found]], name: str, other: str, figure: str) -> float:
    """The median, over rounds, of one server's figure by another's in the same round."""
    return float(
        statistics.median(
            getattr(found[name], figure) / getattr(found[other], figure) for found in rounds
        )
    )


@pytest.mark.django_db(transaction=True)
def bench_fanout(scene: Scene) -> None:
    allow_files(4 * IDLE)
    print(f"\nA frame of {scene.frame_bytes} bytes; ratios are medians of {ROUNDS} rounds")
    for count in COUNTS:
        with ExitStack() as stack:
            servers = {name: stack.enter_context(serving(name)) for name in NAMES}
            crowds = {name: Crowd(servers[name].open(scene, count)) for name in NAMES}
            for crowd in crowds.values():
                stack.callback(crowd.close)
                crowd.settle()
            gc.collect()
            rounds: list[dict[str, Found]] = []
            for number in range(ROUNDS + 1):
                found = measure(servers, crowds, scene)
                if number:  # the first warms up
                    rounds.append(found)
        print(
            f"\n{count} sockets in one room   {'per CPU-second':>16}{'p50 ms':>9}{'p99 ms':>9}"
            f"{'a second, sustained':>22}"
        )
        for name in NAMES:
            of = [found[name] for found in rounds]
            print(
                f"  {name:22}{statistics.median(one.per_cpu_second for one in of):18,.0f}"
                f"{statistics.median(one.p50 for one in of) * 1_000:9.1f}"
                f"{statistics.median(one.p99 for one in of) * 1_000:9.1f}"
                f"{statistics.median(one.per_second for one in of):22,.0f}"
            )
        cpu = ratio(rounds, "ours", "channels", "per_cpu_second")
        loop = ratio(rounds, "bare", "ours", "per_cpu_second")
        print(f"  per CPU-second, {cpu:.1f} x Channels (aim 8); bare {loop:.2f} x ours (aim 1.5)")
        p99 = ratio(rounds, "ours", "bare", "p99")
        print(f"  p99, {p99:.2f} x bare (aim 1.3)")
        sustained = ratio(rounds, "ours", "bare", "per_second")
        print(f"  sustained, {sustained:.2f} of bare (aim 0.75)", flush=True)
    measure_idle(scene)


def measure_idle(scene: Scene) -> None:
    print(f"\n{IDLE} idle sockets")
    for name in NAMES:
        with serving(name) as server:
            warm = server.open(scene, 50)
            time.sleep(1)
            before = server.kilobytes()
            idle = server.open(scene, IDLE)
            began, spent = time.monotonic(), -server.cpu()
            time.sleep(IDLE_SECONDS)  # some rounds of the guard
            spent = (spent + server.cpu()) / (time.monotonic() - began)
            each = (server.kilobytes() - before) / IDLE
            print(
                f"  {name:22}{each:8.1f} kB a socket, {server.kilobytes() / 1024:.0f} MB in all; "
                f"{spent:.1%} of a processor"
            )
            for socket in (*warm, *idle):
                socket.leave()
