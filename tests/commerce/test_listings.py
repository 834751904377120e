"""Listings: money as typed, states under race, addresses, photos, and pages for each viewer."""

from __future__ import annotations

import io
import re
import threading
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from commerce.listings.errors import (
    AddressElsewhere,
    AddressTaken,
    NotAGtin,
    NotInGroup,
    NotYourPhoto,
    PriceMissing,
    SkuTaken,
    SoldIsFinal,
    TitleMissing,
    TooManyPhotos,
    TransitionRefused,
)
from commerce.listings.models import TRANSITIONS, Listing, ListingState, ModelToken
from commerce.listings.services import create_listing, move_listing, update_listing
from commerce.merchants.errors import NotOnTeam
from commerce.merchants.models import Merchant, TeamMember
from commerce.merchants.services import open_shop, personal_merchant
from community.groups.models import JoinMode
from community.uploads.models import Image
from config.money import (
    CURRENCIES,
    PRICE_MAX_MINOR,
    NotAnAmount,
    in_words,
    parse_minor,
    typed,
)
from tests.factories import make_group, make_member, make_thread
from tests.factories_commerce import (
    keeper_of,
    make_image,
    make_listing,
    make_merchant,
    make_placement,
)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def shop(db, ada) -> Merchant:
    """Ada's shop."""
    return make_merchant("Shore Optical", owner=ada, host="shore.example")


# -- money ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "GBP", 1250),
        ("12.5", "GBP", 1250),
        (" £ 12 ", "GBP", 1200),
        ("1,250", "GBP", 125_000),
        ("GBP 0", "GBP", 0),
        ("900", "JPY", 900),
        ("0.001", "KWD", 1),
        ("1,234.567", "KWD", 1_234_567),
        ("10000000000.00", "GBP", PRICE_MAX_MINOR),
    ],
)
def test_a_typed_price_is_minor_units(text, currency, minor):
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "GBP"),
        ("-1", "GBP"),
        ("12,50", "GBP"),
        ("1.2.3", "GBP"),
        ("12.505", "GBP"),
        ("12.5", "JPY"),
        ("1e3", "GBP"),
        ("nan", "GBP"),
        ("١٢", "GBP"),
        ("$12", "GBP"),
        ("10000000000.01", "GBP"),
        ("9" * 5000, "GBP"),
    ],
)
def test_what_is_no_amount_is_refused(text, currency):
    with pytest.raises(NotAnAmount):
        parse_minor(text, currency)


@given(st.integers(0, PRICE_MAX_MINOR), st.sampled_from([*CURRENCIES, "ISK", "TND", "XYZ"]))
def test_a_price_shown_in_a_form_and_typed_again_is_the_same(minor, currency):
    assert parse_minor(typed(minor, currency), currency) == minor
    assert parse_minor(in_words(minor, currency).replace("\xa0", " "), currency) == minor


def test_prices_in_words():
    assert in_words(21_000, "GBP") == "£210"
    assert in_words(1250, "GBP") == "£12.50"
    assert in_words(900, "JPY") == "¥900"
    assert in_words(125_000_05, "CHF") == "CHF\xa0125,000.05"
    assert in_words(-500, "EUR") == "−€5"
    assert in_words(1005, "KWD") == "KWD\xa01.005"


# -- writing ----------------------------------------------------------------------------------


def draft(shop, by, **fields) -> Listing:
    fields.setdefault("title", "Optra R2-M")
    fields.setdefault("price_minor", 21_000)
    return create_listing(merchant=shop, by=by, **fields)


def test_a_new_listing_is_a_draft_in_the_merchants_currency(ada):
    shop = make_merchant(owner=ada, currency="JPY")
    listing = draft(shop, ada, photos=[make_image(ada)])
    assert (listing.state, listing.currency, listing.published_at) == ("draft", "JPY", None)
    assert listing.cover is not None


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"title": " "}, TitleMissing),
        ({"price_minor": None}, PriceMissing),
        ({"gtin": "2100104100374"}, NotAGtin),
        ({"url": "https://evil.example/r2"}, AddressElsewhere),
        ({"url": "http://shore.example/r2"}, AddressElsewhere),
        ({"url": "HTTPS://shore.example/r2"}, AddressElsewhere),
    ],
)
def test_a_refused_listing_leaves_no_row(shop, ada, fields, refusal):
    with pytest.raises(refusal):
        draft(shop, ada, **fields)
    assert not Listing.objects.exists()


