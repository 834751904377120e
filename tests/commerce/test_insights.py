"""What your threads sold: figures that add up, each of which opens the lines it is made of."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commerce.insights.figures import daily
from commerce.insights.period import DAILY_MAX_DAYS, Period, PeriodForm, preset
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from commerce.placements.services import place_listing
from commerce.touchpoints.models import NotCounted
from community.chat.rooms import room_of, room_with
from community.chat.services import send_message
from community.groups.models import Group, JoinMode
from community.members.models import Member
from community.threads.models import Post, Thread
from config.outbox import drain
from tests.factories import join, make_group, make_member, make_post, make_thread
from tests.factories_attribution import (
    DAY,
    NOON,
    line,
    make_click,
    report_order,
    report_refund,
    run_of,
)
from tests.factories_orders import make_endpoint, make_sale, make_shop

TODAY = date(2026, 11, 22)
SPAN = "from=2026-11-01&to=2026-11-21"


# -- periods ----------------------------------------------------------------------------------


def asked(**said: str) -> PeriodForm:
    return PeriodForm(said, today=TODAY)


@pytest.mark.parametrize(
    ("name", "start", "words"),
    [
        ("7d", date(2026, 11, 16), "16 Nov – 22 Nov 2026"),
        ("30d", date(2026, 10, 24), "24 Oct – 22 Nov 2026"),
        ("90d", date(2026, 8, 25), "25 Aug – 22 Nov 2026"),
        ("12m", date(2025, 11, 23), "23 Nov 2025 – 22 Nov 2026"),
    ],
)
def test_a_preset_ends_with_today(name, start, words):
    period = asked(period=name).asked
    assert (period.start, period.last, str(period)) == (start, TODAY, words)


def test_nothing_asked_is_thirty_days():
    assert asked().asked == preset("30d", TODAY)


def test_both_days_of_ones_own_period_are_in():
    period = asked(**{"from": "2026-10-01", "to": "2026-10-31"}).asked
    assert (period.days, period.query) == (31, "from=2026-10-01&to=2026-10-31")
    assert period.since == datetime(2026, 10, 1, tzinfo=UTC)
    assert period.until == datetime(2026, 11, 1, tzinfo=UTC)


def test_the_period_before_is_as_long_and_ends_where_this_begins():
    period = Period(date(2026, 11, 16), date(2026, 11, 23))
    assert (period.before.start, period.before.end) == (date(2026, 11, 9), date(2026, 11, 16))


def test_a_period_that_ends_in_the_future_ends_today():
    assert asked(**{"from": "2026-11-20", "to": "2027-01-01"}).asked.last == TODAY


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2026-11-02"}, "to"),
        ({"to": "2026-11-02"}, "from"),
        ({"from": "2020-01-01", "to": "2026-11-01"}, "from"),
        ({"from": "then", "to": "2026-11-01"}, "from"),
        ({"period": "1y"}, "period"),
        ({"from": "0001-01-01", "to": "0001-01-02"}, "from"),
        ({"from": "9999-12-31", "to": "9999-12-31"}, "from"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused_by_name(said, field):
    form = asked(**said)
    assert form.asked == preset("30d", TODAY)
    assert list(form.errors) == [field]


def test_a_long_period_is_drawn_by_weeks_counted_from_its_end():
    assert Period(TODAY - DAILY_MAX_DAYS * DAY, TODAY).step == 1
    steps = Period(date(2026, 1, 1), date(2026, 7, 1)).steps
    assert (steps[0].days, steps[1].days, steps[-1].days, len(steps)) == (6, 7, 7, 26)
    assert sum(step.days for step in steps) == 181


# -- a shop with a little of everything --------------------------------------------------------


@pytest.fixture
def seller(db: None) -> Member:
    return make_member("noor", name="Noor Haddad")


@pytest.fixture
def shop(seller: Member) -> Merchant:
    return make_shop(seller, currency="GBP")


@pytest.fixture
def camera(shop: Merchant) -> Listing:
    return make_sale(shop)


@pytest.fixture
def lens(shop: Merchant) -> Listing:
    return make_sale(shop, title="Sonet 50 mm", price_minor=34_000)


@pytest.fixture
def as_seller(seller: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(seller)


@pytest.fixture
def post(ada: Member, thread: Thread) -> Post:
    return make_post(ada, thread, "This one is fair.")


@pytest.fixture
def other_post(bo: Member, group: Group) -> Post:
    return make_thread(bo, group, "Which 50 mm for portraits?").posts.get()


@pytest.fixture
def hidden_post(hidden_group: Group, ada: Member) -> Post:
    return make_thread(ada, hidden_group, "Wine under the stairs").posts.get()


@pytest.fixture
def season(shop, camera, lens, post, other_post, hidden_post, ada, group) -> None:
    """November: 8 orders of 1,000.00 GBP in all, one in EUR, one test; October: 100.00 GBP.

    By hand: direct 300 + 200 + 50 + 60 + 40 = 650 (30 refunded), halo 100 (cancelled),
    unattributed 250 (of it 50 by a bot and 60 by the author; 20 refunded).
    """
    message = send_message(sender=ada, room=room_of(group), body="Look at this")
    one = report_order(
        shop,
        line(30_000, camera, number="1"),
        line(10_000, lens, number="2"),
        number="A1",
        click=make_click(camera, post),
    )
    report_refund(one, ("1", 3_000))
    report_order(shop, line(20_000, lens), number="A2", click=make_click(lens, other_post))
    report_order(shop, line(5_000, camera), number="A3", click=make_click(camera, hidden_post))
    report_order(shop, line(6_000, camera), number="A4", click=make_click(camera, message=message))
    report_order(shop, line(4_000, camera), number="A5", click=make_click(camera))
    nowhere = report_order(shop, line(14_000, camera), number="A6", at=NOON - 5 * DAY)
    report_refund(nowhere, amount=2_000, at=NOON + 40 * DAY)
    bot = make_click(camera, post, consent=False, not_counted=NotCounted.BOT)
    report_order(shop, line(5_000, camera), number="A7", click=bot)
    own = make_click(camera, post, member=ada)
    report_order(shop, line(6_000, camera), number="A8", click=own)
    report_order(shop, line(9_900, camera), number="E1", currency="EUR")
    report_order(shop, line(70_000, camera), number="T1", test=True)
    before = make_click(camera, post, at=NOON - 41 * DAY)
    report_order(shop, line(10_000, camera), number="O1", click=before, at=NOON - 40 * DAY)
    drain()


@pytest.fixture
def cancelled(shop, camera, lens, post) -> None:
    """And one order of 100.00 that was halo and cancelled."""
    click = make_click(camera, post)
    for version, at in enumerate((None, NOON + DAY)):
        report_order(
            shop, line(10_000, lens), number="C1", click=click, version=version, cancelled_at=at
        )
    drain()


def figures(client: Client, shop: Merchant, query: str = SPAN):
    response = client.get(f"/merchants/{shop.slug}/?{query}")
    assert response.status_code == 200
    return response


def row_of(response, title: str):
    (row,) = [row for row in response.context["rows"] if row.title == title]
    return row


def test_the_account_menu_leads_to_the_figures_of_ones_shop(shop, as_seller, ada, as_member):
    assert 'href="/sales/"' in as_seller.get(f"/merchants/{shop.slug}/").content.decode()
    assert as_seller.get("/sales/")["Location"] == f"/merchants/{shop.slug}/"
    assert as_member(ada).get("/sales/")["Location"] == "/listings/mine/"


def test_the_figures_are_those_counted_by_hand(shop, season, as_seller):
    total = figures(as_seller, shop).context["total"]
    assert (total.gmv_minor, total.orders) == (100_000, 8)
    assert (total.direct_minor, total.halo_minor, total.unattributed_minor) == (
        65_000,
        10_000,
        25_000,
    )
    assert total.attributed_minor == 75_000
    assert (total.net_gmv_minor, total.attributed_net_minor) == (95_000, 72_000)
    assert total.credited_orders == 5
    assert total.clicks == 6  # The author's own is a click; it earns nothing.


def test_the_page_says_them(shop, season, as_seller):
    response = figures(as_seller, shop)
    cards = [(card.name, card.value, card.note) for card in response.context["cards"]]
    assert cards == [
        ("Attributed GMV", "£750", "75% of GMV; £720 after refunds"),
        ("GMV", "£1,000", "all orders; £950 after refunds"),
        ("Orders", "8", "5 after a click here"),
        ("Orders per 100 clicks", "83.3", "5 orders, 6 clicks"),
    ]
    for _, value, note in cards:
        assert f">{value}</a>" in response.text and note in response.text


def test_every_card_is_compared_with_the_period_before(shop, season, as_seller):
    query = "from=2026-10-16&to=2026-11-21"  # October's order is in the 37 days before.
    changes = [card.change for card in figures(as_seller, shop, query).context["cards"]]
    assert [(each.direction, each.words, each.was) for each in changes] == [
        ("up", "650%", "£100"),
        ("up", "900%", "£100"),
        ("up", "700%", "1"),
        ("down", "17%", "100.0"),
    ]


def test_the_rows_of_the_table_add_up_to_gmv_and_to_net_gmv(shop, season, cancelled, as_seller):
    response = figures(as_seller, shop)
    rows, total = response.context["rows"], response.context["total"]
    assert sum(row.gross_minor for row in rows) == total.gmv_minor == 110_000
    assert sum(row.net_minor for row in rows) == total.net_gmv_minor == 95_000


def test_each_thread_has_its_clicks_orders_and_sales(shop, season, as_seller, thread):
    response = figures(as_seller, shop)
    row = row_of(response, thread.title)
    assert (row.gross_minor, row.net_minor, row.orders, row.clicks) == (30_000, 27_000, 1, 2)
    assert row.place_href == thread.get_absolute_url()
    assert row_of(response, "Chat of Film cameras").gross_minor == 6_000
    assert row_of(response, "A listing's page here").gross_minor == 4_000
    assert row_of(response, "Halo").gross_minor == 10_000
    unattributed = row_of(response, "Unattributed")
    assert (unattributed.gross_minor, unattributed.net_minor) == (25_000, 23_000)


def test_a_cancelled_order_was_placed_and_is_worth_nothing(shop, season, cancelled, as_seller):
    total = figures(as_seller, shop).context["total"]
    assert (total.gmv_minor, total.halo_minor, total.halo_net_minor) == (110_000, 20_000, 10_000)
    assert total.orders == 9


def test_a_refund_counts_on_the_day_of_its_order(shop, season, as_seller):
    """A6 was placed on 15 November and refunded at the end of December."""
    total = figures(as_seller, shop, "from=2026-11-15&to=2026-11-15").context["total"]
    assert (total.gmv_minor, total.net_gmv_minor) == (14_000, 12_000)


def test_days_are_utc(shop, camera, as_seller):
    for second, number in ((0, "in"), (-1, "out")):
        at = datetime(2026, 11, 2, tzinfo=UTC) + timedelta(seconds=second)
        report_order(shop, line(1_000, camera), number=number, at=at)
    drain()
    total = figures(as_seller, shop, "from=2026-11-02&to=2026-11-02").context["total"]
    assert (total.orders, total.gmv_minor) == (1, 1_000)


def test_other_currencies_are_apart_and_never_added(shop, season, as_seller):
    response = figures(as_seller, shop)
    (euros,) = response.context["elsewhere"]
    assert (euros.currency, euros.orders, euros.gmv_minor) == ("EUR", 1, 9_900)
    assert f"?{SPAN}&currency=EUR".replace("&", "&amp;") in response.text
    lines = as_seller.get(f"/merchants/{shop.slug}/lines/?{SPAN}&currency=EUR")
    assert lines.context["total"].gross_minor == 9_900


def test_orders_that_wait_for_their_credits_are_in_gmv_and_in_a_row_of_their_own(
    shop, season, camera, as_seller
):
    report_order(shop, line(1_234, camera))
    response = figures(as_seller, shop)
    total = response.context["total"]
    assert (total.gmv_minor, total.waiting_minor) == (101_234, 1_234)
    assert sum(row.gross_minor for row in response.context["rows"]) == 101_234
    assert row_of(response, "Being credited").gross_minor == 1_234
    drain()
    assert figures(as_seller, shop).context["total"].waiting_minor == 0


def test_a_touch_that_lost_its_order_to_another_counts_no_order(
    shop, camera, post, other_post, as_seller
):
    first = make_click(camera, post, at=NOON - 3 * DAY)
    report_order(shop, line(1_000, camera), number="1", click=first)
    drain()
    later = make_click(camera, other_post, visitor_id=first.visitor_id, at=NOON - DAY)
    report_order(shop, line(1_000, camera), number="1", click=later, version=9)
    drain()
    response = figures(as_seller, shop)
    assert response.context["total"].credited_orders == 1
    row = row_of(response, other_post.thread.title)
    assert (row.gross_minor, row.orders) == (1_000, 1)
    titles = [row.title for row in response.context["rows"]]
    assert post.thread.title not in titles


# -- every figure opens its lines --------------------------------------------------------------


class Links(HTMLParser):
    """The links of a page with the words they carry."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._href = ""
        self._words = ""

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self._href, self._words = dict(attrs).get("href", ""), ""

    def handle_data(self, data):
        self._words += data

    def handle_endtag(self, tag):
        if tag == "a":
            self.found.append((self._href, self._words.strip()))


