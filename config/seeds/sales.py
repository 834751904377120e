"""Ninety days of clicks on what stands in threads, and the orders they led to.

Touchpoints have one writer on a site, the redirect, one at a time. Here thousands are written at
once, with the same columns; orders take the whole road (deliveries).
"""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from commerce.listings.models import Listing, ListingKind, ListingState
from commerce.merchants.models import MerchantKind
from commerce.placements.models import Evidence, Placement
from commerce.touchpoints.models import TouchKind, Touchpoint, Visitor
from community.groups.models import Membership
from community.threads.models import Post
from config.seeds.deliveries import send_orders
from config.seeds.stage import Stage, batched
from config.seeds.trade import Plan, Spot, Story, Ware, plan_trade

# Sold at the counter and online, and not listed here.
UNLISTED: Final = {
    "shore-optical": (
        Ware("Lens cloth, two", 600),
        Ware("Developing and scans, one roll", 1_400),
        Ware("Plaited cotton strap", 2_200),
    ),
    "groove-bench": (
        Ware("Record brush", 1_200),
        Ware("Phono lead, one metre", 1_600),
        Ware("Bench fee: clean, belt and alignment", 4_500),
    ),
    "fernside": (
        Ware("Saucer, 15 cm", 500),
        Ware("Bag of bark, 3 litres", 700),
        Ware("Blue star fern", 1_800),
    ),
}
STORIES: Final = (
    # A belt kit for his own deck, from his own shop: a sale, and nobody's credit.
    Story("dougal", "bk50", "ivo", clicked=26.31, ordered=26.27),
    # “I have bought the can. The chair conversation is over.”
    Story("sam", "wc2", "maeve", clicked=5.12, ordered=4.93),
)


@dataclass(frozen=True)
class _Place:
    """The rows a spot stands for."""

    spot: Spot
    listing: Listing
    placement: Placement | None = None


def write_sales(stage: Stage, *, clicks: int, lone_orders: int) -> Plan:
    """Write what trade.plan_trade makes of the listings and placements there are."""
    places = list(_places(stage))
    plan = plan_trade(
        [place.spot for place in places],
        _wares(stage),
        clicks=clicks,
        lone_orders=lone_orders,
        stories=STORIES,
    )
    send_orders(stage, plan.orders, click_ids=_write_clicks(stage, plan, places))
    return plan


def date_placements() -> None:
    """Date what the linking job placed: when post and listing were there, not when it ran."""
    placements = list(
        Placement.objects.exclude(evidence=Evidence.HAND).select_related("post", "listing")
    )
    for placement in placements:
        if placement.post and placement.listing.published_at:
            there = max(placement.post.created_at, placement.listing.published_at)
            placement.created_at = there + timedelta(seconds=20)
    Placement.objects.bulk_update(placements, ["created_at"], batch_size=200)


# -- what there is to click and to buy --------------------------------------------------------


def _places(stage: Stage) -> Iterator[_Place]:
    """Every card in a thread, and for a shop's listing its own page."""

    def days_ago(at: datetime) -> float:
        return (stage.anchor - at) / timedelta(days=1)

    keys = {listing.pk: key for key, listing in stage.listings.items()}
    closed = {
        text.key: text.changed_days_ago or 0.0
        for text in stage.script.listings
        if text.state in (ListingState.SOLD, ListingState.WITHDRAWN)
    }
    # Those who sell it have seen it.
    teams = {shop.slug: shop.team for shop in stage.script.merchants}
    joined: dict[int, list[tuple[str, float]]] = {}
    for membership in Membership.objects.select_related("member").order_by("pk"):
        joined.setdefault(membership.group_id, []).append(
            (membership.member.handle, days_ago(membership.joined_at))
        )
    talk: dict[int, list[float]] = {}
    for thread_id, at in Post.objects.order_by("pk").values_list("thread_id", "created_at"):
        talk.setdefault(thread_id, []).append(days_ago(at))
    shown = Placement.objects.shown().select_related(
        "thread__group", "thread__author", "post__author", "placed_by", "listing__merchant"
    )
    for placement in shown.order_by("pk"):
        listing, thread = placement.listing, placement.thread
        on_thread = placement.placed_by or thread.author
        yield _Place(
            Spot(
                listing=keys[listing.pk],
                shop=listing.merchant.slug,
                opens=days_ago(placement.created_at),
                closes=closed.get(keys[listing.pk], 0.0),
                pull=_pull(placement),
                talk=tuple(talk[thread.pk]),
                readers=tuple(
                    (handle, since)
                    for handle, since in joined[thread.group_id]
                    if handle not in teams.get(listing.merchant.slug, ())
                ),
                author=(placement.post.author if placement.post else on_thread).handle,
            ),
            listing,
            placement,
        )
    customers = tuple(
        (each.handle, each.joined_days_ago)
        for each in stage.script.people
        if each.handle not in {handle for team in teams.values() for handle in team}
    )
    for text in stage.script.listings:
        if text.merchant and text.state != ListingState.DRAFT:
            yield _Place(
                Spot(
                    listing=text.key,
                    shop=text.merchant,
                    opens=text.listed_days_ago,
                    closes=closed.get(text.key, 0.0),
                    pull=0.22,
                    readers=customers,
                ),
                stage.listings[text.key],
            )


