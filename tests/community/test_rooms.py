"""Rooms: of groups, beside threads, of people; and who keeps order in them."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from community.chat.entries import latest_entries
from community.chat.errors import (
    Archived,
    AskedTooMany,
    MayNotKeepOrder,
    NobodyThere,
    NotAnswered,
    NotInRoom,
    Paused,
    ReadOnly,
    RoomNameTaken,
    RoomNameUnfit,
    SlowedDown,
    TooManyPeople,
    TooManyRooms,
)
from community.chat.keeping import (
    archive_room,
    describe_room,
    go_on,
    pause_room,
    reopen_room,
    set_slow_mode,
    set_writers,
)
from community.chat.kinds import KINDS, RoomKind, add_kind
from community.chat.models import Message, Place, Room
from community.chat.rooms import (
    PEOPLE_MAX,
    ROOMS_A_GROUP_MAX,
    answer_request,
    leave_room,
    open_room,
    room_beside,
    room_of,
    room_with,
)
from community.chat.services import send_message
from community.groups.models import Role
from community.groups.services import leave_group
from community.members.blocking import block
from community.threads.hiding import hide_post
from tests.factories import join, make_group, make_member

pytestmark = pytest.mark.django_db


def visible(member) -> set[int]:
    return set(Room.objects.visible_to(member).values_list("pk", flat=True))


# -- of groups --------------------------------------------------------------------------------


def test_a_group_has_one_first_room_however_often_it_is_asked_for(group):
    assert room_of(group) == room_of(group)
    with pytest.raises(IntegrityError), transaction.atomic():
        Room.objects.create(kind="group", group=group, slug="")


def test_moderators_open_more_rooms_and_members_do_not(group, mo, ada, cy):
    trades = open_room(group=group, name="  Trades &   swaps ", topic="What you offer", by=mo)
    assert (trades.name, trades.slug, trades.topic) == (
        "Trades & swaps",
        "trades-swaps",
        "What you offer",
    )
    assert trades.get_absolute_url() == f"/rooms/{trades.pk}/"
    with pytest.raises(MayNotKeepOrder):
        open_room(group=group, name="Mine", by=ada)
    with pytest.raises(NotInRoom):
        open_room(group=group, name="Mine", by=cy)
    with pytest.raises(RoomNameTaken):
        open_room(group=group, name="trades swaps", by=mo)
    for name in ("", "   ", "!!!", "x" * 61):
        with pytest.raises(RoomNameUnfit):
            open_room(group=group, name=name, by=mo)
    assert visible(ada) == {trades.pk}
    assert visible(cy) == set()


def test_a_group_has_at_most_twenty_open_rooms(group, mo):
    rooms = [open_room(group=group, name=f"Room {n}", by=mo) for n in range(ROOMS_A_GROUP_MAX)]
    with pytest.raises(TooManyRooms):
        open_room(group=group, name="One more", by=mo)
    archive_room(room=rooms[0], by=mo)
    open_room(group=group, name="One more", by=mo)


# -- beside a thread --------------------------------------------------------------------------


def test_a_thread_has_one_room_beside_it_for_the_group(thread, ada, bo, cy, mo):
    room = room_beside(thread, by=ada)
    assert room_beside(thread, by=bo) == room
    assert room.pk in visible(bo)
    assert room.pk not in visible(cy)
    with pytest.raises(NotInRoom):
        room_beside(thread, by=cy)
    hide_post(post=thread.posts.get(number=1), by=mo, reason="Spam.")
    assert room.pk not in visible(bo)
    with pytest.raises(NotInRoom):
        send_message(room=room, sender=bo, body="Still here?")


# -- of people --------------------------------------------------------------------------------


def test_the_same_people_have_one_room(ada, bo, cy):
    room = room_with([bo], by=ada)
    assert room_with([ada], by=bo) == room
    assert room_with([bo, bo, ada], by=ada) == room
    assert room_with([bo, cy], by=ada) != room
    assert (visible(ada) & visible(bo)) == {room.pk, room_with([bo, cy], by=ada).pk}


def test_nobody_or_a_crowd_is_no_room_of_people(ada):
    with pytest.raises(NobodyThere):
        room_with([ada], by=ada)
    crowd = [make_member(f"one{number}") for number in range(PEOPLE_MAX)]
    with pytest.raises(TooManyPeople):
        room_with(crowd, by=ada)
    assert not Room.objects.filter(kind="direct").exists()


def test_a_stranger_asks_with_one_message_and_waits(ada, cy):
    room = room_with([cy], by=ada)
    assert Place.objects.get(room=room, member=cy).state == Place.State.ASKED
    send_message(room=room, sender=ada, body="Is the lens still there?")
    with pytest.raises(NotAnswered):
        send_message(room=room, sender=ada, body="Hello??")
    with pytest.raises(NotInRoom):  # who was asked answers the request first
        send_message(room=room, sender=cy, body="Yes.")
    answer_request(room=room, member=cy, accept=True)
    send_message(room=room, sender=cy, body="Yes.")
    send_message(room=room, sender=ada, body="I take it.")
    assert Message.objects.filter(room=room).count() == 3


def test_five_strangers_a_day_are_asked_by_a_newcomer_and_thirty_by_others(ada, newcomer):
    for by, most in ((newcomer, 5), (ada, 30)):
        strangers = [make_member(f"{by.handle}{number}") for number in range(most + 1)]
        first, second, *others, last = strangers
        for group in ([first, second], *([one] for one in others)):
            room = room_with(group, by=by)
        with pytest.raises(AskedTooMany):
            room_with([last], by=by)
        assert room_with(group, by=by) == room  # one that is there is no new one
        answer_request(room=room, member=group[0], accept=True)
        room_with([last], by=by)


def test_a_refused_request_is_gone_for_whoever_refused_it_and_says_nothing(ada, cy):
    room = room_with([cy], by=ada)
    send_message(room=room, sender=ada, body="Hello")
    answer_request(room=room, member=cy, accept=False)
    assert room.pk not in visible(cy)
    assert room.pk in visible(ada)
    with pytest.raises(NotAnswered):
        send_message(room=room, sender=ada, body="Hello?")
    with pytest.raises(NotInRoom):
        answer_request(room=room, member=cy, accept=True)


def test_people_who_share_a_group_need_not_ask(ada, bo):
    room = room_with([bo], by=ada)
    assert Place.objects.get(room=room, member=bo).state == Place.State.IN
    send_message(room=room, sender=ada, body="One")
    send_message(room=room, sender=ada, body="Two")


def test_who_is_blocked_is_told_no_more_than_that_nobody_answered(ada, bo):
    room = room_with([bo], by=ada)
    send_message(room=room, sender=ada, body="Hello")
    block(by=bo, of=ada)
    with pytest.raises(NotAnswered):
        send_message(room=room, sender=ada, body="Hello?")
    assert room_with([bo], by=ada) == room
    assert room_with([ada], by=bo) == room


def test_whoever_blocked_somebody_is_not_asked_by_them(ada, cy):
    block(by=cy, of=ada)
    room = room_with([cy], by=ada)
    send_message(room=room, sender=ada, body="Hello")  # as to anybody who has not answered
    with pytest.raises(NotAnswered):
        send_message(room=room, sender=ada, body="Hello?")
    assert room.pk not in visible(cy)


def test_leaving_a_room_of_people(ada, bo, cy):
    room = room_with([bo, cy], by=ada)
    leave_room(room=room, member=bo)
    assert room.pk not in visible(bo)
    with pytest.raises(NotInRoom):
        leave_room(room=room, member=bo)
    with pytest.raises(NotInRoom):
        send_message(room=room, sender=bo, body="Bye")


# -- order ------------------------------------------------------------------------------------


def test_a_paused_room_is_for_moderators_alone(group, ada, mo):
    room = pause_room(room=room_of(group), by=mo, reason="Too hot")
    with pytest.raises(Paused):
        send_message(room=room, sender=ada, body="But")
    send_message(room=room, sender=mo, body="Let it cool off.")
    room = go_on(room=room, by=mo)
    send_message(room=room, sender=ada, body="But")
    assert [(entry.verb, entry.reason, entry.after_seq) for entry in latest_entries(room)] == [
        ("go_on", "", 1),
        ("pause", "Too hot", 0),
    ]


def test_slow_mode_counts_per_member(group, ada, bo, mo):
    room = set_slow_mode(room=room_of(group), seconds=60, by=mo)
    send_message(room=room, sender=ada, body="One")
    send_message(room=room, sender=bo, body="Mine")
    with pytest.raises(SlowedDown):
        send_message(room=room, sender=ada, body="Two")
    for _ in range(2):
        send_message(room=room, sender=mo, body="I may")


def test_a_room_for_announcements_is_read_by_all(group, ada, mo):
    room = open_room(group=group, name="News", by=mo)
    room = set_writers(room=room, writers="moderators", by=mo)
    with pytest.raises(ReadOnly):
        send_message(room=room, sender=ada, body="First!")
    send_message(room=room, sender=mo, body="Meet-up on Sunday.")
    assert room.pk in visible(ada)


def test_an_archived_room_is_read_and_not_written_even_by_one_who_read_it_before(group, ada, mo):
    room = open_room(group=group, name="Swaps 2025", by=mo)
    archive_room(room=room, by=mo, reason="The year is over")
    for stale in (room, Room.objects.get(pk=room.pk)):
        with pytest.raises(Archived):
            send_message(room=stale, sender=ada, body="Late")
    with pytest.raises(Archived):
        pause_room(room=room, by=mo)
    reopen_room(room=room, by=mo)
    send_message(room=Room.objects.get(pk=room.pk), sender=ada, body="Not late")
    with pytest.raises(MayNotKeepOrder):
        archive_room(room=room_of(group), by=mo)


def test_a_name_and_a_topic_change_and_the_address_stays(group, mo):
    room = open_room(group=group, name="Trades", by=mo)
    changed = describe_room(room=room, name="Swaps", topic="No cash", by=mo)
    assert (changed.name, changed.topic, changed.slug) == ("Swaps", "No cash", "trades")
    with pytest.raises(RoomNameUnfit):
        describe_room(room=room, name="", topic="", by=mo)
    with pytest.raises(RoomNameUnfit):
        describe_room(room=room_of(group), name="Lobby", topic="", by=mo)
    other = open_room(group=group, name="Other", by=mo)
    with pytest.raises(RoomNameTaken):
        describe_room(room=other, name="swaps", topic="", by=mo)


def test_only_those_who_keep_order_in_this_room_do(group, ada, cy, mo):
    room = room_of(group)
    elsewhere = make_group("elsewhere")
    join(cy, elsewhere, Role.MODERATOR)
    for member in (ada, cy):
        with pytest.raises(MayNotKeepOrder):
            pause_room(room=room, by=member)
        with pytest.raises(MayNotKeepOrder):
            reopen_room(room=room, by=member)
    leave_group(member=mo, group=group)
    with pytest.raises(MayNotKeepOrder):
        pause_room(room=room, by=mo)


# -- kinds ------------------------------------------------------------------------------------


def test_another_domain_adds_a_kind_and_a_name_is_taken_once(ada, bo, monkeypatch):
    from django.db.models import Q

    monkeypatch.setattr("community.chat.kinds.KINDS", dict(KINDS))
    kind = RoomKind(
        "show",
        "Live",
        readable=lambda member: Q(subject_id=member.pk),
        readers=lambda rooms, members: {},
        keeps_order=lambda member, room: True,
        title=lambda room, viewer: "A show",
    )
    add_kind(kind)
    add_kind(kind)
    with pytest.raises(ValueError, match="already a kind"):
        add_kind(RoomKind("show", "", kind.readable, kind.readers, kind.keeps_order, kind.title))
    room = Room.objects.create(kind="show", key="show:1", subject_id=ada.pk)
    assert visible(ada) == {room.pk}
    assert visible(bo) == set()


def test_who_left_or_refused_is_in_it_again_when_they_write_first(ada, bo, cy):
    pair = room_with([bo], by=ada)
    leave_room(room=pair, member=ada)
    assert not Room.objects.visible_to(ada).filter(pk=pair.pk).exists()
    assert room_with([bo], by=ada) == pair
    send_message(room=pair, sender=ada, body="One thing more")
    asked = room_with([cy], by=ada)
    answer_request(room=asked, member=cy, accept=False)
    assert room_with([ada], by=cy) == asked
    send_message(room=asked, sender=cy, body="Well, what is it?")
    assert Place.objects.get(room=asked, member=cy).state == Place.State.IN
