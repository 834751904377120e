"""Asking about a listing: who is in the room, what stands in it, and who may still write."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commerce.asking.errors import AskedEnough, NoFurther, NotToBeHad, OwnListing
from commerce.asking.handlers import gather_team_of_listing
from commerce.asking.rooms import KIND
from commerce.asking.services import ask_about
from commerce.listings.models import Listing, ListingKind, ListingState
from commerce.listings.services import move_listing
from commerce.merchants.models import Merchant, TeamMember, TeamRole
from commerce.merchants.services import personal_merchant
from community.chat import unread
from community.chat.errors import NotInRoom
from community.chat.guard import Listener, look_around
from community.chat.keeping import pause_room
from community.chat.models import Place, Room
from community.chat.services import send_message
from community.chat.unread import unread_in_chat
from community.events import MessageSent
from community.members.blocking import block
from community.members.models import Member
from tests.factories import make_member
from tests.factories_commerce import make_listing, make_merchant
from tests.outbox import run_outbox


@pytest.fixture
def shop(bo: Member) -> Merchant:
    return make_merchant("Northlight", owner=bo)


@pytest.fixture
def listing(shop: Merchant) -> Listing:
    return make_listing(shop, "Optra R2-M", photos=1)


@pytest.fixture
def room(listing: Listing, ada: Member) -> Room:
    return ask_about(listing, by=ada)


def say(room: Room, sender: Member, body: str = "Is it still there?") -> None:
    message = send_message(room=room, sender=sender, body=body)
    gather_team_of_listing(MessageSent(message_id=message.pk))


def join_team(shop: Merchant, member: Member) -> None:
    TeamMember.objects.create(merchant=shop, member=member, role=TeamRole.STAFF)


def test_the_button_opens_one_room_however_often_it_is_pressed(listing, as_ada):
    page = as_ada.get(listing.get_absolute_url()).content.decode()
    assert f'action="/listings/{listing.pk}/question/"' in page
    assert "Ask the seller" in page
    first = as_ada.post(f"/listings/{listing.pk}/question/")
    second = as_ada.post(f"/listings/{listing.pk}/question/")
    room = Room.objects.get(kind="listing")
    assert first["Location"] == second["Location"] == f"/rooms/{room.pk}/"
    assert (room.subject_id, room.group) == (listing.pk, None)


def test_two_who_ask_have_a_room_each_and_do_not_see_the_others(
    listing, room, cy, as_ada, as_bo, as_cy
):
    say(room, room.created_by)
    assert as_cy.get(f"/rooms/{room.pk}/").status_code == 404
    theirs = ask_about(listing, by=cy)
    assert theirs != room
    say(theirs, cy, "And for me?")
    assert as_ada.get(f"/rooms/{theirs.pk}/").status_code == 404
    assert as_bo.get(f"/rooms/{theirs.pk}/").status_code == 200


def test_the_listing_stands_above_the_messages(listing, room, as_ada):
    page = as_ada.get(f"/rooms/{room.pk}/").content.decode()
    above = re.search(r'<a class="room-about room-listing".*?</a>', page, re.DOTALL)
    assert above is not None
    assert listing.get_absolute_url() in above[0]
    assert "£210" in above[0]
    assert listing.cover is not None
    assert listing.cover.thumbnail_url in above[0]


@pytest.mark.parametrize(
    ("state", "said"), [(ListingState.SOLD, "Sold"), (ListingState.WITHDRAWN, "Withdrawn")]
)
def test_what_is_over_says_so_and_the_talk_goes_on(listing, room, bo, as_ada, state, said):
    say(room, room.created_by)
    move_listing(listing=listing, to=state, by=bo)
    page = as_ada.get(f"/rooms/{room.pk}/").content.decode()
    assert f'<span class="badge">{said}</span>' in page
    assert as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "And?"}).status_code == 302
    assert as_ada.post(f"/listings/{listing.pk}/question/")["Location"] == f"/rooms/{room.pk}/"


def test_a_hidden_listing_is_not_drawn_again(listing, room, mo, as_ada):
    listing.hide(by=mo, reason="A fake.", at=timezone.now())
    listing.save()
    page = as_ada.get(f"/rooms/{room.pk}/").content.decode()
    assert "This listing is no longer shown" in page
    assert "room-listing" not in page


def test_each_side_reads_the_others_name(listing, room, ada, bo):
    assert KIND.title(room, ada) == "Northlight – Optra R2-M"
    assert KIND.title(room, bo) == f"{ada.name} – Optra R2-M"


# -- who is in it -----------------------------------------------------------------------------


def test_the_team_sees_a_question_once_something_is_said(room, ada, bo, as_bo):
    assert as_bo.get(f"/rooms/{room.pk}/").status_code == 404
    assert f"/rooms/{room.pk}/" not in as_bo.get("/chat/").content.decode()
    say(room, ada)
    assert as_bo.get(f"/rooms/{room.pk}/").status_code == 200
    assert f"/rooms/{room.pk}/" in as_bo.get("/chat/").content.decode()
    assert (unread_in_chat(bo), unread_in_chat(ada)) == (1, 0)


def test_who_joins_the_team_reads_what_was_asked_and_is_told_of_the_next(
    room, ada, shop, cy, as_cy
):
    say(room, ada)
    join_team(shop, cy)
    assert as_cy.get(f"/rooms/{room.pk}/").status_code == 200
    Place.objects.filter(member=cy).delete()
    say(room, ada, "Hello?")
    assert unread_in_chat(cy) == 1


def test_who_leaves_the_team_reads_nothing_more_at_once(room, ada, shop, cy, as_cy):
    join_team(shop, cy)
    say(room, ada)
    assert as_cy.get(f"/rooms/{room.pk}/").status_code == 200
    TeamMember.objects.filter(member=cy).delete()
    for address in ("", "after/?after=0", "about/", "pins/"):
        assert as_cy.get(f"/rooms/{room.pk}/{address}").status_code == 404
    assert "Optra" not in as_cy.get("/chat/").content.decode()
    assert unread_in_chat(cy) == 0
    with pytest.raises(NotInRoom):
        send_message(room=room, sender=cy, body="I know their number.")
    say(room, ada, "Anybody?")
    assert not Place.objects.filter(room=room, member=cy).exists()


def test_sockets_are_asked_for_the_team_of_now(room, ada, bo, cy, shop):
    heard = [Listener(one.pk, rooms=frozenset({room.pk})) for one in (ada, bo, cy)]
    assert look_around(heard).hears[room.pk] == {ada.pk}
    say(room, ada)
    assert look_around(heard).hears[room.pk] == {ada.pk, bo.pk}
    join_team(shop, cy)
    assert look_around(heard).hears[room.pk] == {ada.pk, bo.pk, cy.pk}
    TeamMember.objects.filter(member=bo).delete()
    assert look_around(heard).hears[room.pk] == {ada.pk, cy.pk}


def test_what_is_asked_one_by_one_is_what_is_asked_of_many(room, ada, bo, cy, mo, shop):
    say(room, ada)
    join_team(shop, cy)
    members = [ada, bo, cy, mo]
    room.refresh_from_db()
    many = KIND.readers([room], [one.pk for one in members])[room.pk]
    single = {one.pk for one in members if Room.objects.visible_to(one).filter(pk=room.pk).exists()}
    assert many == single == {ada.pk, bo.pk, cy.pk}


def test_both_sides_are_told_by_the_workers(room, ada, bo):
    send_message(room=room, sender=ada, body="Is it still there?")
    run_outbox()
    assert bo.notifications.filter(room=room).exists()
    send_message(room=room, sender=bo, body="It is.")
    run_outbox()
    assert ada.notifications.filter(room=room).exists()


def test_a_private_seller_is_asked_as_a_shop_is(ada, bo, as_bo):
    offered = make_listing(personal_merchant(bo), "My own lens")
    room = ask_about(offered, by=ada)
    say(room, ada)
    assert "My own lens" in as_bo.get(f"/rooms/{room.pk}/").content.decode()


def test_whoever_wants_something_can_be_written_to(ada, bo, as_ada):
    wanted = make_listing(personal_merchant(bo), "A lens cap", kind=ListingKind.WANTED)
    assert "Write to Bo Lind" in as_ada.get(wanted.get_absolute_url()).content.decode()
    assert as_ada.post(f"/listings/{wanted.pk}/question/").status_code == 302
    assert Room.objects.filter(subject_id=wanted.pk).exists()


# -- who may not ------------------------------------------------------------------------------


def test_a_guest_is_asked_to_sign_in_and_makes_no_room(listing, guest):
    assert "/question/" not in guest.get(listing.get_absolute_url()).content.decode()
    assert guest.post(f"/listings/{listing.pk}/question/").status_code == 302
    assert not Room.objects.filter(kind="listing").exists()


def test_ones_own_listing_leads_to_its_questions(listing, bo, as_bo):
    assert "/question/" not in as_bo.get(listing.get_absolute_url()).content.decode()
    answer = as_bo.post(f"/listings/{listing.pk}/question/")
    assert answer["Location"].endswith("/questions/")
    with pytest.raises(OwnListing):
        ask_about(listing, by=bo)


@pytest.mark.parametrize("state", [ListingState.SOLD, ListingState.WITHDRAWN])
def test_what_is_over_is_not_asked_about_anew(ada, as_ada, state):
    over = make_listing(state=state)
    assert "/question/" not in as_ada.get(over.get_absolute_url()).content.decode()
    with pytest.raises(NotToBeHad):
        ask_about(over, by=ada)
    assert as_ada.post(f"/listings/{over.pk}/question/")["Location"] == over.get_absolute_url()


def test_a_listing_one_may_not_see_cannot_be_asked_about(hidden_group, shop, as_cy):
    inside = make_listing(shop, "In the cellar", group=hidden_group)
    assert as_cy.post(f"/listings/{inside.pk}/question/").status_code == 404
    draft = make_listing(shop, "Not yet", state=ListingState.DRAFT)
    assert as_cy.post(f"/listings/{draft.pk}/question/").status_code == 404


def test_a_silenced_member_cannot_ask(listing, silenced, as_member):
    assert as_member(silenced).post(f"/listings/{listing.pk}/question/").status_code == 403
    assert not Room.objects.filter(kind="listing").exists()


def test_whom_the_seller_blocked_cannot_ask_nor_go_on(listing, room, ada, bo, cy, as_ada):
    say(room, ada)
    block(by=bo, of=ada)
    answer = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "Hello?"})
    assert answer.status_code == 409
    assert "No messages are taken here now." in answer.content.decode()
    block(by=bo, of=cy)
    with pytest.raises(NoFurther):
        ask_about(listing, by=cy)


def test_a_seller_whom_the_buyer_blocked_cannot_go_on(room, ada, bo):
    say(room, ada)
    block(by=ada, of=bo)
    with pytest.raises(NoFurther):
        send_message(room=room, sender=bo, body="One more thing.")
    send_message(room=room, sender=ada, body="Still mine to write in.")


def test_neither_side_keeps_order_over_the_other(room, ada, bo, as_bo):
    say(room, ada)
    assert as_bo.get(f"/rooms/{room.pk}/settings/").status_code == 403
    for one in (ada, bo):
        with pytest.raises(Exception, match="Only moderators"):
            pause_room(room=room, by=one)


def test_a_member_asks_about_thirty_listings_a_day_and_a_newcomer_about_five(ada, newcomer, shop):
    listings = [make_listing(shop, f"Lens {number}") for number in range(6)]
    for each in listings[:5]:
        ask_about(each, by=newcomer)
    with pytest.raises(AskedEnough):
        ask_about(listings[5], by=newcomer)
    assert ask_about(listings[0], by=newcomer).subject_id == listings[0].pk
    Room.objects.filter(created_by=newcomer).update(created_at=timezone.now() - timedelta(days=2))
    ask_about(listings[5], by=newcomer)
    Room.objects.bulk_create(
        Room(kind="listing", key=f"listing:x{n}:{ada.pk}", subject_id=1, created_by=ada)
        for n in range(30)
    )
    with pytest.raises(AskedEnough):
        ask_about(listings[0], by=ada)


# -- lists ------------------------------------------------------------------------------------


def test_a_merchants_questions_are_their_teams(shop, room, ada, as_ada, as_bo, as_cy, guest):
    address = f"/merchants/{shop.slug}/questions/"
    assert "No questions yet" in as_bo.get(address).content.decode()
    say(room, ada, "Is it still there?")
    page = as_bo.get(address).content.decode()
    assert "Ada Quist – Optra R2-M" in page
    assert "Is it still there?" in page
    assert "1 unread" in page
    assert address in as_bo.get(f"/merchants/{shop.slug}/shop/").content.decode()
    assert as_ada.get(address).status_code == 404
    assert as_cy.get(address).status_code == 404
    assert guest.get(address).status_code == 302


def test_lists_of_rooms_show_the_listings_picture_and_take_as_many_queries_for_more(
    shop, listing, room, ada, as_bo
):
    say(room, ada)
    assert listing.cover is not None
    lists = ("/chat/", f"/merchants/{shop.slug}/questions/")
    taken = []
    for address in lists:
        as_bo.get(address)
        with CaptureQueriesContext(connection) as one:
            assert listing.cover.thumbnail_url in as_bo.get(address).content.decode()
        taken.append(len(one))
    for number in range(4):
        asker = make_member(f"asker-{number}")
        say(ask_about(make_listing(shop, f"Lens {number}", photos=1), by=asker), asker)
    for address, queries in zip(lists, taken, strict=True):
        with CaptureQueriesContext(connection) as many:
            page = as_bo.get(address).content.decode()
        assert len(many) <= queries
        assert "Asker 3 – Lens 3" in page


def test_who_left_the_team_is_not_even_told_that_somebody_spoke(
    room, ada, shop, bo, cy, monkeypatch, django_capture_on_commit_callbacks
):
    join_team(shop, cy)
    Place.objects.get_or_create(room=room, member=cy)
    told: list[list[int]] = []
    monkeypatch.setattr(unread, "tell", lambda members: told.append(sorted(members)))
    with django_capture_on_commit_callbacks(execute=True):
        send_message(room=room, sender=ada, body="Is it still there?")
    TeamMember.objects.filter(member=cy).delete()
    with django_capture_on_commit_callbacks(execute=True):
        send_message(room=room, sender=ada, body="Hello?")
    assert told == [sorted([bo.pk, cy.pk]), [bo.pk]]
