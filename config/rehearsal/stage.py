"""What is there before the first click: groups, merchants, what the importers bring, and posts."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils.text import slugify

from commerce.listings.models import Listing
from commerce.listings.services import update_listing
from commerce.merchants.models import Merchant
from commerce.merchants.services import open_shop
from commerce.placements.models import Placement, PlacementState
from community.groups.models import Group, Template
from community.groups.services import create_group, join_group
from community.members.models import Member, TrustLevel
from community.threads.models import Post
from community.threads.services import publish_post, start_thread

CURRENCY: Final = "USD"
WRITERS: Final = 8
POSTS_A_THREAD: Final = 3
# How a post names a listing; what people write round it.
WAYS: Final = {
    "by the shop's address": (
        "I would look at this one first: {name}",
        "They still have it, {name} (no idea about shipping).",
        "Bought from here last spring and would again: {name}",
    ),
    "by its page here": (
        "Somebody is selling [one here]({name}), seems fair to me.",
        "What do you think of {name} for a beginner?",
    ),
    "by its SKU": (
        "Ask them for {name}, that is the one I had in my hands.",
        "The label says {name}. Worth the money?",
    ),
    "by brand and model": (
        "Has anybody lived with the {name} for longer than a month?",
        "My neighbour swears by the {name} and will not hear of anything else.",
        "I keep coming back to the {name}. Talk me out of it.",
    ),
}
TITLES: Final = (
    "What would you buy with a free Saturday?",
    "Seen in the shops this week",
    "Talk me out of it",
    "Worth the drive across town?",
    "Which of these would you keep?",
    "Second thoughts before I pay",
    "Good ones under a month's rent",
    "Show what you found",
)


class TooFewListings(Exception):
    """A feed has fewer listings than posts are to name."""


@dataclass(frozen=True)
class Dump:
    """A folder of a Stack Exchange site and the group it goes into."""

    folder: Path
    group: str

    @property
    def host(self) -> str:
        """`coffee` was coffee.stackexchange.com, `conlang-meta` conlang.meta.stackexchange.com."""
        return f"{self.folder.name.replace('-', '.')}.stackexchange.com"


@dataclass(frozen=True)
class Feed:
    """A file of listings and the merchant they become."""

    file: Path
    merchant: str


@dataclass(frozen=True)
class Named:
    """A listing, how a post named it, and the post."""

    way: str
    listing_id: int
    post_id: int


def open_doors(folder: Path) -> tuple[list[Dump], list[Feed]]:
    """Open a group for each folder of FOLDER/threads and a merchant for each FOLDER/listings/*.

    Raises FileNotFoundError when either is missing.
    """
    dumps = [
        Dump(each, slugify(each.name))
        for each in sorted((folder / "threads").iterdir())
        if each.is_dir()
    ]
    feeds = [
        Feed(each, f"{slugify(each.stem)}-shop")
        for each in sorted((folder / "listings").glob("*.ndjson"))
    ]
    owner = _make_member("host")
    for dump in dumps:
        name = dump.folder.name.replace("-", " ").capitalize()
        create_group(owner=owner, slug=dump.group, name=name, template=Template.COLLECTIBLES)
    create_group(owner=owner, slug="market", name="Market talk", template=Template.SECOND_HAND)
    for feed in feeds:
        open_shop(
            owner=_make_member(f"{slugify(feed.file.stem)}-keeper"),
            name=f"{feed.file.stem.capitalize()} shop",
            slug=feed.merchant,
            host=f"{feed.merchant}.example",
            currency=CURRENCY,
            disclosure="We sell some of what is discussed here.",
        )
    return dumps, feeds


def _make_member(handle: str) -> Member:
    # No password: nobody signs in by a form here.
    return Member.objects.create_user(
        handle,
        f"{handle}@shoal.example",
        name=handle.replace("-", " ").capitalize(),
        trust_level=TrustLevel.BASIC,  # newcomers write within limits
    )


# -- nothing changed --------------------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """All rows of all of our tables: how many, and a digest over every column of them."""

    tables: int
    rows: int
    digest: str


def take_picture() -> Picture:
    digest, tables, rows = hashlib.sha256(), 0, 0
    for table in _tables():
        with connection.cursor() as cursor:
            name = connection.ops.quote_name(table)
            cursor.execute(
                "SELECT count(*), coalesce(md5(string_agg(hash, '' ORDER BY hash)), '')"  # noqa: S608
                f" FROM (SELECT md5(one::text) AS hash FROM {name} AS one) AS hashed"
            )
            count, hashed = cursor.fetchone()
        digest.update(f"{table} {count} {hashed}\n".encode())
        tables, rows = tables + 1, rows + count
    return Picture(tables, rows, digest.hexdigest())


def _tables() -> Iterator[str]:
    models = [
        model
        for label in ("community", "commerce", "moderation", "config")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    ]
    yield from sorted({model._meta.db_table for model in models})


# -- posts that name listings -----------------------------------------------------------------


def publish_posts(rng: random.Random, merchants: Sequence[Merchant], count: int) -> list[Named]:
    """Let members publish `count` posts in one group, each naming a listing as people do.

    A feed may bring neither addresses nor SKUs; where a post needs one, its shop first says it,
    by the verb of the listing's form. Raises TooFewListings.
    """
    group = Group.objects.get(slug="market")
    writers = [_make_member(f"writer-{number}") for number in range(1, WRITERS + 1)]
    for writer in writers:
        join_group(member=writer, group=group)
    pools = {merchant.pk: _pool(rng, merchant) for merchant in merchants}
    named: list[Named] = []
    opening: Post | None = None
    for number in range(count):
        merchant = merchants[number // len(WAYS) % len(merchants)]
        way = list(WAYS)[number % len(WAYS)]
        listing = _pick(pools[merchant.pk], with_model=way == "by brand and model")
        if way != "by its page here":
            listing = _give_address(merchant, listing)
        body = rng.choice(WAYS[way]).format(name=_name(way, listing))
        author = writers[number % WRITERS]
        if opening is None or number % POSTS_A_THREAD == 0:
            title = TITLES[number // POSTS_A_THREAD % len(TITLES)]
            post = opening = start_thread(author=author, group=group, title=title, body=body)
        else:
            post = publish_post(author=author, thread=opening.thread, body=body)
        named.append(Named(way, listing.pk, post.pk))
    return named


def _pool(rng: random.Random, merchant: Merchant) -> list[Listing]:
    listings = list(Listing.objects.linkable().filter(merchant=merchant).order_by("pk"))
    rng.shuffle(listings)
    return listings


def _pick(pool: list[Listing], *, with_model: bool) -> Listing:
    """Take the next listing; one of which the feed knows brand and model, where there is one."""
    for place, listing in enumerate(pool):
        if not with_model or (listing.brand and listing.model):
            return pool.pop(place)
    if not pool:
        raise TooFewListings("A feed has too few listings: every post names another one.")
    return pool.pop(0)


def _give_address(merchant: Merchant, listing: Listing) -> Listing:
    team = merchant.team.select_related("member").order_by("pk")
    slug = f"{slugify(listing.title)[:40].strip('-')}-{listing.external_id}"
    return update_listing(
        listing=listing,
        by=team[0].member,
        group=listing.group,
        url=f"https://{merchant.host}/products/{slug}",
        sku=f"{merchant.slug[:2].upper()}-{listing.external_id}",
    )


def _name(way: str, listing: Listing) -> str:
    if way == "by the shop's address":
        return f"{listing.url}?utm_source=shoal&utm_medium=post"
    if way == "by its page here":
        return f"{settings.SITE_URL}{listing.get_absolute_url()}"
    if way == "by its SKU":
        return listing.sku
    return f"{listing.brand} {listing.model}".strip() or listing.title


def what_became_of(named: Sequence[Named]) -> dict[str, Counter[str]]:
    """Count, by how a listing was named, whether it stands beside its post now."""
    states = {
        (post_id, listing_id): state
        for post_id, listing_id, state in Placement.objects.filter(
            post__in=[each.post_id for each in named]
        ).values_list("post_id", "listing_id", "state")
    }
    words = {PlacementState.PLACED: "linked", PlacementState.SUGGESTED: "suggested"}
    found: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    for each in named:
        state = states.get((each.post_id, each.listing_id), "")
        found[each.way][words.get(PlacementState(state), "nothing") if state else "nothing"] += 1
    return found
