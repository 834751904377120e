"""What becomes of a member's places on merchants' teams, and of merchants left with nobody.

Here and not beside the teams, for a merchant that closes takes its listings off and its address
for deliveries too, and both are above it.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commerce.connectors.models import Endpoint
from commerce.listings.models import Listing, ListingState
from commerce.listings.services import index_listings
from commerce.merchants.models import Merchant, MerchantKind, TeamMember, TeamRole
from config.personal import (
    BATCH,
    Erasing,
    Exported,
    NotExported,
    declare,
    keys,
    runs,
    sets_null,
)

ON_OFFER = (ListingState.DRAFT, ListingState.LIVE, ListingState.RESERVED)


def register() -> None:
    declare(
        "commerce.TeamMember.member",
        Exported(
            "merchants",
            gettext_lazy("Whom you sell for."),
            keys(
                merchant=("merchant__slug", gettext_lazy("its short name, as in its address")),
                name=("merchant__name", gettext_lazy("its name")),
                about=("merchant__about", gettext_lazy("what it says of itself")),
                role=gettext_lazy("owner or staff"),
                added_at=gettext_lazy("since when"),
            ),
        ),
        runs(
            "deletes",
            leave_teams,
            "A merchant with nobody left closes; its orders and what they were about stay.",
        ),
    )
    declare(
        "commerce.Endpoint.created_by",
        NotExported(gettext_lazy("The address is the merchant's, and secret.")),
        sets_null("The address is the merchant's."),
    )


def leave_teams(erasing: Erasing, after: str) -> str | None:
    """Leave one team; a merchant nobody is left for takes its listings off first, in batches."""
    place = (
        TeamMember.objects.filter(member=erasing.member_id)
        .select_related("merchant")
        .order_by("pk")
        .first()
    )
    if place is None:
        return None
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=place.merchant_id)
    others = TeamMember.objects.filter(merchant=merchant).exclude(pk=place.pk)
    if others.exists():
        _hand_over(merchant, place)
    elif _take_listings_off(merchant):
        return after
    else:
        _close(merchant, erasing)
    place.delete()
    return after


def _hand_over(merchant: Merchant, place: TeamMember) -> None:
    """Asked before; who was alone as an owner since hands over to whom is there longest."""
    others = TeamMember.objects.filter(merchant=merchant).exclude(pk=place.pk)
    if place.role == TeamRole.OWNER and not others.filter(role=TeamRole.OWNER).exists():
        heir = others.order_by("added_at", "pk")[0]
        heir.role = TeamRole.OWNER
        heir.save(update_fields=["role"])


def _take_listings_off(merchant: Merchant) -> bool:
    """Withdraw some listings and blank what a person said in them; False when none is left."""
    on_offer = Listing.objects.filter(merchant=merchant, state__in=ON_OFFER).order_by("pk")
    some = list(on_offer[:BATCH])
    if not some:
        return False
    Listing.objects.filter(pk__in=[listing.pk for listing in some]).update(
        state=ListingState.WITHDRAWN, state_changed_at=timezone.now()
    )
    for listing in some:
        listing.state = ListingState.WITHDRAWN
    index_listings(some)
    return True


def _close(merchant: Merchant, erasing: Erasing) -> None:
    if merchant.kind == MerchantKind.PERSON:
        merchant.name = erasing.new_name
        Listing.objects.filter(merchant=merchant).update(description="", place="")
    else:
        with translation.override(settings.LANGUAGE_CODE):
            merchant.name = _("Closed shop %(number)d") % {"number": merchant.pk}
    merchant.slug = f"closed-{merchant.pk}"
    merchant.about = merchant.disclosure = merchant.host = ""
    merchant.save()
    Endpoint.objects.filter(merchant=merchant, revoked_at=None).update(revoked_at=timezone.now())
