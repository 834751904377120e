"""The generic endpoint, its secrets, and the merchant's page about them."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from commerce.connectors.errors import (
    EndpointExists,
    NotReplayable,
    Refused,
    SecretChanged,
    SecretUnreadable,
)
from commerce.connectors.examples import ORDER, REFUND, examples
from commerce.connectors.generic import ReportedOrder, ReportedRefund, parse
from commerce.connectors.models import Delivery, DeliveryState, Endpoint
from commerce.connectors.secrets import decrypt
from commerce.connectors.services import (
    open_endpoint,
    replay,
    revoke_endpoint,
    rotate_secret,
    signing_secrets,
)
from commerce.connectors.signatures import Envelope, is_signed, sign
from commerce.events import DeliveryReceived
from commerce.merchants.errors import NotOnTeam
from commerce.merchants.models import Merchant
from commerce.orders.models import Order, Refund
from config.models import OutboxEvent
from config.outbox import drain
from tests.factories_orders import (
    delivery_body,
    make_endpoint,
    make_shop,
    order_data,
    post_order,
    refund_data,
    sign_delivery,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def shop(bo) -> Merchant:
    return make_shop(bo)


@pytest.fixture
def endpoint_and_secret(shop) -> tuple[Endpoint, str]:
    return make_endpoint(shop)


@pytest.fixture
def endpoint(endpoint_and_secret: tuple[Endpoint, str]) -> Endpoint:
    return endpoint_and_secret[0]


@pytest.fixture
def secret(endpoint_and_secret: tuple[Endpoint, str]) -> str:
    return endpoint_and_secret[1]


def post(endpoint: Endpoint, body: bytes, headers: dict[str, str], **extra):
    extra.setdefault("content_type", "application/json")
    return Client().post(endpoint.get_absolute_url(), body, headers=headers, **extra)


def announced() -> QuerySet[OutboxEvent]:
    return OutboxEvent.objects.filter(kind=DeliveryReceived.kind)


def nothing_written() -> bool:
    return not (Delivery.objects.exists() or Order.objects.exists() or announced().exists())


# -- what is taken ----------------------------------------------------------------------------


def test_a_signed_order_is_stored_raw_and_answered_before_it_is_processed(endpoint, secret):
    body = delivery_body("order.created", order_data())
    headers = sign_delivery(secret, body, external_id="msg_1")
    response = post(endpoint, body, headers | {"user-agent": "Shop/2"})
    assert response.status_code == 202
    assert response.json() == {"delivery": "msg_1", "state": "received", "new": True}
    delivery = Delivery.objects.get()
    assert bytes(delivery.body) == body
    assert (delivery.kind, delivery.order_external_id) == ("order.created", "1001")
    assert (delivery.state, delivery.tries) == (DeliveryState.RECEIVED, 0)
    assert delivery.headers == {
        "User-Agent": "Shop/2",
        "Content-Type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": headers["webhook-timestamp"],
    }
    assert not Order.objects.exists()
    assert announced().get().payload == {"delivery_id": delivery.pk}


def test_taking_a_delivery_costs_few_queries(endpoint, secret, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):  # look up, savepoints, row, event, wake
        assert post_order(endpoint, secret).status_code == 202


def test_the_same_delivery_20_times_is_one_row_one_event_and_one_order(endpoint, secret):
    body = delivery_body("order.created", order_data())
    headers = sign_delivery(secret, body, external_id="msg_1")
    statuses = [post(endpoint, body, headers).status_code for _ in range(20)]
    assert statuses == [202] + 19 * [200]
    assert (Delivery.objects.count(), announced().count()) == (1, 1)
    drain()
    assert post(endpoint, body, headers).json() == {
        "delivery": "msg_1",
        "state": "processed",
        "new": False,
    }
    assert Order.objects.count() == 1


def test_the_same_order_in_20_deliveries_is_one_order(endpoint, secret):
    for _ in range(20):
        assert post_order(endpoint, secret).status_code == 202
    drain()
    assert Delivery.objects.filter(state=DeliveryState.PROCESSED).count() == 20
    assert Order.objects.count() == 1


def test_the_same_id_with_another_body_is_a_conflict_the_merchant_sees(
    endpoint, secret, shop, as_bo
):
    post_order(endpoint, secret, external_id="msg_1")
    other = order_data(lines=[{"id": "1", "quantity": 1, "net": "999.00"}])
    for _ in range(2):
        response = post_order(endpoint, secret, other, external_id="msg_1")
        assert response.status_code == 409
        assert "another body" in response.json()["error"]
    delivery = Delivery.objects.get()
    assert delivery.conflict_count == 2
    assert delivery.conflict_at is not None
    assert b"210.00" in bytes(delivery.body)
    page = as_bo.get(f"/merchants/{shop.slug}/connector/").content.decode()
    assert "1 delivery came again with another body under the same id" in page
    assert (
        "used this id with another body" in as_bo.get(delivery.get_absolute_url()).content.decode()
    )


def test_the_same_id_at_two_merchants_is_two_deliveries(endpoint, secret, cy):
    other, other_secret = make_endpoint(make_shop(cy))
    assert post_order(endpoint, secret, external_id="msg_1").status_code == 202
    assert post_order(other, other_secret, external_id="msg_1").status_code == 202
    drain()
    assert Order.objects.count() == 2


def test_one_of_several_signatures_is_enough(endpoint, secret):
    body = delivery_body("order.created", order_data())
    headers = sign_delivery(secret, body)
    headers["webhook-signature"] = f"v1a,AAAA v1,AAAA {headers['webhook-signature']}"
    assert post(endpoint, body, headers).status_code == 202


# -- what is refused, and leaves nothing ------------------------------------------------------


def test_an_unsigned_delivery_is_400_for_each_header_missing(endpoint, secret):
    body = delivery_body("order.created", order_data())
    whole = sign_delivery(secret, body)
    for name in whole:
        without = {key: value for key, value in whole.items() if key != name}
        response = post(endpoint, body, without)
        assert response.status_code == 400
        assert response.json() == {"error": f"The delivery is not signed: {name} is missing."}
    assert nothing_written()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-timestamp", "yesterday"),
        ("webhook-timestamp", "nan"),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", "-5"),
        ("webhook-timestamp", "9" * 30),
        ("webhook-timestamp", "99999999999"),
        ("webhook-id", "x" * 121),
        ("webhook-id", "a.b"),
        ("webhook-id", "a b"),
        ("webhook-id", "é"),
        ("webhook-signature", "v1," + "A" * 1000),
    ],
)
def test_headers_that_cannot_be_right_are_400(endpoint, secret, name, value):
    body = delivery_body("order.created", order_data())
    response = post(endpoint, body, sign_delivery(secret, body) | {name: value})
    assert response.status_code == 400
    assert name in response.json()["error"]
    assert nothing_written()


def test_a_stale_delivery_is_400_and_five_minutes_either_way_are_not(
    endpoint, secret, time_machine
):
    time_machine.move_to(NOON, tick=False)
    for seconds, status in [(-301, 400), (-300, 202), (0, 202), (300, 202), (301, 400)]:
        response = post_order(endpoint, secret, at=NOON + timedelta(seconds=seconds))
        assert response.status_code == status, seconds
        if status == 400:
            assert "webhook-timestamp is too" in response.json()["error"]
    assert Delivery.objects.count() == 3


@pytest.mark.parametrize(
    "signature",
    [
        "v1,AAAA",
        "v1,!!!not base64!!!",
        "v1",
        ",",
        "v1,,,",
        "v2,AAAA",
        "v1,é",
        " ",
        "v1,AAAA " * 100,
    ],
)
def test_a_signature_that_does_not_fit_is_401_whatever_it_looks_like(endpoint, secret, signature):
    body = delivery_body("order.created", order_data())
    headers = sign_delivery(secret, body) | {"webhook-signature": signature}
    response = post(endpoint, body, headers)
    assert response.status_code == 401
    assert nothing_written()


def test_a_changed_byte_id_time_or_secret_is_401(endpoint, secret, cy):
    body = delivery_body("order.created", order_data())
    headers = sign_delivery(secret, body)
    _, foreign = make_endpoint(make_shop(cy))
    later = str(int(headers["webhook-timestamp"]) + 1)
    for changed_body, changed in [
        (body.replace(b"210.00", b"310.00"), headers),
        (body + b" ", headers),
        (body, headers | {"webhook-id": "msg_other"}),
        (body, headers | {"webhook-timestamp": later}),
        (body, sign_delivery(foreign, body)),
    ]:
        assert post(endpoint, changed_body, changed).status_code == 401
    assert nothing_written()


def test_every_secret_is_tried_and_a_body_that_is_no_text_raises_nothing():
    _, body = "", b'\xff\xfe{"a"'
    envelope = Envelope("msg_1", NOON, "v1,AAAA")
    assert not is_signed(envelope, body, ["whsec_AAAA", "whsec_", "whsec_!", "é"])


def test_bytes_that_are_no_text_are_a_4xx(endpoint, secret):
    body = b'{"type": "\xff"}'
    response = post(endpoint, body, sign_delivery(secret, b"{}"))
    assert response.status_code == 401
    assert nothing_written()


def test_an_oversized_delivery_is_413_and_exactly_256_kb_is_not(endpoint, secret):
    body = delivery_body("order.created", order_data())
    for size, status in [(256 * 1024, 202), (256 * 1024 + 1, 413), (2_000_000, 413)]:
        padded = body[:-1] + b" " * (size - len(body)) + b"}"
        response = post(endpoint, padded, sign_delivery(secret, padded))
        assert response.status_code == status, size
    assert Delivery.objects.count() == 1


class Chunks(io.BytesIO):
    """A body whose length nobody said; it notes how much was taken."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        got = super().read(size)
        self.taken += len(got)
        return got


