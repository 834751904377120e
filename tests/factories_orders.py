"""Shops, their endpoints and what they send, signed as a shop would sign it."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from commerce.connectors.models import Endpoint
from commerce.connectors.services import open_endpoint
from commerce.connectors.signatures import sign
from commerce.listings.models import Listing, ListingState
from commerce.listings.services import create_listing, move_listing
from commerce.merchants.models import Merchant, TeamMember
from commerce.merchants.services import open_shop
from community.groups.models import Group
from community.members.models import Member

READER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
PLACED_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

_numbers = itertools.count(1)


def make_shop(owner: Member, *, currency: str = "EUR") -> Merchant:
    """A shop with a website of its own; `owner` is its team."""
    number = next(_numbers)
    return open_shop(
        owner=owner,
        name=f"Shore Optical {number}",
        host=f"shop{number}.example",
        currency=currency,
        disclosure="Shore Optical sells what it writes about.",
    )


def make_sale(shop: Merchant, *, group: Group | None = None, **fields: Any) -> Listing:
    """A live listing with a page at the shop; url="" makes one that is sold here."""
    number = next(_numbers)
    fields.setdefault("title", "Optra R2 rangefinder")
    fields.setdefault("price_minor", 21_000)
    fields.setdefault("sku", f"OPT-{number}")
    fields.setdefault("url", f"https://{shop.host}/products/r2-{number}")
    by = TeamMember.objects.select_related("member").filter(merchant=shop).latest("pk").member
    listing = create_listing(merchant=shop, by=by, group=group, **fields)
    return move_listing(listing=listing, to=ListingState.LIVE, by=by)


def make_endpoint(shop: Merchant) -> tuple[Endpoint, str]:
    """The shop's endpoint and its secret."""
    by = TeamMember.objects.select_related("member").filter(merchant=shop).latest("pk").member
    return open_endpoint(merchant=shop, by=by)


def order_data(number: str = "1001", **fields: Any) -> dict[str, Any]:
    """The `data` of an order.* delivery: one line of 210.00 EUR unless `fields` say otherwise."""
    return {
        "id": number,
        "placed_at": PLACED_AT.isoformat(),
        "updated_at": PLACED_AT.isoformat(),
        "currency": "EUR",
        "lines": [{"id": "1", "title": "Optra R2", "quantity": 1, "net": "210.00"}],
        **fields,
    }


def refund_data(number: str = "1001", refund: str = "R1", **fields: Any) -> dict[str, Any]:
    """The `data` of a refund.created delivery: 50.00 EUR of line 1 unless told otherwise."""
    if "amount" not in fields:
        fields.setdefault("lines", [{"line_id": "1", "amount": "50.00"}])
    return {
        "id": refund,
        "order_id": number,
        "refunded_at": PLACED_AT.isoformat(),
        "currency": "EUR",
        **fields,
    }


def delivery_body(kind: str, data: dict[str, Any]) -> bytes:
    """The bytes a shop posts: {"type", "timestamp", "data"}."""
    return json.dumps({"type": kind, "timestamp": PLACED_AT.isoformat(), "data": data}).encode()


def sign_delivery(
    secret: str, body: bytes, *, external_id: str = "", at: datetime | None = None
) -> dict[str, str]:
    """The three headers of Standard Webhooks; a new webhook-id unless one is given."""
    return sign(secret, body, external_id=external_id or f"msg_{uuid4().hex}", at=at)


def post_order(
    endpoint: Endpoint,
    secret: str,
    data: dict[str, Any] | None = None,
    *,
    kind: str = "order.created",
    external_id: str = "",
    at: datetime | None = None,
    client: Client | None = None,
) -> Any:
    """Post a signed delivery to the real endpoint; run config.outbox.drain() to process it."""
    body = delivery_body(kind, data or order_data())
    headers = sign_delivery(secret, body, external_id=external_id, at=at or timezone.now())
    return (client or Client()).post(
        endpoint.get_absolute_url(), body, content_type="application/json", headers=headers
    )
