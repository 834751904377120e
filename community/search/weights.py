"""BM25 as an inner product of sparse vectors. Pure: words and figures in, numbers out.

A document's vector holds the saturated frequency of each lexeme, the query's the lexeme's inverse
document frequency, so that their product is the BM25 score. A lexeme's place in the vectors is a
checksum: there is no list of words to keep in step. See docs/decisions/search.md.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

DIMENSIONS: Final = 1_000_000_000
MOST_ENTRIES: Final = 16_000  # of a sparsevec
K1: Final = 1.2
B: Final = 0.75
TITLE, TAGS, TEXT = 3.0, 2.0, 1.0
# Of an index with fewer documents than say anything, in lexemes.
USUAL_LENGTH: Final = 60.0


def key_of(lexeme: str) -> int:
    """Return the lexeme's place in a vector: 0 to DIMENSIONS - 1, the same on every machine."""
    return zlib.crc32(lexeme.encode()) % DIMENSIONS


def document_weights(
    *,
    title: Iterable[str],
    tags: Iterable[str],
    text: Iterable[str],
    average_length: float,
) -> dict[str, float]:
    """Weigh each lexeme of a document; its length counts all lexemes of all fields once."""
    frequencies: Counter[str] = Counter()
    length = 0
    for field, weight in ((title, TITLE), (tags, TAGS), (text, TEXT)):
        for lexeme in field:
            frequencies[lexeme] += weight  # type: ignore[assignment]
            length += 1
    shortness = K1 * (1 - B + B * length / (average_length or USUAL_LENGTH))
    return {
        lexeme: frequency * (K1 + 1) / (frequency + shortness)
        for lexeme, frequency in frequencies.items()
    }


def rarity(documents: int, among: int) -> float:
    """Return the inverse document frequency of a lexeme in `documents` of `among`. Above 0."""
    documents = min(documents, among)
    return math.log(1 + (among - documents + 0.5) / (documents + 0.5))


def sparse(weights: Mapping[str, float]) -> str:
    """Write a vector as PostgreSQL reads it; beyond MOST_ENTRIES the lightest are left out.

    Two lexemes of one key (one in some hundred thousand) count as one.
    """
    entries: dict[int, float] = {}
    for lexeme, weight in weights.items():
        key = key_of(lexeme) + 1  # pgvector counts from one
        entries[key] = entries.get(key, 0.0) + weight
    if len(entries) > MOST_ENTRIES:
        heaviest = sorted(entries.items(), key=lambda entry: -entry[1])[:MOST_ENTRIES]
        entries = dict(heaviest)
    inside = ",".join(f"{key}:{weight:.6g}" for key, weight in sorted(entries.items()))
    return f"{{{inside}}}/{DIMENSIONS}"


def rarest_within(counts: Mapping[str, int], most: int) -> list[str]:
    """Return the rarest lexemes whose documents add up to at most `most`; the rarest always.

    Those are looked up; the others only weigh what is found. All else would fetch half the index
    for a word like "camera".
    """
    chosen: list[str] = []
    sum_so_far = 0
    for lexeme, documents in sorted(counts.items(), key=lambda entry: (entry[1], entry[0])):
        sum_so_far += documents
        if chosen and sum_so_far > most:
            break
        chosen.append(lexeme)
    return chosen


def most_candidates(documents: int) -> int:
    """Return how many documents a query may fetch to score: a twentieth, but at least 2,000."""
    return max(2_000, documents // 20)


def fused(
    lexical: Mapping[int, float], dense: Mapping[int, float], *, dense_weight: float
) -> dict[int, float]:
    """Add two rankings after stretching each to 0..1; what one does not hold scores 0 there."""
    if not dense:
        return dict(lexical)
    first, second = _stretched(lexical), _stretched(dense)
    return {
        key: (1 - dense_weight) * first.get(key, 0.0) + dense_weight * second.get(key, 0.0)
        for key in first.keys() | second.keys()
    }


def _stretched(scores: Mapping[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    least, most = min(scores.values()), max(scores.values())
    span = most - least
    return {key: (score - least) / span if span else 1.0 for key, score in scores.items()}
