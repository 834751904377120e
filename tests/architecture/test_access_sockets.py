"""Who hears what over the socket: what may be asked for, what may be said to whom."""

from __future__ import annotations

import ast
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from django.contrib.auth import HASH_SESSION_KEY
from django.test import Client

from community.chat import consumers, hub
from community.chat.consumers import LiveConsumer
from community.chat.guard import Allowed, Listener, look_around
from community.chat.models import RoomQuerySet
from community.groups.services import leave_group
from community.members.models import Member
from community.notifications import live as news
from community.threads import live
from community.threads.models import ThreadQuerySet
from tests.architecture.access.world import INSIDE, PEOPLE, PLACES, World

pytestmark = pytest.mark.django_db

# What a page may ask for, by the name it gives, and who gets it.
ROOM: Final = "{room.pk}"
THREAD: Final = "thread:{thread.pk}"
SUBSCRIPTIONS: Final = {
    ("open", ROOM): set(INSIDE),  # chat is for those inside, also of groups all may read
    ("invite", ROOM): set(INSIDE),
    ("hidden", ROOM): set(INSIDE),
    ("open", THREAD): set(PEOPLE) - {"guest"},
    ("invite", THREAD): set(PEOPLE) - {"guest"},
    ("hidden", THREAD): set(INSIDE),
}

# Every frame by its type: what a page may send, and who hears what is sent to pages.
FROM_PAGES: Final = {"subscribe", "unsubscribe"}
TO_PAGES: Final = {
    "subscribed": "who asked and may",
    "refused": "who asked and may not, or no longer",
    "live": "everybody: whether hints come",
    "away": "everybody: whether hints come",
    "message": "who subscribed to the room",
    "changed": "who subscribed to the room",
    "room": "who subscribed to the room",
    "posted": "who subscribed to the thread",
    "typing": "who subscribed to the thread",
    "told": "the members it names, without the names",
}


def consumer_of(member: Member) -> Any:
    """A consumer as it is once the socket is open."""
    made = LiveConsumer()
    made.member, made.language, made.rooms, made.session = member, "en", {}, (None, None)
    return made


def unawaited(name: str) -> Callable[..., Any]:
    """A method of the consumer that asks the database, as it is below its thread."""
    plain: Callable[..., Any] = LiveConsumer.__dict__[name].func
    return plain


def found(member: Member, slug: str) -> Any:
    return unawaited("_find")(consumer_of(member), slug)


def said_types(module: Any) -> set[str]:
    """The texts that stand as the type of a frame in a module: `"type": "told"`, `== "told"`."""
    types: set[str] = set()
    for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
        if isinstance(node, ast.Dict):
            types |= {
                str(value.value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
                and key.value == "type"
                and isinstance(value, ast.Constant)
            }
        asks = isinstance(node, ast.Compare) and "'type'" in ast.dump(node.left)
        if asks and isinstance(node, ast.Compare):
            for each in node.comparators:
                if isinstance(each, ast.Constant):
                    types.add(str(each.value))
    # What a server is told in ASGI's words is no frame.
    return {said for said in types if not said.startswith("websocket.")}


def test_every_frame_is_listed():
    said = set(consumers.ASKED).union(*map(said_types, (consumers, hub, live, news)))
    # What Redis itself calls a message is not a frame of ours; it has the same name.
    assert said == FROM_PAGES | set(TO_PAGES)
    assert set(hub.OF_THREADS) == {"posted", "typing"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [ROOM, THREAD])
def test_a_subscription_is_for_those_it_is_listed_for(world: World, place: str, kind: str):
    slug = world.filled(kind, place)
    heard = {name for name, member in world.people.items() if found(member, slug) is not None}
    assert heard == SUBSCRIPTIONS[place, kind]


def test_names_that_are_none_find_nothing(world: World):
    for slug in ("thread:", "thread:0", "thread:x", "thread:-1", "member:1", "", "a\x00b", "0"):
        assert found(world.people["staff"], slug) is None, slug


def heard_by(member: Member, allowed: Allowed) -> set[int | str]:
    return {room for room, readers in allowed.hears.items() if member.pk in readers}


def test_who_leaves_a_hidden_group_is_heard_no_more_at_the_next_look(world: World):
    member, spot = world.people["silenced"], world.spots["hidden"]
    socket = consumer_of(member)
    for kind in (ROOM, THREAD):
        slug = world.filled(kind, "hidden")
        socket.rooms[slug] = found(member, slug)[0]
    assert heard_by(member, look_around([socket.listener()])) == set(socket.rooms.values())
    leave_group(member=member, group=spot["group"])
    assert heard_by(member, look_around([socket.listener()])) == set()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [ROOM, THREAD])
def test_a_look_at_all_sockets_agrees_with_each_subscription(world: World, place: str, kind: str):
    slug = world.filled(kind, place)
    room = found(world.people["author"], slug)[0]
    listeners = []
    for name, member in world.people.items():
        if name != "guest":
            socket = consumer_of(member)
            socket.rooms[slug] = room
            listeners.append(socket.listener())
    allowed = look_around(listeners)
    hears = {
        name
        for name, member in world.people.items()
        if name != "guest" and member.pk in allowed.hears[room]
    }
    assert hears == SUBSCRIPTIONS[place, kind]


