"""From text to the words search knows. Pure, but for the stems, which come in as a function.

Words are runs of letters and digits, folded: lower case, no accents. Scripts without spaces
(Chinese, Japanese, Korean, Thai and neighbours) become single characters and overlapping pairs.
A joined word ("XT-30") is found both apart and as one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

WORD_MAX_CHARS: Final = 64

# Written without spaces between words.
UNSPACED: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f"
    r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc"
    r"\U00020000-\U0003ffff"
)
# Marks that belong to the letter before them; without these a word would end at its first vowel.
MARKS: Final = (
    r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u08d3-\u0903\u093a-\u094f\u0981-\u0983"
    r"\u09bc-\u09cd\u0a01-\u0dff"
)
_SPACED = re.compile(rf"\d+(?:\.\d+)+|(?:[^\W_]|[{MARKS}])+")
_MIXED = re.compile(rf"(?P<run>[{UNSPACED}]+)|\d+(?:\.\d+)+|(?:(?![{UNSPACED}])[^\W_]|[{MARKS}])+")
_ANY_UNSPACED = re.compile(rf"[{UNSPACED}]")
# What a fold takes away: accents, Hebrew points, Arabic vowel signs and the stretching line.
_DROPPED = re.compile(r"[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a text: folded, where it stands, and its place among the words (from 0)."""

    word: str
    start: int
    end: int
    place: int
    whole: bool = True  # False: a character or pair of a script without spaces; it has no stem


@lru_cache(maxsize=100_000)
def fold(word: str) -> str:
    """Return the word in lower case without accents, widths and ligatures made plain."""
    if word.isascii():
        return word.lower()[:WORD_MAX_CHARS]
    plain = unicodedata.normalize("NFKD", word.casefold())
    plain = unicodedata.normalize("NFKC", _DROPPED.sub("", plain)).translate(_LETTERS)
    return plain[:WORD_MAX_CHARS]


def is_mixed(text: str) -> bool:
    """Whether some of the text is in a script without spaces."""
    return not text.isascii() and _ANY_UNSPACED.search(text) is not None


def pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the words of the scripts with spaces as they stand, and where: `terms`, but quicker."""
    if not is_mixed(text):
        return ((match[0], match.start(), match.end()) for match in _SPACED.finditer(text))
    found = (match for match in _MIXED.finditer(text) if not match["run"])
    return ((match[0], match.start(), match.end()) for match in found)


def terms(text: str) -> Iterator[Term]:
    """Yield the words of a text in order; pairs of characters share the place of their first."""
    mixed = is_mixed(text)
    place = -1
    before: Term | None = None
    for match in (_MIXED if mixed else _SPACED).finditer(text):
        start, end = match.span()
        if mixed and match["run"]:
            yield from _grams(match["run"], start, place + 1)
            place += end - start
            before = None
            continue
        place += 1
        term = Term(fold(match[0]), start, end, place)
        if not term.word:
            continue
        yield term
        if before is not None and text[before.end : start] == "-":
            joined = before.word + term.word
            if len(joined) <= WORD_MAX_CHARS:
                yield Term(joined, before.start, end, before.place)
        before = term


def _grams(run: str, start: int, place: int) -> Iterator[Term]:
    folded = [fold(character) for character in run]
    for at, character in enumerate(folded):
        # A vowel sign alone is no word.
        if character and unicodedata.category(run[at])[0] != "M":
            yield Term(character, start + at, start + at + 1, place + at, whole=False)
        if at + 1 < len(folded) and (pair := character + folded[at + 1]) != character:
            yield Term(pair, start + at, start + at + 2, place + at, whole=False)


def words(text: str) -> list[str]:
    """Return the folded words of a text, in order, without joined ones and single pairs."""
    return [term.word for term in terms(text)]


# -- languages ----------------------------------------------------------------------------------

# The text search dictionaries of PostgreSQL by the languages members choose.
DICTIONARIES: Final[Mapping[str, str]] = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nb": "norwegian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}

# Of words, in a language: the stem of each, None for one too common to mean anything.
Stemmer = Callable[[str, Iterable[str]], Mapping[str, str | None]]


def language_of(text: str, member_language: str, offered: list[str]) -> str:
    """Choose among `offered` (dictionaries, the site's own first) the one to stem a text by.

    Scripts other than Latin stem as the site's first language does: it leaves them as they are.
    """
    wanted = DICTIONARIES.get(member_language.partition("-")[0])
    if wanted in offered and (wanted in ("arabic", "greek", "russian") or _LATIN.search(text)):
        return wanted
    return offered[0]
