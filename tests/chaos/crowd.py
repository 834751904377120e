"""People in rooms: each has a socket, writes by HTTP, and keeps a ledger of what they have seen.

What a client does is what static/js/elements/chat-room.js and static/js/lib/socket.js do: it goes
on only from number to number, asks for all after its last one on `subscribed`, on a gap and on
`live`, comes back with jitter, and sends again with the same key what nobody heard.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
POLL_AWAY, POLL_LIVE, SETTLED = 4.0, 30.0, 3.0
GAP_SECONDS: Final = (0.1, 0.5)
ANSWER_SECONDS: Final = 15.0
FLYING_MAX: Final = 40  # forms on their way at once
RECONNECT_SECONDS: Final = 90.0  # only ends a test that fails


@dataclass
class Ledger:
    """What one reader has of one room, in the order it came: (number, key)."""

    seq: int = 0
    entries: list[tuple[int, str]] = field(default_factory=list)
    heard: set[int] = field(default_factory=set)  # by frame, whatever became of it
    early: dict[int, str] = field(default_factory=dict)  # what came before its turn

    def place(self, seq: int, key: str) -> None:
        """Write down the next one, or one of a page of the server's, whatever is missing before."""
        if seq > self.seq:
            self.seq = seq
            self.entries.append((seq, key))
            self.early.pop(seq, None)
        while self.seq + 1 in self.early:
            self.seq += 1
            self.entries.append((self.seq, self.early.pop(self.seq)))

    def hear(self, seq: int, key: str) -> bool:
        """Write down what came by the socket, in its turn; False while one before it is missing."""
        self.heard.add(seq)
        if seq <= self.seq + 1:
            self.place(seq, key)
            return True
        self.early[seq] = key
        return False


