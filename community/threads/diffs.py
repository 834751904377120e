"""What an edit changed, word by word, in pieces a page can show. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

# Past this product of both lengths it goes by lines, and past it again the changed stretch is shown
# as replaced whole.
PRODUCT_MAX: Final = 25_000_000
CONTEXT_CHARS: Final = 120  # kept on either side of a change

TOKENS = re.compile(r"\s+|\w+|[^\w\s]")
LINES = re.compile(r"[^\n]*\n|[^\n]+")


class Kind(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    SKIPPED = "skipped"  # unchanged text left out; `text` is empty


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Kind
    text: str


def diff(before: str, after: str) -> list[Piece]:
    """Return the pieces of `before` and `after` in reading order, long unchanged ones shortened."""
    return list(_shortened(_merged(_pieces(before, after))))


def _pieces(before: str, after: str) -> Iterator[Piece]:
    for pattern in (TOKENS, LINES):
        a, b = pattern.findall(before), pattern.findall(after)
        head = _common(a, b)
        tail = _common(a[head:][::-1], b[head:][::-1])
        old, new = a[head : len(a) - tail], b[head : len(b) - tail]
        if len(old) * len(new) <= PRODUCT_MAX:
            yield Piece(Kind.SAME, "".join(a[:head]))
            yield from _matched(old, new)
            yield Piece(Kind.SAME, "".join(a[len(a) - tail :]))
            return
    yield Piece(Kind.SAME, "".join(a[:head]))
    yield Piece(Kind.REMOVED, "".join(old))
    yield Piece(Kind.ADDED, "".join(new))
    yield Piece(Kind.SAME, "".join(a[len(a) - tail :]))


def _matched(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    # Its rule for very common words is what keeps "a.a.a." from taking seconds.
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=True).get_opcodes():
        if tag == "equal":
            yield Piece(Kind.SAME, "".join(old[i1:i2]))
        else:
            yield Piece(Kind.REMOVED, "".join(old[i1:i2]))
            yield Piece(Kind.ADDED, "".join(new[j1:j2]))


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    length = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        length += 1
    return length


def _merged(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Without empty pieces; a lone blank between two changes belongs to both of them."""
    removed, added, same = "", "", ""
    for piece in pieces:
        if piece.kind == Kind.SAME:
            same += piece.text
        elif piece.text:
            if same and same.isspace() and "\n" not in same and (removed or added):
                removed, added, same = removed + same, added + same, ""
            elif same:
                yield from _change(removed, added)
                yield Piece(Kind.SAME, same)
                removed, added, same = "", "", ""
            if piece.kind == Kind.REMOVED:
                removed += piece.text
            else:
                added += piece.text
    yield from _change(removed, added)
    if same:
        yield Piece(Kind.SAME, same)


def _change(removed: str, added: str) -> Iterator[Piece]:
    if removed:
        yield Piece(Kind.REMOVED, removed)
    if added:
        yield Piece(Kind.ADDED, added)


def _shortened(pieces: Iterator[Piece]) -> Iterator[Piece]:
    whole = list(pieces)
    for index, piece in enumerate(whole):
        text = piece.text
        if piece.kind != Kind.SAME or len(text) <= 2 * CONTEXT_CHARS:
            yield piece
            continue
        if index > 0:
            yield Piece(Kind.SAME, text[:CONTEXT_CHARS])
        yield Piece(Kind.SKIPPED, "")
        if index < len(whole) - 1:
            yield Piece(Kind.SAME, text[-CONTEXT_CHARS:])
