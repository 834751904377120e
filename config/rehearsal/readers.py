"""Readers who click: with and without consent, signed in or not, some twice; bots; prefetches."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commerce.listings.models import Listing
from commerce.placements.models import Placement
from commerce.touchpoints.links import go_url
from community.members.models import Member
from config.rehearsal.log import Log

REPEAT_WITHIN: Final = timedelta(minutes=30)
AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Mobile Safari/537.36",
)
BOTS: Final = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0.0.0 Safari/537.36",
    "curl/8.10.1",
)


class Surprise(Exception):
    """An answer that should not be; the message says which."""


@dataclass(frozen=True)
class Card:
    """A listing's link as it stands on a page: its address, and who wrote the post beside it.

    `thread` and `author` are None on the listing's own page; `shop` is where the link ends, less
    the click id.
    """

    href: str
    merchant: str
    listing: int
    shop: str
    thread: int | None = None
    post: int | None = None
    author: str | None = None


@dataclass
class Reader:
    """A browser. `consent` is yes, no or empty (not asked); `kept` are clicks by where they were
    made, with when and the click id."""

    name: str
    client: Client
    consent: str = ""
    bot: bool = False
    member: str | None = None
    kept: dict[tuple[int, int | None], tuple[datetime, str]] = field(default_factory=dict)


def find_cards() -> tuple[list[Card], int]:
    """Read the threads' pages and return the cards that stand there, and how many should.

    Listings that some post names and that have an address of their own also stand on their own
    page here.
    """
    placements = list(
        Placement.objects.shown()
        .filter(post__isnull=False)
        .select_related("listing__merchant", "post__author")
        .order_by("pk")
    )
    guest = Client()
    pages: dict[str, str] = {}
    cards = []
    for placement in placements:
        post, listing = placement.post, placement.listing
        if post is None:
            continue
        card = Card(
            href=go_url(listing, placement=placement),
            merchant=listing.merchant.slug,
            listing=listing.pk,
            shop=listing.url or listing.get_absolute_url(),
            thread=placement.thread_id,
            post=post.pk,
            author=post.author.handle,
        )
        if card.href in _page(guest, reverse("post", args=[post.pk]), pages):
            cards.append(card)
    for listing in sorted({each.listing for each in placements}, key=lambda each: each.pk):
        own = Card(go_url(listing), listing.merchant.slug, listing.pk, listing.url)
        if listing.url and own.href in _page(guest, listing.get_absolute_url(), pages):
            cards.append(own)
    return cards, len(placements)


def _page(guest: Client, address: str, pages: dict[str, str]) -> str:
    if address not in pages:
        response = guest.get(address, follow=True)
        if response.status_code != 200:
            raise Surprise(f"{address} answers {response.status_code}.")
        pages[address] = response.content.decode()
    return pages[address]


# -- who clicks -------------------------------------------------------------------------------


def make_readers(count: int) -> list[Reader]:
    """Make `count` browsers, each in a network of its own. Of twenty one is a bot, two said no,
    two were never asked, and two are signed in as somebody who writes here; that member's first
    browser and their second make one reader."""
    writers = list(Member.objects.filter(handle__startswith="writer-").order_by("pk"))
    readers = []
    for number in range(count):
        share = number % 20
        bot = share == 19
        agents = BOTS if bot else AGENTS
        reader = Reader(
            name=f"reader-{number + 1}",
            client=Client(
                headers={"user-agent": agents[number % len(agents)]},
                REMOTE_ADDR=f"10.{number // 200}.{number % 200}.7",
            ),
            consent={15: "no", 16: "no", 17: "", 18: "", 19: ""}.get(share, "yes"),
            bot=bot,
        )
        if share in (3, 9):
            member = writers[number // 20 % len(writers)]
            reader.client.force_login(member)
            reader.member = member.handle
        if reader.consent:
            said = reader.client.post(
                reverse("consent"),
                {"choice": reader.consent},
                headers={"sec-fetch-site": "same-origin"},
            )
            _expect(302, said.status_code)
        readers.append(reader)
    return readers


def click(
    rng: random.Random,
    readers: Sequence[Reader],
    cards: Sequence[Card],
    count: int,
    log: Log,
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> Counter[str]:
    """Send `count` clicks through the redirect and log each; return how many of each kind.

    Of sixteen one is a prefetch, of twenty-five one a bot's, of eleven one follows a link its
    reader followed before. A few cards are better liked than the others.
    """
    bots = [reader for reader in readers if reader.bot]
    people = [reader for reader in readers if not reader.bot]
    liked = [1 / (1 + place) ** 0.5 for place in range(len(cards))]
    done: list[tuple[Reader, Card]] = []
    kinds: Counter[str] = Counter()
    for number in progress(range(count)):
        reader, card = rng.choice(people), rng.choices(cards, liked)[0]
        ahead = False
        if number % 25 == 7 and bots:
            reader = rng.choice(bots)
        elif number % 16 == 5:
            ahead = True
        elif number % 11 == 9 and done:
            reader, card = rng.choice(done)
        kind = _follow(reader, card, ahead=ahead, by_head=number % 3 == 0, log=log)
        kinds[kind] += 1
        if kind == "counted" and reader.consent == "yes":
            done.append((reader, card))
    return kinds


def _follow(reader: Reader, card: Card, *, ahead: bool, by_head: bool, log: Log) -> str:
    """Follow a card's link, check where it leads, and log the click as what it should count."""
    began = timezone.now()
    place = (card.listing, card.post)
    before = reader.kept.get(place)
    remembered = reader.consent == "yes" and not reader.bot and not ahead
    if ahead:
        kind = "prefetch"
        response = reader.client.get(card.href, headers={"sec-purpose": "prefetch"})
        fc = ""
        _expect(503, response.status_code)
    else:
        kind = "bot" if reader.bot else "counted"
        send = reader.client.head if reader.bot and by_head else reader.client.get
        response = send(card.href)
        _expect(302, response.status_code)
        fc = _click_id(response.headers["Location"], card)
        if remembered and before and began - before[0] < REPEAT_WITHIN:
            kind = "repeat"
            if fc != before[1]:
                raise Surprise(f"{card.href}: a repeated click has another click id.")
    at = timezone.now()
    if remembered and kind == "counted":
        reader.kept[place] = (at, fc)
    log.write(
        "click",
        at=at.isoformat(),
        visitor=reader.name,
        remembered=remembered,
        member=reader.member if remembered else None,
        kind=kind,
        merchant=card.merchant,
        listing=card.listing,
        thread=card.thread,
        author=card.author,
        fc=fc,
    )
    return kind


def _click_id(leads_to: str, card: Card) -> str:
    """Return the click id the shop is given; empty for a listing that is sold here."""
    location = urlsplit(leads_to)
    ids = parse_qs(location.query).get("fc", [])
    here = not urlsplit(card.shop).netloc
    if urlunsplit(location._replace(query="")) != card.shop or len(ids) != (0 if here else 1):
        raise Surprise(f"{card.href} leads to {leads_to}, not {card.shop}.")
    return ids[0] if ids else ""


def _expect(status: int, came: int) -> None:
    if came != status:
        raise Surprise(f"An answer of {came} where {status} was due.")


def listings_of(merchant: str) -> list[Listing]:
    """What a shop sells, as it is here."""
    return list(Listing.objects.filter(merchant__slug=merchant).order_by("pk"))
