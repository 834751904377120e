"""What pages show of placements, loaded for a whole page at once.

Each loader takes all posts, threads or rows of a page and asks a fixed number of queries, however
many there are and however many cards stand beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import JSONArray

from commerce.listings.models import Listing, ListingKind, ListingPhoto, ListingState
from commerce.merchants.models import MerchantKind, TeamMember
from commerce.placements.models import Placement, PlacementQuerySet, PlacementState
from community.groups.models import Group, Membership
from community.members.models import Member, Viewer
from community.threads.models import Post, Thread
from community.uploads.models import Image
from config.written import Written

MINIS_MAX: Final = 3
LINKED_MAX: Final = 12
FRESH_MAX: Final = 8
TALKED_ABOUT_MAX: Final = 20


@dataclass
class Shown:
    """A placement as one reader sees it."""

    placement: Placement
    may_decide: bool = False

    @property
    def listing(self) -> Listing:
        return self.placement.listing


class Disclosed(NamedTuple):
    """A shop that the author of a post speaks for."""

    slug: str
    name: str
    disclosure: str


@dataclass
class BesidePost:
    """What stands beside a post; suggestions are for those who may decide on them."""

    cards: list[Shown] = field(default_factory=list)
    suggestions: list[Shown] = field(default_factory=list)


def beside_posts(
    posts: Sequence[Post], viewer: Viewer, *, membership: Membership | None = None
) -> dict[int, BesidePost]:
    """Return what stands beside each post of one thread, by its id. One query for a guest.

    `membership` is the viewer's in the group when the page knows it; else it is asked for.
    """
    beside = {post.pk: BesidePost() for post in posts}
    states = [PlacementState.PLACED]
    if isinstance(viewer, Member):
        states.append(PlacementState.SUGGESTED)
    rows = list(
        _to_show(viewer, states)
        .filter(post__in=beside.keys())
        .select_related("listing__merchant")
        .annotate(cover_id=cover_of())
        .order_by("pk")
    )
    authors = {post.pk: post.author_id for post in posts}
    decides = _rights(viewer, rows, membership)
    for row in rows:
        _put_cover(row.listing, row.cover_id)  # type: ignore[attr-defined]
        of_post = row.post_id or 0
        shown = Shown(row, decides(row, authors[of_post]))
        if row.state == PlacementState.PLACED:
            beside[of_post].cards.append(shown)
        elif shown.may_decide:
            beside[of_post].suggestions.append(shown)
    return beside


def of_thread(
    thread: Thread,
    viewer: Viewer,
    *,
    after: int = 0,
    last: int = 0,
    membership: Membership | None = None,
) -> tuple[list[Shown], dict[int, BesidePost]]:
    """Return what a thread shows, and what stands beside its posts `after` < number <= `last`.

    What it shows is each listing once, those still to be had first, at most LINKED_MAX. Sold ones
    stay, with their price. A listing placed on the thread itself is preferred to the same one
    beside a post. One query; two more for a member, where there are cards.
    """
    if isinstance(viewer, Member):
        rows = _OF_THREAD_FOR_MEMBER.rows(thread.pk, after, last, viewer.pk)
    else:
        rows = _OF_THREAD.rows(thread.pk, after, last)
    for row in rows:
        _put_cover(row.listing, row.cover_id)  # type: ignore[attr-defined]
    decides = _rights(viewer, rows, membership)
    seen = [
        Shown(row, decides(row, row.post.author_id if row.post else thread.author_id))
        for row in rows
    ]
    once: dict[int, Shown] = {}
    beside: defaultdict[int, BesidePost] = defaultdict(BesidePost)
    for shown in seen:
        row, post = shown.placement, shown.placement.post
        placed = row.state == PlacementState.PLACED
        if placed and (post is None or post.hidden_at is None):
            once.setdefault(row.listing_id, shown)
        if post is not None and after < post.number <= last:
            if placed:
                beside[post.pk].cards.append(shown)
            elif shown.may_decide:
                beside[post.pk].suggestions.append(shown)
    linked = sorted(
        once.values(), key=lambda one: (one.listing.is_over, one.placement.post_id or 0)
    )
    return linked[:LINKED_MAX], beside


class Mini(NamedTuple):
    """A small card in a thread's row. Its price is in minor units of `currency`."""

    placement: int
    listing: int
    title: str
    price_minor: int | None
    currency: str
    cover: str | None  # the key of the listing's first photo


def minis_of_thread(viewer: Viewer) -> ArraySubquery:
    """What `Mini` holds of live or reserved listings in a thread, as part of a query of threads."""
    shown = (
        _to_show(viewer, [PlacementState.PLACED])
        .filter(Q(post__isnull=True) | Q(post__hidden_at__isnull=True), thread=OuterRef("pk"))
        .filter(listing__state__in=[ListingState.LIVE, ListingState.RESERVED])
        .order_by("pk")
    )
    columns = ("pk", "listing_id", "listing__title", "listing__price_minor", "listing__currency")
    mini = JSONArray(*columns, cover_of())
    # The same listing may stand beside several posts: some to spare.
    return ArraySubquery(shown.values(mini=mini)[: MINIS_MAX * 4])


def minis_in(noted: Iterable[Sequence[Any]]) -> list[Mini]:
    """Return up to MINIS_MAX of what was noted on a thread, each listing once."""
    once: dict[int, Mini] = {}
    for said in noted:
        mini = Mini(*said)
        once.setdefault(mini.listing, mini)
    return list(once.values())[:MINIS_MAX]


