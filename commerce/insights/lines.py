"""Credited order lines: filtered, summed, and listed newest first by keyset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from commerce.attribution.models import AttributionRun
from commerce.attribution.why import LineWhy, Share, explain
from commerce.insights.period import Period
from commerce.orders.models import OrderLine
from community.members.models import Viewer

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KINDS: Final[dict[str, StrOrPromise]] = {
    "": _("All order lines"),
    "attributed": _("With credit"),
    "direct": _("Direct"),
    "halo": _("Halo"),
    "unattributed": _("Unattributed"),
}
NOWHERE: Final = "none"

_AFTER: Final = re.compile(r"(\d{1,17})-(\d{1,18})", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines. `thread`, `chat` are ids of a thread and of a chat's group, which is 0 for
    rooms of people; `nowhere` is direct credit on a listing's own page."""

    period: Period
    currency: str
    kind: str = ""
    thread: int | None = None
    chat: int | None = None
    nowhere: bool = False

    def params(self, run: AttributionRun) -> dict[str, Any]:
        return {
            "run": run.pk,
            "currency": self.currency,
            "since": self.period.since,
            "until": self.period.until,
            "kinds": {
                "": ["direct", "halo", "unattributed"],
                "attributed": ["direct", "halo"],
            }.get(self.kind, [self.kind]),
            "thread": self.thread,
            "chat": self.chat,
        }

    @property
    def where(self) -> str:
        """The condition in SQL, of our own words only; values go in by `params`."""
        parts = [
            "run_id = %(run)s AND currency = %(currency)s AND kind = ANY(%(kinds)s)",
            "placed_at >= %(since)s AND placed_at < %(until)s",
        ]
        if self.thread is not None:
            parts.append("thread_id = %(thread)s")
        if self.chat is not None:
            parts.append("thread_id IS NULL AND message_id IS NOT NULL")
            parts.append("coalesce(group_id, 0) = %(chat)s")
        if self.nowhere:
            parts.append("kind <> 'unattributed' AND thread_id IS NULL AND message_id IS NULL")
        return " AND ".join(parts)


@dataclass(frozen=True, slots=True)
class Total:
    """What the filtered lines come to, in minor units of the filter's currency."""

    lines: int
    orders: int
    gross_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Row:
    """An order line with what of it fits the filter, and why it was credited so."""

    line: OrderLine
    gross_minor: int
    net_minor: int
    share: Share | None
    place: int  # of the row in its list: microseconds of the order's time

    @property
    def after(self) -> str:
        """Where the next page begins."""
        return f"{self.place}-{self.line.pk}"


_GROSS: Final = (
    "coalesce(sum(amount_minor) FILTER (WHERE reason IN ('sale', 'change')), 0)::bigint AS gross"
)


def total_of(run: AttributionRun, asked: Filter) -> Total:
    """Return the sum of all lines the filter finds. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*), count(DISTINCT order_id), coalesce(sum(gross), 0)::bigint,
                coalesce(sum(net), 0)::bigint
            FROM (
                SELECT order_id, order_line_id, {_GROSS}, sum(amount_minor) AS net
                FROM commerce_credit WHERE {asked.where}
                GROUP BY order_id, order_line_id
            ) AS lines
            WHERE gross <> 0 OR net <> 0
            """,  # noqa: S608
            asked.params(run),
        )
        return Total(*cursor.fetchone())


def read_lines(
    run: AttributionRun, asked: Filter, viewer: Viewer, *, most: int, after: str = ""
) -> list[Row]:
    """Return at most `most` lines, newest order first, those after `after` (Row.after).

    A fixed number of statements. What of `after` makes no sense begins at the start.
    """
    at, line_id = _read_after(after)
    with connection.cursor() as cursor:
        # Grouped in the order of the index, so that it stops after `most` groups.
        cursor.execute(
            f"""
            SELECT placed_at, order_line_id, {_GROSS}, sum(amount_minor)::bigint
            FROM commerce_credit
            WHERE {asked.where}
                AND (%(at)s::timestamptz IS NULL
                    OR (placed_at, order_line_id) < (%(at)s::timestamptz, %(line)s))
            GROUP BY placed_at, order_line_id
            HAVING sum(amount_minor) <> 0
                OR sum(amount_minor) FILTER (WHERE reason IN ('sale', 'change')) <> 0
            ORDER BY placed_at DESC, order_line_id DESC
            LIMIT %(most)s
            """,  # noqa: S608
            {**asked.params(run), "at": at, "line": line_id, "most": most},
        )
        found = cursor.fetchall()
    lines = OrderLine.objects.select_related("order", "listing").in_bulk(
        [line_id for _, line_id, *_ in found]
    )
    orders = {line.order_id: line.order for line in lines.values()}
    whys = explain(list(orders.values()), run, viewer)
    rows = []
    for placed_at, line_id, gross, net in found:
        line = lines[line_id]
        rows.append(
            Row(
                line=line,
                gross_minor=gross,
                net_minor=net,
                share=_share(whys[line.order_id].lines[line_id], asked),
                place=(placed_at - _EPOCH) // timedelta(microseconds=1),
            )
        )
    return rows


def all_lines(run: AttributionRun, asked: Filter, viewer: Viewer, *, chunk: int) -> Iterator[Row]:
    """Yield every line the filter finds, reading `chunk` at a time."""
    after = ""
    while True:
        rows = read_lines(run, asked, viewer, most=chunk, after=after)
        yield from rows
        if len(rows) < chunk:
            return
        after = rows[-1].after


def _share(why: LineWhy, asked: Filter) -> Share | None:
    """Return the share the filter asks for; of several the greatest."""
    fitting = [
        share
        for share in why.shares
        if not asked.kind
        or share.kind == asked.kind
        or (asked.kind == "attributed" and share.kind != "unattributed")
    ]
    return max(fitting, key=lambda share: share.gross_minor, default=None)


def _read_after(after: str) -> tuple[datetime | None, int]:
    found = _AFTER.fullmatch(after)
    if found is None:
        return None, 0
    return _EPOCH + timedelta(microseconds=int(found[1])), int(found[2])
