"""What people write into the search box, understood. Pure.

    fungus "light seals" -repair serv* in:film-cameras tag:lenses by:ada
    after:2025-01 before:2025-06-30 is:answered

Never an error: what is no filter is a word. Filters say what must be true, a minus what must not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from community.search.words import words

QUERY_MAX_CHARS: Final = 300
WORDS_MAX: Final = 40
STATES: Final = (
    *("answered", "unanswered", "question", "open", "locked"),
    *("thread", "reply", "mine"),
)
NAMES: Final = ("in", "tag", "by", "before", "after", "is")
# Names people bring from elsewhere.
ALIASES: Final = {"from": "by", "author": "by", "user": "by", "group": "in", "since": "after"}

_PIECE = re.compile(
    r"""(?P<minus>-)?(?:
        (?P<name>[A-Za-z]+):(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s"]+))
      | "(?P<phrase>[^"]*)"?
      | (?P<word>[^\s"]+)
    )""",
    re.VERBOSE,
)
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?\Z")


@dataclass(frozen=True, slots=True)
class Filter:
    """`name` is one of NAMES, `value` as written without @ and #, in lower case."""

    name: str
    value: str
    negated: bool = False

    def __str__(self) -> str:
        value = f'"{self.value}"' if " " in self.value else self.value
        return f"{'-' * self.negated}{self.name}:{value}"


@dataclass(frozen=True, slots=True)
class Query:
    """A search as understood. Each part is as written; folding and stemming come later."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()  # must be there, word by word
    without: tuple[str, ...] = ()  # words or phrases that must not
    filters: tuple[Filter, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.has_words or self.filters)

    @property
    def has_words(self) -> bool:
        """Whether there is something to rank by; a minus alone finds nothing by itself."""
        return bool(self.words or self.phrases)

    @property
    def text(self) -> str:
        """The words alone, as somebody would say them: what is embedded."""
        return " ".join([*self.words, *self.phrases])

    def __str__(self) -> str:
        parts = [
            *self.words,
            *(f'"{phrase}"' for phrase in self.phrases),
            *(f'-"{gone}"' if " " in gone else f"-{gone}" for gone in self.without),
            *map(str, self.filters),
        ]
        return " ".join(parts)

    def without_filter(self, gone: Filter) -> Query:
        return replace(self, filters=tuple(one for one in self.filters if one != gone))

    def with_filter(self, more: Filter) -> Query:
        if more in self.filters:
            return self
        return replace(self, filters=(*self.filters, more))

    def with_words(self, meant: Iterable[str]) -> Query:
        return replace(self, words=tuple(meant))


def parse(written: str) -> Query:
    """Read what was written, at most QUERY_MAX_CHARS characters of it."""
    said: list[str] = []
    phrases: list[str] = []
    without: list[str] = []
    filters: list[Filter] = []
    text = " ".join(written.replace("\x00", " ").split())[:QUERY_MAX_CHARS]
    for match in _PIECE.finditer(text.translate(_QUOTES)):
        negated = match["minus"] is not None
        if match["phrase"] is not None:
            if words(match["phrase"]):
                (without if negated else phrases).append(match["phrase"].strip())
            continue
        if match["name"] and (found := _filter(match, negated)):
            if found not in filters:
                filters.append(found)
            continue
        word = match["word"] or match[0].removeprefix("-").replace('"', "")
        if words(word):
            (without if negated else said).append(word)
    return Query(
        words=tuple(said[:WORDS_MAX]),
        phrases=tuple(phrases),
        without=tuple(without),
        filters=tuple(filters),
    )


_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "：": ":"})


def _filter(match: re.Match[str], negated: bool) -> Filter | None:
    name = match["name"].lower()
    name = ALIASES.get(name, name)
    value = (match["quoted"] if match["quoted"] is not None else match["value"]).strip().lower()
    value = value.lstrip("@#")
    if name not in NAMES or not value:
        return None
    if name in ("before", "after") and (negated or moment(value) is None):
        return None
    if name == "is" and value not in STATES:
        return None
    return Filter(name, value, negated)


def moment(value: str) -> datetime | None:
    """Return when a day, month or year ("2025-06-30", "2025-06", "2025") begins, in UTC.

    None for what is no date. `before:` is until then, `after:` from then on.
    """
    match = _DAY.match(value)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        return datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
    except ValueError:
        return None
