"""Whole pages as guests read them, kept in this process until something they show changes.

A view says of its answer what it shows (`keep`), a verb what it changed (`changed`), both in tags
such as `thread:12`. After the commit PostgreSQL tells every process (NOTIFY), and each drops its
pages with that tag; while a process cannot listen it keeps nothing. What no verb tells of (a name,
a count) is at most settings.GUEST_PAGES_SECONDS old. A page drawn while a change came in is not
kept, so none outlives what it shows. See docs/decisions/guest-pages.md.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Final, ParamSpec, Protocol
from urllib.parse import parse_qsl, urlencode

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import get_conditional_response

from config.hints import hint_after_commit
from config.languages import chosen_language

log = structlog.stdlib.get_logger(__name__)

CHANNEL: Final = "guest_pages"
MOST_BYTES: Final = 48_000_000  # of pages, a process
MOST_CHANGES: Final = 10_000  # tags remembered as changed
RETRY_SECONDS: Final = 2.0
WATCH_SECONDS: Final = 1.0
# Whoever has one of these is no stranger: what they are shown may be theirs alone.
PERSONAL_COOKIES: Final = ("messages",)
# The part of a shared address that says who passed it on: `source_of` reads it, no page shows it.
SOURCE: Final = "via"

Key = tuple[str | None, ...]
P = ParamSpec("P")


class Kept(Protocol):
    """What is kept: until when at most, and the tags it is dropped by."""

    @property
    def tags(self) -> frozenset[str]: ...
    @property
    def until(self) -> float: ...  # by time.monotonic()
    @property
    def size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Page:
    """An answer without its nonce: `parts` are the bytes around each place it stood."""

    parts: tuple[bytes, ...]
    headers: tuple[tuple[str, str], ...]
    route: Any
    tags: frozenset[str]
    until: float  # by time.monotonic()

    @property
    def size(self) -> int:
        return sum(map(len, self.parts))


class GuestPages:
    """The pages read last, at most `most_bytes` of them. Safe to use from several threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.listening = False
        self.size = 0
        self._pages: OrderedDict[Key, Kept] = OrderedDict()
        self._tagged: dict[str, set[Key]] = {}
        self._changes: OrderedDict[str, int] = OrderedDict()
        self._forgotten = 0  # changes up to this number are no longer remembered by tag
        self._number = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._pages)

    def now(self) -> int:
        """The number of the last change: what a page begun now has seen."""
        return self._number

    def get(self, key: Key) -> Kept | None:
        with self._lock:
            page = self._pages.get(key)
            if page is None:
                return None
            if page.until <= time.monotonic():
                self._drop(key)
                return None
            self._pages.move_to_end(key)
            return page

    def put(self, key: Key, page: Kept, began: int) -> None:
        """Keep `page`, unless something it shows changed after number `began`."""
        with self._lock:
            if not self.listening or began < self._forgotten:
                return
            if any(self._changes.get(tag, 0) > began for tag in page.tags):
                return
            self._drop(key)
            self._pages[key] = page
            self.size += page.size
            for tag in page.tags:
                self._tagged.setdefault(tag, set()).add(key)
            while self.size > self.most_bytes:
                self._drop(next(iter(self._pages)))

    def drop(self, tags: Iterable[str]) -> None:
        """Drop the pages with one of these tags, and those being drawn now."""
        with self._lock:
            self._number += 1
            for tag in tags:
                self._changes[tag] = self._number
                self._changes.move_to_end(tag)
                for key in list(self._tagged.get(tag, ())):
                    self._drop(key)
            while len(self._changes) > MOST_CHANGES:
                self._forgotten = self._changes.popitem(last=False)[1]

    def clear(self) -> None:
        """Drop every page, and those being drawn now."""
        with self._lock:
            self._number += 1
            self._forgotten = self._number
            self._changes.clear()
            self._pages.clear()
            self._tagged.clear()
            self.size = 0

    def _drop(self, key: Key) -> None:
        page = self._pages.pop(key, None)
        if page is None:
            return
        self.size -= page.size
        for tag in page.tags:
            keys = self._tagged[tag]
            keys.discard(key)
            if not keys:
                del self._tagged[tag]


guest_pages: Final = GuestPages()


# -- what views and verbs say -----------------------------------------------------------------


def keep(response: HttpResponse, *tags: str) -> HttpResponse:
    """Say that a guest may be answered with `response` until one of `tags` changes."""
    response.guest_page_tags = frozenset(tags)  # type: ignore[attr-defined]
    return response


def shows(request: HttpRequest, *tags: str) -> None:
    """Say of the page being drawn that it shows this too, besides what its view says."""
    request.guest_page_more = {*getattr(request, "guest_page_more", ()), *tags}  # type: ignore[attr-defined]


def source_of(request: HttpRequest) -> str:
    """Who passed this address on, as its `?via=` says, or nothing."""
    said: str = getattr(request, "guest_page_source", "") or request.GET.get(SOURCE, "")
    return said


