"""Why a line was credited: every touch seen, the rule on each, and nobody's name in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commerce.attribution.policy import Kind, Verdict
from commerce.attribution.why import SEEN_MAX, OrderWhy, age_words, explain, verdict_words
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant, TeamMember
from commerce.merchants.services import add_team_member
from commerce.orders.models import Order
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Post, Thread
from config.outbox import drain
from tests.factories import join, make_member, make_post, make_thread
from tests.factories_attribution import (
    DAY,
    NOON,
    line,
    make_click,
    report_order,
    report_refund,
    run_of,
)
from tests.factories_orders import make_sale, make_shop

MINUTE = timedelta(minutes=1)


@pytest.fixture
def seller(db: None) -> Member:
    return make_member("noor", name="Noor Haddad")


@pytest.fixture
def shop(seller: Member) -> Merchant:
    return make_shop(seller, currency="GBP")


@pytest.fixture
def camera(shop: Merchant) -> Listing:
    return make_sale(shop)


@pytest.fixture
def lens(shop: Merchant) -> Listing:
    return make_sale(shop, title="Sonet 50 mm", price_minor=34_000)


@pytest.fixture
def as_seller(seller: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(seller)


@pytest.fixture
def post(ada: Member, thread: Thread) -> Post:
    return make_post(ada, thread, "This one is fair.")


def why_of(order: Order, viewer: Member) -> OrderWhy:
    drain()
    return explain([order], run_of(order.merchant), viewer, seen=True)[order.pk]


def page_of(client: Client, order: Order, query: str = "") -> str:
    response = client.get(f"/merchants/{order.merchant.slug}/orders/{order.pk}/{query}")
    assert response.status_code == 200
    return response.text


# -- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(0), "under a minute"),
        (timedelta(seconds=59), "under a minute"),
        (MINUTE, "1 minute"),
        (59 * MINUTE, "59 minutes"),
        (60 * MINUTE, "1 hour"),
        (timedelta(hours=47), "1 day"),
        (30 * DAY, "30 days"),
    ],
)
def test_how_long_before_is_said_in_one_unit_rounded_down(age, words):
    assert age_words(age) == words


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("kind", list(Kind))
def test_every_verdict_has_a_sentence(verdict, kind):
    assert verdict_words(verdict, kind, 30 * DAY).endswith(".")


# -- what is seen -----------------------------------------------------------------------------


def test_every_touch_is_shown_newest_first_with_its_rule(shop, camera, lens, post, bo, seller):
    other_post = make_post(bo, post.thread)
    browser = make_click(camera, post, at=NOON - 31 * DAY)
    same = browser.visitor_id
    make_click(camera, other_post, at=NOON - 5 * DAY, visitor_id=same)
    make_click(camera, post, at=NOON - 3 * DAY, visitor_id=same)
    make_click(camera, post, at=NOON - 3 * DAY + 5 * MINUTE, visitor_id=same)
    click = make_click(lens, post, at=NOON - DAY, visitor_id=same)
    order = report_order(shop, line(21_000, camera), click=click)
    (why,) = why_of(order, seller).lines.values()
    assert [(seen.verdict.value, seen.place.detail) for seen in why.seen] == [
        ("other_listing", "post 2 by Ada Quist"),
        ("repeat", "post 2 by Ada Quist"),
        ("credited", "post 2 by Ada Quist"),
        ("not_last", "post 3 by Bo Lind"),
        ("too_early", "post 2 by Ada Quist"),
    ]
    assert why.seen[4].words == "Left out: more than 30 days before the order."
    assert (why.count, why.seen[0].listing) == (5, lens)


def test_at_most_fifty_touches_are_shown_and_all_are_counted(shop, camera, lens, post, seller):
    browser = make_click(camera, post, at=NOON - 29 * DAY)
    for number in range(SEEN_MAX + 9):
        make_click(
            lens, post, at=NOON - 28 * DAY + number * 31 * MINUTE, visitor_id=browser.visitor_id
        )
    order = report_order(shop, line(21_000, camera), click=browser)
    (why,) = why_of(order, seller).lines.values()
    assert (len(why.seen), why.count) == (50, 60)
    assert why.shares[0].kind is Kind.DIRECT  # Though the click is older than the fifty.


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (31 * DAY, "The last click was 31 days before the order, more than 30 days."),
        (-DAY, "The click seen came after the order."),
    ],
)
def test_an_unattributed_line_says_which_rule_left_its_click_out(
    shop, camera, post, seller, before, words
):
    order = report_order(
        shop, line(21_000, camera), click=make_click(camera, post, at=NOON - before)
    )
    (why,) = why_of(order, seller).lines.values()
    assert [(share.kind, share.sentence) for share in why.shares] == [(Kind.UNATTRIBUTED, words)]


def test_a_team_members_purchase_says_so(shop, camera, post, seller, cy):
    add_team_member(merchant=shop, member=cy, by=seller)
    TeamMember.objects.filter(member=cy).update(added_at=NOON - DAY)
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post, member=cy))
    (why,) = why_of(order, seller).lines.values()
    assert why.shares[0].sentence == "The buyer is on your team."
    assert why.seen[0].words == "Left out: the buyer is on your team."


def test_a_lines_listing_is_its_own_matter(shop, camera, lens, post, seller):
    order = report_order(
        shop,
        line(21_000, camera, number="1"),
        line(34_000, lens, number="2"),
        click=make_click(camera, post),
    )
    first, second = why_of(order, seller).lines.values()
    assert (first.seen[0].verdict, first.shares[0].kind) == (Verdict.CREDITED, Kind.DIRECT)
    assert (second.seen[0].verdict, second.shares[0].kind) == (Verdict.CREDITED, Kind.HALO)
    assert second.seen[0].words.startswith("Credited as halo")


# -- what is not the merchant's to know -------------------------------------------------------


def test_a_self_purchase_does_not_say_whose_post_it_was(shop, camera, post, ada, as_seller):
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post, member=ada))
    drain()
    text = page_of(as_seller, order)
    assert "A self-purchase" in text
    assert "Ada" not in text and post.thread.title not in text


def test_a_place_in_a_hidden_group_is_not_named_to_outsiders(
    shop, camera, hidden_group, ada, seller, as_seller
):
    thread = make_thread(ada, hidden_group, "Wine under the stairs")
    click = make_click(camera, thread.posts.get())
    order = report_order(shop, line(21_000, camera), click=click)
    drain()
    text = page_of(as_seller, order)
    assert "in a thread you cannot open" in text
    assert "Wine" not in text and "Ada" not in text
    join(seller, hidden_group)
    assert "Wine under the stairs" in page_of(as_seller, order)


def test_a_hidden_post_is_not_linked_and_its_author_not_named(
    shop, camera, post, mo, seller, as_seller
):
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post))
    drain()
    Post.objects.filter(pk=post.pk).update(
        hidden_at=NOON, hidden_by=mo, hidden_reason="Off the rails"
    )
    text = page_of(as_seller, order)
    assert post.thread.title in text
    assert post.get_absolute_url() not in text and "by Ada" not in text


def test_another_shops_click_says_nothing_of_that_shop(shop, camera, post, seller, as_seller):
    theirs = make_sale(make_shop(make_member("rival")), title="Rival body")
    order = report_order(shop, line(21_000, camera), click=make_click(theirs, post))
    drain()
    text = page_of(as_seller, order)
    assert "belongs to another shop" in text
    assert "Rival body" not in text and post.thread.title not in text


def test_who_clicked_and_who_bought_is_not_on_the_page(shop, camera, post, cy, as_seller):
    click = make_click(camera, post, member=cy)
    order = report_order(shop, line(21_000, camera), click=click, buyer_handle="cy")
    drain()
    text = page_of(as_seller, order)
    assert "Cy Tran" not in text and "@cy" not in text and str(click.visitor_id) not in text


# -- the page ---------------------------------------------------------------------------------


def test_the_page_shows_lines_refunds_and_every_row_written(shop, camera, post, as_seller):
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post))
    report_refund(order, ("1", 25_000))
    drain()
    text = page_of(as_seller, order)
    assert "It did not fit." in text
    assert "£40 of it is more than was left of the order" in text
    assert "−£210" in text
    assert "Last touch, clicks of 30 days before the order" in text


def test_an_order_that_waits_says_so(shop, camera, as_seller):
    order = report_order(shop, line(21_000, camera))
    assert "This order is being credited" in page_of(as_seller, order)
    drain()
    assert "This order is being credited" not in page_of(as_seller, order)


def test_a_long_order_opens_the_line_one_came_for(shop, camera, post, as_seller):
    lines = [line(100, camera, number=str(number)) for number in range(1, 12)]
    order = report_order(shop, *lines, click=make_click(camera, post))
    drain()
    assert page_of(as_seller, order).count('<details class="why-seen" open>') == 0
    chosen = order.lines.get(external_id="7")
    text = page_of(as_seller, order, f"?line={chosen.pk}")
    assert text.count('<details class="why-seen" open>') == 1
    assert page_of(as_seller, order, "?line=9x").count('class="why-seen" open') == 0


def test_only_the_team_reads_an_order_and_only_its_own(
    shop, camera, guest, as_ada, as_cy, cy, as_seller
):
    order = report_order(shop, line(21_000, camera))
    drain()
    other = make_shop(cy)
    address = f"/merchants/{shop.slug}/orders/{order.pk}/"
    assert guest.get(address).status_code == 302
    assert as_ada.get(address).status_code == 404
    assert as_cy.get(address).status_code == 404
    assert as_cy.get(f"/merchants/{other.slug}/orders/{order.pk}/").status_code == 404
    assert as_seller.get(address).status_code == 200


def test_the_page_costs_the_same_for_any_number_of_lines(
    shop, camera, lens, post, group: Group, as_seller
):
    def queries_of(order: Order) -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(as_seller, order)
        return len(queries)

    click = make_click(camera, post, at=NOON - 9 * DAY)
    one = report_order(shop, line(100, camera), click=click)
    report_refund(one, ("1", 10))
    for number in range(12):
        make_click(
            lens,
            post,
            at=NOON - 8 * DAY + number * 31 * MINUTE,
            visitor_id=click.visitor_id,
        )
    many = report_order(
        shop, *(line(100, lens, number=str(number)) for number in range(1, 30)), click=click
    )
    report_refund(many, *((str(number), 10) for number in range(1, 20)))
    drain()
    assert queries_of(one) == queries_of(many) == 20
