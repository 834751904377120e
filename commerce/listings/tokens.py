"""What names a thing in a text: words, model tokens, GTINs, SKUs. Pure.

A model token is folded: no accents, no hyphens, one case. "R2-M", "r2m" and "R2 M" are one token.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from stdnum import ean

TOKEN_MIN_CHARS: Final = 3
TOKEN_MAX_CHARS: Final = 40
GTIN_LENGTHS: Final = (8, 12, 13, 14)
SKU_MIN_CHARS: Final = 4
# A shorter number is a year or a price before it is a SKU.
NUMBER_SKU_MIN_CHARS: Final = 6

# A decimal keeps its point; hyphens join a word, whichever of Unicode's was typed.
_WORD: Final = re.compile(r"[^\W_]+(?:\.\d+(?![^\W\d_]))?(?:[-‐‑][^\W_]+(?:\.\d+(?![^\W\d_]))?)*")
_MEASURE: Final = re.compile(
    r"\d+(?:\.\d+)?"
    r"(?:st|nd|rd|th|s|x|k|p|i|c|f|m|mm|cm|km|in|inch|inches|ft|feet|yd|yards|yr|yrs|year|years|"
    r"g|kg|mg|oz|lb|lbs|ml|cl|l|ltr|litre|litres|w|kw|wh|kwh|v|a|ah|ma|mah|hz|khz|mhz|ghz|db|"
    r"b|kb|mb|gb|tb|mp|px|dpi|fps|bit|ch|pc|pcs|pk|pack|way|speeds?|spd|sp|h|hr|hrs|hour|hours|"
    r"min|mins|sec|d|day|days|am|pm|usd|gbp|eur|bar|psi|rpm|t|deg|gen|port|hole|blade|person)?"
)
_SIZES: Final = re.compile(r"\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)+(?:mm|cm|m|in|px)?")
# Letters and digits that name a kind of thing, or a setting, never one thing.
_KINDS: Final = re.compile(r"f\d+(?:\.\d+)?|iso\d+|mp[34]|usb\d(?:\.\d)?|h26[45]|wifi\d|[345]g")
_SKU: Final = re.compile(r"[A-Za-z0-9]+(?:[-._/][A-Za-z0-9]+)*")
_GTIN: Final = re.compile(r"(?<![\w.,/-])\d(?:[ -]?\d){7,13}(?![\w/-]|[.,]\d)")
_PAUSE: Final = re.compile(r"[^\S\n]{0,2}")


@dataclass(frozen=True)
class Word:
    """A word of a text: as written, folded, and where it stands."""

    written: str
    folded: str
    start: int
    end: int


def fold(text: str) -> str:
    """Return `text` in one case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def words(text: str) -> Iterator[Word]:
    for found in _WORD.finditer(text):
        folded = re.sub(r"[-‐‑]", "", fold(found[0]))
        if folded:
            yield Word(found[0], folded, found.start(), found.end())


def is_measure(written: str) -> bool:
    """Whether a word counts or measures: "50mm", "2nd", "26x2.1", "35-70mm", "10-speed", "f2.8"."""
    parts = re.split(r"[-‐‑]", fold(written))
    whole = "".join(parts)
    return bool(_MEASURE.fullmatch(whole) or _KINDS.fullmatch(whole)) or all(
        _MEASURE.fullmatch(part) or _SIZES.fullmatch(part) for part in parts
    )


def is_model_token(word: Word) -> bool:
    """Whether one word by itself may name a model: letters and digits, and no measure."""
    return (
        TOKEN_MIN_CHARS <= len(word.folded) <= TOKEN_MAX_CHARS
        and any(sign.isdigit() for sign in word.folded)
        and any(sign.isalpha() for sign in word.folded)
        and not is_measure(word.written)
    )


class Spot(NamedTuple):
    """Where in a text something stands for the first time, and how it is written there."""

    place: int
    written: str