def post_stream(endpoint: Endpoint, headers: dict[str, str], **environ: Any) -> Any:
    """Post with exactly this WSGI environment; the body is read from `wsgi.input`."""
    client: Any = Client()
    environ = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "", **environ}
    return client.generic("POST", endpoint.get_absolute_url(), headers=headers, **environ)


def test_without_a_length_the_body_is_read_to_the_limit_and_no_further(endpoint, secret):
    body = delivery_body("order.created", order_data())
    for padding, status in [(0, 202), (400_000, 413)]:
        padded = body + b" " * padding
        stream = Chunks(padded)
        ended = {"wsgi.input": stream, "wsgi.input_terminated": True}
        response = post_stream(endpoint, sign_delivery(secret, padded), **ended)
        assert response.status_code == status
        assert stream.taken <= 256 * 1024 + 1
    assert Delivery.objects.count() == 1


def test_without_a_length_or_an_end_it_is_411(endpoint, secret):
    body = delivery_body("order.created", order_data())
    endless = {"wsgi.input": Chunks(body)}
    response = post_stream(endpoint, sign_delivery(secret, body), **endless)
    assert response.status_code == 411
    assert nothing_written()


def test_a_body_shorter_than_it_says_is_400(endpoint, secret):
    body = delivery_body("order.created", order_data())
    for length in (str(len(body) + 5), "-1", "many", "٣"):
        short = {"CONTENT_LENGTH": length, "wsgi.input": Chunks(body)}
        response = post_stream(endpoint, sign_delivery(secret, body), **short)
        assert response.status_code == 400, length
    assert nothing_written()


