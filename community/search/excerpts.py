"""The part of a text that answers, with the words found marked. Text in, pieces of text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import Final

from django.utils.safestring import SafeString, mark_safe

from community.search.stems import stems
from community.search.words import fold, is_mixed, pieces, terms

EXCERPT_CHARS: Final = 240
BEFORE_CHARS: Final = 50  # of what is shown before the first word found
READ_MAX: Final = 4_000  # terms of a text that are looked at
GAP: Final = "…"


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    end: int
    lexeme: str


def spans_of(
    texts: Sequence[tuple[str, str]], marked: Collection[str], faint: Collection[str] = ()
) -> list[list[Span]]:
    """Find the marked lexemes in each text (with its language). One query a language at most.

    A text without any of them was found by `faint` ones: single characters of longer words.
    """
    read = [list(islice(pieces(text), READ_MAX)) for text, _ in texts]
    by_language: dict[str, set[str]] = {}
    for (_, language), found in zip(texts, read, strict=True):
        by_language.setdefault(language, set()).update(piece[0] for piece in found)
    lexemes: dict[str, dict[str, str]] = {}
    for language, met in by_language.items():
        folded = {piece: fold(piece) for piece in met}
        stemmed = stems(language, folded.values())
        # Of what stands in the texts, only what is to be marked.
        lexemes[language] = {
            piece: stem
            for piece, word in folded.items()
            if (stem := stemmed[word]) and stem in marked
        }
    spans = []
    for (text, language), found in zip(texts, read, strict=True):
        wanted = lexemes[language]
        here = [Span(start, end, wanted[piece]) for piece, start, end in found if piece in wanted]
        if is_mixed(text):
            here += [
                Span(term.start, term.end, term.word)
                for term in islice(terms(text), READ_MAX)
                if not term.whole and term.word in marked
            ]
            here.sort(key=lambda span: span.start)
        if faint and not here and is_mixed(text):
            here = [
                Span(term.start, term.end, term.word)
                for term in islice(terms(text), READ_MAX)
                if not term.whole and term.word in faint
            ]
        spans.append(here)
    return spans


def excerpt(text: str, spans: Sequence[Span], chars: int = EXCERPT_CHARS) -> list[Piece]:
    """Cut about `chars` characters out of `text` where most different words were found."""
    start = _best_start(spans, chars) if len(text) > chars else 0
    start = _at_a_word(text, max(0, start - BEFORE_CHARS)) if start > BEFORE_CHARS else 0
    end = len(text)
    if end - start > chars:
        end = start + chars
        space = text.rfind(" ", start + chars // 2, end)
        end = space if space > 0 else end
    pieces = pieces_of(text[start:end], [_moved(span, start) for span in spans if span.end <= end])
    if start:
        pieces.insert(0, Piece(GAP))
    if end < len(text):
        pieces.append(Piece(GAP))
    return pieces


def pieces_of(text: str, spans: Sequence[Span]) -> list[Piece]:
    """Split `text` where marks begin and end; marks that touch become one."""
    pieces: list[Piece] = []
    done = 0
    for start, end in _joined([(span.start, span.end) for span in spans if span.start >= 0]):
        if start > done:
            pieces.append(Piece(text[done:start]))
        pieces.append(Piece(text[start:end], marked=True))
        done = end
    if done < len(text):
        pieces.append(Piece(text[done:]))
    return pieces


def as_html(pieces: Sequence[Piece]) -> SafeString:
    """Write pieces for a page: each is escaped, then the marked ones are marked."""
    written = (
        f"<mark>{escape(one.text)}</mark>" if one.marked else escape(one.text) for one in pieces
    )
    return mark_safe("".join(written))


def _best_start(spans: Sequence[Span], chars: int) -> int:
    best, best_start = 0, 0
    inside: Counter[str] = Counter()
    first = 0
    for span in spans:
        inside[span.lexeme] += 1
        while span.end - spans[first].start > chars - BEFORE_CHARS and spans[first] is not span:
            gone = spans[first].lexeme
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            first += 1
        if len(inside) > best:
            best, best_start = len(inside), spans[first].start
    return best_start


def _at_a_word(text: str, at: int) -> int:
    space = text.find(" ", at, at + BEFORE_CHARS)
    return space + 1 if space >= 0 else at


def _moved(span: Span, by: int) -> Span:
    return Span(span.start - by, span.end - by, span.lexeme)


def _joined(ranges: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
