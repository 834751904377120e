"""What a stored delivery says becomes rows; what became of it is written back on it."""

from __future__ import annotations

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from commerce.connectors.errors import Refused
from commerce.connectors.generic import Parsed, ReportedRefund, parse
from commerce.connectors.models import Delivery, DeliveryState
from commerce.connectors.outcomes import (
    ORDER_KNOWN,
    ORDER_WRITTEN,
    OUR_ERROR,
    REFUND_KNOWN,
    REFUND_WAITS,
    REFUND_WAITS_ALREADY,
    REFUND_WRITTEN,
)
from commerce.events import DeliveryReceived
from commerce.orders.errors import OrderRefused
from commerce.orders.models import ParkedRefund
from commerce.orders.services import Outcome, lock_order, record_order, record_refund

log = structlog.stdlib.get_logger(__name__)


def process_delivery(event: DeliveryReceived) -> None:
    """Write what the delivery says, once however often this runs.

    What cannot be written leaves nothing but the reason on the delivery, which can be replayed.
    PostgreSQL being away or busy is raised: the outbox tries again.
    """
    rows = Delivery.objects.select_related("endpoint__merchant")
    with transaction.atomic():
        delivery = rows.get(pk=event.delivery_id)
        # The order first, then the row: an order that comes settles the refunds that waited, so
        # the other way round two workers could wait for each other.
        lock_order(delivery.endpoint.merchant, delivery.order_external_id)
        delivery = rows.select_for_update(of=("self",)).get(pk=event.delivery_id)
        if delivery.state in (DeliveryState.PROCESSED, DeliveryState.FAILED):
            return
        delivery.tries += 1
        try:
            with transaction.atomic():
                state, outcome = _write(delivery)
        except (OrderRefused, Refused) as refusal:
            state, outcome = DeliveryState.FAILED, str(refusal)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            # Shown to the merchant and replayable, where a parked event would be shown to nobody.
            log.exception("delivery not processed", delivery=delivery.pk)
            state = DeliveryState.FAILED
            outcome = OUR_ERROR % {"error": type(error).__name__}
        delivery.state, delivery.outcome = state, outcome[:500]
        delivery.processed_at = timezone.now() if state == DeliveryState.PROCESSED else None
        delivery.save(update_fields=["state", "outcome", "processed_at", "tries"])


def _write(delivery: Delivery) -> tuple[DeliveryState, str]:
    parsed = parse(bytes(delivery.body), now=delivery.received_at)
    merchant = delivery.endpoint.merchant
    if isinstance(parsed.report, ReportedRefund):
        done = record_refund(merchant=merchant, reported=parsed.report, delivery=delivery)
    else:
        done = record_order(merchant=merchant, reported=parsed.report, delivery=delivery)
    return _in_words(delivery, parsed, done)


def _in_words(delivery: Delivery, parsed: Parsed, done: Outcome) -> tuple[DeliveryState, str]:
    number = {"number": parsed.order_external_id}
    if isinstance(done.row, ParkedRefund):
        if done.row.delivery_id != delivery.pk:
            return DeliveryState.PROCESSED, REFUND_WAITS_ALREADY
        return DeliveryState.WAITING, REFUND_WAITS % number
    if isinstance(parsed.report, ReportedRefund):
        if done.changed:
            return DeliveryState.PROCESSED, REFUND_WRITTEN % number
        return DeliveryState.PROCESSED, REFUND_KNOWN
    if done.changed:
        return DeliveryState.PROCESSED, ORDER_WRITTEN % number
    return DeliveryState.PROCESSED, ORDER_KNOWN % number
