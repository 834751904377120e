"""Sums over a merchant's orders, credits and clicks: one statement each, however many rows.

Days are UTC days. Amounts are minor units of one currency; gross is before refunds and
cancellations, net after them, both on the day of the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from django.db import connection

from commerce.insights.period import Period


@dataclass(frozen=True, slots=True)
class Sums:
    """What a span of days came to. `credited_orders` have a part with credit."""

    gmv_minor: int = 0
    orders: int = 0
    direct_minor: int = 0
    halo_minor: int = 0
    unattributed_minor: int = 0
    direct_net_minor: int = 0
    halo_net_minor: int = 0
    unattributed_net_minor: int = 0
    credited_orders: int = 0
    direct_orders: int = 0
    halo_orders: int = 0
    unattributed_orders: int = 0
    clicks: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            **{
                each.name: getattr(self, each.name) + getattr(other, each.name)
                for each in fields(self)
            }
        )

    @property
    def attributed_minor(self) -> int:
        return self.direct_minor + self.halo_minor

    @property
    def attributed_net_minor(self) -> int:
        return self.direct_net_minor + self.halo_net_minor

    @property
    def net_minor(self) -> int:
        return self.attributed_net_minor + self.unattributed_net_minor

    @property
    def waiting_minor(self) -> int:
        """GMV of orders whose credits are on their way: a moment, usually nothing."""
        return self.gmv_minor - self.attributed_minor - self.unattributed_minor

    @property
    def net_gmv_minor(self) -> int:
        return self.net_minor + self.waiting_minor

    @property
    def taken_back_minor(self) -> int:
        """Refunds and cancellations, negative."""
        return self.net_gmv_minor - self.gmv_minor

    @property
    def orders_per_hundred_clicks(self) -> float:
        return 100 * self.credited_orders / self.clicks if self.clicks else 0.0


@dataclass(frozen=True, slots=True)
class InCurrency:
    """Orders in a currency that is not the merchant's."""

    currency: str
    orders: int
    gmv_minor: int


@dataclass(frozen=True, slots=True)
class Daily:
    """Sums by UTC day in the merchant's currency, and the other currencies of `period`."""

    days: dict[date, Sums]
    elsewhere: list[InCurrency]

    def over(self, period: Period) -> Sums:
        total = Sums()
        for day, sums in self.days.items():
            if period.start <= day < period.end:
                total += sums
        return total


_ORDERS: Final = """
    SELECT (placed_at AT TIME ZONE 'UTC')::date, currency, count(*), sum(total_minor)::bigint
    FROM commerce_order
    WHERE merchant_id = %(merchant)s AND NOT test
        AND placed_at >= %(since)s AND placed_at < %(until)s
    GROUP BY 1, 2
"""
# By order first: what was moved from one touch to another is no order of the first any more.
_CREDITS: Final = """
    WITH by_order AS (
        SELECT (placed_at AT TIME ZONE 'UTC')::date AS day,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'direct' AND is_gross), 0) AS direct,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'halo' AND is_gross), 0) AS halo,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'unattributed' AND is_gross), 0)
                AS unattributed,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'direct'), 0) AS direct_net,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'halo'), 0) AS halo_net,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'unattributed'), 0)
                AS unattributed_net
        FROM commerce_credit, LATERAL (SELECT reason IN ('sale', 'change') AS is_gross) AS part
        WHERE run_id = %(run)s AND currency = %(currency)s
            AND placed_at >= %(since)s AND placed_at < %(until)s
        GROUP BY order_id, day
    )
    SELECT day, sum(direct)::bigint, sum(halo)::bigint, sum(unattributed)::bigint,
        sum(direct_net)::bigint, sum(halo_net)::bigint, sum(unattributed_net)::bigint,
        count(*) FILTER (WHERE direct > 0 OR halo > 0), count(*) FILTER (WHERE direct > 0),
        count(*) FILTER (WHERE halo > 0), count(*) FILTER (WHERE unattributed > 0)
    FROM by_order GROUP BY day
"""
_CREDIT_NAMES: Final = (
    *("direct_minor", "halo_minor", "unattributed_minor"),
    *("direct_net_minor", "halo_net_minor", "unattributed_net_minor"),
    *("credited_orders", "direct_orders", "halo_orders", "unattributed_orders"),
)
_CLICKS: Final = """
    SELECT (occurred_at AT TIME ZONE 'UTC')::date, count(*)
    FROM commerce_touchpoint
    WHERE merchant_id = %(merchant)s AND not_counted = ''
        AND occurred_at >= %(since)s AND occurred_at < %(until)s
    GROUP BY 1
"""


