"""The listings a post could speak of, by indexed look-ups alone.

What a look-up costs follows the words of the post, not the number of listings: what a crowd of
listings shares names none of them, so no more than that are ever read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, TypeVar

from django.db import connection
from django.db.models import Q

from commerce.listings.models import Listing, ListingKind
from commerce.listings.tokens import listing_tokens, same_gtins
from commerce.placements.linking import SUGGEST_MAX, Candidate, Reading
from community.groups.models import Group

T = TypeVar("T")

# A model token of more listings than this names none of them, whatever the brand.
CROWD: Final = 50
# A post has a few hundred different words; a wall of numbers must not become a wall of look-ups.
LOOKED_UP_MAX: Final = 4_000

# For each value at most so many holders, by an index; live and reserved listings hold tokens.
_HOLDERS: Final = {
    "token": """
        SELECT wanted.value, held.listing_id FROM unnest(%s::text[]) AS wanted(value)
        CROSS JOIN LATERAL (
            SELECT listing_id FROM commerce_modeltoken WHERE token = wanted.value LIMIT %s
        ) AS held""",
    "sku": """
        SELECT wanted.value, held.id FROM unnest(%s::text[]) AS wanted(value)
        CROSS JOIN LATERAL (
            SELECT id FROM commerce_listing
            WHERE upper(sku) = wanted.value AND NOT (sku = '')
            AND state IN ('live', 'reserved') AND kind = 'sale' LIMIT %s
        ) AS held""",
    "gtin": """
        SELECT wanted.value, held.id FROM unnest(%s::text[]) AS wanted(value)
        CROSS JOIN LATERAL (
            SELECT id FROM commerce_listing
            WHERE gtin = wanted.value AND NOT (gtin = '')
            AND state IN ('live', 'reserved') AND kind = 'sale' LIMIT %s
        ) AS held""",
}


def candidate_of(listing: Listing, *, crowded: frozenset[str] = frozenset()) -> Candidate:
    """Return what the linking job asks of a listing; a wanted one is found by its page alone."""
    for_sale = listing.kind == ListingKind.SALE
    return Candidate(
        listing_id=listing.pk,
        merchant_id=listing.merchant_id,
        url_key=listing.url_key,
        gtin=listing.gtin if for_sale else "",
        sku=listing.sku.upper() if for_sale else "",
        brand=listing.brand,
        tokens=(
            listing_tokens(brand=listing.brand, model=listing.model) - crowded
            if for_sale
            else frozenset()
        ),
    )


def look_up(reading: Reading, group: Group) -> list[Candidate]:
    """Return the live and reserved listings the post may speak of, and that all readers of
    `group` may see. At most four queries, each by an index."""
    ids, crowded = _holders("token", reading.tokens, CROWD)
    by_sku, _ = _holders("sku", reading.skus, SUGGEST_MAX)
    forms = {form for gtin in _some(reading.gtins) for form in same_gtins(gtin)}
    by_gtin, _ = _holders("gtin", forms, SUGGEST_MAX)
    ids |= by_sku | by_gtin | set(_some(reading.own_pages))
    keys = _some(reading.addresses)
    if not ids and not keys:
        return []
    found = Listing.objects.linkable().shown_to_readers_of(group)
    return [
        candidate_of(listing, crowded=crowded)
        for listing in found.filter(Q(pk__in=ids) | (Q(url_key__in=keys) & ~Q(url_key="")))
    ]


def _some(values: Iterable[T]) -> list[T]:
    return list(values)[:LOOKED_UP_MAX]


def _holders(what: str, values: Iterable[str], crowd: int) -> tuple[set[int], frozenset[str]]:
    """Return the listings that have one of `values`, and the values more than `crowd` have.

    One query, none for no values. Listings in groups others cannot see count in a crowd.
    """
    if not (wanted := _some(values)):
        return set(), frozenset()
    holders: defaultdict[str, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS[what], [wanted, crowd + 1])
        for value, listing_id in cursor.fetchall():
            holders[value].add(listing_id)
    crowded = frozenset(value for value, ids in holders.items() if len(ids) > crowd)
    return {pk for value, ids in holders.items() if value not in crowded for pk in ids}, crowded
