"""`/` commands in rooms, and what moderators did, drawn among the messages."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from community.chat import keeping
from community.chat.commands import COMMANDS, Command, add_command, offered_to, seconds_of
from community.chat.messages import pin_message
from community.chat.models import Message, Place, Room, RoomEntry
from community.chat.rooms import open_room, room_of, room_with
from community.chat.services import send_message
from community.groups.models import Membership, Role
from community.members.models import Member
from moderation.sanctions.models import Sanction
from moderation.sanctions.services import silence
from tests.factories import join

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(group) -> Room:
    return room_of(group)


def write(client, room: Room, body: str, **more):
    return client.post(
        f"/rooms/{room.pk}/messages/",
        {"body": body, **more},
        headers={"Accept": "application/json"},
    )


def text_of(response) -> str:
    return str(response.content.decode())


# -- a command is no message ------------------------------------------------------------------


def test_a_command_is_done_and_not_sent(as_mo, as_ada, room):
    answer = write(as_mo, room, "/pause Too hot in here")
    assert (answer.status_code, answer.json()) == (
        200,
        {"did": "The room is paused: only moderators write."},
    )
    room.refresh_from_db()
    assert room.paused_at is not None
    assert room.entries.get().reason == "Too hot in here"
    assert not Message.objects.exists()
    assert write(as_mo, room, "/RESUME").status_code == 200
    assert write(as_ada, room, "Cool again").status_code == 201


def test_without_scripts_a_command_says_on_the_page_what_it_did(as_mo, room):
    answer = as_mo.post(f"/rooms/{room.pk}/messages/", {"body": "/slow 5m"}, follow=True)
    assert "one message in 300 seconds" in text_of(answer)
    room.refresh_from_db()
    assert room.slow_mode_seconds == 300


def test_an_unknown_command_is_refused_and_its_words_are_kept(as_ada, room):
    answer = write(as_ada, room, "/shrug whatever")
    assert answer.status_code == 422
    assert "no command /shrug" in answer.json()["error"]
    page = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "/shrug whatever"})
    assert page.status_code == 422
    assert "/shrug whatever</textarea>" in text_of(page)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("//pause is what you want", "/pause is what you want"),
        ("/home/ada/films.txt", "/home/ada/films.txt"),
        ("/ 7", "/ 7"),
        ("// a remark", "// a remark"),
        ("f/8 and /pause", "f/8 and /pause"),
    ],
)
def test_words_with_a_slash_are_sent(as_mo, room, typed, sent):
    assert write(as_mo, room, typed).status_code == 201
    assert Message.objects.get().body == sent
    room.refresh_from_db()
    assert room.paused_at is None


@pytest.mark.parametrize(
    "words",
    ["/pause", "/resume", "/slow 30s", "/readonly on", "/topic Mine", "/pin", "/hide rude",
     "/remove @bo rude", "/silence @bo 1h rude"],
)  # fmt: skip
def test_who_keeps_no_order_is_refused_every_command_of_moderators(as_ada, bo, room, words):
    said = send_message(room=room, sender=bo, body="Hello")
    answer = write(as_ada, room, words, reply_to=said.seq)
    assert answer.status_code == 403
    assert "moderators" in answer.json()["error"]
    assert not RoomEntry.objects.exists()
    assert not Message.objects.exclude(pk=said.pk).exists()


def test_a_silenced_moderator_commands_nothing(as_mo, mo, bo, keeper, room):
    silence(member=mo, by=keeper, reason="Sold the same lens twice.")
    for words in ("/pause", "/remove @bo rude", "/pin"):
        answer = write(as_mo, room, words)
        assert answer.status_code in (403, 422), words
    assert not RoomEntry.objects.exists()
    assert Membership.objects.filter(member=bo).exists()


# -- each of them -----------------------------------------------------------------------------


def test_slow_mode_takes_seconds_minutes_and_off(as_mo, room):
    assert [seconds_of(text) for text in ("30s", "5M", "2h", "1d", "off", "soon", "5")] == [
        30, 300, 7_200, 86_400, 0, None, None,
    ]  # fmt: skip
    write(as_mo, room, "/slow 30s Too fast for me")
    assert room.entries.latest("pk").reason == "Too fast for me"
    assert write(as_mo, room, "/slow off").json() == {"did": "Slow mode is off."}
    assert write(as_mo, room, "/slow").status_code == 422


def test_readonly_and_topic(as_mo, room):
    write(as_mo, room, "/readonly on")
    write(as_mo, room, "/topic Meet on Sunday")
    room.refresh_from_db()
    assert (room.writers, room.topic) == ("moderators", "Meet on Sunday")
    write(as_mo, room, "/readonly off")
    assert write(as_mo, room, "/readonly maybe").status_code == 422
    room.refresh_from_db()
    assert room.writers == "everybody"


def test_pin_takes_the_last_message_or_the_one_replied_to(as_mo, room, ada, bo):
    assert write(as_mo, room, "/pin").status_code == 422
    first = send_message(room=room, sender=ada, body="First")
    last = send_message(room=room, sender=bo, body="Last")
    assert write(as_mo, room, "/pin").json() == {"did": "Pinned."}
    assert write(as_mo, room, "/pin", reply_to=first.seq).status_code == 200
    for message in (first, last):
        message.refresh_from_db()
        assert message.pinned_at is not None


def test_hide_needs_a_reply_and_a_reason(as_mo, room, ada):
    said = send_message(room=room, sender=ada, body="Rude")
    assert write(as_mo, room, "/hide rude").status_code == 422
    assert write(as_mo, room, "/hide", reply_to=said.seq).status_code == 422
    assert write(as_mo, room, "/hide rude", reply_to=said.seq).status_code == 200
    said.refresh_from_db()
    assert said.hidden_reason == "rude"


def test_a_groups_moderator_takes_a_member_out_and_no_moderator(as_mo, as_bo, room, bo, group):
    other = Member.objects.get(pk=bo.pk)
    assert write(as_mo, room, "/remove @bo").status_code == 422
    assert write(as_mo, room, "/remove @nobody-here rude").status_code == 422
    answer = write(as_mo, room, "/remove @bo Sold it twice")
    assert answer.json() == {"did": "Bo Lind is no longer in the group."}
    assert not Membership.objects.filter(member=other).exists()
    assert as_bo.get("/chat/film-cameras/").status_code == 404
    entry = room.entries.get()
    assert (entry.verb, entry.reason, entry.details) == (
        "remove",
        "Sold it twice",
        {"member": bo.pk},
    )
    join(other, group, Role.OWNER)
    assert write(as_mo, room, "/remove @bo Sold it twice").status_code == 403
    assert room.entries.count() == 1


def test_nobody_is_taken_out_of_a_room_of_people(as_ada, ada, bo, mo):
    crew = room_with([bo, mo], by=ada)
    answer = write(as_ada, crew, "/remove @bo rude")
    assert answer.status_code == 422
    assert Place.objects.filter(room=crew, state="in").count() == 3


def test_a_moderator_of_the_site_silences_and_a_groups_does_not(
    as_mo, as_member, keeper, group, room, bo
):
    refused = write(as_mo, room, "/silence @bo 1h rude")
    assert refused.status_code == 403
    assert "/remove" in refused.json()["error"]
    join(keeper, group)
    before = timezone.now()
    assert write(as_member(keeper), room, "/silence @bo rude").status_code == 422
    assert write(as_member(keeper), room, "/silence @bo 1h").status_code == 422
    answer = write(as_member(keeper), room, "/silence @bo 1h Sold it twice")
    assert answer.json() == {"did": "Bo Lind reads only for now."}
    sanction = Sanction.objects.get()
    assert (sanction.member, sanction.reason, sanction.by) == (bo, "Sold it twice", keeper)
    assert 3_595 < (sanction.until - before).total_seconds() < 3_700


def test_everybody_mutes_a_room_and_asks_for_help(as_ada, ada, room):
    write(as_ada, room, "/mute")
    assert room.places.get(member=ada).level == Place.Level.MUTED
    write(as_ada, room, "/unmute")
    assert room.places.get(member=ada).level == Place.Level.MENTIONS
    assert write(as_ada, room, "/help").json() == {"did": "You can write: /mute · /unmute"}


# -- which there are --------------------------------------------------------------------------


def test_each_is_offered_what_they_may_do(as_ada, ada, mo, keeper, group, room):
    join(keeper, group)
    assert [one.name for one in offered_to(ada, room)] == ["mute", "unmute", "help"]
    assert [one.name for one in offered_to(keeper, room)] == ["mute", "unmute", "help", "silence"]
    assert {"pause", "remove", "help"} < {one.name for one in offered_to(mo, room)}
    pair = room_with([mo], by=ada)
    assert "remove" not in {one.name for one in offered_to(ada, pair)}
    page = text_of(as_ada.get(f"/rooms/{room.pk}/commands/"))
    assert page.count('role="option"') == 3
    assert 'data-name="/mute"' in page


def test_another_domain_adds_a_command_and_a_name_is_taken_once(as_ada, room, monkeypatch):
    monkeypatch.setitem(COMMANDS, "wave", Command("wave", "", "Wave", lambda _asked: "Waved."))
    assert write(as_ada, room, "/wave").json() == {"did": "Waved."}
    with pytest.raises(ValueError, match="already"):
        add_command(Command("wave", "", "Wave twice", lambda _asked: "Waved."))


# -- what was done, among the messages --------------------------------------------------------


def test_what_moderators_did_stands_at_its_place(as_ada, ada, mo, room):
    first = send_message(room=room, sender=ada, body="The first")
    pin_message(message=first, by=mo)
    keeping.pause_room(room=room, by=mo, reason="Too hot")
    keeping.go_on(room=room, by=mo)
    send_message(room=room, sender=ada, body="The second")
    page = text_of(as_ada.get("/chat/film-cameras/"))
    places = [
        page.index(words)
        for words in (
            "The first",
            "Mo Adler pinned a message",
            "Mo Adler paused the room: Too hot",
            "Mo Adler let the room go on",
            "The second",
        )
    ]
    assert places == sorted(places)
    assert "data-lead" in page[places[3] : places[4]]  # an entry ends a run


def test_what_was_done_before_the_page_begins_is_not_on_it(as_ada, ada, mo, room):
    keeping.set_slow_mode(room=room, seconds=10, by=mo)
    for number in range(60):
        Message.objects.create(room=room, seq=number + 1, sender=ada, body="x", html="<p>x</p>")
    Room.objects.filter(pk=room.pk).update(last_seq=60)
    room.refresh_from_db()
    newest = text_of(as_ada.get("/chat/film-cameras/"))
    assert "set slow mode" not in newest
    assert f'data-entry="{room.entries.get().pk}"' in newest  # what its script knows already
    older = text_of(as_ada.get("/chat/film-cameras/?before=11"))
    assert "Mo Adler set slow mode to one message in 10 seconds" in older


def test_a_page_that_was_away_is_told_what_was_done(as_ada, ada, mo, bo, room):
    send_message(room=room, sender=ada, body="Hello")
    keeping.describe_room(room=room, name="", topic="Meet on Sunday", by=mo)
    known = room.entries.get().pk
    keeping.note(room, RoomEntry.Verb.REMOVE, mo, "Sold it twice", member=bo.pk)
    after = f"/rooms/{room.pk}/after/?after=1&change=0"
    assert as_ada.get(after).json()["entries"] == []
    told = as_ada.get(f"{after}&entry={known}").json()["entries"]
    assert [(one["entry"], one["after"]) for one in told] == [(known + 1, 1)]
    assert "Mo Adler took Bo Lind out of the group: Sold it twice" in told[0]["html"]
    assert len(as_ada.get(f"{after}&entry=0").json()["entries"]) == 2


def test_open_pages_of_the_room_hear_of_what_was_done(
    ada, mo, room, monkeypatch, django_capture_on_commit_callbacks
):
    heard: list[object] = []
    monkeypatch.setattr(
        "community.chat.hub.announce", lambda channel, frame: heard.append(frame["type"])
    )
    said = send_message(room=room, sender=ada, body="Hello")
    with django_capture_on_commit_callbacks(execute=True):
        pin_message(message=said, by=mo)
    assert heard == ["changed", "room"]


def test_entries_cost_no_query_each(as_ada, ada, mo, bo, room):
    send_message(room=room, sender=ada, body="Hello")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            as_ada.get("/chat/film-cameras/")
        return len(asked)

    keeping.note(room, RoomEntry.Verb.REMOVE, mo, "", member=bo.pk)
    queries()
    few = queries()
    for _ in range(9):
        keeping.note(room, RoomEntry.Verb.REMOVE, mo, "", member=bo.pk)
    assert queries() == few


def test_an_outsider_hears_of_no_entry(as_cy, mo, group):
    room = open_room(group=group, name="Swaps", by=mo)
    keeping.pause_room(room=room, by=mo)
    for address in (
        f"/rooms/{room.pk}/",
        f"/rooms/{room.pk}/after/?entry=0",
        f"/rooms/{room.pk}/commands/",
    ):
        answer = as_cy.get(address)
        assert answer.status_code == 404
        assert "paused" not in json.dumps(text_of(answer))