def kept(*tags: str) -> Callable[[Callable[P, HttpResponse]], Callable[P, HttpResponse]]:
    """Mark all answers of a view, as `keep` does one."""

    def mark(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
        @wraps(view)
        def answer(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            return keep(view(*args, **kwargs), *tags)

        return answer

    return mark


def changed(*tags: str) -> None:
    """Tell every process, after the commit, to drop its pages with one of `tags`."""
    if settings.GUEST_PAGES_SECONDS:
        transaction.on_commit(partial(guest_pages.drop, tags), robust=True)
        hint_after_commit(CHANNEL, json.dumps(tags))


# -- the door ---------------------------------------------------------------------------------


class GuestPagesMiddleware:
    """Answer a guest with a kept page, and keep those that views marked.

    Stands below what makes the nonce and checks addresses of other kinds, above sessions and
    languages: a kept page costs no query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = _key(request) if settings.GUEST_PAGES_SECONDS else None
        if key is None:
            return self.get_response(request)
        listen()
        if isinstance(page := guest_pages.get(key), Page):
            return _answer(request, page)
        began = guest_pages.now()
        _leave_out_source(request)
        response = self.get_response(request)
        tags = getattr(response, "guest_page_tags", None)
        if (
            tags is not None
            and isinstance(response, HttpResponse)
            and response.status_code == 200
            and not response.cookies
            and not request.user.is_authenticated
        ):
            tags = tags.union(getattr(request, "guest_page_more", ()))
            guest_pages.put(key, _page(request, response, tags), began)
        return response


def _key(request: HttpRequest) -> Key | None:
    """What a guest's page depends on; None when this is no guest or nothing to read."""
    cookies = request.COOKIES
    if request.method != "GET" or settings.SESSION_COOKIE_NAME in cookies:
        return None
    if any(name in cookies for name in PERSONAL_COOKIES):
        return None
    try:
        host = request.get_host()
    except DisallowedHost:
        return None  # refused further down
    return (
        request.scheme,
        host,
        request.path,
        _query(request),
        chosen_language(request) or translation.get_language_from_request(request),
        cookies.get(settings.CONSENT_COOKIE_NAME),
        request.headers.get("Sec-GPC"),
        request.headers.get("HX-Request"),
        request.headers.get("HX-Target"),
    )


def _query(request: HttpRequest) -> str:
    """The query of the address without its source."""
    query: str = request.META.get("QUERY_STRING", "")
    if SOURCE not in query:
        return query
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, value) for name, value in pairs if name != SOURCE])


def _leave_out_source(request: HttpRequest) -> None:
    """Let views see the address as the key has it: what they draw is for all who ask for it."""
    query = _query(request)
    if query != request.META.get("QUERY_STRING", ""):
        source = request.GET.get(SOURCE, "")
        request.guest_page_source = source  # type: ignore[attr-defined]
        request.META["QUERY_STRING"] = query
        del request.GET


def _page(request: HttpRequest, response: HttpResponse, tags: frozenset[str]) -> Page:
    nonce = str(getattr(request, "csp_nonce", "")).encode()
    return Page(
        parts=tuple(response.content.split(nonce)) if nonce else (response.content,),
        headers=tuple(response.headers.items()),
        route=request.resolver_match,
        tags=tags,
        until=time.monotonic() + settings.GUEST_PAGES_SECONDS,
    )


def _answer(request: HttpRequest, page: Page) -> HttpResponse:
    nonce = str(getattr(request, "csp_nonce", "")).encode()
    request.resolver_match = page.route
    response = HttpResponse(nonce.join(page.parts), headers=dict(page.headers))
    if etag := response.headers.get("ETag"):
        known = get_conditional_response(request, etag=etag, response=response)
        return known or response
    return response


# -- listening --------------------------------------------------------------------------------

_start = threading.Lock()
_ending = threading.Event()
_listener: threading.Thread | None = None


def listen() -> None:
    """Start this process's listener, once; again should it have ended."""
    global _listener
    if _listener is not None and _listener.is_alive():
        return
    with _start:
        if _listener is None or not _listener.is_alive():
            _ending.clear()
            _listener = threading.Thread(target=_hear_always, name="guest pages", daemon=True)
            _listener.start()


def stop_listening() -> None:
    """End this process's listener; the next guest starts another."""
    _ending.set()
    if _listener is not None:
        _listener.join()


def _hear_always() -> None:
    while not _ending.is_set():
        try:
            _hear()
        except (DatabaseError, InterfaceError, OSError) as error:
            log.warning("guest pages not kept", error=type(error).__name__)
        finally:
            guest_pages.listening = False
            guest_pages.clear()
        _ending.wait(RETRY_SECONDS)


def _hear() -> None:
    with connection.wrap_database_errors:
        heard = connection.get_new_connection(connection.get_connection_params())
        with heard:
            heard.autocommit = True
            heard.execute(f"LISTEN {CHANNEL}")
            # Before this nothing was heard: whatever is kept from now on is told of.
            guest_pages.clear()
            guest_pages.listening = True
            while not _ending.is_set():
                for hint in heard.notifies(timeout=WATCH_SECONDS):
                    guest_pages.drop(json.loads(hint.payload))