def fresh_in(group: Group, viewer: Viewer) -> list[Listing]:
    """Return the newest live listings of a group that the viewer may see, with their cards.

    At most FRESH_MAX. One query.
    """
    if isinstance(viewer, Member):
        found = _FRESH_FOR_MEMBER.rows(group.pk, viewer.pk)
    else:
        found = _FRESH.rows(group.pk)
    for listing in found:
        _put_cover(listing, listing.cover_id)  # type: ignore[attr-defined]
    return found


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


def disclosures_of(authors: Iterable[int]) -> dict[int, list[Disclosed]]:
    """Return the shops each author speaks for, by the author's id. One query."""
    teams: defaultdict[int, list[Disclosed]] = defaultdict(list)
    if wanted := set(authors):
        places = _disclosing().filter(member__in=wanted)
        for member_pk, said in places.values_list("member_id", _SAID):
            teams[member_pk].append(Disclosed(*said))
    return dict(teams)


def disclosures_of_author() -> ArraySubquery:
    """The same as part of a query of posts: what `Disclosed` holds, for each shop."""
    return ArraySubquery(_disclosing().filter(member=OuterRef("author_id")).values(said=_SAID))


# -- inside -----------------------------------------------------------------------------------


def cover_of(listing: str = "listing_id") -> Subquery:
    """The key of the photo on a listing's card, as part of a query."""
    first = ListingPhoto.objects.filter(listing=OuterRef(listing), position=0)
    return Subquery(first.values("image_id")[:1])


def _put_cover(listing: Listing, image_pk: Any) -> None:
    """Give a listing the photo of its card, of which only the address is drawn."""
    photos = [ListingPhoto(listing=listing, image=Image(pk=image_pk))] if image_pk else []
    listing.card_photos = photos  # type: ignore[attr-defined]


def _disclosing() -> QuerySet[TeamMember]:
    """Who speaks for which shop.

    A private seller has no shop to disclose, unless they wrote a disclosure themselves.
    """
    without = TeamMember.objects.exclude(
        merchant__kind=MerchantKind.PERSON, merchant__disclosure=""
    )
    return without.order_by("pk")


# What `Disclosed` holds.
_SAID: Final = JSONArray("merchant__slug", "merchant__name", "merchant__disclosure")


def _to_show(viewer: Viewer, states: Sequence[str]) -> PlacementQuerySet:
    """Placements in these states of listings the viewer may see, no drafts nor withdrawn ones."""
    listings = Listing.objects.visible_to(viewer).exclude(
        state__in=[ListingState.DRAFT, ListingState.WITHDRAWN]
    )
    return Placement.objects.filter(listing__in=listings, state__in=states)


def _in_thread(thread_pk: int, after: int, last: int, viewer: Viewer) -> PlacementQuerySet:
    """What stands beside some posts, and the first that the whole thread shows."""
    once = (
        _to_show(viewer, [PlacementState.PLACED])
        .filter(Q(post__isnull=True) | Q(post__hidden_at__isnull=True), thread=thread_pk)
        .order_by("listing", F("post_id").asc(nulls_first=True), "pk")
        .distinct("listing")
        .values("pk")
    )
    is_sold = Q(listing__state=ListingState.SOLD)
    first = (
        Placement.objects.filter(pk__in=once)
        .order_by(Case(When(is_sold, then=1), default=0), F("post_id").asc(nulls_first=True), "pk")
        .values("pk")[:LINKED_MAX]
    )
    states = [PlacementState.PLACED]
    if isinstance(viewer, Member):
        states.append(PlacementState.SUGGESTED)
    return (
        _to_show(viewer, states)
        .filter(
            Q(post__number__gt=after, post__number__lte=last) | Q(pk__in=first), thread=thread_pk
        )
        .select_related("listing__merchant", "post__author")
        .only(
            *(f"listing__{column}" for column in _CARD_COLUMNS),
            *("listing__merchant__kind", "listing__merchant__name"),
            *("thread", "post", "listing", "evidence", "matched", "state", "placed_by"),
            *("post__number", "post__thread", "post__hidden_at", "post__author__name"),
        )
        .annotate(cover_id=cover_of())
        .order_by(F("post_id").asc(nulls_first=True), "pk")
    )


# What a card draws of its listing.
_CARD_COLUMNS: Final = (
    *("merchant", "kind", "state", "title", "price_minor", "currency", "condition", "place"),
    "stock",
)
_OF_THREAD: Final = Written(
    lambda thread_pk, after, last: _in_thread(thread_pk, after, last, AnonymousUser())
)
_OF_THREAD_FOR_MEMBER: Final = Written(
    lambda thread_pk, after, last, member_pk: _in_thread(
        thread_pk, after, last, Member(pk=member_pk)
    )
)


def _fresh(group_pk: int, viewer: Viewer) -> QuerySet[Listing]:
    return (
        Listing.objects.visible_to(viewer)
        .live()
        .filter(group=group_pk, kind=ListingKind.SALE)
        .select_related("merchant")
        .only(*_CARD_COLUMNS, "merchant__kind", "merchant__name")
        .annotate(cover_id=cover_of("pk"))
        .order_by("-published_at", "-pk")[:FRESH_MAX]
    )


_FRESH: Final = Written(lambda group_pk: _fresh(group_pk, AnonymousUser()))
_FRESH_FOR_MEMBER: Final = Written(
    lambda group_pk, member_pk: _fresh(group_pk, Member(pk=member_pk))
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
