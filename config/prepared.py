"""Statements that PostgreSQL plans once a connection and not each time they are asked.

Planning one of our joins takes longer than running it. `prepared_cursor` is for statements whose
text never changes and whose best plan is the same whatever is asked: look-ups by key. Not for
searches and lists, whose plan hangs on the values. See docs/decisions/prepared-statements.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from psycopg.types.numeric import Int8


class _Cursor(ServerBindingCursor):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        super().execute(query, _typed(params), prepare=True, **options)  # type: ignore[misc]
        self._query = _Said(query)
        return self


class _Said:
    """What Django's log of queries asks a cursor for; psycopg forgets it of what was prepared."""

    def __init__(self, query: str) -> None:
        self.said = query

    @property
    def query(self) -> bytes:
        return self.said.encode()


def prepared_cursor() -> CursorWrapper:
    """Return a cursor that prepares what it executes; a usual one when the site prepares nothing.

    Counted and logged as any other. What is asked goes beside the statement, not within it, so it
    must stand where a value of its own type may: `= ANY(%s)`, not `IN %s`.
    """
    if not settings.DATABASE_PREPARED:
        return connection.cursor()
    # As django.db.backends.base.base.BaseDatabaseWrapper._cursor does it.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    backend: Any = connection
    with connection.wrap_database_errors:
        cursor: CursorWrapper = backend._prepare_cursor(_Cursor(backend.connection))  # type: ignore[call-arg]
    return cursor


def _typed(params: Any) -> Any:
    if isinstance(params, Mapping):
        return {name: _value(value) for name, value in params.items()}
    if isinstance(params, Sequence):
        return [_value(value) for value in params]
    return params


def _value(value: Any) -> Any:
    """Give whole numbers one type: psycopg's goes by their size, each a statement of its own."""
    if type(value) is int or (isinstance(value, int) and not isinstance(value, bool)):
        return Int8(value)
    if isinstance(value, list) and value and type(value[0]) is int:
        # Read by PostgreSQL as what stands on the other side of ANY.
        return "{" + ",".join(map(str, value)) + "}"
    if isinstance(value, list) and not value:
        return "{}"
    return value
