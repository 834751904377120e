"""Whether credits add up, asked of the orders themselves: none of the arithmetic is used here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from commerce.attribution.models import AttributionRun

# What an order is worth: its lines, less its refunds down to nothing; nothing at all when it was
# cancelled or a test. Beside it what the run says of it; credit in a currency that is not the
# order's must come to nothing (an order's currency may change with a version).
_BY_ORDER: Final = """
    WITH asked AS (
        SELECT id, currency, test, cancelled_at FROM commerce_order
        WHERE merchant_id = %(merchant)s
            AND (%(orders)s::bigint[] IS NULL OR id = ANY(%(orders)s::bigint[]))
    ), sold AS (
        SELECT order_id, sum(net_minor) AS minor FROM commerce_orderline
        WHERE order_id IN (SELECT id FROM asked) GROUP BY order_id
    ), given_back AS (
        SELECT order_id, sum(amount_minor) AS minor FROM commerce_refund
        WHERE order_id IN (SELECT id FROM asked) GROUP BY order_id
    ), credited AS (
        SELECT order_id,
            sum(amount_minor) FILTER (WHERE reason IN ('sale', 'change')) AS gross,
            sum(amount_minor) FILTER (WHERE kind = 'direct') AS direct,
            sum(amount_minor) FILTER (WHERE kind = 'halo') AS halo,
            sum(amount_minor) FILTER (WHERE kind = 'unattributed') AS unattributed,
            sum(amount_minor) FILTER (WHERE own.currency = asked.currency) AS in_currency
        FROM commerce_credit AS own JOIN asked ON asked.id = own.order_id
        WHERE own.run_id = %(run)s GROUP BY order_id
    ), compared AS (
        SELECT asked.id, asked.currency,
            CASE WHEN test THEN 0 ELSE coalesce(sold.minor, 0) END AS gross,
            CASE WHEN test OR cancelled_at IS NOT NULL THEN 0
                ELSE greatest(0, coalesce(sold.minor, 0) - coalesce(given_back.minor, 0))
            END AS net,
            coalesce(credited.gross, 0) AS credited_gross,
            coalesce(direct, 0) AS direct,
            coalesce(halo, 0) AS halo,
            coalesce(unattributed, 0) AS unattributed,
            coalesce(in_currency, 0) AS in_currency
        FROM asked
        LEFT JOIN sold ON sold.order_id = asked.id
        LEFT JOIN given_back ON given_back.order_id = asked.id
        LEFT JOIN credited ON credited.order_id = asked.id
    ), judged AS (
        SELECT *, gross <> credited_gross OR net <> in_currency
            OR net <> direct + halo + unattributed AS off
        FROM compared
    )
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a merchant's orders in one currency, in its minor units."""

    currency: str
    order_count: int
    net_gmv_minor: int
    direct_minor: int
    halo_minor: int
    unattributed_minor: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The whole of a run at one instant: sums by currency, and the orders that disagree."""

    totals: list[Totals]
    off: list[int]


def orders_off(run: AttributionRun, order_ids: Sequence[int] | None = None) -> list[int]:
    """Return those of the orders (None: all of the merchant) whose credits are not their worth."""
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_ORDER + "SELECT id FROM judged WHERE off ORDER BY id",  # noqa: S608
            _of(run, order_ids),
        )
        return [order_id for (order_id,) in cursor.fetchall()]


def weigh(run: AttributionRun) -> Balance:
    """Return the run's totals and the orders that disagree, in one statement: one snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_ORDER  # noqa: S608
            + """
            SELECT currency, count(*), sum(net)::bigint, sum(direct)::bigint, sum(halo)::bigint,
                sum(unattributed)::bigint, array_agg(id ORDER BY id) FILTER (WHERE off)
            FROM judged GROUP BY currency ORDER BY currency
            """,
            _of(run, None),
        )
        rows = cursor.fetchall()
    return Balance(
        totals=[Totals(*row[:-1]) for row in rows],
        off=[order_id for row in rows for order_id in row[-1] or []],
    )


def _of(run: AttributionRun, order_ids: Sequence[int] | None) -> dict[str, Any]:
    return {
        "run": run.pk,
        "merchant": run.merchant_id,
        "orders": None if order_ids is None else list(order_ids),
    }
