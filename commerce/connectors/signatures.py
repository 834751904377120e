"""Signatures of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.utils import timezone
from standardwebhooks import Webhook

from commerce.connectors.errors import Refused
from commerce.connectors.models import EXTERNAL_ID_MAX_CHARS

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
# Room for a shop that signs with a few secrets at once, and no more work than that.
SIGNATURE_MAX_CHARS: Final = 1_000
# No dot: it separates the id from the time in what is signed.
_ID: Final = re.compile(rf"[A-Za-z0-9_:/+=@~-]{{1,{EXTERNAL_ID_MAX_CHARS}}}")
_SECONDS: Final = re.compile(r"[0-9]{1,11}")


@dataclass(frozen=True)
class Envelope:
    """What the headers of a delivery say."""

    external_id: str
    sent_at: datetime
    signature: str


def read_envelope(headers: Mapping[str, str], *, now: datetime) -> Envelope:
    """Return what the headers say. Raises Refused (400): missing, not readable, or stale.

    The time may be off by WEBHOOK_TOLERANCE_SECONDS either way, both ends included.
    """
    missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if not headers.get(name)]
    if missing:
        raise Refused(400, f"The delivery is not signed: {', '.join(missing)} is missing.")
    if not _ID.fullmatch(headers[ID]):
        raise Refused(
            400,
            f"{ID} must be 1 to {EXTERNAL_ID_MAX_CHARS} letters, digits or any of _ : / + = @ ~ -.",
        )
    if not _SECONDS.fullmatch(headers[TIMESTAMP]):
        raise Refused(400, f"{TIMESTAMP} must be whole seconds since 1970.")
    if len(headers[SIGNATURE]) > SIGNATURE_MAX_CHARS:
        raise Refused(400, f"{SIGNATURE} is longer than {SIGNATURE_MAX_CHARS} characters.")
    seconds = int(headers[TIMESTAMP])
    late = int(now.timestamp()) - seconds
    if abs(late) > settings.WEBHOOK_TOLERANCE_SECONDS:
        minutes = settings.WEBHOOK_TOLERANCE_SECONDS // 60
        side = "old" if late > 0 else "far ahead"
        raise Refused(
            400, f"{TIMESTAMP} is too {side}: it may be {minutes} minutes off. Sign again and send."
        )
    return Envelope(headers[ID], datetime.fromtimestamp(seconds, UTC), headers[SIGNATURE])


def is_signed(envelope: Envelope, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of `secrets` signed exactly this id, time and body. Constant time; never raises.

    All secrets are tried, so that the time taken does not say which one it was.
    """
    found = [_signed_with(secret, envelope, body) for secret in secrets]
    return any(found)


def _signed_with(secret: str, envelope: Envelope, body: bytes) -> bool:
    try:
        expected = _signature(secret, envelope.external_id, envelope.sent_at, body).encode()
        sent = envelope.signature.encode().split()
    except Exception:
        # A body that is not text, a secret that is not base64: the library raises what it meets.
        return False
    found = [hmac.compare_digest(expected, each) for each in sent]
    return any(found)


def _signature(secret: str, external_id: str, at: datetime, body: bytes) -> str:
    # The library's verify() reads the clock by itself and lets four kinds of errors through.
    signed: str = Webhook(secret).sign(
        msg_id=external_id, timestamp=at.astimezone(UTC), data=body.decode()
    )
    return signed


def sign(
    secret: str, body: bytes, *, external_id: str, at: datetime | None = None
) -> dict[str, str]:
    """Return the three headers a shop sends with `body`: for our own tests and simulations."""
    at = at or timezone.now()
    return {
        ID: external_id,
        TIMESTAMP: str(int(at.timestamp())),
        SIGNATURE: _signature(secret, external_id, at, body),
    }
