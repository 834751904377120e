"""Why a listing's verb refuses. Each message is a sentence its member can read.

`field` names the field of the form the sentence belongs beside, if it belongs to one.
"""

from __future__ import annotations

from typing import ClassVar


class ListingRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message = "That is not possible for this listing."
    field: ClassVar[str | None] = None

    def __str__(self) -> str:
        return self.args[0] if self.args else self.message


class TitleMissing(ListingRefusal):
    message = "Say what it is."
    field = "title"


class PriceMissing(ListingRefusal):
    message = "Something for sale needs a price. 0 means it is free."
    field = "price"


class NotAGtin(ListingRefusal):
    message = "That is not a GTIN: its last figure does not fit the others."
    field = "gtin"


class SkuTaken(ListingRefusal):
    message = "Another listing of this seller has this SKU."
    field = "sku"


class ImportedAlready(ListingRefusal):
    message = "The seller's feed has brought this one in already."


class AddressElsewhere(ListingRefusal):
    message = "The address must begin with https:// and be on the shop's own website."
    field = "url"


class AddressTaken(ListingRefusal):
    message = "Another listing has this address."
    field = "url"


class NotInGroup(ListingRefusal):
    message = "Join the group before you list something in it."
    field = "group"


class TooManyPhotos(ListingRefusal):
    message = "A listing has at most 8 photos."
    field = "photos"


class NotYourPhoto(ListingRefusal):
    message = "One of the photos belongs to somebody else."
    field = "photos"


class SoldIsFinal(ListingRefusal):
    message = "It is sold: its page stays as it was."


class TransitionRefused(ListingRefusal):
    """What was asked may not follow the state the listing is in by now."""


class FeedRefused(ListingRefusal):
    """Row number `row` (from 0) of a feed's batch cannot be taken in; nothing of it was written."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row
