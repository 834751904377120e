"""Verbs of listings. Whoever writes a listing's row does it here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext

from commerce.listings.addresses import canonical_key, may_stand_for
from commerce.listings.errors import (
    AddressElsewhere,
    AddressTaken,
    FeedRefused,
    ImportedAlready,
    ListingRefusal,
    NotAGtin,
    NotInGroup,
    NotYourPhoto,
    PriceMissing,
    SkuTaken,
    SoldIsFinal,
    TitleMissing,
    TooManyPhotos,
    TransitionRefused,
)
from commerce.listings.models import (
    LINKABLE_STATES,
    TRANSITIONS,
    Listing,
    ListingKind,
    ListingPhoto,
    ListingState,
    ModelToken,
)
from commerce.listings.tokens import is_gtin, listing_tokens
from commerce.merchants.models import Merchant
from commerce.merchants.services import ensure_on_team
from community.groups.models import Group
from community.groups.services import membership_of
from community.members.models import Member
from community.uploads.models import Image

PHOTOS_MAX: Final = 8

_TAKEN: Final[dict[str, type[ListingRefusal]]] = {
    "sku_once_a_merchant": SkuTaken,
    "listing_address_once": AddressTaken,
    "listing_imported_once": ImportedAlready,
}


class ListingFields(TypedDict, total=False):
    """What is said of a listing. What is left out keeps its value, or the model's default."""

    kind: str
    title: str
    description: str
    brand: str
    model: str
    sku: str
    gtin: str
    external_id: str
    url: str
    price_minor: int | None
    currency: str
    condition: str
    place: str
    stock: int


@transaction.atomic
def create_listing(
    *,
    merchant: Merchant,
    by: Member,
    group: Group | None = None,
    photos: Sequence[Image] = (),
    **fields: Unpack[ListingFields],
) -> Listing:
    """Write a draft for `merchant`; `move_listing` publishes it.

    `price_minor` is in minor units of `currency` (the merchant's when left out). Photos are at
    most PHOTOS_MAX, the first is on the card. Raises NotOnTeam (merchants) or a ListingRefusal.
    """
    ensure_on_team(by, merchant)
    listing = Listing(merchant=merchant, currency=merchant.currency)
    _describe(listing, fields, group=group, by=by)
    _save(listing)
    set_photos(listing, photos, by=by)
    return listing


@transaction.atomic
def update_listing(
    *,
    listing: Listing,
    by: Member,
    group: Group | None,
    photos: Sequence[Image] | None = None,
    **fields: Unpack[ListingFields],
) -> Listing:
    """Change what a listing says; `photos`, when given, replaces all of them.

    Raises NotOnTeam (merchants), SoldIsFinal, or another ListingRefusal.
    """
    ensure_on_team(by, listing.merchant)
    listing = (
        Listing.objects.select_for_update(of=("self",), no_key=True)
        .select_related("merchant")
        .get(pk=listing.pk)
    )
    if listing.state == ListingState.SOLD:
        raise SoldIsFinal
    _describe(listing, fields, group=group, by=by)
    _save(listing)
    if photos is not None:
        set_photos(listing, photos, by=by)
    else:
        _share_photos(listing)
    index_listings([listing])
    return listing


@transaction.atomic
def move_listing(*, listing: Listing, to: ListingState, by: Member) -> Listing:
    """Take a listing to another state as TRANSITIONS allow; of two racing moves one wins.

    Raises NotOnTeam (merchants) or TransitionRefused, which says what state it is in.
    """
    ensure_on_team(by, listing.merchant)
    now = timezone.now()
    allowed = [state for state, following in TRANSITIONS.items() if to in following]
    # The condition is asked again under the row's lock: the slower of two finds no row.
    moved = Listing.objects.filter(pk=listing.pk, state__in=allowed).update(
        state=to,
        state_changed_at=now,
        **({"published_at": Coalesce("published_at", now)} if to == ListingState.LIVE else {}),
    )
    # What names it is read again as well: it may have been edited since the caller loaded it.
    listing.refresh_from_db(
        fields=["state", "state_changed_at", "published_at", "kind", "brand", "model"]
    )
    if not moved:
        state = str(ListingState(listing.state).label).lower()
        if listing.state == to:
            raise TransitionRefused(gettext("It is %(state)s already.") % {"state": state})
        raise TransitionRefused(
            gettext("It is %(state)s by now, so it cannot become %(wanted)s.")
            % {"state": state, "wanted": str(to.label).lower()}
        )
    index_listings([listing])
    return listing