def test_every_sum_of_money_on_the_page_opens_lines_that_come_to_it(
    shop, season, cancelled, as_seller
):
    page = Links()
    page.feed(figures(as_seller, shop).text)
    sums = [(href, words) for href, words in page.found if re.fullmatch(r"[£€][\d,.]+", words)]
    assert len(sums) > 12
    for href, words in sums:
        response = as_seller.get(href)
        lines = Links()
        lines.feed(response.text)
        total = response.context["total"]
        minor = round(float(re.sub(r"[£€,]", "", words)) * 100)
        assert total.gross_minor == minor, (href, words)
        assert sum(row.gross_minor for row in response.context["rows"]) == minor


def test_the_counts_of_orders_open_as_many(shop, season, as_seller):
    response = figures(as_seller, shop)
    orders, rate = response.context["cards"][2:]
    assert as_seller.get(orders.href).context["total"].orders == 8
    assert as_seller.get(rate.href).context["total"].orders == 5


def test_each_day_of_the_chart_opens_its_lines(shop, season, as_seller):
    chart = figures(as_seller, shop).context["chart"]
    (point,) = [point for point in chart.points if point.value]
    assert (point.label, point.value) == ("20 Nov", 75_000)
    assert as_seller.get(point.href).context["total"].gross_minor == 75_000
    assert chart.finding == (
        "£750 in these 21 days, 650% more than in those before (£100). The best day was 20 Nov,"
        " with £750."
    )


