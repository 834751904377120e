"""Django's view of commerce's rows; each feature owns its own."""

from commerce.listings.models import Listing, ListingPhoto, ModelToken
from commerce.merchants.models import Merchant, TeamMember
from commerce.placements.models import Placement
from commerce.touchpoints.models import Touchpoint, Visitor

__all__ = [
    "Listing",
    "ListingPhoto",
    "Merchant",
    "ModelToken",
    "Placement",
    "TeamMember",
    "Touchpoint",
    "Visitor",
]
