"""The generic endpoint: check, store, answer. Whatever is refused leaves no row."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.http import HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from commerce.connectors.errors import DeliveryConflict, Refused, SecretUnreadable
from commerce.connectors.generic import parse
from commerce.connectors.models import Endpoint
from commerce.connectors.services import Taken, kept_headers, signing_secrets, take_in
from commerce.connectors.signatures import is_signed, read_envelope

log = structlog.stdlib.get_logger(__name__)


# The signature says who sent it; there is no session that a foreign page could ride on.
@csrf_exempt
def generic_hook(request: HttpRequest, public_id: UUID) -> JsonResponse:
    """Take a delivery: 202 when it is stored, 200 when it was before, or a 4xx with a sentence."""
    try:
        taken = _receive(request, public_id)
    except Refused as refusal:
        log.info("delivery refused", endpoint=str(public_id), status=refusal.status)
        headers = {"Allow": "POST"} if refusal.status == 405 else {}
        return JsonResponse({"error": refusal.sentence}, status=refusal.status, headers=headers)
    except SecretUnreadable:
        log.exception("secret unreadable", endpoint=str(public_id))
        return JsonResponse(
            {"error": "We cannot check signatures at the moment. Send it again later."},
            status=503,
            headers={"Retry-After": "300"},
        )
    delivery = taken.delivery
    answer = {"delivery": delivery.external_id, "state": delivery.state, "new": taken.new}
    return JsonResponse(answer, status=202 if taken.new else 200)


def _receive(request: HttpRequest, public_id: UUID) -> Taken:
    if request.method != "POST":
        raise Refused(405, "Deliveries come by POST.")
    body = read_body(request)
    endpoint = Endpoint.objects.filter(public_id=public_id).first()
    if endpoint is None:
        raise Refused(404, "There is no such endpoint.")
    if endpoint.revoked_at:
        raise Refused(410, "This endpoint was closed. Stop sending to it.")
    if request.content_type != "application/json":
        raise Refused(415, "The content type must be application/json.")
    now = timezone.now()
    envelope = read_envelope(request.headers, now=now)
    if not is_signed(envelope, body, signing_secrets(endpoint, at=now)):
        raise Refused(
            401, "The signature does not fit: wrong secret, or the body was changed on its way."
        )
    parsed = parse(body, now=now)
    try:
        return take_in(
            endpoint=endpoint,
            envelope=envelope,
            body=body,
            kind=parsed.kind,
            order_external_id=parsed.order_external_id,
            headers=kept_headers(request.headers),
        )
    except DeliveryConflict:
        log.warning("delivery in conflict", endpoint=str(public_id))
        raise Refused(
            409, "This webhook-id was used before with another body. A new event needs a new id."
        ) from None


def read_body(request: HttpRequest) -> bytes:
    """Return the body, reading at most one byte more than may be. Raises Refused 411, 413 or 400.

    A body without a length (chunked) is read only where the server marks its end.
    """
    most = settings.WEBHOOK_MAX_BYTES
    too_large = Refused(413, f"A delivery has at most {most // 1024} kB.")
    length = request.META.get("CONTENT_LENGTH") or ""
    try:
        if length:
            if not length.isascii() or not length.isdigit():
                raise Refused(400, "Content-Length must be a number.")
            if int(length) > most:
                raise too_large
            body: bytes = request.read(most + 1)
        elif request.META.get("wsgi.input_terminated"):
            body = request.META["wsgi.input"].read(most + 1)
        else:
            raise Refused(411, "Send a Content-Length.")
    except (UnreadablePostError, RequestAborted, OSError) as error:
        raise Refused(400, "The body broke off.") from error
    if len(body) > most:
        raise too_large
    if length and len(body) < int(length):
        raise Refused(400, "The body broke off.")
    return body
