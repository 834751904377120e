"""What chat asks of PostgreSQL: sending, opening a room, asking for what is new."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from community.chat.models import Room
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.models import Group
from community.members.models import Member
from tests.factories import join, make_member

JSON = {"Accept": "application/json"}


@pytest.fixture
def room(group: Group, ada: Member, bo: Member) -> Room:
    """Thirty messages by five members."""
    members = [ada, bo, *(make_member() for _ in range(3))]
    for member in members[2:]:
        join(member, group)
    found, then = room_of(group), timezone.now() - timedelta(hours=1)
    for number in range(30):
        send_message(room=found, sender=members[number % 5], body=f"Number {number}", at=then)
    found.refresh_from_db()
    return found


def statements(ask: Callable[[], Any]) -> int:
    """How many a request takes when another like it was answered before."""
    assert ask().status_code in (200, 201)
    with CaptureQueriesContext(connection) as spent:
        answer = ask()
    assert answer.status_code in (200, 201)
    return len([one for one in spent.captured_queries if "SAVEPOINT" not in one["sql"]])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prepared", [True, False])
def test_sending_a_message_costs_twelve_statements(
    as_ada: Client, room: Room, settings: Any, prepared: bool
):
    settings.DATABASE_PREPARED = prepared

    def send() -> Any:
        form = {"body": "hello **you**", "client_key": str(uuid.uuid4())}
        return as_ada.post(f"/rooms/{room.pk}/messages/", form, headers=JSON)

    # Session, member, room; may they, sent before or too fast; begin, number and mark, message,
    # event, commit; hints; whose count has changed.
    assert statements(send) == 12


def test_a_room_opens_by_the_same_statements_whatever_stands_in_it(
    as_bo: Client, room: Room, group: Group
):
    assert statements(lambda: as_bo.get(f"/chat/{group.slug}/")) == 10


def test_who_asks_for_what_is_new_costs_four_statements_when_nothing_is(as_bo: Client, room: Room):
    address = f"/rooms/{room.pk}/after/?after={room.last_seq}&change=0&entry=0"
    # Session, member, room, what moderators did.
    assert statements(lambda: as_bo.get(address, headers=JSON)) == 4


def test_a_gap_costs_one_statement_more_however_long_it_is(as_bo: Client, room: Room):
    for after in (0, 20, 29):
        address = f"/rooms/{room.pk}/after/?after={after}&change=0&entry=0"
        assert len(as_bo.get(address, headers=JSON).json()["messages"]) == 30 - after
        assert statements(partial(as_bo.get, address, headers=JSON)) == 6  # and who is folded


def test_a_message_is_drawn_once_for_all_who_ask(
    as_ada: Client, as_bo: Client, room: Room, monkeypatch: pytest.MonkeyPatch
):
    address = f"/rooms/{room.pk}/after/?after=0"
    first = as_ada.get(address, headers=JSON).json()
    monkeypatch.setattr("community.chat.drawing.render_to_string", None)
    assert as_bo.get(address, headers=JSON).json() == first


def test_a_drawn_message_follows_its_senders_name_and_its_own_words(
    as_bo: Client, room: Room, ada: Member
):
    address = f"/rooms/{room.pk}/after/?after=0"

    def shown() -> str:
        html: str = as_bo.get(address, headers=JSON).json()["messages"][0]["html"]
        return html

    assert "Ada Quist" in shown()
    Member.objects.filter(pk=ada.pk).update(name="Ada Other")
    assert "Ada Other" in shown()
    room.messages.filter(seq=1).update(html="<p>Said otherwise</p>")
    assert "Said otherwise" in shown()


def test_no_one_but_its_sender_is_drawn_why_a_message_was_hidden(
    as_ada: Client, as_bo: Client, room: Room, ada: Member, mo: Member
):
    room.messages.filter(seq=1).update(
        hidden_at=timezone.now(), hidden_by=mo, hidden_reason="Off the point"
    )
    for client, is_told in ((as_ada, True), (as_bo, False), (as_ada, True)):
        html = client.get(f"/rooms/{room.pk}/after/", headers=JSON).json()["messages"][0]["html"]
        assert ("Off the point" in html) is is_told
