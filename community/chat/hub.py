"""The hub: from Redis to the sockets of this process.

One subscription a process and one frame encoded once a language for everybody in the room; what it
costs beside Channels' groups is measured in tests/bench/bench_fanout.py. What passes here is a
hint; a page asks for all after the last number it has on connect, on a gap, and when it comes back
to the front.

What is said goes only to those whose rights were found to stand within the last
guard.CONFIRMED_SECONDS. When nobody can be asked, the database being away, it waits for the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.utils.translation import override

from community.chat import guard
from community.chat.doors import CLOSE_REFUSED
from community.chat.drawing import draw_message
from community.chat.here import CHANNEL
from community.chat.models import Message, Room
from community.threads import live
from config.redis import announce, async_client

if TYPE_CHECKING:
    from community.chat.consumers import LiveConsumer
    from community.members.models import Member

log = structlog.stdlib.get_logger(__name__)

RETRY_SECONDS: Final = 1.0
PING_SECONDS: Final = 5.0
OF_THREADS: Final = ("posted", "typing")
OF_THE_MOMENT: Final = ("typing", "writing")  # not worth telling later
HELD_FRAMES: Final = 100  # no more than any reader who keeps up can take at once
OPENED_ELSEWHERE: Final = "Opened elsewhere."


def announce_message(message: Message) -> None:
    """Tell every process of a message, rendered once a language. Best effort: Redis may be away."""
    html: dict[str, str] = {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            html[code] = draw_message(message)
    announce(
        CHANNEL,
        {
            "type": "message",
            "room": message.room_id,
            "seq": message.seq,
            "key": str(message.client_key) if message.client_key else None,
            "sender": message.sender.handle,
            "html": html,
        },
    )


def announce_change(message: Message) -> None:
    """Tell every process that something happened to a message: pages ask what it is now."""
    announce(
        CHANNEL,
        {
            "type": "changed",
            "room": message.room_id,
            "seq": message.seq,
            "change": message.change,
        },
    )


def announce_room(room: Room) -> None:
    """Tell every process that what a room allows has changed: pages fetch its head again."""
    announce(CHANNEL, {"type": "room", "room": room.pk})


def announce_reading(room: Room, member: Member) -> None:
    """Tell the member's own pages that what they have not read of a room has changed.

    Per member, not per room: nobody learns when somebody else reads.
    """
    announce(CHANNEL, {"type": "told", "members": [member.pk], "of": "chat"})


class Hub:
    """The sockets of this process by room and by member, and the task that feeds them."""

    def __init__(self) -> None:
        # By a room's id, or by the name of an open thread.
        self.rooms: dict[int | str, set[LiveConsumer]] = {}
        self.members: dict[int, set[LiveConsumer]] = {}
        self.task: asyncio.Task[None] | None = None
        self.guarding: asyncio.Task[None] | None = None
        self.live = False  # whether the subscription stands
        self.confirmed_at = 0.0  # when rights were asked, the last time there was an answer
        self.held: deque[dict[str, Any]] = deque()  # what waits for the next answer
        self.missed = False  # whether more had to wait than was held

    def join(self, room_id: int | str, socket: LiveConsumer) -> None:
        self.rooms.setdefault(room_id, set()).add(socket)
        self._ensure_listening()

    def meet(self, socket: LiveConsumer) -> None:
        """Let a socket hear what is for its member alone, until `part`.

        Above SOCKETS_PER_MEMBER the oldest gives way: the newest is the page that is looked at.
        """
        sockets = self.members.setdefault(socket.member.pk, set())
        sockets.add(socket)
        open_ones = [one for one in sockets if not one.closing]
        if len(open_ones) > settings.SOCKETS_PER_MEMBER:
            oldest = min(open_ones, key=lambda one: one.opened)
            oldest.end(CLOSE_REFUSED, OPENED_ELSEWHERE)
        self._ensure_listening()
        self._ensure_guarded()

    def part(self, socket: LiveConsumer) -> None:
        sockets = self.members.get(socket.member.pk)
        if sockets is not None:
            sockets.discard(socket)
            if not sockets:
                del self.members[socket.member.pk]

    def _ensure_listening(self) -> None:
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._listen())

    def _ensure_guarded(self) -> None:
        if self.guarding is None or self.guarding.done():
            self.confirmed_at = time.monotonic()  # each was let in just now
            self.guarding = asyncio.get_running_loop().create_task(self._guard())

    async def _guard(self) -> None:
        """Ask again who may hear what, as long as anybody listens."""
        began = time.monotonic()
        while self.members:
            # From start to start, so that a slow answer does not put off the next question.
            spent = time.monotonic() - began
            await asyncio.sleep(max(guard.ROUND_SECONDS - spent, guard.ROUND_SECONDS / 5))
            began = time.monotonic()
            asked = {s: s.listener() for each in self.members.values() for s in each}
            try:
                allowed = await database_sync_to_async(guard.look_around)(asked.values())
                for socket, listener in asked.items():
                    socket.judge(allowed, listener)
            except Exception as error:
                # The database is away; it is asked again in a moment.
                log.warning("hub_could_not_ask", error=type(error).__name__)
            else:
                self.confirmed_at = began
                self._let_go()

    def _is_confirmed(self) -> bool:
        return time.monotonic() - self.confirmed_at <= guard.CONFIRMED_SECONDS

    def _hold(self, frame: dict[str, Any]) -> None:
        """Keep a frame until rights are confirmed; too many, and pages will ask for all."""
        if frame.get("type") in OF_THE_MOMENT:
            return
        if len(self.held) < HELD_FRAMES:
            self.held.append(frame)
        else:
            self.missed = True

    def _let_go(self) -> None:
        """Say what waited, in its order."""
        held, self.held = self.held, deque()
        for frame in held:
            self._say(frame)
        if self.missed:
            self.missed = False
            self.tell_all({"type": "live"})

    def leave(self, room_id: int | str, socket: LiveConsumer) -> None:
        sockets = self.rooms.get(room_id)
        if sockets is not None:
            sockets.discard(socket)
            if not sockets:
                del self.rooms[room_id]

    def deliver(self, payload: bytes) -> None:
        """Hand one frame to every socket of its room, or hold it till rights are confirmed."""
        try:
            frame = json.loads(payload)
            if frame.get("type") == "told":
                self._tell_members(frame["members"], frame.get("of", "news"))
                return
            room_of_frame(frame)
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("hub_frame_unreadable")
            return
        if self.held or not self._is_confirmed():
            self._hold(frame)
        else:
            self._say(frame)

    def _say(self, frame: dict[str, Any]) -> None:
        """Hand a frame to its room, each in the language of its page, encoded once for all.

        Members in its `unless` do not hear it, nor does anybody hear of that.
        """
        deaf = set(frame.pop("unless", ()))
        said = frame.get("html")
        texts: dict[str, str] = {}
        for socket in tuple(self.rooms.get(room_of_frame(frame), ())):
            if deaf and socket.member.pk in deaf:
                continue
            code = socket.language if isinstance(said, dict) else ""
            text = texts.get(code)
            if text is None:
                spoken = {**frame, "html": said.get(code)} if isinstance(said, dict) else frame
                text = texts[code] = json.dumps(spoken, separators=(",", ":"))
            socket.offer(text)

    def _tell_members(self, members: list[int], of: str) -> None:
        """Say "there is news" to each member's own sockets, and not to whom else it was said.

        `of` is what to ask for again: "news" for notifications, "chat" for what is unread there.
        """
        text = json.dumps({"type": "told", "of": of}, separators=(",", ":"))
        for member_id in members:
            for socket in tuple(self.members.get(member_id, ())):
                socket.offer(text)

    def tell_all(self, frame: dict[str, object]) -> None:
        text = json.dumps(frame, separators=(",", ":"))
        sockets = (*self.rooms.values(), *self.members.values())
        for socket in {socket for each in sockets for socket in each}:
            socket.offer(text)

    async def _listen(self) -> None:
        while True:
            client = async_client(answer_seconds=None)
            try:
                async with client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL, live.CHANNEL)
                    self.live = True
                    # Whatever was sent while nobody listened is asked for by number.
                    self.tell_all({"type": "live"})
                    asked = False
                    while True:
                        told = await subscription.get_message(timeout=PING_SECONDS)
                        if told is None:
                            # A frozen Redis keeps its connections; only silence tells.
                            if asked:
                                raise TimeoutError
                            await subscription.ping()
                        asked = told is None
                        if told is not None and told["type"] == "message":
                            self.deliver(told["data"])
            except asyncio.CancelledError:
                raise
            except Exception as error:
                if self.live:
                    log.warning("hub_lost_redis", error=type(error).__name__)
                    self.live = False
                    self.tell_all({"type": "away"})
            finally:
                self.live = False
                with contextlib.suppress(Exception):
                    await client.aclose()
            await asyncio.sleep(RETRY_SECONDS * (0.5 + random.random()))  # noqa: S311


def room_of_frame(frame: dict[str, Any]) -> int | str:
    """The room as the hub knows it. Raises ValueError, KeyError or TypeError when there is none."""
    return str(frame["room"]) if frame.get("type") in OF_THREADS else int(frame["room"])


hub = Hub()
