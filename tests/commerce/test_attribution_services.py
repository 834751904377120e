"""Orders become credits: joined to their clicks, to the unit, once, whatever comes again."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from commerce.attribution import arithmetic, entries, services
from commerce.attribution.balance import orders_off, weigh
from commerce.attribution.errors import AlreadyRunning, Unbalanced
from commerce.attribution.models import (
    AttributionRun,
    Credit,
    CreditModel,
    CurrentRun,
    RunStatus,
)
from commerce.attribution.services import attribute_all, converge, credit_order, current_run
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant, TeamMember
from commerce.merchants.services import add_team_member
from commerce.orders.models import Order
from commerce.touchpoints.models import NotCounted
from commerce.touchpoints.services import forget_visitor
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.members.models import Member
from community.threads.models import Post
from config.models import OutboxEvent
from config.outbox import drain
from tests.factories import make_member, make_post
from tests.factories_attribution import (
    DAY,
    NOON,
    credits_of,
    line,
    make_click,
    report_order,
    report_refund,
    run_of,
)
from tests.factories_orders import make_sale, make_shop

pytestmark = pytest.mark.django_db


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
def post(ada: Member, thread) -> Post:
    return make_post(ada, thread, "This one is fair.")


# -- joining an order to its clicks -----------------------------------------------------------


def test_an_order_with_a_click_id_is_credited_to_where_the_click_was(shop, camera, post, ada):
    click = make_click(camera, post)
    order = report_order(shop, line(21_000, camera), click=click)
    drain()
    credit = Credit.objects.get()
    assert (credit.order, credit.order_line) == (order, order.lines.get())
    assert (credit.kind, credit.reason, credit.amount_minor) == ("direct", "sale", 21_000)
    assert (credit.currency, credit.placed_at) == ("GBP", NOON)
    assert (credit.thread, credit.post, credit.message) == (post.thread, post, None)
    assert (credit.author, credit.group) == (ada, post.thread.group)
    assert (credit.listing, credit.merchant, credit.touchpoint) == (camera, shop, click)
    assert credit.run == current_run(shop)


def test_a_click_in_chat_is_credited_to_its_message(shop, camera, ada, group):
    message = send_message(sender=ada, room=room_of(group), body="Look at this one")
    report_order(shop, line(21_000, camera), click=make_click(camera, message=message))
    drain()
    credit = Credit.objects.get()
    assert (credit.message, credit.thread, credit.author) == (message, None, ada)


def test_an_order_without_a_click_is_unattributed(shop, camera):
    order = report_order(shop, line(21_000, camera))
    drain()
    assert credits_of(order) == [("unattributed", "sale", 21_000)]


@pytest.mark.parametrize("reason", [NotCounted.BOT, NotCounted.PREFETCH])
def test_a_bots_click_leaves_the_order_unattributed(shop, camera, post, reason):
    click = make_click(camera, post, consent=False, not_counted=reason)
    order = report_order(shop, line(21_000, camera), click=click)
    drain()
    assert credits_of(order) == [("unattributed", "sale", 21_000)]


def test_a_click_of_a_reader_who_said_no_is_still_found_by_its_click_id(shop, camera, post):
    click = make_click(camera, post, consent=False)
    order = report_order(shop, line(21_000, camera), click=click)
    drain()
    assert credits_of(order) == [("direct", "sale", 21_000)]


def test_a_line_of_another_listing_is_halo(shop, camera, lens, post):
    order = report_order(
        shop,
        line(21_000, camera, number="1"),
        line(34_000, lens, number="2"),
        click=make_click(camera, post),
    )
    drain()
    assert credits_of(order) == [("direct", "sale", 21_000), ("halo", "sale", 34_000)]
    assert Credit.objects.get(kind="halo").thread == post.thread


def test_the_same_browsers_other_clicks_are_seen(shop, camera, lens, post, bo, thread):
    """The click id is of the lens; the camera was clicked before, in another post."""
    first = make_click(camera, make_post(bo, thread), at=NOON - 3 * DAY)
    last = make_click(lens, post, at=NOON - DAY, visitor_id=first.visitor_id)
    assert last.visitor_id == first.visitor_id
    report_order(shop, line(21_000, camera), click=last)
    drain()
    credit = Credit.objects.get()
    assert (credit.kind, credit.touchpoint, credit.author) == ("direct", first, bo)


def test_the_same_members_other_browser_is_seen(shop, camera, lens, post, cy):
    phone = make_click(camera, post, at=NOON - 2 * DAY, member=cy)
    desk = make_click(lens, post, at=NOON - DAY, member=cy)
    assert phone.visitor_id != desk.visitor_id
    report_order(shop, line(21_000, camera), click=desk)
    drain()
    assert Credit.objects.get().touchpoint == phone


def test_a_click_after_the_order_by_the_same_browser_takes_nothing(shop, camera, post):
    first = make_click(camera, post, at=NOON - DAY)
    make_click(camera, post, at=NOON + DAY, visitor_id=first.visitor_id)
    report_order(shop, line(21_000, camera), click=first)
    drain()
    assert Credit.objects.get().touchpoint == first


def test_another_shops_click_id_is_not_followed_to_its_reader(shop, camera, post, seller):
    """Else a shop that learns a click id could ask us what that reader clicked."""
    elsewhere = make_sale(make_shop(seller))
    own = make_click(camera, post, at=NOON - 2 * DAY)
    foreign = make_click(elsewhere, post, at=NOON - DAY, visitor_id=own.visitor_id)
    order = report_order(shop, line(21_000, camera), click=foreign)
    drain()
    assert credits_of(order) == [("unattributed", "sale", 21_000)]


def test_whom_the_shop_names_as_buyer_joins_nothing(shop, camera, post, cy):
    """Else a shop could ask us what any member clicked."""
    make_click(camera, post, member=cy)
    order = report_order(shop, line(21_000, camera), buyer_handle="cy")
    drain()
    assert order.buyer_member == cy
    assert credits_of(order) == [("unattributed", "sale", 21_000)]


def test_what_was_credited_stays_so_when_its_reader_is_forgotten(shop, camera, lens, post):
    first = make_click(camera, post, at=NOON - 2 * DAY)
    last = make_click(lens, post, at=NOON - DAY, visitor_id=first.visitor_id)
    order = report_order(shop, line(21_000, camera), click=last)
    drain()
    assert first.visitor_id and forget_visitor(first.visitor_id) == 2
    report_refund(order, ("1", 1_000))
    drain()
    assert credits_of(order) == [("direct", "sale", 21_000), ("direct", "refund", -1_000)]
    attribute_all(shop)
    assert Credit.objects.filter(run=current_run(shop), touchpoint=first).count() == 2


# -- self-purchases ---------------------------------------------------------------------------


def test_an_author_who_buys_through_their_own_post_earns_nothing(shop, camera, post, ada):
    click = make_click(camera, post, member=ada)
    order = report_order(shop, line(21_000, camera), click=click)
    drain()
    assert credits_of(order) == [("unattributed", "sale", 21_000)]


def test_nor_when_only_the_shop_knows_that_they_bought(shop, camera, post, ada):
    click = make_click(camera, post)
    order = report_order(shop, line(21_000, camera), click=click, buyer_handle="ada")
    drain()
    assert credits_of(order) == [("unattributed", "sale", 21_000)]


def test_an_author_who_buys_through_somebody_elses_post_credits_them(
    shop, camera, post, ada, bo, thread
):
    theirs = make_click(camera, make_post(bo, thread), at=NOON - 2 * DAY, member=ada)
    make_click(camera, post, at=NOON - DAY, member=ada, visitor_id=theirs.visitor_id)
    report_order(shop, line(21_000, camera), click=theirs)
    drain()
    assert Credit.objects.get().author == bo


def test_the_merchants_team_earns_nobody_credit(shop, camera, post, seller, cy):
    add_team_member(merchant=shop, member=cy, by=seller)
    TeamMember.objects.filter(member=cy).update(added_at=NOON - DAY)
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post, member=cy))
    drain()
    assert credits_of(order) == [("unattributed", "sale", 21_000)]


def test_who_joined_the_team_later_was_a_customer_then(shop, camera, post, seller, cy):
    add_team_member(merchant=shop, member=cy, by=seller)
    TeamMember.objects.filter(member=cy).update(added_at=NOON + DAY)
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post, member=cy))
    drain()
    assert credits_of(order) == [("direct", "sale", 21_000)]


# -- versions, refunds, cancellations ---------------------------------------------------------


def test_the_same_order_credited_twenty_times_is_credited_once(shop, camera, post):
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post))
    drain()
    report_refund(order, ("1", 1_000))
    drain()
    for _ in range(20):
        credit_order(order.pk)
    assert credits_of(order) == [("direct", "sale", 21_000), ("direct", "refund", -1_000)]


def test_a_refund_takes_back_from_the_credit_and_says_which(shop, camera, lens, post):
    order = report_order(
        shop,
        line(21_000, camera, number="1"),
        line(34_000, lens, number="2"),
        click=make_click(camera, post),
    )
    drain()
    refund = report_refund(order, ("2", 4_000), at=NOON + 3 * DAY)
    drain()
    reversal = Credit.objects.get(reason="refund")
    assert (reversal.kind, reversal.amount_minor, reversal.refund) == ("halo", -4_000, refund)
    assert reversal.reversal_of == Credit.objects.get(kind="halo", reason="sale")
    assert reversal.placed_at == NOON  # It counts on the day of its order.
    assert reversal.thread == post.thread


def test_refunds_of_a_whole_order_and_more_end_at_nothing(shop, camera):
    order = report_order(shop, line(10_000, camera))
    report_refund(order, amount=9_000)
    report_refund(order, ("1", 5_000))
    drain()
    assert credits_of(order) == [
        ("unattributed", "sale", 10_000),
        ("unattributed", "refund", -9_000),
        ("unattributed", "refund", -1_000),
    ]


def test_a_cancelled_order_ends_at_nothing_and_keeps_its_rows(shop, camera, post):
    click = make_click(camera, post)
    order = report_order(shop, line(21_000, camera), click=click, number="7")
    report_refund(order, ("1", 1_000))
    drain()
    report_order(shop, line(21_000, camera), click=click, number="7", version=60, cancelled_at=NOON)
    drain()
    assert credits_of(order) == [
        ("direct", "sale", 21_000),
        ("direct", "refund", -1_000),
        ("direct", "cancelled", -20_000),
    ]


def test_a_newer_version_takes_back_what_is_bought_no_longer(shop, camera, lens, post):
    click = make_click(camera, post)
    both = [line(21_000, camera, number="1"), line(34_000, lens, number="2")]
    order = report_order(shop, *both, click=click, number="7")
    drain()
    report_order(shop, line(20_000, camera), click=click, number="7", version=60)
    drain()
    assert credits_of(order) == [
        ("direct", "sale", 21_000),
        ("halo", "sale", 34_000),
        ("direct", "change", -1_000),
        ("halo", "change", -34_000),
    ]


def test_a_newer_version_that_costs_more_adds_a_credit(shop, camera, post):
    click = make_click(camera, post)
    order = report_order(shop, line(21_000, camera), click=click, number="7")
    drain()
    report_order(shop, line(25_000, camera), click=click, number="7", version=60)
    drain()
    assert credits_of(order) == [("direct", "sale", 21_000), ("direct", "sale", 4_000)]


def test_an_order_that_moves_to_another_day_moves_with_its_refund(shop, camera):
    order = report_order(shop, line(10_000, camera), number="7")
    report_refund(order, ("1", 2_500))
    drain()
    Order.objects.filter(pk=order.pk).update(placed_at=NOON - 5 * DAY)
    credit_order(order.pk)
    by_day: Counter[datetime] = Counter()
    for placed_at, amount in Credit.objects.values_list("placed_at", "amount_minor"):
        by_day[placed_at] += amount
    assert by_day == {NOON: 0, NOON - 5 * DAY: 7_500}


def test_a_test_order_has_no_credits_and_one_that_turns_out_as_such_loses_them(shop, camera):
    assert credits_of(report_order(shop, line(10_000, camera), test=True)) == []
    order = report_order(shop, line(10_000, camera), number="7")
    drain()
    report_order(shop, line(10_000, camera), number="7", version=60, test=True)
    drain()
    assert credits_of(order) == [
        ("unattributed", "sale", 10_000),
        ("unattributed", "change", -10_000),
    ]


def test_an_order_in_another_currency_is_credited_in_that(shop, camera, post):
    report_order(shop, line(9_900, camera), click=make_click(camera, post), currency="JPY")
    drain()
    assert Credit.objects.get().currency == "JPY"
    assert orders_off(run_of(shop)) == []


# -- rows that never change -------------------------------------------------------------------


@pytest.fixture
def credit(shop, camera, post) -> Credit:
    report_order(shop, line(21_000, camera), click=make_click(camera, post))
    drain()
    return Credit.objects.get()


def copy_of(credit: Credit, **fields) -> Credit:
    values = {field.attname: getattr(credit, field.attname) for field in Credit._meta.fields}
    return Credit(**{**values, "id": None, **fields})


def test_a_credit_cannot_be_changed(credit):
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Credit.objects.update(amount_minor=1)
    credit.refresh_from_db()
    assert credit.amount_minor == 21_000


def test_a_credit_cannot_be_deleted(credit):
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Credit.objects.all().delete()
    assert Credit.objects.count() == 1


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("credit_of_something", {"amount_minor": 0, "reason": "cancelled"}),
        ("credit_kind_known", {"kind": "luck"}),
        ("credit_has_its_touch_or_none", {"touchpoint_id": None}),
        ("credit_has_its_touch_or_none", {"kind": "unattributed"}),
        ("credit_reversal_whole", {"amount_minor": -1}),
        ("credit_reversal_whole", {"reason": "refund", "amount_minor": -1}),
        ("credit_reversal_whole", {"reason": "bonus"}),
    ],
)
def test_a_credit_that_makes_no_sense_is_refused(credit, constraint, fields):
    row = copy_of(credit, **fields)
    if fields.get("reason") == "cancelled":
        row.reversal_of = credit
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        row.save(force_insert=True)
    assert Credit.objects.count() == 1


def test_a_merchant_has_one_current_run_of_a_model(shop, credit):
    with pytest.raises(IntegrityError, match="one_current_run"), transaction.atomic():
        CurrentRun.objects.create(merchant=shop, model="last_touch", run=credit.run)


def test_a_finished_run_that_does_not_add_up_is_refused(credit):
    with pytest.raises(IntegrityError, match="attribution_run_adds_up"), transaction.atomic():
        AttributionRun.objects.update(net_gmv_minor=1)


def test_a_failed_run_says_why(credit):
    with pytest.raises(IntegrityError, match="has_words"), transaction.atomic():
        AttributionRun.objects.update(status=RunStatus.FAILED)


# -- the check ---------------------------------------------------------------------------------


@pytest.fixture
def careless(monkeypatch):
    """The bad twin: a splitter that loses a minor unit of all but the smallest sums."""

    def lose_one(total, weights):
        parts = split(total, weights)
        dearest = max(parts, key=lambda key: parts[key])
        return {**parts, dearest: parts[dearest] - (parts[dearest] > 1)}

    split = arithmetic.split
    return lambda: monkeypatch.setattr(entries, "split", lose_one)


def test_a_splitter_that_loses_a_unit_writes_nothing(shop, camera, post, careless):
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post))
    careless()
    with pytest.raises(Unbalanced):
        credit_order(order.pk)
    assert Credit.objects.count() == 0
    drain()
    event = OutboxEvent.objects.due().get(kind="commerce.OrderRecorded")
    assert "Unbalanced" in event.last_error
    assert Credit.objects.count() == 0


def test_a_run_with_such_a_splitter_fails_and_the_current_one_stays(shop, camera, post, careless):
    report_order(shop, line(21_000, camera), click=make_click(camera, post))
    drain()
    before = attribute_all(shop)
    careless()
    with pytest.raises(Unbalanced):
        attribute_all(shop)
    failed = AttributionRun.objects.latest("pk")
    assert (failed.status, failed.credits.count()) == (RunStatus.FAILED, 0)
    assert "disagree on 1 orders" in failed.failure
    assert current_run(shop) == before


def test_a_credit_too_many_is_found(credit):
    copy_of(credit, amount_minor=1).save(force_insert=True)
    assert orders_off(credit.run) == [credit.order_id]
    assert weigh(credit.run).off == [credit.order_id]


def test_a_credit_moved_between_kinds_of_money_is_found(credit):
    """The sums over all currencies would agree."""
    copy_of(credit, amount_minor=5, currency="USD").save(force_insert=True)
    taken = {"amount_minor": -5, "reason": "cancelled", "reversal_of_id": credit.pk}
    copy_of(credit, **taken).save(force_insert=True)
    assert orders_off(credit.run) == [credit.order_id]


# -- runs -------------------------------------------------------------------------------------


def test_a_run_adds_up_by_currency_and_is_made_current(shop, camera, lens, post):
    click = make_click(camera, post)
    order = report_order(
        shop, line(21_000, camera, number="1"), line(34_000, lens, number="2"), click=click
    )
    report_order(shop, line(5_000, lens))
    report_order(shop, line(900, camera), click=click, currency="JPY")
    report_order(shop, line(70_000, camera), test=True)
    report_refund(order, ("2", 4_000))
    drain()
    run = attribute_all(shop)
    assert current_run(shop) == run
    assert (run.status, run.order_count, run.currency) == ("finished", 4, "GBP")
    assert (run.net_gmv_minor, run.credited_minor, run.unattributed_minor) == (
        56_000,
        51_000,
        5_000,
    )
    assert run.totals == {
        "GBP": {
            "net_gmv_minor": 56_000,
            "direct_minor": 21_000,
            "halo_minor": 30_000,
            "unattributed_minor": 5_000,
        },
        "JPY": {
            "net_gmv_minor": 900,
            "direct_minor": 900,
            "halo_minor": 0,
            "unattributed_minor": 0,
        },
    }
    assert run.params == {"click_window_seconds": 2_592_000}
    assert len(run.params_hash) == 64


def test_the_rows_of_the_run_before_stay(shop, camera):
    order = report_order(shop, line(10_000, camera))
    drain()
    before = run_of(shop)
    attribute_all(shop)
    assert before.credits.count() == 1
    assert credits_of(order) == [("unattributed", "sale", 10_000)]


def test_two_runs_of_one_merchant_do_not_work_at_once(shop, camera):
    report_order(shop, line(10_000, camera))
    drain()
    at_work = services._begin(shop, CreditModel.LAST_TOUCH)
    with pytest.raises(AlreadyRunning):
        attribute_all(shop)
    AttributionRun.objects.filter(pk=at_work.pk).update(
        progress_at=timezone.now() - timedelta(minutes=6)
    )
    run = attribute_all(shop)
    at_work.refresh_from_db()
    assert (at_work.status, at_work.failure) == ("failed", "It stopped half-way.")
    assert current_run(shop) == run


def test_orders_that_come_while_a_run_works_are_in_both_runs(shop, camera, post):
    report_order(shop, line(10_000, camera), number="1")
    drain()
    before = run_of(shop)

    def sell_more(done: int, orders: int) -> None:
        first = report_order(shop, line(12_000, camera), number="1", version=60)
        report_refund(first, ("1", 500))
        report_order(shop, line(3_000, camera), number="2", click=make_click(camera, post))
        drain()

    run = attribute_all(shop, on_progress=sell_more)
    assert run.net_gmv_minor == 14_500
    assert orders_off(before) == []
    assert orders_off(run) == []


def test_orders_whose_worker_is_late_are_caught_up_with(shop, camera):
    report_order(shop, line(10_000, camera))
    drain()

    def sell_one_more(done: int, orders: int) -> None:
        report_order(shop, line(500, camera))

    run = attribute_all(shop, on_progress=sell_one_more)
    assert (run.order_count, run.net_gmv_minor) == (2, 10_500)


def test_a_run_keeps_the_window_it_was_begun_with(shop, camera, post, settings):
    report_order(shop, line(1_000, camera))
    drain()
    settings.CLICK_WINDOW_SECONDS = 3600
    click = make_click(camera, post, at=NOON - DAY)
    order = report_order(shop, line(21_000, camera), click=click)
    drain()
    assert credits_of(order) == [("direct", "sale", 21_000)]
    run = attribute_all(shop)
    assert run.params == {"click_window_seconds": 3600}
    assert credits_of(order) == [("unattributed", "sale", 21_000)]


def test_thirty_orders_cost_as_many_queries_as_one(
    shop, camera, post, cy, django_assert_num_queries
):
    click = make_click(camera, post, member=cy)
    made = [report_order(shop, line(1_000, camera), click=click) for _ in range(30)]
    for order in made:
        report_refund(order, ("1", 10))
    run = services._current_or_new(shop)
    with django_assert_num_queries(15):
        converge([run], [made[0].pk])
    with django_assert_num_queries(15):
        assert converge([run], [order.pk for order in made]) == 58


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_credit_an_order_once(shop, camera, post):
    order = report_order(shop, line(21_000, camera), click=make_click(camera, post))
    together = threading.Barrier(2)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            together.wait(timeout=10)
            credit_order(order.pk)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert failures == []
    assert CurrentRun.objects.count() == 1
    assert credits_of(order) == [("direct", "sale", 21_000)]


# -- anything that can happen, in any order ----------------------------------------------------

deeds = st.lists(
    st.one_of(
        st.tuples(
            st.just("order"),
            st.integers(1, 3),  # which order
            st.lists(st.tuples(st.sampled_from("ABX"), st.integers(0, 5_000)), max_size=3),
            st.integers(0, 4),  # which click, or none
            st.sampled_from(["", "", "", "cancelled", "test"]),
        ),
        st.tuples(
            st.just("refund"),
            st.integers(1, 3),
            st.lists(st.tuples(st.sampled_from("123"), st.integers(1, 4_000)), max_size=2),
            st.integers(1, 3_000),
            st.integers(1, 3),  # which refund: the same again is known already
        ),
        st.tuples(st.just("drain")),
        st.tuples(st.just("again"), st.integers(1, 3)),
    ),
    min_size=1,
    max_size=12,
)


@given(deeds)
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_reckoning_anew_gives_what_was_written_bit_by_bit(seller, ada, bo, thread, deeds):
    shop = make_shop(seller, currency="GBP")
    first, second = make_sale(shop), make_sale(shop)
    listings = {"A": first, "B": second, "X": None}
    browser = make_click(first, make_post(ada, thread), at=NOON - 5 * DAY)
    clicks = [
        None,
        browser,
        make_click(second, make_post(bo, thread), at=NOON - 4 * DAY, member=ada),
        make_click(second, make_post(ada, thread), at=NOON - DAY, visitor_id=browser.visitor_id),
        make_click(first, consent=False, at=NOON - 31 * DAY),
    ]
    for version, deed in enumerate(deeds):
        if deed[0] == "order":
            _, number, bought, click, state = deed
            report_order(
                shop,
                *(
                    line(minor, listings[which], number=str(place))
                    for place, (which, minor) in enumerate(bought, 1)
                ),
                number=str(number),
                click=clicks[click],
                version=version,
                cancelled_at=NOON if state == "cancelled" else None,
                test=state == "test",
            )
        elif deed[0] == "refund":
            _, number, parts, amount, refund = deed
            order = Order.objects.filter(merchant=shop, external_id=str(number)).first()
            if order:
                own = {} if not parts else dict(parts)
                report_refund(order, *own.items(), amount=amount, number=str(refund))
        elif deed[0] == "again":
            order = Order.objects.filter(merchant=shop, external_id=str(deed[1])).first()
            if order:
                credit_order(order.pk)
        else:
            drain()
    drain()
    bit_by_bit = current_run(shop)
    if bit_by_bit is not None:
        assert orders_off(bit_by_bit) == []
        assert sums(attribute_all(shop)) == sums(bit_by_bit)


Sum = tuple[Any, ...]


def sums(run: AttributionRun) -> dict[Sum, int]:
    """What a run's rows come to, whatever number of rows it took."""
    total: Counter[Sum] = Counter()
    for *key, reason, amount in run.credits.values_list(
        *("order_line", "kind", "touchpoint", "thread", "author", "listing", "placed_at"),
        *("currency", "refund", "reason", "amount_minor"),
    ):
        total[(*key, "sale" if reason == "change" else reason)] += amount
    return {key: amount for key, amount in total.items() if amount}


# -- the command ------------------------------------------------------------------------------


def test_the_command_reckons_a_merchant_and_says_what_came_out(shop, camera, post, capsys):
    report_order(shop, line(21_000, camera), click=make_click(camera, post))
    report_order(shop, line(5_050, camera))
    drain()
    call_command("attribute", "--merchant", shop.slug, verbosity=0)
    out = capsys.readouterr().out
    assert "2 orders" in out
    assert "£260.50 net = £210 direct + £0 halo + £50.50 unattributed" in out
    assert f"Run {run_of(shop).pk} is current." in out


def test_the_command_weighs_without_writing(shop, credit, capsys):
    call_command("attribute", "--merchant", shop.slug, "--check")
    assert "adds up" in capsys.readouterr().out
    copy_of(credit, amount_minor=1).save(force_insert=True)
    with pytest.raises(CommandError, match="1 orders do not add up"):
        call_command("attribute", "--merchant", shop.slug, "--check")
    assert AttributionRun.objects.count() == 1


def test_the_command_knows_which_merchants_there_are():
    with pytest.raises(CommandError, match="no merchant"):
        call_command("attribute", "--merchant", "nobody")
