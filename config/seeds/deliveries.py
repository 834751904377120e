"""Orders and refunds as the shops report them: signed, checked, stored, processed."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from commerce.attribution.handlers import credit_recorded_order
from commerce.attribution.services import credit_orders
from commerce.connectors.generic import Kind, parse
from commerce.connectors.models import Delivery, DeliveryState, Endpoint
from commerce.connectors.services import kept_headers, open_endpoint, take_in
from commerce.connectors.signatures import is_signed, read_envelope, sign
from commerce.events import DeliveryReceived, OrderRecorded
from commerce.merchants.models import Merchant
from commerce.orders.handlers import process_delivery
from commerce.orders.models import Order as OrderRow
from commerce.orders.models import Refund as RefundRow
from config.money import typed
from config.outbox import run_together
from config.seeds.script import MerchantText
from config.seeds.stage import Stage
from config.seeds.trade import Line, Order

CONNECTED_DAYS_AGO: Final = 89.5
FIRST_NUMBER: Final = 1041
SENT_AFTER: Final = timedelta(seconds=4)
HEADERS: Final = {"User-Agent": "counter/3.2", "Content-Type": "application/json"}
# A refund of an order from before the shop was connected: it waits, and the merchant sees it.
WAITS_DAYS_AGO: Final = 6.4


@dataclass(frozen=True)
class _Message:
    """What a shop sends, when, and under which id; `data` as commerce.connectors.generic reads."""

    at: datetime
    shop: str
    kind: Kind
    external_id: str
    data: dict[str, Any]


def send_orders(stage: Stage, orders: Sequence[Order], *, click_ids: Sequence[str]) -> None:
    """Connect the shops, let them report `orders` (oldest first), and process what they sent.

    `click_ids` are the ids the shops got, by the click an order names.
    """
    shops = {shop.slug: _connect(stage, shop) for shop in stage.script.merchants}
    messages = sorted(_messages(stage, orders, click_ids), key=lambda message: message.at)
    # What changes an order comes after the order was credited, as it would have in life.
    for _, run in itertools.groupby(
        stage.each("Orders", messages), key=lambda message: message.kind == Kind.ORDER_CREATED
    ):
        with transaction.atomic():
            for message in run:
                _receive(message, *shops[message.shop])
        run_together(DeliveryReceived, process_delivery, _process)
        run_together(OrderRecorded, credit_recorded_order, _credit)
    stage.run_jobs("Credits")
    _date()


def _connect(stage: Stage, shop: MerchantText) -> tuple[Endpoint, str]:
    endpoint, secret = open_endpoint(
        merchant=stage.merchants[shop.slug], by=stage.members[shop.team[0]]
    )
    Endpoint.objects.filter(pk=endpoint.pk).update(created_at=stage.ago(days=CONNECTED_DAYS_AGO))
    return endpoint, secret


def _receive(message: _Message, endpoint: Endpoint, secret: str) -> None:
    """Do what the receiver does with a request, at the time it would have come."""
    body = json.dumps(
        {"type": message.kind, "timestamp": message.at.isoformat(), "data": message.data},
        indent=2,
    ).encode()
    headers = HEADERS | sign(secret, body, external_id=message.external_id, at=message.at)
    envelope = read_envelope(headers, now=message.at)
    if not is_signed(envelope, body, [secret]):
        raise RuntimeError(f"{message.external_id} is not signed as it should be.")
    parsed = parse(body, now=message.at)
    take_in(
        endpoint=endpoint,
        envelope=envelope,
        body=body,
        kind=parsed.kind,
        order_external_id=parsed.order_external_id,
        headers=kept_headers(headers),
    )


def _process(events: Sequence[DeliveryReceived]) -> None:
    for event in events:
        process_delivery(event)


def _credit(events: Sequence[OrderRecorded]) -> None:
    ids: dict[Merchant, list[int]] = {}
    rows = OrderRow.objects.select_related("merchant").order_by("pk")
    for order in rows.filter(pk__in=[event.order_id for event in events]):
        ids.setdefault(order.merchant, []).append(order.pk)
    for merchant, order_ids in ids.items():
        credit_orders(merchant, order_ids)


def _date() -> None:
    """Date what came of the deliveries: verbs date rows by the clock, and these have their time."""
    Delivery.objects.update(received_at=F("sent_at") + timedelta(seconds=1))
    Delivery.objects.filter(state=DeliveryState.PROCESSED).update(
        processed_at=F("sent_at") + timedelta(seconds=3)
    )
    OrderRow.objects.update(recorded_at=F("placed_at") + SENT_AFTER)
    RefundRow.objects.update(recorded_at=F("refunded_at") + SENT_AFTER)


# -- what is sent -----------------------------------------------------------------------------


def _messages(
    stage: Stage, orders: Sequence[Order], click_ids: Sequence[str]
) -> Iterator[_Message]:
    numbers = {shop.slug: FIRST_NUMBER for shop in stage.script.merchants}
    for order in orders:
        number = str(numbers[order.shop])
        numbers[order.shop] += 1
        placed = stage.ago(days=order.days_ago)
        created = _Message(
            at=placed + SENT_AFTER,
            shop=order.shop,
            kind=Kind.ORDER_CREATED,
            external_id=f"order-{number}-1",
            data={
                "id": number,
                "placed_at": placed.isoformat(),
                "updated_at": placed.isoformat(),
                "currency": "GBP",
                "click_id": order.click_id
                or (click_ids[order.click] if order.click is not None else ""),
                "buyer": _buyer(order, number),
                "test": order.test,
                "lines": _lines(order.lines),
            },
        )
        yield created
        if order.changed:
            days_ago, lines = order.changed
            yield _again(
                created, Kind.ORDER_UPDATED, stage.ago(days=days_ago), {"lines": _lines(lines)}
            )
        if order.cancelled_days_ago is not None:
            at = stage.ago(days=order.cancelled_days_ago)
            yield _again(created, Kind.ORDER_CANCELLED, at, {"cancelled_at": at.isoformat()})
        for refund in order.refunds:
            at = stage.ago(days=refund.days_ago)
            amount = typed(refund.amount_minor, "GBP")
            what = (
                {"amount": amount}
                if refund.line is None
                else {"lines": [{"line_id": str(refund.line + 1), "amount": amount}]}
            )
            yield _refund(order.shop, number, at, reason=refund.reason, **what)
    if orders:
        at = stage.ago(days=WAITS_DAYS_AGO)
        shop = stage.script.merchants[0].slug
        yield _refund(shop, str(FIRST_NUMBER - 7), at, reason="Under warranty", amount="45.00")


def _again(first: _Message, kind: Kind, at: datetime, changes: dict[str, Any]) -> _Message:
    return replace(
        first,
        at=at + SENT_AFTER,
        kind=kind,
        external_id=first.external_id.removesuffix("-1") + "-2",
        data=first.data | {"updated_at": at.isoformat()} | changes,
    )


def _refund(shop: str, number: str, at: datetime, **what: Any) -> _Message:
    return _Message(
        at=at + SENT_AFTER,
        shop=shop,
        kind=Kind.REFUND_CREATED,
        external_id=f"refund-{number}-1",
        data={
            "id": f"R{number}",
            "order_id": number,
            "refunded_at": at.isoformat(),
            "currency": "GBP",
            **what,
        },
    )


def _buyer(order: Order, number: str) -> dict[str, str]:
    address = (
        f"{order.member}@shoal.example"
        if order.member
        else f"buyer-{order.shop}-{number}@mail.example"
    )
    buyer = {"email_sha256": hashlib.sha256(address.encode()).hexdigest()}
    return buyer | ({"member": order.member} if order.member else {})


def _lines(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(number),
            "sku": line.ware.sku,
            "url": line.ware.url,
            "title": line.ware.title,
            "quantity": line.quantity,
            "net": typed(line.net_minor, "GBP"),
        }
        for number, line in enumerate(lines, start=1)
    ]