def test_lines_are_told_apart_by_kind_and_place(shop, season, as_seller, thread, group):
    def total(query: str) -> tuple[int, int]:
        found = as_seller.get(f"/merchants/{shop.slug}/lines/?{SPAN}&{query}").context["total"]
        return found.gross_minor, found.lines

    assert total("") == (100_000, 9)
    assert total("kind=attributed") == (75_000, 6)
    assert total("kind=direct") == (65_000, 5)
    assert total("kind=halo") == (10_000, 1)
    assert total("kind=unattributed") == (25_000, 3)
    assert total(f"thread={thread.pk}") == (40_000, 2)
    assert total(f"kind=direct&thread={thread.pk}") == (30_000, 1)
    assert total(f"chat={group.pk}") == (6_000, 1)
    assert total("thread=none") == (4_000, 1)
    assert total("thread=999999999") == (0, 0)


def test_what_is_sold_among_people_is_one_place_that_names_nobody(
    shop, camera, as_seller, ada, bo, cy
):
    for other in (bo, cy):
        said = send_message(room=room_with([other], by=ada), sender=ada, body="This one.")
        report_order(shop, line(7_000, camera), click=make_click(camera, message=said))
    report_order(shop, line(2_000, camera), click=make_click(camera))
    drain()
    rows = as_seller.get(f"/merchants/{shop.slug}/threads/?{SPAN}").context["rows"]
    assert [(row.title, row.gross_minor) for row in rows] == [
        ("A chat among people", 14_000),
        ("A listing's page here", 2_000),
    ]
    for query, gross in (("chat=0", 14_000), ("thread=none", 2_000)):
        found = as_seller.get(f"/merchants/{shop.slug}/lines/?{SPAN}&{query}")
        assert found.context["total"].gross_minor == gross
        assert "Ada Quist" not in found.content.decode()
    after = as_seller.get(f"/merchants/{shop.slug}/threads/?{SPAN}&after=14000-0-1").context["rows"]
    assert [row.title for row in after] == ["A listing's page here"]


