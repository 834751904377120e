"""A small web server for tests of outgoing requests, and a name service of their own.

Names lead to addresses as a test says, and every address to this server: what was tried to be
reached is noted, so that a test can tell a refusal from a connection.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3.util.connection

PUBLIC = "93.184.216.34"

Page = Callable[[BaseHTTPRequestHandler], None]


class Web:
    """What is served by host and path, what names lead to, and what was reached."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pages: dict[str, Page] = {}
        self.names: dict[str, list[str]] = {}
        self.asked: list[str] = []  # host and path of each request
        self.reached: list[str] = []  # addresses that connections went to
        self.stop = threading.Event()

    def page(self, address: str, body: bytes | str = b"", **options: Any) -> None:
        """Serve `body` at "host/path": `kind`, `status`, `headers`."""
        data = body.encode() if isinstance(body, str) else body
        self.pages[address] = lambda handler: answer(handler, data, **options)

    def name(self, host: str, *addresses: str) -> None:
        """Let a host lead to these addresses, one after another, the last one for ever."""
        self.names[host] = list(addresses)

    def resolve(self, host: str) -> str:
        try:
            return str(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
        except ValueError:
            pass
        known = self.names.get(host)
        if known is None:
            return PUBLIC
        return known.pop(0) if len(known) > 1 else known[0]


def answer(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    *,
    status: int = 200,
    kind: str = "text/html; charset=utf-8",
    headers: dict[str, str] | None = None,
    has_length: bool = True,
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    if has_length:
        handler.send_header("Content-Length", str(len(body)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Serve, and let every outgoing connection of urllib3 end here."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").partition(":")[0]
            served.asked.append(f"{host}{self.path}")
            page = served.pages.get(f"{host}{self.path}")
            try:
                if page is None:
                    answer(self, b"", status=404)
                else:
                    page(self)
            except OSError:
                pass  # the other side hung up, as it should

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Web(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    real_getaddrinfo, real_connect = socket.getaddrinfo, urllib3.util.connection.create_connection

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if port == served.port:
            return real_getaddrinfo(host, port, *args, **kwargs)
        address = served.resolve(str(host))
        if ":" in address:
            return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        host, port = address
        served.reached.append(getaddrinfo(host, port)[0][4][0])
        return real_connect(("127.0.0.1", served.port), *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    try:
        yield served
    finally:
        served.stop.set()
        server.shutdown()
        server.server_close()
