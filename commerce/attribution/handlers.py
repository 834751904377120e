"""Orders that came or changed are credited a moment later. Safe to run twice and in any order."""

from __future__ import annotations

from commerce.attribution.services import credit_order
from commerce.events import OrderRecorded, OrderRefunded
from commerce.orders.models import Refund


def credit_recorded_order(event: OrderRecorded) -> None:
    credit_order(event.order_id)


def reverse_refunded_credits(event: OrderRefunded) -> None:
    credit_order(Refund.objects.only("order_id").get(pk=event.refund_id).order_id)
