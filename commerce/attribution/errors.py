"""Why a reckoning stops. Each message is a sentence for whoever runs the shop's books."""

from __future__ import annotations

from collections.abc import Sequence


class AttributionFault(Exception):
    """Base of what can go wrong here."""


class Unbalanced(AttributionFault):
    """Credits and unattributed sales of an order are not its net GMV: a fault of ours.

    Nothing of the transaction that found it is kept.
    """

    def __init__(self, order_ids: Sequence[int]) -> None:
        shown = ", ".join(str(order_id) for order_id in order_ids[:10])
        super().__init__(f"Credits and net GMV disagree on {len(order_ids)} orders: {shown}.")
        self.order_ids = list(order_ids)


class AlreadyRunning(AttributionFault):
    """Another run of this merchant and model is at work."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"Run {run_id} of this merchant is still at work. Wait for it to end.")
