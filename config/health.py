"""/healthz: this process answers. /readyz: what it needs answers, and work is not piling up.

Point a load balancer at /healthz: with PostgreSQL or the worker away every web process would fail
/readyz at once, and 503 pages are better than no site. Point alarms and start-up checks at /readyz.
Both are answered by HealthMiddleware, before the Host header is looked at.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from config import outbox, redis
from config.models import OutboxEvent

PARKED_COUNTED = 1_000


def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process is alive; asks nobody."""
    return _fresh(HttpResponse("alive\n", content_type="text/plain; charset=utf-8"))


def readyz(request: HttpRequest) -> HttpResponse:
    """Say as JSON whether PostgreSQL and Redis answer and how late the outbox is, in seconds.

    `status` is "ready"; "degraded" (still 200) when only Redis is away, for the site goes on
    without it; or "unready" (503) when PostgreSQL is away or the outbox is more than
    settings.OUTBOX_MAX_AGE_SECONDS late. `parked` counts to 1,000 and changes no status: parked
    events wait for a person, not for a restart.
    """
    facts: dict[str, Any] = {"database": "away", "outbox": None}
    try:
        late = outbox.oldest_due_seconds()
        parked = OutboxEvent.objects.parked()[:PARKED_COUNTED].count()
    except (DatabaseError, InterfaceError):
        late = 0.0
        connection.close()
    else:
        facts["database"] = "ready"
        facts["outbox"] = {
            "late_seconds": round(late, 1),
            "late_limit_seconds": settings.OUTBOX_MAX_AGE_SECONDS,
            "parked": parked,
        }
    facts["broker"] = "ready" if redis.answers() else "away"
    if facts["database"] == "away" or late > settings.OUTBOX_MAX_AGE_SECONDS:
        facts["status"] = "unready"
    elif facts["broker"] == "away":
        facts["status"] = "degraded"
    else:
        facts["status"] = "ready"
    return _fresh(JsonResponse(facts, status=503 if facts["status"] == "unready" else 200))


def _fresh(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