def test_other_content_types_are_415_and_other_methods_405(endpoint, secret):
    body = delivery_body("order.created", order_data())
    headers = sign_delivery(secret, body)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
        assert post(endpoint, body, headers, content_type=kind).status_code == 415
    charset = "application/json; charset=utf-8"
    assert post(endpoint, body, headers, content_type=charset).status_code == 202
    response = Client().get(endpoint.get_absolute_url())
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_an_unknown_endpoint_is_404_and_a_closed_one_410(endpoint, secret, shop, bo):
    revoke_endpoint(endpoint=endpoint, by=bo)
    assert post_order(endpoint, secret).status_code == 410
    endpoint.public_id = "6d1f3c1e-0000-4000-8000-000000000000"
    assert post_order(endpoint, secret).status_code == 404
    assert nothing_written()
    fresh, _ = make_endpoint(shop)
    assert fresh.public_id != endpoint.public_id


def test_a_browser_s_session_and_tokens_play_no_part(endpoint, secret):
    strict = Client(enforce_csrf_checks=True)
    response = post_order(endpoint, secret, client=strict)
    assert response.status_code == 202
    assert not response.cookies


def test_an_unreadable_secret_is_503_so_that_the_shop_sends_again(endpoint, secret, settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    response = post_order(endpoint, secret)
    assert (response.status_code, response["Retry-After"]) == (503, "300")
    assert nothing_written()


# -- what a body must say ---------------------------------------------------------------------


def broken(**changes):
    data = order_data()
    data.update(changes)
    return {"type": "order.created", "timestamp": NOON.isoformat(), "data": data}


def line(**changes):
    return broken(lines=[{"id": "1", "quantity": 1, "net": "1.00", **changes}])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"timestamp": "x", "data": {}}, "type is missing."),
        ([], "The body must be an object."),
        (broken() | {"type": "order.eaten"}, "type must be one of order.created, order.updated"),
        (broken() | {"type": ["order.created"]}, "type must be one of"),
        (broken() | {"timestamp": "now"}, "timestamp must be a time"),
        (broken() | {"data": "x"}, "data must be an object."),
        (broken(id=""), "data.id must not be empty."),
        (broken(id=None), "data.id is missing."),
        (broken(id=True), "data.id must be text"),
        (broken(id={"a": 1}), "data.id must be text"),
        (broken(id="x" * 121), "data.id must be text of at most 120"),
        (broken(id="a\x00b"), "data.id has a character that is none."),
        (broken(click_id="\ud800"), "data.click_id has a character that is none."),
        (broken(placed_at="2026-11-20T09:30:00"), "data.placed_at must be a time with its offset"),
        (broken(placed_at=1_700_000_000), "data.placed_at must be a time"),
        (broken(placed_at="0001-01-01T00:00:00+14:00"), "data.placed_at must be a time"),
        (broken(placed_at="1999-12-31T23:59:59Z"), "data.placed_at is not a time an order can"),
        (broken(updated_at="2126-01-01T00:00:00Z"), "data.updated_at is not a time"),
        (broken(currency="eur"), "data.currency must be three capital letters"),
        (broken(currency="EURO"), "data.currency must be three capital letters"),
        (broken(currency=978), "data.currency must be three capital letters"),
        (broken(test="yes"), "data.test must be true or false."),
        (broken(buyer=["ada"]), "data.buyer must be an object."),
        (broken(buyer={"email_sha256": "ada@x.example"}), "data.buyer.email_sha256 must be 64"),
        (broken(lines=[]), "data.lines must be a list of 1 to 500."),
        (broken(lines={}), "data.lines must be a list of 1 to 500."),
        (broken(lines=[{"id": "1", "quantity": 1, "net": "0"}] * 501), "data.lines must be a list"),
        (broken(lines=["x"]), "data.lines[0] must be an object."),
        (broken(lines=[{"id": 7, "quantity": 1, "net": "0"}] * 2), "the id '7' is there twice"),
        (line(quantity=0), "data.lines[0].quantity must be a whole number from 1"),
        (line(quantity=1.5), "data.lines[0].quantity must be a whole number"),
        (line(quantity=True), "data.lines[0].quantity must be a whole number"),
        (line(net=210), 'data.lines[0].net must be a string like "12.34"'),
        (line(net=12.34), 'data.lines[0].net must be a string like "12.34"'),
        (line(net="-1.00"), "data.lines[0].net must be a string"),
        (line(net="+1.00"), "data.lines[0].net must be a string"),
        (line(net="NaN"), "data.lines[0].net must be a string"),
        (line(net="Infinity"), "data.lines[0].net must be a string"),
        (line(net="1e3"), "data.lines[0].net must be a string"),
        (line(net="1,000.00"), "data.lines[0].net must be a string"),
        (line(net="１２"), "data.lines[0].net must be a string"),
        (line(net=" 1.00"), "data.lines[0].net must be a string"),
        (line(net="1.005"), "data.lines[0].net has too many decimals: EUR has 2."),
        (line(net="100000000000.01"), "data.lines[0].net is more than an order can be."),
        (line(net="9" * 400), "data.lines[0].net must be a string"),
        (line(listing="x"), "data.lines[0].listing must be the number"),
        (line(listing=-1), "data.lines[0].listing must be the number"),
        (line(listing=2**70), "data.lines[0].listing must be the number"),
        (line(title="x" * 201), "data.lines[0].title must be text of at most 200"),
        (
            broken(lines=[{"id": n, "quantity": 1, "net": "60000000000.00"} for n in range(2)]),
            "data.lines add up to more",
        ),
    ],
)
def test_a_body_that_says_something_wrong_is_422_with_a_sentence(endpoint, secret, body, sentence):
    raw = json.dumps(body).encode()
    response = post(endpoint, raw, sign_delivery(secret, raw))
    assert response.status_code == 422
    assert sentence in response.json()["error"]
    assert nothing_written()


