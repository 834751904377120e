"""Hints to other processes, sent by NOTIFY once the transaction around us is through.

One statement sends all hints of a transaction, each once. Not within the transaction: PostgreSQL
lets one that notifies commit at a time, so all commits of the database would wait for each other.
A hint may be lost; whoever listens looks by itself as well.
"""

from __future__ import annotations

from django.db import connection, transaction

from config.prepared import prepared_cursor


class Hints:
    """The hints of one transaction, in the order they were given."""

    def __init__(self) -> None:
        self.given: dict[tuple[str, str], None] = {}

    def send(self) -> None:
        channels, payloads = map(list, zip(*self.given, strict=True))
        with prepared_cursor() as cursor:
            cursor.execute(_NOTIFY, [channels, payloads])


_NOTIFY = """
    SELECT pg_notify(channel, payload)
    FROM unnest(%s::text[], %s::text[]) AS hint (channel, payload)
"""


def hint_after_commit(channel: str, payload: str) -> None:
    """Notify after the commit; at once outside a transaction. Of two equal hints one is sent.

    What goes wrong is logged by Django and never reaches the caller.
    """
    for waiting in (registered[1] for registered in connection.run_on_commit):
        hints = getattr(waiting, "__self__", None)
        if isinstance(hints, Hints):
            hints.given[channel, payload] = None
            return
    hints = Hints()
    hints.given[channel, payload] = None
    transaction.on_commit(hints.send, robust=True)
