"""What happens to a message after it was sent: answers, edits, reactions, pins, hiding."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from community.chat.errors import (
    Archived,
    MayNotChange,
    MayNotKeepOrder,
    MessageGone,
    NoSuchMessage,
    NotAnswered,
    NotInRoom,
    Paused,
    ReasonMissing,
    TooLate,
    TooManyPins,
    UnknownReaction,
)
from community.chat.keeping import archive_room, go_on, pause_room, set_slow_mode
from community.chat.messages import (
    PINS_A_ROOM_MAX,
    delete_message,
    edit_message,
    hide_message,
    pin_message,
    restore_message,
    toggle_message_reaction,
    unpin_message,
)
from community.chat.models import Message, MessageMention, MessageReaction, Room
from community.chat.pages import rooms_page, unread_mentions
from community.chat.rooms import open_room, room_of, room_with
from community.chat.services import send_message
from community.members.blocking import block
from tests.factories import make_group, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(group) -> Room:
    return room_of(group)


@pytest.fixture
def said(room, ada) -> Message:
    return send_message(room=room, sender=ada, body="Half past sven")


def fresh(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def changes(room: Room) -> list[tuple[int, int]]:
    told = Message.objects.filter(room=room, change__gt=0).order_by("change")
    return list(told.values_list("seq", "change"))


# -- answers and names ------------------------------------------------------------------------


def test_an_answer_names_whom_it_answers_and_stays_in_its_room(room, said, ada, bo):
    answer = send_message(room=room, sender=bo, body="Seven?", reply_to=said)
    assert answer.reply_to == said
    assert [row.member for row in answer.mentions.all()] == [ada]
    elsewhere = room_of(make_group("elsewhere", owner=bo))
    with pytest.raises(NoSuchMessage):
        send_message(room=elsewhere, sender=bo, body="Seven?", reply_to=said)


def test_nobody_is_named_twice_nor_by_themselves(room, said, ada, bo):
    send_message(room=room, sender=ada, body="I, @ada, say so", reply_to=said)
    assert not MessageMention.objects.exists()
    send_message(room=room, sender=bo, body="@ada @ada really?", reply_to=said)
    assert MessageMention.objects.count() == 1


def test_what_names_a_member_counts_until_they_read_it(room, ada, bo):
    send_message(room=room, sender=ada, body="Here I am")
    assert rooms_page(ada)["groups"][0].unread == 0
    room.places.create(member=ada, read_seq=1)
    for _ in range(3):
        send_message(room=room, sender=bo, body="@ada hello")
    room.refresh_from_db()
    (row,) = rooms_page(ada)["groups"]
    assert (row.unread, row.mentions) == (3, 3)
    room.places.filter(member=ada).update(read_seq=3)
    assert unread_mentions(ada, [room]) == {room.pk: 1}
    send_message(room=room, sender=ada, body="Hello")  # writing is reading
    assert unread_mentions(ada, [room]) == {}
    assert rooms_page(ada)["groups"][0].unread == 0


# -- edits ------------------------------------------------------------------------------------


def test_an_edit_keeps_what_was_said_and_takes_the_next_change(room, said, ada, bo):
    edited = edit_message(message=said, body=" Half past **seven**, @bo ", by=ada)
    assert edited.body == "Half past **seven**, @bo"
    assert "<strong>seven</strong>" in fresh(said).html
    assert fresh(said).edited_at is not None
    assert [revision.body for revision in said.revisions.all()] == ["Half past sven"]
    assert [row.member for row in said.mentions.all()] == [bo]
    edit_message(message=said, body="Half past **seven**, @bo", by=ada)  # nothing new
    assert changes(room) == [(1, 1)]
    edit_message(message=said, body="At eight", by=ada)
    assert changes(room) == [(1, 2)]
    assert not said.mentions.exists()


def test_who_may_not_write_changes_nothing_either(room, said, ada, bo, mo):
    pause_room(room=room, by=mo)
    with pytest.raises(Paused):
        edit_message(message=said, body="Eight", by=said.sender)
    go_on(room=room, by=mo)
    pair = room_with([bo], by=ada)
    sent = send_message(room=pair, sender=ada, body="Hello")
    edit_message(message=sent, body="Hello!", by=ada)
    block(by=bo, of=ada)
    with pytest.raises(NotAnswered):
        edit_message(message=sent, body="Answer me", by=ada)
    assert Message.objects.get(pk=sent.pk).body == "Hello!"


def test_a_first_message_to_a_stranger_can_be_changed_and_slow_mode_does_not_hold_it(
    group, ada, cy, mo
):
    asked = send_message(room=room_with([cy], by=ada), sender=ada, body="Is it stil there?")
    edit_message(message=asked, body="Is it still there?", by=ada)
    slow = room_of(group)
    set_slow_mode(room=slow, seconds=60, by=mo)
    slow.refresh_from_db()
    said = send_message(room=slow, sender=ada, body="Morming")
    edit_message(message=said, body="Morning", by=ada)


def test_only_its_sender_edits_and_for_a_day(room, said, ada, bo, mo):
    for member in (bo, mo):
        with pytest.raises(MayNotChange):
            edit_message(message=said, body="No", by=member)
    Message.objects.filter(pk=said.pk).update(sent_at=timezone.now() - timedelta(days=1, minutes=1))
    with pytest.raises(TooLate):
        edit_message(message=said, body="At eight", by=ada)


def test_nothing_changes_in_a_room_one_left_or_that_is_archived(group, ada, bo, mo):
    room = open_room(group=group, name="Swaps", by=mo)
    said = send_message(room=room, sender=ada, body="One")
    outsider = make_member("out")
    for act in (
        lambda: edit_message(message=said, body="x", by=outsider),
        lambda: toggle_message_reaction(message=said, by=outsider, name="heart"),
        lambda: pin_message(message=said, by=outsider),
        lambda: hide_message(message=said, by=outsider, reason="x"),
        lambda: delete_message(message=said, by=outsider),
    ):
        with pytest.raises(NotInRoom):
            act()
    archive_room(room=room, by=mo)
    with pytest.raises(Archived):
        edit_message(message=said, body="x", by=ada)
    with pytest.raises(Archived):
        toggle_message_reaction(message=said, by=bo, name="heart")


# -- reactions --------------------------------------------------------------------------------


def test_reactions_are_counted_and_taken_back(room, said, ada, bo):
    assert toggle_message_reaction(message=said, by=bo, name="heart")
    assert toggle_message_reaction(message=said, by=ada, name="heart")
    assert fresh(said).reactions == {"heart": 2}
    assert not toggle_message_reaction(message=said, by=bo, name="heart")
    assert not toggle_message_reaction(message=said, by=ada, name="heart")
    assert fresh(said).reactions == {}
    assert not MessageReaction.objects.exists()
    assert changes(room) == [(1, 4)]
    with pytest.raises(UnknownReaction):
        toggle_message_reaction(message=said, by=bo, name="skull")


# -- pins -------------------------------------------------------------------------------------


def test_moderators_pin_and_unpin(room, said, ada, mo):
    with pytest.raises(MayNotKeepOrder):
        pin_message(message=said, by=ada)
    pin_message(message=said, by=mo)
    pin_message(message=said, by=mo)
    assert fresh(said).pinned_by == mo
    assert [entry.details for entry in room.entries.all()] == [{"seq": 1}]
    unpin_message(message=said, by=mo)
    assert fresh(said).pinned_at is None


def test_a_room_has_fifty_pins_at_most(room, said, ada, mo):
    now = timezone.now()
    Message.objects.bulk_create(
        Message(room=room, seq=n, sender=ada, body="p", html="p", pinned_at=now, pinned_by=mo)
        for n in range(2, 2 + PINS_A_ROOM_MAX)
    )
    with pytest.raises(TooManyPins):
        pin_message(message=said, by=mo)


# -- hiding -----------------------------------------------------------------------------------


def test_its_sender_takes_a_message_away_and_back(room, said, ada, bo):
    with pytest.raises(MayNotChange):
        delete_message(message=said, by=bo)
    delete_message(message=said, by=ada)
    assert fresh(said).is_hidden
    with pytest.raises(MessageGone):
        edit_message(message=said, body="x", by=ada)
    with pytest.raises(MessageGone):
        toggle_message_reaction(message=said, by=bo, name="heart")
    with pytest.raises(MayNotChange):
        restore_message(message=said, by=bo)
    restore_message(message=said, by=ada)
    assert not fresh(said).is_hidden
    assert changes(room) == [(1, 2)]


def test_a_moderator_hides_for_a_reason_and_a_pin_goes_with_it(room, said, ada, bo, mo):
    pin_message(message=said, by=mo)
    with pytest.raises(MayNotKeepOrder):
        hide_message(message=said, by=bo, reason="Rude")
    with pytest.raises(ReasonMissing):
        hide_message(message=said, by=mo, reason="  ")
    hide_message(message=said, by=mo, reason="Rude")
    hidden = fresh(said)
    assert (hidden.hidden_by, hidden.hidden_reason, hidden.pinned_at) == (mo, "Rude", None)
    with pytest.raises(MessageGone):
        hide_message(message=said, by=mo, reason="Twice")
    with pytest.raises(MayNotChange):
        restore_message(message=said, by=ada)
    restore_message(message=said, by=mo)
    assert not fresh(said).is_hidden


def test_what_the_site_hid_no_moderator_of_the_room_shows(room, said, mo, keeper):
    hide = fresh(said)
    hide.hide(by=keeper, reason="Fraud", at=timezone.now())
    hide.save()
    with pytest.raises(MayNotChange):
        restore_message(message=said, by=mo)


def test_in_a_room_of_two_nobody_keeps_order(ada, bo):
    room = room_with([bo], by=ada)
    said = send_message(room=room, sender=ada, body="Just us")
    for member in (ada, bo):
        with pytest.raises(MayNotKeepOrder):
            pin_message(message=said, by=member)
