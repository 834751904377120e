"""Messages become a thread: who may, what becomes of them, the pages that lead there."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from community.chat.errors import (
    InThreadAlready,
    MessageGone,
    NotCarried,
    NothingChosen,
    NotInRoom,
    NotOfAGroup,
    OthersWords,
    SenderGone,
    Silenced,
    TakenBack,
    TooManyChosen,
)
from community.chat.messages import delete_message, hide_message
from community.chat.models import Message, MessagePost, Room, RoomEntry
from community.chat.rooms import room_beside, room_of, room_with
from community.chat.services import send_message
from community.chat.talk import make_thread_of, runs_of
from community.groups.services import leave_group
from community.members.models import Block, Member
from community.notifications.models import Kind, Notification
from community.notifications.words import address, sentence
from community.search.models import SearchDocument
from community.threads.errors import BodyMissing, Refused, TitleMissing
from community.threads.following import follow
from community.threads.hiding import delete_post
from community.threads.marks import Follow, FollowLevel, ReadMark
from community.threads.models import Post, Thread, ThreadEntry
from community.threads.services import POST_GATES
from community.uploads.models import Image
from moderation.audit.models import AuditEntry
from tests.factories import make_group
from tests.outbox import run_outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(group) -> Room:
    return room_of(group)


@pytest.fixture
def talk(room, ada, bo, mo) -> list[Message]:
    """Ada asks in two messages, Bo answers her second, Ada thanks ten minutes later."""
    begun = timezone.now() - timedelta(hours=3)

    def say(sender: Member, body: str, minutes: int, **more) -> Message:
        at = begun + timedelta(minutes=minutes)
        return send_message(room=room, sender=sender, body=body, at=at, **more)

    asked = [say(ada, "My shutter sticks.", 0), say(ada, "What now? @mo?", 1)]
    answer = say(bo, "Clean it with **naphtha**.", 2, reply_to=asked[1])
    return [*asked, answer, say(ada, "That did it, thank you.", 12)]


def make(room: Room, messages: list[Message], by: Member, **more) -> Thread:
    options = {"title": "A shutter that sticks", "lead": "From our chat.", **more}
    return make_thread_of(room=room, seqs=[one.seq for one in messages], by=by, **options)


def posts_of(thread: Thread) -> list[tuple[str, str]]:
    return list(thread.posts.order_by("number").values_list("author__handle", "body"))


def told_of_words() -> list[Notification]:
    """What was told, but for badges."""
    return list(Notification.objects.select_related("member").exclude(kind=Kind.BADGE))


# -- what becomes of them -----------------------------------------------------------------------


def test_a_moderator_opens_it_and_the_messages_follow_with_their_senders(
    room, group, talk, ada, bo, mo
):
    thread = make(room, talk, mo)
    assert posts_of(thread) == [
        ("mo", "From our chat."),
        ("ada", "My shutter sticks.\n\nWhat now? @mo?"),
        ("bo", "Clean it with **naphtha**."),
        ("ada", "That did it, thank you."),
    ]
    lead, asked, answer, thanks = thread.posts.order_by("number")
    assert [asked.created_at, answer.created_at, thanks.created_at] == [
        talk[0].sent_at,
        talk[2].sent_at,
        talk[3].sent_at,
    ]
    assert answer.reply_to_id == asked.pk
    assert "<strong>naphtha</strong>" in answer.html
    assert (thread.author, thread.reply_count, thread.last_number) == (mo, 3, 4)
    assert thread.last_post_at == lead.created_at  # what was said is older than the thread
    group.refresh_from_db()
    assert group.thread_count == 1
    rows = MessagePost.objects.order_by("message__seq").values_list("message", "post")
    assert list(rows) == [
        (talk[0].pk, asked.pk),
        (talk[1].pk, asked.pk),
        (talk[2].pk, answer.pk),
        (talk[3].pk, thanks.pk),
    ]
    # In the room all is as it was.
    assert Message.objects.filter(room=room, hidden_at=None).count() == 4


def test_ones_own_words_open_the_thread_themselves(room, talk, ada):
    thread = make(room, talk[:2], ada, lead="not asked for", kind="question", tags=["repair"])
    assert posts_of(thread) == [("ada", "My shutter sticks.\n\nWhat now? @mo?")]
    assert (thread.kind, thread.created_at) == ("question", talk[0].sent_at)
    assert list(thread.thread_tags.values_list("tag__name", flat=True)) == ["repair"]


def test_it_is_said_in_the_thread_and_in_the_room_and_in_the_trail(room, talk, mo, ada):
    thread = make(room, talk, mo)
    entry = ThreadEntry.objects.get(thread=thread)
    assert (entry.verb, entry.by, entry.after_number) == ("split_off", mo, 0)
    assert entry.details == {"room": room.pk, "seq": talk[0].seq, "as_author": False}
    in_room = RoomEntry.objects.get(room=room)
    assert (in_room.verb, in_room.by, in_room.after_seq) == ("thread", mo, 4)
    assert in_room.details == {"thread": thread.pk, "messages": 4}
    run_outbox()
    assert AuditEntry.objects.filter(action="thread.split_off", actor=mo).count() == 1
    make(room, [send_message(room=room, sender=ada, body="Mine.")], ada)
    run_outbox()
    assert AuditEntry.objects.filter(action="thread.split_off").count() == 1


def test_senders_track_it_and_have_read_what_they_said(room, talk, ada, bo, mo):
    thread = make(room, talk, mo)
    levels = dict(Follow.objects.filter(thread=thread).values_list("member__handle", "level"))
    assert levels == dict.fromkeys(["ada", "bo", "mo"], FollowLevel.TRACKING)
    marks = dict(ReadMark.objects.filter(thread=thread).values_list("member__handle", "number"))
    assert marks == {"ada": 4, "bo": 3, "mo": 1}


def test_it_is_found_by_search(room, talk, mo):
    thread = make(room, talk, mo)
    run_outbox()
    assert SearchDocument.objects.filter(thread=thread).count() == 4


def test_runs_end_where_somebody_else_answers_or_time_passes(room, talk):
    assert [len(run) for run in runs_of(talk)] == [2, 1, 1]
    assert [len(run) for run in runs_of([talk[0], talk[3]])] == [1, 1]
    assert runs_of([]) == []


def test_an_answer_to_what_is_not_taken_along_stands_by_itself(room, talk, bo):
    thread = make(room, [talk[2]], bo)
    assert thread.posts.get().reply_to is None


def test_pictures_brought_for_the_chat_are_seen_by_who_reads_the_thread(room, talk, group, bo, mo):
    picture = Image.objects.create(
        owner=bo, is_confined=True, alt="Blades", width=10, height=10, size_bytes=1, sha256="0" * 64
    )
    shown = send_message(room=room, sender=bo, body=picture.markdown)
    assert not Image.objects.unconfined_to(mo).filter(pk=picture.pk).exists()
    thread = make(room, [shown], mo)
    picture.refresh_from_db()
    assert (picture.is_confined, picture.group) == (False, group)
    assert "<img" in thread.posts.get(number=2).html
    assert picture.post_images.count() == 1


def test_a_room_beside_a_thread_makes_others_in_its_group(thread, ada):
    beside = room_beside(thread, by=ada)
    said = send_message(room=beside, sender=ada, body="Another thing.")
    assert make(beside, [said], ada).group == thread.group


# -- who is told --------------------------------------------------------------------------------


def test_senders_are_told_once_and_whom_they_named_is_not_told_again(
    room, talk, ada, bo, mo, group
):
    run_outbox()
    Notification.objects.all().delete()
    watcher = Member.objects.get(memberships__group=group, memberships__role="owner")
    follow(member=watcher, what=group, level=FollowLevel.WATCHING)
    thread = make(room, talk, mo)
    run_outbox()
    told = {one.member.handle: one for one in told_of_words()}
    assert set(told) == {"ada", "bo", watcher.handle}
    assert told["ada"].kind == told["bo"].kind == Kind.QUOTE
    assert told[watcher.handle].kind == Kind.THREAD
    assert sentence(told["bo"]).startswith("Mo")
    assert "made a thread of what you said in chat: “A shutter that sticks”" in sentence(told["bo"])
    assert address(told["bo"]) == f"/p/{thread.posts.get(author=bo).pk}/"
    listed = Notification.objects.listed_for(bo).unread().exclude(kind=Kind.BADGE)
    assert list(listed) == [told["bo"]]  # though they have read their own post


def test_an_edit_tells_nobody_whom_the_message_named(room, talk, ada, mo):
    from community.threads.editing import edit_post

    post = make(room, talk[:2], ada).posts.get()
    run_outbox()
    Notification.objects.all().delete()
    edit_post(post=post, editor=ada, body=f"{post.body} And @bo?")
    run_outbox()
    assert [one.member.handle for one in told_of_words()] == ["bo"]


def test_who_shut_out_the_maker_is_told_without_a_name(room, talk, bo, mo):
    Block.objects.create(by=bo, of=mo, kind=Block.Kind.BLOCK)
    make(room, talk, mo)
    run_outbox()
    told = Notification.objects.listed_for(bo).get(kind=Kind.QUOTE)
    assert sentence(told).startswith("Somebody made a thread of what you said")


# -- who may ------------------------------------------------------------------------------------


def test_members_take_their_own_words_and_moderators_anybodys(room, talk, ada, cy, silenced):
    with pytest.raises(OthersWords):
        make(room, talk, ada)
    with pytest.raises(NotInRoom):
        make(room, talk, cy)
    with pytest.raises(Silenced):
        make(room, talk, silenced)
    assert not Thread.objects.exists()
    assert not RoomEntry.objects.exists()


def test_rooms_of_people_make_no_threads(ada, bo):
    pair = room_with([bo], by=ada)
    said = send_message(room=pair, sender=ada, body="Only for you.")
    with pytest.raises(NotOfAGroup):
        make(pair, [said], ada)


def test_hidden_and_deleted_messages_and_those_of_other_rooms_are_never_taken(
    room, talk, ada, bo, mo
):
    hide_message(message=talk[0], by=mo, reason="Unkind.")
    delete_message(message=talk[2], by=bo)
    for message in (talk[0], talk[2]):
        with pytest.raises(MessageGone):
            make(room, [message, talk[3]], mo)
    elsewhere = room_of(make_group("darkroom", owner=mo))
    send_message(room=elsewhere, sender=mo, body="Elsewhere.")
    with pytest.raises(MessageGone):
        make_thread_of(room=elsewhere, seqs=[4], title="T", by=mo)


def test_whoever_left_keeps_their_words_in_the_chat(room, talk, group, bo, mo):
    leave_group(member=bo, group=group)
    with pytest.raises(SenderGone):
        make(room, talk, mo)
    assert make(room, [talk[0]], mo).reply_count == 1


def test_a_sender_takes_their_post_out_and_nobody_puts_it_back(room, talk, ada, bo, mo):
    thread = make(room, talk, mo)
    with pytest.raises(InThreadAlready):
        make(room, [talk[2]], mo)
    delete_post(post=thread.posts.get(author=bo), by=bo)
    thread.refresh_from_db()
    assert thread.is_listed
    assert thread.reply_count == 2
    with pytest.raises(TakenBack):
        make(room, [talk[2]], mo)
    assert make(room, [talk[2]], bo).posts.get().author == bo


def test_one_to_fifty_messages(room, ada):
    said = [
        send_message(room=room, sender=ada, body=f"n {n}", at=timezone.now()) for n in range(51)
    ]
    with pytest.raises(NothingChosen):
        make(room, [], ada)
    with pytest.raises(TooManyChosen):
        make(room, said, ada)
    assert make(room, said[:50], ada).posts.get().body.endswith("n 49")


def test_what_a_thread_refuses_is_refused_and_nothing_is_written(room, talk, mo):
    with pytest.raises(TitleMissing):
        make(room, talk, mo, title=" ")
    with pytest.raises(BodyMissing):
        make(room, talk, mo, lead=" ")
    assert not Post.objects.exists()
    assert not MessagePost.objects.exists()


def test_every_gate_is_asked_for_each_post_and_a_refusal_names_whose(room, talk, mo):
    asked = []

    def gate(attempt) -> None:
        asked.append((attempt.writer.handle, attempt.title))
        if "naphtha" in attempt.body:
            raise Refused("Not that word.")

    POST_GATES.append(gate)
    try:
        with pytest.raises(NotCarried) as refused:
            make(room, talk, mo)
    finally:
        POST_GATES.remove(gate)
    assert asked == [("mo", "A shutter that sticks"), ("ada", ""), ("bo", "")]
    assert refused.value.reason == f"{talk[2].sender.name}: Not that word."
    assert not Thread.objects.exists()


def test_sent_twice_it_is_one_thread(room, talk, mo, ada):
    key = uuid4()
    first = make(room, talk, mo, client_key=key)
    assert make(room, talk, mo, client_key=key) == first
    own = uuid4()
    said = [send_message(room=room, sender=ada, body="Mine.")]
    assert make(room, said, ada, client_key=own) == make(room, said, ada, client_key=own)
    assert Thread.objects.count() == 2
    assert RoomEntry.objects.count() == 2


# -- pages --------------------------------------------------------------------------------------


def text_of(response) -> str:
    return str(response.content.decode())


def test_a_moderator_chooses_names_and_makes_it_without_scripts(as_mo, as_bo, room, talk):
    at = f"/rooms/{room.pk}/into-thread/"
    assert at in text_of(as_mo.get(room.get_absolute_url()))
    page = text_of(as_mo.get(at))
    assert page.count('type="checkbox"') >= 4
    assert "thread of Film cameras" in page
    named = as_mo.get(at, {"seq": [1, 2, 3], "go": 1})
    page = text_of(named)
    assert "3 messages" in page
    assert "From our chat." in page
    data = {"seq": [1, 2, 3], "client_key": str(uuid4()), "body": "From our chat.", "kind": "talk"}
    refused = as_mo.post(at, data)
    assert refused.status_code == 422
    assert "Give the thread a title." in text_of(refused)
    made = as_mo.post(at, {**data, "title": "Shutters"})
    thread = Thread.objects.get()
    assert made["Location"] == thread.get_absolute_url()
    shown = text_of(as_bo.get(thread.get_absolute_url()))
    assert "made this thread of messages from" in shown
    assert f"/rooms/{room.pk}/?at=1#m1" in shown
    back = as_bo.get(f"/rooms/{room.pk}/?at=1")
    assert back["Location"] == f"{room.get_absolute_url()}?at=1"
    in_room = text_of(as_bo.get(room.get_absolute_url()))
    assert "made a thread of 3 messages: Shutters" in in_room
    assert "In a thread already" in text_of(as_mo.get(at))


def test_a_member_is_offered_only_what_they_said(as_bo, room, talk):
    page = text_of(as_bo.get(f"/rooms/{room.pk}/into-thread/"))
    assert 'name="seq" value="3"' in page
    assert 'name="seq" value="1"' not in page
    refused = as_bo.post(
        f"/rooms/{room.pk}/into-thread/",
        {"seq": [1, 3], "title": "T", "body": "Words.", "kind": "talk"},
    )
    assert refused.status_code == 403
    assert "Only moderators make threads of what others said" in text_of(refused)


def test_what_was_chosen_goes_along_from_page_to_page(as_mo, room, ada):
    for n in range(120):
        send_message(room=room, sender=ada, body=f"message {n}", at=timezone.now())
    at = f"/rooms/{room.pk}/into-thread/"
    newest = text_of(as_mo.get(at))
    assert 'name="before" value="71"' in newest
    earlier = text_of(as_mo.get(at, {"seq": [100, 101], "before": 71}))
    assert '<input type="hidden" name="seq" value="100">' in earlier
    assert "2 messages are chosen on other pages" in earlier
    assert 'name="after" value="71"' in earlier
    span = text_of(as_mo.get(at, {"from": 5, "to": 8, "go": 1}))
    assert "4 messages" in span
    nothing = as_mo.get(at, {"go": 1})
    assert (nothing.status_code, "Choose at least one" in text_of(nothing)) == (422, True)
    most = as_mo.get(at, {"from": 1, "to": 100, "go": 1})
    assert (most.status_code, "At most 50 messages" in text_of(most)) == (422, True)


def test_nothing_typed_is_lost_when_a_message_went_meanwhile(as_mo, room, talk, bo):
    delete_message(message=talk[2], by=bo)
    answer = as_mo.post(
        f"/rooms/{room.pk}/into-thread/",
        {"seq": [1, 3], "title": "Kept title", "body": "Kept words", "kind": "talk"},
    )
    assert answer.status_code == 409
    assert "Kept title" in text_of(answer)
    assert "Kept words" in text_of(answer)


def test_rooms_of_people_and_guests_have_no_such_page(as_ada, as_cy, guest, ada, bo, room):
    pair = room_with([bo], by=ada)
    assert as_ada.get(f"/rooms/{pair.pk}/into-thread/").status_code == 404
    assert as_cy.get(f"/rooms/{room.pk}/into-thread/").status_code == 404
    assert guest.get(f"/rooms/{room.pk}/into-thread/").status_code == 302


def test_the_thread_says_nothing_of_the_room_to_who_may_not_read_it(guest, room, talk, mo):
    thread = make(room, talk, mo)
    page = text_of(guest.get(thread.get_absolute_url()))
    assert "a chat room of this group" in page
    assert guest.get(f"/rooms/{room.pk}/?at=1").status_code == 302
