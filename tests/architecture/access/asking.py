"""Asking as one of the people, and looking at what came back, what was written, what leaked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.test import Client

from config.redis import client as valkey
from tests.architecture.access.rules import CONFIRM, LOGIN, Row
from tests.architecture.access.world import SECRETS, World

# What PostgreSQL counts for the running transaction: also what was written and taken back again.
WRITTEN: Final = """
    SELECT relname, n FROM (
        SELECT relname, pg_stat_get_xact_tuples_inserted(oid)
            + pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_deleted(oid) AS n
        FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    ) AS counted WHERE n > 0
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is LOGIN for whoever is sent to sign in; `written` the tables that have other rows;
    `leaked` the words in it that the person may not read."""

    status: int | str
    written: frozenset[str]
    leaked: frozenset[str]
    body: str


def ask(
    world: World,
    row: Row,
    person: str,
    place: str,
    *,
    client: Client | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send the request of `row` and take back whatever it did."""
    client = client or world.clients[person]
    path = world.filled(row.path, place)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    said = {name: _filled(world, value, place) for name, value in row.data.items()}
    options: dict[str, Any] = {"headers": {**row.headers, **(headers or {})}}
    if row.json:
        options |= {"data": said, "content_type": "application/json"}
    elif row.method in ("PUT", "DELETE", "PATCH"):
        options |= {"data": b"", "content_type": "application/x-www-form-urlencoded"}
    else:
        options |= {"data": said}
    before = world.counted or _counted()
    spot = transaction.savepoint()
    try:
        response = getattr(client, row.method.lower())(path, **options)
        body = _body(response)
        world.counted = _counted()
        touched = {table for table, n in world.counted.items() if n != before.get(table, 0)}
        now = {table: _digest(table) for table in touched}
    finally:
        transaction.savepoint_rollback(spot)
        client.cookies.clear()
        client.cookies.load(cookies)
        if row.method != "GET":
            valkey().flushdb()
    written = {table for table, digest in now.items() if digest != _kept_digest(world, table)}
    leaked = {word for word, readers in SECRETS.items() if word in body and person not in readers}
    return Answer(_status(response), frozenset(written), frozenset(leaked), body)


def _filled(world: World, value: Any, place: str) -> Any:
    if isinstance(value, list):
        return [_filled(world, one, place) for one in value]
    return world.filled(value, place) if isinstance(value, str) else value


def _body(response: Any) -> str:
    raw = b"".join(response.streaming_content) if response.streaming else response.content
    headers = " ".join(str(value) for value in response.headers.values())
    return (raw.decode(errors="replace") + headers).lower()


def _status(response: Any) -> int | str:
    to = response.headers.get("Location", "") or response.headers.get("HX-Redirect", "")
    if to.startswith("/accounts/reauthenticate/"):
        return CONFIRM
    return LOGIN if to.startswith("/accounts/login/") else int(response.status_code)


def _counted() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return dict(cursor.fetchall())


def _digest(table: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), sum(hashtextextended(whole::text, 0)) FROM {table} AS whole"
        )
        return cursor.fetchone()


def _kept_digest(world: World, table: str) -> Any:
    """The table's as the world was made; nothing that was asked has stayed."""
    if table not in world.digests:
        world.digests[table] = _digest(table)
    return world.digests[table]
