"""The socket: one per page, for the rooms and the thread the page shows. Writes come by HTTP."""

from __future__ import annotations

import asyncio
import json
import time
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError

from community.chat.doors import CLOSE_REFUSED, address_of, doors, refuse
from community.chat.guard import Allowed, Listener, cookies_of, who_opens
from community.chat.hub import hub
from community.chat.models import Room
from community.members.models import Member
from community.threads.live import room_of
from community.threads.models import Thread
from config.languages import language_of_socket
from config.paging import whole_number

log = structlog.stdlib.get_logger(__name__)

QUEUE_FRAMES: Final = 100
FRAMES_PER_SECOND: Final = 10
FRAMES_BURST: Final = 20
ROOMS_PER_SOCKET: Final = 20
FRAME_MAX_CHARS: Final = 4_096
NAME_MAX_CHARS: Final = 100
# So long a closed socket has to take what it was sent; then it is cut off.
GOODBYE_SECONDS: Final = 3.0
ASKED: Final = ("subscribe", "unsubscribe")
THREAD: Final = room_of(0).removesuffix("0")  # no name of a group has a colon

CLOSE_TRY_AGAIN: Final = 1013
CLOSE_SIGNED_OUT: Final = 4401

UNKNOWN_FRAME: Final = "Not a frame this socket knows."
DATABASE_AWAY: Final = "The database is away."

Event = dict[str, Any]
Send = Callable[[Event], Coroutine[Any, Any, None]]
Receive = Callable[[], Awaitable[Event]]


