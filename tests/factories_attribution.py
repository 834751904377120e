"""Clicks, orders and refunds as they come to be stored: through the services, without the web."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from commerce.attribution.models import AttributionRun, Credit
from commerce.attribution.services import current_run
from commerce.connectors.generic import ReportedLine, ReportedOrder, ReportedRefund
from commerce.connectors.models import Delivery, Endpoint
from commerce.connectors.services import open_endpoint
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant, TeamMember
from commerce.orders.models import Order, Refund
from commerce.orders.services import record_order, record_refund
from commerce.touchpoints.models import NotCounted, Touchpoint
from commerce.touchpoints.services import Surface, record_click
from community.chat.models import Message
from community.members.models import Member
from community.threads.models import Post

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

_numbers = itertools.count(1)


def make_click(
    listing: Listing,
    post: Post | None = None,
    *,
    message: Message | None = None,
    at: datetime = NOON - DAY,
    visitor_id: UUID | None = None,
    member: Member | None = None,
    consent: bool = True,
    not_counted: NotCounted = NotCounted.NO,
) -> Touchpoint:
    """A stored click on `listing` in `post`, in `message`, or nowhere in a talk.

    With consent, which a reader gave unless told otherwise, it has a visitor.
    """
    if post is not None:
        thread = post.thread
        surface = Surface(group=thread.group, thread=thread, post=post, author=post.author)
    elif message is not None:
        surface = Surface(group=message.room.group, message=message, author=message.sender)
    else:
        surface = Surface()
    return record_click(
        listing=listing,
        surface=surface,
        at=at,
        not_counted=not_counted,
        consent=consent,
        visitor_id=visitor_id,
        member=member,
    ).touchpoint


def line(
    net_minor: int, listing: Listing | None = None, *, number: str = "1", **fields: Any
) -> ReportedLine:
    """A line as a shop says it; `listing` is told by our own number."""
    fields.setdefault("title", listing.title if listing else "Something else")
    return ReportedLine(
        external_id=number,
        quantity=fields.pop("quantity", 1),
        net_minor=net_minor,
        listing_id=listing.pk if listing else None,
        **fields,
    )


def report_order(
    merchant: Merchant,
    *lines: ReportedLine,
    number: str = "",
    click: Touchpoint | None = None,
    at: datetime = NOON,
    version: int = 0,
    **fields: Any,
) -> Order:
    """The order in the shop's version `version` (seconds after it was placed)."""
    reported = ReportedOrder(
        external_id=number or f"order-{next(_numbers)}",
        placed_at=at,
        version_at=at + timedelta(seconds=version),
        currency=fields.pop("currency", merchant.currency),
        lines=lines,
        click_id=click.click_id if click else "",
        **fields,
    )
    row = record_order(merchant=merchant, reported=reported).row
    assert isinstance(row, Order)
    return row


def report_refund(
    order: Order, *lines: tuple[str, int], amount: int = 0, number: str = "", at: datetime = NOON
) -> Refund:
    """Money given back: pairs of a line's id and an amount, or `amount` over the whole order."""
    number = number or f"refund-{next(_numbers)}"
    reported = ReportedRefund(
        external_id=number,
        order_external_id=order.external_id,
        refunded_at=at,
        currency=order.currency,
        amount_minor=sum(each for _, each in lines) or amount,
        lines=lines,
        reason="It did not fit.",
    )
    delivery = _delivery(order)
    row = record_refund(merchant=order.merchant, reported=reported, delivery=delivery).row
    assert isinstance(row, Refund)
    return row


def _delivery(order: Order) -> Delivery:
    return Delivery.objects.create(
        endpoint=_endpoint(order.merchant),
        external_id=f"msg-{next(_numbers)}",
        kind="refund.created",
        order_external_id=order.external_id,
        body=b"{}",
        body_sha256="0" * 64,
        sent_at=NOON,
    )


def _endpoint(merchant: Merchant) -> Endpoint:
    known = Endpoint.objects.filter(merchant=merchant).first()
    if known is not None:
        return known
    owner = TeamMember.objects.select_related("member").filter(merchant=merchant).first()
    assert owner is not None
    return open_endpoint(merchant=merchant, by=owner.member)[0]


def run_of(merchant: Merchant) -> AttributionRun:
    """The merchant's current run, which there is."""
    run = current_run(merchant)
    assert run is not None
    return run


def credits_of(order: Order) -> list[tuple[str, str, int]]:
    """The current run's rows of an order as they were written: (kind, reason, minor units)."""
    return list(
        Credit.objects.filter(order=order, run=current_run(order.merchant))
        .order_by("pk")
        .values_list("kind", "reason", "amount_minor")
    )
