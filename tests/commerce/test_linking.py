"""Which listings a post speaks of: the pure half, and the job over real rows."""

from __future__ import annotations

import string

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from commerce.listings.addresses import canonical_key, keys_of, may_stand_for
from commerce.listings.models import Listing, ListingState
from commerce.listings.services import move_listing, update_listing
from commerce.listings.tokens import (
    is_gtin,
    listing_tokens,
    same_gtins,
    text_gtins,
    text_skus,
    text_tokens,
)
from commerce.placements.linking import (
    LINKS_A_POST_MAX,
    SUGGESTIONS_A_POST_MAX,
    Candidate,
    find_mentions,
    read_post,
    still_mentions,
)
from commerce.placements.models import Evidence, Placement, PlacementState
from commerce.placements.services import confirm_suggestion, link_post, remove_placement
from community.groups.models import Group
from community.members.models import Member
from community.threads.editing import edit_post
from community.threads.models import Post, Thread
from config.outbox import drain
from tests.factories import make_post, make_thread
from tests.factories_commerce import keeper_of, make_listing, make_merchant

GTIN = "2100104100373"


# -- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("HTTPS://WWW.Shop.Example:443/products/r2/?utm_source=x#top", "shop.example/products/r2"),
        ("http://shop.example/products/r2", "shop.example/products/r2"),
        ("https://shop.example/collections/cameras/products/r2", "shop.example/products/r2"),
        ("https://shop.example/en-gb/products/r2", "shop.example/products/r2"),
        ("https://shop.example/products/r2?variant=4&ref=1", "shop.example/products/r2?variant=4"),
        ("https://shop.example/product/r2/?add-to-cart=9", "shop.example/product/r2"),
        ("https://shop.example/item.php?id=3&ref=ada", "shop.example/item.php?id=3"),
        ("https://shop.example/a/../b//c/", "shop.example/b/c"),
        ("https://www.amazon.co.uk/R2/dp/b00abc1234/ref=sr_1?tag=x", "amazon.co.uk/dp/B00ABC1234"),
        ("https://www.etsy.com/uk/listing/12345/half-case?click_key=x", "etsy.com/listing/12345"),
        ("https://bücher.example/x", "xn--bcher-kva.example/x"),
        ("https://ada:secret@shop.example/x", "shop.example/x"),
        ("javascript:alert(1)", ""),
        ("//shop.example/x", ""),
        ("shop.example/x", ""),
        ("https://", ""),
        ("https://shop.example/" + "x" * 500, ""),
    ],
)
def test_an_address_has_one_key(address, key):
    assert canonical_key(address) == key


@given(st.text(max_size=80))
def test_any_text_has_a_key_or_none_and_a_key_is_its_own(text):
    key = canonical_key(f"https://shop.example/{text}")
    if key:
        assert canonical_key(f"https://{key}") == key


@given(
    st.sampled_from(["utm_source", "utm_medium", "fbclid", "gclid", "ref", "tag"]),
    st.text(string.ascii_letters, min_size=1, max_size=10),
)
def test_no_tracking_parameter_changes_a_key(name, value):
    plain = "https://shop.example/products/r2?variant=4"
    assert canonical_key(f"{plain}&{name}={value}") == canonical_key(plain)


def test_a_variant_is_looked_for_first_and_its_page_after():
    assert keys_of("https://shop.example/products/r2?variant=4") == (
        "shop.example/products/r2?variant=4",
        "shop.example/products/r2",
    )


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example/x",
        "https://evil.example/x",
        "https://sub.shop.example/x",
        "https://shop.example:8443/x",
        "https://ada@shop.example/x",
        "https://shop.example.evil.example/x",
        "https://evil.example/@shop.example",
        "javascript:alert(1)//shop.example",
    ],
)
def test_only_https_on_its_own_host_may_stand_for_a_listing(address):
    assert may_stand_for("https://www.shop.example/x", host="shop.example")
    assert not may_stand_for(address, host="shop.example")
    assert not may_stand_for("https://shop.example/x", host="")


# -- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["R2-M", "r2m", "R2M", "the R2‑M.", "(R2-M)", "an R2 M", "R2-M's"])
def test_a_model_is_found_however_it_is_written(text):
    assert "r2m" in text_tokens(text)