def test_a_filter_that_makes_no_sense_finds_nothing(shop, season, as_seller):
    for query in (
        *("kind=luck", "thread=x", "thread=-1", "chat=9e9", "currency=gbp"),
        "thread=" + "9" * 30,
    ):
        found = as_seller.get(f"/merchants/{shop.slug}/lines/?{query}")
        assert found.status_code == 404, query


def test_each_line_says_why_it_was_credited(shop, season, as_seller, thread):
    response = as_seller.get(f"/merchants/{shop.slug}/lines/?{SPAN}")
    why = {
        (row.line.order.external_id, row.line.external_id): row.share.sentence
        for row in response.context["rows"]
    }
    assert why["A1", "1"] == (
        f"The last click on this listing, 1 day before the order, was in “{thread.title}”."
    )
    assert why["A1", "2"] == (
        f"The buyer clicked “Optra R2 rangefinder” in “{thread.title}”, 1 day before the order,"
        " and bought this too."
    )
    assert why["A4", "1"].endswith("was in chat of Film cameras.")
    assert why["A5", "1"].endswith("was on the listing's page here.")
    assert why["A6", "1"] == "No click from here came back with the order."
    assert why["A7", "1"] == "The click seen was a bot's."
    assert why["A8", "1"] == "A self-purchase, the buyer wrote what they clicked in."


