"""Django's view of commerce's rows; each feature owns its own."""

from commerce.attribution.models import AttributionRun, Credit, CurrentRun
from commerce.connectors.models import Delivery, Endpoint
from commerce.listings.models import Listing, ListingPhoto, ModelToken
from commerce.merchants.models import Merchant, TeamInvitation, TeamMember
from commerce.orders.models import Order, OrderLine, ParkedRefund, Refund, RefundLine
from commerce.placements.models import MessagePlacement, Placement
from commerce.touchpoints.models import Touchpoint, Visitor

__all__ = [
    "AttributionRun",
    "Credit",
    "CurrentRun",
    "Delivery",
    "Endpoint",
    "Listing",
    "ListingPhoto",
    "Merchant",
    "MessagePlacement",
    "ModelToken",
    "Order",
    "OrderLine",
    "ParkedRefund",
    "Placement",
    "Refund",
    "RefundLine",
    "TeamInvitation",
    "TeamMember",
    "Touchpoint",
    "Visitor",
]
