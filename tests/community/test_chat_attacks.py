"""What a hostile member tries in chat, and what they get for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from community.chat import messages, previews
from community.chat.errors import (
    MayNotChange,
    MessageRefused,
    NotAnswered,
    NotInRoom,
    RoomNameUnfit,
    SlowedDown,
    TooFast,
)
from community.chat.guard import Listener, look_around
from community.chat.keeping import describe_room, pause_room, set_slow_mode
from community.chat.messages import (
    CHANGES_MAX,
    delete_message,
    edit_message,
    restore_message,
    toggle_message_reaction,
)
from community.chat.models import LinkPreview, Message, Room
from community.chat.rooms import answer_request, open_room, room_beside, room_of, room_with
from community.chat.services import send_message
from community.chat.talk import make_thread_of
from community.groups.models import JoinMode
from community.members.blocking import block
from community.members.models import Member
from community.threads.models import Thread
from community.threads.moderating import move_thread
from tests.factories import join, make_group, make_member, owner_of

pytestmark = pytest.mark.django_db

FOR_EVER = 10**9  # no clock is cut within a test


@pytest.fixture
def room(group) -> Room:
    return room_of(group)


@pytest.fixture
def attic(mo):
    """A group that only mo and whom they let in know of."""
    return make_group("attic", name="Attic", owner=mo, join_mode=JoinMode.HIDDEN)


def send_at_once(room: Room, sender: Member, count: int = 6) -> list[str]:
    """Let `count` sends begin together; what became of each, sorted."""

    def send(number: int) -> str:
        try:
            # Each knows the room as it was before any of them.
            send_message(room=Room.objects.get(pk=room.pk), sender=sender, body=f"No. {number}")
        except MessageRefused as refusal:
            return type(refusal).__name__
        finally:
            connection.close()
        return "sent"

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(send, range(count)))


# -- addresses that lead nowhere ----------------------------------------------------------------


@pytest.mark.parametrize("number", ["0", "9" * 18, str(2**63), "9" * 30, "9" * 400])
def test_numbers_of_any_length_lead_to_no_room_and_no_message(as_ada, room, ada, number):
    send_message(room=room, sender=ada, body="Here")
    for path in ("", "about/", "after/", "here/", "pins/", "1/", "1/edits/", "settings/"):
        assert as_ada.get(f"/rooms/{number}/{path}").status_code == 404
    for path in ("messages/", "read/", "leave/", "1/react/", "1/pin/"):
        assert as_ada.post(f"/rooms/{number}/{path}", {"body": "x"}).status_code == 404
    for path in ("", "edit/", "edits/"):
        assert as_ada.get(f"/rooms/{room.pk}/{number}/{path}").status_code == 404
    assert as_ada.post(f"/rooms/beside/{number}/").status_code == 404


# -- threads that went to a hidden group ----------------------------------------------------------


def test_a_room_whose_thread_went_to_a_hidden_group_is_for_those_in_both(
    as_ada, as_bo, as_mo, thread, ada, bo, mo, attic
):
    beside = room_beside(thread, by=bo)
    send_message(room=beside, sender=bo, body="Between us")
    join(ada, attic)
    move_thread(thread=thread, to=attic, by=mo, reason="Not for everybody.")
    Thread.objects.filter(pk=thread.pk).update(title="The heir of the factory")
    for client, status in ((as_ada, 200), (as_mo, 200), (as_bo, 404)):
        for path in ("", "about/", "after/", "pins/", "1/"):
            assert client.get(f"/rooms/{beside.pk}/{path}").status_code == status
    for path in ("/chat/", "/rooms/list/", "/search/messages/?q=between", "/notifications/"):
        assert b"The heir" not in as_bo.get(path).content
    assert b"The heir" in as_mo.get(f"/rooms/{beside.pk}/").content
    asked = [Listener(one.pk, rooms=frozenset([beside.pk])) for one in (ada, bo, mo)]
    assert look_around(asked).hears[beside.pk] == {ada.pk, mo.pk}
    with pytest.raises(NotInRoom):
        send_message(room=Room.objects.get(pk=beside.pk), sender=bo, body="Still here")


def test_a_room_whose_thread_went_to_an_open_group_stays_with_those_who_spoke(
    as_bo, as_cy, thread, bo, cy, mo
):
    beside = room_beside(thread, by=bo)
    elsewhere = make_group("elsewhere", owner=mo)
    join(cy, elsewhere)
    move_thread(thread=thread, to=elsewhere, by=mo, reason="It fits better there.")
    assert as_bo.get(f"/rooms/{beside.pk}/").status_code == 200
    assert as_cy.get(f"/rooms/{beside.pk}/").status_code == 404
    assert as_cy.post(f"/rooms/beside/{thread.pk}/").status_code == 403
    asked = [Listener(one.pk, rooms=frozenset([beside.pk])) for one in (bo, cy)]
    assert look_around(asked).hears[beside.pk] == {bo.pk}


def test_the_chat_does_not_say_what_a_thread_is_called_once_it_went_to_a_hidden_group(
    as_bo, as_mo, room, bo, mo, attic
):
    send_message(room=room, sender=bo, body="My words")
    thread = make_thread_of(room=room, seqs=[1], title="What bo said", by=bo)
    assert b"What bo said" in as_bo.get("/chat/film-cameras/").content
    move_thread(thread=thread, to=attic, by=mo, reason="Not for everybody.")
    Thread.objects.filter(pk=thread.pk).update(title="The heir of the factory")
    choose, after = f"/rooms/{room.pk}/into-thread/", f"/rooms/{room.pk}/after/?entry=0"
    for path in ("/chat/film-cameras/", "/chat/film-cameras/beside/", choose, after):
        said = as_bo.get(path).content
        assert b"The heir" not in said
        assert b"the-heir" not in said
    assert b"the-heir" in as_mo.get(choose).content
    # It is in a thread nevertheless, and goes into no other.
    assert b'id="m1"' not in as_bo.get(choose).content


# -- many sends at once ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_sends_at_once_are_no_way_around_slow_mode(room, bo, mo):
    set_slow_mode(room=room, seconds=60, by=mo)
    assert send_at_once(room, bo) == ["SlowedDown"] * 5 + ["sent"]
    assert Room.objects.get(pk=room.pk).last_seq == Message.objects.count() == 1
    with pytest.raises(SlowedDown):
        send_message(room=Room.objects.get(pk=room.pk), sender=bo, body="One more")


@pytest.mark.django_db(transaction=True)
def test_sends_at_once_are_no_more_than_one_message_to_a_stranger(cy, bo):
    pair = room_with([bo], by=cy)
    assert send_at_once(pair, cy) == ["NotAnswered"] * 5 + ["sent"]
    assert Message.objects.count() == 1
    answer_request(room=pair, member=bo, accept=True)
    assert send_at_once(pair, cy, 3) == ["sent"] * 3


# -- making others' pages and our workers busy ----------------------------------------------------


def test_changes_are_as_many_as_pages_can_follow(as_ada, room, ada, bo, monkeypatch):
    monkeypatch.setattr(messages, "CHANGES_SECONDS", FOR_EVER)
    said = send_message(room=room, sender=ada, body="One")
    for _ in range(CHANGES_MAX - 2):
        toggle_message_reaction(message=said, by=ada, name="heart")
    edit_message(message=said, body="Two", by=ada)
    edit_message(message=said, body="Two", by=ada)  # the same again changes nothing
    delete_message(message=said, by=ada)
    restore_message(message=said, by=ada)
    for act in (
        lambda: toggle_message_reaction(message=said, by=ada, name="heart"),
        lambda: edit_message(message=said, body="Three", by=ada),
        lambda: delete_message(message=said, by=ada),
    ):
        with pytest.raises(TooFast):
            act()
    path = f"/rooms/{room.pk}/{said.seq}/react/"
    refused = as_ada.post(path, {"name": "heart"}, headers={"Accept": "application/json"})
    assert refused.status_code == 429
    assert toggle_message_reaction(message=said, by=bo, name="heart")


def test_a_member_has_so_many_pages_fetched_an_hour_and_known_ones_are_drawn(
    room, ada, bo, monkeypatch
):
    monkeypatch.setattr(previews, "FETCHED_MAX", 4)
    monkeypatch.setattr(previews, "FETCHED_SECONDS", FOR_EVER)
    for number in range(3):
        links = " ".join(f"https://{number}{part}.example/" for part in "ab")
        previews.note_links(send_message(room=room, sender=ada, body=links))
    assert LinkPreview.objects.count() == 4
    known = send_message(room=room, sender=ada, body="https://0a.example/ https://9.example/")
    previews.note_links(known)
    assert list(known.links.values_list("preview__url", flat=True)) == ["https://0a.example/"]
    previews.note_links(send_message(room=room, sender=bo, body="https://9.example/"))
    assert LinkPreview.objects.filter(url="https://9.example/").exists()


# -- names ----------------------------------------------------------------------------------------


def test_what_a_room_is_called_turns_no_text_round_and_is_seen(group, mo):
    opened = open_room(
        group=group, name="Swaps\u202e\u2066 here\u200b", topic="No\u202ecash", by=mo
    )
    assert (opened.name, opened.topic) == ("Swaps here", "No cash")
    pause_room(room=opened, by=mo, reason="Too\u202eloud\n")
    assert opened.entries.get().reason == "Too loud"
    people = room_with([make_member(), make_member()], by=mo)
    with pytest.raises(RoomNameUnfit):
        describe_room(room=people, name="\u200b\u2060", topic="", by=mo)


# -- ways around ----------------------------------------------------------------------------------


def test_whoever_was_blocked_reacts_to_nothing_and_whoever_was_asked_answers_first(ada, bo, cy):
    pair = room_with([bo], by=ada)
    said = send_message(room=pair, sender=bo, body="Bye")
    toggle_message_reaction(message=said, by=ada, name="heart")
    block(by=bo, of=ada)
    with pytest.raises(NotAnswered):
        toggle_message_reaction(message=said, by=ada, name="helpful")
    assert Message.objects.get(pk=said.pk).reactions == {"heart": 1}
    asked = send_message(room=room_with([cy], by=ada), sender=ada, body="Still there?")
    with pytest.raises(NotInRoom):
        toggle_message_reaction(message=asked, by=cy, name="heart")


def test_what_a_moderator_took_back_is_theirs_to_show(as_member, room, mo):
    owner = owner_of(room.group)
    said = send_message(room=room, sender=mo, body="Said too soon")
    delete_message(message=said, by=mo)
    with pytest.raises(MayNotChange):
        restore_message(message=said, by=owner)
    menu = as_member(owner).get(f"/rooms/{room.pk}/{said.seq}/").content
    assert b"Show it again" not in menu
    restore_message(message=said, by=mo)
    assert not Message.objects.get(pk=said.pk).is_hidden
