from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Upper
from django.utils import timezone

from commerce.connectors.generic import ReportedLine, ReportedOrder, ReportedRefund
from commerce.connectors.models import Delivery, DeliveryState
from commerce.connectors.outcomes import ORDER_CAME
from commerce.events import OrderRecorded, OrderRefunded
from commerce.listings.addresses import canonical_key
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from commerce.orders.errors import CurrencyDiffers
from commerce.orders.models import Order, OrderLine, ParkedRefund, Refund, RefundLine
from community.members.models import Member
from config.outbox import publish


@dataclass(frozen=True)
class Outcome:
    """What became of a report: the row, and whether this report changed anything."""

    row: Order | Refund | ParkedRefund
    changed: bool


@transaction.atomic
def record_order(
    *, merchant: Merchant, reported: ReportedOrder, delivery: Delivery | None = None
) -> Outcome:
    """Write one version of an order; an equal or older one changes nothing.

    A version with a cancellation counts as newer than one of the same time without: it is the
    last word, and shops write both within one second. Refunds that waited for the order are
    written after it. Raises CurrencyDiffers. Announces OrderRecorded, and OrderRefunded for each
    refund that waited.
    """
    lock_order(merchant, reported.external_id)
    order = Order.objects.filter(merchant=merchant, external_id=reported.external_id).first()
    if order is not None and not _newer(reported, order):
        return Outcome(order, changed=False)
    if order is not None and order.currency != reported.currency:
        raise CurrencyDiffers(order.external_id, order.currency, reported.currency)
    if order is None:
        order = Order(merchant=merchant, external_id=reported.external_id)
    order.placed_at = reported.placed_at
    order.version_at = reported.version_at
    order.currency = reported.currency
    order.total_minor = reported.total_minor
    order.click_id = reported.click_id
    order.buyer_member = _buyer(reported.buyer_handle)
    order.buyer_email_sha256 = reported.buyer_email_sha256
    order.test = reported.test
    order.cancelled_at = reported.cancelled_at
    order.delivery = delivery
    order.save()
    _write_lines(order, reported.lines)
    publish(OrderRecorded(order.pk))
    _release_refunds(order)
    return Outcome(order, changed=True)


@transaction.atomic
def record_refund(*, merchant: Merchant, reported: ReportedRefund, delivery: Delivery) -> Outcome:
    """Write a refund to its order, once; park it while the order is not known.

    Raises CurrencyDiffers. Announces OrderRefunded when it is written.
    """
    lock_order(merchant, reported.order_external_id)
    order = Order.objects.filter(merchant=merchant, external_id=reported.order_external_id).first()
    if order is None:
        parked, new = ParkedRefund.objects.get_or_create(
            merchant=merchant,
            order_external_id=reported.order_external_id,
            external_id=reported.external_id,
            defaults={"body": _as_json(reported), "delivery": delivery},
        )
        return Outcome(parked, changed=new)
    return _write_refund(order, reported, delivery)


