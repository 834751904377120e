from __future__ import annotations

from typing import Final, Self

from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from commerce.merchants.models import Merchant, TeamMember
from community.groups.models import Group, JoinMode, Membership
from community.hiding.models import Hideable
from community.members.models import Viewer
from community.uploads.models import Image


class ListingKind(models.TextChoices):
    SALE = "sale", _("For sale")
    WANTED = "wanted", _("Wanted")


class Condition(models.TextChoices):
    NEW = "new", pgettext_lazy("condition", "New")
    LIKE_NEW = "like_new", _("Like new")
    GOOD = "good", _("Good, light wear")
    FAIR = "fair", _("Worn, works")
    FOR_PARTS = "for_parts", _("For parts or repair")


class ListingState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    LIVE = "live", _("Live")
    RESERVED = "reserved", _("Reserved")
    SOLD = "sold", _("Sold")
    WITHDRAWN = "withdrawn", _("Withdrawn")


# What may follow what; everything else is refused (services.move_listing).
TRANSITIONS: Final[dict[ListingState, frozenset[ListingState]]] = {
    ListingState.DRAFT: frozenset({ListingState.LIVE, ListingState.WITHDRAWN}),
    ListingState.LIVE: frozenset(
        {ListingState.RESERVED, ListingState.SOLD, ListingState.WITHDRAWN}
    ),
    ListingState.RESERVED: frozenset(
        {ListingState.LIVE, ListingState.SOLD, ListingState.WITHDRAWN}
    ),
    ListingState.SOLD: frozenset(),
    ListingState.WITHDRAWN: frozenset({ListingState.DRAFT, ListingState.LIVE}),
}


LINKABLE_STATES: Final = (ListingState.LIVE, ListingState.RESERVED)


class ListingQuerySet(models.QuerySet["Listing"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Published, unhidden listings of groups `viewer` may read, and all of their own."""
        public = (
            ~Q(state=ListingState.DRAFT)
            & Q(hidden_at__isnull=True)
            & (Q(group__isnull=True) | ~Q(group__join_mode=JoinMode.HIDDEN))
        )
        if not viewer.is_authenticated:
            return self.filter(public)
        inside = Membership.objects.filter(group=OuterRef("group_id"), member_id=viewer.pk)
        own = TeamMember.objects.filter(merchant=OuterRef("merchant_id"), member_id=viewer.pk)
        in_their_group = (
            ~Q(state=ListingState.DRAFT) & Q(hidden_at__isnull=True) & Q(Exists(inside))
        )
        return self.filter(public | in_their_group | Q(Exists(own)))

    def live(self) -> Self:
        return self.filter(state=ListingState.LIVE, hidden_at__isnull=True)

    def linkable(self) -> Self:
        """Live or reserved, and not hidden: what a thread may begin to show."""
        return self.filter(state__in=LINKABLE_STATES, hidden_at__isnull=True)

    def shown_to_readers_of(self, group: Group | None) -> Self:
        """Listings that everybody who may read `group` may see; without one, that all may."""
        shown = Q(group__isnull=True) | ~Q(group__join_mode=JoinMode.HIDDEN)
        return self.filter(shown | Q(group=group) if group is not None else shown)

    def with_card(self) -> Self:
        """With what a card shows: one query more for the photos, however many cards."""
        first = ListingPhoto.objects.filter(position=0).select_related("image")
        return self.select_related("merchant").prefetch_related(
            Prefetch("photos", first, to_attr="card_photos")
        )


class Listing(Hideable):
    """Something offered or wanted. Money is integer minor units of `currency` (ISO 4217).

    `url` is the listing's own page at its merchant; empty when it is sold here. `url_key` is its
    canonical form (addresses.canonical_key), by which a pasted address finds it. `external_id` is
    what the merchant's feed calls it. `condition` is empty where nobody said it. Written by
    listings.services only.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="listings")
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="listings")
    kind = models.CharField(max_length=8, choices=ListingKind.choices, default=ListingKind.SALE)
    state = models.CharField(
        max_length=10, choices=ListingState.choices, default=ListingState.DRAFT
    )
    title = models.CharField(max_length=120)
    description = models.TextField(max_length=5000, blank=True)
    brand = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=60, blank=True)
    sku = models.CharField(max_length=60, blank=True)
    gtin = models.CharField(max_length=14, blank=True)
    external_id = models.CharField(max_length=80, blank=True)
    url = models.URLField(max_length=500, blank=True)
    url_key = models.CharField(max_length=500, blank=True)
    price_minor = models.PositiveBigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="GBP")
    condition = models.CharField(max_length=10, choices=Condition.choices, blank=True)
    place = models.CharField(max_length=80, blank=True)
    stock = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    state_changed_at = models.DateTimeField(default=timezone.now)

    objects = ListingQuerySet.as_manager()

    class Meta(Hideable.Meta):
        constraints = [
            *Hideable.Meta.constraints,
            models.UniqueConstraint(
                fields=["merchant", "sku"], condition=~Q(sku=""), name="sku_once_a_merchant"
            ),
            models.UniqueConstraint(
                fields=["url_key"], condition=~Q(url_key=""), name="listing_address_once"
            ),
            models.UniqueConstraint(
                fields=["merchant", "external_id"],
                condition=~Q(external_id=""),
                name="listing_imported_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ListingState.values), name="listing_state_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ListingKind.values), name="listing_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(condition__in=["", *Condition.values]), name="listing_condition_known"
            ),
            models.CheckConstraint(
                condition=Q(kind=ListingKind.WANTED) | Q(price_minor__isnull=False),
                name="listing_for_sale_has_a_price",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="listing_currency_is_iso"
            ),
            models.CheckConstraint(
                condition=(Q(url="") & Q(url_key="")) | (~Q(url="") & ~Q(url_key="")),
                name="listing_address_has_its_key",
            ),
            models.CheckConstraint(
                condition=Q(url="") | Q(url__startswith="https://"),
                name="listing_address_is_https",
            ),
        ]
        indexes = [
            models.Index(fields=["group", "state", "-published_at"], name="listing_in_group"),
            models.Index(fields=["merchant", "-created_at"], name="listing_of_merchant"),
            models.Index(Upper("sku"), condition=~Q(sku=""), name="listing_by_sku"),
            models.Index(fields=["gtin"], condition=~Q(gtin=""), name="listing_by_gtin"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("listing", args=[self.pk])

    @property
    def cover(self) -> Image | None:
        """The photo on the card; no query after `with_card()`."""
        photos: list[ListingPhoto] | None = getattr(self, "card_photos", None)
        first = next(iter(self.photos.all() if photos is None else photos), None)
        return first.image if first else None

    @property
    def is_over(self) -> bool:
        return self.state in (ListingState.SOLD, ListingState.WITHDRAWN)


class ListingPhoto(models.Model):
    """A photo of a listing; position 0 is the one on its card."""

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="photos")
    image = models.ForeignKey(Image, models.PROTECT, related_name="listing_photos")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["listing", "position"], name="listing_photo_position_once"
            )
        ]


class ModelToken(models.Model):
    """A model token (tokens.listing_tokens) by which the linking job finds a listing.

    Only listings that may be linked (live or reserved) have any, so a look-up costs the same
    however many were sold.
    """

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="model_tokens")
    token = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "token"], name="model_token_once")
        ]
        indexes = [models.Index(fields=["token"], name="model_token_lookup")]