def test_lines_are_paged_by_keyset_each_once(shop, camera, as_seller):
    for number in range(120):
        report_order(
            shop, line(100 + number, camera), number=str(number), at=NOON - number // 40 * DAY
        )
    drain(limit=1_000)
    seen, address = [], f"/merchants/{shop.slug}/lines/?{SPAN}"
    sizes = []
    while address:
        response = as_seller.get(address)
        sizes.append(len(response.context["rows"]))
        seen += [row.line.order for row in response.context["rows"]]
        older = response.context["older"]
        address = f"/merchants/{shop.slug}/lines/{older}" if older else ""
    assert sizes == [50, 50, 20]
    assert len({order.pk for order in seen}) == 120
    assert seen == sorted(seen, key=lambda order: (order.placed_at, order.pk), reverse=True)


def test_a_cursor_that_makes_no_sense_begins_at_the_start(shop, season, as_seller):
    for after in ("x", "1-2-3", "-", "99999999999999999999-1"):
        response = as_seller.get(f"/merchants/{shop.slug}/lines/?{SPAN}&after={after}")
        assert len(response.context["rows"]) == 9


def test_the_csv_has_the_same_lines_and_sums(shop, season, as_seller, thread):
    response = as_seller.get(f"/merchants/{shop.slug}/lines.csv?{SPAN}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == (
        f'attachment; filename="{shop.slug}-2026-11-01-2026-11-21.csv"'
    )
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 9
    assert sum(float(row["sales"]) for row in rows) == 1000.0
    assert sum(float(row["net"]) for row in rows) == 950.0
    (row,) = [row for row in rows if (row["order"], row["sales"]) == ("A1", "300.00")]
    assert (row["net"], row["currency"], row["credited_as"]) == ("270.00", "GBP", "direct")
    assert (row["where"], row["placed_at"]) == (thread.title, "2026-11-20T12:00:00Z")


def test_the_csv_is_harmless_to_a_spreadsheet_and_goes_on_past_a_chunk(
    shop, camera, as_seller, monkeypatch
):
    monkeypatch.setattr("commerce.insights.views.CSV_CHUNK", 2)
    for number in range(5):
        report_order(shop, line(100, camera, title='=HYPERLINK("x")'), number=f"@{number}")
    drain()
    response = as_seller.get(f"/merchants/{shop.slug}/lines.csv?{SPAN}")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["order"] for row in rows] == ["'@4", "'@3", "'@2", "'@1", "'@0"]
    assert {row["line"] for row in rows} == {'\'=HYPERLINK("x")'}