def lock_order(merchant: Merchant, external_id: str) -> None:
    """Let one transaction at a time work on this order, whether it has a row yet or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"order:{merchant.pk}:{external_id}"],
        )


def _newer(reported: ReportedOrder, order: Order) -> bool:
    said = (reported.version_at, reported.cancelled_at is not None)
    return said > (order.version_at, order.cancelled_at is not None)


def _buyer(handle: str) -> Member | None:
    return Member.objects.filter(handle=handle.lower()).first() if handle else None


# -- lines ------------------------------------------------------------------------------------


def _write_lines(order: Order, reported: tuple[ReportedLine, ...]) -> None:
    listings = match_listings(order.merchant, reported)
    rows = [
        OrderLine(
            order=order,
            external_id=said.external_id,
            listing=listings.get(said.external_id),
            sku=said.sku,
            url=said.url,
            title=said.title,
            quantity=said.quantity,
            net_minor=said.net_minor,
        )
        for said in reported
    ]
    # Refunds and credits may point at what is no longer bought: it stays and counts nothing.
    order.lines.exclude(external_id__in=[row.external_id for row in rows]).update(
        quantity=0, net_minor=0
    )
    OrderLine.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["order", "external_id"],
        update_fields=["listing", "sku", "url", "title", "quantity", "net_minor"],
    )


def match_listings(merchant: Merchant, lines: Iterable[ReportedLine]) -> dict[str, Listing]:
    """Return the listing each line sold, by the line's id; only the merchant's own are found.

    Our own number is believed first, then the SKU (as written, then in any case), then the
    address. Three queries at most, however many lines.
    """
    rows = Listing.objects.filter(merchant=merchant)
    wanted = list(lines)
    ids = {line.listing_id for line in wanted if line.listing_id}
    skus = {line.sku.upper() for line in wanted if line.sku}
    keys = {line.external_id: canonical_key(line.url) for line in wanted if line.url}
    by_id = rows.in_bulk(ids) if ids else {}
    by_sku: dict[str, Listing] = {}
    if skus:
        for listing in rows.annotate(upper=Upper("sku")).filter(upper__in=skus).order_by("-pk"):
            by_sku[listing.sku.upper()] = listing
            by_sku[f"={listing.sku}"] = listing
    by_key: dict[str, Listing] = {}
    if asked := {key for key in keys.values() if key}:
        by_key = {listing.url_key: listing for listing in rows.filter(url_key__in=asked)}
    found: dict[str, Listing] = {}
    for line in wanted:
        match = (
            (by_id.get(line.listing_id) if line.listing_id else None)
            or by_sku.get(f"={line.sku}")
            or by_sku.get(line.sku.upper())
            or by_key.get(keys.get(line.external_id, ""))
        )
        if match is not None:
            found[line.external_id] = match
    return found


# -- refunds ----------------------------------------------------------------------------------


def _write_refund(order: Order, reported: ReportedRefund, delivery: Delivery) -> Outcome:
    if reported.currency != order.currency:
        raise CurrencyDiffers(order.external_id, order.currency, reported.currency)
    refund, new = Refund.objects.get_or_create(
        order=order,
        external_id=reported.external_id,
        defaults={
            "refunded_at": reported.refunded_at,
            "reason": reported.reason,
            "amount_minor": reported.amount_minor,
            "delivery": delivery,
        },
    )
    if not new:
        return Outcome(refund, changed=False)
    lines = {line.external_id: line for line in order.lines.all()}
    parts = [
        RefundLine(
            refund=refund,
            line=lines.get(line_id) or _unknown_line(order, line_id),
            amount_minor=amount,
        )
        for line_id, amount in reported.lines
    ] or [RefundLine(refund=refund, amount_minor=reported.amount_minor)]
    RefundLine.objects.bulk_create(parts)
    publish(OrderRefunded(refund.pk))
    return Outcome(refund, changed=True)


def _unknown_line(order: Order, external_id: str) -> OrderLine:
    """A line the order's newest version does not have: it was removed, or comes with the next."""
    return OrderLine.objects.create(order=order, external_id=external_id, quantity=0, net_minor=0)


def _release_refunds(order: Order) -> None:
    waiting = ParkedRefund.objects.filter(
        merchant=order.merchant, order_external_id=order.external_id, released_at=None
    ).select_related("delivery")
    for parked in waiting.order_by("pk"):
        now = timezone.now()
        try:
            with transaction.atomic():
                _write_refund(order, _from_json(parked.body), parked.delivery)
        except CurrencyDiffers as refusal:
            _settle(parked.delivery, DeliveryState.FAILED, str(refusal), at=None)
            continue
        parked.released_at = now
        parked.save(update_fields=["released_at"])
        _settle(parked.delivery, DeliveryState.PROCESSED, ORDER_CAME, now)


def _settle(delivery: Delivery, state: DeliveryState, outcome: str, at: datetime | None) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(state=state, outcome=outcome, processed_at=at)


def _as_json(reported: ReportedRefund) -> dict[str, Any]:
    return {
        "external_id": reported.external_id,
        "order_external_id": reported.order_external_id,
        "refunded_at": reported.refunded_at.isoformat(),
        "currency": reported.currency,
        "amount_minor": reported.amount_minor,
        "lines": [list(each) for each in reported.lines],
        "reason": reported.reason,
    }


def _from_json(body: dict[str, Any]) -> ReportedRefund:
    return ReportedRefund(
        external_id=body["external_id"],
        order_external_id=body["order_external_id"],
        refunded_at=datetime.fromisoformat(body["refunded_at"]),
        currency=body["currency"],
        amount_minor=body["amount_minor"],
        lines=tuple((line_id, amount) for line_id, amount in body["lines"]),
        reason=body["reason"],
    )