def cancelled(**changes):
    return {**broken(**changes), "type": "order.cancelled"}


def refund(**changes):
    data = refund_data()
    data.update(changes)
    return {"type": "refund.created", "timestamp": NOON.isoformat(), "data": data}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (cancelled(), "data.cancelled_at is missing"),
        (refund(order_id=None), "data.order_id is missing."),
        (refund(currency=None), "data.currency is missing."),
        (refund(refunded_at=None), "data.refunded_at is missing."),
        (refund(lines=None), "a refund has one of the two"),
        (refund(amount="5.00"), "a refund has one of the two"),
        (refund(lines=None, amount="0.00"), "data.amount must be more than nothing."),
        (refund(lines=[{"line_id": "1", "amount": "0"}]), "amount must be more than nothing."),
        (refund(lines=[{"line_id": "1", "amount": "5"}] * 2), "the line_id '1' is there twice"),
        (refund(lines=[{"amount": "5"}]), "data.lines[0].line_id is missing."),
    ],
)
def test_cancellations_and_refunds_are_read_as_strictly(endpoint, secret, body, sentence):
    raw = json.dumps(body).encode()
    response = post(endpoint, raw, sign_delivery(secret, raw))
    assert (response.status_code, sentence in response.json()["error"]) == (422, True)
    assert nothing_written()


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"order",
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"type": "order.created", "type": "order.updated"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_400(endpoint, secret, raw):
    response = post(endpoint, raw, sign_delivery(secret, raw))
    assert (response.status_code, "JSON" in response.json()["error"]) == (400, True)
    assert nothing_written()


