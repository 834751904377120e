"""Ninety days of clicks and orders with a believable shape. Pure: values in, a plan out.

Times are days before the moment of seeding. Readers come in waves after each post of a thread, more
of them at weekends and more every month; most of them look and do not buy. The same spots and
wares give the same plan.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

DAYS: Final = 90
CLICKS: Final = 3_450
LONE_ORDERS: Final = 84  # by people no thread sent, in DAYS

# What happens at which hour, midnight first; the script counts back from noon.
HOURS: Final = (3, 2, 1, 1, 1, 2, 4, 7, 8, 8, 8, 9, 11, 10, 8, 8, 9, 10, 12, 14, 15, 14, 10, 6)
SEEDED_AT_HOUR: Final = 12
# Sunday first, going back: the script counts back from a Sunday.
WEEK: Final = (1.35, 1.2, 0.85, 0.9, 0.85, 0.8, 0.95)

CONSENT: Final = 0.72
SIGNED_IN: Final = 0.34
COMES_BACK: Final = 0.4
AGAIN_AT_ONCE: Final = 0.06
BOTS: Final = 0.095
PREFETCHED: Final = 0.025
DEDUPE_DAYS: Final = 30 / (24 * 60)
BUYS: Final = 0.074
MINUTE: Final = 1 / (24 * 60)


@dataclass(frozen=True)
class Spot:
    """A place a listing is shown at: beside a post, on a thread, or on its own page (no thread).

    It is there from `opens` to `closes` days ago. `talk` are the posts of its thread, `readers`
    the members who may come by, each with since how many days; `author` is whose words the card
    stands beside.
    """

    listing: str
    shop: str
    opens: float
    closes: float = 0.0
    pull: float = 1.0
    talk: tuple[float, ...] = ()
    readers: tuple[tuple[str, float], ...] = ()
    author: str = ""


@dataclass(frozen=True)
class Ware:
    """What a shop sells; `listing` is empty for what is not listed here."""

    title: str
    price_minor: int
    listing: str = ""
    sku: str = ""
    url: str = ""
    many: bool = True  # there is more than one of it


@dataclass(frozen=True)
class Click:
    """`visitor` is a number, None without consent; `not_counted` as touchpoints have it."""

    days_ago: float
    spot: int
    visitor: int | None = None
    member: str = ""
    not_counted: str = ""


@dataclass(frozen=True)
class Line:
    ware: Ware
    quantity: int
    net_minor: int


@dataclass(frozen=True)
class Refund:
    """Given back: of one line (its index) or, without, over the whole order."""

    days_ago: float
    amount_minor: int
    reason: str
    line: int | None = None


@dataclass
class Order:
    """`click` is the index of the click whose id the shop got; `click_id` one that is not ours."""

    shop: str
    days_ago: float
    lines: list[Line]
    click: int | None = None
    click_id: str = ""
    member: str = ""
    test: bool = False
    cancelled_days_ago: float | None = None
    refunds: list[Refund] = field(default_factory=list)
    # The lines as they are after the buyer changed their mind, and when.
    changed: tuple[float, list[Line]] | None = None


@dataclass(frozen=True)
class Plan:
    """Clicks and orders, oldest first; `visitors` says which member each browser is, if any."""

    visitors: list[str]
    clicks: list[Click]
    orders: list[Order]


@dataclass(frozen=True)
class Story:
    """A click the script tells of, and the order it led to: who, what, and when."""

    member: str
    listing: str
    author: str  # beside whose words they clicked
    clicked: float
    ordered: float


def plan_trade(
    spots: Sequence[Spot],
    wares: Mapping[str, Sequence[Ware]],
    *,
    clicks: int = CLICKS,
    lone_orders: int = LONE_ORDERS,
    stories: Iterable[Story] = (),
) -> Plan:
    """Return what happened at `spots`. `wares` are what each shop sells; a spot of somebody who
    is no shop is clicked and never ordered from. `clicks` clicks, repeats and told ones on top."""
    rng = random.Random("trade7")  # noqa: S311 - variety, not secrets
    shown = {(spot.listing, spot.author) for spot in spots}
    told = [story for story in stories if (story.listing, story.author) in shown]
    crowd = _Crowd(rng)
    moments = sorted(_moments(spots, clicks, rng), reverse=True)
    planned: list[Click] = []
    for days_ago, number in moments:
        planned.extend(crowd.click(days_ago, number, spots[number]))
    planned.extend(crowd.told(story, spots) for story in told)
    planned.sort(key=lambda click: -click.days_ago)
    planned = _mark_repeats(planned)
    orders = _orders(planned, spots, wares, rng)
    orders += _told_orders(told, planned, spots, wares)
    orders += _lone_orders(wares, lone_orders, rng)
    orders.sort(key=lambda order: -order.days_ago)
    _misfortunes(orders, rng)
    return Plan(crowd.members, planned, orders)


# -- when and where ---------------------------------------------------------------------------


def liveliness(days_ago: float) -> float:
    """How busy the whole place was on a day, by growth and the day of the week."""
    return (1.0 - 0.55 * days_ago / DAYS) * WEEK[int(days_ago) % 7]


def interest(spot: Spot, days_ago: float) -> float:
    """How many look at a spot on a day: a wave after each post, and a few for ever."""
    if not spot.closes <= days_ago <= spot.opens:
        return 0.0
    waves = sum(math.exp(-(at - days_ago) / 1.8) for at in spot.talk if at >= days_ago)
    # A hundred posts a day do not bring a hundred times the readers.
    tail = 0.5 / (1.0 + (spot.opens - days_ago) / 15.0)
    return spot.pull * (math.sqrt(waves) + tail)


def _moments(spots: Sequence[Spot], clicks: int, rng: random.Random) -> Iterator[tuple[float, int]]:
    """When each click happened and at which spot (its index)."""
    looks: list[dict[int, float]] = []
    for day in range(DAYS):
        there = {
            number: interest(spot, min(max(day + 0.5, spot.closes), spot.opens))
            for number, spot in enumerate(spots)
            if day <= spot.opens and day + 1 > spot.closes
        }
        looks.append({number: look for number, look in there.items() if look})
    sums = [sum(look.values()) for look in looks]
    usual = sorted(sums)[DAYS // 2] or 1.0
    # A day with twice the talk has more readers, not twice as many: most come by anyway.
    busy = [liveliness(day) * (sums[day] / usual) ** 0.45 for day in range(DAYS)]
    if not any(busy):
        return
    for day in rng.choices(range(DAYS), busy, k=clicks):
        [number] = rng.choices(list(looks[day]), list(looks[day].values()))
        yield _time_of_day(day, spots[number], rng), number


def _time_of_day(day: int, spot: Spot, rng: random.Random) -> float:
    least, most = max(float(day), spot.closes, 20 * MINUTE), min(day + 1.0, spot.opens)
    for _ in range(6):
        [hour] = rng.choices(range(24), HOURS)
        at = day + ((SEEDED_AT_HOUR - hour) % 24 + rng.random()) / 24
        if least <= at <= most:
            return at
    return rng.uniform(least, max(least, most))


# -- who --------------------------------------------------------------------------------------


class _Crowd:
    """The browsers that come by. Some belong to members, most to guests; some are no readers."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.members: list[str] = []  # of each browser; empty for a guest
        self._of_member: dict[str, int] = {}
        self._lately: defaultdict[str, list[int]] = defaultdict(list)  # guests, by shop

    def click(self, days_ago: float, number: int, spot: Spot) -> Iterator[Click]:
        rng = self._rng
        kind = rng.random()
        if kind < BOTS:
            yield Click(days_ago, number, not_counted="bot")
        elif kind < BOTS + PREFETCHED:
            yield Click(days_ago, number, not_counted="prefetch")
        elif rng.random() > CONSENT:
            yield Click(days_ago, number)
        else:
            visitor = self._reader(spot, days_ago)
            yield Click(days_ago, number, visitor, self.members[visitor])
            if rng.random() < AGAIN_AT_ONCE:
                again = max(days_ago - rng.uniform(0.1, 24.0) * MINUTE, 15 * MINUTE)
                yield Click(again, number, visitor, self.members[visitor])

    def told(self, story: Story, spots: Sequence[Spot]) -> Click:
        number = next(
            number
            for number, spot in enumerate(spots)
            if spot.listing == story.listing and spot.author == story.author
        )
        return Click(story.clicked, number, self._browser_of(story.member), story.member)

    def _reader(self, spot: Spot, days_ago: float) -> int:
        rng = self._rng
        others = [
            handle for handle, since in spot.readers if handle != spot.author and since > days_ago
        ]
        if others and rng.random() < SIGNED_IN:
            return self._browser_of(rng.choice(others))
        lately = self._lately[spot.shop]
        if lately and rng.random() < COMES_BACK:
            return rng.choice(lately[-40:])
        self.members.append("")
        lately.append(len(self.members) - 1)
        return lately[-1]

    def _browser_of(self, member: str) -> int:
        if member not in self._of_member:
            self.members.append(member)
            self._of_member[member] = len(self.members) - 1
        return self._of_member[member]


