"""A reader clicks a card, buys, and the merchant sees what the thread sold, to the penny."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from commerce.attribution.models import Credit
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from commerce.placements.services import place_listing
from commerce.touchpoints.models import Touchpoint
from community.members.models import Member
from community.threads.models import Post, Thread
from tests.factories import make_member, make_post
from tests.factories_orders import (
    READER,
    make_endpoint,
    make_sale,
    make_shop,
    order_data,
    post_order,
    refund_data,
)
from tests.outbox import run_outbox

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def seller(db: None) -> Member:
    return make_member("noor", name="Noor Haddad")


@pytest.fixture
def shop(seller: Member) -> Merchant:
    return make_shop(seller, currency="EUR")


@pytest.fixture
def camera(shop: Merchant) -> Listing:
    return make_sale(shop)


@pytest.fixture
def endpoint(shop: Merchant):
    return make_endpoint(shop)


@pytest.fixture
def card(ada: Member, thread: Thread, camera: Listing) -> Post:
    """Ada's post with the camera's card beside it."""
    post = make_post(ada, thread, "This one is fair, and the seller answers.")
    place_listing(listing=camera, thread=thread, post=post, by=ada)
    return post


@pytest.fixture
def reader() -> Client:
    """A guest who said yes to being remembered."""
    client = Client(headers={"user-agent": READER})
    client.cookies[settings.CONSENT_COOKIE_NAME] = "yes"
    return client


@pytest.fixture
def dashboard(seller: Member, as_member: Callable[[Member], Client], shop: Merchant):
    client = as_member(seller)

    def read() -> Any:
        response = client.get(f"/merchants/{shop.slug}/")
        assert response.status_code == 200
        return response.context["total"]

    return read


def click(client: Client, post: Post, camera: Listing) -> str:
    """Open the thread, follow the card's link, and return the click id the shop gets."""
    page = client.get(post.thread.get_absolute_url())
    links = re.findall(r'href="(/go/[^"]+)"', page.text)
    assert links
    answer = client.get(links[0])
    assert answer.status_code == 302
    target = urlsplit(answer["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == camera.url
    return parse_qs(target.query)["fc"][0]


def bought(camera: Listing, click_id: str, number: str = "1001", **fields: Any) -> dict[str, Any]:
    at: datetime = fields.pop("at", timezone.now() + timedelta(seconds=1))
    return order_data(
        number,
        placed_at=at.isoformat(),
        updated_at=at.isoformat(),
        click_id=click_id,
        lines=[{"id": "1", "title": "Optra R2", "sku": camera.sku, "quantity": 1, "net": "210.00"}],
        **fields,
    )


def send(endpoint, data: dict[str, Any], kind: str = "order.created") -> None:
    where, secret = endpoint
    assert post_order(where, secret, data, kind=kind).status_code in (200, 202)
    run_outbox()


def test_a_click_becomes_an_order_a_credit_and_gmv(
    shop, camera, card, ada, reader, endpoint, dashboard
):
    click_id = click(reader, card, camera)
    order = bought(camera, click_id)
    send(endpoint, order)
    credit = Credit.objects.get()
    assert (credit.kind, credit.post, credit.author) == ("direct", card, ada)
    total = dashboard()
    assert (total.gmv_minor, total.attributed_minor, total.orders) == (21_000, 21_000, 1)
    assert (total.clicks, total.credited_orders) == (1, 1)

    send(endpoint, order)  # The shop sends it again under a new id.
    assert dashboard() == total

    send(endpoint, refund_data(), kind="refund.created")
    after = dashboard()
    assert (after.gmv_minor, after.attributed_minor) == (21_000, 21_000)
    assert (after.net_gmv_minor, after.attributed_net_minor) == (16_000, 16_000)

    later = timezone.now() + timedelta(seconds=9)
    gone = {**order, "updated_at": later.isoformat(), "cancelled_at": later.isoformat()}
    send(endpoint, gone, kind="order.cancelled")
    at_last = dashboard()
    assert (at_last.gmv_minor, at_last.net_gmv_minor, at_last.orders) == (21_000, 0, 1)


def test_an_order_that_no_click_led_to_is_gmv_and_nobodys(shop, camera, endpoint, dashboard):
    send(endpoint, bought(camera, ""))
    total = dashboard()
    assert (total.gmv_minor, total.attributed_minor, total.unattributed_minor) == (
        21_000,
        0,
        21_000,
    )


def test_a_bots_click_on_the_same_card_leaves_the_same_order_unattributed(
    shop, camera, card, endpoint, dashboard
):
    bot = Client(headers={"user-agent": BOT})
    bot.cookies[settings.CONSENT_COOKIE_NAME] = "yes"
    send(endpoint, bought(camera, click(bot, card, camera)))
    assert Touchpoint.objects.get().not_counted == "bot"
    total = dashboard()
    assert (total.gmv_minor, total.attributed_minor, total.clicks) == (21_000, 0, 0)


def test_an_author_who_buys_through_their_own_card_earns_nothing(
    shop, camera, card, ada, endpoint, dashboard
):
    client = Client(headers={"user-agent": READER})
    client.force_login(ada)
    client.cookies[settings.CONSENT_COOKIE_NAME] = "yes"
    send(endpoint, bought(camera, click(client, card, camera)))
    total = dashboard()
    assert (total.gmv_minor, total.attributed_minor) == (21_000, 0)


def test_somebody_else_who_is_signed_in_earns_the_author_credit(
    shop, camera, card, ada, bo, endpoint, dashboard
):
    """The twin of the purchase above: only who clicks differs."""
    client = Client(headers={"user-agent": READER})
    client.force_login(bo)
    client.cookies[settings.CONSENT_COOKIE_NAME] = "yes"
    send(endpoint, bought(camera, click(client, card, camera)))
    assert dashboard().attributed_minor == 21_000
    assert Credit.objects.get().author == ada


def test_a_reader_who_said_no_is_credited_by_the_click_id_alone(
    shop, camera, card, endpoint, dashboard
):
    client = Client(headers={"user-agent": READER})
    client.cookies[settings.CONSENT_COOKIE_NAME] = "no"
    send(endpoint, bought(camera, click(client, card, camera)))
    touch = Touchpoint.objects.get()
    assert (touch.visitor, touch.member) == (None, None)
    assert dashboard().attributed_minor == 21_000


def test_an_order_placed_before_the_click_is_not_credited_to_it(
    shop, camera, card, reader, endpoint, dashboard
):
    click_id = click(reader, card, camera)
    send(endpoint, bought(camera, click_id, at=timezone.now() - timedelta(hours=1)))
    assert dashboard().attributed_minor == 0
