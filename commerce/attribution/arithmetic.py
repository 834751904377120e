"""Money in whole minor units, shared out and taken back without losing or making any.

Pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar


class Sortable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


K = TypeVar("K", bound=Sortable)


def split(total: int, weights: Mapping[K, int]) -> dict[K, int]:
    """Share `total` minor units out in proportion to `weights`, to the unit.

    Largest remainder (Hamilton): each key gets floor(total * w / W), and what is left over goes,
    one unit each, to the largest remainders; ties go to the smaller key.
    The parts add up to `total`, none is more than ceil(total * w / W), and the order in which the
    weights come makes no difference. Fractions are whole numbers over a common denominator.

    Raises ValueError for a negative total or weight, or if there is nobody to share with.
    """
    if total < 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("A total and its weights are never negative.")
    whole = sum(weights.values())
    if not whole:
        if total:
            raise ValueError("There is nobody to share with.")
        return dict.fromkeys(weights, 0)
    keys = sorted(weights)
    parts = {key: total * weights[key] // whole for key in keys}
    left = total - sum(parts.values())
    # sorted() is stable: equal remainders keep the order of their keys.
    for key in sorted(keys, key=lambda key: -(total * weights[key] % whole))[:left]:
        parts[key] += 1
    return parts


def take(amount: int, remaining: Mapping[K, int]) -> dict[K, int]:
    """Take `amount`, or all there is, from `remaining` in proportion to what each has left.

    No key gives more than it has, and keys that give nothing are left out.
    """
    amount = min(amount, sum(remaining.values()))
    return {key: part for key, part in split(amount, remaining).items() if part}


def reverse_refund(
    parts: Mapping[int | None, int], remaining: Mapping[K, int], line_of: Callable[[K], int]
) -> tuple[dict[K, int], int]:
    """Return what one refund takes from each of the remaining credits, and what it cannot.

    `parts` is the refund by order line; under None an amount over the whole order. Each part is
    taken from the remaining credits of its line; what a line cannot give spills to the refund's
    other lines, then to the order's, then is dropped. A refund takes at most
    what remains, so credits never turn negative.
    """
    left = dict(remaining)
    taken: dict[K, int] = {}

    def take_from(amount: int, fits: Callable[[int], bool]) -> int:
        """Take from the lines that fit; return what they could not give."""
        given = take(amount, {key: have for key, have in left.items() if fits(line_of(key))})
        for key, part in given.items():
            left[key] -= part
            taken[key] = taken.get(key, 0) + part
        return amount - sum(given.values())

    excess = 0
    for line, amount in sorted((line, part) for line, part in parts.items() if line is not None):
        excess += take_from(amount, line.__eq__)
    excess = take_from(excess, lambda line: line in parts)
    dropped = take_from(excess + parts.get(None, 0), lambda line: True)
    return taken, dropped