def test_a_body_is_read_to_the_minor_unit():
    body = broken(
        currency="KWD",
        click_id=" abc ",
        buyer={"member": "ada", "email_sha256": "AB" * 32},
        placed_at="2026-11-20T10:30:00+01:00",
        unknown={"nested": 1.5},
        lines=[
            {"id": 7, "quantity": 2, "net": "12.345", "listing": "42", "sku": "R2"},
            {"id": "8", "quantity": 1, "net": "0", "url": "https://s.example/p", "listing": ""},
        ],
    )
    order = parse(json.dumps(body).encode(), now=NOON).report
    assert isinstance(order, ReportedOrder)
    assert order.placed_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert (order.click_id, order.buyer_handle) == ("abc", "ada")
    assert order.buyer_email_sha256 == "ab" * 32
    assert [(line.external_id, line.net_minor, line.listing_id) for line in order.lines] == [
        ("7", 12_345, 42),
        ("8", 0, None),
    ]
    assert order.total_minor == 12_345


def test_a_yen_has_no_decimals():
    for net, read in [("900", 90_000), ("12.3", 1_230)]:
        order = parse(json.dumps(line(net=net)).encode(), now=NOON).report
        assert isinstance(order, ReportedOrder)
        assert order.total_minor == read
    with pytest.raises(Refused, match="JPY has none"):
        body = line(net="900.0")
        body["data"]["currency"] = "JPY"
        parse(json.dumps(body).encode(), now=NOON)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["type", "timestamp", "data", "id", "lines", "net", "currency"]),
                inner,
            )
        ),
    )
)
def test_whatever_json_comes_is_read_or_refused(value):
    try:
        parse(json.dumps(value).encode(), now=NOON)
    except Refused as refusal:
        assert refusal.status in (400, 422)


@given(st.binary(max_size=300))
def test_whatever_bytes_come_are_refused(raw):
    with pytest.raises(Refused):
        parse(raw, now=NOON)


# -- races, and the twin without the constraint -----------------------------------------------


def in_threads(work, times: int) -> list[int]:
    def run(number: int):
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=10) as pool:
        return list(pool.map(run, range(times)))


@pytest.mark.django_db(transaction=True)
def test_20_racing_deliveries_are_one_row_and_one_order(endpoint, secret):
    body = delivery_body("order.created", order_data())
    headers = sign_delivery(secret, body, external_id="msg_1")
    statuses = in_threads(lambda _: post(endpoint, body, headers).status_code, 20)
    assert sorted(statuses) == 19 * [200] + [202]
    assert (Delivery.objects.count(), announced().count()) == (1, 1)
    drain()
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_twin_that_looks_before_it_writes_stores_more_than_one(endpoint, secret):
    once = next(c for c in Delivery._meta.constraints if c.name == "delivery_received_once")
    body = delivery_body("order.created", order_data())

    def careless(_: int) -> None:
        with transaction.atomic():
            if not Delivery.objects.filter(endpoint=endpoint, external_id="msg_1").exists():
                Delivery.objects.create(
                    endpoint=endpoint,
                    external_id="msg_1",
                    kind="order.created",
                    order_external_id="1001",
                    body=body,
                    body_sha256="0" * 64,
                    sent_at=NOON,
                )
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.05)")

    with connection.schema_editor() as editor:
        editor.remove_constraint(Delivery, once)
    try:
        in_threads(careless, 20)
        assert Delivery.objects.count() > 1
    finally:
        Delivery.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Delivery, once)


