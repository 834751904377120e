"""Orders, lines and refunds: what shops said, once, in whatever order it came."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.db.models import Model
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from commerce.connectors.models import Delivery, DeliveryState, Endpoint
from commerce.connectors.services import replay, take_in
from commerce.connectors.signatures import Envelope
from commerce.events import DeliveryReceived, OrderRecorded, OrderRefunded
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from commerce.orders import handlers, services
from commerce.orders.handlers import process_delivery
from commerce.orders.models import Order, OrderLine, ParkedRefund, Refund, RefundLine
from config.models import OutboxEvent, State
from config.outbox import Event, drain
from tests.factories import make_member
from tests.factories_orders import (
    PLACED_AT,
    delivery_body,
    make_endpoint,
    make_sale,
    make_shop,
    order_data,
    post_order,
    refund_data,
)


@pytest.fixture
def shop(bo) -> Merchant:
    return make_shop(bo)


@pytest.fixture
def endpoint_and_secret(shop) -> tuple[Endpoint, str]:
    return make_endpoint(shop)


@pytest.fixture
def send(endpoint_and_secret):
    """Post a delivery and process it; returns its row."""

    def send(data: dict[str, Any], kind: str = "order.created") -> Delivery:
        endpoint, secret = endpoint_and_secret
        response = post_order(endpoint, secret, data, kind=kind)
        assert response.status_code == 202, response.content
        drain()
        return Delivery.objects.get(external_id=response.json()["delivery"])

    return send


def later(minutes: int) -> str:
    return (PLACED_AT + timedelta(minutes=minutes)).isoformat()


def lines(*nets: str) -> list[dict[str, Any]]:
    return [
        {"id": str(number), "quantity": 1, "net": net} for number, net in enumerate(nets, start=1)
    ]


def announced(event_type: type[Event]) -> int:
    return OutboxEvent.objects.filter(kind=event_type.kind).count()


# -- orders -----------------------------------------------------------------------------------


def test_a_delivery_becomes_an_order_with_its_lines(send, shop, ada):
    listing = make_sale(shop, sku="OPT-R2")
    delivery = send(
        order_data(
            click_id="click",
            buyer={"member": "Ada", "email_sha256": "ab" * 32},
            lines=[
                {"id": "a", "sku": "OPT-R2", "title": "Optra R2", "quantity": 2, "net": "419.98"},
                {"id": "b", "title": "Strap", "quantity": 1, "net": "0.00"},
            ],
        )
    )
    order = Order.objects.get()
    assert (delivery.state, delivery.outcome) == ("processed", "Order 1001 was written.")
    assert (order.merchant, order.external_id, order.currency) == (shop, "1001", "EUR")
    assert (order.placed_at, order.version_at, order.total_minor) == (PLACED_AT, PLACED_AT, 41_998)
    assert (order.click_id, order.buyer_member, order.buyer_email_sha256) == (
        "click",
        ada,
        "ab" * 32,
    )
    assert (order.test, order.cancelled_at, order.delivery) == (False, None, delivery)
    assert list(order.lines.values_list("external_id", "quantity", "net_minor", "listing")) == [
        ("a", 2, 41_998, listing.pk),
        ("b", 1, 0, None),
    ]
    assert announced(OrderRecorded) == 1


def test_a_newer_version_replaces_and_an_equal_or_older_one_changes_nothing(send):
    send(order_data(updated_at=later(2), lines=lines("20.00")))
    older = send(order_data(updated_at=later(1), lines=lines("10.00")), "order.updated")
    equal = send(order_data(updated_at=later(2), lines=lines("99.00")), "order.updated")
    assert (
        older.outcome
        == equal.outcome
        == ("We have this version of order 1001 or a newer one, so it changed nothing.")
    )
    assert Order.objects.get().total_minor == 2_000
    newer = send(order_data(updated_at=later(3), lines=lines("30.00")), "order.updated")
    order = Order.objects.get()
    assert (order.total_minor, order.version_at) == (3_000, PLACED_AT + timedelta(minutes=3))
    assert order.delivery == newer
    assert announced(OrderRecorded) == 2


def test_a_line_no_longer_bought_stays_and_counts_nothing(send):
    send(order_data(lines=lines("10.00", "20.00")))
    send(order_data(updated_at=later(1), lines=lines("10.00")), "order.updated")
    rows = OrderLine.objects.order_by("external_id")
    assert list(rows.values_list("external_id", "quantity", "net_minor")) == [
        ("1", 1, 1_000),
        ("2", 0, 0),
    ]
    assert [line.external_id for line in OrderLine.objects.counted()] == ["1"]
    assert Order.objects.get().total_minor == 1_000


def test_a_cancelled_order_keeps_its_lines(send):
    send(order_data())
    send(order_data(updated_at=later(5), cancelled_at=later(4)), "order.cancelled")
    order = Order.objects.get()
    assert order.cancelled_at == PLACED_AT + timedelta(minutes=4)
    assert (order.total_minor, order.lines.get().net_minor) == (21_000, 21_000)


@pytest.mark.parametrize("cancelled_first", [True, False])
def test_a_cancellation_of_the_same_second_wins_whichever_comes_first(send, cancelled_first):
    reports = [
        (order_data(updated_at=later(1)), "order.updated"),
        (order_data(updated_at=later(1), cancelled_at=later(1)), "order.cancelled"),
    ]
    for data, kind in reversed(reports) if cancelled_first else reports:
        send(data, kind)
    assert Order.objects.get().cancelled_at is not None


def test_test_orders_are_stored_and_not_counted(send):
    send(order_data("1"))
    send(order_data("2", test=True))
    assert Order.objects.count() == 2
    assert [order.external_id for order in Order.objects.counted()] == ["1"]
    assert OrderLine.objects.counted().count() == 1


def test_an_order_cannot_change_its_currency(send):
    send(order_data())
    delivery = send(order_data(updated_at=later(1), currency="USD"), "order.updated")
    assert (delivery.state, delivery.outcome) == (
        "failed",
        "Order 1001 is in EUR, but this says USD.",
    )
    assert Order.objects.get().currency == "EUR"
    assert announced(OrderRecorded) == 1


def test_an_unknown_buyer_is_nobody(send):
    send(order_data(buyer={"member": "nobody-here"}))
    assert Order.objects.get().buyer_member is None


def test_the_same_number_at_two_merchants_is_two_orders(send, cy):
    endpoint, secret = make_endpoint(make_shop(cy))
    send(order_data())
    post_order(endpoint, secret)
    drain()
    assert Order.objects.count() == 2


def test_an_order_of_500_lines_costs_as_many_queries_as_one(send, endpoint_and_secret):
    def cost(number: str, count: int) -> int:
        endpoint, secret = endpoint_and_secret
        data = order_data(number, lines=lines(*["1.00"] * count))
        for line in data["lines"]:
            line["sku"] = f"S-{line['id']}"
        post_order(endpoint, secret, data)
        event = DeliveryReceived(Delivery.objects.latest("pk").pk)
        queries = itertools.count()
        with connection.execute_wrapper(lambda execute, *rest: (next(queries), execute(*rest))[1]):
            process_delivery(event)
        return next(queries)

    assert cost("1", 1) == cost("2", 500)
    assert OrderLine.objects.count() == 501


# -- which listing a line sold ----------------------------------------------------------------


def test_a_line_finds_its_listing_by_our_number_then_sku_then_address(send, shop):
    by_id, by_sku, by_url = (make_sale(shop, sku=sku) for sku in ("A-1", "B-2", "C-3"))
    send(
        order_data(
            lines=[
                {"id": "1", "quantity": 1, "net": "1", "listing": by_id.pk, "sku": "B-2"},
                {"id": "2", "quantity": 1, "net": "1", "sku": "b-2", "url": by_url.url},
                {"id": "3", "quantity": 1, "net": "1", "url": f"{by_url.url}/?utm_source=x#y"},
                {"id": "4", "quantity": 1, "net": "1", "sku": "none", "url": "https://x.example"},
                {"id": "5", "quantity": 1, "net": "1", "listing": 10**12, "sku": "A-1"},
            ]
        )
    )
    found = dict(OrderLine.objects.values_list("external_id", "listing"))
    assert found == {"1": by_id.pk, "2": by_sku.pk, "3": by_url.pk, "4": None, "5": by_id.pk}


def test_a_sku_as_written_goes_before_one_in_other_letters(send, shop):
    lower, upper = make_sale(shop, sku="r2"), make_sale(shop, sku="R2")
    send(
        order_data(
            lines=[
                {"id": "1", "quantity": 1, "net": "1", "sku": "r2"},
                {"id": "2", "quantity": 1, "net": "1", "sku": "R2"},
            ]
        )
    )
    assert dict(OrderLine.objects.values_list("external_id", "listing")) == {
        "1": lower.pk,
        "2": upper.pk,
    }


def test_a_line_never_finds_another_merchant_s_listing(send, cy):
    foreign = make_sale(make_shop(cy), sku="R2")
    send(
        order_data(
            lines=[
                {"id": "1", "quantity": 1, "net": "1", "listing": foreign.pk},
                {"id": "2", "quantity": 1, "net": "1", "sku": "R2"},
                {"id": "3", "quantity": 1, "net": "1", "url": foreign.url},
            ]
        )
    )
    assert set(OrderLine.objects.values_list("listing", flat=True)) == {None}


# -- refunds ----------------------------------------------------------------------------------


def test_a_refund_is_written_by_line(send):
    send(order_data(lines=lines("10.00", "20.00")))
    parts = [{"line_id": "1", "amount": "2.50"}, {"line_id": "2", "amount": "20.00"}]
    delivery = send(refund_data(lines=parts, reason="scratched"), "refund.created")
    refund = Refund.objects.get()
    assert delivery.outcome == "The refund was written to order 1001."
    assert (refund.external_id, refund.amount_minor, refund.reason) == ("R1", 2_250, "scratched")
    assert (refund.refunded_at, refund.delivery) == (PLACED_AT, delivery)
    assert list(refund.lines.values_list("line__external_id", "amount_minor")) == [
        ("1", 250),
        ("2", 2_000),
    ]
    assert announced(OrderRefunded) == 1


def test_an_amount_alone_is_one_part_without_a_line(send):
    send(order_data())
    send(refund_data(amount="12.34"), "refund.created")
    part = RefundLine.objects.get()
    assert (part.line, part.amount_minor, part.refund.amount_minor) == (None, 1_234, 1_234)


def test_more_than_was_paid_is_stored_as_the_shop_said_it(send):
    send(order_data(lines=lines("10.00")))
    send(refund_data(lines=[{"line_id": "1", "amount": "15.00"}]), "refund.created")
    assert Refund.objects.get().amount_minor == 1_500


def test_a_refund_is_written_once_however_often_it_comes(send):
    send(order_data())
    for _ in range(20):
        last = send(refund_data(), "refund.created")
    assert (Refund.objects.count(), RefundLine.objects.count()) == (1, 1)
    assert last.outcome == "We had this refund already, so it changed nothing."
    assert announced(OrderRefunded) == 1


def test_a_refund_waits_for_its_order(send):
    waiting = send(refund_data(), "refund.created")
    again = send(refund_data(), "refund.created")
    assert (waiting.state, again.state) == (DeliveryState.WAITING, DeliveryState.PROCESSED)
    assert again.outcome == "We had this refund already; it waits for its order."
    assert (Refund.objects.count(), ParkedRefund.objects.count()) == (0, 1)
    send(order_data("another"))
    assert not Refund.objects.exists()
    send(order_data())
    waiting.refresh_from_db()
    assert (waiting.state, waiting.outcome) == ("processed", "Its order came, so it was written.")
    assert ParkedRefund.objects.get().released_at is not None
    refund = Refund.objects.get()
    assert (refund.order.external_id, refund.amount_minor, refund.delivery) == (
        "1001",
        5_000,
        waiting,
    )
    assert refund.lines.get().line == refund.order.lines.get()
    assert announced(OrderRefunded) == 1
    send(order_data(updated_at=later(1)), "order.updated")
    assert Refund.objects.count() == 1


def test_a_waiting_refund_in_the_wrong_currency_fails_and_the_order_is_written(send):
    waiting = send(refund_data(currency="USD"), "refund.created")
    send(order_data())
    waiting.refresh_from_db()
    assert (waiting.state, waiting.outcome) == (
        "failed",
        "Order 1001 is in EUR, but this says USD.",
    )
    assert Order.objects.count() == 1
    assert not Refund.objects.exists()


def test_a_refund_of_a_line_we_do_not_have_waits_on_an_empty_line_for_it(send):
    send(order_data(lines=lines("10.00")))
    send(refund_data(lines=[{"line_id": "2", "amount": "5.00"}]), "refund.created")
    line = OrderLine.objects.get(external_id="2")
    assert (line.quantity, line.net_minor) == (0, 0)
    assert Order.objects.get().total_minor == 1_000
    send(order_data(updated_at=later(1), lines=lines("10.00", "20.00")), "order.updated")
    line.refresh_from_db()
    assert (line.quantity, line.net_minor) == (1, 2_000)
    assert RefundLine.objects.get().line == line


# -- whatever goes wrong ----------------------------------------------------------------------


def test_an_error_of_ours_leaves_nothing_and_can_be_replayed(send, monkeypatch):
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(services, "_write_lines", broken)
        delivery = send(order_data())
    assert (delivery.state, delivery.tries) == (DeliveryState.FAILED, 1)
    assert delivery.outcome == "An error of ours (RuntimeError). Nothing was written."
    assert not Order.objects.exists()
    assert announced(OrderRecorded) == 0
    replay(delivery)
    drain()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == (DeliveryState.PROCESSED, 2)
    assert Order.objects.get().total_minor == 21_000


def test_a_busy_database_is_tried_again_by_the_outbox(send, monkeypatch):
    def busy(*_: Any, **__: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    with monkeypatch.context() as patch:
        patch.setattr(handlers, "record_order", busy)
        delivery = send(order_data())
    assert (delivery.state, delivery.tries) == (DeliveryState.RECEIVED, 0)
    event = OutboxEvent.objects.get(kind=DeliveryReceived.kind)
    assert event.state == State.DUE
    OutboxEvent.objects.update(next_try_at=PLACED_AT)
    drain()
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.PROCESSED


def test_a_handler_run_twice_writes_once(send):
    delivery = send(order_data())
    process_delivery(DeliveryReceived(delivery.pk))
    Delivery.objects.update(state=DeliveryState.RECEIVED, processed_at=None)
    process_delivery(DeliveryReceived(delivery.pk))
    assert (Order.objects.count(), OrderLine.objects.count()) == (1, 1)
    assert announced(OrderRecorded) == 1


# -- any order of arrival ---------------------------------------------------------------------


def story(number: str) -> list[tuple[str, dict[str, Any]]]:
    """An order placed, changed, given back in part twice, changed again and cancelled."""
    return [
        ("order.created", order_data(number, lines=lines("10.00", "20.00"))),
        (
            "order.updated",
            order_data(number, updated_at=later(1), lines=lines("10.00", "15.00", "7.00")),
        ),
        ("refund.created", refund_data(number, "R1", lines=[{"line_id": "2", "amount": "5.00"}])),
        ("refund.created", refund_data(number, "R2", amount="1.00")),
        ("order.updated", order_data(number, updated_at=later(2), lines=lines("10.00", "15.00"))),
        (
            "order.cancelled",
            order_data(
                number, updated_at=later(3), cancelled_at=later(3), lines=lines("10.00", "15.00")
            ),
        ),
    ]


def state_of(number: str) -> Any:
    order = Order.objects.get(external_id=number)
    return (
        (order.version_at, order.cancelled_at, order.total_minor),
        sorted(
            order.lines.filter(quantity__gt=0).values_list("external_id", "quantity", "net_minor")
        ),
        sorted(
            (
                refund.external_id,
                refund.amount_minor,
                line.line and line.line.external_id,
                line.amount_minor,
            )
            for refund in order.refunds.all()
            for line in refund.lines.all()
        ),
        ParkedRefund.objects.filter(order_external_id=number, released_at=None).count(),
        Delivery.objects.filter(order_external_id=number)
        .exclude(state=DeliveryState.PROCESSED)
        .count(),
    )


EXPECTED = (
    (
        PLACED_AT + timedelta(minutes=3),
        PLACED_AT + timedelta(minutes=3),
        2_500,
    ),
    [("1", 1, 1_000), ("2", 1, 1_500)],
    [("R1", 500, "2", 500), ("R2", 100, None, 100)],
    0,
    0,
)


class ArrivalTest(TestCase):
    """Hypothesis rolls back what each example wrote."""

    @settings(max_examples=30, deadline=None)
    @given(
        st.permutations([0, 1, 2, 3, 4, 5])
        .flatmap(
            lambda order: st.lists(st.sampled_from(order), max_size=6).map(
                lambda again: [*order, *again]
            )
        )
        .flatmap(st.permutations)
    )
    def test_any_order_of_arrival_with_repeats_ends_the_same(self, arrival: list[int]) -> None:
        endpoint, _ = make_endpoint(make_shop(make_member()))
        events = story("1001")
        for number in arrival:
            kind, data = events[number]
            taken = take_in(
                endpoint=endpoint,
                envelope=Envelope(f"msg_{uuid4().hex}", PLACED_AT, ""),
                body=delivery_body(kind, data),
                kind=kind,
                order_external_id="1001",
                headers={},
            )
            process_delivery(DeliveryReceived(taken.delivery.pk))
        assert state_of("1001") == EXPECTED


# -- races, and the twin without lock and constraint ------------------------------------------


def in_threads(work, times: int) -> list[Any]:
    def run(number: int) -> Any:
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(run, range(times)))


@pytest.mark.django_db(transaction=True)
def test_20_deliveries_of_one_order_and_its_refund_processed_at_once_are_one_of_each(
    endpoint_and_secret,
):
    endpoint, secret = endpoint_and_secret
    for number in range(20):
        if number % 2:
            post_order(endpoint, secret, refund_data(), kind="refund.created")
        else:
            post_order(endpoint, secret)
    in_threads(lambda _: drain(), 8)
    while OutboxEvent.objects.filter(state=State.DUE).exists():
        OutboxEvent.objects.filter(state=State.DUE).update(next_try_at=PLACED_AT)
        drain()
    assert (Order.objects.count(), OrderLine.objects.count()) == (1, 1)
    assert (Refund.objects.count(), RefundLine.objects.count()) == (1, 1)
    assert announced(OrderRecorded) == announced(OrderRefunded) == 1
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.PROCESSED}


@pytest.mark.django_db(transaction=True)
def test_the_twin_that_looks_before_it_writes_makes_more_than_one_order(shop):
    once = next(c for c in Order._meta.constraints if c.name == "order_reported_once")

    def careless(_: int) -> None:
        with transaction.atomic():
            if not Order.objects.filter(merchant=shop, external_id="1001").exists():
                Order.objects.create(
                    merchant=shop,
                    external_id="1001",
                    placed_at=PLACED_AT,
                    version_at=PLACED_AT,
                    currency="EUR",
                    total_minor=0,
                )
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.05)")

    with connection.schema_editor() as editor:
        editor.remove_constraint(Order, once)
    try:
        in_threads(careless, 20)
        assert Order.objects.count() > 1
    finally:
        Order.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Order, once)


# -- rows the database refuses ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"external_id": ""}, "order_has_its_number"),
        ({"currency": "eur"}, "order_currency_is_iso"),
        ({"total_minor": -1}, "order_total_not_negative"),
        ({"buyer_email_sha256": "ada@shoal.example"}, "order_email_is_a_hash"),
    ],
)
def test_the_database_keeps_orders_whole(send, change, constraint):
    send(order_data())
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Order.objects.update(**change)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"external_id": ""}, "order_line_has_its_id"),
        ({"net_minor": -1}, "order_line_net_not_negative"),
        ({"quantity": 0}, "order_line_of_nothing_is_free"),
    ],
)
def test_the_database_keeps_lines_whole(send, change, constraint):
    send(order_data())
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        OrderLine.objects.update(**change)


@pytest.mark.parametrize(
    ("model", "change", "constraint"),
    [
        (Refund, {"external_id": ""}, "refund_has_its_id"),
        (Refund, {"amount_minor": 0}, "refund_of_something"),
        (RefundLine, {"amount_minor": 0}, "refund_line_of_something"),
    ],
)
def test_the_database_keeps_refunds_whole(send, model, change, constraint):
    send(order_data())
    send(refund_data(), "refund.created")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model.objects.update(**change)


def test_the_database_refuses_each_row_twice(send, shop):
    send(order_data())
    send(refund_data(amount="1.00"), "refund.created")
    send(refund_data("unknown"), "refund.created")
    rows: list[tuple[Any, str]] = [
        (Order.objects.get(), "order_reported_once"),
        (OrderLine.objects.get(), "order_line_once"),
        (Refund.objects.get(), "refund_reported_once"),
        (RefundLine.objects.get(), "refund_line_once"),
        (ParkedRefund.objects.get(), "refund_parked_once"),
    ]
    for row, constraint in rows:
        row.pk = None
        row._state.adding = True
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            row.save(force_insert=True)


def test_money_is_never_cascaded(send, shop):
    send(order_data())
    send(refund_data(), "refund.created")
    rows: list[Model] = [Order.objects.get(), OrderLine.objects.get(), shop]
    for row in [*rows, *Delivery.objects.all()]:
        with pytest.raises(IntegrityError), transaction.atomic():
            row.delete()


def test_only_the_team_sees_orders(send, bo, cy, shop):
    send(order_data())
    assert Order.objects.visible_to(bo).count() == 1
    assert not Order.objects.visible_to(cy).exists()
    assert not Order.objects.visible_to(AnonymousUser()).exists()


def test_a_listing_that_sold_cannot_be_deleted(send, shop):
    listing = make_sale(shop, sku="R2")
    send(order_data(lines=[{"id": "1", "sku": "R2", "quantity": 1, "net": "1"}]))
    with pytest.raises(IntegrityError), transaction.atomic():
        Listing.objects.filter(pk=listing.pk).delete()


def test_times_of_other_zones_are_stored_as_instants(send):
    send(order_data(placed_at="2026-11-20T18:30:00+09:00", updated_at="2026-11-20T09:30:00Z"))
    assert Order.objects.get().placed_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
