"""Emptying the database after tests that commit: only the tables that hold something.

Django truncates all of them and then writes permissions and content types again, which took a
second a test; those are left as they are here.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

ATTEMPTS: Final = 3
KEPT: Final = {"django_migrations", "django_content_type", "auth_permission"}
GUARDED: Final = """
    SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal
"""


def empty_what_was_written(_case: Any) -> None:
    tables = [
        table
        for table in connection.introspection.django_table_names(
            only_existing=True, include_views=False
        )
        if table not in KEPT
    ]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        held = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT FROM {quote(table)})" for table in tables
        )
        cursor.execute(held)
        written = [table for (table,) in cursor.fetchall()]
        cursor.execute(GUARDED)
        guarded = {table for (table,) in cursor.fetchall()} & set(written)
        for attempt in reversed(range(ATTEMPTS)):
            try:
                with transaction.atomic():
                    _empty(cursor, written, guarded)
            except DatabaseError:
                # A server of the test may still write the answer to a page that is closed: its
                # rows point at rows that go, or it and we wait for each other.
                if not attempt:
                    raise
            else:
                break


def _empty(cursor: CursorWrapper, written: list[str], guarded: set[str]) -> None:
    quote = connection.ops.quote_name
    # A trigger refuses to delete rows of these. Emptying by TRUNCATE makes a new file for a table
    # and for all that point at it, so the others are deleted by row; keys are checked at the
    # commit, when nothing is left to point.
    if guarded:
        cursor.execute(f"TRUNCATE {', '.join(map(quote, guarded))} CASCADE")
    for table in written:
        if table not in guarded:
            cursor.execute(f"DELETE FROM {quote(table)}")


def install() -> None:
    TransactionTestCase._fixture_teardown = empty_what_was_written  # type: ignore[attr-defined]
