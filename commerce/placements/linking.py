"""Which listings a post speaks of, and how sure that is. Pure: values in, values out.

Order of evidence: the address of a listing, then a GTIN or SKU, then a brand with a model token
that hardly any other listing has. What is left over suggests, or says nothing: it is worse to show
the wrong thing under somebody's words than to show nothing. Quotes and code are not evidence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from commerce.listings.addresses import host_of, keys_of
from commerce.listings.tokens import (
    Spot,
    names,
    phrase,
    same_gtins,
    text_gtins,
    text_skus,
    text_tokens,
)
from commerce.placements.models import Evidence

# What this many live listings share still names one of them; up to the second number it suggests.
RARE_MAX: Final = 2
SUGGEST_MAX: Final = 10
LINKS_A_POST_MAX: Final = 5
SUGGESTIONS_A_POST_MAX: Final = 3
MATCHED_MAX_CHARS: Final = 500

_NOT_SAID: Final = frozenset({"blockquote", "pre", "code"})
_BLOCKS: Final = frozenset({"p", "br", "li", "tr", "td", "th", "h3", "h4", "h5", "h6", "div", "hr"})
_ADDRESS: Final = re.compile(
    r"(?:https?://|(?<![\w@.-])(?=[a-z0-9-]+\.[a-z0-9.-]*[a-z]/))[^\s<>\"]+", re.IGNORECASE
)
_OWN_PAGE: Final = re.compile(r"/listings/(\d{1,18})/?")
_RANK: Final = {
    evidence: rank
    for rank, evidence in enumerate((Evidence.URL, Evidence.GTIN, Evidence.SKU, Evidence.MODEL))
}


@dataclass(frozen=True)
class Reading:
    """What a post says that could name a listing, each with its place in the text."""

    addresses: dict[str, str]  # canonical key -> as written, the most exact key first
    own_pages: dict[int, str]  # id of a listing here -> as written
    gtins: dict[str, int]
    skus: dict[str, int]  # in upper case
    tokens: dict[str, Spot]
    phrased: str


@dataclass(frozen=True)
class Candidate:
    """What the job knows of a listing. `sku` in upper case; `tokens` as listing_tokens gives."""

    listing_id: int
    merchant_id: int
    url_key: str = ""
    gtin: str = ""
    sku: str = ""
    brand: str = ""
    tokens: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mention:
    """A listing the post speaks of. Not `sure`: somebody should look first."""

    listing_id: int
    evidence: Evidence
    matched: str
    sure: bool
    place: int = 0


# -- reading a post ---------------------------------------------------------------------------


class _Said(HTMLParser):
    """The words and links of a rendered post, without quotes, code and mentions."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hrefs: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in _NOT_SAID or (tag == "a" and "mention" in (values.get("class") or "").split()):
            self._silent.append(tag)
        if self._silent:
            return
        if tag == "a" and (href := values.get("href")):
            self.hrefs.append(href)
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()
        if tag in _BLOCKS and not self._silent:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def read_post(html: str, *, title: str = "", site_host: str = "") -> Reading:
    """Read a post as it was rendered; `title` is the thread's when it is the opening post.

    `site_host` is our own host: links to our own listing pages name them.
    """
    said = _Said()
    said.feed(html)
    said.close()
    text = f"{title}\n{''.join(said.parts)}" if title else "".join(said.parts)
    written = [*said.hrefs, *_addresses_in(text)]
    text = _ADDRESS.sub(" \n", text)
    addresses, own_pages = sorted_out(written, site_host)
    return Reading(
        addresses=addresses,
        own_pages=own_pages,
        gtins=text_gtins(text),
        skus=text_skus(text),
        tokens=text_tokens(text),
        phrased=phrase(text),
    )


def read_addresses(text: str, *, site_host: str) -> tuple[dict[str, str], dict[int, str]]:
    """Return the canonical keys in plain text, and the listing pages of ours, as in a Reading."""
    return sorted_out(_addresses_in(text), site_host)


def sorted_out(written: Iterable[str], site_host: str) -> tuple[dict[str, str], dict[int, str]]:
    """Return the canonical keys of addresses, and the listing pages of ours, as in a Reading."""
    addresses: dict[str, str] = {}
    own_pages: dict[int, str] = {}
    for address in written:
        if (page := _own_page(address, site_host)) is not None:
            own_pages.setdefault(page, address)
            continue
        for key in keys_of(address):
            addresses.setdefault(key, address)
    return addresses, own_pages


def _addresses_in(text: str) -> Iterator[str]:
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(".,;:!?'\")]}")
        yield address if address.lower().startswith("http") else f"https://{address}"


def _own_page(address: str, site_host: str) -> int | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    ours = parts.path.startswith("/") and (
        (not parts.scheme and not parts.netloc)
        or (parts.scheme in ("http", "https") and bool(site_host) and host_of(address) == site_host)
    )
    page = _OWN_PAGE.fullmatch(parts.path) if ours else None
    return int(page[1]) if page else None


