"""What is known of orders, read for the pure rules: a fixed number of queries for any number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from commerce.attribution.entries import Facts, Line, Refund
from commerce.attribution.models import Credit
from commerce.attribution.policy import Purchase, Touch
from commerce.merchants.models import TeamMember
from commerce.orders.models import Order, OrderLine, RefundLine
from commerce.touchpoints.models import Touchpoint, Visitor

# Newest first, of each browser: nobody reads that much before buying, but a script may click.
TOUCHES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a touch happened: what a credit is grouped by. Ids."""

    thread_id: int | None
    post_id: int | None
    message_id: int | None
    author_id: int | None
    group_id: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some orders, by order id; `places` by touch id."""

    orders: Mapping[int, Order]
    facts: Mapping[int, Facts]
    places: Mapping[UUID, Place]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who brought the order's click id back: their browsers, and the members they are."""

    visitors: frozenset[UUID] = frozenset()
    members: frozenset[int] = frozenset()


_Note = Callable[[int, Touch, Place], None]
_TOUCH_COLUMNS: Final = (
    *("id", "occurred_at", "merchant_id", "listing_id", "author_id", "not_counted"),
    *("thread_id", "post_id", "message_id", "group_id"),
)
# Each browser's touches are read off the end of its own stretch of the index.
_OF_BROWSERS: Final = """
    SELECT asked.order_id,
        touch.id, occurred_at, touch.merchant_id, listing_id, author_id, not_counted,
        thread_id, post_id, message_id, group_id
    FROM unnest(
        %(orders)s::bigint[], %(visitors)s::uuid[], %(merchants)s::bigint[],
        %(until)s::timestamptz[]
    ) AS asked(order_id, visitor_id, merchant_id, until)
    CROSS JOIN LATERAL (
        SELECT * FROM commerce_touchpoint
        WHERE visitor_id = asked.visitor_id AND merchant_id = asked.merchant_id
            AND occurred_at <= asked.until
            AND (%(since)s::interval IS NULL OR occurred_at >= asked.until - %(since)s::interval)
        ORDER BY occurred_at DESC, id DESC
        LIMIT %(most)s
    ) AS touch
"""


def read_facts(
    orders: Sequence[Order],
    *,
    run_ids: Iterable[int],
    since: timedelta | None,
    most: int = TOUCHES_MAX,
) -> Known:
    """Read what is known of `orders`, with the touches that lead to them.

    A touch leads to an order if the order brought its click id back, if it is another touch of
    the same merchant by the browser (or the member) that click id belongs to, or if one of the
    runs has credited it to the order already: what was joined stays joined when a reader is
    forgotten. Whom the shop names as the buyer joins nothing, or a shop could ask us what any
    member has clicked; it only serves to refuse self-purchases.

    `since` is how long before an order its touches are read (None: for ever), newest first and
    at most `most` of a browser.
    """
    touches: dict[int, set[Touch]] = defaultdict(set)
    places: dict[UUID, Place] = {}

    def note(order_id: int, touch: Touch, place: Place) -> None:
        touches[order_id].add(touch)
        places[touch.id] = place

    readers = _read_clicks(orders, note)
    _read_browsers(orders, readers, since, most, note)
    _read_credited(orders, run_ids, note)
    team = _read_team(orders)
    lines, refunds = _read_lines(orders), _read_refunds(orders)
    facts = {
        order.pk: Facts(
            purchase=Purchase(
                merchant_id=order.merchant_id,
                placed_at=order.placed_at,
                buyers=readers[order.pk].members
                | ({order.buyer_member_id} if order.buyer_member_id else frozenset()),
                team=frozenset(
                    member_id
                    for member_id, added_at in team[order.merchant_id]
                    if added_at <= order.placed_at
                ),
            ),
            currency=order.currency,
            lines=lines[order.pk],
            touches=sorted(touches[order.pk], key=lambda touch: touch.age_key),
            refunds=refunds[order.pk],
            cancelled=order.cancelled_at is not None,
            test=order.test,
        )
        for order in orders
    }
    return Known({order.pk: order for order in orders}, facts, places)