def daily(*, merchant_id: int, run_id: int | None, currency: str, period: Period) -> Daily:
    """Return the sums of each day of `period` and of the one before. Three statements."""
    params = {
        "merchant": merchant_id,
        "run": run_id,
        "currency": currency,
        "since": period.before.since,
        "until": period.until,
    }
    days: dict[date, Sums] = {}
    elsewhere: dict[str, InCurrency] = {}

    def note(day: date, **sums: int) -> None:
        days[day] = days.get(day, Sums()) + Sums(**sums)

    for day, own, orders, gmv in _rows(_ORDERS, params):
        if own == currency:
            note(day, orders=orders, gmv_minor=gmv)
        elif day >= period.start:
            known = elsewhere.get(own, InCurrency(own, 0, 0))
            elsewhere[own] = InCurrency(own, known.orders + orders, known.gmv_minor + gmv)
    for day, *sums in _rows(_CREDITS, params):
        note(day, **dict(zip(_CREDIT_NAMES, sums, strict=True)))
    for day, clicks in _rows(_CLICKS, params):
        note(day, clicks=clicks)
    return Daily(days, [elsewhere[code] for code in sorted(elsewhere)])


# -- where it was sold ------------------------------------------------------------------------


AMONG_PEOPLE: Final = 0


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """What direct credit is grouped by: a thread, a group's chat, or a listing's own page.

    All rooms of people are one spot: who writes to whom is nobody's figure.
    """

    thread_id: int | None = None
    chat_id: int | None = None  # the group whose chat it is, or AMONG_PEOPLE

    @property
    def query(self) -> str:
        """The filter of order lines in an address."""
        if self.thread_id:
            return f"thread={self.thread_id}"
        return f"chat={self.chat_id}" if self.chat_id is not None else "thread=none"

    @property
    def chat_key(self) -> int:
        """What orders spots that sold the same: 0 without a chat."""
        return 0 if self.chat_id is None else self.chat_id + 1


@dataclass(frozen=True, slots=True)
class SpotSums:
    spot: Spot
    gross_minor: int
    net_minor: int
    orders: int
    clicks: int


@dataclass(frozen=True, slots=True)
class Spots:
    """Some spots, best seller first; `count` is how many there are in all."""

    rows: Sequence[SpotSums]
    count: int


# A chat stands for all of its messages.
_CHAT: Final = (
    "CASE WHEN thread_id IS NULL AND message_id IS NOT NULL THEN coalesce(group_id, 0) END"
)
_BY_SPOT: Final = f"""
    WITH by_order AS (
        SELECT thread_id, {_CHAT} AS chat_id, order_id,
            coalesce(sum(amount_minor) FILTER (WHERE reason IN ('sale', 'change')), 0) AS gross,
            sum(amount_minor) AS net
        FROM commerce_credit
        WHERE run_id = %(run)s AND currency = %(currency)s AND kind = 'direct'
            AND placed_at >= %(since)s AND placed_at < %(until)s
        GROUP BY thread_id, chat_id, order_id
    ), clicks AS (
        SELECT thread_id, {_CHAT} AS chat_id, count(*) AS clicks
        FROM commerce_touchpoint
        WHERE merchant_id = %(merchant)s AND not_counted = ''
            AND occurred_at >= %(since)s AND occurred_at < %(until)s
        GROUP BY thread_id, chat_id
    ), spots AS (
        SELECT thread_id, chat_id, sum(gross)::bigint AS gross, sum(net)::bigint AS net,
            count(*) FILTER (WHERE gross > 0) AS orders,
            coalesce(thread_id, 0) AS thread_key, coalesce(chat_id + 1, 0) AS chat_key
        FROM by_order GROUP BY thread_id, chat_id HAVING sum(gross) <> 0 OR sum(net) <> 0
    )
    SELECT spots.thread_id, spots.chat_id, gross, net, orders, coalesce(clicks.clicks, 0),
        (SELECT count(*) FROM spots)
    FROM spots LEFT JOIN clicks
        ON clicks.thread_id IS NOT DISTINCT FROM spots.thread_id
        AND clicks.chat_id IS NOT DISTINCT FROM spots.chat_id
    WHERE %(gross)s::bigint IS NULL
        OR (gross, thread_key, chat_key) < (%(gross)s, %(thread)s, %(chat)s)
    ORDER BY gross DESC, thread_key DESC, chat_key DESC
    LIMIT %(most)s
"""  # noqa: S608


def best_spots(
    *,
    merchant_id: int,
    run_id: int | None,
    currency: str,
    period: Period,
    most: int,
    after: SpotSums | None = None,
) -> Spots:
    """Return at most `most` spots with direct credit, best seller first, those after `after`."""
    rows = _rows(
        _BY_SPOT,
        {
            "merchant": merchant_id,
            "run": run_id,
            "currency": currency,
            "since": period.since,
            "until": period.until,
            "most": most,
            "gross": after.gross_minor if after else None,
            "thread": (after.spot.thread_id or 0) if after else 0,
            "chat": after.spot.chat_key if after else 0,
        },
    )
    return Spots(
        [SpotSums(Spot(thread_id, chat_id), *sums) for thread_id, chat_id, *sums, _ in rows],
        rows[0][-1] if rows else 0,
    )


def _rows(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
