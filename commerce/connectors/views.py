from __future__ import annotations

from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from commerce.connectors.errors import EndpointExists, NotReplayable, SecretChanged
from commerce.connectors.examples import examples
from commerce.connectors.models import Delivery, DeliveryState, Endpoint
from commerce.connectors.services import open_endpoint, replay, revoke_endpoint, rotate_secret
from commerce.merchants.models import Merchant
from community.members.models import Member

DELIVERIES_PER_PAGE: Final = 25


def _merchant(request: HttpRequest, slug: str) -> tuple[Merchant, Member]:
    """The merchant and who acts for it; 404 for all who are not on its team, guests too."""
    merchant = get_object_or_404(Merchant.objects.run_by(request.user), slug=slug)
    if not isinstance(request.user, Member):
        raise Http404
    return merchant, request.user


def _live_endpoint(merchant: Merchant) -> Endpoint | None:
    return Endpoint.objects.filter(merchant=merchant, revoked_at=None).first()


def _page(
    request: HttpRequest, merchant: Merchant, *, secret: str = "", status: int = 200
) -> HttpResponse:
    endpoint = _live_endpoint(merchant)
    mine = Delivery.objects.filter(endpoint__merchant=merchant)
    counts = mine.aggregate(
        failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
        waiting=Count("pk", filter=Q(state=DeliveryState.WAITING)),
        conflicts=Count("pk", filter=Q(conflict_count__gt=0)),
    )
    only = request.GET.get("only", "")
    shown = mine.select_related("endpoint__merchant").latest_first().defer("body")
    if only == "conflicts":
        shown = shown.filter(conflict_count__gt=0)
    elif only in (DeliveryState.FAILED, DeliveryState.WAITING):
        shown = shown.filter(state=only)
    else:
        only = ""
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        shown = shown.filter(pk__lt=int(before))
    deliveries = list(shown[: DELIVERIES_PER_PAGE + 1])
    more = len(deliveries) > DELIVERIES_PER_PAGE
    deliveries = deliveries[:DELIVERIES_PER_PAGE]
    address = settings.SITE_URL + endpoint.get_absolute_url() if endpoint else ""
    context = {
        "merchant": merchant,
        "endpoint": endpoint,
        "address": address,
        "secret": secret,
        "overlap": endpoint.previous_until
        if endpoint and endpoint.overlaps(timezone.now())
        else None,
        "counts": counts,
        "only": only,
        "filtered": bool(before or only),
        "deliveries": deliveries,
        # Whole addresses: the page is also the answer to a post, whose own address cannot be read.
        "newest": _address(merchant, only) if before else "",
        "older": _address(merchant, only, before=deliveries[-1].pk) if more else "",
        **examples(address, merchant.currency),
    }
    return render(request, "commerce/connectors/show.html", context, status=status)


def _address(merchant: Merchant, only: str, *, before: int | None = None) -> str:
    query = {"only": only, "before": str(before or "")}
    said = urlencode({name: value for name, value in query.items() if value})
    return f"{reverse('connector', args=[merchant.slug])}?{said}#deliveries"


@never_cache
@require_GET
def connector(request: HttpRequest, slug: str) -> HttpResponse:
    """How a merchant's shop reports its orders: address, secret, deliveries, how to begin."""
    merchant, _ = _merchant(request, slug)
    return _page(request, merchant)


# The next two answer with the page itself: the secret is in it once and kept nowhere readable.
@never_cache
@require_POST
def endpoint(request: HttpRequest, slug: str) -> HttpResponse:
    merchant, member = _merchant(request, slug)
    try:
        _, secret = open_endpoint(merchant=merchant, by=member)
    except EndpointExists:
        messages.info(
            request, gettext("There is an address already. A new secret is one press away.")
        )
        return redirect("connector", slug)
    return _page(request, merchant, secret=secret, status=201)


@never_cache
@require_POST
def secret(request: HttpRequest, slug: str) -> HttpResponse:
    merchant, member = _merchant(request, slug)
    row = _posted_endpoint(request, merchant)
    try:
        made = rotate_secret(endpoint=row, by=member, ending=request.POST.get("ending", ""))
    except SecretChanged:
        messages.warning(
            request, gettext("The secret was changed already, so this press changed nothing.")
        )
        return redirect("connector", slug)
    return _page(request, merchant, secret=made, status=201)


@require_POST
def closing(request: HttpRequest, slug: str) -> HttpResponse:
    """Close the address for good."""
    merchant, member = _merchant(request, slug)
    revoke_endpoint(endpoint=_posted_endpoint(request, merchant), by=member)
    messages.success(request, gettext("The address is closed. What came in before stays."))
    return redirect("connector", slug)


def _posted_endpoint(request: HttpRequest, merchant: Merchant) -> Endpoint:
    # Named by the form: a page from before the address was closed must not touch the next one.
    try:
        public_id = UUID(request.POST.get("endpoint", ""))
    except ValueError:
        raise Http404 from None
    return get_object_or_404(Endpoint, merchant=merchant, public_id=public_id)


def _delivery(request: HttpRequest, slug: str, delivery_id: int) -> Delivery:
    rows = Delivery.objects.visible_to(request.user).select_related("endpoint__merchant")
    return get_object_or_404(rows, endpoint__merchant__slug=slug, pk=delivery_id)


@never_cache
@require_GET
def delivery(request: HttpRequest, slug: str, delivery_id: int) -> HttpResponse:
    """One delivery: what came, what became of it, and processing it again."""
    row = _delivery(request, slug, delivery_id)
    context = {
        "merchant": row.endpoint.merchant,
        "delivery": row,
        "body": bytes(row.body).decode(errors="replace"),
        "sender": row.headers.get("User-Agent", ""),
        "may_replay": row.state != DeliveryState.PROCESSED,
    }
    return render(request, "commerce/connectors/delivery.html", context)


@require_POST
def delivery_replay(request: HttpRequest, slug: str, delivery_id: int) -> HttpResponse:
    row = _delivery(request, slug, delivery_id)
    try:
        replay(row)
    except NotReplayable:
        messages.info(request, gettext("It was processed already: there is nothing to do again."))
    else:
        messages.success(request, gettext("It is processed again in a moment."))
    return redirect(row)
