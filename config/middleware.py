"""What every request passes: its id and log line, the health pages, PostgreSQL being away."""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.signals import got_request_exception
from django.db import DataError, InterfaceError, OperationalError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import get_template
from django.views.defaults import bad_request
from structlog.contextvars import bind_contextvars, clear_contextvars

from config import health

log = structlog.stdlib.get_logger("shoal.request")

Respond = Callable[[HttpRequest], HttpResponseBase]

REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{8,64}")
RETRY_AFTER_SECONDS = 5
# SQLSTATEs that say "not now": connection lost, out of resources, stopping or starting.
AWAY_STATES = ("08", "53", "57P")


class RequestIdMiddleware:
    """Give the request an id, bind it to all its log lines, say it in the answer, log one line.

    An id from outside is taken over only behind a proxy of ours (settings.TRUSTED_PROXIES), which
    must overwrite the header: otherwise anybody could write into our logs.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        clear_contextvars()
        began = time.perf_counter()
        request_id = ""
        if settings.TRUSTED_PROXIES:
            request_id = request.headers.get("X-Request-ID", "")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = uuid.uuid4().hex
        bind_contextvars(request_id=request_id)
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        match = request.resolver_match
        log.log(
            logging.DEBUG if request.path in HealthMiddleware.pages else logging.INFO,
            "request",
            method=request.method if request.method in KNOWN_METHODS else "other",
            # The route, not the path: paths hold reset keys and names.
            route=match.route if match else "(none)",
            status=response.status_code,
            ms=round((time.perf_counter() - began) * 1000, 1),
        )
        clear_contextvars()
        return response


KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HealthMiddleware:
    """Answer /healthz and /readyz before hosts are checked, redirected to HTTPS or given a session.

    A load balancer asks by the machine's address, which is not among ALLOWED_HOSTS.
    """

    pages: dict[str, Callable[[HttpRequest], HttpResponse]] = {
        "/healthz": health.healthz,
        "/readyz": health.readyz,
    }

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        page = self.pages.get(request.path)
        return page(request) if page else self.get_response(request)


class DatabaseAwayMiddleware:
    """Answer 503 with Retry-After, and never a traceback, when PostgreSQL cannot serve a request.

    Covers views, templates, the middleware below (sessions are rows) and the error page itself.
    Anything PostgreSQL calls an operational error counts: away, starting, full, a lock or a
    statement that took too long. A text it cannot hold is the visitor's fault: 400.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response = self.get_response(request)
        except AWAY as error:
            _log(error)
            return unavailable()
        if getattr(request, "database_away", False) and response.status_code >= 500:
            return unavailable()
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DataError) and NUL_REFUSED in str(exception):
            return bad_request(request, exception)
        if not isinstance(exception, AWAY):
            return None
        _log(exception)
        return unavailable()


AWAY = (OperationalError, InterfaceError)
# What psycopg says of a text with NUL in it, which no address or form of ours has.
NUL_REFUSED = "cannot contain NUL"


@receiver(got_request_exception)
def _note_database_away(request: HttpRequest, **_: Any) -> None:
    """Mark the request when a middleware failed: Django makes that a 500 before we see it."""
    error = sys.exc_info()[1]
    if isinstance(error, AWAY):
        request.database_away = True  # type: ignore[attr-defined]
        _log(error)


def _log(error: BaseException) -> None:
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, InterfaceError) or sqlstate is None or sqlstate.startswith(AWAY_STATES):
        log.warning("database away", sqlstate=sqlstate)
    else:
        # A timeout or a deadlock is a fault of ours: where it happened matters.
        log.error("database refused", sqlstate=sqlstate, exc_info=error)


def unavailable() -> HttpResponse:
    """Return the page that says we are away for a moment, made without request or query."""
    try:
        response = HttpResponse(get_template("503.html").render())
    except Exception:
        # Missing or broken, the words still arrive.
        response = HttpResponse(
            "Shoal is away for a moment. Please try again shortly.\n",
            content_type="text/plain; charset=utf-8",
        )
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response
