"""Who may open a socket here, asked before a session is looked up: no query is spent on a flood.

Counted by each process for itself, since a process is what must stay up. An address is a whole
IPv4 address or an IPv6 /64, which is what one customer has.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

ADDRESSES_REMEMBERED: Final = 10_000
GONE_SECONDS: Final = 2.0
CLOSE_REFUSED: Final = 1008  # by a rule: a page polls instead

Scope = Mapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Doors:
    """How many sockets each address holds, and how fast it opens them."""

    def __init__(self) -> None:
        self.held: Counter[str] = Counter()
        self.knocks: dict[str, tuple[float, float]] = {}  # what is left, and when that was

    def may_knock(self, address: str | None) -> bool:
        """Count an attempt; False above SOCKET_CONNECTS_PER_SECOND and its burst."""
        if address is None:
            return True
        now, burst = time.monotonic(), float(settings.SOCKET_CONNECTS_BURST)
        left, then = self.knocks.get(address, (burst, now))
        left = min(burst, left + (now - then) * settings.SOCKET_CONNECTS_PER_SECOND)
        if len(self.knocks) >= ADDRESSES_REMEMBERED and address not in self.knocks:
            self._forget(now)
        # One that is refused costs nothing more: who shares an address with a flood gets in too.
        self.knocks[address] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def _forget(self, now: float) -> None:
        """Drop addresses that are back at their burst; all of them when none is."""
        quiet = settings.SOCKET_CONNECTS_BURST / settings.SOCKET_CONNECTS_PER_SECOND
        fresh = {key: kept for key, kept in self.knocks.items() if now - kept[1] < quiet}
        self.knocks = fresh if len(fresh) < ADDRESSES_REMEMBERED else {}

    def enter(self, address: str | None) -> bool:
        """Take one of the address's SOCKETS_PER_ADDRESS; False when it holds them all."""
        if address is not None:
            if self.held[address] >= settings.SOCKETS_PER_ADDRESS:
                return False
            self.held[address] += 1
        return True

    def leave(self, address: str | None) -> None:
        if address is not None:
            self.held[address] -= 1
            if not self.held[address]:
                del self.held[address]


def address_of(scope: Scope) -> str | None:
    """Return who is there; None when nobody can tell, as behind a socket file.

    X-Forwarded-For is believed as far as settings.TRUSTED_PROXIES reaches.
    """
    said = (scope.get("client") or ("",))[0]
    if settings.TRUSTED_PROXIES:
        forwarded = ",".join(
            value.decode("latin-1")
            for name, value in scope["headers"]
            if name == b"x-forwarded-for"
        )
        hops = [hop.strip() for hop in forwarded.split(",")]
        if len(hops) >= settings.TRUSTED_PROXIES:
            said = hops[-settings.TRUSTED_PROXIES] or said
    try:
        ip = ipaddress.ip_address(said)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ip if ip.version == 4 else ipaddress.ip_network((int(ip), 64), strict=False))


def is_ours(scope: Scope) -> bool:
    """Whether a page of this site asks: its Origin is one of ALLOWED_HOSTS, by HTTPS where we are.

    A browser sends the member's cookies with a socket that any other site opens.
    """
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    if len(origins) != 1:
        return False
    origin = origins[0].decode("latin-1")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises when it is none
    except ValueError:
        return False
    if parts.scheme not in (("https",) if settings.HTTPS else ("http", "https")):
        return False
    host = f"[{host}]" if ":" in host else host
    return bool(host) and validate_host(host, settings.ALLOWED_HOSTS)


async def refuse(scope: Scope, receive: Any, send: Any, status: int, why: str) -> None:
    """Answer the handshake with a status and a sentence. A browser is told nothing but 1006."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": CLOSE_REFUSED, "reason": why})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"5")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": why.encode()})
    # That it was refused, and then that it is gone: uvicorn logs an error when we end before.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GONE_SECONDS):
            await receive()
            await receive()


def for_our_pages(inner: Application) -> Application:
    """Let through only the sockets that pages of this site open."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if is_ours(scope):
            await inner(scope, receive, send)
        else:
            await receive()
            await refuse(scope, receive, send, 403, "Only pages of this site open sockets here.")

    return application


doors = Doors()
