"""Finding chat messages: words, filters, order, days, what the outbox keeps right, permissions."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from community.chat.messages import delete_message, edit_message, hide_message, restore_message
from community.chat.models import Message, Place, Room
from community.chat.privacy import rewrite_messages
from community.chat.rooms import answer_request, leave_room, room_of, room_with
from community.chat.services import send_message
from community.groups.models import Group, Membership, Template
from community.groups.services import leave_group
from community.members.models import Block, Member
from community.search import message_finding, stems
from community.search.message_finding import Wanted, find_messages, messages_only, steps_back
from community.search.messages import write_messages, write_missing_messages
from community.search.models import MessageDocument, MessageDocumentQuerySet
from community.search.privacy import _may_say_it, follow_messages
from community.search.queries import parse
from config.personal import Erasing
from moderation.flags.models import Outcome, TargetKind
from moderation.flags.services import decide, flag
from tests.factories import make_group
from tests.outbox import run_outbox

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def room(group) -> Room:
    return room_of(group)


def say(room: Room, sender: Member, body: str, at: datetime | None = None) -> Message:
    message = send_message(room=room, sender=sender, body=body, at=at or timezone.now())
    write_messages([message.pk])
    return message


def found(text: str, viewer: Member, **options) -> list[int]:
    limit = options.pop("limit", 50)
    orders = {name: options.pop(name) for name in ("best", "before", "behind") if name in options}
    wanted = Wanted(messages_only(parse(text)), **options)
    return [hit.pk for hit in find_messages(wanted, viewer, limit=limit, **orders).hits]


# -- words --------------------------------------------------------------------------------------


def test_the_newest_that_say_every_word_come_first(room, ada, bo):
    old = say(room, ada, "The light seals of my camera are gone", NOW - timedelta(days=500))
    new = say(room, bo, "Which seals fit this cameras back? It is a light one.", NOW)
    say(room, ada, "A camera without any", NOW)
    assert found("light seals camera", ada) == [new.pk, old.pk]
    assert found('"light seals"', ada) == [old.pk]
    assert found("camera -light", ada) == [Message.objects.get(body="A camera without any").pk]
    assert found("came*", ada) == found("camera", ada)
    assert found("lig* gone", ada) == [old.pk]


def test_a_message_that_says_some_of_the_words_is_found_when_none_says_all(room, ada):
    some = say(room, ada, "The shutter sticks")
    wanted = Wanted(parse("shutter zanzibar"))
    answer = find_messages(wanted, ada, limit=5)
    assert [hit.pk for hit in answer.hits] == [some.pk]
    assert answer.is_part
    assert not find_messages(Wanted(parse("shutter")), ada, limit=5).is_part
    assert found("zanzibar", ada) == []


def test_the_best_say_the_words_near_each_other(room, ada):
    near = say(room, ada, "light seals", NOW - timedelta(days=3))
    far = say(room, ada, "the light came in at noon and much later we spoke of seals", NOW)
    assert found("light seals", ada) == [far.pk, near.pk]
    assert found("light seals", ada, best=True) == [near.pk, far.pk]


def test_words_too_common_to_mean_anything_and_nothing_find_nothing(room, ada):
    say(room, ada, "what is the thing")
    for text in ("", "the is what", "-thing", "tag:lenses", "!?"):
        assert found(text, ada) == []


def test_scripts_without_spaces_are_found_by_parts_of_words(room, ada):
    # Thai: "camera film", "film of pictures"; the second word alone stands in both.
    camera, film = "\u0e01\u0e25\u0e49\u0e2d\u0e07", "\u0e1f\u0e34\u0e25\u0e4c\u0e21"
    both, one = say(room, ada, camera + film), say(room, ada, film)
    assert found(camera, ada) == [both.pk]
    assert found(film, ada) == [one.pk, both.pk]
    assert found(f'"{camera}{film}"', ada) == [both.pk]


def test_no_word_is_taken_for_a_mark(room, ada):
    said = say(room, ada, f"See room:{room.pk} and day:{timezone.now():%Y%m%d}")
    say(room, ada, "Something else")
    assert found(f"room:{room.pk}", ada) == [said.pk]


# -- filters ------------------------------------------------------------------------------------


def test_filters_of_sender_room_and_day(room, ada, bo, mo):
    beside = room_of(make_group("darkroom", owner=ada, name="Darkroom"))
    first = say(room, ada, "film one", datetime(2026, 3, 1, 10, tzinfo=UTC))
    second = say(room, bo, "film two", datetime(2026, 3, 2, 10, tzinfo=UTC))
    third = say(beside, ada, "film three", datetime(2026, 3, 3, 10, tzinfo=UTC))
    assert found("film", ada) == [third.pk, second.pk, first.pk]
    assert found("film", ada, room=room) == [second.pk, first.pk]
    assert found("film from:@bo", ada) == found("film by:bo", ada) == [second.pk]
    assert found("film by:me", ada) == found("by:ada", ada) == [third.pk, first.pk]
    assert found("film -by:ada", ada) == [second.pk]
    assert found("film by:nobody-here", ada) == []
    assert found("in:darkroom film", ada) == found("in:Darkroom", ada) == [third.pk]
    assert found("film after:2026-03-02", ada) == [third.pk, second.pk]
    assert found("film before:2026-03-02", ada) == [first.pk]
    assert found("film after:2026-03-02 before:2026-03-03", ada) == [second.pk]
    span = {"since": second.sent_at, "until": third.sent_at}
    assert found("film", ada, **span) == [second.pk]
    assert found("film", ada, since=third.sent_at, until=first.sent_at) == []


def test_those_one_muted_are_left_out_unless_asked_for(room, ada, bo):
    said = say(room, bo, "film")
    Block.objects.create(by=ada, of=bo, kind=Block.Kind.MUTE)
    assert found("film", ada) == []
    assert found("film by:bo", ada) == [said.pk]


# -- back in time -------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["0001-01-01", "0001-03-01", "9999-12-31"])
def test_days_at_the_ends_of_the_calendar_find_what_they_find(as_ada, ada, group, day):
    send_message(room=room_of(group), sender=ada, body="Rangefinder")
    for asked in (f"since={day}", f"until={day}", f"since={day}&until={day}"):
        assert as_ada.get(f"/search/messages/?q=rangefinder&{asked}").status_code == 200
    for word in ("before", "after"):
        assert as_ada.get(f"/search/messages/?q=rangefinder+{word}:{day}").status_code == 200


def test_steps_go_back_without_a_gap_or_a_double():
    spans = list(steps_back(NOW, None))
    assert [span[0] for span in spans[:4]] == [
        datetime(2026, 11, 19, tzinfo=UTC),
        datetime(2026, 11, 5, tzinfo=UTC),
        datetime(2026, 9, 1, tzinfo=UTC),
        datetime(2025, 7, 1, tzinfo=UTC),
    ]
    assert [span[1] for span in spans] == [NOW, *(span[0] for span in spans[:4])]
    assert spans[0][2] == "'day:20261120' | 'day:20261119'"
    assert spans[2][2] == "'month:202611' | 'month:202610' | 'month:202609'"
    assert spans[4] == (None, spans[3][0], "")
    since = datetime(2026, 11, 18, tzinfo=UTC)
    assert [span[0] for span in steps_back(NOW, since)] == [spans[0][0], since]
    assert list(steps_back(NOW, NOW)) == []


def test_pages_follow_each_other_through_years_without_a_gap_or_a_double(room, ada):
    chance = random.Random(3)
    moments = [NOW - timedelta(minutes=int(1.5**n)) for n in range(36)]
    moments += [chance.choice(moments) for _ in range(12)]  # several at the same moment
    sent = [say(room, ada, f"film {n}", at) for n, at in enumerate(sorted(moments))]
    wanted = [one.pk for one in sorted(sent, key=lambda one: (one.sent_at, one.pk), reverse=True)]
    assert min(moments) < NOW - timedelta(days=700)
    seen: list[int] = []
    place = None
    while page := find_messages(Wanted(parse("film")), ada, limit=7, before=place).hits:
        seen += [hit.pk for hit in page]
        place = page[-1].sent_at, page[-1].pk
    assert seen == wanted
    best: list[int] = []
    behind = None
    while page := find_messages(Wanted(parse("film")), ada, limit=7, best=True, behind=behind).hits:
        best += [hit.pk for hit in page]
        behind = page[-1].score, page[-1].pk
    assert sorted(best) == sorted(wanted)


# -- what the outbox keeps right ----------------------------------------------------------------


def test_the_outbox_writes_edits_hides_and_shows(room, ada, mo):
    message = send_message(room=room, sender=ada, body="A roll of film")
    assert found("film", ada) == []
    run_outbox()
    assert found("film", ada) == [message.pk]
    edit_message(message=message, body="A roll of paper", by=ada)
    run_outbox()
    assert found("film", ada) == []
    assert found("paper", ada) == [message.pk]
    hide_message(message=message, by=mo, reason="Said twice")
    run_outbox()
    assert found("paper", ada) == found("paper", mo) == []
    assert not MessageDocument.objects.exists()
    restore_message(message=message, by=mo)
    run_outbox()
    assert found("paper", mo) == [message.pk]
    delete_message(message=message, by=ada)
    run_outbox()
    assert found("paper", ada) == []


def test_what_moderation_hides_in_a_case_is_found_no_more(room, ada, bo, keeper):
    message = say(room, ada, "A roll of film")
    case = flag(kind=TargetKind.MESSAGE, target=message, member=bo, reason="spam").case
    decide(case=case, by=keeper, outcome=Outcome.HIDE, reason="Spam.")
    run_outbox()
    assert found("film", ada) == []


def test_an_erasure_takes_the_handle_out_of_others_messages_documents(room, ada, bo):
    message = say(room, ada, "Ask @bo, or bo@shoal.example")
    say(room, ada, "Ask somebody else")
    erasing = Erasing(bo.pk, "bo", bo.name, ("bo@shoal.example",), "former-1", "Former member")
    assert list(MessageDocument.objects.filter(_may_say_it(erasing))) == [
        MessageDocument(pk=message.pk)
    ]
    rewrite_messages(erasing, [message])
    follow_messages(erasing, [MessageDocument.objects.get(pk=message.pk)])
    assert not MessageDocument.objects.filter(_may_say_it(erasing)).exists()
    assert found("former", ada) == [message.pk]


def test_writing_twice_changes_nothing_and_what_is_missing_is_written(room, ada):
    sent = [send_message(room=room, sender=ada, body=f"film {n}") for n in range(3)]
    assert write_missing_messages() == 3
    before = list(MessageDocument.objects.order_by("pk").values())
    assert write_messages([one.pk for one in sent]) == 3
    assert list(MessageDocument.objects.order_by("pk").values()) == before
    assert write_missing_messages() == 0
    MessageDocument.objects.filter(pk=sent[0].pk).update(version=0)
    assert write_missing_messages() == 1


@pytest.mark.parametrize("text", ["'", "a'b:c\\d & | ! <-> (", '"', "%s %%", "\x00", ":*", "x:*"])
def test_no_sign_breaks_a_search_or_a_document(text, room, ada):
    say(room, ada, f"word {text or 'x'}")
    assert len(found(f"word {text}", ada)) <= 1
    found(f"{text}*", ada)


# -- who may read what --------------------------------------------------------------------------


def test_a_room_left_is_searched_no_more(room, group, ada, bo):
    say(room, bo, "film")
    assert len(found("film", ada)) == 1
    leave_group(member=ada, group=group)
    assert found("film", ada) == []


def test_rooms_of_people_are_searched_by_those_in_them(ada, bo, cy):
    pair = room_with([bo], by=ada)
    said = say(pair, ada, "film")
    assert found("film", ada) == found("film", bo) == [said.pk]
    assert found("film", cy) == []
    leave_room(room=pair, member=bo)
    assert found("film", bo) == []


def test_who_was_asked_finds_it_till_they_say_no(ada, cy):
    pair = room_with([cy], by=ada)
    said = say(pair, ada, "film")
    assert found("film", cy) == [said.pk]
    answer_request(room=pair, member=cy, accept=False)
    assert found("film", cy) == []


@pytest.fixture
def maze():
    """8 rooms of groups and 12 of people, 15 members in some; 1,600 messages with 20 words.

    Yields the members and what is said in each room, by its number: {message: words}.
    """
    chance = random.Random(11)
    members = Member.objects.bulk_create(
        Member(handle=f"m{n}", name=f"M {n}", email=f"m{n}@shoal.example") for n in range(15)
    )
    groups = Group.objects.bulk_create(
        Group(slug=f"g{n}", name=f"Circle {n}", template=Template.FITNESS) for n in range(8)
    )
    rooms = Room.objects.bulk_create(
        [Room(kind="group", group=group) for group in groups]
        + [Room(kind="direct", key=f"direct:{n}") for n in range(12)]
    )
    inside: dict[int, set[int]] = {}
    memberships, places = [], []
    for room in rooms:
        inside[room.pk] = {one.pk for one in members if chance.random() < 0.3}
        for pk in inside[room.pk]:
            if room.group_id:
                memberships.append(Membership(group_id=room.group_id, member_id=pk))
            else:
                places.append(Place(room=room, member_id=pk))
        if not room.group_id:  # who left and who refused read no more
            gone = [one for one in members if one.pk not in inside[room.pk]][:2]
            states = (Place.State.LEFT, Place.State.REFUSED)
            places += [
                Place(room=room, member=one, state=state)
                for one, state in zip(gone, states, strict=True)
            ]
    Membership.objects.bulk_create(memberships)
    Place.objects.bulk_create(places)
    vocabulary = [f"q{chr(97 + n)}x{chr(122 - n)}" for n in range(20)]
    messages = Message.objects.bulk_create(
        Message(
            room=rooms[n % 20],
            seq=n // 20 + 1,
            sender=chance.choice(members),
            body=" ".join(said := chance.choices(vocabulary, k=4)),
            html=f"<p>{' '.join(said)}</p>",
            sent_at=NOW - timedelta(hours=n * 7),
        )
        for n in range(1_600)
    )
    Room.objects.update(last_seq=80)
    write_messages([one.pk for one in messages])
    hidden = [one.pk for one in messages if one.pk % 9 == 0]
    Message.objects.filter(pk__in=hidden).update(
        hidden_at=NOW, hidden_by=members[0], hidden_reason="Said twice."
    )
    write_messages(hidden)
    said_in: dict[int, dict[int, set[str]]] = {room.pk: {} for room in rooms}
    for one in messages:
        if one.pk not in hidden:
            said_in[one.room_id][one.pk] = set(one.body.split())
    return members, vocabulary, inside, said_in


def wrong_answers(maze, searches: int = 150) -> list[str]:
    """Ask searches of the maze and say which answers are not just what the asker may read."""
    members, vocabulary, inside, said_in = maze
    chance = random.Random(5)
    wrong = []
    for _ in range(searches):
        member = chance.choice(members)
        asked = chance.sample(vocabulary, chance.choice([1, 1, 2]))
        readable = {
            pk: words
            for room, messages in said_in.items()
            if member.pk in inside[room]
            for pk, words in messages.items()
        }
        every = {pk for pk, words in readable.items() if words >= set(asked)}
        some = {pk for pk, words in readable.items() if words & set(asked)}
        for best in (False, True):
            got = set(found(" ".join(asked), member, limit=400, best=best))
            if got != (every or some):
                wrong.append(f"{member.handle} {asked}: {got ^ (every or some)}")
    return wrong


def test_of_other_peoples_rooms_nothing_is_found_and_of_ones_own_everything(maze):
    assert wrong_answers(maze) == []


def test_the_same_look_finds_the_leak_of_an_unscoped_search(maze, monkeypatch):
    monkeypatch.setattr(MessageDocumentQuerySet, "visible_to", lambda self, viewer: self)
    monkeypatch.setattr(message_finding._Look, "_marks", lambda self: [])
    assert len(wrong_answers(maze, 20)) > 10


def test_the_same_look_finds_that_filtering_afterwards_starves(maze, monkeypatch):
    whole = message_finding._Look.newest

    def afterwards(self, limit, before=None):
        right = MessageDocumentQuerySet.visible_to
        with monkeypatch.context() as patch:
            patch.setattr(MessageDocumentQuerySet, "visible_to", lambda rows, viewer: rows)
            hits = whole(self, 10, before)
        kept = right(MessageDocument.objects.all(), self.viewer)
        allowed = set(kept.values_list("pk", flat=True))
        return [hit for hit in hits if hit.pk in allowed]

    monkeypatch.setattr(message_finding._Look, "newest", afterwards)
    monkeypatch.setattr(message_finding._Look, "_marks", lambda self: [])
    assert len(wrong_answers(maze, 20)) > 10


def test_the_marks_alone_leak_nothing_and_more_rooms_than_are_marked_are_searched(
    maze, monkeypatch
):
    monkeypatch.setattr(message_finding, "ROOMS_MARKED_MAX", 2)
    assert wrong_answers(maze, 60) == []


def test_a_guest_has_no_rooms():
    assert not MessageDocument.objects.visible_to(AnonymousUser()).exists()


# -- cost ---------------------------------------------------------------------------------------


def test_a_search_costs_a_fixed_number_of_queries(room, ada, django_assert_num_queries):
    for n in range(30):
        say(room, ada, f"film number {n}", NOW - timedelta(days=20 * n))
    stems.stems("english", ["film", "zanzibar"])
    wanted = Wanted(parse("film"))
    with CaptureQueriesContext(connection) as rare:
        find_messages(wanted, ada, limit=50)
    assert len(rare) == 6  # which rooms, five steps
    with django_assert_num_queries(7):
        find_messages(wanted, ada, limit=50, best=True)
    for n in range(20):
        say(room, ada, f"film today {n}")
    with django_assert_num_queries(2):
        find_messages(wanted, ada, limit=10)
