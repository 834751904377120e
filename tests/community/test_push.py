"""Web push: read by its browser alone, sent to public services alone, told once."""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import http_ece
import pytest
import requests
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from community.members.models import Member
from community.notifications import push
from community.notifications.delivery import send_due
from community.notifications.models import Channel, Notification, PushSubscription, Sending
from community.notifications.push import Answer, Forbidden
from community.threads.models import Thread
from tests.factories import make_post
from tests.outbox import run_outbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_earned")]

ENDPOINT = "https://push.example/send/abc"
PRIVATE = push.new_private_key()


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """A browser's keys, and what it can read with them."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)

    @property
    def p256dh(self) -> str:
        return b64(
            self.key.public_key().public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
            )
        )

    def subscribe(self, member: Member, endpoint: str = ENDPOINT) -> PushSubscription:
        return PushSubscription.objects.create(
            member=member, endpoint=endpoint, p256dh=self.p256dh, auth=b64(self.auth)
        )

    def read(self, body: bytes) -> Any:
        data = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return json.loads(data)


class Service:
    """A push service: keeps what it is sent, answers as told."""

    def __init__(self) -> None:
        self.answers: list[Answer | Exception] = []
        self.sent: list[tuple[str, bytes]] = []

    def send(self, subscription: PushSubscription, data: bytes, *, topic: str) -> Answer:
        self.sent.append((subscription.endpoint, data))
        answer = self.answers.pop(0) if self.answers else Answer(201)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service()
    monkeypatch.setattr(push, "send", service.send)
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=UTC), tick=True):
        yield service


@pytest.fixture(autouse=True)
def keys(settings: Any) -> None:
    settings.VAPID_PRIVATE_KEY = PRIVATE
    settings.VAPID_CONTACT = "mailto:hello@shoal.example"


def push_out(after: timedelta = timedelta(minutes=1)) -> int:
    run_outbox()
    with time_machine.travel(timezone.now() + after, tick=True):
        return send_due(Channel.PUSH)


# -- what is sent -----------------------------------------------------------------------------


def test_only_the_browser_it_is_for_can_read_a_push(ada: Member):
    browser, other = Browser(), Browser()
    data = push.payload(title="Bo replied", body="Yes", address="/n/1/", tag="t", count=3)
    body = push.encrypt(browser.subscribe(ada), data)
    said = {"title": "Bo replied", "body": "Yes", "address": "/n/1/", "tag": "t", "count": 3}
    assert browser.read(body) == said
    assert b"Bo replied" not in body
    with pytest.raises(http_ece.ECEException):
        other.read(body)


def test_a_push_is_signed_by_the_site_for_its_service(ada: Member):
    said = push.headers(ENDPOINT, topic="post-1", now=1_000_000)
    token, key = said["Authorization"].removeprefix("vapid t=").split(",k=")
    assert key == push.public_key()
    head, claims, signature = token.split(".")
    assert json.loads(unb64(claims)) == {
        "aud": "https://push.example",
        "exp": 1_000_000 + 12 * 3600,
        "sub": "mailto:hello@shoal.example",
    }
    raw = unb64(signature)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(key))
    public.verify(
        utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])),
        f"{head}.{claims}".encode(),
        ec.ECDSA(SHA256()),
    )
    assert said["Content-Encoding"] == "aes128gcm"
    assert len(said["Topic"]) <= 32


@pytest.mark.parametrize("letter", ["x", "é", "鱼", "🐟", '"'])
def test_a_long_push_is_cut_to_what_services_take(letter: str):
    data = push.payload(title=letter * 300, body=letter * 5_000, address="/n/1/", tag="t", count=1)
    assert len(data) <= push.PAYLOAD_MAX_BYTES
    assert json.loads(data)["body"].endswith("…")


def test_keys_that_are_none_are_refused(ada: Member):
    row = PushSubscription(
        endpoint=ENDPOINT, p256dh=b64(b"\x04" + b"\x01" * 64), auth=b64(b"x" * 16)
    )
    with pytest.raises(Forbidden):
        push.encrypt(row, b"hello")


def test_the_command_makes_a_key_that_works(capsys: pytest.CaptureFixture[str]):
    call_command("vapid_keys")
    private, public = (line.partition("=")[2] for line in capsys.readouterr().out.split("\n")[:2])
    assert len(unb64(private)) == 32
    assert len(unb64(push.public_key(private))) == 65
    assert public == ""


# -- where to ---------------------------------------------------------------------------------

INSIDE = [
    *("https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://10.0.0.8/"),
    *("https://169.254.169.254/latest/", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/"),
    *("https://[64:ff9b::a9fe:a9fe]/", "https://[2002:7f00:1::]/"),
    *("https://[fec0::1]/", "https://[::7f00:1]/", "https://192.168.1.1/", "https://100.64.0.1/"),
    *("https://2130706433/", "https://0x7f.1/", "https://[fe80::1%25eth0]/", "https://224.0.0.1/"),
    *("http://push.example/", "https://push.example:8443/", "ftp://push.example/"),
    *("https://user@push.example/", "https://", "https://:443/", "https://push.example:x/"),
]


@pytest.mark.parametrize("endpoint", INSIDE)
def test_an_address_inside_is_never_reached(
    ada: Member, endpoint: str, monkeypatch: pytest.MonkeyPatch
):
    reached: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **kw: reached.append(args))
    browser = Browser()
    row = PushSubscription(
        member=ada, endpoint=endpoint, p256dh=browser.p256dh, auth=b64(browser.auth)
    )
    with pytest.raises((Forbidden, requests.RequestException)):
        push.send(row, b"hello", topic="t")
    assert reached == []


def test_a_name_that_leads_inside_is_refused_and_the_connection_checks_again(
    ada: Member, monkeypatch: pytest.MonkeyPatch
):
    def found(*addresses: str) -> Any:
        answers = list(addresses)

        def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
            address = answers.pop(0) if len(answers) > 1 else answers[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

        return getaddrinfo

    browser = Browser()
    row = browser.subscribe(ada)
    monkeypatch.setattr(socket, "getaddrinfo", found("127.0.0.1"))
    with pytest.raises(Forbidden):
        push.send(row, b"hello", topic="t")
    # The name answers otherwise the second time: requests-hardened looks for itself.
    monkeypatch.setattr(socket, "getaddrinfo", found("93.184.216.34", "127.0.0.1"))
    with pytest.raises(requests.RequestException):
        push.send(row, b"hello", topic="t")


# -- how it goes ------------------------------------------------------------------------------


def test_a_reply_is_pushed_once_with_what_it_says(
    ada: Member, bo: Member, thread: Thread, service: Service
):
    Browser().subscribe(ada)
    make_post(bo, thread)
    assert push_out() == 1
    assert push_out(timedelta(hours=1)) == 0
    [(endpoint, data)] = service.sent
    row = Notification.objects.get(member=ada)
    said = json.loads(data)
    assert endpoint == ENDPOINT
    assert said["title"] == "Bo Lind replied to you in “Is the Optra R2 still worth it?”"
    assert (said["body"], said["count"]) == ("Yes, if the rangefinder patch is clean.", 1)
    assert said["address"] == f"/notifications/{row.pk}/"


def test_who_has_no_device_has_no_sending(ada: Member, bo: Member, thread: Thread):
    make_post(bo, thread)
    run_outbox()
    assert not Sending.objects.filter(channel="push").exists()


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(
    ada: Member, bo: Member, thread: Thread, service: Service, status: int
):
    Browser().subscribe(ada)
    service.answers = [Answer(status)]
    make_post(bo, thread)
    assert push_out() == 0
    assert not PushSubscription.objects.exists()
    assert Sending.objects.get(channel="push").why == "no device took it"


def test_a_service_that_asks_for_patience_gets_it(
    ada: Member, bo: Member, thread: Thread, service: Service
):
    Browser().subscribe(ada)
    service.answers = [Answer(429, wait_seconds=3600)]
    make_post(bo, thread)
    assert push_out() == 0
    assert push_out(timedelta(minutes=30)) == 0
    assert len(service.sent) == 1
    assert push_out(timedelta(minutes=70)) == 1


def test_a_device_that_was_reached_hears_nothing_twice_while_another_is_tried_again(
    ada: Member, bo: Member, thread: Thread, service: Service
):
    Browser().subscribe(ada)
    Browser().subscribe(ada, "https://push.example/send/two")
    service.answers = [Answer(201), requests.ConnectTimeout()]
    make_post(bo, thread)
    push_out()
    push_out(timedelta(hours=1))
    assert sorted(endpoint for endpoint, _ in service.sent) == [
        ENDPOINT,
        "https://push.example/send/two",
        "https://push.example/send/two",
    ]


def test_a_browser_that_fails_again_and_again_is_forgotten(
    ada: Member, bo: Member, thread: Thread, service: Service
):
    Browser().subscribe(ada)
    PushSubscription.objects.update(failures=9)
    service.answers = [Answer(503)]
    make_post(bo, thread)
    push_out()
    assert not PushSubscription.objects.exists()


# -- a browser subscribes ---------------------------------------------------------------------


def subscribe(client: Client, **changes: str) -> int:
    browser = Browser()
    data = {"endpoint": ENDPOINT, "p256dh": browser.p256dh, "auth": b64(browser.auth)}
    return client.post("/notifications/push", {**data, **changes}).status_code


def test_a_browser_subscribes_and_is_forgotten_again(as_ada: Client, ada: Member):
    assert subscribe(as_ada) == 204
    assert subscribe(as_ada) == 204
    assert PushSubscription.objects.get().member == ada
    leaving = {"_method": "delete", "endpoint": ENDPOINT}
    assert as_ada.post("/notifications/push", leaving).status_code == 204
    assert not PushSubscription.objects.exists()


def test_who_signs_in_last_at_a_browser_has_it(as_ada: Client, as_bo: Client, bo: Member):
    subscribe(as_ada)
    subscribe(as_bo)
    assert PushSubscription.objects.get().member == bo


def test_nobody_forgets_anothers_browser(as_ada: Client, as_bo: Client, ada: Member):
    subscribe(as_ada)
    as_bo.post("/notifications/push", {"_method": "delete", "endpoint": ENDPOINT})
    as_bo.post("/notifications/push", {"_method": "delete"})
    assert PushSubscription.objects.get().member == ada


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "http://push.example/"},
        {"endpoint": "javascript:alert(1)"},
        {"endpoint": ""},
        {"p256dh": "short"},
        {"auth": "<script>"},
    ],
)
def test_what_is_no_subscription_is_not_kept(as_ada: Client, changes: dict[str, str]):
    assert subscribe(as_ada, **changes) == 422
    assert not PushSubscription.objects.exists()


def test_a_member_keeps_the_newest_twenty(as_ada: Client):
    for number in range(22):
        subscribe(as_ada, endpoint=f"https://push.example/{number}")
    kept = set(PushSubscription.objects.values_list("endpoint", flat=True))
    assert len(kept) == 20
    assert "https://push.example/0" not in kept


def test_without_a_key_nobody_is_asked(as_ada: Client, settings: Any):
    settings.VAPID_PRIVATE_KEY = ""
    assert subscribe(as_ada) == 422
    assert "<push-switch" not in as_ada.get("/settings/notifications/").content.decode()


# -- the offer --------------------------------------------------------------------------------

OFFER = "data-offer"


def answer(client: Client, address: str, said: dict[str, str]) -> str:
    return client.post(address, said, follow=True).content.decode()


def test_push_is_offered_after_watching_and_not_on_the_next_page(as_bo: Client, thread: Thread):
    address = f"/t/{thread.pk}/follow/"
    assert OFFER not in as_bo.get(thread.get_absolute_url()).content.decode()
    assert OFFER not in answer(as_bo, address, {"level": "2"})
    assert OFFER in answer(as_bo, address, {"level": "3"})
    assert OFFER not in as_bo.get(thread.get_absolute_url()).content.decode()


def test_push_is_offered_after_a_kind_was_turned_on_and_not_after_one_was_turned_off(
    as_ada: Client,
):
    address = "/settings/notifications/"
    form = as_ada.get(address).context["form"]
    said = {name: "on" for name, value in form.fields.items() if value.initial is True}
    said |= {"email_when": "away", "digest": "never", "time_zone": "UTC"}
    assert OFFER not in answer(as_ada, address, {**said, "mention-push": ""})
    assert OFFER in answer(as_ada, address, said)


def test_push_is_not_offered_by_a_site_without_a_key(as_bo: Client, thread: Thread, settings: Any):
    settings.VAPID_PRIVATE_KEY = ""
    assert OFFER not in answer(as_bo, f"/t/{thread.pk}/follow/", {"level": "3"})
