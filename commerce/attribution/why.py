"""Why an order line was credited as it was: what was seen, and the rule that kept or excluded it.

What was credited is read from the current run; why each touch was kept or not is asked of the
same rules again, with the run's own numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Min, Q, Sum
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from commerce.attribution.entries import ledger
from commerce.attribution.facts import read_facts
from commerce.attribution.models import GROSS_REASONS, AttributionRun, Credit
from commerce.attribution.places import ELSEWHERE, WITHHELD, ShownPlace, show_places
from commerce.attribution.policy import Kind, Policy, Touch, Verdict, verdicts
from commerce.listings.models import Listing
from commerce.orders.models import Order
from community.members.models import Viewer

SEEN_MAX: Final = 50


def age_words(age: timedelta) -> str:
    """Say how long: "under a minute", "1 minute", "5 hours", "12 days". Rounded down."""
    seconds = age.total_seconds()
    if count := int(seconds // 86_400):
        return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}
    if count := int(seconds // 3_600):
        return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": count}
    if count := int(seconds // 60):
        return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}
    return gettext("under a minute")


def verdict_words(verdict: Verdict, kind: Kind, window: timedelta) -> str:
    """Say in a sentence what became of a touch for a line that is credited as `kind`."""
    if verdict is Verdict.CREDITED and kind is Kind.HALO:
        return gettext(
            "Credited as halo: the last click on any listing of yours; none was on this one."
        )
    if verdict is Verdict.TOO_EARLY:
        return gettext("Left out: more than %(window)s before the order.") % {
            "window": age_words(window)
        }
    return str(_VERDICTS[verdict])


_VERDICTS: Final = {
    Verdict.CREDITED: _("Credited: the last click on this listing before the order."),
    Verdict.NOT_LAST: _("It counts, but a later click came, and the last one is credited."),
    Verdict.OTHER_LISTING: _("It counts, but led to another listing; this one was clicked too."),
    Verdict.OTHER_MERCHANT: _("Left out: the click id belongs to another shop's listing."),
    Verdict.BOT: _("Left out: a bot's request."),
    Verdict.PREFETCH: _("Left out: a browser fetched the page ahead; nobody had clicked."),
    Verdict.REPEAT: _("Left out: the same click again within 30 minutes."),
    Verdict.AFTER_ORDER: _("Left out: it came after the order was placed."),
    Verdict.TEAM: _("Left out: the buyer is on your team."),
    Verdict.OWN_POST: _("Left out: a self-purchase. The buyer wrote what the click came from."),
}


_WHY_UNATTRIBUTED: Final = {
    Verdict.OTHER_MERCHANT: _("Its click id belongs to another shop's listing."),
    Verdict.BOT: _("The click seen was a bot's."),
    Verdict.PREFETCH: _("The page was fetched ahead and nobody clicked."),
    Verdict.REPEAT: _("The click seen was a repeat."),
    Verdict.AFTER_ORDER: _("The click seen came after the order."),
    Verdict.TEAM: _("The buyer is on your team."),
    Verdict.OWN_POST: _("A self-purchase, the buyer wrote what they clicked in."),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A touch as the page shows it. `listing` is None where it is not theirs to know."""

    at: datetime
    place: ShownPlace
    listing: Listing | None
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Share:
    """What a line's money is credited to, and what is left of it, in minor units."""

    kind: Kind
    gross_minor: int
    net_minor: int
    sentence: str
    place: ShownPlace | None = None


@dataclass(frozen=True, slots=True)
class LineWhy:
    """One order line's shares, and the touches seen: newest first, at most SEEN_MAX of `count`."""

    shares: list[Share] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    count: int = 0


@dataclass(frozen=True, slots=True)
class OrderWhy:
    """By order line id. `dropped` says by refund what was given back beyond the order."""

    lines: Mapping[int, LineWhy]
    dropped: Mapping[int, int]


