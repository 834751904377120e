"""The socket: who is let in, what is heard in which order, how it ends and what is told of it."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.chat import consumers, guard
from community.chat import hub as hub_module
from community.chat.consumers import LiveConsumer
from community.chat.doors import Doors, address_of, is_ours
from community.chat.guard import Allowed, who_opens
from community.chat.hub import Hub
from community.chat.models import Room
from community.chat.rooms import leave_room, room_beside, room_of, room_with
from community.groups.models import Group
from community.groups.services import leave_group
from community.members.models import Member
from community.routing import sockets
from community.threads.models import Thread
from config.sockets import UVICORN
from moderation.sanctions.services import suspend
from tests.factories import join, make_group, make_member, make_thread
from tests.sockets import SocketClient, in_a_loop_of_its_own

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]


def socket_of(member: object, **scope: Any) -> SocketClient:
    return SocketClient(LiveConsumer.as_asgi(), member, **scope)


@pytest.fixture
def quiet_hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that does not listen to Redis: frames come by hand."""
    hub = Hub()

    async def nothing() -> None:
        return None

    monkeypatch.setattr(hub, "_listen", nothing)
    monkeypatch.setattr(consumers, "hub", hub)
    monkeypatch.setattr(consumers, "doors", Doors())
    return hub


async def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until it is true; the time only ends a test that fails."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come true in time"
        await asyncio.sleep(0.005)