@pytest.mark.parametrize(
    "text",
    ["50mm", "35-70mm", "1080p", "2nd", "26x2.1", "10-speed", "55-inch", "f2.8", "mp3", "16GB"],
)
def test_a_measure_is_no_model(text):
    assert listing_tokens(brand="", model=text) == frozenset()
    assert text.lower().replace("-", "") not in text_tokens(f"{text}.")


def test_plain_words_and_numbers_count_behind_their_brand_only():
    assert listing_tokens(brand="Trek", model="1200") == {"trek1200"}
    assert listing_tokens(brand="Trek", model="Enduro Evo") == {"trekenduro"}
    assert listing_tokens(brand="", model="1200") == frozenset()
    assert "trek1200" in text_tokens("my old Trek 1200, sold")
    assert "trek1200" not in text_tokens("my Trek cost 1200")


@given(st.integers(0, 10**12 - 1))
def test_a_gtin_is_known_by_its_check_digit(number):
    twelve = f"{number:012d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve))
    right = (10 - total % 10) % 10
    for check in range(10):
        assert is_gtin(f"{twelve}{check}") == (check == right and number > 0)


def test_a_gtin_is_read_with_blanks_and_without_and_in_every_length():
    assert set(text_gtins(f"{GTIN}, or 2 100104 100373.")) == {GTIN}
    assert text_gtins("2100104100374 and 123") == {}
    assert text_gtins("price 2100104100373.50") == {}
    assert "00036000291452" in same_gtins("036000291452")


def test_a_sku_needs_four_signs_and_a_digit_and_is_no_year_or_measure():
    assert set(text_skus("SO-1041/so-1038 of 2026, 1000ml, V60, abcd, 123456.")) == {
        "SO-1041/SO-1038",
        "SO-1041",
        "SO-1038",
        "123456",
    }


# -- reading a post ---------------------------------------------------------------------------


def test_quotes_code_and_mentions_are_not_evidence():
    reading = read_post(
        "<blockquote><p>the Optra R2-M <a href='https://shop.example/x'>x</a></p></blockquote>"
        "<pre><code>SO-1041</code></pre><p>no <code>R3-W</code>"
        " <a class='mention' href='/members/v60-fan/'>@v60-fan</a></p>"
    )
    assert reading.addresses == {}
    assert reading.skus == {}
    assert not {"r2m", "r3w", "v60fan"} & set(reading.tokens)


def test_an_address_is_read_from_a_link_and_from_bare_words_and_is_not_its_own_text():
    reading = read_post(
        "<p><a href='https://shop.example/products/r2-m-1041?utm_id=1'>this one</a>, and"
        " shop.example/products/so-1041.</p>"
    )
    assert list(reading.addresses) == [
        "shop.example/products/r2-m-1041",
        "shop.example/products/so-1041",
    ]
    assert reading.skus == {}


def test_our_own_listing_pages_are_read_only_on_our_host():
    reading = read_post(
        "<p><a href='https://shoal.example/listings/12/'>a</a> <a href='/listings/13/'>b</a>"
        " <a href='https://evil.example/listings/14/'>c</a></p>",
        site_host="shoal.example",
    )
    assert set(reading.own_pages) == {12, 13}


@given(st.text())
def test_no_text_breaks_the_reading(text):
    read_post(text, title=text, site_host="shoal.example")


# -- deciding ---------------------------------------------------------------------------------


def listed(listing_id: int, brand: str = "Optra", model: str = "R2-M", **fields) -> Candidate:
    fields.setdefault("merchant_id", listing_id)
    tokens = listing_tokens(brand=brand, model=model)
    return Candidate(listing_id, brand=brand, tokens=tokens, **fields)


def said(text: str, *candidates: Candidate) -> list[tuple[int, Evidence, bool]]:
    mentions = find_mentions(read_post(f"<p>{text}</p>"), candidates)
    return [(one.listing_id, one.evidence, one.sure) for one in mentions]


def test_brand_and_model_in_at_most_two_listings_link():
    assert said("my Optra R2M", listed(1)) == [(1, Evidence.MODEL, True)]
    assert said("my Optra R2M", listed(1), listed(2)) == [
        (1, Evidence.MODEL, True),
        (2, Evidence.MODEL, True),
    ]