def explain(
    orders: Sequence[Order], run: AttributionRun, viewer: Viewer, *, seen: bool = False
) -> dict[int, OrderWhy]:
    """Return why the lines of these orders are credited as they are in `run`, by order id.

    `seen` adds the touches of each line. A fixed number of queries for any number of orders.
    """
    if not orders:
        return {}
    known = read_facts(orders, run_ids=[run.pk], since=None, most=4 * SEEN_MAX)
    shares = _read_shares(orders, run)
    policy = Policy(click_window_seconds=run.params["click_window_seconds"])
    window = timedelta(seconds=policy.click_window_seconds)
    own = {
        touch.id: touch
        for order in orders
        for touch in known.facts[order.pk].touches
        if touch.merchant_id == order.merchant_id
    }
    places = show_places({known.places[touch_id] for touch_id in own}, viewer)
    listings = Listing.objects.only("title").in_bulk({touch.listing_id for touch in own.values()})

    def describe(order: Order) -> OrderWhy:
        facts = known.facts[order.pk]
        lines: dict[int, LineWhy] = {}
        for line in facts.lines:
            judged = verdicts(line.listing_id, facts.touches, facts.purchase, policy)
            credited = [
                _share(kind, gross, net, own.get(touch_id) if touch_id else None, order, judged)
                for kind, touch_id, gross, net in shares.get(line.id, [])
            ]
            kind = credited[0].kind if credited else Kind.UNATTRIBUTED
            lines[line.id] = LineWhy(
                shares=credited,
                seen=[_seen(touch, verdict, kind) for touch, verdict in judged[: SEEN_MAX * seen]],
                count=len(judged),
            )
        return OrderWhy(lines, ledger(facts, policy).dropped)

    def _seen(touch: Touch, verdict: Verdict, kind: Kind) -> Seen:
        words = verdict_words(verdict, kind, window)
        if verdict is Verdict.OTHER_MERCHANT:
            return Seen(touch.occurred_at, ELSEWHERE, None, verdict, words)
        if verdict is Verdict.OWN_POST:
            # Naming the place would name the member who wrote there, who is the buyer.
            return Seen(touch.occurred_at, WITHHELD, None, verdict, words)
        place = places[known.places[touch.id]]
        return Seen(touch.occurred_at, place, listings[touch.listing_id], verdict, words)

    def _share(
        kind: Kind,
        gross: int,
        net: int,
        touch: Touch | None,
        order: Order,
        judged: Sequence[tuple[Touch, Verdict]],
    ) -> Share:
        if touch is None:
            return Share(kind, gross, net, _unattributed(judged, order, window))
        place = places[known.places[touch.id]]
        age = age_words(order.placed_at - touch.occurred_at)
        if kind is Kind.DIRECT:
            sentence = gettext(
                "The last click on this listing, %(age)s before the order, was %(place)s."
            ) % {"age": age, "place": place}
        else:
            sentence = gettext(
                "The buyer clicked “%(listing)s” %(place)s, %(age)s before the order, and bought"
                " this too."
            ) % {"listing": listings[touch.listing_id].title, "place": place, "age": age}
        return Share(kind, gross, net, sentence, place)

    return {order.pk: describe(order) for order in orders}


def _unattributed(judged: Sequence[tuple[Touch, Verdict]], order: Order, window: timedelta) -> str:
    if not judged:
        return gettext("No click from here came back with the order.")
    touch, verdict = judged[0]
    if verdict is Verdict.TOO_EARLY:
        age = age_words(order.placed_at - touch.occurred_at)
        return gettext("The last click was %(age)s before the order, more than %(window)s.") % {
            "age": age,
            "window": age_words(window),
        }
    why = _WHY_UNATTRIBUTED.get(verdict)
    if why is None:
        return gettext("No click counted when it was reckoned.")
    return str(why)


def _read_shares(
    orders: Sequence[Order], run: AttributionRun
) -> Mapping[int, list[tuple[Kind, UUID | None, int, int]]]:
    """Return what each line is credited to now: (kind, touch, gross, net), by line id."""
    rows = (
        Credit.objects.filter(run=run, order__in=orders)
        .values_list("order_line_id", "kind", "touchpoint_id")
        .annotate(
            gross=Sum("amount_minor", filter=Q(reason__in=GROSS_REASONS), default=0),
            net=Sum("amount_minor"),
            first=Min("pk"),
        )
        .exclude(gross=0, net=0)
        .order_by("first")
    )
    shares: dict[int, list[tuple[Kind, UUID | None, int, int]]] = defaultdict(list)
    for line_id, kind, touch_id, gross, net, _first in rows:
        shares[line_id].append((Kind(kind), touch_id, gross, net))
    return shares