# -- who may read what -------------------------------------------------------------------------

PAGES = ["", "threads/", "lines/", "lines.csv"]


@pytest.mark.parametrize("page", PAGES)
def test_a_guest_is_asked_to_sign_in(shop, guest, page):
    response = guest.get(f"/merchants/{shop.slug}/{page}")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("page", PAGES)
def test_for_everybody_but_the_team_it_is_not_there(shop, as_ada, as_mo, page):
    assert as_ada.get(f"/merchants/{shop.slug}/{page}").status_code == 404
    assert as_mo.get(f"/merchants/{shop.slug}/{page}").status_code == 404


def test_another_merchants_team_reads_its_own_only(shop, season, as_cy, cy):
    other = make_shop(cy)
    for page in PAGES:
        assert as_cy.get(f"/merchants/{other.slug}/{page}").status_code == 200, page
        assert as_cy.get(f"/merchants/{shop.slug}/{page}").status_code == 404, page


def test_a_thread_of_a_hidden_group_has_no_name_for_outsiders(shop, season, as_seller):
    for page in ("", "threads/", "lines/", "lines.csv"):
        response = as_seller.get(f"/merchants/{shop.slug}/{page}?{SPAN}")
        body = b"".join(response.streaming_content) if response.streaming else response.content
        text = body.decode()
        assert "Wine under the stairs" not in text, page
        assert "Cellar" not in text, page
    assert "thread you cannot open" in text


def test_its_members_on_the_team_read_it(shop, season, seller, hidden_group, as_seller):
    join(seller, hidden_group)
    assert row_of(figures(as_seller, shop), "Wine under the stairs").gross_minor == 5_000


def test_a_thread_that_was_hidden_has_no_name(shop, season, as_seller, thread):
    Thread.objects.filter(pk=thread.pk).update(is_listed=False)
    for page in ("", "threads/", "lines/"):
        assert thread.title not in as_seller.get(f"/merchants/{shop.slug}/{page}?{SPAN}").text


# -- the page itself ---------------------------------------------------------------------------


def test_a_new_merchant_is_told_what_to_do_first(shop, as_seller, seller, camera, thread):
    response = as_seller.get(f"/merchants/{shop.slug}/")
    done = {title: done for title, _, _, _, done in response.context["steps"]}
    assert done == {
        "Write a listing": True,
        "Connect your shop": False,
        "Be where it is talked about": False,
    }
    make_endpoint(shop)
    join(seller, thread.group)
    place_listing(listing=camera, thread=thread, by=seller)
    response = as_seller.get(f"/merchants/{shop.slug}/")
    assert [done for *_, done in response.context["steps"]] == [True, True, True]


def test_a_quiet_month_of_an_old_shop_is_no_new_merchant(shop, season, as_seller):
    response = figures(as_seller, shop, "from=2026-06-01&to=2026-06-30")
    assert response.context["total"].gmv_minor == 0
    assert "No attributed sales in these 30 days" in response.text


def test_who_acts_for_several_merchants_may_switch(shop, season, seller, as_seller):
    other = make_shop(seller)
    links = Links()
    links.feed(figures(as_seller, shop).text)
    assert (f"/merchants/{other.slug}/", other.name) in links.found


def test_days_that_make_no_period_are_said_and_kept(shop, season, as_seller):
    response = as_seller.get(f"/merchants/{shop.slug}/?from=2026-11-05&to=2026-11-01")
    assert response.status_code == 422
    assert "The period ends before it begins." in response.text
    assert 'value="2026-11-05"' in response.text
    assert response.context["period"].days == 30


@time_machine.travel("2026-11-22T09:00:00Z", tick=False)
def test_thirty_days_up_to_today_are_shown_unasked(shop, season, as_seller):
    response = figures(as_seller, shop, "")
    assert str(response.context["period"]) == "24 Oct – 22 Nov 2026"
    assert response.context["total"].gmv_minor == 100_000
    current = re.findall(r'<a href="\?period=(\w+)" aria-current="true">', response.text)
    assert current == ["30d"]


