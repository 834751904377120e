"""Why a listing's verb refuses. Each message is a sentence its member can read.

`field` names the field of the form the sentence belongs beside, if it belongs to one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class ListingRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message: ClassVar[StrOrPromise] = _("That is not possible for this listing.")
    field: ClassVar[str | None] = None

    def __str__(self) -> str:
        return str(self.args[0] if self.args else self.message)


class TitleMissing(ListingRefusal):
    message = _("Say what it is.")
    field = "title"


class PriceMissing(ListingRefusal):
    message = _("Something for sale needs a price. 0 means it is free.")
    field = "price"


class NotAGtin(ListingRefusal):
    message = _("That is not a GTIN: its last figure does not fit the others.")
    field = "gtin"


class SkuTaken(ListingRefusal):
    message = _("Another listing of this seller has this SKU.")
    field = "sku"


class ImportedAlready(ListingRefusal):
    message = _("The seller's feed has brought this one in already.")


class AddressElsewhere(ListingRefusal):
    message = _("The address must begin with https:// and be on the shop's own website.")
    field = "url"


class AddressTaken(ListingRefusal):
    message = _("Another listing has this address.")
    field = "url"


class NotInGroup(ListingRefusal):
    message = _("Join the group before you list something in it.")
    field = "group"


class TooManyPhotos(ListingRefusal):
    message = _("A listing has at most 8 photos.")
    field = "photos"


class NotYourPhoto(ListingRefusal):
    message = _("One of the photos belongs to somebody else.")
    field = "photos"


class SoldIsFinal(ListingRefusal):
    message = _("It is sold: its page stays as it was.")


class TransitionRefused(ListingRefusal):
    """What was asked may not follow the state the listing is in by now."""


class FeedRefused(ListingRefusal):
    """Row number `row` (from 0) of a feed's batch cannot be taken in; nothing of it was written."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row