def test_sku_and_address_are_used_once(shop, ada):
    draft(shop, ada, sku="SO-1041", url="https://shore.example/products/r2")
    with pytest.raises(SkuTaken):
        draft(shop, ada, sku="SO-1041")
    with pytest.raises(AddressTaken):
        draft(shop, ada, url="https://www.shore.example/collections/x/products/r2/?utm_id=1")
    assert Listing.objects.count() == 1
    other = make_merchant(owner=ada)
    assert draft(other, ada, sku="SO-1041").pk


def test_only_the_team_writes(shop, ada, bo):
    with pytest.raises(NotOnTeam):
        draft(shop, bo)
    listing = draft(shop, ada)
    with pytest.raises(NotOnTeam):
        update_listing(listing=listing, by=bo, group=None, title="Mine now")
    with pytest.raises(NotOnTeam):
        move_listing(listing=listing, to=ListingState.LIVE, by=bo)
    listing.refresh_from_db()
    assert (listing.title, listing.state) == ("Optra R2-M", "draft")


def test_one_lists_in_groups_one_is_in(shop, ada, group, hidden_group, cy):
    assert draft(shop, ada, group=group).group == group
    with pytest.raises(NotInGroup):
        draft(personal_merchant(cy), cy, group=group)
    assert Listing.objects.count() == 1


def test_photos_are_at_most_eight_and_ones_own(shop, ada, bo):
    with pytest.raises(TooManyPhotos):
        draft(shop, ada, photos=[make_image(ada) for _ in range(9)])
    with pytest.raises(NotYourPhoto):
        draft(shop, ada, photos=[make_image(bo)])
    assert not Listing.objects.exists()


def test_photos_are_seen_by_those_who_see_the_listing(shop, ada, cy, group, hidden_group):
    image = make_image(ada)
    listing = draft(shop, ada, group=hidden_group, photos=[image])
    assert not Image.objects.visible_to(cy).filter(pk=image.pk).exists()
    update_listing(listing=listing, by=ada, group=group)
    assert Image.objects.visible_to(cy).filter(pk=image.pk).exists()


def test_photos_go_with_a_group_that_hides_later(shop, ada, bo, guest, group):
    image = make_image(ada)
    draft(shop, ada, group=group, photos=[image])
    assert guest.get(image.get_absolute_url()).status_code == 200
    group.join_mode = JoinMode.HIDDEN
    group.save()
    assert guest.get(image.get_absolute_url()).status_code == 404
    assert Image.objects.visible_to(bo).filter(pk=image.pk).exists()


def test_what_is_sold_stays_as_it_was(shop, ada):
    listing = make_listing(shop, state=ListingState.SOLD)
    with pytest.raises(SoldIsFinal):
        update_listing(listing=listing, by=ada, group=None, price_minor=1)
    listing.refresh_from_db()
    assert listing.price_minor == 21_000


@pytest.mark.parametrize("before", ListingState)
@pytest.mark.parametrize("after", ListingState)
def test_a_listing_moves_as_the_table_says_and_no_other_way(shop, ada, before, after):
    listing = make_listing(shop, state=before)
    if after in TRANSITIONS[before]:
        assert move_listing(listing=listing, to=after, by=ada).state == after
    else:
        with pytest.raises(TransitionRefused):
            move_listing(listing=listing, to=after, by=ada)
        listing.refresh_from_db()
        assert listing.state == before


def test_a_listing_keeps_the_day_it_was_first_published(shop, ada):
    listing = make_listing(shop)
    first = listing.published_at
    move_listing(listing=listing, to=ListingState.WITHDRAWN, by=ada)
    move_listing(listing=listing, to=ListingState.LIVE, by=ada)
    listing.refresh_from_db()
    assert listing.published_at == first
    assert first is not None
    assert listing.state_changed_at > first


def race(*moves) -> list[object]:
    """Run the moves at the same moment, each on a connection of its own."""
    start, outcomes = threading.Barrier(len(moves)), []

    def run(move) -> None:
        start.wait()
        try:
            outcomes.append(move())
        except Exception as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[move]) for move in moves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def hasty_move(listing: Listing, to: ListingState) -> Listing:
    """The bad twin: it asks, and then writes."""
    now = Listing.objects.get(pk=listing.pk)
    if to not in TRANSITIONS[ListingState(now.state)]:
        raise TransitionRefused
    threading.Event().wait(0.05)  # another request's work in between
    Listing.objects.filter(pk=listing.pk).update(state=to)
    return now


