"""The signed redirect, what it records, and the choice to be remembered."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from commerce.listings.models import Listing, ListingState
from commerce.listings.services import move_listing
from commerce.merchants.models import Merchant
from commerce.placements.models import Evidence, Placement
from commerce.touchpoints import limits, services, views
from commerce.touchpoints.errors import TokenExpired, TokenForged
from commerce.touchpoints.filters import why_not_counted
from commerce.touchpoints.links import GoLink, go_url, make_token, read_token, with_click
from commerce.touchpoints.models import NotCounted, TouchKind, Touchpoint, Visitor
from commerce.touchpoints.services import Surface, forget_old_ties, forget_visitor, record_click
from commerce.touchpoints.tasks import forget_old_touchpoint_ties
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.members.models import Member
from community.threads.models import Thread
from tests.factories import make_post, make_thread
from tests.factories_orders import READER, make_sale, make_shop

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
YES = settings.CONSENT_COOKIE_NAME
VISITOR = settings.VISITOR_COOKIE_NAME


@pytest.fixture(autouse=True)
def no_counts_left(db: None) -> None:
    cache.clear()


@pytest.fixture
def shop(bo: Member) -> Merchant:
    return make_shop(bo)


@pytest.fixture
def listing(shop: Merchant) -> Listing:
    return make_sale(shop)


def reader(*, consents: bool = False) -> Client:
    client = Client(headers={"user-agent": READER})
    if consents:
        client.cookies[YES] = "yes"
    return client


def as_reader(member: Member, *, consents: bool = False) -> Client:
    client = reader(consents=consents)
    client.force_login(member)
    return client


# -- tokens -----------------------------------------------------------------------------------


def test_a_token_holds_ids_and_no_address(listing, thread):
    post = thread.posts.get()
    path = go_url(listing, post=post)
    assert re.fullmatch(r"/go/[\w.-]+", path)
    assert listing.url not in path
    link = read_token(path.removeprefix("/go/"), today=timezone.now().date())
    assert (link.listing, link.post, link.thread, link.placement) == (
        listing.pk,
        post.pk,
        None,
        None,
    )


def test_making_a_link_asks_the_database_nothing(listing, thread, django_assert_num_queries):
    with django_assert_num_queries(0):
        go_url(listing, thread=thread)


def test_two_renderings_on_one_day_have_the_same_link(listing, thread):
    assert go_url(listing, thread=thread, at=NOON) == go_url(
        listing, thread=thread, at=NOON + timedelta(hours=11)
    )


ids = st.one_of(st.none(), st.integers(1, 2**63 - 1))


@given(st.integers(1, 2**63 - 1), ids, ids, ids, ids)
def test_what_goes_into_a_token_comes_out(listing_id, placement, thread_id, post, message):
    link = GoLink(NOON.date(), listing_id, placement, thread_id, post, message)
    assert read_token(make_token(link), today=NOON.date()) == link


@given(st.data())
def test_a_token_changed_anywhere_is_forged(data):
    token = make_token(GoLink(NOON.date(), 7, post=12))
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("abcXYZ019-_.").filter(lambda c: c != token[at]))
    changed = token[:at] + other + token[at + 1 :]
    with pytest.raises(TokenForged):
        read_token(changed, today=NOON.date())


def test_a_token_lives_395_days():
    token = make_token(GoLink(NOON.date(), 7))
    assert read_token(token, today=NOON.date() + timedelta(days=395)).listing == 7
    with pytest.raises(TokenExpired):
        read_token(token, today=NOON.date() + timedelta(days=396))


@pytest.mark.parametrize("token", ["", "x", "." * 500, "d1-l1", "d1-l1.", "\x00.x", "l1.é"])
def test_what_was_never_a_token_is_forged(token):
    with pytest.raises(TokenForged):
        read_token(token, today=NOON.date())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://s.example/p/1", "https://s.example/p/1?fc=ID"),
        ("https://s.example", "https://s.example?fc=ID"),
        ("https://s.example/p?variant=4", "https://s.example/p?variant=4&fc=ID"),
        ("https://s.example/p?a=%20b+c&d", "https://s.example/p?a=%20b+c&d&fc=ID"),
        ("https://s.example/p#size", "https://s.example/p?fc=ID#size"),
        ("https://s.example/p?a=1#size?x", "https://s.example/p?a=1&fc=ID#size?x"),
        ("https://s.example/p?fc=old&a=1", "https://s.example/p?a=1&fc=ID"),
        ("https://s.example/p?", "https://s.example/p?fc=ID"),
        ("https://s.example/p?xfc=1", "https://s.example/p?xfc=1&fc=ID"),
    ],
)
def test_the_click_id_joins_whatever_query_there_is(before, after):
    assert with_click(before, "ID") == after


# -- following --------------------------------------------------------------------------------


def test_a_click_in_a_post_goes_to_the_shop_and_is_stored(listing, thread, group, ada):
    post = thread.posts.get()
    response = reader().get(go_url(listing, post=post))
    touch = Touchpoint.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"{listing.url}?fc={touch.click_id}"
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "origin"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert (touch.kind, touch.not_counted) == (TouchKind.CLICK, NotCounted.NO)
    assert (touch.listing, touch.merchant) == (listing, listing.merchant)
    assert (touch.post, touch.thread, touch.group, touch.author) == (post, thread, group, ada)
    assert (touch.consent, touch.visitor, touch.member) == (False, None, None)
    assert len(touch.click_id) == 24


def test_a_placement_brings_its_post_or_whoever_placed_it(listing, thread, ada, bo):
    reply = make_post(bo, thread)
    in_post = Placement.objects.create(
        listing=listing, thread=thread, post=reply, evidence=Evidence.URL
    )
    on_thread = Placement.objects.create(
        listing=listing, thread=thread, evidence=Evidence.HAND, placed_by=bo
    )
    reader().get(go_url(listing, placement=in_post))
    reader().get(go_url(listing, placement=on_thread))
    reader().get(go_url(listing, thread=thread))
    assert list(Touchpoint.objects.order_by("pk").values_list("post", "thread", "author")) == [
        (reply.pk, thread.pk, bo.pk),
        (None, thread.pk, bo.pk),
        (None, thread.pk, ada.pk),
    ]


def test_a_click_in_chat_is_a_chat_click_for_those_inside(listing, group, ada, bo):
    message = send_message(room=room_of(group), sender=bo, body="Look at this one.")
    path = go_url(listing, message=message)
    assert reader().get(path).status_code == 404
    assert as_reader(ada).get(path).status_code == 302
    touch = Touchpoint.objects.get()
    assert (touch.kind, touch.message, touch.author, touch.thread) == (
        TouchKind.CHAT_CLICK,
        message,
        bo,
        None,
    )


def test_a_listing_without_an_address_leads_to_its_page_here(shop, thread):
    here = make_sale(shop, url="")
    response = reader().get(go_url(here, thread=thread))
    assert (response.status_code, response["Location"]) == (302, f"/listings/{here.pk}/")
    assert Touchpoint.objects.get().thread == thread


def test_a_sold_listing_leads_to_its_page_here(listing, bo):
    move_listing(listing=listing, to=ListingState.SOLD, by=bo)
    response = reader().get(go_url(listing))
    assert (response.status_code, response["Location"]) == (302, f"/listings/{listing.pk}/")


def test_a_withdrawn_listing_is_404_and_says_so(listing, bo):
    move_listing(listing=listing, to=ListingState.WITHDRAWN, by=bo)
    response = reader().get(go_url(listing))
    assert response.status_code == 404
    assert "This listing was withdrawn" in response.content.decode()
    assert not Touchpoint.objects.exists()


def test_what_a_reader_may_not_see_is_404_and_leaves_no_row(shop, hidden_group, ada, cy):
    inside = make_thread(ada, hidden_group)
    public, secret = make_sale(shop), make_sale(shop)
    Listing.objects.filter(pk=secret.pk).update(group=hidden_group)
    for client in (reader(), as_reader(cy)):
        assert client.get(go_url(public, thread=inside)).status_code == 404
        assert client.get(go_url(public, post=inside.posts.get())).status_code == 404
        assert client.get(go_url(secret)).status_code == 404
    assert not Touchpoint.objects.exists()
    assert as_reader(ada).get(go_url(public, thread=inside)).status_code == 302
    assert as_reader(ada).get(go_url(secret)).status_code == 302
    assert Touchpoint.objects.count() == 2


def test_tampered_old_and_unknown_links_are_404(listing):
    path = go_url(listing)
    old = go_url(listing, at=timezone.now() - timedelta(days=396))
    nowhere = make_token(GoLink(timezone.now().date(), 10**15))
    for broken in (path + "x", path[:-1], "/go/https:", f"/go/{nowhere}", old):
        response = reader().get(broken)
        assert response.status_code == 404, broken
    assert "This link is too old" in reader().get(old).content.decode()
    assert not Touchpoint.objects.exists()


@given(st.text(max_size=80))
def test_no_text_in_the_address_leads_off_the_site(text):
    # Nothing of the address is ever used as a place to go: unsigned text is refused before that.
    with pytest.raises(TokenForged):
        read_token(text, today=NOON.date())


# -- who counts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "method", "reason"),
    [
        ({"User-Agent": READER}, "GET", NotCounted.NO),
        ({"User-Agent": READER}, "HEAD", NotCounted.BOT),
        ({}, "GET", NotCounted.BOT),
        ({"User-Agent": "  "}, "GET", NotCounted.BOT),
        ({"User-Agent": "Googlebot/2.1 (+http://google.com/bot.html)"}, "GET", NotCounted.BOT),
        ({"User-Agent": "curl/8.5.0"}, "GET", NotCounted.BOT),
        ({"User-Agent": "python-requests/2.32"}, "GET", NotCounted.BOT),
        ({"User-Agent": "Mozilla/5.0 HeadlessChrome/131.0 Safari/537.36"}, "GET", NotCounted.BOT),
        ({"User-Agent": READER, "Sec-Purpose": "prefetch;prerender"}, "GET", NotCounted.PREFETCH),
        ({"User-Agent": READER, "Purpose": "prefetch"}, "GET", NotCounted.PREFETCH),
        ({"User-Agent": READER, "X-Purpose": "preview"}, "GET", NotCounted.PREFETCH),
        ({"User-Agent": READER, "X-Moz": "prefetch"}, "GET", NotCounted.PREFETCH),
    ],
)
def test_bots_and_prefetches_are_told_from_readers(headers, method, reason):
    assert why_not_counted(method, headers) is reason


def test_a_bot_is_stored_without_a_visitor_even_with_the_cookies(listing):
    bot = Client(headers={"user-agent": "Googlebot/2.1"})
    bot.cookies[YES] = "yes"
    response = bot.get(go_url(listing))
    assert response.status_code == 302
    assert VISITOR not in response.cookies
    touch = Touchpoint.objects.get()
    assert (touch.not_counted, touch.visitor, touch.consent) == (NotCounted.BOT, None, False)
    assert not Touchpoint.objects.counted().exists()
    assert not Visitor.objects.exists()


def test_a_prefetch_is_stored_and_refused_so_that_the_click_comes_to_us(listing):
    client = reader(consents=True)
    ahead = client.get(go_url(listing), headers={"sec-purpose": "prefetch"})
    assert (ahead.status_code, ahead["Cache-Control"]) == (503, "no-store")
    assert client.get(go_url(listing)).status_code == 302
    touches = Touchpoint.objects.order_by("pk")
    assert [(touch.not_counted, touch.visitor is None) for touch in touches] == [
        ("prefetch", True),
        ("", False),
    ]


def test_a_link_checker_s_head_request_is_a_bot_s(listing):
    assert reader().head(go_url(listing)).status_code == 302
    assert Touchpoint.objects.get().not_counted == NotCounted.BOT


def test_a_fault_in_telling_bots_apart_stops_nobody(listing, monkeypatch):
    def broken(*_: object) -> NotCounted:
        raise RuntimeError("a pattern that does not compile")

    monkeypatch.setattr(views, "why_not_counted", broken)
    assert reader().get(go_url(listing)).status_code == 302
    assert Touchpoint.objects.counted().count() == 1


def test_a_click_that_cannot_be_stored_still_leads_to_the_listing(listing, monkeypatch):
    def refused(**_: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(views, "record_click", refused)
    response = reader().get(go_url(listing))
    assert (response.status_code, response["Location"]) == (302, listing.url)


def test_60_clicks_a_minute_of_one_network_are_stored():
    assert limits.CLICKS_A_MINUTE == 60


def test_clicks_of_one_network_beyond_the_limit_pass_unstored(listing, monkeypatch):
    monkeypatch.setattr(limits, "CLICKS_A_MINUTE", 3)
    path = go_url(listing)
    for number in range(5):
        assert reader().get(path, REMOTE_ADDR=f"203.0.113.{number}").status_code == 302
    assert Touchpoint.objects.count() == 3
    assert reader().get(path, REMOTE_ADDR="203.0.113.7")["Location"] == listing.url
    reader().get(path, REMOTE_ADDR="198.51.100.7")
    assert Touchpoint.objects.count() == 4


def test_the_limit_is_open_while_redis_is_away(listing, monkeypatch):
    monkeypatch.setattr(limits, "CLICKS_A_MINUTE", 1)
    monkeypatch.setattr(cache, "incr", lambda key, delta=1: delta)  # what an absent Redis says
    for _ in range(3):
        reader().get(go_url(listing))
    assert Touchpoint.objects.count() == 3


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", "unknown"),
        ("what", "unknown"),
    ],
)
def test_a_network_is_a_24_or_a_64(rf, address, network):
    assert limits.network_of(rf.get("/", REMOTE_ADDR=address)) == network


def test_only_our_own_proxies_say_who_asked(rf, settings):
    said = {"headers": {"x-forwarded-for": "192.0.2.1, 198.51.100.9"}}
    request = rf.get("/", REMOTE_ADDR="203.0.113.1", **said)
    assert limits.network_of(request) == "203.0.113.0/24"
    settings.TRUSTED_PROXIES = 1
    assert limits.network_of(request) == "198.51.100.0/24"
    settings.TRUSTED_PROXIES = 2
    assert limits.network_of(request) == "192.0.2.0/24"
    settings.TRUSTED_PROXIES = 3
    assert limits.network_of(request) == "203.0.113.0/24"


# -- being remembered -------------------------------------------------------------------------


def test_without_consent_there_is_no_cookie_no_visitor_and_no_member(listing, ada):
    for client in (reader(), as_reader(ada)):
        response = client.get(go_url(listing))
        assert not response.cookies
    client.cookies[YES] = "no"
    client.get(go_url(listing))
    touches = [(t.visitor, t.member, t.consent) for t in Touchpoint.objects.all()]
    assert touches == 3 * [(None, None, False)]
    assert not Visitor.objects.exists()


def test_with_consent_one_cookie_ties_the_clicks_of_a_browser(listing, shop):
    client = reader(consents=True)
    first = client.get(go_url(listing))
    cookie = first.cookies[VISITOR]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == 395 * 24 * 3600
    second = client.get(go_url(make_sale(shop)))
    assert VISITOR not in second.cookies  # set once, not renewed
    visitor = Visitor.objects.get()
    assert str(visitor.pk) == cookie.value
    assert visitor.touchpoints.counted().count() == 2


def test_a_visitor_cookie_without_consent_is_not_read(listing):
    client = reader(consents=True)
    client.get(go_url(listing))
    client.cookies[YES] = "no"
    client.get(go_url(listing))
    assert Touchpoint.objects.latest("pk").visitor is None


@pytest.mark.parametrize("value", ["x", "", "00000000-0000-0000-0000-000000000000", "' OR 1=1"])
def test_a_made_up_visitor_gets_a_number_of_ours(listing, value):
    client = reader(consents=True)
    client.cookies[VISITOR] = value
    response = client.get(go_url(listing))
    assert response.cookies[VISITOR].value == str(Visitor.objects.get().pk) != value


def test_the_signed_in_member_is_stored_with_consent(listing, ada):
    as_reader(ada, consents=True).get(go_url(listing))
    touch = Touchpoint.objects.get()
    assert touch.member == ada
    assert touch.visitor is not None
    assert touch.visitor.member == ada


def test_a_guest_s_clicks_go_to_who_signs_in_next_and_never_across_a_sign_out(shop, ada, bo):
    client = reader(consents=True)
    sales = [make_sale(shop) for _ in range(4)]
    client.get(go_url(sales[0]))
    client.force_login(ada)
    client.get(go_url(sales[1]))
    client.logout()
    client.cookies[YES] = "yes"
    client.get(go_url(sales[2]))
    client.force_login(bo)
    client.get(go_url(sales[3]))
    touches = list(Touchpoint.objects.order_by("pk"))
    assert [touch.member for touch in touches] == [None, ada, None, bo]
    visitors = [touch.visitor for touch in touches]
    assert [visitor.member for visitor in visitors if visitor] == [ada, ada, bo, bo]
    assert visitors[0] == visitors[1] != visitors[2] == visitors[3]


def test_another_member_on_the_same_browser_is_another_visitor(shop, ada, bo):
    client = as_reader(ada, consents=True)
    client.get(go_url(make_sale(shop)))
    visitor = client.cookies[VISITOR].value
    client.force_login(bo)
    client.get(go_url(make_sale(shop)))
    assert client.cookies[VISITOR].value != visitor
    assert [v.member for v in Visitor.objects.order_by("pk")] == [ada, bo]


def test_the_same_click_again_within_30_minutes_is_a_repeat_with_the_same_click_id(
    listing, thread, time_machine
):
    client = reader(consents=True)
    path = go_url(listing, thread=thread, at=NOON)
    time_machine.move_to(NOON, tick=False)
    first = client.get(path)
    time_machine.move_to(NOON + timedelta(minutes=29, seconds=59), tick=False)
    again = client.get(path)
    time_machine.move_to(NOON + timedelta(minutes=30), tick=False)
    later = client.get(path)
    assert again["Location"] == first["Location"] != later["Location"]
    reasons = Touchpoint.objects.order_by("occurred_at").values_list("not_counted", flat=True)
    assert list(reasons) == ["", "repeat", ""]


def test_another_place_or_listing_is_not_a_repeat(listing, shop, thread, ada, group):
    client = reader(consents=True)
    client.get(go_url(listing, thread=thread))
    client.get(go_url(listing, post=thread.posts.get()))
    client.get(go_url(listing, thread=make_thread(ada, group)))
    client.get(go_url(make_sale(shop), thread=thread))
    assert Touchpoint.objects.counted().count() == 4


def test_without_consent_clicks_cannot_be_told_apart_and_all_count(listing):
    client = reader()
    assert client.get(go_url(listing))["Location"] != client.get(go_url(listing))["Location"]
    assert Touchpoint.objects.counted().count() == 2


# -- choosing ---------------------------------------------------------------------------------


def test_the_bar_is_shown_until_one_chooses(guest):
    assert 'class="consent"' in guest.get("/").content.decode()
    assert 'class="consent"' not in guest.get("/privacy/").content.decode()  # it asks itself
    guest.post("/consent/", {"choice": "no", "next": "/"})
    assert 'class="consent"' not in guest.get("/").content.decode()


def test_a_browser_that_says_no_to_everybody_is_not_asked(guest):
    says_no = {"sec-gpc": "1"}
    assert 'class="consent"' not in guest.get("/", headers=says_no).content.decode()
    page = guest.get("/privacy/", headers=says_no).content.decode()
    assert "You have not answered" in page
    assert "Yes, remember" in page


def test_choosing_leads_back_and_keeps_the_choice(guest):
    response = guest.post("/consent/", {"choice": "yes", "next": "/privacy/?x=1"})
    assert (response.status_code, response["Location"]) == (302, "/privacy/?x=1")
    cookie = response.cookies[YES]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("yes", True, "Lax")
    assert "You said <b>yes</b>" in guest.get("/privacy/").content.decode()
    assert VISITOR not in guest.cookies  # nothing to remember before the first click


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:x", ""])
def test_choosing_never_leads_off_the_site(guest, back):
    assert guest.post("/consent/", {"choice": "no", "next": back})["Location"] == "/privacy/"


def test_htmx_is_answered_with_nothing_in_the_bar_s_place(guest):
    response = guest.post("/consent/", {"choice": "no"}, headers={"hx-request": "true"})
    assert (response.status_code, response.content) == (200, b"")


def test_a_plain_visit_to_the_choice_leads_to_the_page_that_explains_it(guest):
    response = guest.get("/consent/")
    assert (response.status_code, response["Location"]) == (302, "/privacy/#choice")


def test_a_choice_that_is_none_is_refused(guest):
    response = guest.post("/consent/", {"choice": "maybe"})
    assert response.status_code == 400
    assert not response.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"referer": "https://evil.example/x"},
    ],
)
def test_another_site_cannot_choose_for_a_reader(headers):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/consent/", {"choice": "yes"}, headers=headers)
    assert response.status_code == 403
    assert not response.cookies
    ours = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}
    assert strict.post("/consent/", {"choice": "yes"}, headers=ours).status_code == 302


def test_refusing_deletes_the_cookie_and_forgets_whose_the_clicks_were(listing, ada):
    client = as_reader(ada, consents=True)
    client.get(go_url(listing))
    click = Touchpoint.objects.get().click_id
    response = client.post("/consent/", {"choice": "no"})
    assert (response.cookies[VISITOR].value, response.cookies[VISITOR]["max-age"]) == ("", 0)
    touch = Touchpoint.objects.get()
    assert (touch.visitor, touch.member, touch.click_id) == (None, None, click)
    assert not Visitor.objects.exists()


def test_forgetting_one_browser_leaves_the_others(shop, ada):
    one, other = as_reader(ada, consents=True), as_reader(ada, consents=True)
    one.get(go_url(make_sale(shop)))
    other.get(go_url(make_sale(shop)))
    first = Visitor.objects.earliest("pk")
    assert forget_visitor(first.pk) == 1
    assert list(Touchpoint.objects.order_by("pk").values_list("member", flat=True)) == [
        None,
        ada.pk,
    ]


# -- rows that stay ---------------------------------------------------------------------------


def click(listing: Listing, thread: Thread, **fields) -> Touchpoint:
    return record_click(
        listing=listing, surface=Surface(thread=thread), **{"at": timezone.now(), **fields}
    ).touchpoint


@pytest.mark.parametrize(
    "change",
    [
        {"not_counted": "bot"},
        {"occurred_at": NOON},
        {"author": None, "click_id": "mine"},
        {"thread": None},
        {"consent": False},
    ],
)
def test_the_database_refuses_to_change_a_touch(listing, thread, ada, change):
    touch = click(listing, thread, consent=True, member=ada)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Touchpoint.objects.filter(pk=touch.pk).update(**change)


def test_the_database_refuses_to_give_a_touch_to_somebody_else(listing, thread, ada, bo):
    touch = click(listing, thread, consent=True, member=ada)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Touchpoint.objects.filter(pk=touch.pk).update(member=bo)
    Touchpoint.objects.filter(pk=touch.pk).update(member=None, visitor=None)


def test_a_touch_goes_only_after_13_months(listing, thread):
    now = timezone.now()
    young = click(listing, thread, at=now - timedelta(days=390))
    old = click(listing, thread, at=now - timedelta(days=398))
    with pytest.raises(IntegrityError, match="13 months"), transaction.atomic():
        young.delete()
    old.delete()
    assert Touchpoint.objects.get() == young


@pytest.mark.parametrize("tie", ["visitor", "member"])
def test_the_database_refuses_a_tie_without_consent(listing, thread, ada, tie):
    visitor = Visitor.objects.create()
    with pytest.raises(IntegrityError, match=f"no_{tie}_without_consent"), transaction.atomic():
        Touchpoint.objects.create(
            kind=TouchKind.CLICK,
            listing=listing,
            merchant=listing.merchant,
            consent=False,
            occurred_at=NOON,
            **{tie: {"visitor": visitor, "member": ada}[tie]},
        )


def test_after_13_months_a_click_is_tied_to_nobody(listing, thread, ada, monkeypatch):
    monkeypatch.setattr(services, "FORGET_STEP", 2)
    now = timezone.now()
    times = [now - timedelta(days=days) for days in (400, 399, 396, 394, 0)]
    touches = [click(listing, thread, at=at, consent=True, member=ada) for at in times]
    forget_old_touchpoint_ties()
    ties = [(t.visitor is None, t.member is None) for t in Touchpoint.objects.order_by("pk")]
    assert ties == 3 * [(True, True)] + 2 * [(False, False)]
    assert set(Visitor.objects.all()) == {touch.visitor for touch in touches[3:]}
    assert forget_old_ties(now) == 0
