"""Rooms without scripts: opening, settings, requests, and what is done to messages."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from community.chat import pages
from community.chat.keeping import archive_room, set_slow_mode
from community.chat.messages import pin_message
from community.chat.models import Message, Place, Room
from community.chat.pages import unread_mentions
from community.chat.rooms import open_room, room_of, room_with
from community.chat.services import send_message
from tests.factories import join, make_group, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(group) -> Room:
    return room_of(group)


def text_of(response) -> str:
    return str(response.content.decode())


# -- opening ----------------------------------------------------------------------------------


def test_a_moderator_opens_a_room_by_the_form_and_members_find_it(as_mo, as_ada, group):
    assert 'name="name"' in text_of(as_mo.get("/chat/film-cameras/new/"))
    refused = as_mo.post("/chat/film-cameras/new/", {"name": "!!!", "topic": "Kept words"})
    assert refused.status_code == 422
    assert "Kept words" in text_of(refused)
    opened = as_mo.post("/chat/film-cameras/new/", {"name": "Swaps", "topic": "No cash"})
    room = Room.objects.get(slug="swaps")
    assert opened["Location"] == f"/rooms/{room.pk}/"
    page = text_of(as_ada.get(f"/rooms/{room.pk}/"))
    assert "No cash" in page
    assert "Swaps" in text_of(as_ada.get("/chat/"))
    assert "Swaps" in text_of(as_ada.get(f"/rooms/{room_of(group).pk}/about/"))
    assert as_ada.post("/chat/film-cameras/new/", {"name": "Mine"}).status_code == 403


def test_an_archived_room_is_found_from_the_others_of_its_group(as_ada, mo, group, room):
    swap = open_room(group=group, name="Last swap", by=mo)
    archive_room(room=swap, by=mo, reason="It is over")
    about = text_of(as_ada.get(f"/rooms/{room.pk}/about/"))
    assert about.index("Last swap") < about.index("Archived")
    assert "Last swap" not in text_of(as_ada.get("/chat/"))


def test_a_first_room_has_one_address(as_ada, room):
    assert as_ada.get(f"/rooms/{room.pk}/")["Location"] == "/chat/film-cameras/"


def test_a_room_beside_a_thread_is_opened_from_it(as_ada, as_cy, thread):
    opened = as_ada.post(f"/rooms/beside/{thread.pk}/")
    room = Room.objects.get(kind="thread")
    assert opened["Location"] == f"/rooms/{room.pk}/"
    assert thread.title in text_of(as_ada.get(f"/rooms/{room.pk}/"))
    assert as_cy.post(f"/rooms/beside/{thread.pk}/").status_code == 403


def test_writing_to_somebody_by_their_name(as_ada, as_cy, cy, bo):
    assert 'value="cy"' in text_of(as_ada.get("/rooms/new/?to=cy"))
    unknown = as_ada.post("/rooms/new/", {"names": "cy nobody-here"})
    assert unknown.status_code == 422
    assert "no member called nobody-here" in text_of(unknown)
    assert "cy nobody-here" in text_of(unknown)
    near = text_of(as_ada.post("/rooms/new/", {"names": "lind"}))
    assert "Is it one of these? bo (Bo Lind)" in near
    alone = as_ada.post("/rooms/new/", {"names": "@ada"})
    assert "at least one other" in text_of(alone)
    opened = as_ada.post("/rooms/new/", {"names": "@cy"})
    as_ada.post(f"{opened['Location']}messages/", {"body": "Is it still there?"})
    asked = text_of(as_cy.get("/chat/"))
    assert "Requests" in asked
    assert "Is it still there?" in asked
    page = text_of(as_cy.get(opened["Location"]))
    assert 'name="accept"' in page
    assert 'name="body"' not in page
    assert (
        as_cy.post(f"{opened['Location']}answer/", {"accept": "1"})["Location"]
        == opened["Location"]
    )
    assert 'name="body"' in text_of(as_cy.get(opened["Location"]))
    assert "Direct messages" in text_of(as_cy.get("/chat/"))


def test_refusing_a_request_leads_away_from_it(as_cy, ada, cy):
    room = room_with([cy], by=ada)
    assert as_cy.post(f"/rooms/{room.pk}/answer/", {"accept": ""})["Location"] == "/chat/"
    assert as_cy.get(f"/rooms/{room.pk}/").status_code == 404


def test_leaving_a_room_of_people_and_no_other(as_bo, ada, bo, room):
    pair = room_with([bo], by=ada)
    assert as_bo.post(f"/rooms/{pair.pk}/leave/")["Location"] == "/chat/"
    assert as_bo.get(f"/rooms/{pair.pk}/").status_code == 404
    assert as_bo.post(f"/rooms/{room.pk}/leave/").status_code == 403


# -- settings ---------------------------------------------------------------------------------


def test_a_moderator_sets_who_writes_and_how_fast(as_mo, as_ada, group, mo):
    room = open_room(group=group, name="News", by=mo)
    form = {"name": "News", "topic": "Dates", "writers": "moderators", "slow_mode": "30"}
    assert as_ada.get(f"/rooms/{room.pk}/settings/").status_code == 403
    assert as_ada.post(f"/rooms/{room.pk}/settings/", form).status_code == 403
    assert as_mo.post(f"/rooms/{room.pk}/settings/", form).status_code == 302
    room.refresh_from_db()
    assert (room.topic, room.writers, room.slow_mode_seconds) == ("Dates", "moderators", 30)
    page = text_of(as_ada.get(f"/rooms/{room.pk}/"))
    assert "Only moderators write" in page
    assert 'name="body"' not in page
    assert "Mo" in text_of(as_mo.get(f"/rooms/{room.pk}/settings/"))


def test_a_time_that_a_command_set_stays_when_something_else_is_saved(as_mo, group, mo):
    room = open_room(group=group, name="News", by=mo)
    set_slow_mode(room=room, seconds=45, by=mo)
    page = text_of(as_mo.get(f"/rooms/{room.pk}/settings/"))
    assert '<option value="45" selected>45 seconds</option>' in page
    form = {"name": "News", "topic": "Dates", "writers": "everybody", "slow_mode": "45"}
    assert as_mo.post(f"/rooms/{room.pk}/settings/", form).status_code == 302
    room.refresh_from_db()
    assert (room.topic, room.slow_mode_seconds) == ("Dates", 45)


def test_settings_are_saved_whole_or_not_at_all(as_mo, group, mo):
    open_room(group=group, name="Swaps", by=mo)
    room = open_room(group=group, name="News", by=mo)
    form = {"name": "swaps", "topic": "Dates", "writers": "moderators", "slow_mode": "30"}
    refused = as_mo.post(f"/rooms/{room.pk}/settings/", form)
    assert refused.status_code == 409
    room.refresh_from_db()
    assert (room.name, room.topic, room.writers) == ("News", "", "everybody")


def test_a_paused_room_says_so_and_keeps_what_was_typed(as_mo, as_ada, room):
    as_mo.post(f"/rooms/{room.pk}/settings/", {"do": "pause", "reason": "Too hot"})
    refused = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "But this matters"})
    assert refused.status_code == 409
    assert "A moderator paused this room" in text_of(refused)
    assert "But this matters</textarea>" in text_of(refused)
    assert "<textarea" not in text_of(as_ada.get("/chat/film-cameras/"))
    as_mo.post(f"/rooms/{room.pk}/settings/", {"do": "go_on"})
    assert as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "But"}).status_code == 302


def test_the_level_of_a_room_is_its_members_own(as_ada, as_bo, ada, room):
    assert as_ada.post(f"/rooms/{room.pk}/level/", {"level": "muted"}).status_code == 302
    assert as_bo.post(f"/rooms/{room.pk}/level/", {"level": "loud"}).status_code == 422
    assert list(room.places.values_list("member", "level")) == [(ada.pk, "muted")]


# -- what is done to a message ----------------------------------------------------------------


def test_a_message_is_answered_changed_and_taken_away_by_forms(as_ada, as_bo, room, ada, bo):
    said = send_message(room=room, sender=ada, body="Half past sven")
    at = f"/rooms/{room.pk}/1/"
    menu = text_of(as_ada.get(at))
    assert f"{at}edit/" in menu
    assert f"{at}edit/" not in text_of(as_bo.get(at))
    answer = as_bo.post(f"/rooms/{room.pk}/messages/", {"body": "Seven?", "reply_to": "1"})
    assert answer["Location"].endswith("#end")
    assert "In reply to" in text_of(as_ada.get("/chat/film-cameras/"))
    refused = as_ada.post(f"{at}edit/", {"body": " "})
    assert refused.status_code == 422
    saved = as_ada.post(f"{at}edit/", {"body": "Half past seven"})
    assert saved["Location"] == "/chat/film-cameras/?at=1#m1"
    edits = text_of(as_bo.get(f"{at}edits/"))
    assert "<del>" in edits
    assert "<ins>" in edits
    as_ada.post(f"{at}hide/")
    assert "Deleted by its author" in text_of(as_bo.get("/chat/film-cameras/"))
    assert "Half past" not in text_of(as_bo.get("/chat/film-cameras/"))
    assert as_bo.get(f"{at}edits/").status_code == 302
    as_ada.post(f"{at}hide/", {"_method": "delete"})
    assert not Message.objects.get(pk=said.pk).is_hidden


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_a_message_says_is_in_the_form_of_who_may_change_it_alone(
    as_ada, as_bo, as_mo, room, ada, accept
):
    send_message(room=room, sender=ada, body="Meet me behind the shop")
    at = f"/rooms/{room.pk}/1/"
    asked = {"headers": {"Accept": accept}}
    assert "behind the shop" in text_of(as_ada.get(f"{at}edit/", **asked))
    as_mo.post(f"{at}hide/", {"reason": "No private deals."})
    for client in (as_ada, as_bo, as_mo):
        assert client.get(f"{at}edit/", **asked).status_code == 302
        for answer in (client.post(f"{at}edit/", **asked), client.get(at, **asked)):
            assert "behind the shop" not in text_of(answer)


def test_a_script_is_told_why_an_edit_is_refused(as_ada, as_bo, room, ada):
    send_message(room=room, sender=ada, body="Found it")
    at, asked = f"/rooms/{room.pk}/1/edit/", {"Accept": "application/json"}
    refused = as_ada.post(at, {"body": " "}, headers=asked)
    assert (refused.status_code, refused.json()) == (422, {"error": "Write something first."})
    refused = as_bo.post(at, {"body": "Lost it"}, headers=asked)
    assert refused.status_code == 403
    assert refused.json() == {"error": "Only whoever sent a message may change it."}


def test_what_a_message_answers_is_one_link_away_wherever_it_is_drawn(as_ada, as_mo, room, ada, bo):
    asked = send_message(room=room, sender=ada, body="When?")
    answer = send_message(room=room, sender=bo, body="At seven", reply_to=asked)
    as_mo.post(f"/rooms/{room.pk}/2/pin/")
    there = f'href="/rooms/{room.pk}/?at=1#m1"'
    for page in (f"/rooms/{room.pk}/pins/", f"/rooms/{room.pk}/2/", "/chat/film-cameras/beside/"):
        assert there in text_of(as_ada.get(page))
    moved = as_ada.get(f"/rooms/{room.pk}/?at=1")
    assert moved["Location"] == "/chat/film-cameras/?at=1"
    assert answer.get_absolute_url() == "/chat/film-cameras/?at=2#m2"
    assert f'href="/rooms/{room.pk}/?at=2#m2"' in text_of(as_ada.get("/chat/film-cameras/beside/"))


def test_pins_cost_the_same_with_two_and_with_six(as_ada, room, ada, bo, mo):
    def spent() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_ada.get(f"/rooms/{room.pk}/pins/").status_code == 200
        return len(queries)

    said = send_message(room=room, sender=ada, body="When?")
    for number in range(6):
        answer = send_message(room=room, sender=bo, body=f"At {number}", reply_to=said)
        pin_message(message=answer, by=mo)
        if number == 1:
            spent()
            few = spent()
    assert spent() == few


def test_a_form_that_says_nothing_readable_is_answered_in_words(as_ada, room):
    refused = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "Hi", "client_key": "mine"})
    assert refused.status_code == 422
    assert "Enter a valid UUID." in text_of(refused)


def test_reactions_by_form_and_by_script(as_ada, as_bo, room, ada):
    send_message(room=room, sender=ada, body="Found it")
    at = f"/rooms/{room.pk}/1/react/"
    assert as_bo.post(at, {"name": "heart"})["Location"] == "/chat/film-cameras/?at=1#m1"
    page = text_of(as_bo.get("/chat/film-cameras/"))
    assert 'data-mine="1:heart"' in page
    assert "data-mine" not in text_of(as_ada.get("/chat/film-cameras/"))
    told = as_ada.post(at, {"name": "heart"}, headers={"Accept": "application/json"}).json()
    assert told["mine"] == ["heart"]
    assert "❤️ 2" in told["html"]
    refused = as_bo.post(at, {"name": "skull"}, headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["error"]) == (422, "There is no such reaction.")


def test_a_moderator_hides_and_pins_by_forms(as_mo, as_ada, room, ada):
    send_message(room=room, sender=ada, body="Meet me behind the shop")
    send_message(room=room, sender=ada, body="Rules are in the topic")
    assert as_ada.post(f"/rooms/{room.pk}/2/pin/")["Location"].endswith("#m2")
    assert not Message.objects.filter(pinned_at__isnull=False).exists()
    as_mo.post(f"/rooms/{room.pk}/2/pin/")
    assert "Rules are in the topic" in text_of(as_ada.get(f"/rooms/{room.pk}/pins/"))
    refused = as_mo.post(f"/rooms/{room.pk}/1/hide/", {"reason": ""})
    assert refused.status_code == 422
    as_mo.post(f"/rooms/{room.pk}/1/hide/", {"reason": "No private deals."})
    assert "No private deals." in text_of(as_ada.get("/chat/film-cameras/"))


def test_a_page_opens_on_a_message_with_its_neighbours_and_on_a_day(as_ada, room, ada):
    Message.objects.bulk_create(
        Message(room=room, seq=n, sender=ada, body=f"n{n}", html=f"n{n}") for n in range(1, 201)
    )
    Room.objects.filter(pk=room.pk).update(last_seq=200)
    page = as_ada.get("/chat/film-cameras/?at=100")
    assert [m.seq for m in page.context["chat_messages"]] == list(range(75, 125))
    assert (page.context["older"], page.context["newer"]) == (75, 125)
    later = as_ada.get("/chat/film-cameras/?after=125")
    assert [m.seq for m in later.context["chat_messages"]] == list(range(125, 175))
    last = as_ada.get("/chat/film-cameras/?after=175")
    assert last.context["newer"] is None
    for day, place, seq in (("2020-01-01", 0, 1), ("2999-01-01", -1, 200)):
        found = as_ada.get(f"/chat/film-cameras/?on={day}", follow=True)
        assert found.context["chat_messages"][place].seq == seq
    for bad in ("?at=x", "?on=yesterday", "?before=-1", "?at=" + "9" * 40):
        assert as_ada.get(f"/chat/film-cameras/{bad}").status_code == 200


def test_changes_after_a_number_are_told_to_a_page_that_was_away(as_ada, as_bo, room, ada, mo):
    for number in range(1, 4):
        send_message(room=room, sender=ada, body=f"Number {number}")
    address = f"/rooms/{room.pk}/after/?after=3&change="
    assert as_bo.get(f"{address}0").json()["changed"] == []
    as_bo.post(f"/rooms/{room.pk}/1/react/", {"name": "heart"})
    pin_message(message=Message.objects.get(seq=3), by=mo)
    told = as_bo.get(f"{address}0").json()
    assert [one["seq"] for one in told["changed"]] == [1, 3]
    assert told["change"] == 2
    assert as_bo.get(f"{address}2").json()["changed"] == []
    # Those not there yet come as messages, as they are now.
    assert [
        one["seq"]
        for one in as_bo.get(f"/rooms/{room.pk}/after/?after=2&change=0").json()["changed"]
    ] == [1]


def test_reading_is_noted_and_can_be_taken_back(as_bo, room, ada, bo):
    for number in range(1, 4):
        send_message(room=room, sender=ada, body=f"Number {number}")
    read = f"/rooms/{room.pk}/read/"
    as_bo.post(read, {"seq": "2"}, headers={"Accept": "application/json"})
    assert Place.objects.get(room=room, member=bo).read_seq == 2
    as_bo.post(read, {"seq": "1"}, headers={"Accept": "application/json"})
    assert Place.objects.get(room=room, member=bo).read_seq == 2
    as_bo.post(read, {"seq": "99"}, headers={"Accept": "application/json"})
    assert Place.objects.get(room=room, member=bo).read_seq == 3
    assert as_bo.post(read, {"seq": "2", "unread": "1"})["Location"] == "/chat/"
    assert Place.objects.get(room=room, member=bo).read_seq == 1
    assert "2 unread" in text_of(as_bo.get("/chat/"))
    assert as_bo.post(read, {"seq": "x"}).status_code == 422


# -- doors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["", "pins/", "about/", "settings/", "after/?after=0", "1/", "1/edit/", "1/hide/", "1/edits/"],
)
def test_what_is_inside_is_404_for_those_outside(as_cy, guest, hidden_group, ada, path):
    room = room_of(hidden_group)
    send_message(room=room, sender=ada, body="Psst")
    assert as_cy.get(f"/rooms/{room.pk}/{path}").status_code == 404
    assert guest.get(f"/rooms/{room.pk}/{path}").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "messages/",
        "read/",
        "level/",
        "answer/",
        "leave/",
        "settings/",
        "1/react/",
        "1/edit/",
        "1/hide/",
        "1/pin/",
    ],
)
def test_nothing_is_written_from_outside(as_cy, ada, bo, path):
    room = room_with([bo], by=ada)
    send_message(room=room, sender=ada, body="Just us")
    form = {"body": "x", "seq": "1", "level": "all", "name": "heart", "do": "pause"}
    assert as_cy.post(f"/rooms/{room.pk}/{path}", form).status_code == 404
    assert Message.objects.count() == 1


def test_my_rooms_cost_the_same_with_two_and_with_twenty(as_ada, ada, bo):
    def look() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_ada.get("/chat/").status_code == 200
        return len(queries)

    def more(number: int) -> None:
        group = make_group(f"extra-{number}")
        join(ada, group)
        join(bo, group)
        send_message(room=room_of(group), sender=bo, body="@ada hello")
        pair = room_with([bo, group.memberships.exclude(member__in=[ada, bo]).get().member], by=ada)
        send_message(room=pair, sender=ada, body="Hello you two")

    for number in range(2):
        more(number)
    few = look()
    for number in range(2, 10):
        more(number)
    assert look() == few


def test_mentions_are_counted_once_however_many_are_in_the_room(ada, bo, mo, cy):
    room = room_with([bo, mo, cy], by=ada)
    send_message(room=room, sender=ada, body="@bo and @mo, and @bo again")
    send_message(room=room, sender=mo, body="@bo?")
    assert unread_mentions(bo, [room]) == {room.pk: 2}
    Place.objects.filter(room=room, member=bo).update(read_seq=1)
    assert unread_mentions(bo, [room]) == {room.pk: 1}
    assert unread_mentions(ada, [room]) == {}


def test_a_room_of_people_costs_the_same_with_three_and_with_eight(as_ada, ada, bo, mo):
    def spent(room: Room) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_ada.get(f"/rooms/{room.pk}/").status_code == 200
        return len(queries)

    group = make_group("many", owner=ada)
    crowd = [make_member(f"crowd{number}") for number in range(5)]
    for member in crowd:
        join(member, group)
    three, eight = room_with([bo, mo], by=ada), room_with([bo, mo, *crowd], by=ada)
    spent(three)
    assert spent(eight) == spent(three)


def test_a_room_of_people_is_listed_for_others_once_something_is_said(as_ada, as_cy, ada, cy):
    room = room_with([cy], by=ada)
    address = f'href="/rooms/{room.pk}/"'
    assert address in text_of(as_ada.get("/rooms/list/"))
    assert address not in text_of(as_cy.get("/rooms/list/"))
    send_message(room=room, sender=ada, body="Is the lens still there?")
    assert address in text_of(as_cy.get("/rooms/list/"))


def test_of_rooms_of_people_the_latest_are_listed(as_ada, ada, bo, mo, monkeypatch):
    monkeypatch.setattr(pages, "PEOPLE_ROOMS_MAX", 1)
    rooms = [room_with([one], by=ada) for one in (bo, mo)]
    for room in rooms:
        send_message(room=room, sender=ada, body="Hello")
    listed = text_of(as_ada.get("/rooms/list/"))
    assert f'href="/rooms/{rooms[1].pk}/"' in listed
    assert f'href="/rooms/{rooms[0].pk}/"' not in listed
