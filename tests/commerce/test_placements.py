"""Placing by hand, deciding, and what pages show of it to whom."""

from __future__ import annotations

import gzip
import random
import re

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from commerce.listings.models import ListingState
from commerce.listings.services import move_listing
from commerce.merchants.services import personal_merchant
from commerce.placements.errors import (
    NotASuggestion,
    NotForThisThread,
    NotInGroup,
    NotLive,
    NotYours,
    ThreadIsLocked,
    TooMany,
    WasRemoved,
)
from commerce.placements.models import Evidence, Placement, PlacementState
from commerce.placements.services import (
    confirm_suggestion,
    link_post,
    place_listing,
    remove_placement,
)
from community.threads.models import Post, Thread
from community.threads.services import lock_thread
from config.management.commands.bench_data import VOCABULARY
from config.outbox import drain
from tests.factories import join, make_member, make_post, make_thread
from tests.factories_commerce import keeper_of, make_listing, make_merchant, make_placement


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def r2m(group):
    return make_listing(group=group, brand="Optra", model="R2-M", sku="SO-1041")


def the_row() -> Placement:
    return Placement.objects.select_related("listing__merchant", "thread__group", "post").get()


@pytest.fixture
def suggestion(r2m, thread, bo) -> Placement:
    """Bo's post may speak of the listing; nobody has said so yet."""
    link_post(make_post(bo, thread, "my R2-M"))
    return the_row()


# -- by hand ----------------------------------------------------------------------------------


def test_a_member_of_the_group_links_a_listing_on_the_thread_once(r2m, thread, bo):
    first = place_listing(listing=r2m, thread=thread, by=bo)
    again = place_listing(listing=r2m, thread=thread, by=bo)
    assert first == again
    assert (first.evidence, first.state, first.placed_by) == (Evidence.HAND, "placed", bo)
    assert Placement.objects.count() == 1


def test_beside_a_post_only_its_author_and_moderators_place(r2m, thread, ada, bo, mo):
    post = make_post(bo, thread)
    with pytest.raises(NotYours):
        place_listing(listing=r2m, thread=thread, post=post, by=ada)
    assert not Placement.objects.exists()
    place_listing(listing=r2m, thread=thread, post=post, by=bo)
    other = make_post(bo, thread)
    place_listing(listing=r2m, thread=thread, post=other, by=mo)
    assert Placement.objects.count() == 2


def test_a_post_of_another_thread_is_refused(r2m, thread, ada, group):
    post = make_thread(ada, group, "Another").posts.get()
    with pytest.raises(NotYours):
        place_listing(listing=r2m, thread=thread, post=post, by=ada)
    assert not Placement.objects.exists()


def test_an_outsider_links_nothing(r2m, thread, cy):
    with pytest.raises(NotInGroup):
        place_listing(listing=r2m, thread=thread, by=cy)
    assert not Placement.objects.exists()


def test_in_a_locked_thread_only_moderators_link(r2m, thread, bo, mo):
    lock_thread(thread=thread, by=mo, reason="done")
    thread.refresh_from_db()
    with pytest.raises(ThreadIsLocked):
        place_listing(listing=r2m, thread=thread, by=bo)
    assert not Placement.objects.exists()
    assert place_listing(listing=r2m, thread=thread, by=mo)


@pytest.mark.parametrize("state", [ListingState.SOLD, ListingState.WITHDRAWN])
def test_what_is_over_is_not_linked_by_hand(group, thread, bo, state):
    with pytest.raises(NotLive):
        place_listing(listing=make_listing(group=group, state=state), thread=thread, by=bo)
    assert not Placement.objects.exists()


def test_what_readers_of_the_thread_may_not_see_is_not_linked(thread, hidden_group, ada):
    cellar = make_listing(group=hidden_group)
    with pytest.raises(NotForThisThread):
        place_listing(listing=cellar, thread=thread, by=ada)
    draft = make_listing(state=ListingState.DRAFT)
    with pytest.raises(NotForThisThread):
        place_listing(listing=draft, thread=thread, by=ada)
    assert not Placement.objects.exists()