# -- what is heard ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_a_member_hears_their_room_and_nothing_else(quiet_hub: Hub):
    def cast() -> tuple[Member, Room, Room]:
        ada, here, elsewhere = make_member("ada"), make_group("here"), make_group("elsewhere")
        join(ada, here)
        return ada, room_of(here), room_of(elsewhere)

    ada, room, other = await sync_to_async(cast)()
    socket = socket_of(ada)
    assert await socket.connect() is None
    await socket.say({"type": "subscribe", "room": str(room.pk)})
    assert await socket.hear() == {
        "type": "subscribed",
        "room": room.pk,
        "name": str(room.pk),
        "seq": 0,
        "live": False,
    }
    # A room one may not see is answered as one that is not there.
    for name in (str(other.pk), "here", "9" * 30, "nul\x00", "half\ud800"):
        await socket.say({"type": "subscribe", "room": name})
        assert await socket.hear() == {
            "type": "refused",
            "room": name,
            "why": "There is no such room.",
        }
    quiet_hub.deliver(b'{"type":"message","room":%d,"seq":9}' % other.pk)
    quiet_hub.deliver(b'{"type":"message","room":%d,"seq":1}' % room.pk)
    assert (await socket.hear())["seq"] == 1
    await socket.say({"type": "unsubscribe", "room": str(room.pk)})
    await until(lambda: quiet_hub.rooms == {})
    quiet_hub.deliver(b'{"type":"message","room":%d,"seq":2}' % room.pk)
    assert await socket.receive_nothing()
    await socket.leave()
    assert quiet_hub.members == {}


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_what_is_told_while_somebody_subscribes_is_in_the_number_they_get(
    quiet_hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    def cast() -> tuple[Member, Room]:
        ada, group = make_member("ada"), make_group("here")
        join(ada, group)
        return ada, room_of(group)

    ada, room = await sync_to_async(cast)()
    find = LiveConsumer.__dict__["_find"]

    async def find_and_miss(self: LiveConsumer, name: str) -> tuple[int | str, int] | None:
        found: tuple[int | str, int] | None = await find(self, name)
        if not quiet_hub.rooms:
            # Committed and told after the answer, before this socket is in the room.
            await Room.objects.filter(pk=room.pk).aupdate(last_seq=1)
            quiet_hub.deliver(b'{"type":"message","room":%d,"seq":1}' % room.pk)
        return found

    monkeypatch.setattr(LiveConsumer, "_find", find_and_miss)
    socket = socket_of(ada)
    assert await socket.connect() is None
    await socket.say({"type": "subscribe", "room": str(room.pk)})
    told = await socket.hear()
    assert (told["type"], told["seq"]) == ("subscribed", 1)
    await socket.leave()


class Server:
    """A server's end of a socket: takes frames while it is `open`, as uvicorn does while its
    buffer has room."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.events: list[dict[str, Any]] = []
        self.gone = False

    async def send(self, event: dict[str, Any]) -> None:
        await self.open.wait()
        if self.gone:
            raise OSError("the reader is gone")
        self.events.append(event)

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.events if "text" in event]


def consumer_at(server: Server) -> LiveConsumer:
    made = LiveConsumer()
    made.send, made.language, made.rooms = server.send, "en", {}
    return made


@in_a_loop_of_its_own
async def test_frames_keep_their_order_whether_they_wait_or_not():
    server = Server()
    socket = consumer_at(server)
    for number in range(3):
        socket.offer(str(number))
    # Sent before offer came back, without a task.
    assert (server.texts, socket.sender) == (["0", "1", "2"], None)
    server.open.clear()
    for number in range(3, 60):
        socket.offer(str(number))
    assert len(server.texts) == 3
    server.open.set()
    socket.offer("60")  # may not overtake what waits, though the way is free again
    await until(lambda: socket.sender is None)
    socket.offer("61")
    assert server.texts == [str(number) for number in range(62)]


@in_a_loop_of_its_own
async def test_what_waits_is_given_up_when_the_server_stops_waiting():
    server = Server()
    socket = consumer_at(server)
    server.open.clear()
    socket.offer("0")
    assert socket.sender is not None
    await asyncio.sleep(0)
    socket.sender.cancel()
    with pytest.raises(asyncio.CancelledError):
        await socket.sender
    server.open.set()
    await asyncio.sleep(0)
    assert server.texts == []


@in_a_loop_of_its_own
async def test_a_reader_too_slow_is_closed_and_no_more_is_kept_for_them(quiet_hub: Hub):
    behind, ahead = Server(), Server()
    slow, quick = consumer_at(behind), consumer_at(ahead)
    for one in (slow, quick):
        quiet_hub.join(1, one)
    quiet_hub.confirmed_at = time.monotonic()
    behind.open.clear()
    for number in range(consumers.QUEUE_FRAMES + 1):
        quiet_hub.deliver(b'{"room":1,"seq":%d}' % number)
    assert (slow.closing, len(slow.waiting or ())) == (False, consumers.QUEUE_FRAMES)
    quiet_hub.deliver(b'{"room":1,"seq":101}')
    assert (slow.closing, slow.waiting) == (True, None)
    assert len(ahead.texts) == consumers.QUEUE_FRAMES + 2
    behind.open.set()
    await until(lambda: len(behind.events) == 2)
    assert behind.events == [
        {"type": "websocket.send", "text": '{"room":1,"seq":0}'},
        {"type": "websocket.close", "code": 1013, "reason": "Too slow."},
    ]


@in_a_loop_of_its_own
async def test_a_reader_who_is_gone_is_sent_nothing_more():
    server = Server()
    socket = consumer_at(server)
    server.gone = True
    socket.offer("0")
    assert socket.closing
    server.gone = False
    socket.offer("1")
    assert server.events == []


@in_a_loop_of_its_own
async def test_each_hears_in_the_language_of_their_page(quiet_hub: Hub):
    servers = Server(), Server()
    english, chinese = (consumer_at(server) for server in servers)
    chinese.language = "zh-hans"
    quiet_hub.rooms = {1: {english, chinese}}
    quiet_hub.confirmed_at = time.monotonic()
    quiet_hub.deliver(b'{"type":"message","room":1,"seq":1,"html":{"en":"a","zh-hans":"b"}}')
    assert [json.loads(server.texts[0])["html"] for server in servers] == ["a", "b"]
    for payload in (b"{", b"[]", b'"x"', b'{"type":"message"}', b'{"room":"x"}', b'{"room":null}'):
        quiet_hub.deliver(payload)  # none of ours: nobody hears it, nothing falls over
    assert [len(server.texts) for server in servers] == [1, 1]


# -- what is said to it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "",
        "null",
        "[" * 4_000,
        '{"room":' + '{"a":' * 600 + "1" + "}" * 601,
        '"x"',
        '{"type":"subscribe"}',
        '{"type":"subscribe","room":7}',
        '{"type":"subscribe","room":["1"]}',
        '{"type":{"a":1},"room":"1"}',
        '{"type":["subscribe"],"room":"1"}',
        '{"type":null,"room":"1"}',
        '{"type":"fly","room":"here"}',
        '{"type":"subscribe","room":"' + "1" * 101 + '"}',
    ],
)
@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_a_frame_that_is_none_is_refused_and_the_socket_stands(quiet_hub: Hub, frame: str):
    socket = socket_of(await sync_to_async(make_member)("ada"))
    await socket.connect()
    await socket.say(frame)
    assert await socket.hear() == {"type": "refused", "why": "Not a frame this socket knows."}
    await socket.say({"type": "subscribe", "room": "0"})
    assert (await socket.hear())["why"] == "There is no such room."
    await socket.leave()


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_binary_oversized_and_hurried_frames_close_the_socket(quiet_hub: Hub):
    ada = await sync_to_async(make_member)("ada")
    for frames, why in (
        ([b"\x00"], "Text only."),
        (["x" * 4_097], "A frame too long."),
        (['{"room":"x"}'] * 60, "Too many frames."),
    ):
        socket = socket_of(ada)
        await socket.connect()
        for frame in frames:
            await socket.say(frame)
        assert await socket.closed_why() == (1008, why)
        await socket.leave()


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_a_socket_hears_twenty_rooms_at_most(quiet_hub: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(consumers, "FRAMES_PER_SECOND", 1_000)

    def cast() -> tuple[Member, list[Room]]:
        ada, group = make_member("ada"), make_group("here")
        join(ada, group)
        rooms = [Room(kind="group", group=group, slug=f"r{number}") for number in range(21)]
        return ada, Room.objects.bulk_create(rooms)

    ada, rooms = await sync_to_async(cast)()
    socket = socket_of(ada)
    await socket.connect()
    told = []
    for room in (*rooms, rooms[0]):
        await socket.say({"type": "subscribe", "room": str(room.pk)})
        told.append(await socket.hear())
    assert [one["type"] for one in told] == ["subscribed"] * 20 + ["refused", "subscribed"]
    assert told[20]["why"] == "Too many rooms at once."
    await socket.leave()


# -- who is let in ------------------------------------------------------------------------------


@in_a_loop_of_its_own
async def test_a_guest_is_told_in_a_way_a_browser_can_read(quiet_hub: Hub):
    socket = socket_of(AnonymousUser())
    assert await socket.connect() is None  # a browser reads no code of what was never opened
    assert await socket.closed_why() == (4401, "Signed out.")
    assert quiet_hub.members == {}


def scope_of(key: str | None, settings: Any) -> dict[str, Any]:
    cookie = f"other=1; {settings.SESSION_COOKIE_NAME}={key}".encode()
    return {"headers": [(b"cookie", cookie)] if key else []}


def test_a_socket_belongs_to_whose_session_its_cookie_names(ada: Member, settings: Any):
    client = Client()
    client.force_login(ada)
    scope = scope_of(client.session.session_key, settings)
    with CaptureQueriesContext(connection) as spent:
        opener = who_opens(scope)
    assert opener is not None
    assert (opener.member, len(spent)) == (ada, 2)
    with CaptureQueriesContext(connection) as spent:
        assert who_opens(scope_of(None, settings)) is None
    assert len(spent) == 0
    assert who_opens(scope_of("x" * 32, settings)) is None
    # Signed with a key that was replaced meanwhile: in, and the session is left as it was.
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another " * 8
    assert who_opens(scope) == opener
    assert Session.objects.filter(pk=client.session.session_key).exists()
    settings.SECRET_KEY_FALLBACKS = []
    assert who_opens(scope) is None


def close_account(ada: Member, client: Client, mo: Member) -> None:
    Member.objects.filter(pk=ada.pk).update(is_active=False)


def sign_out(ada: Member, client: Client, mo: Member) -> None:
    client.logout()


def new_password(ada: Member, client: Client, mo: Member) -> None:
    ada.set_password("another long secret")
    ada.save()


def ban(ada: Member, client: Client, mo: Member) -> None:
    suspend(member=ada, by=mo, reason="Sold the same lens twice.")


def backend_gone(ada: Member, client: Client, mo: Member) -> None:
    session = client.session
    session["_auth_user_backend"] = "community.gone.Backend"
    session.save()


ENDS = (close_account, sign_out, new_password, ban, backend_gone)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_who_may_not_come_in_is_a_guest(end: Any, ada: Member, keeper: Member, settings: Any):
    client = Client()
    client.force_login(ada)
    scope = scope_of(client.session.session_key, settings)
    assert who_opens(scope) is not None
    end(ada, client, keeper)
    assert who_opens(scope) is None


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_the_oldest_socket_gives_way_to_the_sixth(quiet_hub: Hub):
    ada, bo = await sync_to_async(lambda: (make_member("ada"), make_member("bo")))()
    mine = [socket_of(ada) for _ in range(6)]
    others = socket_of(bo)
    await others.connect()
    for socket in mine[:5]:
        await socket.connect()
    assert await mine[0].receive_nothing()
    await mine[5].connect()
    assert await mine[0].closed_why() == (1008, "Opened elsewhere.")
    await mine[0].leave()
    await mine[2].leave()
    back = socket_of(ada)
    await back.connect()  # there is room again
    quiet_hub.tell_all({"type": "live"})
    for socket in (mine[1], *mine[3:], back, others):
        assert await socket.hear() == {"type": "live"}
        await socket.leave()
    assert quiet_hub.members == {}


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_a_socket_is_refused_while_the_database_is_away(
    quiet_hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    def away(*_args: object) -> Any:
        raise OperationalError("away")

    ada = await sync_to_async(make_member)("ada")
    socket = socket_of(ada)
    await socket.connect()
    monkeypatch.setattr(Room.objects, "visible_to", away)
    await socket.say({"type": "subscribe", "room": "1"})
    assert await socket.closed_why() == (1013, "The database is away.")
    await socket.leave()
    monkeypatch.setattr(consumers, "who_opens", away)
    late = socket_of(ada, extensions={"websocket.http.response": {}})
    await late.send_input({"type": "websocket.connect"})
    assert (await late.receive_output(5))["status"] == 503
    assert (await late.receive_output(5))["body"] == b"The database is away."
    for _ in range(2):
        await late.send_input({"type": "websocket.disconnect", "code": 1006})
    await late.wait(5)


def test_an_address_opens_so_many_and_so_fast(settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.SOCKET_CONNECTS_PER_SECOND, settings.SOCKET_CONNECTS_BURST = 10, 40
    settings.SOCKETS_PER_ADDRESS = 2
    now = 1_000.0
    monkeypatch.setattr("community.chat.doors.time.monotonic", lambda: now)
    doors = Doors()
    assert [doors.may_knock("192.0.2.1") for _ in range(42)] == [True] * 40 + [False] * 2
    assert doors.may_knock("192.0.2.2")
    assert doors.may_knock(None)
    now += 0.05
    assert not doors.may_knock("192.0.2.1")
    now += 0.06  # a flood that goes on does not keep others of the address out
    assert doors.may_knock("192.0.2.1")
    assert not doors.may_knock("192.0.2.1")
    assert [doors.enter("a"), doors.enter("a"), doors.enter("a"), doors.enter("b")] == [
        *(True, True, False, True)
    ]
    doors.leave("a")
    doors.leave("b")
    assert doors.enter("a")
    assert [doors.enter(None) for _ in range(9)] == [True] * 9
    assert dict(doors.held) == {"a": 2}


def test_doors_remember_a_bounded_number_of_addresses(
    settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.SOCKET_CONNECTS_PER_SECOND, settings.SOCKET_CONNECTS_BURST = 10, 40
    now = 1_000.0
    monkeypatch.setattr("community.chat.doors.time.monotonic", lambda: now)
    monkeypatch.setattr("community.chat.doors.ADDRESSES_REMEMBERED", 100)
    doors = Doors()
    for number in range(60):
        doors.may_knock(f"old {number}")
    now += 5
    for number in range(1_000):
        doors.may_knock(f"new {number}")
        assert len(doors.knocks) <= 100


@pytest.mark.parametrize(
    ("client", "forwarded", "proxies", "address"),
    [
        (("192.0.2.7", 1), b"203.0.113.1", 0, "192.0.2.7"),
        (("10.0.0.1", 1), b"198.51.100.1, 203.0.113.1", 1, "203.0.113.1"),
        (("10.0.0.1", 1), b"198.51.100.1, 203.0.113.1", 2, "198.51.100.1"),
        (("10.0.0.1", 1), b"", 1, "10.0.0.1"),
        (("10.0.0.1", 1), b"not an address", 1, None),
        (("2001:db8:1:2:3:4:5:6", 1), b"", 0, "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 1), b"", 0, "192.0.2.7"),
        (None, b"", 0, None),
    ],
)
def test_the_address_is_the_callers_and_not_what_they_say(
    client: Any, forwarded: bytes, proxies: int, address: str | None, settings: Any
):
    settings.TRUSTED_PROXIES = proxies
    headers = [(b"x-forwarded-for", forwarded)] if forwarded else []
    assert address_of({"client": client, "headers": headers}) == address


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("https://shoal.example", True),
        ("https://shoal.example:8443", True),
        ("https://[2001:db8::1]", True),
        ("https://trusted.example", True),
        ("http://shoal.example", False),
        ("https://shoal.example.evil.example", False),
        ("https://evil.example/shoal.example", False),
        ("https://evil.example", False),
        ("https://shoal.example:99999999", False),
        ("https://[", False),
        ("https://", False),
        ("null", False),
        ("", False),
        (None, False),
    ],
)
def test_a_socket_is_opened_by_pages_of_ours_only(origin: str | None, ours: bool, settings: Any):
    settings.ALLOWED_HOSTS, settings.HTTPS = ["shoal.example", "[2001:db8::1]"], True
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    said = [] if origin is None else [(b"origin", origin.encode())]
    assert is_ours({"headers": said}) is ours
    assert not is_ours(
        {"headers": [*said, (b"origin", b"https://shoal.example")]} if said else {"headers": []}
    )


@in_a_loop_of_its_own
async def test_the_process_says_that_it_lives_and_has_one_socket():
    async def ask(kind: str, path: str) -> list[dict[str, Any]]:
        server = Server()

        async def receive() -> dict[str, Any]:
            return {"type": f"{kind}.connect"}

        scope: dict[str, Any] = {"type": kind, "path": path}
        scope["headers"] = [(b"origin", b"http://localhost")]
        scope["extensions"] = {"websocket.http.response": {}}
        await sockets(scope, receive, server.send)
        return server.events

    assert [event.get("status", event.get("body")) for event in await ask("http", "/healthz")] == [
        *(200, b"alive\n")
    ]
    assert (await ask("http", "/ws/"))[0]["status"] == 404
    assert (await ask("websocket", "/ws/other/"))[0]["status"] == 404


def test_docker_and_the_demo_start_uvicorn_alike():
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    found = re.search(r"^    command: (uvicorn config.asgi:application .*)$", compose, re.MULTILINE)
    assert found is not None
    assert " ".join(UVICORN) in " ".join(shlex.split(found[1]))


# -- who may stay -------------------------------------------------------------------------------


@pytest.fixture
def hurried_guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rounds that follow each other at once; the ordinary pace is what a ban may last."""
    assert guard.ROUND_SECONDS <= 2.5
    monkeypatch.setattr(guard, "ROUND_SECONDS", 0.05)
    yield


@pytest.mark.parametrize("end", ENDS[:4], ids=lambda end: end.__name__)
@pytest.mark.django_db(transaction=True)
def test_an_end_to_being_signed_in_closes_the_socket(
    end: Any, quiet_hub: Hub, hurried_guard: None, keeper: Member, settings: Any
):
    @in_a_loop_of_its_own
    async def scene() -> None:
        def cast() -> tuple[Member, Client, dict[str, Any]]:
            ada, client = make_member("ada"), Client()
            client.force_login(ada)
            return ada, client, scope_of(client.session.session_key, settings)

        ada, client, scope = await sync_to_async(cast)()
        socket = SocketClient(LiveConsumer.as_asgi(), **scope)
        assert await socket.connect() is None
        assert await socket.receive_nothing(0.3)  # it stands, rounds go by
        await sync_to_async(end)(ada, client, keeper)
        assert await socket.closed_why() == (4401, "Signed out.")
        await socket.leave()

    scene()


def leave_its_group(ada: Member, room: Room) -> None:
    assert room.group is not None
    leave_group(member=ada, group=room.group)


def leave_it(ada: Member, room: Room) -> None:
    leave_room(room=room, member=ada)


def hide_its_thread(ada: Member, room: Room) -> None:
    assert room.thread is not None
    Thread.objects.filter(pk=room.thread.pk).update(is_listed=False)


def a_group_room(ada: Member, group: Group) -> Room:
    return room_of(group)


def a_room_of_people(ada: Member, group: Group) -> Room:
    bo = make_member("bo")
    join(bo, group)
    return room_with([bo], by=ada)


def a_room_beside_a_thread(ada: Member, group: Group) -> Room:
    return room_beside(make_thread(ada, group), by=ada)


@pytest.mark.parametrize(
    ("make", "end"),
    [
        (a_group_room, leave_its_group),
        (a_room_of_people, leave_it),
        (a_room_beside_a_thread, leave_its_group),
        (a_room_beside_a_thread, hide_its_thread),
    ],
    ids=lambda one: one.__name__,
)
@pytest.mark.django_db(transaction=True)
def test_a_room_one_may_no_longer_read_is_heard_no_more(
    make: Any, end: Any, quiet_hub: Hub, hurried_guard: None
):
    @in_a_loop_of_its_own
    async def scene() -> None:
        def cast() -> tuple[Member, Room, Room]:
            ada, group, other = make_member("ada"), make_group("here"), make_group("other")
            join(ada, group)
            join(ada, other)
            return ada, make(ada, group), room_of(other)

        ada, room, other = await sync_to_async(cast)()
        socket = socket_of(ada)
        await socket.connect()
        for one in (room, other):
            await socket.say({"type": "subscribe", "room": str(one.pk)})
            assert (await socket.hear())["type"] == "subscribed"
        await sync_to_async(end)(ada, room)
        assert await socket.hear() == {
            "type": "refused",
            "room": str(room.pk),
            "why": "You left it.",
        }
        quiet_hub.deliver(b'{"type":"message","room":%d,"seq":1}' % room.pk)
        quiet_hub.deliver(b'{"type":"message","room":%d,"seq":2}' % other.pk)
        assert (await socket.hear())["seq"] == 2
        await socket.leave()

    scene()


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_what_is_said_waits_until_somebody_can_say_who_may_hear_it(
    quiet_hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(guard, "ROUND_SECONDS", 0.05)
    ask, away, asked = guard.look_around, True, 0

    def look(listeners: Any) -> Allowed:
        nonlocal asked
        asked += 1
        if away:
            raise OperationalError("away")
        return ask(listeners)

    monkeypatch.setattr(guard, "look_around", look)

    def cast() -> tuple[Member, Member, Group, Room]:
        ada, bo, here = make_member("ada"), make_member("bo"), make_group("here")
        for one in (ada, bo):
            join(one, here)
        return ada, bo, here, room_of(here)

    ada, bo, here, room = await sync_to_async(cast)()
    stays, leaves = socket_of(ada), socket_of(bo)
    for socket in (stays, leaves):
        await socket.connect()
        await socket.say({"type": "subscribe", "room": str(room.pk)})
        assert (await socket.hear())["type"] == "subscribed"
    await sync_to_async(leave_group)(member=bo, group=here)
    await until(lambda: asked > 2)
    # Within the time a finding lasts, nobody waits.
    quiet_hub.deliver(b'{"type":"message","room":%d,"seq":1}' % room.pk)
    assert [(await socket.hear())["seq"] for socket in (stays, leaves)] == [1, 1]
    quiet_hub.confirmed_at -= guard.CONFIRMED_SECONDS
    for frame in (b'"message","seq":2', b'"writing","name":"Bo"', b'"message","seq":3'):
        quiet_hub.deliver(b'{"room":%d,"type":%s}' % (room.pk, frame))
    quiet_hub.deliver(b'{"type":"told","members":[%d]}' % ada.pk)
    assert (await stays.hear())["type"] == "told"  # says nothing of anybody
    assert await stays.receive_nothing()
    assert await leaves.receive_nothing()
    away = False
    assert [(await stays.hear())["seq"] for _ in range(2)] == [2, 3]
    assert (await leaves.hear())["why"] == "You left it."
    assert await leaves.receive_nothing()
    # More than is held: pages ask for all after their last number.
    away = True
    monkeypatch.setattr(hub_module, "HELD_FRAMES", 1)
    quiet_hub.confirmed_at -= guard.CONFIRMED_SECONDS + 60
    await until(lambda: not quiet_hub._is_confirmed())
    for number in (4, 5):
        quiet_hub.deliver(b'{"type":"message","room":%d,"seq":%d}' % (room.pk, number))
    away = False
    assert (await stays.hear())["seq"] == 4
    assert await stays.hear() == {"type": "live"}
    for socket in (stays, leaves):
        await socket.leave()


def test_a_session_key_alone_is_not_enough(ada: Member, settings: Any):
    """A session without a hash, or of nobody, opens nothing."""
    client = Client()
    client.force_login(ada)
    session = client.session
    del session["_auth_user_hash"]
    session.save()
    scope = scope_of(session.session_key, settings)
    assert who_opens(scope) is None
    del session[SESSION_KEY]
    session.save()
    assert who_opens(scope) is None