def test_from_three_to_ten_they_are_suggested_and_beyond_they_are_nothing():
    three = [listed(number) for number in range(1, 4)]
    assert said("my Optra R2M", *three) == [(n, Evidence.MODEL, False) for n in (1, 2, 3)]
    ten = [listed(number) for number in range(1, 11)]
    assert len(said("my Optra R2M", *ten)) == SUGGESTIONS_A_POST_MAX
    assert said("my Optra R2M", *ten, listed(11)) == []


def test_a_rare_model_without_its_brand_suggests_and_a_common_one_says_nothing():
    assert said("my R2M", listed(1)) == [(1, Evidence.MODEL, False)]
    assert said("my R2M", listed(1), listed(2), listed(3)) == []


def test_the_brand_tells_two_makers_of_one_model_apart():
    assert said("my Optra R2M", listed(1), listed(2, "Mirel"), listed(3, "Sonet")) == [
        (1, Evidence.MODEL, True)
    ]


def test_a_part_of_a_word_is_no_brand():
    assert said("Optrashop has an R2M", listed(1)) == [(1, Evidence.MODEL, False)]


def test_a_sku_of_one_merchant_links_and_of_two_suggests():
    assert said("so-1041", listed(1, sku="SO-1041")) == [(1, Evidence.SKU, True)]
    assert said("so-1041", listed(1, sku="SO-1041"), listed(2, sku="SO-1041")) == [
        (1, Evidence.SKU, False),
        (2, Evidence.SKU, False),
    ]
    assert said("so-10412 xso-1041", listed(1, sku="SO-1041")) == []


def test_a_gtin_links_in_any_of_its_lengths():
    assert said(f"code {GTIN}", listed(1, gtin=GTIN)) == [(1, Evidence.GTIN, True)]
    assert said("036000291452", listed(1, gtin="0036000291452")) == [(1, Evidence.GTIN, True)]


def test_what_an_address_explains_speaks_of_no_other_listing():
    one = listed(1, url_key="shop.example/products/r2")
    text = "my Optra R2M: https://shop.example/products/r2"
    assert said(text, one, listed(2)) == [(1, Evidence.URL, True)]
    assert said("my Optra R2M", one, listed(2)) == [
        (1, Evidence.MODEL, True),
        (2, Evidence.MODEL, True),
    ]


def test_an_address_with_a_variant_links_that_variant_alone():
    page = listed(1, url_key="shop.example/products/r2")
    black = listed(2, url_key="shop.example/products/r2?variant=4")
    text = "https://shop.example/products/r2?variant=4"
    assert said(text, page, black) == [(2, Evidence.URL, True)]
    assert said(text, page) == [(1, Evidence.URL, True)]


def test_a_post_gets_at_most_five_links():
    many = [listed(number, sku=f"SO-{1000 + number}") for number in range(1, 9)]
    mentions = said(" ".join(one.sku for one in many), *many)
    assert mentions == [(n, Evidence.SKU, True) for n in range(1, LINKS_A_POST_MAX + 1)]


@given(st.permutations(range(6)))
def test_the_order_of_candidates_changes_nothing(order):
    candidates = [
        listed(1, url_key="shop.example/products/r2"),
        listed(2),
        listed(3, gtin=GTIN),
        listed(4, "Mirel", "F6-TL", sku="SO-1102"),
        listed(5, "Mirel", "F6-TL"),
        listed(6, "Sonet", "SX-9"),
    ]
    text = f"https://shop.example/products/r2 {GTIN} so-1102 Mirel F6TL SX9 Optra R2-M"
    assert said(text, *(candidates[place] for place in order)) == said(text, *candidates)


@given(st.lists(st.sampled_from(["Optra", "R2-M", "SO-1041", GTIN, "Mirel", "F6TL", "and"])))
def test_what_is_found_is_still_mentioned_and_words_in_quotes_add_nothing(parts):
    candidates = [listed(1, sku="SO-1041"), listed(2, gtin=GTIN), listed(3, "Mirel", "F6-TL")]
    html = f"<p>{' '.join(parts)}</p>"
    reading = read_post(html)
    mentions = find_mentions(reading, candidates)
    by_id = {one.listing_id: one for one in candidates}
    assert all(still_mentions(reading, by_id[one.listing_id]) for one in mentions)
    quoted = read_post(f"{html}<blockquote>Optra R2-M SO-1041 {GTIN} Mirel F6TL</blockquote>")
    assert find_mentions(quoted, candidates) == mentions


# -- the job ----------------------------------------------------------------------------------


