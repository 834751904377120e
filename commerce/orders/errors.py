from __future__ import annotations


class OrderRefused(Exception):
    """What a delivery says cannot be written; the sentence is for the merchant."""


class CurrencyDiffers(OrderRefused):
    """The order is in another currency."""

    def __init__(self, order: str, known: str, said: str) -> None:
        super().__init__(f"Order {order} is in {known}, but this says {said}.")