def test_beside_a_post_there_is_room_for_five(group, thread, ada):
    post = thread.posts.get()
    for number in range(5):
        make_placement(make_listing(title=f"Lens {number}"), thread=thread, post=post)
    with pytest.raises(TooMany):
        make_placement(make_listing(), thread=thread, post=post)
    assert Placement.objects.count() == 5


# -- deciding ---------------------------------------------------------------------------------


def test_who_has_a_say_removes_and_nobody_else(r2m, thread, ada, bo, mo, cy):
    placement = make_placement(r2m, thread=thread, post=make_post(bo, thread), by=bo)
    bystander = make_member("dee")
    join(bystander, thread.group)
    for outsider in (cy, bystander, ada):
        with pytest.raises(NotYours):
            remove_placement(placement=placement, by=outsider)
    assert the_row().state == PlacementState.PLACED
    for decider in (bo, mo, keeper_of(r2m.merchant)):
        Placement.objects.update(state=PlacementState.PLACED, decided_by=None, decided_at=None)
        removed = remove_placement(placement=the_row(), by=decider)
        assert (removed.state, removed.decided_by) == (PlacementState.REMOVED, decider)
        assert removed.decided_at is not None


def test_the_author_of_the_thread_removes_what_stands_on_it(r2m, thread, ada, bo):
    placement = make_placement(r2m, thread=thread, by=bo)
    remove_placement(placement=placement, by=ada)
    assert the_row().state == PlacementState.REMOVED


def test_what_was_removed_comes_back_by_its_remover_or_a_moderator_alone(r2m, thread, ada, bo, mo):
    placement = make_placement(r2m, thread=thread, by=bo)
    remove_placement(placement=placement, by=ada)
    with pytest.raises(WasRemoved):
        place_listing(listing=r2m, thread=thread, by=bo)
    assert the_row().state == PlacementState.REMOVED
    assert place_listing(listing=r2m, thread=thread, by=ada).state == PlacementState.PLACED
    remove_placement(placement=the_row(), by=mo)
    with pytest.raises(WasRemoved):
        place_listing(listing=r2m, thread=thread, by=ada)
    assert place_listing(listing=r2m, thread=thread, by=mo).state == PlacementState.PLACED
    assert Placement.objects.count() == 1


def test_a_suggestion_is_confirmed_by_author_seller_or_moderator(suggestion, r2m, bo, mo, ada, cy):
    for outsider in (ada, cy):
        with pytest.raises(NotYours):
            confirm_suggestion(placement=suggestion, by=outsider)
    assert the_row().state == PlacementState.SUGGESTED
    for decider in (bo, mo, keeper_of(r2m.merchant)):
        Placement.objects.update(state=PlacementState.SUGGESTED, decided_by=None, decided_at=None)
        confirmed = confirm_suggestion(placement=the_row(), by=decider)
        assert (confirmed.state, confirmed.evidence) == (PlacementState.PLACED, Evidence.MODEL)
        assert confirmed.decided_by == decider


def test_a_suggestion_is_decided_once(suggestion, bo):
    remove_placement(placement=suggestion, by=bo)
    with pytest.raises(NotASuggestion):
        confirm_suggestion(placement=suggestion, by=bo)
    assert the_row().state == PlacementState.REMOVED


def test_a_suggestion_of_something_sold_meanwhile_is_not_confirmed(suggestion, r2m, bo):
    move_listing(listing=r2m, to=ListingState.SOLD, by=keeper_of(r2m.merchant))
    with pytest.raises(NotLive):
        confirm_suggestion(placement=suggestion, by=bo)
    assert the_row().state == PlacementState.SUGGESTED


def test_placing_by_hand_confirms_a_suggestion(suggestion, r2m, thread, bo):
    place_listing(listing=r2m, thread=thread, post=suggestion.post, by=bo)
    row = the_row()
    assert (row.state, row.decided_by) == (PlacementState.PLACED, bo)