def set_photos(listing: Listing, photos: Sequence[Image], *, by: Member) -> None:
    """Make `photos` the listing's photos, in this order. Raises TooManyPhotos or NotYourPhoto."""
    if len(photos) > PHOTOS_MAX:
        raise TooManyPhotos
    before = {photo.image_id for photo in listing.photos.all()}
    if any(image.owner_id != by.pk and image.pk not in before for image in photos):
        raise NotYourPhoto
    listing.photos.all().delete()
    ListingPhoto.objects.bulk_create(
        ListingPhoto(listing=listing, image=image, position=position)
        for position, image in enumerate(photos)
    )
    _share_photos(listing)


def _share_photos(listing: Listing) -> None:
    """Give the photos the listing's readers: those of its group, which may hide later, or all."""
    Image.objects.filter(listing_photos__listing=listing, post_images__isnull=True).update(
        group=listing.group
    )


def _describe(
    listing: Listing, fields: ListingFields, *, group: Group | None, by: Member | None
) -> None:
    """Put `fields` on the row, refusing what the database cannot. `by` None: a feed."""
    for name, value in fields.items():
        setattr(listing, name, value.strip() if isinstance(value, str) else value)
    if not listing.title:
        raise TitleMissing
    if listing.kind == ListingKind.SALE and listing.price_minor is None:
        raise PriceMissing
    if listing.gtin and not is_gtin(listing.gtin):
        raise NotAGtin
    if listing.url and not may_stand_for(listing.url, host=listing.merchant.host):
        raise AddressElsewhere
    listing.url_key = canonical_key(listing.url)
    moved = group is not None and group.pk != listing.group_id
    if moved and by is not None and group is not None and membership_of(by, group) is None:
        raise NotInGroup
    listing.group = group


def _save(listing: Listing) -> None:
    try:
        with transaction.atomic():
            listing.save()
    except IntegrityError as error:
        for constraint, refusal in _TAKEN.items():
            if constraint in str(error):
                raise refusal from error
        raise


def index_listings(listings: Iterable[Listing]) -> None:
    """Bring the model tokens of these listings in line with what they say and their state.

    Wanted listings and those that may not be linked have none. Two queries, or three, or four.
    """
    wanted: dict[int, frozenset[str]] = {
        listing.pk: (
            listing_tokens(brand=listing.brand, model=listing.model)
            if listing.state in LINKABLE_STATES and listing.kind == ListingKind.SALE
            else frozenset()
        )
        for listing in listings
    }
    kept: set[tuple[int, str]] = set()
    gone: list[int] = []
    for row in ModelToken.objects.filter(listing__in=wanted.keys()):
        if row.token in wanted[row.listing_id]:
            kept.add((row.listing_id, row.token))
        else:
            gone.append(row.pk)
    if gone:
        ModelToken.objects.filter(pk__in=gone).delete()
    ModelToken.objects.bulk_create(
        (
            ModelToken(listing_id=listing_id, token=token)
            for listing_id, tokens in wanted.items()
            for token in sorted(tokens)
            if (listing_id, token) not in kept
        ),
        ignore_conflicts=True,
    )


@transaction.atomic
def take_in(
    *, merchant: Merchant, group: Group | None, rows: Sequence[ListingFields]
) -> tuple[int, int]:
    """Publish rows of the merchant's own feed, each with its `external_id`, at once.

    Rows the merchant has already stay as they are. Returns (written, here already). Raises
    FeedRefused, which says the row and why; then nothing of `rows` is written.
    """
    own = Listing.objects.filter(merchant=merchant)
    known = set(
        own.filter(external_id__in=[row["external_id"] for row in rows]).values_list(
            "external_id", flat=True
        )
    )
    skus = set(
        own.filter(sku__in=[row["sku"] for row in rows if row.get("sku")]).values_list(
            "sku", flat=True
        )
    )
    addresses = [canonical_key(row["url"]) for row in rows if row.get("url")]
    keys = set(
        Listing.objects.filter(url_key__in=[key for key in addresses if key]).values_list(
            "url_key", flat=True
        )
    )
    now = timezone.now()
    fresh: list[Listing] = []
    for number, row in enumerate(rows):
        if row["external_id"] in known:
            continue
        listing = Listing(
            merchant=merchant,
            currency=merchant.currency,
            state=ListingState.LIVE,
            published_at=now,
        )
        try:
            _describe(listing, row, group=group, by=None)
            if listing.sku and listing.sku in skus:
                raise SkuTaken
            if listing.url_key and listing.url_key in keys:
                raise AddressTaken
        except ListingRefusal as refusal:
            raise FeedRefused(number, str(refusal)) from refusal
        known.add(listing.external_id)
        skus.add(listing.sku)
        keys.add(listing.url_key)
        fresh.append(listing)
    Listing.objects.bulk_create(fresh)
    index_listings(fresh)
    return len(fresh), len(rows) - len(fresh)
