"""The socket: one per page, for the rooms and the thread the page shows. Writes come by HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from community.chat.guard import Allowed, Listener, session_of
from community.chat.hub import hub
from community.chat.models import Room
from community.members.models import Member
from community.threads.live import room_of
from community.threads.models import Thread
from config.languages import language_of_socket
from config.paging import whole_number

QUEUE_FRAMES: Final = 100
FRAMES_PER_SECOND: Final = 10
FRAMES_BURST: Final = 20
ROOMS_PER_SOCKET: Final = 20
FRAME_MAX_CHARS: Final = 4_096
THREAD: Final = room_of(0).removesuffix("0")  # no name of a group has a colon

CLOSE_TOO_SLOW: Final = 1013
CLOSE_POLICY: Final = 1008
CLOSE_SIGNED_OUT: Final = 4401


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Relays rooms and threads to a signed-in member.

    In: `{"type": "subscribe", "room": <name>}` and `unsubscribe`; a room's name is its id in
    digits, an open thread's `thread:<id>`.
    Out: `subscribed` with the room's or thread's last number, `message`, `changed`, of threads
    `posted` and `typing`, `live`, `away`, `refused`, and `told` when there is news for
    the member alone. A slow reader is closed with 1013, a hostile one with 1008, one that
    signed out with 4401; rights are asked again every few seconds (chat.guard).
    """

    member: Member
    language: str
    rooms: dict[str, int | str]  # by the name the page used

    async def connect(self) -> None:
        user = self.scope.get("user")
        self.rooms = {}
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_FRAMES)
        self.tokens, self.filled_at = float(FRAMES_BURST), time.monotonic()
        self.closing = False
        self.tasks: list[asyncio.Task[None]] = []
        if not isinstance(user, Member):
            await self.close(CLOSE_SIGNED_OUT)
            return
        self.member = user
        self.language = language_of_socket(self.scope)
        self.session = session_of(self.scope)
        await self.accept()
        hub.meet(self)
        loop = asyncio.get_running_loop()
        self.tasks = [loop.create_task(self._send_queued())]

    async def disconnect(self, code: int) -> None:
        self.closing = True
        if hasattr(self, "member"):
            hub.part(self)
        for room_id in self.rooms.values():
            hub.leave(room_id, self)
        for task in self.tasks:
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None or len(text_data) > FRAME_MAX_CHARS or not self._may_speak():
            await self.close(CLOSE_POLICY)
            return
        try:
            frame = json.loads(text_data)
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict) or not isinstance(frame.get("room"), str):
            self.offer_frame({"type": "refused", "why": "Not a frame this socket knows."})
            return
        name = frame["room"]
        if frame.get("type") == "subscribe":
            await self._subscribe(name)
        elif frame.get("type") == "unsubscribe":
            if (room_id := self.rooms.pop(name, None)) is not None:
                hub.leave(room_id, self)
        else:
            self.offer_frame({"type": "refused", "why": "Not a frame this socket knows."})

    async def _subscribe(self, name: str) -> None:
        if len(self.rooms) >= ROOMS_PER_SOCKET and name not in self.rooms:
            self.offer_frame({"type": "refused", "room": name, "why": "Too many rooms at once."})
            return
        found = await self._find(name)
        if found is None:
            self.offer_frame({"type": "refused", "room": name, "why": "There is no such room."})
            return
        room_id, last_seq = found
        self.rooms[name] = room_id
        hub.join(room_id, self)
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
            self.end(CLOSE_SIGNED_OUT)
            return
        names = {*asked.rooms, *(room_of(pk) for pk in asked.threads)}
        for name, room_id in tuple(self.rooms.items()):
            # One that was subscribed to in the meantime was asked about then.
            if room_id in names and self.member.pk not in allowed.hears[room_id]:
                del self.rooms[name]
                hub.leave(room_id, self)
                self.offer_frame({"type": "refused", "room": name, "why": "You left it."})

    def end(self, code: int) -> None:
        """Close it from outside; nothing more is sent."""
        if not self.closing:
            self.closing = True
            self.tasks.append(asyncio.get_running_loop().create_task(self.close(code)))

    def offer_frame(self, frame: dict[str, Any]) -> None:
        self.offer(json.dumps(frame, separators=(",", ":")))

    def offer(self, text: str) -> None:
        """Queue a frame; a full queue means a reader too slow to wait for."""
        if self.closing:
            return
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            self.end(CLOSE_TOO_SLOW)

    async def _send_queued(self) -> None:
        while True:
            await self.send(text_data=await self.queue.get())

    def _may_speak(self) -> bool:
        now = time.monotonic()
        self.tokens = min(FRAMES_BURST, self.tokens + (now - self.filled_at) * FRAMES_PER_SECOND)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