@pytest.mark.django_db(transaction=True)
def test_of_two_racing_moves_one_wins_and_a_hasty_twin_lets_both():
    won, hasty = 0, 0
    for _ in range(5):
        listing = make_listing()
        by = keeper_of(listing.merchant)
        outcomes = race(
            lambda: move_listing(listing=listing, to=ListingState.SOLD, by=by),  # noqa: B023
            lambda: move_listing(listing=listing, to=ListingState.WITHDRAWN, by=by),  # noqa: B023
        )
        won += sum(isinstance(one, Listing) for one in outcomes)
        assert sum(isinstance(one, TransitionRefused) for one in outcomes) == len(outcomes) - sum(
            isinstance(one, Listing) for one in outcomes
        )
        twin = make_listing()
        outcomes = race(
            lambda: hasty_move(twin, ListingState.SOLD),  # noqa: B023
            lambda: hasty_move(twin, ListingState.WITHDRAWN),  # noqa: B023
        )
        hasty += sum(isinstance(one, Listing) for one in outcomes)
    # Withdrawn, it may not be sold; sold, it may not be withdrawn.
    assert won == 5
    assert hasty > 5


def test_tokens_follow_what_a_listing_says_and_its_state(shop, ada):
    def tokens() -> set[str]:
        return set(ModelToken.objects.values_list("token", flat=True))

    listing = draft(shop, ada, brand="Optra", model="R2-M")
    assert tokens() == set()
    move_listing(listing=listing, to=ListingState.LIVE, by=ada)
    assert tokens() == {"r2m"}
    update_listing(listing=listing, by=ada, group=None, model="R3 W")
    assert tokens() == {"r3w"}
    move_listing(listing=listing, to=ListingState.RESERVED, by=ada)
    assert tokens() == {"r3w"}
    move_listing(listing=listing, to=ListingState.SOLD, by=ada)
    assert tokens() == set()


@pytest.mark.parametrize(
    "change",
    [
        {"price_minor": None},
        {"state": "lost"},
        {"kind": "swap"},
        {"condition": "shiny"},
        {"currency": "gbp"},
        {"url": "https://shore.example/x"},
        {"url": "http://shore.example/x", "url_key": "shore.example/x"},
        {"hidden_at": datetime(2026, 11, 22, tzinfo=UTC)},
    ],
)
def test_the_database_keeps_listings_sound(shop, change):
    listing = make_listing(shop)
    with pytest.raises(IntegrityError), transaction.atomic():
        Listing.objects.filter(pk=listing.pk).update(**change)


# -- the page of one --------------------------------------------------------------------------


def test_anybody_reads_a_live_listing(guest, group, ada):
    listing = make_listing(
        title="Optra R2-M & case",
        group=group,
        photos=2,
        place="Leith",
        description="One ding.\n<b>Meter works.</b>",
        url="",
    )
    thread = make_thread(ada, group, "What is it worth?")
    make_placement(listing, thread=thread)
    html = guest.get(listing.get_absolute_url()).content.decode()
    for words in (
        "Optra R2-M &amp; case",
        "£210",
        "Good, light wear",
        "Leith",
        listing.merchant.name,
        "&lt;b&gt;Meter works.&lt;/b&gt;",
        'alt="A camera on a bench."',
        "What is it worth?",
    ):
        assert words in html
    assert "Mark as sold" not in html


def test_the_way_to_the_shop_is_our_redirect(guest, shop):
    listing = make_listing(shop, url="https://shore.example/products/r2")
    html = guest.get(listing.get_absolute_url()).content.decode()
    assert re.search(r'href="/go/[\w.-]+" rel="nofollow">', html)
    assert "https://shore.example/products/r2" not in html


@pytest.mark.parametrize("state", [ListingState.DRAFT])
def test_a_draft_is_its_teams_alone(shop, as_ada, as_bo, guest, state):
    listing = make_listing(shop, state=state)
    assert guest.get(listing.get_absolute_url()).status_code == 404
    assert as_bo.get(listing.get_absolute_url()).status_code == 404
    assert b"A draft: only its team sees it." in as_ada.get(listing.get_absolute_url()).content


