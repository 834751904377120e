"""Chat: order and numbers are certain, a second send is the first, outsiders hear nothing."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from community.chat.errors import NothingSaid, NotInRoom, TooFast, TooLong
from community.chat.hub import announce_message
from community.chat.models import Message, Room
from community.chat.rooms import room_of
from community.chat.services import BURST_MESSAGES, send_message
from community.groups.models import Group
from community.members.models import Member
from config.models import OutboxEvent
from tests.factories import join, make_group, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(group: Group) -> Room:
    return room_of(group)


def test_messages_are_numbered_from_one_without_gaps(room: Room, ada: Member, bo: Member):
    for number in range(1, 6):
        said = send_message(room=room, sender=ada if number % 2 else bo, body=f"Number {number}")
        assert said.seq == number
    room.refresh_from_db()
    assert room.last_seq == 5
    assert OutboxEvent.objects.filter(kind="community.MessageSent").count() == 5


def test_the_same_key_is_the_same_message(room: Room, ada: Member):
    key = uuid.uuid4()
    first = send_message(room=room, sender=ada, body="Once", client_key=key)
    assert send_message(room=room, sender=ada, body="Once", client_key=key) == first
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "refusal"), [("  \n", NothingSaid), ("x" * 4001, TooLong)], ids=["empty", "long"]
)
def test_a_refused_message_leaves_no_number_behind(room: Room, ada: Member, body: str, refusal):
    with pytest.raises(refusal):
        send_message(room=room, sender=ada, body=body)
    room.refresh_from_db()
    assert room.last_seq == 0
    assert not Message.objects.exists()
    assert not OutboxEvent.objects.filter(kind="community.MessageSent").exists()


def test_an_outsider_cannot_send(room: Room, cy: Member):
    with pytest.raises(NotInRoom):
        send_message(room=room, sender=cy, body="Hello?")
    assert not Message.objects.exists()


def test_a_hurried_sender_is_asked_to_wait(room: Room, ada: Member):
    for _ in range(BURST_MESSAGES):
        send_message(room=room, sender=ada, body="!")
    with pytest.raises(TooFast):
        send_message(room=room, sender=ada, body="!")
    assert Message.objects.count() == BURST_MESSAGES


def test_what_is_said_is_shown_as_text(room: Room, ada: Member):
    said = send_message(room=room, sender=ada, body="<script>alert(1)</script> **bold**")
    assert "<script" not in said.html
    assert "<strong>bold</strong>" in said.html


@pytest.mark.django_db(transaction=True)
def test_forty_racing_sends_lose_and_double_no_number():
    group = make_group("race")
    members = [make_member() for _ in range(4)]
    for member in members:
        join(member, group)
    room = room_of(group)

    def send(number: int) -> int:
        try:
            return send_message(room=room, sender=members[number % 4], body=f"{number}").seq
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(send, range(40)))
    assert sorted(taken) == list(range(1, 41))
    assert list(Message.objects.order_by("seq").values_list("seq", flat=True)) == sorted(taken)


@pytest.mark.django_db(transaction=True)
def test_one_message_sent_ten_times_at_once_is_one():
    group = make_group("race")
    ada = make_member("ada")
    join(ada, group)
    room, key = room_of(group), uuid.uuid4()

    def send(_: int) -> int:
        try:
            return send_message(room=room, sender=ada, body="Once", client_key=key).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(send, range(10)))) == 1
    room.refresh_from_db()
    assert (Message.objects.count(), room.last_seq) == (1, 1)


def test_the_database_refuses_a_number_twice(room: Room, ada: Member):
    send_message(room=room, sender=ada, body="One")
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(room=room, seq=1, sender=ada, body="Two", html="Two")


# -- pages ------------------------------------------------------------------------------------


def test_sending_by_the_form_and_reading_the_room(
    as_ada: Client, as_bo: Client, room: Room, group: Group
):
    answer = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "Anyone near Leith?"})
    assert answer["Location"] == f"/chat/{group.slug}/#end"
    assert "Anyone near Leith?" in as_bo.get(f"/chat/{group.slug}/").content.decode()
    assert "Anyone near Leith?" in as_bo.get("/chat/").content.decode()


def test_a_bad_message_keeps_what_was_typed(as_ada: Client, room: Room):
    text = "y" * 4001
    answer = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": text})
    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert "at most 4,000 characters" in answer.content.decode()


def test_a_script_gets_the_message_it_sent(as_ada: Client, room: Room):
    key = str(uuid.uuid4())
    form = {"body": "Hi", "client_key": key}
    headers = {"Accept": "application/json"}
    told = as_ada.post(f"/rooms/{room.pk}/messages/", form, headers=headers)
    again = as_ada.post(f"/rooms/{room.pk}/messages/", form, headers=headers)
    assert told.status_code == 201
    assert (told.json()["seq"], told.json()["key"]) == (1, key)
    assert again.json() == told.json()
    refused = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": ""}, headers=headers)
    assert (refused.status_code, refused.json()) == (422, {"error": "Write something first."})


def test_all_after_a_number_comes_in_order(as_ada: Client, room: Room, ada: Member, group: Group):
    for number in range(1, 8):
        send_message(room=room, sender=ada, body=f"Number {number}")
    told = as_ada.get(f"/rooms/{room.pk}/after/?after=4").json()
    assert [message["seq"] for message in told["messages"]] == [5, 6, 7]
    assert (told["seq"], told["more"]) == (7, False)
    one = as_ada.get(f"/rooms/{room.pk}/after/?only=3").json()
    assert [message["seq"] for message in one["messages"]] == [3]


def test_a_room_scrolls_back_by_number(as_ada: Client, room: Room, ada: Member, group: Group):
    Message.objects.bulk_create(
        Message(room=room, seq=n, sender=ada, body=f"n{n}", html=f"n{n}") for n in range(1, 131)
    )
    Room.objects.update(last_seq=130)
    newest = as_ada.get(f"/chat/{group.slug}/")
    assert [m.seq for m in newest.context["chat_messages"]] == list(range(81, 131))
    before = as_ada.get(f"/chat/{group.slug}/?before={newest.context['older']}")
    assert [m.seq for m in before.context["chat_messages"]] == list(range(31, 81))
    oldest = as_ada.get(f"/chat/{group.slug}/?before=31")
    assert oldest.context["older"] is None


def test_a_room_costs_the_same_with_two_and_with_fifty_messages(
    as_ada: Client, room: Room, ada: Member, group: Group
):
    from django.test.utils import CaptureQueriesContext

    def look() -> int:
        with CaptureQueriesContext(connection) as queries:
            as_ada.get(f"/chat/{group.slug}/")
        return len(queries)

    send_message(room=room, sender=ada, body="One")
    few = look()
    Message.objects.bulk_create(
        Message(room=room, seq=n, sender=ada, body="n", html="n") for n in range(2, 50)
    )
    assert look() == few


def test_only_its_sender_reads_why_a_message_was_hidden(
    as_ada: Client, as_bo: Client, room: Room, ada: Member, bo: Member, mo: Member, group: Group
):
    message = send_message(room=room, sender=ada, body="Meet me behind the shop")
    message.hide(by=mo, reason="No private deals.", at=timezone.now())
    message.save()
    for client, reason in ((as_ada, True), (as_bo, False)):
        page = client.get(f"/chat/{group.slug}/").content.decode()
        asked_again = client.get(f"/rooms/{room.pk}/after/?only=1").json()["messages"][0]["html"]
        for html in (page, asked_again):
            assert "Hidden by a moderator" in html
            assert ("No private deals." in html) == reason
            assert "Meet me behind the shop" not in html


def test_a_room_is_404_for_those_outside_the_group(
    as_cy: Client, guest: Client, group: Group, room: Room, ada: Member
):
    send_message(room=room, sender=ada, body="Secret plans")
    for address in (f"/chat/{group.slug}/", f"/rooms/{room.pk}/after/?after=0"):
        assert as_cy.get(address).status_code == 404
        assert guest.get(address).status_code == 302
    assert as_cy.post(f"/rooms/{room.pk}/messages/", {"body": "x"}).status_code == 404
    assert "Secret plans" not in as_cy.get("/chat/").content.decode()


def test_a_member_of_no_group_is_shown_the_way_to_one(as_cy: Client):
    assert "No rooms yet" in as_cy.get("/chat/").content.decode()


def test_a_message_is_announced_as_everybody_sees_it(
    room: Room, ada: Member, monkeypatch: pytest.MonkeyPatch
):
    told: list[dict[str, object]] = []
    monkeypatch.setattr(
        "community.chat.hub.announce", lambda channel, payload: told.append(payload)
    )
    said = send_message(room=room, sender=ada, body="Hello")
    announce_message(said)
    frame = told[-1]
    assert (frame["room"], frame["seq"], frame["sender"]) == (room.pk, 1, "ada")
    assert "Hello" in str(frame["html"])
    assert "csrf" not in str(frame["html"])
