"""Shops and private sellers, their listings with drawn photos, and what became of each listing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from commerce.listings.models import Listing, ListingState
from commerce.listings.services import create_listing, move_listing, set_photos
from commerce.merchants.models import Merchant, TeamMember
from commerce.merchants.services import add_team_member, open_shop, personal_merchant
from community.members.models import Member
from community.uploads.models import Image
from community.uploads.services import store
from config.seeds.script import ListingText, MerchantText, Picture
from config.seeds.stage import Stage, batched

OPENED_DAYS_AGO: Final = 125.0
# What costs as much is looked at from two sides.
TWO_PHOTOS_FROM_MINOR: Final = 5_000
# What a thing looks like hangs on its seed modulo small numbers; all of them divide this one, so
# another look is at the same thing in another light.
ANOTHER_LOOK: Final = 27_720
_ADDRESS: Final = re.compile(r"\{listing:([a-z0-9-]+)\}")


@transaction.atomic
def open_merchants(stage: Stage) -> None:
    """Open the shops with their teams, and let the private sellers sell in person."""
    at = stage.ago(days=OPENED_DAYS_AGO)
    for text in stage.script.merchants:
        stage.merchants[text.slug] = _open_shop(stage, text)
    for handle in stage.script.sellers:
        stage.merchants[handle] = personal_merchant(stage.members[handle])
    Merchant.objects.update(created_at=at)
    TeamMember.objects.update(added_at=at)


def _open_shop(stage: Stage, text: MerchantText) -> Merchant:
    owner, *others = (stage.members[handle] for handle in text.team)
    shop = open_shop(
        owner=owner,
        name=text.name,
        slug=text.slug,
        about=text.about,
        disclosure=text.disclosure,
        host=text.host,
        currency=text.currency,
    )
    for member in others:
        add_team_member(merchant=shop, member=member, by=owner)
    return shop


# -- listings ---------------------------------------------------------------------------------


def write_listings(stage: Stage) -> None:
    """Write every listing, without photos; all but drafts go live when they were listed."""
    for texts in batched(stage.each("Listings", stage.script.listings)):
        with transaction.atomic():
            for text in texts:
                stage.listings[text.key] = _write_listing(stage, text)


def _write_listing(stage: Stage, text: ListingText) -> Listing:
    merchant = stage.merchants[text.merchant or text.seller]
    by = _seller(stage, text)
    listing = create_listing(
        merchant=merchant,
        by=by,
        group=stage.groups[text.group],
        kind=text.kind,
        title=text.title,
        description=text.description,
        brand=text.brand,
        model=text.model,
        sku=text.sku,
        gtin=text.gtin,
        url=f"https://{merchant.host}{text.path}" if text.path else "",
        price_minor=text.price_minor,
        currency=text.currency,
        condition=text.condition,
        place=text.place,
        stock=text.stock,
    )
    at = stage.ago(days=text.listed_days_ago)
    if text.state != ListingState.DRAFT:
        move_listing(listing=listing, to=ListingState.LIVE, by=by)
    _date(listing, created_at=at, state_changed_at=at)
    if text.state != ListingState.DRAFT:
        _date(listing, published_at=at)
    return listing


def change_state(stage: Stage, text: ListingText) -> None:
    """Bring a listing into the state the script has for it."""
    listing = stage.listings[text.key]
    if text.changed_days_ago is not None:
        move_listing(listing=listing, to=ListingState(text.state), by=_seller(stage, text))
        _date(listing, state_changed_at=stage.ago(days=text.changed_days_ago))


def _date(listing: Listing, **dates: datetime) -> None:
    """Verbs date by the clock; what is played has its own time."""
    Listing.objects.filter(pk=listing.pk).update(**dates)
    for name, at in dates.items():
        setattr(listing, name, at)


def _seller(stage: Stage, text: ListingText) -> Member:
    shops = {shop.slug: shop.team[0] for shop in stage.script.merchants}
    return stage.members[text.seller or shops[text.merchant]]


def fill_in_addresses(stage: Stage, text: str) -> str:
    """Replace each {listing:key} by the address of that listing's page."""

    def address(found: re.Match[str]) -> str:
        return f"{settings.SITE_URL}{stage.listings[found[1]].get_absolute_url()}"

    return _ADDRESS.sub(address, text)


# -- photos -----------------------------------------------------------------------------------


def photos_of(text: ListingText, number: int) -> list[Picture]:
    """The photos of the listing that is the `number`th of the script."""
    picture = Picture(art=text.art, alt=text.title, colour=text.colour, seed=number)
    if text.price_minor < TWO_PHOTOS_FROM_MINOR or not text.merchant:
        return [picture]
    return [picture, replace(picture, alt=f"{text.title}, seen again", seed=number + ANOTHER_LOOK)]


def hang_photos(stage: Stage) -> None:
    """Give every listing its photos."""
    numbered = list(enumerate(stage.script.listings))
    for batch in batched(stage.each("Photos", numbered), 10):
        # Taken before the transaction begins: it must not wait for a picture that is being drawn.
        taken = [
            (text, [(each, stage.darkroom.take(each)) for each in photos_of(text, number)])
            for number, text in batch
        ]
        with transaction.atomic():
            for text, pictures in taken:
                owner = _seller(stage, text)
                images = [
                    store(owner=owner, group=None, encoded=encoded, alt=picture.alt)
                    for picture, encoded in pictures
                ]
                set_photos(stage.listings[text.key], images, by=owner)
                Image.objects.filter(pk__in=[image.pk for image in images]).update(
                    created_at=stage.ago(days=text.listed_days_ago)
                )
