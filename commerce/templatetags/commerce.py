"""Template tags with which pages of every domain show commerce.

A page of posts calls `prepare_thread` once above them; the tags on each post then ask no database.
Without that they load for the one post they are given (a fragment).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.template import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from commerce.asking.rooms import listing_of
from commerce.listings.models import TRANSITIONS, Listing, ListingState
from commerce.merchants.models import Merchant
from commerce.placements.in_messages import MessageCard
from commerce.placements.models import Placement
from commerce.placements.services import may_link
from commerce.placements.shown import (
    BesidePost,
    Disclosed,
    Mini,
    Shown,
    beside_posts,
    deciders_in,
    disclosures_of,
    fresh_in,
    minis_in,
    of_thread,
    talking_about,
)
from commerce.touchpoints.links import card_url, go_url
from community.chat.models import Message, Room
from community.groups.models import Group, Membership
from community.members.models import Member, Viewer
from community.threads.models import Post, Thread
from config.money import in_words
from config.pieces import Key, pieces, tell, told
from config.written import Written

register = template.Library()

ATTACHABLE_MAX = 50
STRIP_MAX = 4

# Where what was loaded for a page waits on its posts and threads.
_BESIDE = "_commerce_beside"
_LINKED = "_commerce_linked"


def _viewer(context: Context) -> Viewer:
    """Whoever reads the page; a guest where there is no request (a piece for everybody)."""
    request = context.get("request")
    user = getattr(request, "user", None) or context.get("user")
    return user if isinstance(user, Member) else AnonymousUser()


def _membership(context: Context) -> Membership | None:
    known = context.get("membership") or getattr(context.get("page"), "membership", None)
    return known if isinstance(known, Membership) else None


# -- money and cards --------------------------------------------------------------------------


@register.filter
def money(minor: int | None, currency: str) -> str:
    """Write minor units of `currency`: "£210", "£12.50", "¥900"; nothing for None."""
    return "" if minor is None else in_words(minor, currency)


@register.simple_tag
def listing_card(
    listing: Listing,
    placement: Placement | None = None,
    *,
    shape: str = "",
    heading: str = "h3",
    seller: bool = False,
) -> SafeString:
    """Draw a listing's card; `shape="tile"` keeps it upright.

    With the placement it stands in, the link is our redirect, which counts the click; without, it
    is the listing's own page here. A card shows everybody the same, so it is kept.
    """
    href = go_url(listing, placement=placement) if placement else listing.get_absolute_url()
    names = {
        "listing": listing,
        "href": href,
        "counted": placement is not None,
        "shape": shape,
        "heading": heading,
        "seller": seller,
    }
    key = ("card", href, shape, heading, seller, _told_listing(listing))
    return mark_safe(
        pieces.get(key, lambda: get_template("commerce/listings/_card.html").render(names))
    )


def _told_listing(listing: Listing) -> Key:
    """All a card shows of a listing."""
    cover, merchant = listing.cover, listing.merchant
    return told(listing), cover and cover.pk, merchant.kind, merchant.name


@register.simple_tag
def shop_link(listing: Listing) -> str:
    """Return the address of the redirect to the shop's own page, from the listing's page here."""
    return go_url(listing)


@register.inclusion_tag("commerce/listings/_fresh.html", takes_context=True)
def fresh_listings(context: Context, group: Group) -> dict[str, Any]:
    """The newest live listings of a group, in a row that slides; nothing when there are none."""
    return {"group": group, "listings": fresh_in(group, _viewer(context))}


@register.simple_tag(takes_context=True)
def talked_about(context: Context, listing: Listing) -> list[Thread]:
    """Return the threads the reader may see that show this listing."""
    return talking_about(listing, _viewer(context))


# -- threads and posts ------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def prepare_thread(context: Context, thread: Thread, posts: Iterable[Post]) -> str:
    """Load what a thread shows and what stands beside the posts of a page of it. One query.

    For a member one more for who may decide on something here, and another where there are cards.
    """
    posts = list(posts)
    numbers = [post.number for post in posts] or [1]
    linked, beside = of_thread(
        thread,
        _viewer(context),
        after=min(numbers) - 1,
        last=max(numbers),
        membership=_membership(context),
    )
    if sharing := getattr(context.get("page"), "sharing", None):
        sharing.leave_out(deciders_in(thread))
    setattr(thread, _LINKED, linked)
    bare = [post for post in posts if not hasattr(post, "disclosures")]
    teams = disclosures_of(post.author_id for post in bare)
    for post in bare:
        post.disclosures = teams.get(post.author_id, [])  # type: ignore[attr-defined]
    for post in posts:
        here = beside.get(post.pk) or BesidePost()
        setattr(post, _BESIDE, here)
        tell(post, _told_beside(here, _disclosed(post)))
    return ""


def _disclosed(post: Post) -> tuple[Disclosed, ...]:
    """Whom the author of a post sells for: as it came with the post, else by a query."""
    noted: list[list[str]] | None = getattr(post, "disclosures", None)
    if noted is None:
        return tuple(disclosures_of([post.author_id]).get(post.author_id, ()))
    return tuple(Disclosed(*said) for said in noted)


def _told_beside(beside: BesidePost, teams: tuple[Disclosed, ...]) -> Key | None:
    """All that commerce draws in a post; None with anything to decide on, which is personal."""
    if beside.suggestions or any(shown.may_decide for shown in beside.cards):
        return None
    cards = tuple(
        (
            told(one.placement),
            go_url(one.listing, placement=one.placement),
            *_told_listing(one.listing),
        )
        for one in beside.cards
    )
    return cards, teams


@register.inclusion_tag("commerce/placements/_beside_post.html", takes_context=True)
def placements_of(context: Context, post: Post) -> dict[str, Any]:
    """The cards beside a post, and suggestions for those who may decide on them."""
    beside: BesidePost | None = getattr(post, _BESIDE, None)
    if beside is None:
        beside = beside_posts([post], _viewer(context), membership=_membership(context))[post.pk]
    return {"post": post, "beside": beside, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("commerce/merchants/_disclosure.html")
def disclosure_of(post: Post) -> dict[str, Any]:
    """Whom the author of a post sells for, if anybody."""
    return {"teams": _disclosed(post)}


@register.inclusion_tag("commerce/merchants/_disclosure.html")
def sells_for(member: Member) -> dict[str, Any]:
    """Whom a member sells for, if anybody, for their profile. One query."""
    return {"teams": disclosures_of([member.pk]).get(member.pk, [])}


def _linked(context: Context, thread: Thread) -> list[Shown]:
    linked: list[Shown] | None = getattr(thread, _LINKED, None)
    if linked is None:
        linked, _beside = of_thread(thread, _viewer(context), membership=_membership(context))
        setattr(thread, _LINKED, linked)
    return linked


def _thread_pieces(context: Context, thread: Thread) -> dict[str, Any]:
    return {
        "thread": thread,
        "linked": _linked(context, thread),
        "may_link": may_link(_membership(context), thread),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("commerce/placements/_linked.html", takes_context=True)
def linked_listings(context: Context, thread: Thread) -> dict[str, Any]:
    """What is shown in a thread, with price and stock of now: a card of the rail."""
    return _thread_pieces(context, thread)


@register.inclusion_tag("commerce/placements/_linked_strip.html", takes_context=True)
def linked_strip(context: Context, thread: Thread) -> dict[str, Any]:
    """The first of them for narrow screens: a row that slides, above the posts."""
    said = _thread_pieces(context, thread)
    return {**said, "first": said["linked"][:STRIP_MAX]}


@register.simple_tag
def prepare_threads(rows: Iterable[Any]) -> str:
    """Tell what commerce draws in each row of a list; rows are threads, or have a `thread`."""
    for row in rows:
        thread = row if isinstance(row, Thread) else row.thread
        tell(thread, tuple(_minis(thread)))
    return ""


def _minis(thread: Thread) -> list[tuple[Mini, str]]:
    """The small cards of a thread's row, as they came with the thread, and their addresses."""
    minis = minis_in(getattr(thread, "minis", ()))
    return [(mini, card_url(listing=mini.listing, placement=mini.placement)) for mini in minis]


