from __future__ import annotations

from commerce.connectors.outcomes import OTHER_CURRENCY


class OrderRefused(Exception):
    """What a delivery says cannot be written; the sentence is for the merchant."""


class CurrencyDiffers(OrderRefused):
    """The order is in another currency."""

    def __init__(self, order: str, known: str, said: str) -> None:
        super().__init__(OTHER_CURRENCY % {"number": order, "known": known, "said": said})