def _mark_repeats(clicks: list[Click]) -> list[Click]:
    """As the redirect does: the same browser at the same spot within half an hour of a kept one."""
    kept: dict[tuple[int, int], float] = {}
    marked = []
    for click in clicks:
        if click.visitor is not None:
            key = (click.visitor, click.spot)
            if key in kept and kept[key] - click.days_ago < DEDUPE_DAYS:
                click = Click(click.days_ago, click.spot, click.visitor, click.member, "repeat")
            else:
                kept[key] = click.days_ago
        marked.append(click)
    return marked


# -- what was bought --------------------------------------------------------------------------


def _orders(
    clicks: Sequence[Click],
    spots: Sequence[Spot],
    wares: Mapping[str, Sequence[Ware]],
    rng: random.Random,
) -> list[Order]:
    orders = []
    late = 0
    for number, click in enumerate(clicks):
        spot = spots[click.spot]
        if click.not_counted or spot.shop not in wares or click.member == spot.author != "":
            continue
        chance, delay, luck = rng.random(), _delay(rng), rng.random()
        ware = next((one for one in wares[spot.shop] if one.listing == spot.listing), None)
        if ware is None or chance > BUYS * min(1.0, (6_000 / ware.price_minor) ** 0.2):
            continue
        if click.days_ago > 40 and late < 3 and luck < 0.12:
            # Longer ago than the window: the sale is nobody's.
            delay, late = 31.0 + 6 * luck / 0.12, late + 1
        placed = click.days_ago - delay
        if placed < 30 * MINUTE:
            continue
        orders.append(
            Order(
                shop=spot.shop,
                days_ago=placed,
                lines=_basket(ware, wares[spot.shop], rng),
                click=number,
                member=click.member if rng.random() < 0.25 else "",
            )
        )
    return orders


