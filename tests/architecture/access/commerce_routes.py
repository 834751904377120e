"""Listings and what stands beside posts, a shop's own pages, the redirect; and the site's rest."""

from __future__ import annotations

from typing import Final

from tests.architecture.access.rules import (
    Row,
    author,
    delete,
    everybody,
    get,
    members,
    only,
    post,
    signed_in,
    writers,
)

LISTING: Final = {
    "merchant": "me",
    "kind": "sale",
    "title": "A lens",
    "price": "20",
    "currency": "EUR",
    "condition": "good",
    "stock": "1",
}

LISTINGS: Final = [
    get("/sell/", signed_in()),
    post("/sell/", signed_in(302, silenced=403), LISTING),
    get("/listings/mine/", signed_in()),
    get("/listings/{listing.pk}/", everybody()),
    get("/listings/{unsold.pk}/", only(200, "author", others=404, guest=404)),
    get("/listings/{listing.pk}/edit/", author()),
    post("/listings/{listing.pk}/edit/", author(302), LISTING),
    post("/listings/{listing.pk}/state/", author(302), {"to": "reserved"}),
    # Whom the seller blocked is sent back to the listing, and the seller to their questions.
    post("/listings/{listing.pk}/question/", signed_in(302, silenced=403)),
    get("/g/{group.slug}/listings/", everybody()),
    get("/merchants/{shop.slug}/shop/", everybody()),
    get("/threads/{thread.pk}/listings/", members()),
    post("/threads/{thread.pk}/listings/", writers(), {"listing": "{another.pk}"}),
    post("/placements/{placement.pk}/removal/", only(302, "author", "moderator", "owner")),
    post("/placements/{suggestion.pk}/confirmation/", only(302, "author", "moderator", "owner")),
    get("{go}", everybody(302), writes="a click is a touchpoint"),
    get("/privacy/", everybody()),
    get("/consent/", everybody(302)),
    post("/consent/", everybody(302), {"choice": "yes"}, may_write=False),
]

SHOP: Final = [
    get("/merchants/new/", signed_in()),
    post(
        "/merchants/new/",
        signed_in(302, silenced=403),
        {"name": "A new shop", "host": "new.example", "disclosure": "I sell.", "currency": "EUR"},
    ),
    get("/merchants/{shop.slug}/settings/", author()),
    post(
        "/merchants/{shop.slug}/settings/",
        author(302),
        {"name": "Called so", "host": "{shop.host}", "disclosure": "I sell.", "currency": "EUR"},
    ),
    get("/merchants/{shop.slug}/team/", author()),
    post("/merchants/{shop.slug}/team/", author(302), {"handle": "{outsider_handle}"}),
    post(
        "/merchants/{shop.slug}/team/{author_handle}/",
        author(302),
        {"role": "staff"},
        may_write=False,
    ),
    delete("/merchants/{shop.slug}/team/{member_handle}/", author(302)),
    post("/merchants/{shop.slug}/invitation/", only(302, "member", others=404), {"accept": "yes"}),
    get("/merchants/{shop.slug}/questions/", author()),
    get("/sales/", signed_in(302)),
    *(
        get(f"/merchants/{{shop.slug}}/{page}", author())
        for page in ("", "threads/", "lines/", "lines.csv", "orders/{order.pk}/")
    ),
    # For whoever is not of its team, guests too, there is nothing to sign in for.
    get("/merchants/{shop.slug}/connector/", author(guest=404)),
    post("/merchants/{shop.slug}/connector/endpoint", author(302, guest=404), may_write=False),
    post(
        "/merchants/{shop.slug}/connector/secret",
        author(201, guest=404),
        {"endpoint": "{endpoint.public_id}", "ending": "{ending}"},
    ),
    post(
        "/merchants/{shop.slug}/connector/closing",
        author(302, guest=404),
        {"endpoint": "{endpoint.public_id}"},
    ),
    get("/merchants/{shop.slug}/connector/deliveries/{delivery.pk}/", author(guest=404)),
    post(
        "/merchants/{shop.slug}/connector/deliveries/{delivery.pk}/replay", author(302, guest=404)
    ),
    post("/hooks/generic/{endpoint.public_id}/", everybody(400), json=True, may_write=False),
]

SITE: Final = [
    get("/emoji/en/{emoji}.json", everybody()),
    get("/components/", everybody()),
    get("/manifest.webmanifest", everybody()),
    get("/sw.js", everybody()),
    get("/offline/", everybody()),
]

ROWS: Final[list[Row]] = [*LISTINGS, *SHOP, *SITE]