def test_a_listing_of_a_hidden_group_is_404_outside_in_every_list(
    guest, as_cy, as_ada, hidden_group, shop
):
    listing = make_listing(title="Cellar lens", group=hidden_group)
    for client in (guest, as_cy):
        assert client.get(listing.get_absolute_url()).status_code == 404
        assert client.get("/g/cellar/listings/").status_code == 404
        assert b"Cellar lens" not in client.get(f"/merchants/{listing.merchant.slug}/shop/").content
    assert as_ada.get(listing.get_absolute_url()).status_code == 200
    assert b"Cellar lens" in as_ada.get("/g/cellar/listings/").content


def test_a_hidden_listing_is_404_except_for_its_team(guest, as_bo, as_ada, shop, mo, group):
    listing = make_listing(shop, "Stolen lens", group=group)
    listing.hide(by=mo, reason="Stolen.", at=timezone.now())
    listing.save()
    for client in (guest, as_bo):
        assert client.get(listing.get_absolute_url()).status_code == 404
        assert b"Stolen lens" not in client.get("/g/film-cameras/listings/").content
    assert b"Hidden by a moderator: Stolen." in as_ada.get(listing.get_absolute_url()).content


def test_threads_the_reader_may_not_see_are_not_named(guest, as_ada, ada, hidden_group):
    listing = make_listing()
    make_placement(listing, thread=make_thread(ada, hidden_group, "Secret plans"))
    assert b"Secret plans" not in guest.get(listing.get_absolute_url()).content
    assert b"Secret plans" in as_ada.get(listing.get_absolute_url()).content


# -- selling ----------------------------------------------------------------------------------

SAID = {
    "merchant": "me",
    "kind": "sale",
    "title": "Optra R2-M",
    "price": "210",
    "currency": "GBP",
    "condition": "good",
    "description": "One ding.",
    "place": "Leith",
    "group": "",
    "stock": "1",
    "brand": "Optra",
    "model": "R2-M",
    "sku": "",
    "gtin": "",
    "action": "publish",
}


def picture(colour: str = "red", name: str = "r2.png") -> SimpleUploadedFile:
    file = io.BytesIO()
    Picture.new("RGB", (40, 30), colour).save(file, "PNG")
    return SimpleUploadedFile(name, file.getvalue(), "image/png")


def test_selling_needs_an_account(guest):
    response = guest.get("/sell/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/sell/"


def test_a_first_sale_makes_a_private_seller_and_is_live(as_bo, bo, group):
    assert as_bo.get("/sell/").status_code == 200
    assert not Merchant.objects.exists()
    response = as_bo.post(
        "/sell/",
        {**SAID, "group": group.slug, "photo_1": picture(), "photo_alt_1": "The front."},
    )
    listing = Listing.objects.get()
    assert response["Location"] == listing.get_absolute_url()
    assert (listing.state, listing.price_minor, listing.group) == ("live", 21_000, group)
    assert (listing.merchant.kind, listing.merchant.name) == ("person", "Bo Lind")
    assert listing.cover is not None
    assert listing.cover.alt == "The front."


def test_a_second_sale_is_by_the_same_seller(as_bo):
    as_bo.post("/sell/", SAID)
    slug = Merchant.objects.get().slug
    as_bo.post("/sell/", {**SAID, "merchant": slug, "title": "Another"})
    assert Merchant.objects.count() == 1
    assert Listing.objects.count() == 2


def test_a_draft_is_kept_as_one(as_bo):
    as_bo.post("/sell/", {**SAID, "action": "draft"})
    assert Listing.objects.get().state == ListingState.DRAFT


def test_a_wanted_listing_needs_neither_price_nor_condition(as_bo):
    as_bo.post("/sell/", {**SAID, "kind": "wanted", "price": "", "condition": ""})
    assert Listing.objects.get().price_minor is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"price": "twelve"}, "Write the amount in figures"),
        ({"price": "12.505"}, "GBP has at most 2 decimals"),
        ({"price": ""}, "Something for sale needs a price"),
        ({"condition": ""}, "Say what state it is in"),
        ({"title": ""}, "This field is required"),
        ({"gtin": "2100104100374"}, "That is not a GTIN"),
        ({"merchant": "shore-optical"}, "Select a valid choice"),
        ({"group": "cellar"}, "Select a valid choice"),
        ({"currency": "XXX"}, "Select a valid choice"),
        ({"stock": "-1"}, "greater than or equal to 0"),
    ],
)
def test_a_refused_form_says_why_and_loses_nothing(as_bo, shop, hidden_group, change, words):
    response = as_bo.post("/sell/", {**SAID, **change})
    assert response.status_code == 422
    html = response.content.decode()
    assert words in html
    assert "One ding." in html
    assert not Listing.objects.exists()
    assert not Merchant.objects.filter(kind="person").exists()


