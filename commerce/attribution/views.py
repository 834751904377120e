"""One order as its merchant's team sees it: what was bought and why it was credited so."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from commerce.attribution.models import Credit
from commerce.attribution.services import current_run
from commerce.attribution.why import LineWhy, age_words, explain
from commerce.merchants.models import Merchant
from commerce.orders.models import Order
from community.members.web import MemberRequest, member_required

# The touches of so many lines are shown at once; of a longer order `?line=` chooses one.
LINES_WITH_TOUCHES = 8


@require_GET
@member_required
def merchant_order(request: MemberRequest, slug: str, order_id: int) -> HttpResponse:
    """Every line, what it is credited to, the clicks seen and the rule on each."""
    merchant = get_object_or_404(Merchant.objects.run_by(request.user), slug=slug)
    order = get_object_or_404(
        Order.objects.visible_to(request.user), pk=order_id, merchant=merchant
    )
    run = current_run(merchant)
    lines = list(order.lines.select_related("listing"))
    why = explain([order], run, request.user, seen=True)[order.pk] if run else None
    chosen = request.GET.get("line", "")
    open_lines = {line.pk for line in lines if len(lines) <= LINES_WITH_TOUCHES}
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 19:
        open_lines = {line.pk for line in lines if line.pk == int(chosen)} or open_lines
    ledger = (
        list(
            Credit.objects.filter(run=run, order=order)
            .select_related("order_line", "refund")
            .order_by("pk")
        )
        if run
        else []
    )
    return render(
        request,
        "commerce/attribution/order.html",
        {
            "merchant": merchant,
            "order": order,
            "run": run,
            "window": age_words(timedelta(seconds=run.params["click_window_seconds"]))
            if run
            else "",
            "rows": [
                {
                    "line": line,
                    "why": why.lines[line.pk] if why else LineWhy(),
                    "open": line.pk in open_lines,
                }
                for line in lines
            ],
            "sold_minor": sum(line.net_minor for line in lines),
            "net_minor": sum(credit.amount_minor for credit in ledger),
            "ledger": ledger,
            "refunds": [
                (refund, why.dropped.get(refund.pk, 0) if why else 0)
                for refund in order.refunds.all()
            ],
        },
    )