@pytest.fixture
def shop(db):
    return make_merchant("Shore Optical", host="shore.example")


@pytest.fixture
def r2m(shop, group) -> Listing:
    return make_listing(
        shop,
        group=group,
        brand="Optra",
        model="R2-M",
        sku="SO-1041",
        gtin=GTIN,
        url="https://shore.example/products/optra-r2-m",
    )


def shown(post: Post | None = None) -> list[tuple[int, str, str]]:
    rows = Placement.objects.order_by("pk")
    rows = rows.filter(post=post) if post else rows
    return [(row.listing_id, row.evidence, row.state) for row in rows]


@pytest.mark.parametrize(
    ("body", "evidence"),
    [
        ("https://www.shore.example/collections/x/products/optra-r2-m?utm_source=a", Evidence.URL),
        (f"the label says {GTIN}", Evidence.GTIN),
        ("is so-1041 still there?", Evidence.SKU),
        ("my Optra R2M is *fine*", Evidence.MODEL),
    ],
)
def test_a_new_post_is_linked_by_the_outbox_and_says_why(r2m, thread, bo, body, evidence):
    post = make_post(bo, thread, body)
    drain()
    [row] = Placement.objects.filter(post=post)
    assert (row.listing, row.evidence, row.state) == (r2m, evidence, PlacementState.PLACED)
    assert row.matched
    assert row.placed_by is None


def test_our_own_listing_page_in_a_post_links_it(r2m, thread, bo, settings):
    post = make_post(bo, thread, f"see {settings.SITE_URL}/listings/{r2m.pk}/ there")
    drain()
    assert shown(post) == [(r2m.pk, "url", "placed")]


def test_the_title_of_a_thread_speaks_for_its_opening_post(r2m, ada, group):
    thread = make_thread(ada, group, "Is the Optra R2-M worth it?", "I wonder.")
    drain()
    assert shown() == [(r2m.pk, "model", "placed")]
    assert Placement.objects.get().post == Post.objects.get(thread=thread, number=1)


def test_running_again_changes_nothing(r2m, thread, bo):
    post = make_post(bo, thread, "my Optra R2-M, and R2-M again")
    first, second = link_post(post), link_post(post)
    assert (first.changed, second.changed) == (1, 0)
    assert shown() == [(r2m.pk, "model", "placed")]


def test_a_removed_placement_does_not_come_back(r2m, thread, bo):
    post = make_post(bo, thread, "my Optra R2-M")
    link_post(post)
    remove_placement(placement=Placement.objects.get(), by=bo)
    link_post(post)
    edit_post(post=post, editor=bo, body="my Optra R2-M, SO-1041, really")
    drain()
    assert shown(post) == [(r2m.pk, "model", "removed")]


def test_a_rejected_suggestion_does_not_come_back_even_stronger(r2m, thread, bo):
    post = make_post(bo, thread, "my R2-M")
    link_post(post)
    assert shown(post) == [(r2m.pk, "model", "suggested")]
    remove_placement(placement=Placement.objects.get(), by=bo)
    edit_post(post=post, editor=bo, body="my Optra R2-M SO-1041")
    drain()
    assert shown(post) == [(r2m.pk, "model", "removed")]


def test_an_edit_takes_back_what_the_post_no_longer_says(r2m, thread, bo):
    post = make_post(bo, thread, "my Optra R2-M")
    drain()
    edit_post(post=post, editor=bo, body="never mind")
    drain()
    assert shown(post) == []


def test_an_edit_takes_nothing_back_that_somebody_decided(r2m, thread, bo):
    post = make_post(bo, thread, "my R2-M")
    drain()
    confirm_suggestion(placement=Placement.objects.get(), by=bo)
    edit_post(post=post, editor=bo, body="never mind")
    drain()
    assert shown(post) == [(r2m.pk, "model", "placed")]


def test_an_edit_that_brings_evidence_turns_a_suggestion_into_a_link(r2m, thread, bo):
    post = make_post(bo, thread, "my R2-M")
    drain()
    edit_post(post=post, editor=bo, body="my R2-M: SO-1041")
    drain()
    assert shown(post) == [(r2m.pk, "sku", "placed")]


def test_what_was_linked_stays_when_it_is_sold(r2m, thread, bo):
    post = make_post(bo, thread, "my Optra R2-M")
    drain()
    move_listing(listing=r2m, to=ListingState.SOLD, by=keeper_of(r2m.merchant))
    assert link_post(post).changed == 0
    assert shown(post) == [(r2m.pk, "model", "placed")]


