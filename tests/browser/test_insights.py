"""A merchant's pages in a browser: both themes, narrow windows, large text, the chart's cursor."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from commerce.merchants.models import Merchant
from commerce.orders.models import Order
from community.members.models import Member
from community.threads.models import Thread
from config.outbox import drain
from tests.browser.conftest import OpenBrowser
from tests.factories import make_member, make_post
from tests.factories_attribution import (
    DAY,
    NOON,
    line,
    make_click,
    report_order,
    report_refund,
)
from tests.factories_orders import make_sale, make_shop

SPAN = "from=2026-11-01&to=2026-11-21"


@pytest.fixture
def seller(transactional_db: None) -> Member:
    return make_member("noor", name="Noor Haddad")


@pytest.fixture
def shop(seller: Member, ada: Member, thread: Thread) -> Merchant:
    """A shop with sales on several days, one of each kind of credit, a refund, and a new one."""
    shop = make_shop(seller, currency="GBP")
    camera = make_sale(shop, title="Optra R2 rangefinder with a rather long name for a narrow page")
    post = make_post(ada, thread)
    for number in range(6):
        at = NOON - number * 3 * DAY
        click = make_click(camera, post, at=at - DAY) if number % 3 else None
        order = report_order(
            shop,
            line(123_456_789, camera, number="1"),
            line(4_550, number="2"),
            number=f"A{number}",
            click=click,
            at=at,
        )
    report_refund(order, ("1", 2_000))
    drain()
    make_shop(seller)
    return shop


def pages(shop: Merchant) -> dict[str, str]:
    base = f"/merchants/{shop.slug}"
    empty = Merchant.objects.exclude(pk=shop.pk).get()
    order = Order.objects.filter(credits__kind="direct").first()
    assert order
    return {
        "overview": f"{base}/?{SPAN}",
        "own days, refused": f"{base}/?from=2026-11-05&to=2026-11-05&period=no",
        "threads": f"{base}/threads/?{SPAN}",
        "lines": f"{base}/lines/?{SPAN}",
        "order": f"{base}/orders/{order.pk}/",
        "new merchant": f"/merchants/{empty.slug}/",
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.django_db(transaction=True)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    shop: Merchant, seller: Member, open_browser: OpenBrowser, theme: str
) -> None:
    context = open_browser(seller, color_scheme=theme)
    page = context.new_page()
    for name, address in pages(shop).items():
        page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, (name, found.generate_report())
        for width, size in ((320, 100), (390, 100), (1280, 200), (640, 200)):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(
                "size => { const sheet = new CSSStyleSheet();"
                " sheet.replaceSync(`html { font-size: ${size}% }`);"
                " document.adoptedStyleSheets = [sheet]; }",
                size,
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
    # A refused form is an answer like any other; the browser calls its 422 an error.
    context.complaints[:] = [each for each in context.complaints if "422" not in each]  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_the_chart_says_the_day_under_the_pointer(
    shop: Merchant, seller: Member, open_browser: OpenBrowser
) -> None:
    page = open_browser(seller).new_page()
    page.goto(f"/merchants/{shop.slug}/?{SPAN}")
    cursor = page.locator(".chart.only-wide .cursor")
    assert cursor.get_attribute("visibility") == "hidden"
    page.locator(".chart.only-wide .hit").nth(16).hover()
    page.wait_for_function(
        "document.querySelector('.chart.only-wide .cursor').getAttribute('visibility') == 'visible'"
    )
    assert cursor.locator("text").text_content() == (
        "17 Nov: £1,234,613.39, before (27 Oct 2026) £0"
    )
    page.locator("h1").hover()
    page.wait_for_function(
        "document.querySelector('.chart.only-wide .cursor').getAttribute('visibility') == 'hidden'"
    )
