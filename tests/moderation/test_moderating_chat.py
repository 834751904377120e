"""Staff and chat: what is flagged is read with few neighbours, and that it was read is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from community.chat import guard
from community.chat.models import Message, Room
from community.chat.rooms import open_room, room_beside, room_of, room_with
from community.chat.services import send_message
from community.members.models import Member
from moderation.audit.models import AuditEntry
from moderation.flags.models import Case, FlagReason, Outcome
from moderation.flags.services import decide, flag
from moderation.sanctions.services import suspend

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_keeper(keeper: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(keeper)


@pytest.fixture
def pair(ada: Member, bo: Member) -> Room:
    """Ada and Bo among themselves: 12 messages, of which the 8th is rude."""
    room = room_with([bo], by=ada)
    for number in range(1, 13):
        words = "Rude words" if number == 8 else f"Between us {number}."
        send_message(room=room, sender=bo if number % 2 == 0 else ada, body=words)
    return room


def flagged(room: Room, seq: int, by: Member) -> Case:
    message = Message.objects.get(room=room, seq=seq)
    return flag(kind="message", target=message, member=by, reason=FlagReason.UNKIND).case


def text_of(response) -> str:
    return str(response.content.decode())


# -- flagging ---------------------------------------------------------------------------------


def test_a_message_among_two_is_flagged_from_its_menu(as_ada: Client, pair: Room):
    menu = text_of(as_ada.get(f"/rooms/{pair.pk}/8/"))
    message = Message.objects.get(room=pair, seq=8)
    assert f"/flag/message/{message.pk}/" in menu
    answer = as_ada.post(f"/flag/message/{message.pk}/", {"reason": FlagReason.UNKIND, "note": ""})
    assert answer["Location"] == f"/rooms/{pair.pk}/?at=8#m8"
    case = Case.objects.get()
    assert (case.author, case.group, case.flag_count) == (message.sender, None, 1)


def test_who_was_asked_flags_before_they_answer_and_others_cannot(
    as_cy: Client, as_bo: Client, ada: Member, cy: Member
):
    room = room_with([cy], by=ada)
    message = send_message(room=room, sender=ada, body="Buy my lens, now!")
    said = {"reason": FlagReason.SPAM, "note": ""}
    assert as_bo.post(f"/flag/message/{message.pk}/", said).status_code == 404
    assert as_cy.post(f"/flag/message/{message.pk}/", said).status_code == 302
    assert Case.objects.get().flag_count == 1


# -- reading ----------------------------------------------------------------------------------


def test_staff_read_nothing_of_a_room_that_nobody_flagged(as_keeper: Client, pair: Room):
    for path in ("", "after/?after=0", "8/", "about/", "pins/", "here/"):
        answer = as_keeper.get(f"/rooms/{pair.pk}/{path}")
        assert answer.status_code == 404
        assert "Between us" not in text_of(answer)
    assert not AuditEntry.objects.exists()


def test_a_flagged_message_stands_with_few_neighbours_and_each_look_is_written(
    as_keeper: Client, keeper: Member, pair: Room, ada: Member
):
    case = flagged(pair, 8, ada)
    Message.objects.get(room=pair, seq=4).hide(by=keeper, reason="x", at=case.opened_at)
    page = text_of(as_keeper.get(f"/staff/moderation/case/{case.pk}/change/"))
    assert "Rude words" in page
    shown = [number for number in range(1, 13) if f"Between us {number}." in page]
    assert shown == [3, 4, 5, 6, 7, 9, 10]
    # There is nothing there for who is not in the room.
    assert f"/rooms/{pair.pk}/" not in page
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (
        keeper,
        "case.messages_read",
        f"message:{case.target_id}",
    )
    assert entry.detail == {"case": case.pk, "room": pair.pk, "seqs": [3, 4, 5, 6, 7, 8, 9, 10]}
    as_keeper.get(f"/staff/moderation/case/{case.pk}/change/")
    assert AuditEntry.objects.count() == 2


def test_hidden_neighbours_stay_hidden(as_keeper: Client, keeper: Member, pair: Room, ada: Member):
    neighbour = Message.objects.get(room=pair, seq=6)
    neighbour.hide(by=keeper, reason="Said before", at=neighbour.sent_at)
    neighbour.save()
    case = flagged(pair, 8, ada)
    page = text_of(as_keeper.get(f"/staff/moderation/case/{case.pk}/change/"))
    assert "Between us 6." not in page
    assert "Between us 7." in page


def test_a_case_that_is_closed_shows_no_neighbours(
    as_keeper: Client, keeper: Member, pair: Room, ada: Member
):
    case = flagged(pair, 8, ada)
    decide(case=case, by=keeper, outcome=Outcome.HIDE, reason="Rude")
    page = text_of(as_keeper.get(f"/staff/moderation/case/{case.pk}/change/"))
    assert "Rude words" in page
    assert "Between us" not in page
    assert not AuditEntry.objects.filter(action="case.messages_read").exists()
    assert Message.objects.get(room=pair, seq=8).hidden_reason == "Rude"


def test_the_list_of_cases_shows_the_flagged_words_alone(
    as_keeper: Client, pair: Room, ada: Member
):
    flagged(pair, 8, ada)
    page = text_of(as_keeper.get("/staff/moderation/case/"))
    assert "Rude words" in page
    assert "Between us" not in page


# -- lists of rooms ---------------------------------------------------------------------------


def test_staff_see_how_rooms_of_groups_stand_and_no_room_of_people(
    as_keeper: Client, pair: Room, group, thread, mo: Member, ada: Member, bo: Member
):
    first = room_of(group)
    send_message(room=first, sender=ada, body="Said in the group")
    side = open_room(group=group, name="Swaps", by=mo)
    room_beside(thread, by=ada)
    page = text_of(as_keeper.get("/staff/community/room/"))
    assert "Swaps" in page
    assert thread.title in page
    assert "3 chat rooms" in page
    assert f"/staff/community/room/{pair.pk}/" not in page
    assert as_keeper.get(f"/staff/community/room/{pair.pk}/change/").status_code == 302
    one = text_of(as_keeper.get(f"/staff/community/room/{side.pk}/change/"))
    assert "Swaps" in one
    assert "Said in the group" not in page + one
    assert as_keeper.post("/staff/community/room/add/", {}).status_code == 403
    assert as_keeper.post(f"/staff/community/room/{side.pk}/delete/", {}).status_code == 403


def test_lists_of_rooms_cost_the_same_however_long(
    as_keeper: Client, group, mo: Member, django_assert_max_num_queries
):
    def queries() -> int:
        with django_assert_max_num_queries(40) as asked:
            assert as_keeper.get("/staff/community/room/").status_code == 200
        return len(asked)

    open_room(group=group, name="Swaps", by=mo)
    queries()
    few = queries()
    for number in range(9):
        open_room(group=group, name=f"Room {number}", by=mo)
    assert queries() == few


# -- what was taken from them -----------------------------------------------------------------


def test_a_silenced_member_writes_changes_and_reacts_to_nothing(
    as_member, silenced: Member, keeper: Member, group, ada: Member
):
    room = room_of(group)
    theirs = send_message(room=room, sender=ada, body="Hello")
    mine = Message.objects.create(
        room=room, seq=2, sender=silenced, body="Before", html="<p>Before</p>"
    )
    Room.objects.filter(pk=room.pk).update(last_seq=2)
    client, accept = as_member(silenced), {"Accept": "application/json"}
    for path, data in (
        ("messages/", {"body": "Me again"}),
        ("messages/", {"body": "/pause"}),
        (f"{mine.seq}/edit/", {"body": "After"}),
        (f"{theirs.seq}/react/", {"name": "heart"}),
        (f"{theirs.seq}/pin/", {}),
    ):
        answer = client.post(f"/rooms/{room.pk}/{path}", data, headers=accept)
        assert answer.status_code == 403, path
    assert client.post("/rooms/new/", {"names": "ada"}).status_code == 403
    assert Message.objects.count() == 2
    mine.refresh_from_db()
    assert mine.body == "Before"
    # They read, and take their own words away.
    page = text_of(client.get(f"/chat/{group.slug}/"))
    assert "Sold the same lens twice" in page
    assert 'id="chat-body"' not in page
    assert client.post(f"/rooms/{room.pk}/{mine.seq}/hide/", {}, headers=accept).status_code == 200


def test_a_suspended_member_hears_nothing_after_the_next_round(
    pair: Room, ada: Member, bo: Member, keeper: Member
):
    both = [guard.Listener(member.pk, rooms=frozenset({pair.pk})) for member in (ada, bo)]
    allowed = guard.look_around(both)
    assert [allowed.stays(one) for one in both] == [True, True]
    suspend(member=bo, by=keeper, reason="Thrice")
    allowed = guard.look_around(both)
    assert [allowed.stays(one) for one in both] == [True, False]
    assert guard.ROUND_SECONDS < 5
