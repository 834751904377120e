"""Merchants, listings and placements: plain functions that call the services, as the site does."""

from __future__ import annotations

import itertools
from typing import Any

from commerce.listings.models import Listing, ListingState
from commerce.listings.services import create_listing, move_listing
from commerce.merchants.models import Merchant, TeamMember
from commerce.merchants.services import open_shop
from commerce.placements.models import Placement
from commerce.placements.services import place_listing
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Post, Thread
from community.uploads.models import Image
from community.uploads.reencode import Encoded
from community.uploads.services import store
from tests.factories import make_member

_numbers = itertools.count(1)


def make_merchant(name: str = "", *, owner: Member | None = None, **fields: Any) -> Merchant:
    """A shop with a website and a disclosure; its owner is made up when not given."""
    number = next(_numbers)
    fields.setdefault("host", f"shop-{number}.example")
    fields.setdefault("disclosure", "I sell what is discussed here.")
    owner = owner or make_member(f"keeper-{number}")
    return open_shop(owner=owner, name=name or f"Shop {number}", **fields)


def keeper_of(merchant: Merchant) -> Member:
    """The first member of a merchant's team."""
    return (
        TeamMember.objects.filter(merchant=merchant)
        .select_related("member")
        .order_by("pk")[0]
        .member
    )


def make_listing(
    merchant: Merchant | None = None,
    title: str = "Optra R2-M rangefinder",
    *,
    group: Group | None = None,
    state: ListingState = ListingState.LIVE,
    photos: int = 0,
    **fields: Any,
) -> Listing:
    """A listing for sale at 210.00, live unless `state` says otherwise; in a group, or nowhere.

    Its seller joins no group: the seeds' way in is the same.
    """
    merchant = merchant or make_merchant()
    by = keeper_of(merchant)
    fields.setdefault("price_minor", 21_000)
    fields.setdefault("condition", "good")
    listing = create_listing(
        merchant=merchant,
        by=by,
        title=title,
        photos=[make_image(by) for _ in range(photos)],
        **fields,
    )
    if group is not None:
        # Straight into the group: who may list there has its own tests.
        Listing.objects.filter(pk=listing.pk).update(group=group)
        listing.group = group
    path = {
        ListingState.DRAFT: [],
        ListingState.LIVE: [ListingState.LIVE],
        ListingState.RESERVED: [ListingState.LIVE, ListingState.RESERVED],
        ListingState.SOLD: [ListingState.LIVE, ListingState.SOLD],
        ListingState.WITHDRAWN: [ListingState.LIVE, ListingState.WITHDRAWN],
    }[state]
    for step in path:
        move_listing(listing=listing, to=step, by=by)
    return listing


def make_image(owner: Member, *, alt: str = "A camera on a bench.") -> Image:
    """A picture whose bytes are not one: pages only write its address."""
    encoded = Encoded(width=640, height=480, full=b"full", thumbnail=b"thumbnail")
    return store(owner=owner, group=None, encoded=encoded, alt=alt)


def make_placement(
    listing: Listing | None = None,
    *,
    thread: Thread,
    post: Post | None = None,
    by: Member | None = None,
    group: Group | None = None,
) -> Placement:
    """A listing placed by hand; by the thread's author unless told otherwise."""
    return place_listing(
        listing=listing or make_listing(group=group),
        thread=thread,
        post=post,
        by=by or thread.author,
    )