# -- secrets ----------------------------------------------------------------------------------


def test_a_secret_is_stored_encrypted_and_known_by_its_last_four(endpoint, secret):
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert secret not in endpoint.secret
    assert secret.removeprefix("whsec_") not in endpoint.secret
    assert endpoint.last_four == secret[-5:-1]
    assert decrypt(endpoint.secret) == secret


def test_a_rotation_keeps_the_old_secret_signing_for_24_hours(endpoint, secret, bo, time_machine):
    time_machine.move_to(NOON, tick=False)
    new = rotate_secret(endpoint=endpoint, by=bo, ending=endpoint.last_four)
    assert new != secret
    for hours, old_status in [(0, 202), (23.999, 202), (24, 401)]:
        time_machine.move_to(NOON + timedelta(hours=hours), tick=False)
        assert post_order(endpoint, secret).status_code == old_status, hours
        assert post_order(endpoint, new).status_code == 202


def test_a_second_rotation_ends_the_oldest_secret(endpoint, secret, bo):
    second = rotate_secret(endpoint=endpoint, by=bo, ending=endpoint.last_four)
    endpoint.refresh_from_db()
    third = rotate_secret(endpoint=endpoint, by=bo, ending=endpoint.last_four)
    statuses = [post_order(endpoint, each).status_code for each in (secret, second, third)]
    assert statuses == [401, 202, 202]


def test_a_form_sent_twice_rotates_once(endpoint, bo):
    ending = endpoint.last_four
    rotate_secret(endpoint=endpoint, by=bo, ending=ending)
    endpoint.refresh_from_db()
    with pytest.raises(SecretChanged):
        rotate_secret(endpoint=endpoint, by=bo, ending=ending)
    before = endpoint.secret
    endpoint.refresh_from_db()
    assert endpoint.secret == before


def test_only_the_team_opens_rotates_and_closes(endpoint, shop, cy):
    for attempt in (
        lambda: open_endpoint(merchant=shop, by=cy),
        lambda: rotate_secret(endpoint=endpoint, by=cy, ending=endpoint.last_four),
        lambda: revoke_endpoint(endpoint=endpoint, by=cy),
    ):
        with pytest.raises(NotOnTeam):
            attempt()
    before = endpoint.secret
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.revoked_at) == (before, None)
    assert Endpoint.objects.count() == 1


def test_a_merchant_has_one_live_endpoint(endpoint, shop, bo):
    with pytest.raises(EndpointExists):
        open_endpoint(merchant=shop, by=bo)
    with pytest.raises(IntegrityError, match="one_live_endpoint"), transaction.atomic():
        Endpoint.objects.create(merchant=shop, secret="x", last_four="abcd")
    revoke_endpoint(endpoint=endpoint, by=bo)
    open_endpoint(merchant=shop, by=bo)
    assert Endpoint.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"secret": ""}, "endpoint_has_a_secret"),
        ({"previous_secret": "x"}, "endpoint_previous_secret_whole"),
        ({"previous_until": NOON}, "endpoint_previous_secret_whole"),
    ],
)
def test_the_database_keeps_endpoints_whole(endpoint, change, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Endpoint.objects.filter(pk=endpoint.pk).update(**change)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"state": "lost"}, "delivery_state_known"),
        ({"body_sha256": "x"}, "delivery_body_fingerprint"),
        ({"state": "failed"}, "delivery_failure_has_words"),
        ({"state": "processed"}, "delivery_processed_has_its_time"),
        ({"conflict_count": 1}, "delivery_conflict_whole"),
    ],
)
def test_the_database_keeps_deliveries_whole(endpoint, secret, change, constraint):
    post_order(endpoint, secret)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Delivery.objects.update(**change)


def test_rotating_the_field_keys_lets_the_old_key_go(endpoint, secret, bo, settings):
    new = rotate_secret(endpoint=endpoint, by=bo, ending=endpoint.last_four)
    old_key, new_key = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new_key, old_key]
    said = StringIO()
    call_command("rotate_field_keys", stdout=said)
    assert said.getvalue() == "1 endpoints brought to the newest key.\n"
    settings.FIELD_KEYS = [new_key]
    endpoint.refresh_from_db()
    assert signing_secrets(endpoint, at=timezone.now()) == [new, secret]
    said = StringIO()
    call_command("rotate_field_keys", stdout=said)
    assert said.getvalue() == "0 endpoints brought to the newest key.\n"