def test_a_year_is_drawn_by_weeks(shop, season, as_seller):
    chart = figures(as_seller, shop, "period=12m").context["chart"]
    assert (chart.title, chart.unit, len(chart.points)) == (
        "Attributed GMV by week",
        "Week from",
        53,
    )
    assert sum(point.value for point in chart.points) == 85_000


def test_more_threads_than_fit_are_one_row_that_leads_to_them_all(
    shop, camera, ada, group, as_seller
):
    for number in range(13):
        post = make_thread(ada, group, f"Thread number {number}").posts.get()
        report_order(shop, line(1_000 + number, camera), click=make_click(camera, post))
    drain()
    response = figures(as_seller, shop)
    rows = response.context["rows"]
    assert [row.title for row in rows[:2]] == ["Thread number 12", "Thread number 11"]
    rest = row_of(response, "3 more")
    assert (rest.gross_minor, rest.clicks, rest.orders) == (3_003, 3, None)
    assert sum(row.gross_minor for row in rows) == 13_078
    every = as_seller.get(rest.href)
    assert [row.gross_minor for row in every.context["rows"]] == [
        1_000 + number for number in reversed(range(13))
    ]


def test_all_threads_are_paged_each_once(shop, camera, ada, group, as_seller, monkeypatch):
    monkeypatch.setattr("commerce.insights.views.SPOTS_PER_PAGE", 3)
    for number in range(7):
        post = make_thread(ada, group, f"Thread number {number}").posts.get()
        # Some sold the same, so that the second part of the key is needed.
        report_order(shop, line(1_000 + number // 3, camera), click=make_click(camera, post))
    drain()
    titles, address = [], f"/merchants/{shop.slug}/threads/?{SPAN}"
    while address:
        response = as_seller.get(address)
        titles += [row.title for row in response.context["rows"]]
        older = response.context["older"]
        address = f"/merchants/{shop.slug}/threads/{older}" if older else ""
    assert len(titles) == len(set(titles)) == 7
    assert titles[0] == "Thread number 6"


def test_nothing_on_the_pages_is_styled_or_scripted_inline(shop, season, as_seller):
    for page in ("", "threads/", "lines/"):
        text = as_seller.get(f"/merchants/{shop.slug}/{page}?{SPAN}").text
        main = text[text.index("<main") : text.index("</main>")]
        assert not re.search(r"\sstyle=|\son\w+=|<script|<style", main)


# -- what it costs -----------------------------------------------------------------------------


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize(
    ("page", "pinned"),
    [("", 13), ("threads/", 13), ("lines/", 23)],
    ids=["all", "threads", "lines"],
)
def test_a_page_costs_the_same_however_much_was_sold(
    shop, season, camera, ada, group, as_seller, page, pinned
):
    address = f"/merchants/{shop.slug}/{page}?{SPAN}"
    assert queries_of(as_seller, address) == pinned
    for number in range(15):
        post = make_thread(ada, group, f"Thread number {number}").posts.get()
        report_order(shop, line(1_000, camera), click=make_click(camera, post))
    drain()
    assert queries_of(as_seller, address) == pinned


def test_the_sums_of_days_are_the_sum_of_the_rows_behind_them(shop, season, cancelled):
    """Asked of the rows one by one, without any of the page's statements."""
    period = Period(date(2026, 11, 1), date(2026, 12, 1))
    run = run_of(shop)
    found = daily(merchant_id=shop.pk, run_id=run.pk, currency="GBP", period=period).over(period)
    gross = net = 0
    for credit in run.credits.filter(currency="GBP"):
        if period.since <= credit.placed_at < period.until and credit.kind != "unattributed":
            net += credit.amount_minor
            gross += credit.amount_minor if credit.reason in ("sale", "change") else 0
    assert (found.attributed_minor, found.attributed_net_minor) == (gross, net)


def test_a_merchants_hidden_group_is_no_secret_to_its_own_members(shop, camera, seller, as_seller):
    cellar = make_group("vault", name="Vault", owner=seller, join_mode=JoinMode.HIDDEN)
    thread = make_thread(seller, cellar, "Only for us")
    member = make_member("zed")
    click = make_click(camera, thread.posts.get(), member=member)
    report_order(shop, line(1_000, camera), click=click)
    drain()
    assert row_of(figures(as_seller, shop), "Only for us").gross_minor == 1_000
