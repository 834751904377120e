"""Sockets as bytes on a wire: for what no well-behaved client does, and for crowds.

`RawSocket` speaks as much of RFC 6455 as it is told to; `Crowd` reads many of them in one thread,
cheaply enough that a measurement is not of the reader. Only to 127.0.0.1.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import select
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.sockets import UVICORN

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90.0  # only ends a test that fails
PART, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@contextmanager
def sockets_process(
    env: dict[str, str], *flags: str, application: str = "config.asgi:application"
) -> Iterator[tuple[int, int]]:
    """Uvicorn as it is started for sockets; gives its port and pid. `flags` come last and win."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", application, "--log-level", "error"),
            *("--host", "127.0.0.1", "--port", str(port), *UVICORN, *flags),
        ],
        env=env,
        cwd=ROOT,
    )
    try:
        ends = time.monotonic() + START_SECONDS
        while not _lives(port):
            assert server.poll() is None, "the sockets process ended while it started"
            assert time.monotonic() < ends, "the sockets process did not answer"
            time.sleep(0.05)
        yield port, server.pid
    finally:
        server.kill()
        server.wait()


def _lives(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def allow_files(count: int) -> None:
    """Let this process and its children hold so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


class RawSocket:
    """One connection. `status` is what the handshake was answered with, `body` what came after."""

    def __init__(
        self,
        port: int,
        cookie: str = "",
        *,
        origin: str = "http://localhost",
        path: str = "/ws/",
        address: str = "",
        buffer: int = 0,
        seconds: float = 60.0,
    ) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if buffer:  # before it connects, or the window is wide already
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.settimeout(seconds)
        self.sock.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            *(f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket"),
            *("Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"),
            *([f"Origin: {origin}"] if origin else []),
            *([f"Cookie: {cookie}"] if cookie else []),
            *([f"X-Forwarded-For: {address}"] if address else []),
        ]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._more()
        head, _, self.rest = head.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])
        self.body = ""
        if self.status != 101:
            with contextlib.suppress(ConnectionError):
                while True:
                    self.rest += self._more()
            self.body = self.rest.decode()

    def _more(self) -> bytes:
        data = self.sock.recv(65_536)
        if not data:
            raise ConnectionError("the other end is gone")
        return data

    def say(self, said: object) -> None:
        """Send text as it is, anything else as JSON."""
        self.send(TEXT, (said if isinstance(said, str) else json.dumps(said)).encode())

    def send(self, opcode: int, payload: bytes = b"", *, last: bool = True) -> None:
        self.sock.sendall(frame(opcode, payload, last=last))

    def read(self) -> tuple[int, bytes]:
        """The next frame as it comes: its opcode and payload."""
        head = self._take(2)
        size = head[1] & 127
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        return head[0] & 15, self._take(size)

    def _take(self, count: int) -> bytes:
        while len(self.rest) < count:
            self.rest += self._more()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def hear(self) -> Any:
        """The next text, as JSON; a ping is answered on the way."""
        while True:
            opcode, payload = self.read()
            if opcode == PING:
                self.send(PONG, payload)
            else:
                assert opcode == TEXT, (opcode, payload)
                return json.loads(payload)

    def closed(self) -> tuple[int, str]:
        """The code and reason it is closed with; whatever comes before is read and dropped."""
        while True:
            opcode, payload = self.read()
            if opcode == CLOSE:
                return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    def subscribe(self, name: object) -> Any:
        self.say({"type": "subscribe", "room": str(name)})
        while (told := self.hear())["type"] not in ("subscribed", "refused"):
            pass
        return told

    def leave(self) -> None:
        """Go without a word."""
        self.sock.close()


def frame(opcode: int, payload: bytes = b"", *, last: bool = True) -> bytes:
    """A client's frame, masked with zeroes: allowed, and no work."""
    head = bytes([opcode | (128 if last else 0)])
    if len(payload) < 126:
        head += bytes([128 | len(payload)])
    elif len(payload) < 65_536:
        head += bytes([128 | 126]) + struct.pack("!H", len(payload))
    else:
        head += bytes([128 | 127]) + struct.pack("!Q", len(payload))
    return head + b"\0\0\0\0" + payload


class Crowd:
    """Many sockets of one server. What comes is counted in bytes, not looked at."""

    def __init__(self, sockets: Sequence[RawSocket]) -> None:
        self.sockets = {one.sock.fileno(): one.sock for one in sockets}
        self.bytes = dict.fromkeys(self.sockets, 0)
        self.poll = select.epoll()
        for number, sock in self.sockets.items():
            sock.setblocking(False)
            self.poll.register(number, select.EPOLLIN)

    def settle(self, quiet_seconds: float = 0.5) -> None:
        """Read until nothing comes any more."""
        while ready := self.poll.poll(quiet_seconds):
            for number, _ in ready:
                self._read(number)
        self.bytes = dict.fromkeys(self.sockets, 0)

    def _read(self, number: int) -> int:
        data = self.sockets[number].recv(262_144)
        if not data:
            raise ConnectionError("a socket of the crowd was closed")
        return len(data)

    def take(
        self, count: int, size: int, write: Callable[[int], None], window: int
    ) -> tuple[list[list[float]], float]:
        """Have `count` messages of `size` bytes written, at most `window` on their way at once.

        Gives, of each message, when each socket had it, in seconds since it was written; and how
        long all of it took. `write` is told the message's number.
        """
        written: list[float] = []
        delays: list[list[float]] = [[] for _ in range(count)]
        base = self.bytes.copy()
        had = dict.fromkeys(self.sockets, 0)
        done, everybody = 0, len(self.sockets)
        clock = time.perf_counter
        began = clock()
        while done < count:
            while len(written) < min(count, done + window):
                written.append(clock())
                write(len(written) - 1)
            for number, _ in self.poll.poll(60):
                self.bytes[number] += self._read(number)
                now = clock()
                reached = (self.bytes[number] - base[number]) // size
                for message in range(had[number], min(reached, count)):
                    delays[message].append(now - written[message])
                had[number] = reached
            while done < count and len(delays[done]) == everybody:
                done += 1
        return delays, clock() - began

    def close(self) -> None:
        self.poll.close()
        for sock in self.sockets.values():
            sock.close()
