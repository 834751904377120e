"""What shops report of what was bought after the clicks: signed, posted, some of it twice."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from commerce.connectors.models import Endpoint
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from config.rehearsal.log import Entry, Log
from config.rehearsal.readers import Surprise

# Of twenty orders. Odd ones take turns.
PATTERN: Final = (
    *("plain", "several", "none", "plain", "halo", "plain", "own", "plain", "several", "odd"),
    *("plain", "none", "early", "plain", "halo", "between", "plain", "several", "none", "plain"),
)
ODD: Final = ("bot", "team", "foreign", "forged", "test")
LINE_PARTS: Final = ("part of a line", "all lines", "part of the order", "the whole order")


@dataclass(frozen=True)
class Shop:
    """A merchant as its shop knows it: where to post, with what secret, what it sells."""

    merchant: Merchant
    endpoint: Endpoint
    secret: str
    listings: list[Listing]
    keeper: str


@dataclass(frozen=True)
class Post:
    """A delivery to be sent; `place` says when among the others, `means` what each line sold."""

    place: float
    shop: Shop
    id: str
    type: str
    data: dict[str, Any]
    means: dict[str, int | None]

    @property
    def body(self) -> str:
        """What is posted; the same for each time the delivery is sent."""
        at = self.data.get("updated_at") or self.data["refunded_at"]
        return json.dumps({"type": self.type, "timestamp": at, "data": self.data})


@dataclass(frozen=True)
class Plan:
    """The deliveries in the order in which they are sent, and what is among them."""

    posts: list[Post]
    orders: int
    refunds: int
    refunds_before_their_order: int
    cancelled: int
    updated: int
    again: int


def plan_orders(
    rng: random.Random, shops: Sequence[Shop], clicks: Sequence[Entry], count: int
) -> Plan:
    """Make `count` orders from the clicks in the log, with refunds, cancellations and repeats.

    Of 200, fifteen are refunded (two of them before they are heard of), five cancelled and five
    changed; every twelfth delivery comes twice and every fortieth again under another id.
    """
    now = timezone.now()
    orders = [_order(rng, shops, clicks, number, now) for number in range(count)]
    posts = list(orders)
    normal = [order for order in orders if not order.data.get("test")]
    rng.shuffle(normal)
    refunds, few = max(3, count * 15 // 200), max(1, count * 5 // 200)
    for number, order in enumerate(normal[:refunds]):
        refund = _refund(order, number, now)
        # The first two are heard of before their order.
        shift = rng.uniform(-1, 0) if number < 2 else rng.uniform(0.01, 1)
        posts.append(replace(refund, place=order.place + shift))
    gone, changed = normal[refunds:][:few], normal[refunds + few :][:few]
    newer = [*(_cancellation(order, now) for order in gone), *(_change(order) for order in changed)]
    posts += [replace(each, place=rng.random()) for each in newer]
    twice = [replace(each, place=each.place + rng.random()) for each in posts[::12]]
    renamed = [
        replace(each, id=f"{each.id}-again", place=each.place + rng.random())
        for each in posts[5::40]
    ]
    posts += twice + renamed
    posts.sort(key=lambda each: each.place)
    return Plan(posts, count, refunds, 2, few, few, len(twice) + len(renamed))


def _order(
    rng: random.Random, shops: Sequence[Shop], clicks: Sequence[Entry], number: int, now: datetime
) -> Post:
    shop = shops[number // len(PATTERN) % len(shops)] if len(shops) > 1 else shops[0]
    if number % 3 == 0:
        shop = rng.choice(shops)
    scene = PATTERN[number % len(PATTERN)]
    if scene == "odd":
        scene = ODD[number // len(PATTERN) % len(ODD)]
    slug = shop.merchant.slug
    brought = [each for each in clicks if each["fc"] and each["kind"] in ("counted", "repeat")]
    own = [each for each in brought if each["merchant"] == slug] or brought
    click = rng.choice(own)
    placed_at, buyer, test = now, "", False
    if scene == "own":
        click = rng.choice([each for each in own if each["author"]] or own)
        buyer = click["author"] or ""
    elif scene == "early":
        placed_at = datetime.fromisoformat(clicks[0]["at"]) - timedelta(hours=rng.randint(1, 40))
    elif scene == "between":
        # Clicks after this one came too late.
        placed_at = datetime.fromisoformat(click["at"])
    elif scene == "bot":
        bots = [e for e in clicks if e["kind"] == "bot" and e["fc"] and e["merchant"] == slug]
        click = rng.choice(bots or own)
    elif scene == "foreign":
        click = rng.choice([each for each in brought if each["merchant"] != slug] or own)
    elif scene == "team":
        buyer = shop.keeper
    elif scene == "test":
        test = True
    click_id = {"none": "", "forged": "n0tOneOfOurs"}.get(scene, click["fc"])
    listing: Listing | None = next(
        (each for each in shop.listings if each.pk == click["listing"]), None
    ) or rng.choice(shop.listings)
    if scene == "none":
        listing = rng.choice(shop.listings)
    bought = [listing]
    if scene == "halo":
        # Something else of the same shop, or something of which we know nothing.
        bought = [rng.choice(shop.listings) if number % 2 else None]
    elif scene == "several":
        bought += [rng.choice(shop.listings), None][: rng.randint(1, 2)]
    lines, means = [], {}
    for place, each in enumerate(bought, 1):
        lines.append(_line(rng, str(place), each))
        means[str(place)] = each.pk if each else None
    data: dict[str, Any] = {
        "id": f"{1001 + number}",
        "placed_at": placed_at.isoformat(),
        "updated_at": placed_at.isoformat(),
        "currency": shop.merchant.currency,
        "lines": lines,
    }
    if click_id:
        data["click_id"] = click_id
    if buyer:
        data["buyer"] = {"member": buyer}
    if test:
        data["test"] = True
    return Post(rng.random(), shop, f"order-{data['id']}-1", "order.created", data, means)


def _line(rng: random.Random, number: str, listing: Listing | None) -> dict[str, Any]:
    """A line as shops write it: ours by number, SKU or address; or a SKU nobody here knows."""
    if listing is None:
        cents = rng.randint(199, 9_999)
        said: dict[str, Any] = {"sku": f"NOT-HERE-{rng.randint(100, 999)}", "title": "Inner tube"}
    else:
        # A few per cent off, so that amounts are odd.
        cents = max(100, (listing.price_minor or 0) * rng.randint(880, 1000) // 1000)
        ways: list[dict[str, Any]] = [{"listing": listing.pk}]
        ways += [{"sku": listing.sku}] if listing.sku else []
        ways += [{"url": f"{listing.url}?ref=mail"}] if listing.url else []
        said = {**rng.choice(ways), "title": listing.title}
    return {"id": number, "quantity": 1, "net": _amount(cents), **said}


def _refund(order: Post, number: int, now: datetime) -> Post:
    lines = order.data["lines"]
    data: dict[str, Any] = {
        "id": f"R{number + 1}",
        "order_id": order.data["id"],
        "refunded_at": now.isoformat(),
        "currency": order.data["currency"],
    }
    total = sum(_cents(line["net"]) for line in lines)
    kind = LINE_PARTS[number % len(LINE_PARTS)]
    if kind == "part of a line":
        part = _cents(lines[-1]["net"]) // 3
        data["lines"] = [{"line_id": lines[-1]["id"], "amount": _amount(part)}]
    elif kind == "all lines":
        data["lines"] = [{"line_id": line["id"], "amount": line["net"]} for line in lines]
    else:
        data["amount"] = _amount(total if kind == "the whole order" else total * 2 // 5)
    return replace(order, id=f"refund-{data['id']}", type="refund.created", data=data, means={})


def _cancellation(order: Post, now: datetime) -> Post:
    data = {**order.data, "updated_at": now.isoformat(), "cancelled_at": now.isoformat()}
    return replace(order, id=f"{order.id}-gone", type="order.cancelled", data=data)


def _change(order: Post) -> Post:
    """A newer version: the first line was made cheaper by a fifth."""
    later = datetime.fromisoformat(order.data["updated_at"]) + timedelta(minutes=1)
    first, *rest = order.data["lines"]
    cheaper = {**first, "net": _amount(_cents(first["net"]) * 4 // 5)}
    data = {**order.data, "updated_at": later.isoformat(), "lines": [cheaper, *rest]}
    return replace(order, id=f"{order.id}-2", type="order.updated", data=data)


def send(
    posts: Sequence[Post],
    log: Log,
    known: set[tuple[str, str]],
    progress: Callable[[Iterable[Post]], Iterable[Post]],
) -> None:
    """Sign each delivery as its shop would, post it, check the answer and log what was sent.

    `known` are the deliveries (merchant and id) sent before; these are added to it.
    """
    client = Client(headers={"user-agent": "Shop/1.0"})
    for post in progress(posts):
        now = timezone.now()
        response = client.post(
            post.shop.endpoint.get_absolute_url(),
            post.body,
            content_type="application/json",
            headers={
                "webhook-id": post.id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(post.shop.secret).sign(post.id, now, post.body),
            },
        )
        slug = post.shop.merchant.slug
        due = 200 if (slug, post.id) in known else 202
        if response.status_code != due:
            said = response.content.decode()
            raise Surprise(f"Delivery {post.id}: {response.status_code} for {due}. {said}")
        known.add((slug, post.id))
        log.write(
            "delivery",
            at=now.isoformat(),
            merchant=slug,
            id=post.id,
            type=post.type,
            status=response.status_code,
            data=post.data,
            means=post.means,
        )


def _cents(amount: str) -> int:
    return int(amount.replace(".", ""))


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
