"""What merchants' pages should say, from the log of what was sent alone.

Written a second time on purpose: it imports nothing of Shoal's and shares no function with the
code it checks. A line goes to the last eligible click of the same reader on its listing, else to
their last eligible click on another listing of the merchant (halo), else to nobody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

WINDOW: Final = timedelta(days=30)
KINDS: Final = ("counted", "bot", "prefetch", "repeat")


@dataclass
class Sold:
    """What one place (a thread; None is a listing's own page) sold by a click on what was bought.

    Cents; gross is before refunds and cancellations.
    """

    clicks: int = 0
    orders: int = 0
    gross: int = 0
    net: int = 0


@dataclass
class Sums:
    """What one merchant's figures should be. Cents."""

    gmv: int = 0
    net_gmv: int = 0
    direct: int = 0
    halo: int = 0
    unattributed: int = 0
    orders: int = 0
    credited_orders: int = 0
    clicks: int = 0
    places: dict[int | None, Sold] = field(default_factory=dict)


@dataclass
class Sent:
    """What of the log should be stored: counts."""

    clicks: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    orders: int = 0
    refunds: int = 0


def count_sent(log: Iterable[dict[str, Any]]) -> Sent:
    """Count each click, and each delivery, order and refund once however often it was sent."""
    sent = Sent()
    deliveries, orders, refunds = set(), set(), set()
    for entry in log:
        if entry["what"] == "click":
            sent.clicks[entry["kind"]] += 1
        elif entry["what"] == "delivery":
            data, merchant = entry["data"], entry["merchant"]
            deliveries.add((merchant, entry["id"]))
            if entry["type"] == "refund.created":
                refunds.add((merchant, data["order_id"], data["id"]))
            else:
                orders.add((merchant, data["id"]))
    sent.deliveries, sent.orders, sent.refunds = len(deliveries), len(orders), len(refunds)
    return sent


def reckon(log: Iterable[dict[str, Any]]) -> dict[str, Sums]:
    """Return the sums by merchant."""
    clicks: list[dict[str, Any]] = []
    teams: dict[str, set[str]] = {}
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    refunds: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for entry in log:
        if entry["what"] == "click":
            clicks.append(entry)
        elif entry["what"] == "team":
            teams[entry["merchant"]] = set(entry["members"])
        elif entry["type"] == "refund.created":
            key = (entry["merchant"], entry["data"]["order_id"])
            refunds[key][entry["data"]["id"]] = entry["data"]
        else:
            key = (entry["merchant"], entry["data"]["id"])
            if key not in newest or _version(entry) > _version(newest[key]):
                newest[key] = entry
    sums = {merchant: Sums() for merchant in teams}
    for click in clicks:
        if click["kind"] == "counted":
            sums[click["merchant"]].clicks += 1
    for (merchant, number), entry in newest.items():
        if not entry["data"].get("test"):
            _add_order(
                sums[merchant],
                entry,
                _eligible(entry, clicks, teams[merchant]),
                list(refunds[merchant, number].values()),
            )
    for merchant, total in sums.items():
        for click in clicks:
            place = total.places.get(click["thread"])
            if place and click["merchant"] == merchant and click["kind"] == "counted":
                place.clicks += 1
    return sums


def _version(entry: dict[str, Any]) -> tuple[datetime, bool]:
    data = entry["data"]
    return datetime.fromisoformat(data["updated_at"]), bool(data.get("cancelled_at"))


def _eligible(
    entry: dict[str, Any], clicks: list[dict[str, Any]], team: set[str]
) -> list[dict[str, Any]]:
    """Return the clicks that may have led to an order, in the order in which they were made."""
    order, merchant = entry["data"], entry["merchant"]
    brought = order.get("click_id")
    first = next((click for click in clicks if brought and click["fc"] == brought), None)
    if first is None or first["merchant"] != merchant:
        return []
    buyers = {order.get("buyer", {}).get("member"), first["member"]} - {None}
    if buyers & team:
        return []
    if first["remembered"]:
        same = [
            click
            for click in clicks
            if click["remembered"]
            and (
                click["visitor"] == first["visitor"]
                or (first["member"] and click["member"] == first["member"])
            )
        ]
    else:
        same = [first]
    placed_at = datetime.fromisoformat(order["placed_at"])
    return [
        click
        for click in same
        if click["merchant"] == merchant
        and click["kind"] == "counted"
        and timedelta(0) <= placed_at - datetime.fromisoformat(click["at"]) <= WINDOW
        and click["author"] not in buyers
    ]


def _add_order(
    total: Sums,
    entry: dict[str, Any],
    eligible: list[dict[str, Any]],
    refunds: list[dict[str, Any]],
) -> None:
    order = entry["data"]
    gross = {line["id"]: _cents(line["net"]) for line in order["lines"]}
    net = _after_refunds(gross, refunds)
    if order.get("cancelled_at"):
        net = dict.fromkeys(gross, 0)
    total.orders += 1
    total.gmv += sum(gross.values())
    total.net_gmv += sum(net.values())
    credited = False
    places = set()
    for line, amount in gross.items():
        listing = entry["means"][line]
        direct = [click for click in eligible if click["listing"] == listing]
        if direct:
            thread = direct[-1]["thread"]
            total.direct += amount
            sold = total.places.setdefault(thread, Sold())
            sold.gross += amount
            sold.net += net[line]
            places.add(thread)
        elif eligible:
            total.halo += amount
        else:
            total.unattributed += amount
        credited = credited or bool(eligible)
    total.credited_orders += credited
    for thread in places:
        total.places[thread].orders += 1


def _after_refunds(gross: dict[str, int], refunds: list[dict[str, Any]]) -> dict[str, int]:
    left = dict(gross)
    for refund in refunds:
        if "lines" in refund:
            taken = {line["line_id"]: _cents(line["amount"]) for line in refund["lines"]}
        else:
            taken = _in_proportion(_cents(refund["amount"]), left)
        for line, amount in taken.items():
            if amount > left[line]:
                # Where the rest goes is a rule of its own, with tests of its own.
                raise ValueError(f"Refund {refund['id']} is more than its line: not rehearsed.")
            left[line] -= amount
    return left


def _in_proportion(amount: int, left: dict[str, int]) -> dict[str, int]:
    """Whole cents by largest remainder; of equal remainders the earlier line's goes first."""
    exact = {line: Fraction(amount * part, sum(left.values())) for line, part in left.items()}
    whole = {line: int(part) for line, part in exact.items()}
    by_rest = sorted(exact, key=lambda line: whole[line] - exact[line])
    for line in by_rest[: amount - sum(whole.values())]:
        whole[line] += 1
    return whole


def _cents(amount: str) -> int:
    return int(Fraction(amount) * 100)
