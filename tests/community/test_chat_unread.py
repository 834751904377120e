"""What is unread in chat: the count on every page, the lists of rooms, and who is told."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from community.chat import unread
from community.chat.keeping import archive_room
from community.chat.messages import delete_message
from community.chat.models import Place, Room
from community.chat.pages import unread_mentions
from community.chat.places import read_to, set_level
from community.chat.rooms import answer_request, open_room, room_of, room_with
from community.chat.services import send_message
from community.chat.unread import DOT, unread_in_chat
from community.groups.services import leave_group
from community.members.blocking import block
from tests.factories import join, make_group, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(group) -> Room:
    return room_of(group)


@pytest.fixture
def told(monkeypatch) -> list[list[int]]:
    """Whom the frames of this test tell of chat."""
    heard: list[list[int]] = []

    def announce(_channel: str, frame: dict[str, object]) -> bool:
        assert frame["type"] == "told" and frame["of"] == "chat"
        heard.append(frame["members"])  # type: ignore[arg-type]
        return True

    monkeypatch.setattr(unread, "announce", announce)
    return heard


def counts(page: str) -> list[str]:
    """What the counts on "Chat" say, with the words for screen readers."""
    found = re.findall(r'<notice-count[^>]*data-of="chat"[^>]*>(.*?)</notice-count>', page, re.S)
    return [re.sub(r"<[^>]+>", "", one).strip() for one in found]


# -- how much ---------------------------------------------------------------------------------


def test_a_room_never_opened_tells_nothing(room, ada, bo):
    send_message(room=room, sender=bo, body="Morning")
    assert unread_in_chat(ada) == 0


def test_talk_of_a_group_is_a_dot_and_a_mention_is_a_number(room, ada, bo):
    read_to(room=room, member=ada, seq=0)
    send_message(room=room, sender=bo, body="Morning")
    assert unread_in_chat(ada) == DOT
    named = send_message(room=room, sender=bo, body="Is it you, @ada?")
    send_message(room=room, sender=bo, body="Or not")
    assert unread_in_chat(ada) == 1
    delete_message(message=named, by=bo)
    assert unread_in_chat(ada) == DOT
    room.refresh_from_db()
    read_to(room=room, member=ada, seq=3)
    assert unread_in_chat(ada) == 0


def test_a_mention_counts_in_a_room_one_never_opened_but_lets_nobody_in(room, ada, bo, cy):
    send_message(room=room, sender=bo, body="Said before")
    send_message(room=room, sender=bo, body="Look here, @ada and @cy")
    assert unread_in_chat(ada) == 1
    assert Place.objects.get(room=room, member=ada).read_seq == 1
    assert unread_in_chat(cy) == 0
    assert not Place.objects.filter(member=cy).exists()
    pair = room_with([bo], by=ada)
    send_message(room=pair, sender=ada, body="Do you know @cy?")
    assert not Place.objects.filter(member=cy).exists()


def test_an_answer_to_ones_message_counts_as_a_mention(room, ada, bo):
    said = send_message(room=room, sender=ada, body="Anyone near Leith?")
    send_message(room=room, sender=bo, body="Half an hour", reply_to=said)
    assert unread_in_chat(ada) == 1


def test_every_message_among_few_people_counts_to_a_hundred(ada, bo):
    pair = room_with([bo], by=ada)
    for number in range(3):
        send_message(room=pair, sender=ada, body=f"Number {number}")
    assert unread_in_chat(bo) == 3
    Room.objects.filter(pk=pair.pk).update(last_seq=250)
    assert unread_in_chat(bo) == unread.COUNTED


def test_a_request_tells_nothing_until_it_is_answered(ada, cy):
    pair = room_with([cy], by=ada)
    send_message(room=pair, sender=ada, body="Still for sale?")
    assert unread_in_chat(cy) == 0
    answer_request(room=pair, member=cy, accept=True)
    assert unread_in_chat(cy) == 1


def test_muted_left_and_archived_rooms_count_for_nothing(group, ada, bo, mo):
    def said_in(name: str) -> Room:
        opened = open_room(group=group, name=name, by=mo)
        read_to(room=opened, member=ada, seq=0)
        send_message(room=opened, sender=bo, body="To @ada")
        return opened

    muted, archived = said_in("Muted"), said_in("Archived")
    assert unread_in_chat(ada) == 2
    set_level(room=muted, member=ada, level="muted")
    archived.refresh_from_db()
    archive_room(room=archived, by=mo)
    assert unread_in_chat(ada) == 0
    said_in("Kept")
    assert unread_in_chat(ada) == 1
    leave_group(member=ada, group=group)
    assert unread_in_chat(ada) == 0


# -- on pages ---------------------------------------------------------------------------------


def test_the_nav_and_the_tab_bar_say_it(as_ada, ada, bo, room):
    assert counts(as_ada.get("/").content.decode()) == ["", ""]
    read_to(room=room, member=ada, seq=0)
    send_message(room=room, sender=bo, body="Morning")
    assert counts(as_ada.get("/").content.decode()) == ["something new", "something new"]
    send_message(room=room, sender=bo, body="Is it you, @ada?")
    assert counts(as_ada.get("/").content.decode()) == ["1 unread", "1 unread"]
    assert "1<span" in as_ada.get("/rooms/unread/").content.decode()


def test_it_costs_no_query_of_its_own(as_ada, as_cy, ada, cy, room):
    pair = room_with([cy], by=ada)
    send_message(room=pair, sender=ada, body="Hello")
    answer_request(room=pair, member=cy, accept=True)
    # Who is in no group has no row for the counts to travel with.
    for client, said, asked in ((as_ada, "", 1), (as_cy, "1 unread", 2)):
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/components/").content.decode()
        assert counts(page) == [said]
        of_places = [q for q in queries.captured_queries if "community_place" in q["sql"]]
        assert len(of_places) == asked
        assert all("community_notification" in one["sql"] for one in of_places)


def test_a_guest_is_counted_nothing(guest, room):
    assert counts(guest.get("/").content.decode()) == []
    assert guest.get("/rooms/unread/").status_code == 302
    assert guest.get("/rooms/list/").status_code == 302


def test_mentions_are_counted_from_ones_own_place(ada, bo, mo, room):
    read_to(room=room, member=mo, seq=0)
    send_message(room=room, sender=bo, body="Is it you, @ada?")
    assert unread_mentions(ada, [room]) == {room.pk: 1}
    room.refresh_from_db()
    read_to(room=room, member=ada, seq=1)
    assert unread_mentions(ada, [room]) == {}


def test_the_list_comes_as_a_piece_for_pages_that_were_told(as_ada, ada, bo, cy, room, group):
    pair = room_with([bo], by=ada)
    send_message(room=pair, sender=bo, body="Meet at three?")
    listed = as_ada.get("/rooms/list/").content.decode()
    assert "<html" not in listed
    assert "Meet at three?" in listed
    beside = as_ada.get(f"/rooms/list/?side=1&here={pair.pk}").content.decode()
    assert beside.count('aria-current="page"') == 1
    assert "Bo Lind" in beside
    assert "Film cameras" in beside
    assert "Bo Lind" in as_ada.get("/chat/").content.decode()


# -- who is told ------------------------------------------------------------------------------


def test_among_few_people_all_others_are_told(
    told, ada, bo, mo, django_capture_on_commit_callbacks
):
    trio = room_with([bo, mo], by=ada)
    set_level(room=trio, member=mo, level="muted")
    with django_capture_on_commit_callbacks(execute=True):
        send_message(room=trio, sender=ada, body="Hello")
    assert told == [[bo.pk]]


def test_in_a_group_those_are_told_who_asked_for_all_or_are_named(
    told, room, ada, bo, mo, newcomer, django_capture_on_commit_callbacks
):
    for member in (ada, mo, newcomer):
        read_to(room=room, member=member, seq=0)
    set_level(room=room, member=ada, level="all")
    with django_capture_on_commit_callbacks(execute=True):
        send_message(room=room, sender=bo, body="Morning")
    assert told == [[ada.pk]]
    with django_capture_on_commit_callbacks(execute=True):
        send_message(room=room, sender=bo, body="Morning @mo")
    assert told[1:] == [sorted([ada.pk, mo.pk])]
    with django_capture_on_commit_callbacks(execute=True):
        send_message(room=room, sender=ada, body="Morning")
    assert told[2:] == []


def test_a_request_is_told_to_nobody(told, ada, cy, django_capture_on_commit_callbacks):
    pair = room_with([cy], by=ada)
    with django_capture_on_commit_callbacks(execute=True):
        send_message(room=pair, sender=ada, body="Hello")
    assert told == []


# -- whom one may write to --------------------------------------------------------------------


def offered(client, query: str) -> list[str]:
    answer = client.get(f"/rooms/people/?{query}")
    assert answer.status_code in (200, 204)
    return re.findall(r'data-text="@([\w-]+) "', answer.content.decode())


def test_people_are_found_by_handle_and_by_any_word_of_their_name(as_ada, bo, mo, cy):
    assert offered(as_ada, "q=li") == ["bo"]
    assert offered(as_ada, "q=@mo") == ["mo"]
    assert offered(as_ada, "q=tran") == ["cy"]
    assert offered(as_ada, "q=ada") == []
    assert set(offered(as_ada, "q=")) >= {"bo", "mo"}
    assert "cy" not in offered(as_ada, "q=")


def test_who_is_unlisted_or_blocked_is_not_offered_to_strangers(as_ada, as_cy, ada, bo, cy):
    make_member("shy", name="Shy Tran", is_listed=False)
    assert offered(as_ada, "q=tran") == ["cy"]
    block(of=cy, by=ada, kind="block")
    assert offered(as_ada, "q=tran") == []
    assert "ada" not in offered(as_cy, "q=ada")


def test_in_a_room_of_people_only_they_are_offered(as_ada, as_mo, ada, bo, mo):
    pair = room_with([bo], by=ada)
    assert offered(as_ada, f"q=&room={pair.pk}") == ["bo"]
    assert offered(as_ada, f"q=mo&room={pair.pk}") == []
    assert as_mo.get(f"/rooms/people/?q=&room={pair.pk}").status_code == 404


def test_rooms_of_another_group_are_not_counted_twice(ada, bo, room):
    other = make_group("boats")
    join(ada, other)
    join(bo, other)
    for one in (room, room_of(other)):
        read_to(room=one, member=ada, seq=0)
        send_message(room=one, sender=bo, body="Look, @ada")
    assert unread_in_chat(ada) == 2