def _pull(placement: Placement) -> float:
    """Later posts are read by those who read on, and what one person sells once by fewer."""
    shop = placement.listing.merchant.kind == MerchantKind.SHOP
    number = placement.post.number if placement.post else 1
    return (1.0 if shop else 0.55) / (1.0 + number / 30)


def _wares(stage: Stage) -> dict[str, list[Ware]]:
    return {
        shop.slug: [
            *(
                Ware(
                    title=text.title,
                    price_minor=text.price_minor,
                    listing=text.key,
                    sku=text.sku,
                    url=stage.listings[text.key].url,
                    many=text.stock > 1
                    and text.state == ListingState.LIVE
                    and text.kind == ListingKind.SALE,
                )
                for text in stage.script.listings
                if text.merchant == shop.slug
            ),
            *UNLISTED[shop.slug],
        ]
        for shop in stage.script.merchants
    }


# -- clicks -----------------------------------------------------------------------------------


def _write_clicks(stage: Stage, plan: Plan, places: Sequence[_Place]) -> list[str]:
    """Write visitors and touchpoints as touchpoints.services.record_click would have, one by one.

    Returns the click id each click sent the shop: of a repeat, that of the click it repeats.
    """
    rng = random.Random("click ids")  # noqa: S311 - a demo's, for the same rows every time
    first_seen: dict[int, datetime] = {}
    for click in plan.clicks:
        if click.visitor is not None:
            first_seen.setdefault(click.visitor, stage.ago(days=click.days_ago))
    visitors = {
        number: Visitor(
            id=_uuid7(at, rng),
            first_seen_at=at,
            member=stage.members.get(plan.visitors[number]),
        )
        for number, at in first_seen.items()
    }
    touches: list[Touchpoint] = []
    sent: list[str] = []
    kept: dict[tuple[int | None, int], str] = {}
    for click in plan.clicks:
        at = stage.ago(days=click.days_ago)
        place = places[click.spot]
        placement = place.placement
        post = placement.post if placement else None
        thread = placement.thread if placement else None
        author = post.author if post else None
        if placement and thread and not post:
            author = placement.placed_by or thread.author
        touch = Touchpoint(
            id=_uuid7(at, rng),
            kind=TouchKind.CLICK,
            click_id=base64.urlsafe_b64encode(rng.randbytes(18)).decode(),
            visitor=visitors[click.visitor] if click.visitor is not None else None,
            member=stage.members.get(click.member),
            consent=click.visitor is not None,
            not_counted=click.not_counted,
            occurred_at=at,
            received_at=at,
            listing=place.listing,
            merchant_id=place.listing.merchant_id,
            group=thread.group if thread else None,
            thread=thread,
            post=post,
            author=author,
        )
        touches.append(touch)
        if click.not_counted != "repeat":
            kept[click.visitor, click.spot] = touch.click_id
        sent.append(kept[click.visitor, click.spot])
    with transaction.atomic():
        Visitor.objects.bulk_create(visitors.values())
    for batch in batched(stage.each("Clicks", touches), 500):
        Touchpoint.objects.bulk_create(batch)
    return sent


def _uuid7(at: datetime, rng: random.Random) -> uuid.UUID:
    """A UUID of version 7 that sorts by `at` and is the same every time."""
    milliseconds = int(at.timestamp() * 1_000)
    bits = milliseconds << 80 | 0x7 << 76 | rng.getrandbits(12) << 64
    return uuid.UUID(int=bits | 0b10 << 62 | rng.getrandbits(62))
