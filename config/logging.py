"""Logs: one event a line, JSON in production, with the request id on each; nothing personal.

Every logger of the process ends here, Django's and Celery's too. Bind what belongs to all lines of
a piece of work with `structlog.contextvars.bound_contextvars(...)`; log names, ids and numbers,
never what a member wrote, searched or is called.
"""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.types import EventDict, Processor

# "DETAIL:  Key (email)=(ada@shoal.example) already exists." and whole failing rows.
_DATABASE_DETAIL = re.compile(r"^(\s*)(DETAIL|CONTEXT):.*$", re.MULTILINE)
_EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")
# "postgresql://user:password@host": addresses of servers end up in connection errors.
_PASSWORD = re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@")


def without_personal(text: str) -> str:
    """Return the text without e-mail addresses, passwords in URLs and PostgreSQL's row details."""
    text = _DATABASE_DETAIL.sub(r"\1\2: (left out)", text)
    text = _PASSWORD.sub(r"\1:(left out)@", text)
    return _EMAIL.sub("(e-mail)", text)


def _clean(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Take personal values out of all texts, tracebacks included."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = without_personal(value)
    return event


_shared: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_settings(*, json: bool, level: str = "INFO") -> dict[str, Any]:
    """Return Django's LOGGING: JSON lines, or coloured ones for people, on standard error.

    Also points structlog at it; call it once, from settings.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # format_exc_info gives the traceback's lines only; local variables would be members' words.
    ending: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            _clean,
            structlog.processors.JSONRenderer(),
        ]
        if json
        else [
            structlog.processors.format_exc_info,
            _clean,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), pad_event_to=0, pad_level=False
            ),
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_shared, _without_path],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *ending,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Its lines for 4xx hold the raw path, and with it reset keys and searches; our own
            # line for each request (config.middleware) has the route instead.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # Each task's start and end: the interesting ones log for themselves.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            "PIL": {"level": "WARNING"},
        },
    }


def _without_path(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Shorten "Internal Server Error: /reset/key/…": our line of the request has the route."""
    record: logging.LogRecord | None = event.get("_record")
    if record is not None and record.name == "django.request":
        event["event"] = str(event["event"]).partition(":")[0]
    return event
