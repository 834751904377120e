"""The socket: one per page, for the rooms and the thread the page shows. Writes come by HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.validators import slug_re
from django.utils import timezone

from community.chat.here import note_here
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
RECHECK_SECONDS: Final = 5.0
FRAME_MAX_CHARS: Final = 4_096
THREAD: Final = room_of(0).removesuffix("0")  # no slug of a group has a colon

CLOSE_TOO_SLOW: Final = 1013
CLOSE_POLICY: Final = 1008


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Relays rooms and threads to a signed-in member.

    In: `{"type": "subscribe", "room": <slug>}` and `unsubscribe`; a thread's slug is `thread:<id>`.
    Out: `subscribed` with the room's or thread's last number, `message`, `changed`, of threads
    `posted` and `typing`, `live`, `away`, `refused`, and `told` when there is news for
    the member alone. A slow reader is closed with 1013, a hostile one with 1008; rights are asked
    again every 5 s.
    """

    member: Member
    language: str
    rooms: dict[str, int | str]  # by slug

    async def connect(self) -> None:
        user = self.scope.get("user")
        self.rooms = {}
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_FRAMES)
        self.tokens, self.filled_at = float(FRAMES_BURST), time.monotonic()
        self.closing = False
        self.tasks: list[asyncio.Task[None]] = []
        if not isinstance(user, Member):
            await self.close(4401)
            return
        self.member = user
        self.language = language_of_socket(self.scope)
        await self.accept()
        hub.meet(self)
        loop = asyncio.get_running_loop()
        self.tasks = [loop.create_task(self._send_queued()), loop.create_task(self._recheck())]

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
        slug = frame["room"]
        if frame.get("type") == "subscribe":
            await self._subscribe(slug)
        elif frame.get("type") == "unsubscribe":
            if (room_id := self.rooms.pop(slug, None)) is not None:
                hub.leave(room_id, self)
        else:
            self.offer_frame({"type": "refused", "why": "Not a frame this socket knows."})

    async def _subscribe(self, slug: str) -> None:
        if len(self.rooms) >= ROOMS_PER_SOCKET and slug not in self.rooms:
            self.offer_frame({"type": "refused", "room": slug, "why": "Too many rooms at once."})
            return
        found = await self._find(slug)
        if found is None:
            self.offer_frame({"type": "refused", "room": slug, "why": "There is no such room."})
            return
        room_id, last_seq = found
        self.rooms[slug] = room_id
        hub.join(room_id, self)
        self.offer_frame(
            {
                "type": "subscribed",
                "room": room_id,
                "slug": slug,
                "seq": last_seq,
                "live": hub.live,
            }
        )

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _find(self, slug: str) -> tuple[int | str, int] | None:
        if slug.startswith(THREAD):
            thread_id = whole_number(slug.removeprefix(THREAD))
            if thread_id is None:
                return None
            threads = Thread.objects.visible_to(self.member).filter(pk=thread_id)
            last = threads.values_list("last_number", flat=True).first()
            return None if last is None else (room_of(thread_id), last)
        if not slug_re.match(slug):
            return None  # JSON can say what PostgreSQL cannot hold: NUL, half a character.
        return (
            Room.objects.visible_to(self.member)
            .filter(group__slug=slug)
            .values_list("pk", "last_seq")
            .first()
        )

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _still_allowed(self) -> tuple[bool, set[int | str]]:
        """Whether the account and the session stand, and which of the rooms are still open."""
        session = self.scope.get("session")
        member = Member.objects.filter(pk=self.member.pk, is_active=True).first()
        active = member is not None and not member.is_suspended(timezone.now())
        signed_in = session is None or session.exists(session.session_key)
        asked = [room for room in self.rooms.values() if isinstance(room, int)]
        rooms = Room.objects.visible_to(self.member).filter(pk__in=asked)
        still: set[int | str] = set(rooms.values_list("pk", flat=True))
        if read := [int(slug.removeprefix(THREAD)) for slug in self.rooms if THREAD in slug]:
            threads = Thread.objects.visible_to(self.member).filter(pk__in=read)
            still |= {room_of(pk) for pk in threads.values_list("pk", flat=True)}
        return active and signed_in, still

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                allowed, rooms = await self._still_allowed()
            except Exception:  # noqa: S112 - the database is away; ask again in a moment
                continue
            if not allowed:
                await self.close(4401)
                return
            await database_sync_to_async(note_here)(self.member.pk)
            for slug, room_id in tuple(self.rooms.items()):
                if room_id not in rooms:
                    del self.rooms[slug]
                    hub.leave(room_id, self)
                    self.offer_frame({"type": "refused", "room": slug, "why": "You left it."})

    def offer_frame(self, frame: dict[str, Any]) -> None:
        self.offer(json.dumps(frame, separators=(",", ":")))

    def offer(self, text: str) -> None:
        """Queue a frame; a full queue means a reader too slow to wait for."""
        if self.closing:
            return
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            self.closing = True
            self.tasks.append(asyncio.get_running_loop().create_task(self.close(CLOSE_TOO_SLOW)))

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