def test_a_missing_field_key_is_said_and_changes_nothing(endpoint, settings):
    before = endpoint.secret
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="none of FIELD_KEYS reads"):
        call_command("rotate_field_keys", stdout=StringIO())
    endpoint.refresh_from_db()
    assert endpoint.secret == before
    with pytest.raises(SecretUnreadable):
        decrypt(before)


# -- the merchant's page ----------------------------------------------------------------------


def test_the_connector_is_404_for_guests_and_outsiders(
    endpoint, secret, shop, guest, as_cy, as_ada
):
    post_order(endpoint, secret)
    pages = [f"/merchants/{shop.slug}/connector/", Delivery.objects.get().get_absolute_url()]
    forms = [f"{pages[0]}endpoint", f"{pages[0]}secret", f"{pages[0]}closing", f"{pages[1]}replay"]
    sent = {"endpoint": str(endpoint.public_id), "ending": endpoint.last_four}
    for client in (guest, as_cy, as_ada):
        assert [client.get(page).status_code for page in pages] == [404, 404]
        assert [client.post(form, sent).status_code for form in forms] == 4 * [404]
    before = endpoint.secret
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.revoked_at) == (before, None)


def test_one_merchant_s_team_cannot_reach_another_s_delivery(endpoint, secret, shop, cy, as_cy):
    make_shop(cy)
    own = Merchant.objects.get(team__member=cy)
    post_order(endpoint, secret)
    delivery = Delivery.objects.get()
    address = f"/merchants/{own.slug}/connector/deliveries/{delivery.pk}/"
    assert as_cy.get(address).status_code == 404
    assert as_cy.post(f"{address}replay").status_code == 404
    closing = f"/merchants/{own.slug}/connector/closing"
    assert as_cy.post(closing, {"endpoint": str(endpoint.public_id)}).status_code == 404


def test_the_secret_is_shown_once(shop, as_bo):
    address = f"/merchants/{shop.slug}/connector/"
    assert "Make an address" in as_bo.get(address).content.decode()
    made = as_bo.post(f"{address}endpoint")
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    endpoint = Endpoint.objects.get()
    secret = decrypt(endpoint.secret)
    assert secret in made.content.decode().replace("&#x2B;", "+").replace("&#x3D;", "=")
    page = as_bo.get(address).content.decode()
    assert secret not in page
    assert f"whsec_…{endpoint.last_four}" in page
    assert f"http://localhost:8000/hooks/generic/{endpoint.public_id}/" in page
    assert as_bo.post(f"{address}endpoint").status_code == 302
    assert Endpoint.objects.get().secret == endpoint.secret


def test_rotating_on_the_page_shows_the_new_one_and_says_until_when_the_old_works(
    endpoint, shop, as_bo
):
    address = f"/merchants/{shop.slug}/connector/"
    sent = {"endpoint": str(endpoint.public_id), "ending": endpoint.last_four}
    page = as_bo.post(f"{address}secret", sent).content.decode()
    endpoint.refresh_from_db()
    assert decrypt(endpoint.secret) in page
    assert "The one before it works until" in page
    assert as_bo.post(f"{address}secret", sent).status_code == 302
    before = endpoint.secret
    endpoint.refresh_from_db()
    assert endpoint.secret == before


def test_closing_on_the_page_ends_that_address_and_not_the_next(endpoint, shop, bo, as_bo):
    address = f"/merchants/{shop.slug}/connector/"
    sent = {"endpoint": str(endpoint.public_id)}
    assert as_bo.post(f"{address}closing", sent).status_code == 302
    fresh, _ = make_endpoint(shop)
    as_bo.post(f"{address}closing", sent)
    fresh.refresh_from_db()
    assert fresh.revoked_at is None
    for wrong in ({}, {"endpoint": "x"}):
        assert as_bo.post(f"{address}closing", wrong).status_code == 404


