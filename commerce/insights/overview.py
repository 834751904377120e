"""What the page "What your threads sold" shows, made from sums: figures, changes, rows, chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commerce.attribution.places import ShownPlace, show_chats, show_threads
from commerce.insights.figures import AMONG_PEOPLE, Daily, Spot, Spots, SpotSums, Sums
from commerce.insights.period import Period, day_words
from commerce.merchants.models import Merchant
from commerce.templatetags.charts import LineChart, Point
from community.groups.models import Group
from community.members.models import Viewer
from config.money import in_words

CLOSED_THREAD: Final = _("A thread you cannot open")
CLOSED_CHAT: Final = _("A chat you are not in")
CHAT_OF_PEOPLE: Final = _("A chat among people")
LISTING_PAGE: Final = _("A listing's page here")


@dataclass(frozen=True, slots=True)
class Change:
    """From the period before: `direction` is up, down or same; `words` is empty from nothing."""

    direction: str
    words: str
    was: str

    @property
    def good(self) -> str:
        """What more of it means: "yes", "no" or neither. All figures here are better higher."""
        return {"up": "yes", "down": "no"}.get(self.direction, "")


@dataclass(frozen=True, slots=True)
class Card:
    """One figure; `href` opens the order lines it is made of."""

    name: str
    value: str
    note: str
    href: str
    change: Change
    shape: Sequence[int]


def change(now: float, before: float, write: Callable[[float], str]) -> Change:
    """Compare two figures: by how many per cent, rounded; nothing in per cent of nothing."""
    direction = "up" if now > before else "down" if now < before else "same"
    per_cent = f"{abs(now - before) / before:.0%}" if before and now != before else ""
    return Change(direction, per_cent, write(before))


def lines_href(merchant: Merchant, period: Period, query: str = "") -> str:
    """Return the address of the order lines of a period that fit `query`."""
    address = reverse("order_lines", args=[merchant.slug])
    return f"{address}?{period.query}{f'&{query}' if query else ''}"


def cards(merchant: Merchant, period: Period, daily: Daily) -> list[Card]:
    """Return the four figures, each with the period before and the shape of its days."""
    now, before = daily.over(period), daily.over(period.before)
    steps = [daily.over(step) for step in period.steps]

    def money(minor: float) -> str:
        return in_words(int(minor), merchant.currency)

    def count(number: float) -> str:
        return number_format(int(number), force_grouping=True)

    def rate(per_hundred: float) -> str:
        return number_format(f"{per_hundred:.1f}")

    everything = lines_href(merchant, period)
    with_credit = lines_href(merchant, period, "kind=attributed")
    net = {"net": money(now.attributed_net_minor)}
    if now.gmv_minor:
        net["share"] = f"{now.attributed_minor / now.gmv_minor:.0%}"
        part = gettext("%(share)s of GMV; %(net)s after refunds") % net
    else:
        part = gettext("no GMV yet; %(net)s after refunds") % net
    return [
        Card(
            gettext("Attributed GMV"),
            money(now.attributed_minor),
            part,
            with_credit,
            change(now.attributed_minor, before.attributed_minor, money),
            [each.attributed_minor for each in steps],
        ),
        Card(
            gettext("GMV"),
            money(now.gmv_minor),
            gettext("all orders; %(net)s after refunds") % {"net": money(now.net_gmv_minor)},
            everything,
            change(now.gmv_minor, before.gmv_minor, money),
            [each.gmv_minor for each in steps],
        ),
        Card(
            gettext("Orders"),
            count(now.orders),
            gettext("%(count)s after a click here") % {"count": count(now.credited_orders)},
            everything,
            change(now.orders, before.orders, count),
            [each.orders for each in steps],
        ),
        Card(
            gettext("Orders per 100 clicks"),
            rate(now.orders_per_hundred_clicks),
            gettext("%(orders)s orders, %(clicks)s clicks")
            % {"orders": count(now.credited_orders), "clicks": count(now.clicks)},
            with_credit,
            change(now.orders_per_hundred_clicks, before.orders_per_hundred_clicks, rate),
            [round(10 * each.orders_per_hundred_clicks) for each in steps],
        ),
    ]


# -- the chart --------------------------------------------------------------------------------


def sales_chart(merchant: Merchant, period: Period, daily: Daily) -> LineChart:
    """Return attributed GMV by day (by week when the period is long) beside the period before."""
    weekly = period.step > 1
    points = [
        Point(
            label=day_words(step.start),
            value=daily.over(step).attributed_minor,
            before=daily.over(earlier).attributed_minor,
            before_label=day_words(earlier.start, year=True),
            href=lines_href(merchant, step, "kind=attributed"),
        )
        for step, earlier in zip(period.steps, period.before.steps, strict=True)
    ]
    return LineChart(
        name="sales",
        title=gettext("Attributed GMV by week") if weekly else gettext("Attributed GMV by day"),
        finding=finding(merchant, period, daily, points),
        points=points,
        currency=merchant.currency,
        unit=gettext("Week from") if weekly else gettext("Day"),
    )


def finding(merchant: Merchant, period: Period, daily: Daily, points: Sequence[Point]) -> str:
    """Say in a sentence or two what the chart shows."""

    def money(minor: int) -> str:
        return in_words(minor, merchant.currency)

    now = daily.over(period).attributed_minor
    before = daily.over(period.before).attributed_minor
    best = max(points, key=lambda point: point.value)
    said = {
        "now": money(now),
        "before": money(before),
        "length": period.length,
        "share": f"{abs(now - before) / before:.0%}" if before else "",
        "day": best.label,
        "most": money(best.value),
    }
    if not now:
        return (
            gettext("No attributed sales in these %(length)s; %(before)s in those before.") % said
        )
    if not before:
        compared = gettext("%(now)s in these %(length)s, nothing in those before.")
    elif now == before:
        compared = gettext("%(now)s in these %(length)s, as much as in those before.")
    elif now > before:
        compared = gettext(
            "%(now)s in these %(length)s, %(share)s more than in those before (%(before)s)."
        )
    else:
        compared = gettext(
            "%(now)s in these %(length)s, %(share)s less than in those before (%(before)s)."
        )
    if period.step > 1:
        top = gettext("The best week began %(day)s, with %(most)s.")
    else:
        top = gettext("The best day was %(day)s, with %(most)s.")
    return f"{compared} {top}" % said


# -- where it was sold ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SoldRow:
    """A row of the table; all rows add up to GMV. None is a figure that cannot be said.

    `href` opens the lines, `place_href` the thread; both may be empty.
    """

    title: str
    gross_minor: int
    net_minor: int
    orders: int | None
    clicks: int | None
    href: str = ""
    place_href: str = ""
    group: Group | None = None
    note: str = ""
    tone: str = ""


def spot_rows(
    merchant: Merchant, period: Period, rows: Sequence[SpotSums], viewer: Viewer
) -> list[SoldRow]:
    """Return the spots as rows: what the viewer may not read has no name. Two queries at most."""
    threads = show_threads({row.spot.thread_id for row in rows if row.spot.thread_id}, viewer)
    chats = show_chats({row.spot.chat_id for row in rows if row.spot.chat_id}, viewer)
    return [
        _spot_row(row, *_shown(row.spot, threads, chats), merchant=merchant, period=period)
        for row in rows
    ]


def _shown(
    spot: Spot, threads: Mapping[int, ShownPlace], chats: Mapping[int, ShownPlace]
) -> tuple[str, ShownPlace | None]:
    if spot.thread_id:
        return str(CLOSED_THREAD), threads.get(spot.thread_id)
    if spot.chat_id == AMONG_PEOPLE:
        return str(CHAT_OF_PEOPLE), None
    if spot.chat_id:
        return str(CLOSED_CHAT), chats.get(spot.chat_id)
    return str(LISTING_PAGE), None


def _spot_row(
    row: SpotSums, otherwise: str, place: ShownPlace | None, *, merchant: Merchant, period: Period
) -> SoldRow:
    return SoldRow(
        title=str(place.title) if place else otherwise,
        gross_minor=row.gross_minor,
        net_minor=row.net_minor,
        orders=row.orders,
        clicks=row.clicks,
        href=lines_href(merchant, period, f"kind=direct&{row.spot.query}"),
        place_href=place.href if place else "",
        group=place.group if place else None,
    )


def rest_rows(
    merchant: Merchant, period: Period, total: Sums, spots: Spots, shown: Sequence[SoldRow]
) -> list[SoldRow]:
    """Return the rows that make the table add up to GMV: what is not shown, halo, the rest."""
    rows = []
    gross = total.direct_minor - sum(row.gross_minor for row in shown)
    net = total.direct_net_minor - sum(row.net_minor for row in shown)
    clicks = total.clicks - sum(row.clicks or 0 for row in shown)
    more = spots.count - len(shown)
    if more or gross or clicks:
        rows.append(
            SoldRow(
                title=gettext("%(count)s more")
                % {"count": number_format(more, force_grouping=True)}
                if more
                else gettext("Other clicks"),
                note=gettext("threads, chats and pages that sold less")
                if more
                else gettext("they sold nothing yet"),
                gross_minor=gross,
                net_minor=net,
                orders=None if more else 0,
                clicks=clicks,
                href=f"{reverse('merchant_threads', args=[merchant.slug])}?{period.query}"
                if more
                else "",
                tone="rest",
            )
        )
    rows.append(
        SoldRow(
            title=gettext("Halo"),
            note=gettext("bought after a click on another listing of yours"),
            gross_minor=total.halo_minor,
            net_minor=total.halo_net_minor,
            orders=total.halo_orders,
            clicks=None,
            href=lines_href(merchant, period, "kind=halo"),
            tone="halo",
        )
    )
    rows.append(
        SoldRow(
            title=gettext("Unattributed"),
            note=gettext("no click here that counts"),
            gross_minor=total.unattributed_minor,
            net_minor=total.unattributed_net_minor,
            orders=total.unattributed_orders,
            clicks=None,
            href=lines_href(merchant, period, "kind=unattributed"),
            tone="unattributed",
        )
    )
    if total.waiting_minor:
        rows.append(
            SoldRow(
                title=gettext("Being credited"),
                note=gettext("orders that came a moment ago"),
                gross_minor=total.waiting_minor,
                net_minor=total.waiting_minor,
                orders=None,
                clicks=None,
                tone="rest",
            )
        )
    return rows
