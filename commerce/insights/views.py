"""Pages of a merchant's figures. Its team reads them; for everybody else they are not there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from commerce.attribution.models import AttributionRun
from commerce.attribution.places import show_chats, show_threads
from commerce.attribution.services import current_run
from commerce.attribution.why import age_words
from commerce.connectors.models import Endpoint
from commerce.insights.figures import AMONG_PEOPLE, Daily, Spot, SpotSums, best_spots, daily
from commerce.insights.lines import (
    KINDS,
    NOWHERE,
    Filter,
    Row,
    Total,
    all_lines,
    read_lines,
    total_of,
)
from commerce.insights.overview import (
    CHAT_OF_PEOPLE,
    CLOSED_CHAT,
    CLOSED_THREAD,
    LISTING_PAGE,
    cards,
    rest_rows,
    sales_chart,
    spot_rows,
)
from commerce.insights.period import PRESETS, Period, PeriodForm
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant, MerchantKind
from commerce.placements.models import Placement
from community.members.web import MemberRequest, member_required
from config.money import typed

TOP_SPOTS = 10
SPOTS_PER_PAGE = 50
LINES_PER_PAGE = 50
CSV_CHUNK = 500


@require_GET
@member_required
def my_sales(request: MemberRequest) -> HttpResponse:
    """To the figures of the shop the member joined first, else to their selling.

    The account menu links here, so that no page asks for a member's shops only to name one.
    """
    mine = Merchant.objects.filter(team__member=request.user, kind=MerchantKind.SHOP)
    shop = mine.order_by("team__added_at", "pk").first()
    return redirect("merchant", shop.slug) if shop else redirect("my_listings")


@require_GET
@member_required
def overview(request: MemberRequest, slug: str) -> HttpResponse:
    """What your threads sold, over `period` (7d, 30d, 90d, 12m) or `from` and `to`."""
    merchant, mine = _merchants(request, slug)
    form, period = _period(request)
    run = current_run(merchant)
    found = _daily(merchant, run, period)
    if not found.days and not found.elsewhere and _is_new(merchant):
        return render(
            request,
            "commerce/insights/empty.html",
            {"merchant": merchant, "mine": mine, "steps": _first_steps(merchant)},
        )
    total = found.over(period)
    spots = best_spots(
        merchant_id=merchant.pk,
        run_id=run.pk if run else None,
        currency=merchant.currency,
        period=period,
        most=TOP_SPOTS,
    )
    rows = spot_rows(merchant, period, spots.rows, request.user)
    return render(
        request,
        "commerce/insights/overview.html",
        {
            "merchant": merchant,
            "mine": mine,
            "run": run,
            "window": _window(run),
            "form": form,
            "period": period,
            "presets": _presets(period),
            "cards": cards(merchant, period, found),
            "chart": sales_chart(merchant, period, found),
            "total": total,
            "rows": [*rows, *rest_rows(merchant, period, total, spots, rows)],
            # By series of the palette, as the legend beside it has them.
            "split": [
                (1, total.direct_minor),
                (4, total.halo_minor),
                (0, total.unattributed_minor),
            ],
            "elsewhere": found.elsewhere,
        },
        status=200 if form.is_valid() else 422,
    )


@require_GET
@member_required
def threads(request: MemberRequest, slug: str) -> HttpResponse:
    """Every thread, chat and page with direct credit in a period, best seller first."""
    merchant, mine = _merchants(request, slug)
    form, period = _period(request)
    run = current_run(merchant)
    spots = best_spots(
        merchant_id=merchant.pk,
        run_id=run.pk if run else None,
        currency=merchant.currency,
        period=period,
        most=SPOTS_PER_PAGE + 1,
        after=_read_spot(request.GET.get("after", "")),
    )
    page = spots.rows[:SPOTS_PER_PAGE]
    older = ""
    if len(spots.rows) > SPOTS_PER_PAGE:
        older = f"?{period.query}&{urlencode({'after': _write_spot(page[-1])})}"
    return render(
        request,
        "commerce/insights/threads.html",
        {
            "merchant": merchant,
            "mine": mine,
            "form": form,
            "period": period,
            "presets": _presets(period),
            "total": _daily(merchant, run, period).over(period),
            "count": spots.count,
            "rows": spot_rows(merchant, period, page, request.user),
            "newer": f"?{period.query}" if request.GET.get("after") else "",
            "older": older,
        },
        status=200 if form.is_valid() else 422,
    )


@require_GET
@member_required
def order_lines(request: MemberRequest, slug: str) -> HttpResponse:
    """The lines a figure is made of: `from`, `to`, `kind`, `thread` (or none), `chat`,
    `currency`; keyset `after`. Each says why it was credited."""
    merchant, mine = _merchants(request, slug)
    form, period = _period(request)
    run = current_run(merchant)
    asked = _filter(request, merchant, period)
    after = request.GET.get("after", "")
    rows = read_lines(run, asked, request.user, most=LINES_PER_PAGE + 1, after=after) if run else []
    page = rows[:LINES_PER_PAGE]
    narrowed = _query(asked, merchant)
    return render(
        request,
        "commerce/insights/lines.html",
        {
            "merchant": merchant,
            "mine": mine,
            "form": form,
            "period": period,
            "asked": asked,
            "place": _place_words(request, asked),
            "kinds": [
                (kind, words, _query(asked, merchant, kind=kind))
                for kind, words in KINDS.items()
                if not asked.nowhere or kind in ("", "direct", "halo", "attributed")
            ],
            "narrowed": narrowed,
            "everything": f"?{period.query}",
            "total": total_of(run, asked) if run else Total(0, 0, 0, 0),
            "rows": page,
            "newer": f"?{narrowed}" if after else "",
            "older": f"?{narrowed}&after={page[-1].after}" if len(rows) > len(page) else "",
        },
        status=200 if form.is_valid() else 422,
    )


@require_GET
@member_required
def order_lines_csv(request: MemberRequest, slug: str) -> HttpResponse:
    """The same lines, all of them, for a spreadsheet. Amounts are decimals in `currency`."""
    merchant = get_object_or_404(Merchant.objects.run_by(request.user), slug=slug)
    form, period = _period(request)
    if not form.is_valid():
        raise Http404
    run = current_run(merchant)
    asked = _filter(request, merchant, period)
    rows = all_lines(run, asked, request.user, chunk=CSV_CHUNK) if run else iter(())
    name = f"{merchant.slug}-{period.start.isoformat()}-{period.last.isoformat()}.csv"
    response = StreamingHttpResponse(_csv(rows, slug), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response  # type: ignore[return-value]  # a response like any other to whoever sends it


# -- what the address asks for ----------------------------------------------------------------


def _merchants(request: MemberRequest, slug: str) -> tuple[Merchant, list[Merchant]]:
    """Return the merchant of the page, and all the member acts for. One query."""
    mine = list(Merchant.objects.run_by(request.user).order_by("name", "pk"))
    for merchant in mine:
        if merchant.slug == slug:
            return merchant, mine
    raise Http404


def _period(request: MemberRequest) -> tuple[PeriodForm, Period]:
    form = PeriodForm(request.GET, today=timezone.now().date())
    period = form.asked
    if form.is_valid():
        form.fill(period)
    return form, period


def _presets(period: Period) -> list[tuple[str, str, bool]]:
    words = {
        "7d": gettext("7 d"),
        "30d": gettext("30 d"),
        "90d": gettext("90 d"),
        "12m": gettext("12 m"),
    }
    return [(name, words[name], name == period.preset) for name in PRESETS]


def _filter(request: MemberRequest, merchant: Merchant, period: Period) -> Filter:
    """Read the filters of order lines; what makes no sense finds nothing rather than all."""
    said = request.GET
    kind = said.get("kind", "")
    thread, chat = said.get("thread", ""), said.get("chat", "")
    currency = said.get("currency", "") or merchant.currency
    if kind not in KINDS:
        raise Http404
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise Http404
    return Filter(
        period=period,
        currency=currency,
        kind=kind,
        thread=_id(thread) if thread and thread != NOWHERE else None,
        chat=_id(chat) if chat else None,
        nowhere=thread == NOWHERE,
    )


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    return int(text)


def _query(asked: Filter, merchant: Merchant, **changed: str) -> str:
    """Write the filters as an address asks for them."""
    said: dict[str, Any] = {
        "kind": asked.kind,
        "thread": NOWHERE if asked.nowhere else asked.thread,
        "chat": asked.chat,
        "currency": "" if asked.currency == merchant.currency else asked.currency,
        **changed,
    }
    filters = urlencode({name: value for name, value in said.items() if value not in ("", None)})
    return f"{asked.period.query}{f'&{filters}' if filters else ''}"


def _place_words(request: MemberRequest, asked: Filter) -> str:
    """Name the thread or chat the lines are narrowed to, as far as the reader may know it."""
    if asked.nowhere:
        return str(LISTING_PAGE)
    if asked.thread:
        thread = show_threads([asked.thread], request.user).get(asked.thread)
        return str(thread.title if thread else CLOSED_THREAD)
    if asked.chat == AMONG_PEOPLE:
        return str(CHAT_OF_PEOPLE)
    if asked.chat:
        chat = show_chats([asked.chat], request.user).get(asked.chat)
        return str(chat.title if chat else CLOSED_CHAT)
    return ""


def _write_spot(row: SpotSums) -> str:
    return f"{row.gross_minor}-{row.spot.thread_id or 0}-{row.spot.chat_key}"


def _read_spot(after: str) -> SpotSums | None:
    parts = after.split("-")
    if len(parts) != 3 or not all(
        part.isascii() and part.isdigit() and len(part) < 19 for part in parts
    ):
        return None
    gross, thread, chat = map(int, parts)
    return SpotSums(Spot(thread or None, chat - 1 if chat else None), gross, 0, 0, 0)


# -- what it gets -----------------------------------------------------------------------------


def _daily(merchant: Merchant, run: AttributionRun | None, period: Period) -> Daily:
    return daily(
        merchant_id=merchant.pk,
        run_id=run.pk if run else None,
        currency=merchant.currency,
        period=period,
    )


def _window(run: AttributionRun | None) -> str:
    """How long before an order a click counts: "30 days"."""
    return age_words(timedelta(seconds=run.params["click_window_seconds"])) if run else ""


def _is_new(merchant: Merchant) -> bool:
    return not (merchant.orders.exists() or merchant.touchpoints.exists())


def _first_steps(merchant: Merchant) -> list[tuple[str, str, str, str, bool]]:
    """What to do before anything can be sold: title, words, address, action, whether done."""
    own = Listing.objects.filter(merchant=merchant)
    return [
        (
            gettext("Write a listing"),
            gettext("What you sell, with its price and its page at your shop."),
            reverse("sell"),
            gettext("Sell something"),
            own.exists(),
        ),
        (
            gettext("Connect your shop"),
            gettext(
                "Your orders arrive here signed, and are credited to the thread they began in."
            ),
            reverse("connector", args=[merchant.slug]),
            gettext("Connect"),
            Endpoint.objects.filter(merchant=merchant, revoked_at=None).exists(),
        ),
        (
            gettext("Be where it is talked about"),
            gettext(
                "Place a listing beside a post, or name it in one: a reader's click counts from"
                " then."
            ),
            reverse("groups"),
            gettext("Find a group"),
            Placement.objects.shown().filter(listing__in=own).exists(),
        ),
    ]


# -- CSV --------------------------------------------------------------------------------------

_COLUMNS = (
    *("placed_at", "order", "line", "sku", "quantity", "sales", "net", "currency"),
    *("credited_as", "where", "address", "why", "more"),
)


class _Echo:
    """What csv writes to: gives each row back."""

    def write(self, row: str) -> str:
        return row


def _csv(rows: Iterator[Row], slug: str) -> Iterator[str]:
    writer = csv.writer(_Echo())
    # The mark by which spreadsheets know that the file is UTF-8.
    yield "\ufeff" + writer.writerow(_COLUMNS)
    for row in rows:
        yield writer.writerow(_cells(row, slug))


def _cells(row: Row, slug: str) -> list[str]:
    line, order, share = row.line, row.line.order, row.share
    place = share.place if share else None
    return [
        order.placed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        _harmless(order.external_id),
        _harmless(str(line)),
        _harmless(line.sku),
        str(line.quantity),
        typed(row.gross_minor, order.currency),
        typed(row.net_minor, order.currency),
        order.currency,
        share.kind.value if share else "",
        _harmless(str(place.title) if place else ""),
        place.href if place else "",
        _harmless(share.sentence if share else ""),
        reverse("merchant_order", args=[slug, order.pk]),
    ]


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a shop's words for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
