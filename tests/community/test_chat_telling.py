"""Who is told of a message, and how: each once, and only those who may read it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from community.chat.here import note_here
from community.chat.keeping import archive_room
from community.chat.messages import edit_message, hide_message
from community.chat.models import Message, Room
from community.chat.places import read_to, set_level
from community.chat.rooms import answer_request, open_room, room_beside, room_of, room_with
from community.chat.services import send_message
from community.events import MessageEdited, MessageSent
from community.groups.services import leave_group
from community.members.models import Block, Member
from community.notifications.chat import tell_of_edited_message, tell_of_message
from community.notifications.context import unread_count
from community.notifications.delivery import send_due
from community.notifications.models import (
    Channel,
    EmailWhen,
    Kind,
    Notification,
    Preferences,
    PushSubscription,
    Sending,
)
from community.notifications.services import mark_all_read, want
from community.notifications.words import address, excerpt, sentence
from config.redis import client as valkey
from moderation.sanctions.services import silence
from tests.factories import join, make_group, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_here() -> None:
    from community.chat import here

    here._noted.clear()
    valkey().flushdb()


@pytest.fixture
def room(group, ada, bo, mo) -> Room:
    return room_of(group)


def say(room: Room, sender: Member, body: str, **more) -> Message:
    """Send it and let the worker do its part, twice: it may."""
    message = send_message(room=room, sender=sender, body=body, **more)
    for _ in range(2):
        tell_of_message(MessageSent(message_id=message.pk))
    return message


def told(member: Member) -> list[str]:
    rows = Notification.objects.visible_to(member).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def read(room: Room, member: Member, seq: int) -> None:
    room.refresh_from_db()
    read_to(room=room, member=member, seq=seq)


def level(room: Room, member: Member, wanted: str) -> None:
    set_level(room=room, member=member, level=wanted)


# -- of what ----------------------------------------------------------------------------------


def test_a_mention_in_a_room_tells_whom_it_names_and_nobody_else(room, ada, bo, mo):
    said = say(room, ada, "Ask @bo, or @nobody-here, or myself, @ada")
    assert (told(bo), told(mo), told(ada)) == (["named"], [], [])
    row = Notification.objects.get()
    assert sentence(row) == "Ada Quist mentioned you in Film cameras"
    assert excerpt(row) == "Ask @bo, or @nobody-here, or myself, @ada"
    assert address(row) == f"/chat/film-cameras/?at={said.seq}#m{said.seq}"


def test_a_reply_tells_who_is_answered(room, ada, bo):
    asked = say(room, ada, "Which film?")
    say(room, bo, "HP5", reply_to=asked)
    row = Notification.objects.get()
    assert (row.member, row.kind) == (ada, "named")
    assert sentence(row) == "Bo Lind replied to you in Film cameras"


def test_other_rooms_are_told_by_their_names(group, thread, ada, bo, mo):
    side = open_room(group=group, name="Swaps", by=mo)
    say(side, ada, "@bo look")
    say(room_beside(thread, by=ada), ada, "@bo look here too")
    assert [sentence(row) for row in Notification.objects.filter(member=bo).order_by("pk")] == [
        "Ada Quist mentioned you in Swaps",
        f"Ada Quist mentioned you in {thread.title}",
    ]


def test_who_wants_to_hear_all_is_told_once_till_they_read(room, ada, bo):
    level(room, bo, "all")
    first = say(room, ada, "One")
    last = say(room, ada, "Two")
    row = Notification.objects.get()
    assert (row.kind, row.message) == ("room", last)
    assert (excerpt(row), unread_count(bo)) == ("Two", 1)
    assert Sending.objects.filter(member=bo, channel=Channel.EMAIL).count() == 0
    read(room, bo, last.seq)
    assert unread_count(bo) == 0
    tell_of_message(MessageSent(message_id=first.pk))
    assert unread_count(bo) == 0
    say(room, ada, "Three")
    assert told(bo) == ["room", "room"]
    assert unread_count(bo) == 1


def test_a_mention_is_told_apart_from_all_the_rest(room, ada, bo):
    level(room, bo, "all")
    say(room, ada, "One")
    say(room, ada, "Two, @bo")
    assert sorted(told(bo)) == ["named", "room"]


def test_a_muted_room_tells_nothing_whatever_is_said(room, ada, bo):
    level(room, bo, "muted")
    asked = say(room, bo, "Which?")
    say(room, ada, "@bo this one", reply_to=asked)
    assert told(bo) == []


def test_a_direct_message_tells_the_other_once_till_they_read(ada, bo):
    pair = room_with([bo], by=ada)
    say(pair, ada, "Hello")
    say(pair, ada, "Are you there, @bo?")
    assert told(bo) == ["direct"]
    row = Notification.objects.get()
    assert (sentence(row), excerpt(row)) == ("Ada Quist wrote to you", "Are you there, @bo?")
    say(pair, bo, "I am")
    assert told(ada) == ["direct"]


def test_a_stranger_tells_once_and_quietly(ada, cy):
    pair = room_with([cy], by=ada)
    first = say(pair, ada, "Is it still there?")
    assert told(cy) == ["request"]
    assert not Sending.objects.filter(member=cy).exists()
    assert sentence(Notification.objects.get()) == "Ada Quist would like to write to you"
    pair.refresh_from_db()
    answer_request(room=pair, member=cy, accept=True)
    assert unread_count(cy) == 0
    say(pair, ada, "Good")
    assert told(cy) == ["request", "direct"]
    assert first.seq == 1


def test_a_refused_request_is_told_no_more(ada, cy):
    pair = room_with([cy], by=ada)
    say(pair, ada, "Is it still there?")
    answer_request(room=pair, member=cy, accept=False)
    assert told(cy) == []


def test_an_edit_tells_whom_it_names_and_nobody_twice(room, ada, bo, mo):
    said = say(room, ada, "Ask @bo")
    edit_message(message=said, body="Ask @bo or @mo", by=ada)
    for _ in range(2):
        tell_of_edited_message(MessageEdited(message_id=said.pk))
    assert (told(bo), told(mo)) == (["named"], ["named"])


# -- to whom not ------------------------------------------------------------------------------


def test_nobody_hears_of_whom_they_blocked_or_muted(room, ada, bo, mo):
    level(room, mo, "all")
    for by, kind in ((bo, Block.Kind.BLOCK), (mo, Block.Kind.MUTE)):
        Block.objects.create(by=by, of=ada, kind=kind)
    say(room, ada, "@bo and @mo")
    assert told(bo) == told(mo) == []


def test_who_is_outside_hears_of_no_mention(room, ada, cy):
    say(room, ada, "Only @cy would know")
    assert not Notification.objects.exists()
    pair = room_with([cy], by=ada)
    say(pair, ada, "@mo would know")
    assert set(Notification.objects.values_list("member__handle", flat=True)) == {"cy"}


def test_who_left_or_lost_the_room_is_told_nothing_any_more(room, group, ada, bo, cy):
    hidden = make_group("cellar-club", owner=ada, join_mode="hidden")
    join(bo, hidden)
    say(room_of(hidden), ada, "@bo come down")
    say(room, ada, "@bo hello")
    assert (told(bo), unread_count(bo)) == (["named", "named"], 2)
    leave_group(member=bo, group=hidden)
    assert (told(bo), unread_count(bo)) == (["named"], 1)


def test_a_hidden_message_is_not_told(room, ada, bo, mo):
    said = send_message(room=room, sender=ada, body="@bo rude")
    hide_message(message=said, by=mo, reason="Rude")
    tell_of_message(MessageSent(message_id=said.pk))
    assert not Notification.objects.exists()
    later = say(room, ada, "@bo ruder")
    hide_message(message=later, by=mo, reason="Rude")
    assert told(bo) == []


def test_who_has_read_it_already_is_told_nothing(room, ada, bo):
    said = send_message(room=room, sender=ada, body="@bo look")
    read(room, bo, said.seq)
    tell_of_message(MessageSent(message_id=said.pk))
    assert not Notification.objects.exists()


def test_talk_brought_in_is_no_news(room, ada, bo):
    at = timezone.now() - timedelta(days=3)
    say(room, ada, "@bo years ago", at=at)
    assert not Notification.objects.exists()


# -- read -------------------------------------------------------------------------------------


def test_opening_the_room_reads_what_tells_of_it(as_bo, room, ada, bo):
    said = say(room, ada, "@bo look")
    say(room, ada, "@bo and look again")
    assert unread_count(bo) == 2
    as_bo.post(f"/rooms/{room.pk}/read/", {"seq": said.seq})
    assert unread_count(bo) == 1
    as_bo.post(f"/rooms/{room.pk}/read/", {"seq": said.seq + 1})
    assert Notification.objects.filter(member=bo, read_at=None).count() == 0


def test_answering_in_the_room_reads_it_too(room, ada, bo):
    level(room, bo, "all")
    say(room, ada, "@bo look")
    say(room, bo, "I see")
    assert unread_count(bo) == 0
    say(room, ada, "Well?")
    assert unread_count(bo) == 1
    # What was read in passing is closed when the next is told, so that it does not pile up.
    assert Notification.objects.filter(member=bo, read_at=None).count() == 1


def test_all_marked_read_is_not_told_again_by_a_late_worker(room, ada, bo):
    level(room, bo, "all")
    said = say(room, ada, "One")
    mark_all_read(bo)
    tell_of_message(MessageSent(message_id=said.pk))
    assert unread_count(bo) == 0
    assert told(bo) == ["room"]


def test_two_unread_rows_of_one_room_cannot_be(room, ada, bo):
    level(room, bo, "all")
    said = say(room, ada, "One")
    with pytest.raises(IntegrityError), transaction.atomic():
        Notification.objects.create(
            member=bo, kind=Kind.ROOM, key="again", room=room, message=said, actor=ada
        )


def test_a_page_of_one_who_looks_on_does_not_flicker(
    room, ada, bo, mo, monkeypatch, django_capture_on_commit_callbacks
):
    heard: list[list[int]] = []
    monkeypatch.setattr(
        "community.notifications.live.announce",
        lambda _channel, frame: heard.append(frame["members"]),
    )
    first = say(room, ada, "Hello")
    read(room, bo, first.seq)
    said = send_message(room=room, sender=ada, body="@bo and @mo")
    with django_capture_on_commit_callbacks(execute=True):
        tell_of_message(MessageSent(message_id=said.pk))
    assert heard == [[mo.pk]]
    assert unread_count(bo) == 1  # till their page says that it was read


# -- by e-mail and push -----------------------------------------------------------------------


@pytest.fixture
def reachable(bo: Member) -> Member:
    """Bo has a device too."""
    PushSubscription.objects.create(
        member=bo, endpoint="https://push.example/bo", p256dh="k" * 87, auth="a" * 22
    )
    return bo


def due(member: Member) -> dict[str, int]:
    """How many seconds each channel waits."""
    rows = Sending.objects.filter(member=member).order_by("channel")
    return {row.channel: round((row.due_at - row.created_at).total_seconds()) for row in rows}


def hurry() -> None:
    Sending.objects.filter(state="due").update(due_at=timezone.now())


def test_a_push_comes_at_once_and_a_letter_when_nobody_looked_for_ten_minutes(
    room, ada, reachable, settings
):
    settings.NOTIFY_DELAY_SECONDS = {"email": 120, "push": 5, "chat_email": 600}
    say(room, ada, "@bo look")
    assert due(reachable) == {"email": 600, "push": 5}


def test_of_a_room_heard_whole_no_letter_is_written(room, ada, reachable, settings):
    settings.NOTIFY_DELAY_SECONDS = {"email": 120, "push": 5, "chat_email": 600}
    level(room, reachable, "all")
    say(room, ada, "One")
    say(room, ada, "Two")
    assert due(reachable) == {"push": 5}


def test_a_letter_says_who_wrote_and_what_and_leads_there(ada, reachable):
    say(room_with([reachable], by=ada), ada, "Is it *still* there?")
    hurry()
    assert send_due(Channel.EMAIL) == 1
    letter = mail.outbox[0]
    assert letter.subject == "Ada Quist wrote to you"
    assert "Is it still there?" in letter.body
    assert f"/notifications/{Notification.objects.get().pk}/" in letter.body
    assert "List-Unsubscribe" in letter.extra_headers


@pytest.mark.parametrize("how", ["read", "muted", "left", "hidden", "unwanted", "blocked"])
def test_what_was_read_or_may_not_be_read_any_more_is_not_sent(
    how, room, group, ada, mo, reachable
):
    said = say(room, ada, "@bo look")
    if how == "read":
        read(room, reachable, said.seq)
    elif how == "muted":
        level(room, reachable, "muted")
    elif how == "left":
        leave_group(member=reachable, group=group)
    elif how == "hidden":
        hide_message(message=said, by=mo, reason="Rude")
    elif how == "unwanted":
        want(reachable, Kind.NAMED, Channel.EMAIL, False)
    else:
        Block.objects.create(by=reachable, of=ada, kind=Block.Kind.BLOCK)
    hurry()
    assert send_due(Channel.EMAIL) == 0
    assert mail.outbox == []
    assert Sending.objects.get(channel=Channel.EMAIL).state == "dropped"


def test_who_has_a_page_open_is_not_pushed_to_till_they_are_gone(room, ada, reachable, monkeypatch):
    pushed: list[int] = []
    monkeypatch.setattr(
        "community.notifications.delivery._push",
        lambda sending, _message: pushed.append(sending.pk),
    )
    Preferences.objects.create(member=reachable, email_when=EmailWhen.NEVER)
    note_here(reachable.pk)
    say(room, ada, "@bo look")
    hurry()
    assert send_due(Channel.PUSH) == 0
    waiting = Sending.objects.get(channel=Channel.PUSH)
    assert (waiting.state, waiting.why) == ("due", "the member is here")
    valkey().flushdb()
    hurry()
    assert send_due(Channel.PUSH) == 1
    assert pushed == [waiting.pk]


# -- the list and the choices -----------------------------------------------------------------


def test_the_list_shows_what_chat_told(as_bo, room, ada, bo, group):
    say(room, ada, "@bo look at this")
    page = as_bo.get("/notifications/").content.decode()
    assert "Ada Quist mentioned you in Film cameras" in page
    assert "look at this" in page
    row = Notification.objects.get()
    assert as_bo.get(f"/notifications/{row.pk}/")["Location"] == "/chat/film-cameras/?at=1#m1"
    leave_group(member=bo, group=group)
    assert "look at this" not in as_bo.get("/notifications/").content.decode()
    assert as_bo.get(f"/notifications/{row.pk}/").status_code == 404


def test_each_kind_has_its_boxes_among_the_preferences(as_bo):
    page = as_bo.get("/settings/notifications/").content.decode()
    for kind in ("named", "direct", "request", "room"):
        for channel in ("site", "email", "push"):
            assert f'name="{kind}-{channel}"' in page
    assert 'name="room-email" id="id_room-email" checked' not in page


def test_who_wants_no_mentions_hears_of_the_room_if_they_want_all(room, ada, bo):
    for channel in Channel.values:
        want(bo, Kind.NAMED, channel, False)
    say(room, ada, "@bo look")
    assert told(bo) == []
    level(room, bo, "all")
    say(room, ada, "@bo look here")
    assert told(bo) == ["room"]


def test_telling_costs_no_query_each(group, room, ada, keeper):
    def queries() -> int:
        message = send_message(room=room, sender=ada, body="Hello all")
        with CaptureQueriesContext(connection) as asked:
            tell_of_message(MessageSent(message_id=message.pk))
        return len(asked)

    for count in range(12):
        one = make_member(f"reader-{count}")
        join(one, group)
        level(room, one, "all")
        if count == 1:
            few = queries()
    Notification.objects.update(read_at=timezone.now())
    assert queries() <= few
    assert Notification.objects.filter(kind=Kind.ROOM).count() == 14


def test_who_is_silenced_still_hears(room, ada, bo, keeper):
    silence(member=bo, by=keeper, reason="Sold it twice")
    say(room, ada, "@bo look")
    assert told(bo) == ["named"]


def test_an_archived_room_stays_as_it_was_told(group, ada, bo, mo):
    side = open_room(group=group, name="Swaps", by=mo)
    say(side, ada, "@bo look")
    archive_room(room=side, by=mo)
    assert told(bo) == ["named"]