# -- deciding ---------------------------------------------------------------------------------


def find_mentions(reading: Reading, candidates: Iterable[Candidate]) -> list[Mention]:
    """Say which candidates the post speaks of: the sure first, then by evidence and place.

    `candidates` are all listings that readers of the thread may see and that are live or
    reserved, as far as they share an address, number or token with the post. At most
    LINKS_A_POST_MAX sure ones and SUGGESTIONS_A_POST_MAX others; their order changes nothing.
    """
    candidates = sorted(candidates, key=lambda one: one.listing_id)
    found: dict[int, Mention] = {}
    for mention in (
        *_by_address(reading, candidates),
        *_by_number(reading, candidates),
    ):
        before = found.get(mention.listing_id)
        if before is None or (mention.sure and not before.sure):
            found[mention.listing_id] = mention
    # A token that a link has explained speaks of that listing, not of another one like it.
    explained: set[str] = set()
    for candidate in candidates:
        mention_ = found.get(candidate.listing_id)
        if mention_ is not None and mention_.sure:
            explained |= candidate.tokens
    for mention in _by_model(reading, candidates, explained):
        before = found.get(mention.listing_id)
        if before is None or (mention.sure and not before.sure):
            found[mention.listing_id] = mention
    ordered = sorted(found.values(), key=_order)
    sure = [mention for mention in ordered if mention.sure]
    unsure = [mention for mention in ordered if not mention.sure]
    return sure[:LINKS_A_POST_MAX] + unsure[:SUGGESTIONS_A_POST_MAX]


def _order(mention: Mention) -> tuple[int, int, int]:
    return _RANK[mention.evidence], mention.place, mention.listing_id


def _by_address(reading: Reading, candidates: list[Candidate]) -> Iterator[Mention]:
    # The most exact key of an address that any listing has; the page without its variant after.
    by_key = {candidate.url_key: candidate for candidate in candidates if candidate.url_key}
    seen: set[str] = set()
    for place, (key, written) in enumerate(reading.addresses.items()):
        if key in by_key and written not in seen:
            seen.add(written)
            yield _mention(by_key[key], Evidence.URL, written, place=place)
    for place, (listing_id, written) in enumerate(reading.own_pages.items()):
        for candidate in candidates:
            if candidate.listing_id == listing_id:
                yield _mention(candidate, Evidence.URL, written, place=place)


def _by_number(reading: Reading, candidates: list[Candidate]) -> Iterator[Mention]:
    for gtin, place in reading.gtins.items():
        same = same_gtins(gtin)
        sharing = [one for one in candidates if one.gtin and one.gtin in same]
        if len(sharing) <= SUGGEST_MAX:
            for one in sharing:
                sure = len(sharing) <= RARE_MAX
                yield _mention(one, Evidence.GTIN, gtin, sure=sure, place=place)
    for sku, place in reading.skus.items():
        sharing = [one for one in candidates if one.sku == sku]
        if len(sharing) <= SUGGEST_MAX:
            for one in sharing:
                # One merchant's SKU is another's as well: then only a person can tell.
                sure = len(sharing) == 1
                yield _mention(one, Evidence.SKU, one.sku, sure=sure, place=place)


def _by_model(
    reading: Reading, candidates: list[Candidate], explained: set[str]
) -> Iterator[Mention]:
    holders: defaultdict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        for token in candidate.tokens:
            if token in reading.tokens and token not in explained:
                holders[token].append(candidate)
    for token in sorted(holders):
        spot = reading.tokens[token]
        named = [one for one in holders[token] if names(reading.phrased, one.brand)]
        if named and len(named) <= SUGGEST_MAX:
            for one in named:
                sure = len(named) <= RARE_MAX
                matched = spot.written
                if not names(phrase(matched), one.brand):
                    matched = f"{one.brand} {matched}"
                yield _mention(one, Evidence.MODEL, matched, sure=sure, place=spot.place)
        elif not named and len(holders[token]) <= RARE_MAX:
            for one in holders[token]:
                yield _mention(one, Evidence.MODEL, spot.written, sure=False, place=spot.place)


def _mention(
    candidate: Candidate, evidence: Evidence, matched: str, *, sure: bool = True, place: int = 0
) -> Mention:
    return Mention(candidate.listing_id, evidence, matched[:MATCHED_MAX_CHARS], sure, place)


def still_mentions(reading: Reading, candidate: Candidate) -> bool:
    """Whether the post still says what could have led to this listing, whatever became of it."""
    return (
        (bool(candidate.url_key) and candidate.url_key in reading.addresses)
        or candidate.listing_id in reading.own_pages
        or any(candidate.gtin in same_gtins(gtin) for gtin in reading.gtins if candidate.gtin)
        or (bool(candidate.sku) and candidate.sku in reading.skus)
        or not candidate.tokens.isdisjoint(reading.tokens)
    )