@pytest.mark.parametrize("state", [ListingState.DRAFT, ListingState.SOLD, ListingState.WITHDRAWN])
def test_only_live_and_reserved_listings_are_linked(shop, group, thread, bo, state):
    make_listing(shop, group=group, state=state, brand="Optra", model="R2-M", sku="SO-1041")
    post = make_post(bo, thread, "Optra R2-M SO-1041")
    link_post(post)
    assert shown() == []


def test_a_listing_of_a_hidden_group_is_linked_inside_it_alone(shop, hidden_group, thread, ada, bo):
    cellar = make_listing(shop, group=hidden_group, brand="Optra", model="R2-M", sku="SO-1041")
    outside = make_post(bo, thread, "Optra R2-M SO-1041")
    inside = Post.objects.get(thread=make_thread(ada, hidden_group, "Hm", "Optra R2-M SO-1041"))
    drain()
    assert shown(outside) == []
    assert shown(inside) == [(cellar.pk, "sku", "placed")]


def test_a_hidden_listing_is_not_linked(r2m, thread, bo, mo):
    r2m.hide(by=mo, reason="stolen", at=timezone.now())
    r2m.save()
    link_post(make_post(bo, thread, "Optra R2-M SO-1041"))
    assert shown() == []


def test_a_wanted_listing_is_linked_by_its_page_alone(shop, group, thread, bo, settings):
    wanted = make_listing(
        shop,
        group=group,
        kind="wanted",
        price_minor=None,
        brand="Optra",
        model="R2-M",
        sku="W-1041",
    )
    assert not wanted.model_tokens.exists()
    link_post(make_post(bo, thread, "Optra R2-M W-1041"))
    assert shown() == []
    link_post(make_post(bo, thread, f"{settings.SITE_URL}/listings/{wanted.pk}/"))
    assert shown() == [(wanted.pk, "url", "placed")]


def test_another_brand_and_model_is_found_after_an_edit_of_the_listing(r2m, thread, bo, group):
    update_listing(
        listing=r2m, by=keeper_of(r2m.merchant), group=group, brand="Mirel", model="F6-TL"
    )
    link_post(make_post(bo, thread, "Optra R2-M"))
    assert shown() == []
    link_post(make_post(bo, thread, "Mirel F6-TL"))
    assert shown() == [(r2m.pk, "model", "placed")]


def test_links_and_suggestions_have_a_limit_that_removing_does_not_lift(shop, group, thread, bo):
    for number in range(7):
        make_listing(shop, group=group, sku=f"SO-10{number}0")
    post = make_post(bo, thread, " ".join(f"SO-10{number}0" for number in range(7)))
    link_post(post)
    assert Placement.objects.count() == LINKS_A_POST_MAX
    for row in Placement.objects.all()[:2]:
        remove_placement(placement=row, by=bo)
    assert link_post(post).changed == 0
    assert Placement.objects.count() == LINKS_A_POST_MAX


def test_a_token_of_a_crowd_names_nothing_whatever_the_brand(shop, group, thread, bo):
    for number in range(51):
        brand = "Optra" if number == 0 else f"Maker {number}"
        make_listing(shop, group=group, brand=brand, model="R2-M", sku=f"SO-2{number:03}")
    post = make_post(bo, thread, "my Optra R2-M, number SO-2000")
    link_post(post)
    [row] = Placement.objects.all()
    assert row.evidence == Evidence.SKU


def queries_to_link(post: Post) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        link_post(post)
    return len(queries)


def test_a_look_up_costs_the_same_queries_however_many_listings_there_are(
    r2m, shop, group: Group, thread: Thread, bo: Member
):
    text = "my Optra R2-M, SO-1041, https://shore.example/products/optra-r2-m and 2100104100373"
    few = queries_to_link(make_post(bo, thread, text))
    for number in range(30):
        make_listing(shop, group=group, brand="Sonet", model=f"SX-{number}", sku=f"SX-00{number}")
    many = queries_to_link(make_post(bo, thread, text + " Sonet SX-29 SX-0028"))
    nothing = queries_to_link(make_post(bo, thread, "Good morning."))
    assert few == 9
    assert many == few + 2  # the rows of two listings more
    assert nothing == 5
