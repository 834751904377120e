"""The proxy in front: sockets to the socket processes, all else to the web processes.

What config/deploy/Caddyfile says, in so far as it matters here: the socket process with the fewest
connections, web processes in turn, one that refuses is left alone for a moment and another tried,
and the address of who asks goes along.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from typing import Final

REST_SECONDS: Final = 0.5
TRY_SECONDS: Final = 10.0
# Asked for by who wants to know what becomes of a form whose answer is lost on the way.
LOSE_ANSWER: Final = b"x-lose-answer: 1"


class Proxy:
    def __init__(self, *, web: list[int], sockets: list[int]) -> None:
        self.web, self.sockets = web, sockets
        self.turns = itertools.count()
        self.open: Counter[int] = Counter()
        self.resting: dict[int, float] = {}
        self.lost_answers = 0
        self.port = 0
        self.server: asyncio.Server | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: _Front(self), "127.0.0.1", 0, backlog=1_000)
        self.port = self.server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self.server is not None:
            self.server.close()

    def in_turn(self, path: bytes) -> list[int]:
        """The processes to try, the best one first."""
        now = time.monotonic()
        if path.startswith(b"/ws/"):
            ports = sorted(self.sockets, key=lambda port: self.open[port])
        else:
            turn = next(self.turns) % len(self.web)
            ports = self.web[turn:] + self.web[:turn]
        return [port for port in ports if self.resting.get(port, 0.0) <= now]

    async def reach(self, front: _Front, path: bytes) -> _Back:
        """Connect to a process that takes us. Raises ConnectionError when none does in time."""
        loop = asyncio.get_running_loop()
        until = time.monotonic() + TRY_SECONDS
        while time.monotonic() < until and not front.closed:
            for port in self.in_turn(path):
                try:
                    _, back = await loop.create_connection(
                        lambda port=port: _Back(self, front, port),  # type: ignore[misc]
                        "127.0.0.1",
                        port,
                    )
                except OSError:
                    self.resting[port] = time.monotonic() + REST_SECONDS
                else:
                    return back
            await asyncio.sleep(0.05)
        raise ConnectionError


class _End(asyncio.Protocol):
    """One end of what is passed on; slow readers slow down who writes to them."""

    transport: asyncio.Transport
    other: _End | None = None
    closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and not self.other.closed:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.closed:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if self.other is not None and not self.other.closed:
            # A cut is passed on as a cut, an end as an end.
            self.other.transport.abort() if error else self.other.transport.close()


class _Back(_End):
    """Our connection to a process."""

    def __init__(self, proxy: Proxy, front: _Front, port: int) -> None:
        self.proxy, self.port = proxy, port
        self.other = front

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.proxy.open[self.port] += 1

    def data_received(self, data: bytes) -> None:
        front = self.other
        if isinstance(front, _Front) and front.loses_answer:
            self.proxy.lost_answers += 1
            front.transport.abort()
            self.transport.close()
            return
        super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.proxy.open[self.port] -= 1
        super().connection_lost(error)


class _Front(_End):
    """A client's connection: one request, or one socket."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.head = b""
        self.asked = False
        self.loses_answer = False

    def data_received(self, data: bytes) -> None:
        if self.asked:
            super().data_received(data)
            return
        self.head += data
        if b"\r\n\r\n" in self.head:
            self.asked = True
            self.transport.pause_reading()
            task = asyncio.get_running_loop().create_task(self.pass_on())
            self.proxy.tasks.add(task)
            task.add_done_callback(self.proxy.tasks.discard)

    async def pass_on(self) -> None:
        first, rest = self.head.split(b"\r\n", 1)
        self.loses_answer = LOSE_ANSWER in rest.split(b"\r\n\r\n", 1)[0].lower()
        address = str(self.transport.get_extra_info("peername")[0]).encode()
        try:
            back = await self.proxy.reach(self, first.split(b" ")[1])
        except ConnectionError:
            self.transport.abort()
            return
        if self.closed:
            back.transport.abort()
            return
        self.other = back
        back.transport.write(first + b"\r\nX-Forwarded-For: " + address + b"\r\n" + rest)
        self.transport.resume_reading()