def _read_clicks(orders: Sequence[Order], note: _Note) -> dict[int, _Reader]:
    """Note the touches whose click ids the orders brought; return whose they are, by order."""
    readers: dict[int, _Reader] = defaultdict(_Reader)
    by_click = {order.click_id: order for order in orders if order.click_id}
    rows = Touchpoint.objects.filter(click_id__in=by_click).values(
        "click_id", "visitor_id", "member_id", "visitor__member_id", *_TOUCH_COLUMNS
    )
    clicked = {row["click_id"]: row for row in rows}
    for order in orders:
        row = clicked.get(order.click_id)
        if row is None:
            continue
        note(order.pk, *_touch(row))
        if row["merchant_id"] != order.merchant_id:
            continue  # Another shop's click id: not the order's to follow any further.
        members = {row["member_id"], row["visitor__member_id"]} - {None}
        readers[order.pk] = _Reader(frozenset({row["visitor_id"]} - {None}), frozenset(members))
    members = {member for reader in readers.values() for member in reader.members}
    if members:
        browsers: dict[int, set[UUID]] = defaultdict(set)
        for pk, member_id in Visitor.objects.filter(member__in=members).values_list(
            "pk", "member_id"
        ):
            if member_id is not None:
                browsers[member_id].add(pk)
        for order_id, reader in readers.items():
            more = [browsers[member] for member in reader.members]
            readers[order_id] = _Reader(reader.visitors.union(*more), reader.members)
    return readers


def _read_browsers(
    orders: Sequence[Order],
    readers: Mapping[int, _Reader],
    since: timedelta | None,
    most: int,
    note: _Note,
) -> None:
    """Note what the readers' browsers touched of the merchant before the order."""
    pairs = [
        (order.pk, visitor, order.merchant_id, order.placed_at)
        for order in orders
        for visitor in readers[order.pk].visitors
    ]
    if not pairs:
        return
    order_ids, visitors, merchants, placed = zip(*pairs, strict=True)
    params: dict[str, Any] = {
        "orders": list(order_ids),
        "visitors": list(visitors),
        "merchants": list(merchants),
        "until": list(placed),
        "since": since,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OF_BROWSERS, params)
        for order_id, *row in cursor.fetchall():
            note(order_id, *_touch(dict(zip(_TOUCH_COLUMNS, row, strict=True))))


def _read_credited(orders: Sequence[Order], run_ids: Iterable[int], note: _Note) -> None:
    """Note the touches that the runs have credited already."""
    rows = Credit.objects.filter(
        run__in=list(run_ids), order__in=orders, touchpoint__isnull=False
    ).values("order_id", *(f"touchpoint__{name}" for name in _TOUCH_COLUMNS))
    for row in rows.distinct():
        order_id = row.pop("order_id")
        note(order_id, *_touch({name: row[f"touchpoint__{name}"] for name in _TOUCH_COLUMNS}))


def _read_team(orders: Sequence[Order]) -> Mapping[int, list[tuple[int, datetime]]]:
    team: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    merchants = {order.merchant_id for order in orders}
    for merchant_id, member_id, added_at in TeamMember.objects.filter(
        merchant__in=merchants
    ).values_list("merchant_id", "member_id", "added_at"):
        team[merchant_id].append((member_id, added_at))
    return team


def _read_lines(orders: Sequence[Order]) -> Mapping[int, list[Line]]:
    lines: dict[int, list[Line]] = defaultdict(list)
    for pk, order_id, net_minor, listing_id in (
        OrderLine.objects.filter(order__in=orders)
        .order_by("pk")
        .values_list("pk", "order_id", "net_minor", "listing_id")
    ):
        lines[order_id].append(Line(pk, net_minor, listing_id))
    return lines


def _read_refunds(orders: Sequence[Order]) -> Mapping[int, list[Refund]]:
    parts: dict[int, dict[int, dict[int | None, int]]] = defaultdict(dict)
    for order_id, refund_id, line_id, amount_minor in (
        RefundLine.objects.filter(refund__order__in=orders)
        .order_by("refund_id", "pk")
        .values_list("refund__order_id", "refund_id", "line_id", "amount_minor")
    ):
        parts[order_id].setdefault(refund_id, {})[line_id] = amount_minor
    return {
        order.pk: [Refund(pk, each) for pk, each in parts[order.pk].items()] for order in orders
    }


def _touch(row: Mapping[str, Any]) -> tuple[Touch, Place]:
    touch = Touch(
        id=row["id"],
        occurred_at=row["occurred_at"],
        merchant_id=row["merchant_id"],
        listing_id=row["listing_id"],
        author_id=row["author_id"],
        not_counted=row["not_counted"],
    )
    place = Place(
        thread_id=row["thread_id"],
        post_id=row["post_id"],
        message_id=row["message_id"],
        author_id=row["author_id"],
        group_id=row["group_id"],
    )
    return touch, place
