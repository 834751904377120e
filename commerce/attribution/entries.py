"""The whole ledger an order should have, from what is known of it now.

Pure: values in, values out. services.converge writes the difference to what is written already,
so that it does not matter how often, in what order or in how many versions facts arrived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from commerce.attribution.arithmetic import reverse_refund, split
from commerce.attribution.policy import (
    Kind,
    Policy,
    Purchase,
    Touch,
    contest,
    excluded_by,
    last_touch,
)

# Raised whenever the same facts would give other entries than before; kept on every run.
CODE_VERSION: Final = "1"


class Part(StrEnum):
    """Which of an order's facts an entry follows from."""

    SALE = "sale"
    REFUND = "refund"
    CANCELLATION = "cancelled"


@dataclass(frozen=True, slots=True)
class Line:
    """An order line: `net_minor` after discounts, without tax and shipping, before refunds."""

    id: int
    net_minor: int
    listing_id: int | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund by order line, in minor units; under None an amount over the whole order."""

    id: int
    parts: Mapping[int | None, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of an order. `refunds` are in the order in which we heard of them, so
    that one that comes late never moves what an earlier one took."""

    purchase: Purchase
    currency: str
    lines: Sequence[Line]
    touches: Sequence[Touch] = ()
    refunds: Sequence[Refund] = ()
    cancelled: bool = False
    test: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Share:
    """One line's credit to one touch; `touch_id` is None exactly if it is unattributed."""

    line_id: int
    position: int  # among the touches that share the line, earliest first
    kind: Kind
    touch_id: UUID | None


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two entries the same; `placed_at` and `listing_id` may change with a version."""

    line_id: int
    kind: Kind
    touch_id: UUID | None
    listing_id: int | None
    placed_at: datetime
    currency: str
    part: Part = Part.SALE
    refund_id: int | None = None


@dataclass(slots=True)
class Ledger:
    """Entries by key, in minor units of the order's currency: sales positive, the rest negative.

    `dropped` says, by refund, how much was given back beyond what the order had left.
    """

    entries: dict[Key, int] = field(default_factory=dict)
    dropped: dict[int, int] = field(default_factory=dict)

    @property
    def net_minor(self) -> int:
        return sum(self.entries.values())


def ledger(facts: Facts, policy: Policy) -> Ledger:
    """Return the entries of an order by last touch.

    Each line is shared out over its contest's touches; refunds take from what remains, one after
    the other; a cancelled order ends at zero. A test order has none. Lines of nothing have none.
    """
    result = Ledger()
    if facts.test:
        return result
    eligible = [
        touch for touch in facts.touches if excluded_by(touch, facts.purchase, policy) is None
    ]
    remaining: Counter[Share] = Counter()
    listings = {line.id: line.listing_id for line in facts.lines}
    for line in facts.lines:
        remaining.update(_shares(line, eligible))

    def write(share: Share, amount: int, part: Part = Part.SALE, refund: int | None = None) -> None:
        key = Key(
            line_id=share.line_id,
            kind=share.kind,
            touch_id=share.touch_id,
            listing_id=listings[share.line_id],
            placed_at=facts.purchase.placed_at,
            currency=facts.currency,
            part=part,
            refund_id=refund,
        )
        result.entries[key] = result.entries.get(key, 0) + amount

    for share, amount in remaining.items():
        write(share, amount)
    for refund in facts.refunds:
        taken, dropped = reverse_refund(refund.parts, remaining, lambda share: share.line_id)
        for share, amount in taken.items():
            write(share, -amount, Part.REFUND, refund.id)
        remaining.subtract(taken)
        if dropped:
            result.dropped[refund.id] = dropped
    if facts.cancelled:
        for share, amount in remaining.items():
            if amount:
                write(share, -amount, Part.CANCELLATION)
    return result


def _shares(line: Line, eligible: Sequence[Touch]) -> dict[Share, int]:
    """Return what each touch gets of a line; all of it is unattributed where nobody does."""
    if not line.net_minor:
        return {}
    sharing = contest(line.listing_id, eligible)
    if not sharing.touches:
        return {Share(line.id, 0, Kind.UNATTRIBUTED, None): line.net_minor}
    shares = [
        Share(line.id, position, sharing.kind, touch.id)
        for position, touch in enumerate(sharing.touches)
    ]
    weights = dict(zip(shares, last_touch(sharing.touches), strict=True))
    return {share: part for share, part in split(line.net_minor, weights).items() if part}