def test_a_refused_form_keeps_the_photos(as_bo, bo):
    response = as_bo.post(
        "/sell/", {**SAID, "price": "x", "photo_1": picture(), "photo_alt_1": "The front."}
    )
    assert response.status_code == 422
    image = Image.objects.get(owner=bo)
    html = response.content.decode()
    assert f'name="kept" value="{image.pk}"' in html
    assert 'value="The front."' in html
    as_bo.post("/sell/", {**SAID, "kept": [str(image.pk)], f"alt_{image.pk}": "Its front."})
    listing = Listing.objects.get()
    assert listing.cover == image
    image.refresh_from_db()
    assert image.alt == "Its front."


def test_a_file_that_is_no_picture_is_named_and_nothing_is_sold(as_bo):
    file = SimpleUploadedFile("r2.png", b"<svg/>", "image/png")
    response = as_bo.post("/sell/", {**SAID, "photo_1": file})
    assert response.status_code == 422
    assert "r2.png: " in response.content.decode()
    assert not Listing.objects.exists()
    assert not Image.objects.exists()


def test_a_picture_of_somebody_else_is_not_taken(as_bo, ada):
    as_bo.post("/sell/", {**SAID, "kept": [str(make_image(ada).pk), "no-id"]})
    assert Listing.objects.get().cover is None


def test_a_taken_sku_stands_beside_its_field(as_ada, shop):
    make_listing(shop, sku="SO-1041")
    response = as_ada.post("/sell/", {**SAID, "merchant": shop.slug, "sku": "SO-1041"})
    assert response.status_code == 422
    assert "Another listing of this seller has this SKU." in response.content.decode()
    assert Listing.objects.count() == 1


def test_the_team_edits_and_others_get_404(as_ada, as_bo, guest, shop, ada):
    front, back = make_image(ada, alt="front"), make_image(ada, alt="back")
    listing = draft(shop, ada, photos=[front, back], url="https://shore.example/r2")
    address = f"/listings/{listing.pk}/edit/"
    assert guest.get(address).status_code == 302
    assert as_bo.get(address).status_code == 404
    assert as_bo.post(address, SAID).status_code == 404
    html = as_ada.get(address).content.decode()
    assert 'value="210.00"' in html
    response = as_ada.post(
        address,
        {
            **SAID,
            "price": "199.50",
            "url": "https://shore.example/r2",
            "kept": [str(front.pk), str(back.pk)],
            "cover": str(back.pk),
            "drop": [],
        },
    )
    assert response.status_code == 302
    listing = Listing.objects.get()
    assert (listing.price_minor, listing.cover) == (19_950, back)
    as_ada.post(address, {**SAID, "kept": [str(front.pk), str(back.pk)], "drop": [str(back.pk)]})
    assert [photo.image for photo in Listing.objects.get().photos.all()] == [front]


def test_a_refused_edit_changes_nothing_and_loses_nothing(as_ada, shop, ada):
    listing = draft(shop, ada)
    response = as_ada.post(
        f"/listings/{listing.pk}/edit/", {**SAID, "title": "Other", "price": "x"}
    )
    assert response.status_code == 422
    assert 'value="Other"' in response.content.decode()
    listing.refresh_from_db()
    assert listing.title == "Optra R2-M"


def test_states_change_by_plain_forms_for_the_team_alone(as_ada, as_bo, guest, shop, ada):
    listing = draft(shop, ada)
    address = f"/listings/{listing.pk}/state/"
    assert guest.post(address, {"to": "live"}).status_code == 302
    assert as_bo.post(address, {"to": "live"}).status_code == 404
    listing.refresh_from_db()
    assert listing.state == ListingState.DRAFT
    assert as_ada.post(address, {"to": "live"}).status_code == 302
    as_ada.post(address, {"to": "sold"})
    listing.refresh_from_db()
    assert listing.state == ListingState.SOLD
    response = as_ada.post(address, {"to": "live"}, follow=True)
    assert "It is sold by now, so it cannot become live." in response.content.decode()
    assert (
        "There is no such state."
        in as_ada.post(address, {"to": "gone"}, follow=True).content.decode()
    )