def text_tokens(text: str) -> dict[str, Spot]:
    """Return what in `text` may name a model, with its first mention.

    Single words with letters and digits, and neighbours joined ("R2 M" gives r2m, "Trek 1200"
    gives trek1200): which of them names anything, the stored tokens decide.
    """
    found: dict[str, Spot] = {}
    before: Word | None = None
    for word in words(text):
        if is_model_token(word):
            found.setdefault(word.folded, Spot(word.start, word.written))
        if before is not None and _PAUSE.fullmatch(text, before.end, word.start):
            joined = before.folded + word.folded
            if TOKEN_MIN_CHARS <= len(joined) <= TOKEN_MAX_CHARS:
                found.setdefault(joined, Spot(before.start, text[before.start : word.end]))
        before = word
    return found


def listing_tokens(*, brand: str, model: str) -> frozenset[str]:
    """Return the tokens by which a post may name a listing of this brand and model.

    Model words with letters and digits count by themselves. A model that is a plain word or a
    plain number ("Enduro", "1200") counts only right behind its brand: trekenduro, trek1200.
    """
    of_model = list(words(model))
    tokens = {word.folded for word in of_model if is_model_token(word)}
    if len(of_model) == 2:
        joined = of_model[0].folded + of_model[1].folded
        whole = Word(f"{of_model[0].written}{of_model[1].written}", joined, 0, 0)
        if is_model_token(whole):
            tokens.add(joined)
    of_brand = list(words(brand))
    if not tokens and of_model and of_brand:
        joined = of_brand[-1].folded + of_model[0].folded
        if len(joined) <= TOKEN_MAX_CHARS:
            tokens.add(joined)
    return frozenset(tokens)


def phrase(text: str) -> str:
    """Return the folded words of `text` between blanks, for `names`."""
    return f" {' '.join(word.folded for word in words(text))} "


def names(phrased: str, brand: str) -> bool:
    """Whether a text (as `phrase` gives it) names `brand`, as whole words."""
    return bool(brand.strip()) and phrase(brand) != "  " and phrase(brand) in phrased


def is_gtin(text: str) -> bool:
    """Whether `text` is a GTIN-8, -12, -13 or -14 with its check digit."""
    return (
        len(text) in GTIN_LENGTHS
        and text.isascii()
        and text.isdigit()
        and text.strip("0") != ""
        and bool(ean.is_valid(text))
    )


def same_gtins(gtin: str) -> frozenset[str]:
    """Return every length the same GTIN is written in: zeros in front change nothing."""
    bare = gtin.lstrip("0")
    return frozenset(bare.rjust(length, "0") for length in GTIN_LENGTHS if len(bare) <= length)


def text_gtins(text: str) -> dict[str, int]:
    """Return the GTINs in `text` with their places; blanks and hyphens inside are allowed."""
    found: dict[str, int] = {}
    for run in _GTIN.finditer(text):
        for candidate in (run[0], *run[0].split(" ")):
            digits = re.sub(r"[ -]", "", candidate)
            if is_gtin(digits):
                found.setdefault(digits, run.start())
    return found


def is_sku_evidence(sku: str) -> bool:
    """Whether `sku` in a text can mean nothing else: four signs or more, with a digit.

    A number needs six (2026 is a year), and a measure ("1000ml") never counts.
    """
    return (
        len(sku) >= (NUMBER_SKU_MIN_CHARS if sku.isdigit() else SKU_MIN_CHARS)
        and any(sign.isdigit() for sign in sku)
        and (sku.isdigit() or not is_measure(sku))
    )


def text_skus(text: str) -> dict[str, int]:
    """Return what in `text` may be a SKU, in upper case, with its place."""
    found: dict[str, int] = {}
    for run in _SKU.finditer(text):
        candidates = {run[0], *run[0].split("/")}
        for candidate in sorted(candidates, key=len, reverse=True):
            if is_sku_evidence(candidate):
                found.setdefault(candidate.upper(), run.start())
    return found
