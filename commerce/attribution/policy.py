"""Which touches may earn credit for an order line, and the rule that excludes each other one.

Pure: values in, values out, no clock and no database. docs/decisions/attribution.md says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

SECOND: Final = timedelta(seconds=1)


class Kind(StrEnum):
    """How an order line is credited."""

    DIRECT = "direct"
    HALO = "halo"
    UNATTRIBUTED = "unattributed"


class Verdict(StrEnum):
    """What became of a touch for one order line: credited, or the first rule that speaks."""

    CREDITED = "credited"
    # It may not earn credit at all.
    OTHER_MERCHANT = "other_merchant"
    BOT = "bot"
    PREFETCH = "prefetch"
    REPEAT = "repeat"
    AFTER_ORDER = "after_order"
    TOO_EARLY = "too_early"
    TEAM = "team"
    OWN_POST = "own_post"
    # It may, and another touch took the credit of this line.
    OTHER_LISTING = "other_listing"
    NOT_LAST = "not_last"


@dataclass(frozen=True, slots=True)
class Touch:
    """A stored touch, as far as rules ask. `not_counted` is empty, bot, prefetch or repeat."""

    id: UUID
    occurred_at: datetime
    merchant_id: int
    listing_id: int
    author_id: int | None = None
    not_counted: str = ""

    @property
    def age_key(self) -> tuple[datetime, UUID]:
        """Earlier sorts first; of two at one instant the one with the smaller id."""
        return (self.occurred_at, self.id)


@dataclass(frozen=True, slots=True)
class Purchase:
    """What rules ask of an order. `placed_at` is the shop's own time.

    `buyers` are the members the buyer is known to be; `team` are the members who were on the
    merchant's team when the order was placed.
    """

    merchant_id: int
    placed_at: datetime
    buyers: frozenset[int] = frozenset()
    team: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers a site may set. `click_window_seconds`: both ends are inside."""

    click_window_seconds: int


def excluded_by(touch: Touch, purchase: Purchase, policy: Policy) -> Verdict | None:
    """Return the first rule that excludes `touch` from all of the order, None if it is eligible.

    Eligible: of the same merchant, counted when it happened,
    0 <= placed_at - occurred_at <= the click window, and no self-purchase: the buyer is neither
    on the merchant's team nor the author of the post or message the touch came from.

    A touch without consent has no visitor and is known by its click id alone; it is eligible.
    """
    if touch.merchant_id != purchase.merchant_id:
        return Verdict.OTHER_MERCHANT
    if touch.not_counted:
        return Verdict(touch.not_counted)
    age = purchase.placed_at - touch.occurred_at
    if age < timedelta(0):
        return Verdict.AFTER_ORDER
    if age > policy.click_window_seconds * SECOND:
        return Verdict.TOO_EARLY
    if purchase.buyers & purchase.team:
        return Verdict.TEAM
    if touch.author_id is not None and touch.author_id in purchase.buyers:
        return Verdict.OWN_POST
    return None


@dataclass(frozen=True, slots=True)
class Contest:
    """The touches that share one order line; earliest first. Empty exactly if unattributed."""

    kind: Kind
    touches: tuple[Touch, ...]


def contest(listing_id: int | None, eligible: Iterable[Touch]) -> Contest:
    """Return which of the eligible touches share a line of `listing_id`.

    Touches of the line's own listing share it (direct); if there are none, those of the
    merchant's other listings do (halo). A line without a listing of ours has
    no direct touch.
    """
    ordered = tuple(sorted(eligible, key=lambda touch: touch.age_key))
    direct = tuple(touch for touch in ordered if touch.listing_id == listing_id)
    if direct:
        return Contest(Kind.DIRECT, direct)
    if ordered:
        return Contest(Kind.HALO, ordered)
    return Contest(Kind.UNATTRIBUTED, ())


def last_touch(touches: Sequence[Touch]) -> list[int]:
    """Return the weights of the last-touch model for touches sorted earliest first: 0, …, 0, 1.

    Of touches at one instant the greater id is the last.
    """
    return [0] * (len(touches) - 1) + [1] if touches else []


def verdicts(
    listing_id: int | None, touches: Iterable[Touch], purchase: Purchase, policy: Policy
) -> list[tuple[Touch, Verdict]]:
    """Return every touch with what became of it for a line of `listing_id`, newest first."""
    judged = {touch: excluded_by(touch, purchase, policy) for touch in touches}
    sharing = contest(listing_id, (touch for touch, rule in judged.items() if rule is None))
    weights = dict(zip(sharing.touches, last_touch(sharing.touches), strict=True))

    def verdict(touch: Touch, rule: Verdict | None) -> Verdict:
        if rule is not None:
            return rule
        if touch not in weights:
            return Verdict.OTHER_LISTING
        return Verdict.CREDITED if weights[touch] else Verdict.NOT_LAST

    newest_first = sorted(judged, key=lambda touch: touch.age_key, reverse=True)
    return [(touch, verdict(touch, judged[touch])) for touch in newest_first]
