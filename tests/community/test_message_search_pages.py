"""The page that finds messages, and going to a day of a room."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.errors import QueryCanceled

from community.chat.models import Message, Room
from community.chat.rooms import room_of, room_with
from community.chat.services import send_message
from community.members.models import Member
from community.search import message_views
from community.search.messages import write_messages
from tests.factories import make_group

pytestmark = pytest.mark.django_db

AT = "/search/messages/"


@pytest.fixture
def room(group) -> Room:
    return room_of(group)


def say(room: Room, sender: Member, body: str, at: datetime | None = None) -> Message:
    message = send_message(room=room, sender=sender, body=body, at=at or timezone.now())
    write_messages([message.pk])
    return message


def text_of(response) -> str:
    return str(response.content.decode())


def rows_of(page: str) -> list[str]:
    return re.findall(r'<a class="message-hit" href="([^"]+)"', page)


# -- finding ------------------------------------------------------------------------------------


def test_a_hit_shows_room_sender_and_marked_words_and_opens_among_its_neighbours(
    as_ada, room, ada, bo
):
    for number in range(60):
        say(room, ada, f"before {number}")
    hit = say(room, bo, "The <b>light seals</b> are gone & crumbling")
    for number in range(60):
        say(room, ada, f"after {number}")
    page = text_of(as_ada.get(AT, {"q": "light seal"}))
    address = f"{room.get_absolute_url()}?at={hit.seq}#m{hit.seq}"
    assert rows_of(page) == [address]
    assert "<mark>light</mark> <mark>seals</mark>" in page
    assert "&amp; crumbling" in page
    assert "&lt;b&gt;" in page
    assert f"<b>{bo.name}</b>" in page
    assert "Film cameras" in page
    opened = text_of(as_ada.get(address.partition("#")[0]))
    assert f'id="m{hit.seq}"' in opened
    assert "before 59" in opened
    assert "after 0" in opened
    assert "after 59" not in opened


def test_one_searches_a_room_or_all_ones_rooms(as_ada, room, ada, bo):
    beside = room_of(make_group("darkroom", owner=ada, name="Darkroom"))
    here, there = say(room, ada, "film"), say(beside, ada, "film")
    pair = room_with([bo], by=ada)
    say(pair, bo, "film for you")
    page = text_of(as_ada.get(AT, {"q": "film"}))
    assert len(rows_of(page)) == 3
    assert bo.name in page
    page = text_of(as_ada.get(AT, {"q": "film", "room": room.pk}))
    assert rows_of(page) == [f"{room.get_absolute_url()}?at={here.seq}#m{here.seq}"]
    assert "All my rooms" in page
    page = text_of(as_ada.get(AT, {"q": "film", "room": room.pk, "all": 1}))
    assert f"{beside.get_absolute_url()}?at={there.seq}#m{there.seq}" in rows_of(page)


def test_the_form_narrows_down_by_sender_and_days_in_the_readers_time_zone(as_ada, room, ada, bo):
    Member.objects.filter(pk=ada.pk).update(time_zone="Asia/Tokyo")
    late = say(room, bo, "film late", datetime(2026, 3, 1, 16, tzinfo=UTC))  # 2 March in Tokyo
    say(room, ada, "film other", datetime(2026, 3, 1, 16, tzinfo=UTC))
    asked = {"q": "film", "by": "@Bo", "since": "2026-03-02", "until": "2026-03-02"}
    page = text_of(as_ada.get(AT, asked))
    assert rows_of(page) == [f"{room.get_absolute_url()}?at={late.seq}#m{late.seq}"]
    assert rows_of(text_of(as_ada.get(AT, {**asked, "until": "2026-03-01"}))) == []
    assert rows_of(text_of(as_ada.get(AT, {"by": "bo"}))) == rows_of(page)
    wrong = text_of(as_ada.get(AT, {**asked, "since": "soon"}))
    assert "Write the day as 2026-11-22." in wrong
    assert rows_of(wrong) == []


def test_pages_follow_each_other_and_orders_are_links(as_ada, room, ada):
    sent = [say(room, ada, f"film roll {number}") for number in range(45)]
    for sort in ("", "best"):
        seen: list[str] = []
        query = {"q": "film roll", "sort": sort}
        while True:
            page = text_of(as_ada.get(AT, query))
            seen += rows_of(page)
            more = re.search(r'rel="next" href="([^"]+)"', page)
            if more is None:
                break
            cursor = re.search(r"after=([^&\"]+)", more[1])
            assert cursor is not None
            query["after"] = cursor[1]
        assert len(seen) == len(set(seen)) == len(sent)
    assert "Of the newest, the best first" in page
    assert "First page" in page


@pytest.mark.parametrize("after", ["x", "1", "1-", "9" * 30, "1.5~", "~", "nan~1"])
def test_any_cursor_is_answered(after, as_ada, room, ada):
    say(room, ada, "film")
    for sort in ("new", "best"):
        assert as_ada.get(AT, {"q": "film", "after": after, "sort": sort}).status_code == 200


def test_nothing_found_a_part_found_and_nothing_asked(as_ada, room, ada):
    say(room, ada, "film")
    assert "What the box understands" in text_of(as_ada.get(AT))
    assert "too little to search for" in text_of(as_ada.get(AT, {"q": "!"}))
    nothing = text_of(as_ada.get(AT, {"q": "zanzibar", "room": room.pk}))
    assert "Nothing found" in nothing
    assert "Search all my rooms" in nothing
    part = text_of(as_ada.get(AT, {"q": "film zanzibar"}))
    assert "No message says all of this" in part
    assert len(rows_of(part)) == 1


def test_a_search_that_takes_too_long_says_so(as_ada, monkeypatch):
    def slow(*args, **options):
        raise OperationalError from QueryCanceled()

    monkeypatch.setattr(message_views, "message_results", slow)
    answer = as_ada.get(AT, {"q": "film"})
    assert answer.status_code == 503
    assert "That took too long" in text_of(answer)


def test_a_document_behind_its_message_shows_nothing_of_it(as_ada, room, ada):
    said = say(room, ada, "film of secrets")
    Message.objects.filter(pk=said.pk).update(
        hidden_at=timezone.now(), hidden_by=ada, hidden_reason="Mine."
    )
    assert "secrets" not in text_of(as_ada.get(AT, {"q": "film"}))


def test_a_room_one_may_not_read_is_not_there(as_cy, as_ada, guest, room, ada):
    say(room, ada, "film")
    assert as_cy.get(AT, {"q": "film", "room": room.pk}).status_code == 404
    assert rows_of(text_of(as_cy.get(AT, {"q": "film"}))) == []
    assert guest.get(AT, {"q": "film"}).status_code == 302


def test_the_search_of_posts_and_the_room_lead_there(as_ada, guest, room):
    assert f'href="{AT}?q=film"' in text_of(as_ada.get("/search/?q=film"))
    assert AT not in text_of(guest.get("/search/?q=film"))
    assert f'href="{AT}?room={room.pk}"' in text_of(as_ada.get(room.get_absolute_url()))


def test_a_page_costs_a_fixed_number_of_queries(as_ada, room, ada, bo):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            as_ada.get(AT, {"q": "film"})
        return len(queries)

    pair = room_with([bo], by=ada)
    say(room, ada, "film")
    say(pair, bo, "film")
    as_ada.get(AT, {"q": "film"})
    first = cost()
    for number in range(30):
        say(room, bo, f"film {number}")
        say(pair, bo, f"film {number}")
    assert cost() <= first


# -- a day --------------------------------------------------------------------------------------


def test_a_day_leads_to_its_first_message(as_ada, room, ada):
    begun = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for number in range(120):
        send_message(
            room=room, sender=ada, body=f"message {number}", at=begun + timedelta(hours=number)
        )
    at = room.get_absolute_url()
    asked = as_ada.get(at, {"on": "2026-03-03"})
    assert asked["Location"] == f"{at}?on=2026-03-03&at=37#m37"  # of midnight
    page = text_of(as_ada.get(asked["Location"].partition("#")[0]))
    shown = re.findall(r'<div class="msg" id="m(\d+)"', page)
    assert shown[0] == "12"
    assert "Earlier messages" in page
    assert 'name="on" required min="2026-03-01"' in page
    assert f'max="{timezone.localdate():%Y-%m-%d}" value="2026-03-03"' in page
    assert 'class="missed"' not in page


def test_a_day_is_one_of_the_readers_time_zone(as_ada, room, ada):
    Member.objects.filter(pk=ada.pk).update(time_zone="Asia/Tokyo")
    for hour in (14, 16):  # 23 on the first, 1 on the second of March in Tokyo
        at = datetime(2026, 3, 1, hour, tzinfo=UTC)
        send_message(room=room, sender=ada, body=f"at {hour}", at=at)
    assert as_ada.get(room.get_absolute_url(), {"on": "2026-03-02"})["Location"].endswith("#m2")


def test_days_without_a_message_say_what_is_shown_instead(as_ada, room, ada):
    send_message(room=room, sender=ada, body="early", at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    send_message(room=room, sender=ada, body="late", at=datetime(2026, 3, 9, 12, tzinfo=UTC))
    at = room.get_absolute_url()
    between = text_of(as_ada.get(at, {"on": "2026-03-04"}, follow=True))
    assert "Nothing was said on 4 March 2026. These messages came next." in between
    on_it = text_of(as_ada.get(at, {"on": "2026-03-09"}, follow=True))
    assert "Nothing was said" not in on_it
    beyond = text_of(as_ada.get(at, {"on": "2026-03-10"}))
    assert "Nothing was said on 10 March 2026 or later. These are the newest" in beyond
    assert re.findall(r'<div class="msg" id="m(\d+)"', beyond) == ["1", "2"]
    for odd in ("", "soon", "2026-02-30", "0001-01-01", "9999-12-31"):
        assert as_ada.get(at, {"on": odd}, follow=True).status_code == 200


def test_an_empty_room_has_today_alone(as_ada, room):
    page = text_of(as_ada.get(room.get_absolute_url(), {"on": "2026-03-01"}))
    today = f"{timezone.localdate():%Y-%m-%d}"
    assert f'min="{today}" max="{today}"' in page
    assert "or later. These are the newest messages." in page
    assert date.fromisoformat(today)