def test_a_state_form_leads_back_to_our_own_pages_alone(as_ada, shop, ada):
    listing = draft(shop, ada)
    address = f"/listings/{listing.pk}/state/"
    back = as_ada.post(address, {"to": "live", "next": "/listings/mine/?state=draft"})
    assert back["Location"] == "/listings/mine/?state=draft"
    evil = as_ada.post(address, {"to": "reserved", "next": "https://evil.example/"})
    assert evil["Location"] == listing.get_absolute_url()


# -- lists ------------------------------------------------------------------------------------


def test_own_listings_page_by_keyset_without_loss_or_repeat(as_ada, shop):
    for number in range(30):
        make_listing(shop, f"Lens {number:02}")
    seen: list[str] = []
    address = "/listings/mine/"
    for _ in range(3):
        html = as_ada.get(address).content.decode()
        seen += re.findall(r">(Lens \d\d)</a>", html)
        onward = re.search(r'rel="next" href="(\?after=\d+)"', html)
        if onward is None:
            break
        address = f"/listings/mine/{onward[1]}"
    assert seen == [f"Lens {number:02}" for number in reversed(range(30))]
    assert b"Lens" not in as_ada.get("/listings/mine/?state=sold").content


def test_nobody_sees_the_listings_of_others_among_their_own(as_bo, shop):
    make_listing(shop, "Ada's lens")
    assert b"Ada&#x27;s lens" not in as_bo.get("/listings/mine/").content


def test_a_groups_listings_page_by_keyset_and_filter(guest, shop, group):
    for number in range(26):
        make_listing(shop, f"Lens {number:02}", group=group)
    make_listing(shop, "Sold lens", group=group, state=ListingState.SOLD)
    make_listing(shop, "Wanted lens", group=group, kind="wanted", price_minor=None)
    make_listing(shop, "Draft lens", group=group, state=ListingState.DRAFT)
    make_listing(shop, "Elsewhere lens")
    address = "/g/film-cameras/listings/"
    first = guest.get(address).content.decode()
    titles = re.findall(r">(\w+ lens|Lens \d\d)</a>", first)
    assert titles == [f"Lens {number:02}" for number in reversed(range(2, 26))]
    onward = re.search(r'rel="next" href="(\?after=[\d-]+)"', first)
    assert onward is not None
    second = guest.get(address + onward[1]).content.decode()
    assert re.findall(r">(\w+ lens|Lens \d\d)</a>", second) == ["Lens 01", "Lens 00"]
    assert ">Sold lens</a>" in guest.get(address, {"show": "sold"}).content.decode()
    assert ">Wanted lens</a>" in guest.get(address, {"show": "wanted"}).content.decode()
    found = guest.get(address, {"q": "lens 07"}).content.decode()
    assert re.findall(r">(\w+ lens|Lens \d\d)</a>", found) == ["Lens 07"]
    assert "Nothing by those words" in guest.get(address, {"q": "zebra"}).content.decode()


@pytest.mark.parametrize("after", ["x", "1", "1-x", "99999999999999999999-1", "9" * 18 + "-1"])
def test_a_broken_cursor_is_the_first_page(guest, shop, group, after):
    make_listing(shop, "Lens", group=group)
    response = guest.get("/g/film-cameras/listings/", {"after": after})
    assert response.status_code == 200
    assert b">Lens</a>" in response.content


def test_an_empty_shelf_says_what_to_do(guest, as_bo, group):
    assert b"Nothing for sale yet" in guest.get("/g/film-cameras/listings/").content
    assert b"Nothing for sale yet" in as_bo.get("/listings/mine/").content


@pytest.mark.django_db
def test_a_teammate_outside_a_hidden_group_does_not_learn_its_name(as_member):
    keeper, mate = make_member("keeper"), make_member("mate")
    shop = open_shop(owner=keeper, name="Deep Shop")
    TeamMember.objects.create(merchant=shop, member=mate)
    cellar = make_group("cellar", name="Cellar", owner=keeper, join_mode=JoinMode.HIDDEN)
    found = make_listing(shop, group=cellar)
    assert "Cellar" in as_member(keeper).get(found.get_absolute_url()).content.decode()
    answer = as_member(mate).get(found.get_absolute_url())
    assert answer.status_code == 200
    assert "Cellar" not in answer.content.decode()