def _delay(rng: random.Random) -> float:
    """Days from the click to the order: most at once, some after a sleep, a few much later."""
    kind = rng.random()
    if kind < 0.55:
        return rng.uniform(3, 55) * MINUTE
    if kind < 0.85:
        return rng.uniform(0.1, 2.5)
    return rng.uniform(2.5, 19.0)


def _basket(first: Ware | None, wares: Sequence[Ware], rng: random.Random) -> list[Line]:
    """What somebody bought who came for `first` (None: for nothing we know of)."""
    many = [ware for ware in wares if ware.many]
    weights = [1 / math.sqrt(ware.price_minor) for ware in many]
    chosen = [first] if first is not None and first.many else rng.choices(many, weights, k=1)
    if rng.random() < 0.27:
        chosen += rng.choices(many, weights, k=1)
    lines = []
    for ware in dict.fromkeys(chosen):
        [quantity] = rng.choices((1, 2, 3), (84, 12, 4) if ware.price_minor < 4_000 else (1, 0, 0))
        net = ware.price_minor * quantity
        lines.append(Line(ware, quantity, net - net // 10 if rng.random() < 0.08 else net))
    return lines


def _told_orders(
    stories: Sequence[Story],
    clicks: Sequence[Click],
    spots: Sequence[Spot],
    wares: Mapping[str, Sequence[Ware]],
) -> list[Order]:
    orders = []
    for story in stories:
        number = next(
            number
            for number, click in enumerate(clicks)
            if click.member == story.member and click.days_ago == story.clicked
        )
        shop = spots[clicks[number].spot].shop
        ware = next(ware for ware in wares[shop] if ware.listing == story.listing)
        line = Line(ware, 1, ware.price_minor)
        orders.append(Order(shop, story.ordered, [line], click=number, member=story.member))
    return orders


def _lone_orders(
    wares: Mapping[str, Sequence[Ware]], count: int, rng: random.Random
) -> list[Order]:
    """Orders by people nobody sent, one with a click id cut off on its way, and each shop's own
    test from when it was connected."""
    shops = list(wares)
    days = rng.choices(range(DAYS - 2), [liveliness(day) for day in range(DAYS - 2)], k=count)
    orders = []
    for number, day in enumerate(days):
        shop = shops[number % len(shops)]
        at = _time_of_day(day, Spot("", shop, opens=float(DAYS)), rng)
        orders.append(Order(shop, at, _basket(None, wares[shop], rng)))
    if orders:
        orders[count // 2].click_id = "QmT4cut0ffhalfway"
    for number, shop in enumerate(shops):
        ware = wares[shop][0]
        line = Line(ware, 1, ware.price_minor)
        orders.append(Order(shop, DAYS - 1.2 - number * 0.04, [line], test=True))
    return orders


# -- what went wrong --------------------------------------------------------------------------

_REASONS: Final = (
    "Arrived broken",
    "Not what they expected",
    "Ordered twice",
    "Came too late for a present",
)


def _misfortunes(orders: Sequence[Order], rng: random.Random) -> None:
    """Give a few orders back, in whole or in part; cancel three; two buyers change their mind."""
    real = [order for order in orders if not order.test and order.days_ago > 3]
    rng.shuffle(real)
    fates = ["line"] * 6 + ["part"] * 4 + ["whole"] * 3 + ["cancelled"] * 3
    share = min(1.0, len(real) / 150)
    for fate in rng.sample(fates, k=round(len(fates) * share)) if real else ():
        order = real.pop()
        at = max(order.days_ago - rng.uniform(1.5, 12.0), 0.2)
        reason = rng.choice(_REASONS)
        total = sum(line.net_minor for line in order.lines)
        if fate == "cancelled":
            order.cancelled_days_ago = order.days_ago - rng.uniform(0.02, 0.9)
        elif fate == "line":
            index = rng.randrange(len(order.lines))
            line = order.lines[index]
            order.refunds.append(Refund(at, line.net_minor // line.quantity, reason, index))
        elif fate == "part":
            order.refunds.append(Refund(at, max(100, total // 5 // 50 * 50), "Kept it for less"))
        else:
            order.refunds.append(Refund(at, total, reason))
    doubled = [order for order in real if order.lines[0].quantity > 1]
    for order in doubled[:2]:
        first = order.lines[0]
        fewer = Line(first.ware, 1, first.net_minor // first.quantity)
        order.changed = (order.days_ago - 0.05, [fewer, *order.lines[1:]])
