"""Slips of the finger: which word of the community was meant. Pure.

Two words are near when one becomes the other by inserting, leaving out, replacing or swapping
neighbouring letters (optimal string alignment). Near words share what is left after some letters
are left out, so those leavings are the index (as SymSpell does); the few words they bring are
then measured.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import combinations
from typing import Final

LEAST_CHARS: Final = 4  # shorter words have too many neighbours
TWO_FROM_CHARS: Final = 8  # from here on two slips are forgiven
MOST_CHARS: Final = 24


def slips(word: str) -> int:
    """Return how many slips are forgiven in a word: 0, 1 or 2."""
    if not LEAST_CHARS <= len(word) <= MOST_CHARS or not word.isalpha():
        return 0
    return 2 if len(word) >= TWO_FROM_CHARS else 1


def leavings(word: str) -> set[str]:
    """Return the word and what is left of it with up to `slips` letters left out."""
    found = {word}
    for count in range(1, slips(word) + 1):
        for left_out in combinations(range(len(word)), count):
            found.add("".join(letter for at, letter in enumerate(word) if at not in left_out))
    return found


def keys(word: str) -> list[int]:
    """Return the leavings as 32-bit numbers, sorted; none for a word that is not corrected."""
    if not slips(word):
        return []
    return sorted({zlib.crc32(left.encode()) - 2**31 for left in leavings(word)})


def distance(one: str, other: str) -> int:
    """Return the optimal string alignment distance of two words."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        two_before, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, two_before[j - 2] + 1)
            row.append(best)
    return row[-1]


def nearest(word: str, known: Iterable[tuple[str, int]]) -> str | None:
    """Return the word meant among `known` (each with its documents), None when none is near.

    Fewer slips come first, then the same first letter, then the more frequent word. A word of one
    document alone may be a slip itself: it counts as one slip further.
    """
    forgiven = slips(word)
    ranked = [
        (far + (documents < 2), candidate[0] != word[0], -documents, candidate)
        for candidate, documents in known
        if abs(len(candidate) - len(word)) <= forgiven
        and 0 < (far := distance(word, candidate)) <= forgiven
    ]
    return min(ranked)[3] if ranked else None