class Client:
    def __init__(self, crowd: Crowd, number: int, cookies: str, csrf: str) -> None:
        self.crowd = crowd
        self.address = f"127.1.{number // 250}.{number % 250 + 1}"
        self.headers = {"Cookie": cookies, "X-CSRFToken": csrf}
        self.ledgers = {room: Ledger() for room in crowd.rooms}
        self.connection: ClientConnection | None = None
        self.subscribed: set[int] = set()
        self.live = False
        self.filling: set[int] = set()
        self.again: set[int] = set()
        self.waiting: set[int] = set()

    # -- the socket ---------------------------------------------------------------------------

    async def listen(self) -> None:
        """Have a socket for ever; after each loss a new one, later and later while none is had."""
        wait = FIRST_WAIT
        await asyncio.sleep(random.uniform(0, 2.0))
        while True:
            try:
                async with connect(
                    f"ws://127.0.0.1:{self.crowd.port}/ws/",
                    origin="http://127.0.0.1",  # type: ignore[arg-type]
                    additional_headers={"Cookie": self.headers["Cookie"]},
                    compression=None,
                    local_addr=(self.address, 0),
                    open_timeout=ANSWER_SECONDS,
                    close_timeout=1,
                ) as self.connection:
                    wait = FIRST_WAIT
                    self.crowd.counts["connects"] += 1
                    for room in self.crowd.rooms:
                        await self.connection.send(
                            json.dumps({"type": "subscribe", "room": str(room)})
                        )
                    async for text in self.connection:
                        self.receive(json.loads(text))
            except (OSError, TimeoutError, WebSocketException):
                self.crowd.counts["refused or cut"] += 1
            finally:
                if self.connection is not None and self.connection.close_code is not None:
                    self.crowd.counts[f"closed with {self.connection.close_code}"] += 1
                self.connection, self.live = None, False
                self.subscribed.clear()
            await asyncio.sleep(wait * random.uniform(0.5, 1))
            wait = min(LONGEST_WAIT, wait * 2)

    def receive(self, frame: dict[str, Any]) -> None:
        kind, room = frame.get("type"), frame.get("room")
        if kind == "subscribed":
            assert isinstance(room, int)
            self.subscribed.add(room)
            self.live = frame["live"]
            if frame["seq"] > self.ledgers[room].seq:
                self.ask(room)
        elif kind == "live":
            self.live = True
            for each in self.ledgers:
                self.ask(each)
                asyncio.get_running_loop().call_later(SETTLED, self.ask, each)
        elif kind == "away":
            self.live = False
        elif kind == "message":
            ledger = self.ledgers[int(frame["room"])]
            self.crowd.counts["frames"] += 1
            if not ledger.hear(frame["seq"], frame["key"]):
                self.crowd.counts["frames too early"] += 1
                if int(frame["room"]) not in self.waiting:
                    self.waiting.add(int(frame["room"]))
                    self.crowd.do(self.wait_for_a_gap(int(frame["room"])))
        elif kind == "refused":
            self.crowd.counts["refused frames"] += 1

    async def wait_for_a_gap(self, room: int) -> None:
        """Give frames that overtook each other a moment; what is missing then was lost."""
        await asyncio.sleep(random.uniform(*GAP_SECONDS))
        self.waiting.discard(room)
        if self.ledgers[room].early:
            self.crowd.counts["gaps"] += 1
            self.ask(room)

    async def reload(self) -> None:
        """Leave the socket as one does who opens another page."""
        if self.connection is not None:
            await self.connection.close()

    # -- HTTP ---------------------------------------------------------------------------------

    def ask(self, room: int) -> None:
        self.crowd.do(self.fill(room))

    async def poll(self) -> None:
        """Ask by itself, often while there is no socket."""
        await asyncio.sleep(random.uniform(0, POLL_AWAY))
        asked = time.monotonic()
        while True:
            await asyncio.sleep(POLL_AWAY * random.uniform(0.75, 1.25))
            if not self.live or time.monotonic() - asked > POLL_LIVE:
                asked = time.monotonic()
                self.crowd.counts["polls"] += 1
                for room in self.ledgers:
                    self.ask(room)

    async def fill(self, room: int) -> bool:
        """Ask for all after the last number; once more if asked to meanwhile. False: no answer."""
        if room in self.filling:
            self.again.add(room)
            return False
        self.filling.add(room)
        try:
            more = True
            while more or room in self.again:
                self.again.discard(room)
                page = await self.page_after(room)
                if page is None:
                    return False
                more = page["more"]
        finally:
            self.filling.discard(room)
            self.again.discard(room)
        return True

    async def page_after(self, room: int) -> dict[str, Any] | None:
        ledger = self.ledgers[room]
        after = ledger.seq
        status, answer = await self.request("GET", f"/rooms/{room}/after/?after={after}&change=0")
        if status != 200:
            self.crowd.counts["fills without an answer"] += 1
            return None
        self.crowd.counts["gap fills"] += 1
        page: dict[str, Any] = json.loads(answer)
        if after and page["messages"] and page["messages"][0]["seq"] != after + 1:
            self.crowd.counts["answers with a hole"] += 1
        for message in page["messages"]:
            self.crowd.counts["filled"] += message["seq"] > ledger.seq
            ledger.place(message["seq"], message["key"])
        return page

    async def send(self, room: int, words: str, key: str, *, lose: bool = False) -> int:
        """Send until it is taken; return its number. The answer to the first try may get lost."""
        while True:
            more = {"X-Lose-Answer": "1"} if lose else {}
            lose = False
            fields = {"body": words, **({"client_key": key} if key else {})}
            status, answer = await self.request("POST", f"/rooms/{room}/messages/", fields, more)
            if status == 201:
                told: dict[str, Any] = json.loads(answer)
                return int(told["seq"])
            self.crowd.counts[f"sent again after {status or 'a cut'}"] += 1
            await asyncio.sleep(random.uniform(0.1, 0.4) if status != 429 else 2)

    async def request(
        self,
        method: str,
        path: str,
        fields: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Return the status and the body; status 0 when the connection did not hold."""
        body = urlencode(fields or {}).encode()
        lines = {
            "Host": "127.0.0.1",
            "Accept": "application/json",
            "Connection": "close",
            **self.headers,
            **(headers or {}),
        }
        if fields is not None:
            lines["Content-Type"] = "application/x-www-form-urlencoded"
            lines["Content-Length"] = str(len(body))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        writer = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self.crowd.port, local_addr=(self.address, 0)
                )
                writer.write(head.encode() + b"\r\n" + body)
                answer = await reader.read()
        except (OSError, TimeoutError):
            return 0, b""
        finally:
            if writer is not None:
                writer.close()
        top, _, content = answer.partition(b"\r\n\r\n")
        length = [
            int(line.split(b":")[1])
            for line in top.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        if length != [len(content)]:
            return 0, b""
        return int(top.split(b" ")[1]), content


class Crowd:
    """All clients, in one loop. `told` is what the site said it took: key, room and number."""

    def __init__(self, port: int, rooms: list[int]) -> None:
        self.port, self.rooms = port, rooms
        self.clients: list[Client] = []
        self.counts: Counter[str] = Counter()
        self.told: dict[str, tuple[int, int]] = {}
        self.tasks: set[asyncio.Task[Any]] = set()

    def do(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.counts[f"failed: {error!r}"] += 1

    async def gather(self) -> None:
        """Let all come, and wait until each hears every room."""
        for client in self.clients:
            self.do(client.listen())
            self.do(client.poll())
        await self.all_listen()

    async def all_listen(self) -> None:
        async with asyncio.timeout(RECONNECT_SECONDS):
            while any(len(one.subscribed) < len(self.rooms) for one in self.clients):
                await asyncio.sleep(0.05)

    async def write(self, messages: int, *, a_second: float, lose_every: int) -> None:
        """Let everybody write in turns, at most so many messages a second."""
        writers = random.sample(self.clients * -(-messages // len(self.clients)), messages)
        flying = asyncio.Semaphore(FLYING_MAX)
        begin = time.monotonic()

        async def say(number: int, client: Client) -> None:
            room, key = self.rooms[number % len(self.rooms)], str(uuid.uuid4())
            words = f"Message **{number}** of {messages}"
            try:
                seq = await client.send(room, words, key, lose=number % lose_every == 0)
            finally:
                flying.release()
            self.told[key] = (room, seq)
            if seq > client.ledgers[room].seq + 1:
                client.ask(room)
            else:
                client.ledgers[room].place(seq, key)

        async with asyncio.TaskGroup() as sending:
            for number, client in enumerate(writers, start=1):
                await asyncio.sleep(max(0.0, begin + number / a_second - time.monotonic()))
                await flying.acquire()
                sending.create_task(say(number, client))

    async def catch_up(self) -> None:
        """Each looks at the page again, as at the end of a day: a last gap fill."""
        looking = asyncio.Semaphore(FLYING_MAX)

        async def look(client: Client) -> None:
            async with looking:
                for room in self.rooms:
                    while not await client.fill(room):
                        await asyncio.sleep(0.05)

        await asyncio.gather(*(look(client) for client in self.clients))

    async def leave(self) -> None:
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
