"""Web push: encrypted for one browser (RFC 8291), signed by the site (RFC 8292), sent with care.

The address of a push service comes from a browser, so from anybody: it is reached as any outgoing
address is (https on port 443, public addresses only, no redirects, short times).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import json
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import http_ece
import requests
import structlog
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from py_vapid import Vapid02
from requests_hardened import Config, Manager

from community.notifications.models import PushSubscription
from config.outgoing import is_public

log = structlog.stdlib.get_logger(__name__)

PAYLOAD_MAX_BYTES: Final = 3_000  # services take 4,096 with all that encryption adds
TTL_SECONDS: Final = 24 * 3600  # a device asleep for longer hears nothing of it
TOKEN_SECONDS: Final = 12 * 3600  # RFC 8292 allows a day
CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 3.0
RETRY_SECONDS_MAX: Final = 24 * 3600

# requests-hardened looks at the address it connects to; see docs/mail-and-push.md.
_outgoing: Final = Manager(
    Config(
        ip_filter_enable=True,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
        user_agent_override="Shoal",
    )
)


class Forbidden(ValueError):
    """An address we do not send to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a push service said: `wait_seconds` when it asked for patience."""

    status: int
    wait_seconds: int = 0

    @property
    def is_gone(self) -> bool:
        return self.status in (404, 410)

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


# -- keys -------------------------------------------------------------------------------------


def new_private_key() -> str:
    """Make a key for settings.VAPID_PRIVATE_KEY: 32 bytes in URL-safe base64."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _b64(number.to_bytes(32, "big"))


def public_key(private: str | None = None) -> str:
    """Return what browsers are told; empty when no key is set, and nobody is asked."""
    private = settings.VAPID_PRIVATE_KEY if private is None else private
    return _public_key(private) if private else ""


@lru_cache(maxsize=4)
def _public_key(private: str) -> str:
    return _b64(_point(_vapid(private).public_key))


@lru_cache(maxsize=4)
def _vapid(private: str) -> Any:
    return Vapid02.from_raw(private.encode())


# -- a message --------------------------------------------------------------------------------


def payload(*, title: str, body: str, address: str, tag: str, count: int) -> bytes:
    """Write what the service worker shows. A long body is cut, so that services take it."""
    said = {"title": title[:200], "body": body, "address": address, "tag": tag, "count": count}
    while len(data := json.dumps(said, ensure_ascii=False).encode()) > PAYLOAD_MAX_BYTES:
        body = body[: len(body) * 3 // 4]
        said["body"] = body.rstrip() + "…"
    return data


def encrypt(subscription: PushSubscription, data: bytes) -> bytes:
    """Encrypt for one browser. Raises Forbidden for keys that are none."""
    try:
        encrypted: bytes = http_ece.encrypt(
            data,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_unb64(subscription.p256dh),
            auth_secret=_unb64(subscription.auth),
            version="aes128gcm",
        )
    except (ValueError, InvalidKey, binascii.Error, http_ece.ECEException) as error:
        raise Forbidden("The browser's keys are no keys.") from error
    return encrypted


def headers(endpoint: str, *, topic: str, now: float | None = None) -> dict[str, str]:
    """Say who sends. A second message of one topic takes the place of the first, if it waits."""
    parts = urlsplit(endpoint)
    signed: dict[str, str] = _vapid(settings.VAPID_PRIVATE_KEY).sign(
        {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((time.time() if now is None else now) + TOKEN_SECONDS),
            "sub": settings.VAPID_CONTACT,
        }
    )
    return {
        **signed,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL_SECONDS),
        "Urgency": "normal",
        # At most 32 characters of URL-safe base64.
        "Topic": _b64(hashlib.sha256(topic.encode()).digest()[:18]),
    }


def send(subscription: PushSubscription, data: bytes, *, topic: str) -> Answer:
    """Hand a message to the browser's push service.

    Raises Forbidden for an address we do not go to, requests.RequestException when nobody answers.
    """
    ensure_outside(subscription.endpoint)
    body = encrypt(subscription, data)
    with _outgoing.get_session() as session:
        session.trust_env = False  # no proxy stands between the check and the connection
        answer = session.request(
            "POST",
            subscription.endpoint,
            data=body,
            headers=headers(subscription.endpoint, topic=topic),
            stream=True,  # what it says besides its status is not read
            allow_redirects=False,
        )
        answer.close()
    return Answer(answer.status_code, _patience(answer.headers.get("Retry-After", "")))


def ensure_outside(endpoint: str) -> None:
    """Raise Forbidden unless this is https on port 443 at a name with public addresses alone.

    The connection itself is checked again by requests-hardened: a name may answer differently.
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port or 443
    except ValueError:
        raise Forbidden("That is no address.") from None
    if parts.scheme != "https" or port != 443 or not parts.hostname or "@" in parts.netloc:
        raise Forbidden("Push services are reached by https on port 443.")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise requests.ConnectionError("The name cannot be found.") from None
    for *_, address in found:
        if not is_public(ipaddress.ip_address(str(address[0]).partition("%")[0])):
            raise Forbidden("That is not a public address.")


def _patience(said: str) -> int:
    """Read Retry-After, seconds or a date; at most a day."""
    if said.isascii() and said.isdecimal():
        return min(int(said[:9]), RETRY_SECONDS_MAX)
    try:
        until = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return 0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    left = until - datetime.now(UTC)
    return max(0, int(min(left, timedelta(seconds=RETRY_SECONDS_MAX)).total_seconds()))


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
