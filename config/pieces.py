"""Pieces of pages that look the same to many readers, drawn once and kept in this process.

A piece is a pure function of what its template is told and of the language it speaks, and that is
its key: there is nothing to purge and nothing to forget. What is drawn for one reader alone is
never kept (docs/decisions/cached-pieces.md).
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import cache
from threading import Lock
from typing import Any, Final

from django.db.models import Model
from django.utils.translation import get_language

MOST_CHARS: Final = 24_000_000  # of keys and pieces together, a process
Key = tuple[Hashable, ...]

_EMPTY_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_AS_IT_IS: Final = re.compile(r"(<(pre|textarea)\b.*?</\2>)", re.DOTALL)


def told(row: Model | None) -> Key:
    """Return every column loaded of a row, for the key of a piece that draws it.

    Rows it points at, and what is deferred, are not in it: tell those too, or do not draw them.
    """
    if row is None:
        return ()
    loaded = row.__dict__
    return tuple(_fact(loaded[name]) for name in _columns(type(row)) if name in loaded)


def _fact(value: Any) -> Hashable:
    """What a JSON column holds is no key; its text is."""
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value


@cache
def _columns(model: type[Model]) -> tuple[str, ...]:
    return tuple(column.attname for column in model._meta.concrete_fields)


def tell(row: Model, more: Key | None) -> None:
    """Note on a row what domains above draw in its piece; None: something for this reader alone."""
    row._told_more = more  # type: ignore[attr-defined]


def more_told(row: Model) -> Key | None:
    """Return what `tell` noted. None, and the piece is not kept, when nobody told anything."""
    more: Key | None = getattr(row, "_told_more", None)
    return more


def tight(html: str) -> str:
    """Leave out the empty lines that tags of templates leave, but not those of texts."""
    if "<pre" not in html and "<textarea" not in html:
        return _EMPTY_LINES.sub("\n", html)
    tightened, at = [], 0
    for kept in _AS_IT_IS.finditer(html):
        tightened += [_EMPTY_LINES.sub("\n", html[at : kept.start()]), kept[0]]
        at = kept.end()
    return "".join([*tightened, _EMPTY_LINES.sub("\n", html[at:])])


class Pieces:
    """The pieces used last, at most `most_chars` characters of them."""

    def __init__(self, most_chars: int = MOST_CHARS) -> None:
        self.most_chars = most_chars
        self.chars = 0
        self._kept: OrderedDict[Key, tuple[str, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Key) -> bool:
        return _spoken(key) in self._kept

    def get(self, key: Key, draw: Callable[[], str]) -> str:
        """Return the piece kept under `key` in the active language, else draw it and keep it."""
        key = _spoken(key)
        with self._lock:
            if kept := self._kept.get(key):
                self._kept.move_to_end(key)
                return kept[0]
        piece = tight(draw())
        with self._lock:
            if key not in self._kept:
                size = len(piece) + _chars(key)
                self._kept[key] = piece, size
                self.chars += size
            while self.chars > self.most_chars:
                _, (_, size) = self._kept.popitem(last=False)
                self.chars -= size
        return piece

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.chars = 0


def _spoken(key: Key) -> Key:
    """Put the active language before a key."""
    return get_language(), *key


def _chars(value: Hashable) -> int:
    """Return about how many characters a key holds; anything but text counts as ten."""
    if isinstance(value, tuple):
        return sum(map(_chars, value))
    return len(value) if isinstance(value, str) else 10


pieces: Final = Pieces()
