"""What pages show of placements, loaded for a whole page at once.

Each loader takes all posts, threads or rows of a page and asks a fixed number of queries, however
many there are and however many cards stand beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Prefetch, Q, Window, prefetch_related_objects
from django.db.models.functions import RowNumber

from commerce.listings.models import Listing, ListingPhoto, ListingState
from commerce.merchants.models import MerchantKind, TeamMember
from commerce.placements.models import Placement, PlacementQuerySet, PlacementState
from community.groups.models import Membership
from community.members.models import Member, Viewer
from community.threads.models import Post, Thread
from config.written import Written

MINIS_MAX: Final = 3
LINKED_MAX: Final = 12
TALKED_ABOUT_MAX: Final = 20


@dataclass
class Shown:
    """A placement as one reader sees it."""

    placement: Placement
    may_decide: bool = False

    @property
    def listing(self) -> Listing:
        return self.placement.listing


@dataclass
class BesidePost:
    """What stands beside a post; suggestions are for those who may decide on them."""

    cards: list[Shown] = field(default_factory=list)
    suggestions: list[Shown] = field(default_factory=list)


def beside_posts(
    posts: Sequence[Post], viewer: Viewer, *, membership: Membership | None = None
) -> dict[int, BesidePost]:
    """Return what stands beside each post of one thread, by its id. Two queries for a guest.

    `membership` is the viewer's in the group when the page knows it; else it is asked for.
    """
    beside = {post.pk: BesidePost() for post in posts}
    states = [PlacementState.PLACED]
    if isinstance(viewer, Member):
        states.append(PlacementState.SUGGESTED)
    rows = list(_cards(viewer).filter(post__in=beside.keys(), state__in=states).order_by("pk"))
    authors = {post.pk: post.author_id for post in posts}
    decides = _rights(viewer, rows, membership)
    for row in rows:
        of_post = row.post_id or 0
        shown = Shown(row, decides(row, authors[of_post]))
        if row.state == PlacementState.PLACED:
            beside[of_post].cards.append(shown)
        elif shown.may_decide:
            beside[of_post].suggestions.append(shown)
    return beside


def in_thread(
    thread: Thread, viewer: Viewer, *, membership: Membership | None = None
) -> list[Shown]:
    """Return what the thread shows, each listing once, those still to be had first.

    At most LINKED_MAX. Sold ones stay, with their price. A listing placed on the thread itself is
    preferred to the same one beside a post.
    """
    if isinstance(viewer, Member):
        rows = _IN_THREAD_OF_MEMBER.rows(thread.pk, viewer.pk)
    else:
        rows = _IN_THREAD.rows(thread.pk)
    once: dict[int, Placement] = {}
    for row in rows:
        once.setdefault(row.listing_id, row)
    ordered = sorted(once.values(), key=lambda row: (row.listing.is_over, row.post_id or 0))
    ordered = ordered[:LINKED_MAX]
    prefetch_related_objects(ordered, _photos())
    decides = _rights(viewer, ordered, membership)
    return [
        Shown(row, decides(row, row.post.author_id if row.post else thread.author_id))
        for row in ordered
    ]


def minis_of_threads(threads: Iterable[Thread], viewer: Viewer) -> dict[int, list[Placement]]:
    """Return up to MINIS_MAX placements of live or reserved listings a thread, by its id.

    Two queries for the whole list.
    """
    ids = [thread.pk for thread in threads]
    minis: defaultdict[int, dict[int, Placement]] = defaultdict(dict)
    if ids:
        rows = (
            _cards(viewer)
            .shown()
            .filter(Q(post__isnull=True) | Q(post__hidden_at__isnull=True), thread__in=ids)
            .filter(listing__state__in=[ListingState.LIVE, ListingState.RESERVED])
            # The same listing may stand beside several posts: some to spare.
            .annotate(nth=Window(RowNumber(), partition_by="thread_id", order_by="pk"))
            .filter(nth__lte=MINIS_MAX * 4)
            .order_by("pk")
        )
        for row in rows:
            of_thread = minis[row.thread_id]
            if len(of_thread) < MINIS_MAX:
                of_thread.setdefault(row.listing_id, row)
    return {pk: list(minis[pk].values()) for pk in ids}


def talking_about(listing: Listing, viewer: Viewer) -> list[Thread]:
    """Return threads the viewer may read that show the listing, latest first. One query."""
    placed = Placement.objects.shown().filter(
        Q(post__isnull=True) | Q(post__hidden_at__isnull=True), listing=listing
    )
    threads = Thread.objects.visible_to(viewer).filter(
        is_listed=True, pk__in=placed.values("thread_id")
    )
    return list(threads.select_related("group", "author").latest_first()[:TALKED_ABOUT_MAX])


def deciders_in(thread: Thread) -> set[int]:
    """Return who may decide on something in the thread without moderating it or writing there.

    Those who placed a listing, and the teams of the listings' merchants. One query.
    """
    here = Placement.objects.filter(thread=thread).exclude(state=PlacementState.REMOVED)
    teams = here.values_list("listing__merchant__team__member_id", flat=True)
    found = here.values_list("placed_by_id", flat=True).union(teams)
    return {pk for pk in found if pk is not None}


def disclosures_of(authors: Iterable[int]) -> dict[int, list[TeamMember]]:
    """Return the shops each author speaks for, by the author's id. One query.

    A private seller has no shop to disclose, unless they wrote a disclosure themselves.
    """
    teams: defaultdict[int, list[TeamMember]] = defaultdict(list)
    wanted = set(authors)
    if wanted:
        places = (
            TeamMember.objects.filter(member__in=wanted)
            .select_related("merchant")
            .only(
                *("member", "merchant__slug", "merchant__name"),
                *("merchant__kind", "merchant__disclosure"),
            )
        )
        for place in places.exclude(
            merchant__kind=MerchantKind.PERSON, merchant__disclosure=""
        ).order_by("pk"):
            teams[place.member_id].append(place)
    return dict(teams)


# -- inside -----------------------------------------------------------------------------------


def _cards(viewer: Viewer) -> PlacementQuerySet:
    """Placements of listings the viewer may see, with what a card needs: two queries."""
    listings = Listing.objects.visible_to(viewer).exclude(
        state__in=[ListingState.DRAFT, ListingState.WITHDRAWN]
    )
    return (
        Placement.objects.filter(listing__in=listings)
        .select_related("listing__merchant")
        .prefetch_related(_photos())
    )


def _photos() -> Prefetch[str]:
    first = ListingPhoto.objects.filter(position=0).select_related("image")
    return Prefetch("listing__photos", first, to_attr="card_photos")


def _placed(thread_pk: int, viewer: Viewer) -> PlacementQuerySet:
    """What a thread shows, the first places of each listing among them."""
    rows = _cards(viewer).shown().filter(thread=thread_pk)
    return (
        rows.filter(Q(post__isnull=True) | Q(post__hidden_at__isnull=True))
        .select_related("post__author")
        .defer(None)
        .only(
            *(f"listing__{column}" for column in _CARD_COLUMNS),
            *("listing__merchant__kind", "listing__merchant__name"),
            *("thread", "post", "listing", "evidence", "matched", "state", "placed_by"),
            *("post__number", "post__thread", "post__author__name"),
        )
        .order_by(F("post_id").asc(nulls_first=True), "pk")[: LINKED_MAX * 10]
    )


_CARD_COLUMNS: Final = tuple(
    column.name
    for column in Listing._meta.concrete_fields
    if column.name not in ("description", "url_key", "external_id", "model", "brand")
)
_IN_THREAD: Final = Written(lambda thread_pk: _placed(thread_pk, AnonymousUser()))
_IN_THREAD_OF_MEMBER: Final = Written(
    lambda thread_pk, member_pk: _placed(thread_pk, Member(pk=member_pk))
)


def _rights(
    viewer: Viewer, rows: Sequence[Placement], membership: Membership | None
) -> Callable[[Placement, int], bool]:
    """Return who may decide on a placement beside something of an author. Two queries at most."""
    if not isinstance(viewer, Member) or not rows:
        return lambda _row, _author_id: False
    if membership is None:
        membership = Membership.objects.filter(
            group__threads=rows[0].thread_id, member=viewer
        ).first()
    moderates = membership is not None and membership.moderates
    teams = set(TeamMember.objects.filter(member=viewer).values_list("merchant_id", flat=True))
    return lambda row, author_id: (
        moderates or viewer.pk in (author_id, row.placed_by_id) or row.listing.merchant_id in teams
    )