class LiveConsumer:
    """Relays rooms and threads to a signed-in member.

    In: `{"type": "subscribe", "room": <name>}` and `unsubscribe`; a room's name is its id in
    digits, an open thread's `thread:<id>`.
    Out: `subscribed` with the room's or thread's last number, `message`, `changed`, of threads
    `posted` and `typing`, `live`, `away`, `refused`, and `told` when there is news for
    the member alone. Rights are asked again every few seconds (chat.guard).

    How it ends, each with a reason in words:
    - 4401: signed out, suspended, or a guest. There is nothing to come back to.
    - 1008: refused by a rule; poll instead, and try again when the page is looked at. Too many
      sockets from one address; too many of one member, when the oldest gives way to the newest
      ("Opened elsewhere": the page somebody has just opened is the one they look at); or hostile:
      binary, too long, too many frames.
    - 1013 and all others: try again in a while, polling meanwhile. 1013 is a reader who was too
      slow, or the database away. The handshake is refused with 403 (another site's page), 429 (an
      address that opens sockets too fast) or 503 (the database away), which a browser shows as
      1006.
    """

    member: Member
    language: str
    session: tuple[str | None, str | None]
    rooms: dict[str, int | str]  # by the name the page used
    send: Send

    # What most sockets never have stands here, not in each.
    closing = False
    opened = 0.0
    waiting: deque[str] | None = None  # what goes out when `sender` is done
    sender: asyncio.Task[None] | None = None
    farewell: asyncio.Task[None] | None = None
    tokens = float(FRAMES_BURST)
    filled_at = 0.0

    @classmethod
    def as_asgi(cls) -> Callable[[Any, Receive, Send], Coroutine[Any, Any, None]]:
        async def application(scope: Any, receive: Receive, send: Send) -> None:
            await cls().run(scope, receive, send)

        return application

    async def run(self, scope: Any, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        address = address_of(scope)
        if not doors.may_knock(address):
            await refuse(scope, receive, send, 429, "Too many sockets at once from this address.")
        elif not doors.enter(address):
            await _turn_away(send, CLOSE_REFUSED, "Too many sockets from this address.")
        else:
            try:
                await self._open(scope, receive, send)
            finally:
                doors.leave(address)

    async def _open(self, scope: Any, receive: Receive, send: Send) -> None:
        try:
            opener = await database_sync_to_async(who_opens)(scope)
        except (DatabaseError, InterfaceError) as error:
            log.warning("socket_could_not_ask", error=type(error).__name__)
            await refuse(scope, receive, send, 503, DATABASE_AWAY)
            return
        if opener is None:
            await _turn_away(send, CLOSE_SIGNED_OUT, "Signed out.")
            return
        self.member = opener.member
        self.session = (opener.session_key, opener.session_hash)
        self.language = language_of_socket(
            {**scope, "cookies": cookies_of(scope), "user": opener.member}
        )
        self.rooms, self.send, self.opened = {}, send, time.monotonic()
        await send({"type": "websocket.accept"})
        hub.meet(self)
        try:
            while (event := await receive())["type"] != "websocket.disconnect":
                if not self.closing:  # what a closed one goes on saying is not read
                    await self._hear(event)
        finally:
            self.closing = True
            hub.part(self)
            for room_id in self.rooms.values():
                hub.leave(room_id, self)

    async def _hear(self, event: Event) -> None:
        text = event.get("text")
        if text is None:
            self.end(CLOSE_REFUSED, "Text only.")
        elif len(text) > FRAME_MAX_CHARS:
            self.end(CLOSE_REFUSED, "A frame too long.")
        elif not self._may_speak():
            self.end(CLOSE_REFUSED, "Too many frames.")
        elif (said := _read(text)) is None:
            self.offer_frame({"type": "refused", "why": UNKNOWN_FRAME})
        else:
            kind, name = said
            if kind == "subscribe":
                await self._subscribe(name)
            else:
                self._leave(name)

    def _leave(self, name: str) -> None:
        if (room_id := self.rooms.pop(name, None)) is not None:
            hub.leave(room_id, self)

    async def _subscribe(self, name: str) -> None:
        if len(self.rooms) >= ROOMS_PER_SOCKET and name not in self.rooms:
            self.offer_frame({"type": "refused", "room": name, "why": "Too many rooms at once."})
            return
        try:
            found = await self._find(name)
            if found is not None:
                self.rooms[name] = found[0]
                hub.join(found[0], self)
                # What was told between the answer and this reached nobody here: the number is asked
                # for again, so that the page sees that it lacks something.
                found = await self._find(name)
        except (DatabaseError, InterfaceError):
            self.end(CLOSE_TRY_AGAIN, DATABASE_AWAY)
            return
        if found is None:
            self._leave(name)
            self.offer_frame({"type": "refused", "room": name, "why": "There is no such room."})
            return
        room_id, last_seq = found
        self.offer_frame(
            {
                "type": "subscribed",
                "room": room_id,
                "name": name,
                "seq": last_seq,
                "live": hub.live,
            }
        )

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _find(self, name: str) -> tuple[int | str, int] | None:
        if name.startswith(THREAD):
            thread_id = whole_number(name.removeprefix(THREAD))
            if thread_id is None:
                return None
            threads = Thread.objects.visible_to(self.member).filter(pk=thread_id)
            last = threads.values_list("last_number", flat=True).first()
            return None if last is None else (room_of(thread_id), last)
        room_id = whole_number(name)
        if room_id is None:
            return None
        rooms = Room.objects.visible_to(self.member).filter(pk=room_id)
        return rooms.values_list("pk", "last_seq").first()

    def listener(self) -> Listener:
        """What the guard asks of this socket."""
        rooms = [room for room in self.rooms.values() if isinstance(room, int)]
        threads = [int(name.removeprefix(THREAD)) for name in self.rooms if THREAD in name]
        return Listener(
            self.member.pk, *self.session, rooms=frozenset(rooms), threads=frozenset(threads)
        )

    def judge(self, allowed: Allowed, asked: Listener) -> None:
        """Go, or leave the rooms of `asked` that one may no longer hear."""
        if not allowed.stays(asked):
            self.end(CLOSE_SIGNED_OUT, "Signed out.")
            return
        names = {*asked.rooms, *(room_of(pk) for pk in asked.threads)}
        for name, room_id in tuple(self.rooms.items()):
            # One that was subscribed to in the meantime was asked about then.
            if room_id in names and self.member.pk not in allowed.hears[room_id]:
                self._leave(name)
                self.offer_frame({"type": "refused", "room": name, "why": "You left it."})

    def end(self, code: int, why: str) -> None:
        """Close it; nothing more is sent, what waits is dropped."""
        if self.closing:
            return
        self.closing = True
        self.waiting = None
        self.farewell = asyncio.get_running_loop().create_task(self._say_goodbye(code, why))
        self._cut_off_later()

    async def _say_goodbye(self, code: int, why: str) -> None:
        try:
            if self.sender is not None:
                await asyncio.wait([self.sender])  # it may not be overtaken
            await self.send({"type": "websocket.close", "code": code, "reason": why})
        except Exception:
            log.debug("socket_gone")

    def _cut_off_later(self) -> None:
        """Give up on a reader who takes nothing, not even the word that it is closed.

        ASGI has no word for that: uvicorn would hold what was not read until the reader goes.
        """
        transport = getattr(getattr(self.send, "__self__", None), "transport", None)
        if transport is not None:
            asyncio.get_running_loop().call_later(GOODBYE_SECONDS, transport.abort)

    def offer_frame(self, frame: dict[str, Any]) -> None:
        self.offer(json.dumps(frame, separators=(",", ":")))

    def offer(self, text: str) -> None:
        """Send a frame at once, or queue it behind one that waits; never blocks.

        The server's send is stepped by hand: as long as the reader keeps up it has nothing to wait
        for, and a task a socket would double what a frame costs. A full queue means a reader too
        slow to wait for.
        """
        if self.closing:
            return
        if self.sender is not None:
            if self.waiting is None:
                self.waiting = deque()
            if len(self.waiting) < QUEUE_FRAMES:
                self.waiting.append(text)
            else:
                self.end(CLOSE_TRY_AGAIN, "Too slow.")
            return
        sending = self.send({"type": "websocket.send", "text": text})
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except Exception:
            self._lose()
            return
        rest = self._send_rest(sending, waits_for)
        self.sender = asyncio.get_running_loop().create_task(rest)

    async def _send_rest(self, sending: Coroutine[Any, Any, None], waits_for: Any) -> None:
        """Go on with a send that has to wait, then with what was queued behind it, in order."""
        try:
            await _go_on(sending, waits_for)
            while self.waiting:
                text = self.waiting.popleft()
                await self.send({"type": "websocket.send", "text": text})
        except Exception:
            self._lose()
        self.waiting = self.sender = None

    def _lose(self) -> None:
        """The reader is gone; the server will say so too, once it has noticed."""
        self.closing = True
        self._cut_off_later()

    def _may_speak(self) -> bool:
        now = time.monotonic()
        self.tokens = min(FRAMES_BURST, self.tokens + (now - self.filled_at) * FRAMES_PER_SECOND)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@types.coroutine
def _go_on(sending: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Await the rest of a coroutine whose first step was made by hand and gave `waits_for`."""
    try:
        yield waits_for
    except BaseException:
        sending.close()
        raise
    yield from sending.__await__()


def _read(text: str) -> tuple[str, str] | None:
    """Return what a frame asks and of which room; None when it is none of ours."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frame, dict):
        return None
    kind, name = frame.get("type"), frame.get("room")
    if kind not in ASKED or not isinstance(name, str):
        return None
    return (kind, name) if len(name) <= NAME_MAX_CHARS else None


async def _turn_away(send: Send, code: int, why: str) -> None:
    """Close with a code that a browser can read: only what was accepted has one."""
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code, "reason": why})