def test_who_is_suspended_signed_out_or_has_a_new_password_is_closed(world: World):
    member = Member.objects.get(pk=world.people["member"].pk)
    client = Client()
    client.force_login(member)
    session = client.session
    key, known = session.session_key, session[HASH_SESSION_KEY]
    here = Listener(member.pk, key, known)
    assert look_around([here]).stays(here)
    for other in (Listener(member.pk, "x" * 32, known), Listener(member.pk, key, "0" * 64)):
        assert not look_around([other]).stays(other)
    member.set_password("another long secret")
    member.save()
    assert not look_around([here]).stays(here)
    fresh = Listener(member.pk, key, member.get_session_auth_hash())
    assert look_around([fresh]).stays(fresh)
    client.logout()
    assert not look_around([fresh]).stays(fresh)
    without = Listener(member.pk)
    assert look_around([without]).stays(without)
    Member.objects.filter(pk=member.pk).update(is_active=False)
    assert not look_around([without]).stays(without)


def test_a_frame_reaches_those_of_its_room_and_news_those_it_names(world: World):
    heard: dict[str, list[Any]] = {name: [] for name in ("member", "author", "outsider")}
    own = hub.Hub()
    own.confirmed_at = time.monotonic()
    sockets = {}
    for name, said in heard.items():
        sockets[name] = consumer_of(world.people[name])
        sockets[name].offer = lambda text, said=said: said.append(json.loads(text))
        own.members[world.people[name].pk] = {sockets[name]}
    room = found(world.people["member"], world.filled(ROOM, "hidden"))[0]
    thread = found(world.people["member"], world.filled(THREAD, "hidden"))[0]
    own.rooms = {room: {sockets["member"]}, thread: {sockets["author"]}}
    for frame in (
        {"type": "changed", "room": room, "seq": 1},
        {"type": "posted", "room": thread, "number": 2, "author": 1},
        {"type": "told", "members": [world.people["outsider"].pk]},
    ):
        own.deliver(json.dumps(frame).encode())
    assert [frame["type"] for frame in heard["member"]] == ["changed"]
    assert [frame["type"] for frame in heard["author"]] == ["posted"]
    assert heard["outsider"] == [{"type": "told", "of": "news"}]


# -- the checks can fail --------------------------------------------------------------------------


def everything(rows: Any, viewer: Any) -> Any:
    """A twin of `visible_to` that forgets who asks."""
    return rows.all()


class Forgetful(Allowed):
    """A twin of what a look found, to which everybody stays."""

    def stays(self, listener: Listener) -> bool:
        return True


def look_at_nobody(listeners: Any) -> Allowed:
    """A twin of the look around that does not look: all hear what they asked for."""
    found = Forgetful()
    for one in listeners:
        for room in (*one.rooms, *(live.room_of(pk) for pk in one.threads)):
            found.hears[room].add(one.member_id)
    return found


def tell_everybody(own: Any, members: list[int], of: str) -> None:
    """A twin that tells news to whoever has a socket."""
    for sockets in own.members.values():
        for socket in sockets:
            socket.offer('{"type": "told"}')


def deliver_everywhere(own: Any, payload: bytes) -> None:
    """A twin that takes no notice of rooms."""
    for sockets in own.rooms.values():
        for socket in sockets:
            socket.offer(payload.decode())


# What forgets, its twin, and the test above that finds it.
TWINS: dict[str, tuple[Any, str, Any, Callable[..., None], tuple[Any, ...]]] = {
    "threads for all": (
        *(ThreadQuerySet, "visible_to", everything),
        *(test_a_subscription_is_for_those_it_is_listed_for, ("hidden", THREAD)),
    ),
    "rooms for all": (
        *(RoomQuerySet, "visible_to", everything),
        *(test_a_subscription_is_for_those_it_is_listed_for, ("open", ROOM)),
    ),
    "who left stays": (
        *(sys.modules[__name__], "look_around", look_at_nobody),
        *(test_who_leaves_a_hidden_group_is_heard_no_more_at_the_next_look, ()),
    ),
    "who signed out stays": (
        *(sys.modules[__name__], "look_around", look_at_nobody),
        *(test_who_is_suspended_signed_out_or_has_a_new_password_is_closed, ()),
    ),
    "news for everybody": (
        *(hub.Hub, "_tell_members", tell_everybody),
        *(test_a_frame_reaches_those_of_its_room_and_news_those_it_names, ()),
    ),
    "frames everywhere": (
        *(hub.Hub, "deliver", deliver_everywhere),
        *(test_a_frame_reaches_those_of_its_room_and_news_those_it_names, ()),
    ),
}


@pytest.mark.parametrize("twin", TWINS)
def test_what_forgets_who_may_hear_is_caught(
    world: World, monkeypatch: pytest.MonkeyPatch, twin: str
):
    owner, name, bad, finds, place = TWINS[twin]
    monkeypatch.setattr(owner, name, bad)
    with pytest.raises(AssertionError):
        finds(world, *place)


def test_a_frame_nobody_listed_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    twin = tmp_path / "live.py"
    twin.write_text('announce("shoal:members", {"type": "whisper", "html": html})\n')
    monkeypatch.setattr(sys.modules[__name__], "news", SimpleNamespace(__file__=str(twin)))
    with pytest.raises(AssertionError):
        test_every_frame_is_listed()
