"""Listings under chat messages: from a pasted address, counted, and the same for everybody."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commerce.listings.models import Listing, ListingState
from commerce.listings.services import move_listing
from commerce.placements.handlers import link_edited_message, link_sent_message
from commerce.placements.models import MessagePlacement
from commerce.touchpoints.models import TouchKind, Touchpoint
from community.chat.handlers import note_links_of_sent
from community.chat.messages import delete_message, edit_message
from community.chat.models import LinkPreview, Message, Room
from community.chat.rooms import room_of, room_with
from community.chat.services import send_message
from community.events import MessageEdited, MessageSent
from community.groups.models import Group
from community.members.models import Member
from tests.factories_commerce import keeper_of, make_listing, make_merchant
from tests.factories_orders import READER
from tests.outbox import run_outbox

ADDRESS = "https://northlight.example/products/optra-r2"


@pytest.fixture
def listing(db: None) -> Listing:
    return make_listing(make_merchant("Northlight", host="northlight.example"), url=ADDRESS)


@pytest.fixture
def room(group: Group) -> Room:
    return room_of(group)


def say(room: Room, sender: Member, body: str) -> Message:
    message = send_message(room=room, sender=sender, body=body)
    link_sent_message(MessageSent(message_id=message.pk))
    message.refresh_from_db()
    return message


def change(message: Message, body: str) -> None:
    edit_message(message=message, body=body, by=message.sender)
    link_edited_message(MessageEdited(message_id=message.pk))


def shown(client: Client, message: Message) -> str:
    address = f"/rooms/{message.room_id}/after/?only={message.seq}"
    return str(client.get(address).json()["messages"][0]["html"])


def test_a_pasted_address_of_a_listing_gets_its_card(ada, room, listing, as_bo):
    message = say(room, ada, f"Still there: {ADDRESS}?utm_source=chat")
    html = shown(as_bo, message)
    assert html.count('class="link-card"') == 1
    assert "Optra R2-M rangefinder" in html
    assert "£210" in html
    assert "Northlight" in html


def test_so_does_the_address_of_its_page_here(ada, room, listing, as_bo, settings):
    settings.SITE_URL = "https://shoal.example"
    message = say(room, ada, f"https://shoal.example/listings/{listing.pk}/")
    assert "Optra R2-M rangefinder" in shown(as_bo, message)


def test_workers_link_it_and_open_pages_hear_of_it(ada, room, listing, as_bo):
    message = send_message(room=room, sender=ada, body=ADDRESS)
    before = as_bo.get(f"/rooms/{room.pk}/after/?after={message.seq}&change=0").json()["change"]
    run_outbox()
    told = as_bo.get(f"/rooms/{room.pk}/after/?after={message.seq}&change={before}").json()
    assert [one["seq"] for one in told["changed"]] == [message.seq]
    assert "Optra R2-M rangefinder" in told["changed"][0]["html"]


def test_a_listing_has_its_card_instead_of_a_preview(ada, room, listing):
    message = say(room, ada, f"{ADDRESS} and https://else.example/")
    note_links_of_sent(MessageSent(message_id=message.pk))
    assert [preview.url for preview in LinkPreview.objects.all()] == ["https://else.example/"]


def test_the_click_is_the_messages(ada, bo, room, listing, as_bo):
    message = say(room, ada, ADDRESS)
    go = re.search(r'href="(/go/[^"]+)" rel="nofollow"', shown(as_bo, message))
    assert go is not None
    answer = as_bo.get(go[1], headers={"user-agent": READER})
    assert answer["Location"].startswith(ADDRESS)
    touch = Touchpoint.objects.get()
    assert (touch.kind, touch.message, touch.author) == (TouchKind.CHAT_CLICK, message, ada)
    assert (touch.group, touch.listing, touch.not_counted) == (room.group, listing, "")


def test_an_outsider_with_the_link_of_a_message_among_two_gets_nowhere(
    ada, bo, listing, as_bo, as_cy
):
    message = say(room_with([bo], by=ada), ada, ADDRESS)
    go = re.search(r'href="(/go/[^"]+)"', shown(as_bo, message))
    assert go is not None
    assert as_cy.get(go[1], headers={"user-agent": READER}).status_code == 404
    assert not Touchpoint.objects.exists()


def test_linking_twice_changes_nothing(ada, room, listing):
    message = say(room, ada, ADDRESS)
    before = (message.change, list(MessagePlacement.objects.values_list("pk")))
    link_sent_message(MessageSent(message_id=message.pk))
    message.refresh_from_db()
    assert (message.change, list(MessagePlacement.objects.values_list("pk"))) == before


def test_an_edit_takes_the_card_away(ada, room, listing, as_bo):
    message = say(room, ada, ADDRESS)
    change(message, "Gone.")
    assert not MessagePlacement.objects.exists()
    assert "link-card" not in shown(as_bo, message)


def test_what_the_sender_removed_stays_removed(ada, room, listing, as_ada, as_bo):
    message = say(room, ada, ADDRESS)
    page = as_ada.get(f"/rooms/{room.pk}/{message.seq}/").content.decode()
    assert f"/rooms/{room.pk}/{message.seq}/previews/" in page
    as_ada.post(f"/rooms/{room.pk}/{message.seq}/previews/")
    assert "link-card" not in shown(as_bo, message)
    change(message, f"Still {ADDRESS}")
    assert "link-card" not in shown(as_bo, message)


def test_a_sold_listing_keeps_its_card_and_a_withdrawn_one_loses_it(ada, room, listing, as_bo):
    message = say(room, ada, ADDRESS)
    by = keeper_of(listing.merchant)
    move_listing(listing=listing, to=ListingState.SOLD, by=by)
    change(message, f"Was {ADDRESS}")
    assert "Sold" in shown(as_bo, message)
    Listing.objects.update(state=ListingState.WITHDRAWN)
    assert "link-card" not in shown(as_bo, message)


def test_a_sold_listing_gets_no_new_card(ada, room, listing):
    move_listing(listing=listing, to=ListingState.SOLD, by=keeper_of(listing.merchant))
    say(room, ada, ADDRESS)
    assert not MessagePlacement.objects.exists()


def test_a_hidden_groups_listing_has_a_card_in_its_own_room_alone(
    ada, bo, room, hidden_group, listing, as_ada, as_bo
):
    Listing.objects.update(group=hidden_group)
    assert "link-card" in shown(as_ada, say(room_of(hidden_group), ada, ADDRESS))
    assert "link-card" not in shown(as_bo, say(room, ada, ADDRESS))
    assert "link-card" not in shown(as_bo, say(room_with([bo], by=ada), ada, ADDRESS))


def test_a_listing_moved_into_a_hidden_group_loses_its_card(
    ada, room, hidden_group, listing, as_bo
):
    message = say(room, ada, ADDRESS)
    Listing.objects.update(group=hidden_group)
    assert "link-card" not in shown(as_bo, message)


def test_a_deleted_message_draws_no_card(ada, room, listing, as_bo):
    message = say(room, ada, ADDRESS)
    delete_message(message=message, by=ada)
    assert "link-card" not in shown(as_bo, message)


def test_three_listings_of_a_message_have_cards(ada, room):
    shop = make_merchant(host="many.example")
    for number in range(5):
        make_listing(shop, f"Lens {number}", url=f"https://many.example/products/{number}")
    say(room, ada, " ".join(f"https://many.example/products/{n}" for n in range(5)))
    assert MessagePlacement.objects.count() == 3


def test_words_alone_bring_no_card(ada, room):
    shop = make_merchant(host="words.example")
    make_listing(shop, "Optra R2-M", brand="Optra", model="R2-M", sku="OPT-R2M-77")
    say(room, ada, "I love the Optra R2-M, OPT-R2M-77, [here](https://else.example/)")
    assert not MessagePlacement.objects.exists()


def test_a_window_takes_as_many_queries_with_cards_as_without(
    ada, room, listing, as_bo, django_assert_num_queries
):
    say(room, ada, "Nothing.")
    as_bo.get(f"/rooms/{room.pk}/after/?after=0")
    with CaptureQueriesContext(connection) as bare:
        as_bo.get(f"/rooms/{room.pk}/after/?after=0")
    for _ in range(5):
        say(room, ada, ADDRESS)
    with django_assert_num_queries(len(bare)):
        html = str(as_bo.get(f"/rooms/{room.pk}/after/?after=0").json())
    assert html.count("data-listing") == 5