def test_the_database_refuses_a_pair_twice_and_a_removal_by_nobody(r2m, thread, ada):
    post = thread.posts.get()
    make_placement(r2m, thread=thread, post=post)
    make_placement(r2m, thread=thread)
    for again in (post, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Placement.objects.create(thread=thread, post=again, listing=r2m, evidence="hand")
    with pytest.raises(IntegrityError), transaction.atomic():
        Placement.objects.update(state="removed")


# -- by HTTP ----------------------------------------------------------------------------------


def page(client: Client, thread: Thread) -> str:
    response = client.get(thread.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def test_a_guest_reads_the_card_and_its_link_is_our_redirect(guest, r2m, thread, bo):
    make_post(bo, thread, "my Optra R2-M")
    drain()
    html = page(guest, thread)
    assert html.count("Optra R2-M rangefinder</a>") == 3  # the post, the rail, the narrow strip
    assert re.search(r'href="/go/[\w.-]+" rel="nofollow">Optra R2-M', html)
    assert "£210" in html
    assert "“Optra R2-M” is in the post" in html
    assert "removal" not in html


def test_a_sold_listing_stays_with_its_price_and_a_withdrawn_one_goes(guest, r2m, thread, bo):
    make_post(bo, thread, "my Optra R2-M")
    drain()
    move_listing(listing=r2m, to=ListingState.SOLD, by=keeper_of(r2m.merchant))
    html = page(guest, thread)
    assert 'data-state="sold"' in html
    assert '<span class="price" data-sold>£210</span>' in html


def test_a_withdrawn_listing_is_no_longer_shown(guest, r2m, thread, bo):
    make_post(bo, thread, "my Optra R2-M")
    drain()
    move_listing(listing=r2m, to=ListingState.WITHDRAWN, by=keeper_of(r2m.merchant))
    assert "Optra R2-M rangefinder" not in page(guest, thread)


def test_a_suggestion_is_seen_by_those_who_decide_alone(
    suggestion, r2m, thread, guest, as_bo, as_ada, as_cy, as_mo, as_member
):
    asks = "Is this about the listing below?"
    for client in (guest, as_ada, as_cy):
        assert asks not in page(client, thread)
    for client in (as_bo, as_mo, as_member(keeper_of(r2m.merchant))):
        assert asks in page(client, thread)


def test_the_author_confirms_by_a_plain_form(suggestion, as_bo):
    response = as_bo.post(f"/placements/{suggestion.pk}/confirmation/")
    assert response.status_code == 302
    assert response["Location"] == reverse("post", args=[suggestion.post_id])
    assert the_row().state == PlacementState.PLACED


def test_the_author_says_no_by_a_plain_form(suggestion, as_bo):
    assert as_bo.post(f"/placements/{suggestion.pk}/removal/").status_code == 302
    assert the_row().state == PlacementState.REMOVED


@pytest.mark.parametrize("what", ["removal", "confirmation"])
def test_others_decide_nothing_by_http(suggestion, guest, as_ada, as_cy, what):
    address = f"/placements/{suggestion.pk}/{what}/"
    assert guest.post(address).status_code == 302
    assert as_ada.post(address).status_code == 403
    assert as_cy.post(address).status_code == 403
    assert as_cy.get(address).status_code == 405
    assert the_row().state == PlacementState.SUGGESTED


def test_a_placement_in_a_hidden_group_is_404_for_outsiders(hidden_group, ada, as_cy, as_ada):
    thread = make_thread(ada, hidden_group)
    placement = make_placement(make_listing(group=hidden_group), thread=thread)
    assert as_cy.post(f"/placements/{placement.pk}/removal/").status_code == 404
    assert as_cy.get(f"/threads/{thread.pk}/listings/").status_code == 404
    assert as_ada.get(f"/threads/{thread.pk}/listings/").status_code == 200
    assert the_row().state == PlacementState.PLACED


def test_listings_are_found_by_words_or_address_and_linked(as_bo, bo, r2m, thread, settings):
    elsewhere = make_listing(
        make_merchant("Far", host="far.example"), "Far away lens", url="https://far.example/p/lens"
    )
    address = f"/threads/{thread.pk}/listings/"
    assert "Optra R2-M" in as_bo.get(address).content.decode()
    assert "Optra R2-M" in as_bo.get(address, {"q": "optra r2"}).content.decode()
    assert "Far away lens" not in as_bo.get(address, {"q": "far"}).content.decode()
    for pasted in (
        "https://www.far.example/p/lens/?utm_source=x",
        f"{settings.SITE_URL}/listings/{elsewhere.pk}/",
    ):
        assert "Far away lens" in as_bo.get(address, {"q": pasted}).content.decode()
    response = as_bo.post(address, {"listing": elsewhere.pk})
    assert response.status_code == 302
    assert the_row().listing == elsewhere


def test_the_search_answers_htmx_with_the_list_alone(as_bo, r2m, thread):
    response = as_bo.get(f"/threads/{thread.pk}/listings/?q=optra", headers={"HX-Request": "true"})
    html = response.content.decode()
    assert "Optra R2-M" in html
    assert "<html" not in html


def test_a_refused_link_says_why_and_keeps_the_words(as_bo, r2m, thread, ada, bo):
    remove_placement(placement=make_placement(r2m, thread=thread, by=ada), by=ada)
    response = as_bo.post(f"/threads/{thread.pk}/listings/", {"listing": r2m.pk, "q": "optra"})
    assert response.status_code == 422
    html = response.content.decode()
    assert "Whoever removed it or a moderator can bring it back." in html
    assert 'value="optra"' in html
    assert the_row().state == PlacementState.REMOVED


def test_outsiders_and_guests_have_no_page_for_linking(guest, as_cy, thread, r2m):
    address = f"/threads/{thread.pk}/listings/"
    assert guest.get(address).status_code == 302
    assert as_cy.get(address).status_code == 403
    assert as_cy.post(address, {"listing": r2m.pk}).status_code == 403
    assert not Placement.objects.exists()


@pytest.mark.parametrize("listing", ["", "abc", "999999", "9" * 30])
def test_a_listing_that_is_none_is_404(as_bo, thread, listing):
    response = as_bo.post(f"/threads/{thread.pk}/listings/", {"listing": listing})
    assert response.status_code == 404


def test_a_listing_attached_in_the_composer_is_linked_like_a_pasted_address(as_bo, bo, thread):
    own = make_listing(personal_merchant(bo), "My [old] *lens*")
    html = page(as_bo, thread)
    option = re.search(r'<option value="([^"]+)">My \[old\]', html)
    assert option is not None
    as_bo.post(reverse("reply", args=[thread.pk]), {"body": "I have one.", "add": option[1]})
    drain()
    post = Post.objects.get(thread=thread, number=2)
    assert post.body.startswith("I have one.\n\n[My \\[old\\] \\*lens\\*](")
    assert "My [old] *lens*</a>" in post.html
    row = the_row()
    assert (row.post, row.listing, row.evidence) == (post, own, Evidence.URL)


# -- many at once -----------------------------------------------------------------------------


def queries(client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def fill(thread, group, posts: int, cards: int) -> None:
    shop = make_merchant()
    for number in range(posts):
        author = make_member()
        join(author, group)
        if number % 2:
            make_merchant(owner=author)  # has something to disclose
        post = make_post(author, thread, f"Post {number}")
        for card in range(cards):
            listing = make_listing(shop, f"Lens {number} {card}", group=group, photos=1)
            make_placement(listing, thread=thread, post=post, by=author)


@pytest.mark.parametrize(
    ("who", "whole", "sent"), [("guest", 56_000, 8_700), ("as_bo", 63_500, 11_000)]
)
def test_a_page_full_of_posts_with_twelve_cards_is_bounded(
    request, thread, group, ada, bo, who, whole, sent
):
    shop, chance = make_merchant(), random.Random(11)
    for number in range(19):
        text = " ".join(chance.choices(VOCABULARY.split(), k=70))
        post = make_post(ada if number % 2 else bo, thread, text)
        if number < 12:
            listing = make_listing(shop, f"Lens {number}", group=group)
            make_placement(listing, thread=thread, post=post, by=post.author)
    page = request.getfixturevalue(who).get(thread.get_absolute_url()).content
    assert page.count(b'<article class="post"') == 20
    assert len(page) <= whole
    assert len(gzip.compress(page)) <= sent


@pytest.mark.parametrize("who", ["guest", "as_bo", "as_mo"])
def test_a_thread_page_costs_the_same_queries_with_nineteen_cards_as_with_one(
    request, who, thread, group, ada
):
    client = request.getfixturevalue(who)
    fill(thread, group, 1, 1)
    client.get(thread.get_absolute_url())  # the first reader opens the group's chat room
    few = queries(client, thread.get_absolute_url())
    fill(thread, group, 9, 2)
    assert queries(client, thread.get_absolute_url()) == few


def test_a_list_of_threads_costs_the_same_queries_however_many_cards(guest, group, ada):
    first = make_thread(ada, group, "First")
    make_placement(make_listing(group=group, photos=1), thread=first)
    few = queries(guest, "/"), queries(guest, group.get_absolute_url())
    for number in range(6):
        thread = make_thread(ada, group, f"More {number}")
        for _ in range(4):
            make_placement(make_listing(group=group, photos=1), thread=thread)
    assert (queries(guest, "/"), queries(guest, group.get_absolute_url())) == few


def test_a_row_of_a_thread_shows_three_live_listings_each_once(guest, group, ada, bo):
    thread = make_thread(ada, group, "First")
    sold = make_listing(title="Sold one", group=group)
    make_placement(sold, thread=thread)
    move_listing(listing=sold, to=ListingState.SOLD, by=keeper_of(sold.merchant))
    twice = make_listing(title="Twice", group=group)
    make_placement(twice, thread=thread)
    make_placement(twice, thread=thread, post=make_post(bo, thread), by=bo)
    for number in range(4):
        make_placement(make_listing(title=f"Lens {number}", group=group), thread=thread)
    html = guest.get("/").content.decode()
    titles = re.findall(r'<span class="clip">([^<]+)</span><span class="price">', html)
    assert titles == ["Twice", "Lens 0", "Lens 1"]


def test_a_card_of_a_hidden_post_is_not_shown(guest, r2m, thread, bo, mo):
    post = make_post(bo, thread, "my Optra R2-M")
    drain()
    post.hide(by=mo, reason="spam", at=timezone.now())
    post.save()
    assert "Optra R2-M rangefinder" not in page(guest, thread)
    assert "Optra R2-M rangefinder" not in guest.get("/").content.decode()


def test_a_post_alone_shows_its_card_without_being_prepared(r2m, thread, bo):
    post = make_post(bo, thread, "my Optra R2-M")
    drain()
    html = Template("{% load commerce %}{% placements_of post %}{% disclosure_of post %}").render(
        Context({"post": post, "user": bo})
    )
    assert "Optra R2-M rangefinder" in html


def test_what_a_thread_shows_and_what_stands_beside_its_posts_is_one_look_up(thread, group, bo):
    fill(thread, group, 6, 2)
    rows = Template(
        "{% load commerce %}{% prepare_thread thread posts %}"
        "{% for post in posts %}{% placements_of post %}{% disclosure_of post %}{% endfor %}"
    )
    rail = Template("{% load commerce %}{% linked_strip thread %}{% linked_listings thread %}")
    for user, cost in ((None, 2), (bo, 4)):
        posts = list(Post.objects.filter(thread=thread))
        context = Context({"thread": thread, "posts": posts, "user": user})
        with CaptureQueriesContext(connection) as captured:
            html = rows.render(context)
        assert len(captured) == cost  # cards, authors' teams; the reader's role and teams
        assert html.count('<article class="listing"') == 12
    with CaptureQueriesContext(connection) as captured:
        html = rail.render(Context({"thread": Thread.objects.get(pk=thread.pk)}))
    assert len(captured) == 2  # the thread, its cards
    assert html.count('<article class="listing"') == 4 + 12  # the strip, the rail
