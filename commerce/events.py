"""Facts commerce announces. Payloads carry ids; whoever needs more looks it up."""

from __future__ import annotations

from dataclasses import dataclass

from config.outbox import Event


@dataclass(frozen=True)
class DeliveryReceived(Event):
    """A shop's signed delivery is stored and waits to be processed."""

    delivery_id: int


@dataclass(frozen=True)
class OrderRecorded(Event):
    """An order is new, or a newer version of it changed it; being cancelled is such a change."""

    order_id: int


@dataclass(frozen=True)
class OrderRefunded(Event):
    """A refund was written to an order we have, once for each refund."""

    refund_id: int