def test_deliveries_page_by_keyset_and_cost_the_same_however_many(endpoint, secret, shop, as_bo):
    address = f"/merchants/{shop.slug}/connector/"
    post_order(endpoint, secret)
    as_bo.get(address)
    few, many = Count(), Count()
    with connection.execute_wrapper(few):
        as_bo.get(address)
    for number in range(29):
        post_order(endpoint, secret, order_data(str(2000 + number)))
    with connection.execute_wrapper(many):
        first = as_bo.get(address)
    assert many.queries == few.queries
    seen: list[int] = []
    page = first
    while True:
        seen += [delivery.pk for delivery in page.context["deliveries"]]
        if not page.context["older"]:
            break
        page = as_bo.get(page.context["older"].partition("#")[0])
    assert seen == list(Delivery.objects.latest_first().values_list("pk", flat=True))
    assert len(seen) == 30


class Count:
    """Counts what reaches the database inside `with connection.execute_wrapper(...)`."""

    def __init__(self) -> None:
        self.queries = 0

    def __call__(self, execute, sql, params, many, context):
        self.queries += 1
        return execute(sql, params, many, context)


@pytest.mark.parametrize("query", ["before=x", "before=%00", "before=" + "9" * 40, "only=nonsense"])
def test_a_bent_address_shows_the_page(endpoint, secret, shop, as_bo, query):
    post_order(endpoint, secret)
    response = as_bo.get(f"/merchants/{shop.slug}/connector/?{query}")
    assert response.status_code == 200
    assert len(response.context["deliveries"]) == 1


def test_failed_and_waiting_deliveries_are_found_and_say_why(endpoint, secret, shop, as_bo):
    post_order(endpoint, secret)
    post_order(endpoint, secret, refund_data("7777"), kind="refund.created")
    post_order(endpoint, secret, refund_data(currency="USD"), kind="refund.created")
    drain()
    address = f"/merchants/{shop.slug}/connector/"
    failed = as_bo.get(f"{address}?only=failed")
    assert [d.outcome for d in failed.context["deliveries"]] == [
        "Order 1001 is in EUR, but this says USD."
    ]
    assert "Order 1001 is in EUR, but this says USD." in failed.content.decode()
    waiting = as_bo.get(f"{address}?only=waiting")
    assert [d.outcome for d in waiting.context["deliveries"]] == [
        "We have no order 7777 yet; the refund waits for it."
    ]


def test_one_delivery_s_page_shows_what_came_as_text(endpoint, secret, as_bo):
    data = order_data(
        lines=[{"id": "1", "title": "<script>alert(1)</script>", "quantity": 1, "net": "1.00"}]
    )
    post_order(endpoint, secret, data)
    page = as_bo.get(Delivery.objects.get().get_absolute_url()).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page


def test_a_failed_delivery_is_processed_again_from_its_page(endpoint, secret, as_bo):
    post_order(endpoint, secret)
    post_order(endpoint, secret, refund_data(currency="USD"), kind="refund.created")
    drain()
    failed = Delivery.objects.get(state=DeliveryState.FAILED)
    Order.objects.update(currency="USD")  # what was wrong is mended
    assert as_bo.post(f"{failed.get_absolute_url()}replay").status_code == 302
    failed.refresh_from_db()
    assert failed.state == DeliveryState.RECEIVED
    drain()
    failed.refresh_from_db()
    assert (failed.state, failed.tries) == (DeliveryState.PROCESSED, 2)
    assert Refund.objects.count() == 1
    with pytest.raises(NotReplayable):
        replay(failed)
    as_bo.post(f"{failed.get_absolute_url()}replay")
    assert drain() == 0


# -- the examples on the page -----------------------------------------------------------------


def test_the_example_order_and_refund_are_taken(endpoint, secret):
    for example in (ORDER, REFUND):
        report = parse(json.dumps(example).encode(), now=datetime(2026, 11, 26, tzinfo=UTC)).report
        assert isinstance(report, ReportedOrder | ReportedRefund)


@pytest.mark.django_db(transaction=True)
def test_the_python_example_posts_the_example_order(bo, live_server, tmp_path):
    endpoint, secret = make_endpoint(make_shop(bo))
    example = examples(live_server.url + endpoint.get_absolute_url())
    (tmp_path / "order.json").write_text(example["example"])
    code = example["python"].replace("whsec_…", secret)
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert ran.stdout.startswith("202 "), ran.stderr
    delivery = Delivery.objects.get()
    assert (delivery.external_id, delivery.order_external_id) == ("order-1001-1", "1001")


def test_our_own_signature_is_that_of_the_standard():
    # The vector of the specification's own libraries.
    headers = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        external_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
