"""A merchant's feed into listings: streamed, taken in once, and stopped at a broken line."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from commerce.listings.feed import BadLine, brands_in, listing_fields, read_row
from commerce.listings.models import Listing, ModelToken
from commerce.placements.models import Placement
from tests.factories import make_post
from tests.factories_commerce import make_listing, make_merchant

ROW = {
    "post_id": "6144370082",
    "title": "TEAC CX-315 cassette deck",
    "price": 300,
    "description": ["Works.", "Pick up only."],
    "item": "excellent",
    "images": [],
}


@pytest.fixture
def shop(db):
    return make_merchant("Bay Swap", currency="USD", host="bay.example")


@pytest.fixture
def feed(tmp_path: Path):
    """Write rows, or raw lines, as a feed."""

    def write(*rows: dict[str, object] | str) -> Path:
        path = tmp_path / "feed.ndjson"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def take(path: Path, **options) -> str:
    out = StringIO()
    call_command("import_listings", path, merchant="bay-swap", verbosity=0, stdout=out, **options)
    return out.getvalue().strip()


def test_rows_become_live_listings(shop, feed, group):
    said = take(
        feed(ROW, {**ROW, "post_id": 2, "title": "Other", "item": "Felt"}), group=group.slug
    )
    assert said == "2 listings written, 0 here already."
    one, two = Listing.objects.order_by("pk")
    assert (one.state, one.merchant, one.group) == ("live", shop, group)
    assert (one.price_minor, one.currency, one.condition) == (30_000, "USD", "good")
    assert one.description == "Works.\n\nPick up only."
    assert (one.external_id, one.model) == ("6144370082", "CX-315")
    assert one.published_at is not None
    assert (two.external_id, two.condition, two.brand) == ("2", "", "")
    assert set(ModelToken.objects.values_list("token", flat=True)) == {"cx315"}


def test_a_second_run_changes_nothing(shop, feed):
    path = feed(ROW, {**ROW, "id": "b"})
    take(path)
    before = list(Listing.objects.order_by("pk").values())
    assert take(path) == "0 listings written, 2 here already."
    assert list(Listing.objects.order_by("pk").values()) == before


def test_a_row_twice_in_one_file_is_one_listing(shop, feed):
    assert take(feed(ROW, ROW)) == "1 listings written, 1 here already."


def test_only_the_first_rows_are_read(shop, feed):
    rows = [{**ROW, "id": number} for number in range(5)]
    assert take(feed(*rows), limit=3) == "3 listings written, 0 here already."


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"id": 7, "title"', "is no JSON"),
        ("[]", "is no JSON object"),
        ('{"title": "Lens", "price": 1}', "has no id"),
        ('{"id": 7, "title": " ", "price": 1}', "has no title"),
        ('{"id": 7, "title": "Lens"}', "has no price"),
        ('{"id": 7, "title": "Lens", "price": -1}', "has a price that is no amount"),
        ('{"id": 7, "title": "Lens", "price": 1.005}', "USD has at most 2 decimals"),
        ('{"id": 7, "title": "Lens", "price": 1e999999999}', "has a price that is no amount"),
        ('{"id": 7, "title": "Lens", "price": true}', "has a price that is no amount"),
        ('{"id": 7, "title": "Lens", "price": 1, "currency": "gold"}', "a currency that is none"),
        ('{"id": 7, "title": "Lens", "price": 1, "gtin": "1234"}', "has a GTIN that is none"),
        ('{"id": 7, "title": "Lens", "price": 1, "stock": "many"}', "has a stock that is no count"),
        ('{"id": 7, "title": "Lens", "price": 1, "kind": "gift"}', "has a kind that is none"),
        (
            '{"id": 7, "title": "Lens", "price": 1, "url": "https://evil.example/x"}',
            "is refused: The address must begin with https://",
        ),
        (
            '{"id": 7, "title": "Lens", "price": 1, "sku": "SO-1041"}',
            "is refused: Another listing of this seller has this SKU.",
        ),
    ],
)  # fmt: skip
def test_a_broken_line_says_where_and_what_came_before_stays(shop, feed, line, why):
    make_listing(shop, sku="SO-1041")
    path = feed(ROW, "", {**ROW, "id": "b"}, line, {**ROW, "id": "c"})
    with pytest.raises(CommandError) as error:
        take(path)
    assert str(error.value).startswith(f"{path}:4: the line ")
    assert why in str(error.value)
    assert "Before it: 2 written, 0 here already." in str(error.value)
    imported = Listing.objects.exclude(external_id="")
    assert set(imported.values_list("external_id", flat=True)) == {"6144370082", "b"}


def test_a_mended_file_goes_on_where_it_stopped(shop, feed):
    with pytest.raises(CommandError):
        take(feed(ROW, "{", {**ROW, "id": "c"}))
    said = take(feed(ROW, {**ROW, "id": "b"}, {**ROW, "id": "c"}))
    assert said == "2 listings written, 1 here already."


def test_bytes_that_are_no_text_are_a_broken_line(shop, tmp_path):
    path = tmp_path / "feed.ndjson"
    path.write_bytes(b'{"id": 1, "title": "\xff\xfe", "price": 1}\n')
    with pytest.raises(CommandError, match=r"feed\.ndjson:1: the line is no JSON"):
        take(path)


@pytest.mark.parametrize(
    "options", [{"merchant": "nobody"}, {"group": "nowhere"}, {"file": "nothing.ndjson"}]
)
def test_what_is_not_there_is_said_before_anything_is_written(shop, feed, options):
    arguments = {"file": feed(ROW), "merchant": "bay-swap", **options}
    with pytest.raises(CommandError, match="There is no"):
        call_command("import_listings", arguments.pop("file"), verbosity=0, **arguments)
    assert not Listing.objects.exists()


def test_prices_are_exact_and_in_the_currency_asked_for(shop, feed):
    rows = [{**ROW, "id": 1, "price": "1,250.5"}, '{"id": 2, "title": "Lens", "price": 19.90}']
    take(feed(*rows), currency="EUR")
    prices = Listing.objects.order_by("pk").values_list("price_minor", "currency")
    assert list(prices) == [(125_050, "EUR"), (1990, "EUR")]


def test_long_texts_are_cut_to_what_a_listing_holds(shop, feed):
    take(feed({**ROW, "title": "Lens " * 60, "description": "word " * 3000}))
    listing = Listing.objects.get()
    assert len(listing.title) <= 120
    assert listing.title.endswith("…")
    assert len(listing.description) <= 5000


def test_a_brand_is_believed_when_the_feed_knows_it_and_the_title_says_it(feed):
    path = feed(
        {**ROW, "item": "Trek", "title": "Trek 1200"},
        {**ROW, "item": "trek", "title": "a bike"},
        {**ROW, "item": "single", "title": "Single thing"},
        {**ROW, "item": "1979 schwinn"},
    )
    brands = brands_in(path)
    assert brands == {" trek "}

    def guessed(**row) -> tuple[str, str]:
        fields = listing_fields(1, {**ROW, **row}, currency="USD", brands=brands)
        return fields["brand"], fields["model"]

    assert guessed(title="1991 Trek 1200") == ("Trek", "")
    assert guessed(title="TREK FX-7.2, 21-speed, 54cm") == ("TREK", "FX-7.2")
    assert guessed(title="Trekking poles") == ("", "")
    assert guessed(title="Sony TC-K4 and TC-K5", item="Sony") == ("", "")
    assert guessed(title="Deck", brand="Teac", model="CX-315") == ("Teac", "CX-315")


@given(st.dictionaries(st.sampled_from([*ROW, "id", "sku", "stock", "currency"]), st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text(), max_size=2)
)))  # fmt: skip
def test_any_row_is_read_or_refused(row):
    try:
        read = read_row(1, json.dumps(row).encode())
        fields = listing_fields(1, read, currency="USD")
    except BadLine:
        return
    assert fields["external_id"]
    assert 0 < len(fields["title"]) <= 120
    assert isinstance(fields["price_minor"], int)
    assert "\x00" not in fields["title"] + fields["description"]


def link(**options) -> list[str]:
    out = StringIO()
    call_command("link_threads", verbosity=0, stdout=out, **options)
    return out.getvalue().splitlines()


def test_the_job_over_all_posts_counts_and_a_second_run_changes_nothing(shop, thread, bo, group):
    r2m = make_listing(shop, group=group, brand="Optra", model="R2-M", sku="SO-1041")
    make_post(bo, thread, "my Optra R2-M")
    make_post(bo, thread, "so-1041 it is")
    make_post(bo, thread, "the R2-M then")
    assert link() == [
        "4 posts: 2 linked, 1 suggested only, 1 nothing.",
        "2 links (1 its SKU is in the post, 1 its brand and model are in the post),"
        " 1 suggestions; 3 changed by this run.",
    ]
    assert link(group=group.slug)[1].endswith("1 suggestions; 0 changed by this run.")
    assert set(Placement.objects.values_list("listing", flat=True)) == {r2m.pk}
    with pytest.raises(CommandError, match="There is no group"):
        link(group="nowhere")
