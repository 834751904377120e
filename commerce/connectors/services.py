from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from commerce.connectors.errors import (
    DeliveryConflict,
    EndpointExists,
    NotReplayable,
    SecretChanged,
)
from commerce.connectors.models import Delivery, DeliveryState, Endpoint
from commerce.connectors.secrets import (
    decrypt,
    encrypt,
    last_four,
    new_secret,
    reencrypt,
    under_newest_key,
)
from commerce.connectors.signatures import Envelope
from commerce.events import DeliveryReceived
from commerce.merchants.models import Merchant
from commerce.merchants.services import ensure_on_team
from community.members.models import Member
from config.outbox import publish

# How long the secret before the last rotation still signs.
OVERLAP: Final = timedelta(hours=24)
KEPT_HEADERS: Final = ("User-Agent", "Content-Type", "webhook-id", "webhook-timestamp")
HEADER_MAX_CHARS: Final = 300


# -- endpoints and their secrets --------------------------------------------------------------


@transaction.atomic
def open_endpoint(*, merchant: Merchant, by: Member) -> tuple[Endpoint, str]:
    """Give the merchant an address to post to; return it and its secret, shown this once.

    Raises NotOnTeam (merchants) or EndpointExists.
    """
    ensure_on_team(by, merchant)
    secret = new_secret()
    try:
        with transaction.atomic():
            endpoint = Endpoint.objects.create(
                merchant=merchant,
                secret=encrypt(secret),
                last_four=last_four(secret),
                created_by=by,
            )
    except IntegrityError as error:
        raise EndpointExists from error
    return endpoint, secret


@transaction.atomic
def rotate_secret(*, endpoint: Endpoint, by: Member, ending: str) -> str:
    """Give the endpoint a new secret and return it; the one so far signs for another OVERLAP.

    `ending` is the last four of the secret to replace, so that a form sent twice rotates once.
    Raises NotOnTeam (merchants) or SecretChanged.
    """
    ensure_on_team(by, endpoint.merchant)
    row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
    if row.last_four != ending or row.revoked_at:
        raise SecretChanged
    secret, now = new_secret(), timezone.now()
    row.previous_secret, row.previous_until = row.secret, now + OVERLAP
    row.secret, row.last_four, row.rotated_at = encrypt(secret), last_four(secret), now
    row.save()
    return secret


@transaction.atomic
def revoke_endpoint(*, endpoint: Endpoint, by: Member) -> None:
    """Close the address for good: it answers 410, and the merchant may open another.

    Raises NotOnTeam (merchants). What it took in stays and is processed.
    """
    ensure_on_team(by, endpoint.merchant)
    Endpoint.objects.filter(pk=endpoint.pk, revoked_at=None).update(revoked_at=timezone.now())


def signing_secrets(endpoint: Endpoint, *, at: datetime) -> list[str]:
    """Return the secrets that may sign now, the current one first. Raises SecretUnreadable."""
    stored = [endpoint.secret]
    if endpoint.overlaps(at):
        stored.append(endpoint.previous_secret)
    return [decrypt(each) for each in stored]


def rotate_field_key(endpoint_id: int) -> bool:
    """Bring one endpoint's secrets to the newest of settings.FIELD_KEYS; False if they were.

    Raises SecretUnreadable and leaves the row as it is.
    """
    with transaction.atomic():
        row = Endpoint.objects.select_for_update().get(pk=endpoint_id)
        if under_newest_key(row.secret) and (
            not row.previous_secret or under_newest_key(row.previous_secret)
        ):
            return False
        row.secret = reencrypt(row.secret)
        if row.previous_secret:
            row.previous_secret = reencrypt(row.previous_secret)
        row.save(update_fields=["secret", "previous_secret"])
    return True


# -- deliveries -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """A delivery that is stored; `new` says whether it was this time."""

    delivery: Delivery
    new: bool


def take_in(
    *,
    endpoint: Endpoint,
    envelope: Envelope,
    body: bytes,
    kind: str,
    order_external_id: str,
    headers: dict[str, str],
) -> Taken:
    """Store a delivery whose signature and shape were checked, and announce DeliveryReceived.

    The same id with the same body is the one stored before. Raises DeliveryConflict when the body
    differs; that is counted on the stored delivery, for the merchant to see.
    """
    fingerprint = hashlib.sha256(body).hexdigest()
    try:
        with transaction.atomic():
            delivery = Delivery.objects.create(
                endpoint=endpoint,
                external_id=envelope.external_id,
                kind=kind,
                order_external_id=order_external_id,
                body=body,
                body_sha256=fingerprint,
                headers=headers,
                sent_at=envelope.sent_at,
            )
            publish(DeliveryReceived(delivery.pk))
    except IntegrityError:
        stored = Delivery.objects.filter(endpoint=endpoint, external_id=envelope.external_id)
        delivery = stored.get()
        if delivery.body_sha256 != fingerprint:
            stored.update(conflict_count=F("conflict_count") + 1, conflict_at=timezone.now())
            raise DeliveryConflict from None
        return Taken(delivery, new=False)
    return Taken(delivery, new=True)


@transaction.atomic
def replay(delivery: Delivery) -> None:
    """Process a delivery again that was not processed. Raises NotReplayable.

    Safe at any time: what it says is written once, however often it runs.
    """
    row = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if row.state == DeliveryState.PROCESSED:
        raise NotReplayable
    row.state = DeliveryState.RECEIVED
    row.save(update_fields=["state"])
    publish(DeliveryReceived(row.pk))


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the few headers worth keeping, cut to HEADER_MAX_CHARS; never the signature."""
    return {
        name: headers[name][:HEADER_MAX_CHARS].replace("\x00", "")
        for name in KEPT_HEADERS
        if headers.get(name)
    }
