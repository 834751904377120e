"""Fetching addresses that strangers wrote: the one place that does, and only workers call it.

http on port 80 and https on 443; three redirects, each looked at like the first address; 5 seconds
in all and 1 MB, counted after unpacking. The address that is looked at is the one the connection
goes to, so a name that answers differently the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

PORTS: Final = {"http": 80, "https": 443}
REDIRECTS_MAX: Final = 3
SECONDS: Final = 5.0
WAIT_SECONDS: Final = 3.0  # for a connection, and for the next bytes
BYTES_MAX: Final = 1_000_000
ADDRESS_MAX_CHARS: Final = 2_000
CHUNK_BYTES: Final = 16_384
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # an IPv4 address by way of a gateway

HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(Exception):
    """We do not go there, or do not take what came; `str()` says why."""


class Unreachable(Exception):
    """Nobody answered, or not as a web server does."""


@dataclass(frozen=True)
class Fetched:
    """What came from `url`, where redirects ended. `kind` is the media type in lower case."""

    url: str
    kind: str
    charset: str
    body: bytes


def fetch(
    url: str,
    *,
    kinds: Collection[str],
    most_bytes: int = BYTES_MAX,
    until: bytes = b"",
    seconds: float = SECONDS,
) -> Fetched:
    """Get `url` if it answers 200 with one of `kinds`; of a text no more than up to `until`.

    Names are looked up within the resolver's own limits; all else ends after `seconds`. Raises
    Forbidden or Unreachable.
    """
    with _deadline(seconds) as deadline:
        for _hop in range(REDIRECTS_MAX + 1):
            ensure_usual(url)
            with _session(deadline) as session, _get(session, url, deadline) as answer:
                if answer.is_redirect:
                    url = urljoin(url, answer.headers["Location"])
                    continue
                if answer.status_code != 200:
                    raise Unreachable(f"It answered {answer.status_code}.")
                kind, charset = _kind_of(answer)
                if kind not in kinds:
                    raise Forbidden("It is neither a page nor a picture.")
                body = b"".join(_read(answer, most_bytes, until if kind in HTML else b"", deadline))
                return Fetched(url, kind, charset, body)
    raise Forbidden("It leads on and on.")


def ensure_usual(url: str) -> None:
    """Raise Forbidden unless it is an http or https address on its usual port, without a login."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Forbidden("That is no address.") from None
    if len(url) > ADDRESS_MAX_CHARS or not parts.hostname or parts.scheme not in PORTS:
        raise Forbidden("That is no web address.")
    if "@" in parts.netloc:
        raise Forbidden("Addresses with a login are not opened.")
    if port not in (None, PORTS[parts.scheme]):
        raise Forbidden("Only the usual ports are reached.")


def is_public(address: Address) -> bool:
    """Whether it is an address of the internet, in whichever way it is written into IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local:
            return False
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address.sixtofour is not None:
            address = address.sixtofour
        elif address in NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        elif int(address) >> 32 == 0:  # v4-compatible
            return False
    return address.is_global and not address.is_multicast


# -- inside -----------------------------------------------------------------------------------


class _Deadline:
    """Ends all connections made under it when its time is over, wherever they wait."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    @property
    def left(self) -> float:
        return self.ends_at - time.monotonic()

    def check(self) -> None:
        if self.left <= 0:
            raise Unreachable("It took too long.")

    def watch(self, connected: socket.socket) -> None:
        # A second handle on the connection: TLS takes the first one away.
        with self._lock:
            self._sockets.append(connected.dup())

    def _end(self) -> None:
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._sockets:
                each.close()
            self._sockets.clear()


@contextmanager
def _deadline(seconds: float) -> Iterator[_Deadline]:
    deadline = _Deadline(seconds)
    deadline.start()
    try:
        yield deadline
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        deadline.check()
        raise Unreachable(f"It cannot be read: {type(error).__name__}.") from error
    finally:
        deadline.stop()


class _Adapter(IPFilterAdapter):  # type: ignore[misc]
    """Looks at the very address that the connection is made to, and watches the connection."""

    def __init__(self, *, is_https_proto: bool, deadline: _Deadline) -> None:
        super().__init__(is_https_proto=is_https_proto)
        self._deadline = deadline

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if not is_public(ipaddress.ip_address(host["host"].strip("[]").partition("%")[0])):
            raise InvalidIPAddress(host["host"])
        return host, pool

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        deadline = self._deadline

        class Watched(pool.ConnectionCls):  # type: ignore[misc, name-defined]
            def _new_conn(self) -> socket.socket:
                made: socket.socket = super()._new_conn()
                deadline.watch(made)
                return made

        pool.ConnectionCls = Watched
        return pool


def _session(deadline: _Deadline) -> HTTPSession:
    """A session of one request: nothing a site sets is sent anywhere."""
    session = HTTPSession(
        Config(
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=(WAIT_SECONDS, WAIT_SECONDS),
            user_agent_override="Shoal (link previews)",
        )
    )
    session.mount("http://", _Adapter(is_https_proto=False, deadline=deadline))
    session.mount("https://", _Adapter(is_https_proto=True, deadline=deadline))
    session.trust_env = False  # no proxy stands between the check and the connection
    return session


def _get(session: HTTPSession, url: str, deadline: _Deadline) -> requests.Response:
    deadline.check()
    wait = max(0.1, min(WAIT_SECONDS, deadline.left))
    try:
        answer: requests.Response = session.request(
            "GET",
            url,
            headers={"Accept": "text/html, image/*;q=0.8", "Accept-Encoding": "gzip"},
            stream=True,
            allow_redirects=False,
            timeout=(wait, wait),
        )
    except InvalidIPAddress:
        raise Forbidden("That is not a public address.") from None
    deadline.check()  # a connection shut down while its head came leaves half a head
    return answer


def _kind_of(answer: requests.Response) -> tuple[str, str]:
    said = answer.headers.get("Content-Type", "")
    kind, _semicolon, rest = said.partition(";")
    charset = rest.lower().partition("charset=")[2].strip(" \"';")[:40]
    return kind.strip().lower(), charset


def _read(
    answer: requests.Response, most: int, until: bytes, deadline: _Deadline
) -> Iterator[bytes]:
    """The body, unpacked, in pieces; never more in memory than `most` and a piece."""
    said = answer.headers.get("Content-Length", "")
    if not until and said.isascii() and said.isdecimal() and int(said[:18]) > most:
        raise Forbidden("It is larger than we read.")
    unpack = _unpacker(answer.headers.get("Content-Encoding", ""))
    read, tail = 0, b""
    for packed in answer.raw.stream(CHUNK_BYTES, decode_content=False):
        deadline.check()
        piece = unpack(packed, most - read + 1)
        read += len(piece)
        if read > most:
            raise Forbidden("It is larger than we read.")
        yield piece
        if until:
            tail = (tail + piece.lower())[-len(piece) - len(until) :]
            if until in tail:
                return
    deadline.check()


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return lambda packed, _most: packed
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Forbidden("It is packed in a way we do not unpack.")
    unpacker = zlib.decompressobj(wbits=47)  # gzip or zlib, as its head says

    def unpack(packed: bytes, most: int) -> bytes:
        try:
            return unpacker.decompress(packed, max(1, most))
        except zlib.error:
            raise Unreachable("It is packed wrongly.") from None

    return unpack