@register.inclusion_tag("commerce/placements/_minis.html")
def minis_of(thread: Thread) -> dict[str, Any]:
    """The small cards in a thread's row."""
    return {"minis": _minis(thread)}


@register.inclusion_tag("commerce/placements/_in_message.html")
def message_listings(message: Message) -> dict[str, Any]:
    """Cards of the listings a message links to; their clicks are the message's. No query."""
    cards = [MessageCard(*card) for card in getattr(message, "listing_cards", ())]
    return {"cards": [(one, card_url(listing=one.listing, message=message.pk)) for one in cards]}


@register.simple_tag
def asked_about(room: Room) -> Listing | None:
    """Return the listing that a room is about, with its card."""
    return listing_of(room)


@register.inclusion_tag("commerce/placements/_attach.html", takes_context=True)
def attach_listing(context: Context) -> dict[str, Any]:
    """The composer's choice of one's own live listings: their link goes to the end of the post.

    The linking job then finds it there, so a card attached and an address pasted are one thing.
    """
    viewer = _viewer(context)
    listings = _ATTACHABLE.rows(viewer.pk) if isinstance(viewer, Member) else []
    return {"choices": [(listing, markdown_link(listing)) for listing in listings]}


_ATTACHABLE = Written(
    lambda member_pk: (
        Listing.objects.linkable()
        .filter(merchant__in=Merchant.objects.run_by(Member(pk=member_pk)))
        .only("title", "price_minor", "currency")
        .order_by("-published_at", "-pk")[:ATTACHABLE_MAX]
    )
)


def markdown_link(listing: Listing) -> str:
    """Write the link to a listing's page here as Markdown."""
    title = re.sub(r"([\\\[\]*_`~<>])", r"\\\1", listing.title)
    return f"[{title}]({settings.SITE_URL}{listing.get_absolute_url()})"


@register.simple_tag
def next_states(listing: Listing) -> list[ListingState]:
    """Return the states a listing may go to from where it is, in the order of their buttons."""
    following = TRANSITIONS[ListingState(listing.state)]
    order = [
        ListingState.LIVE,
        ListingState.RESERVED,
        ListingState.SOLD,
        ListingState.WITHDRAWN,
        ListingState.DRAFT,
    ]
    return [state for state in order if state in following]
