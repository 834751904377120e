"""The digest: at eight by the member's clock, once, of what they may read and did not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from community.groups.models import Group
from community.groups.services import leave_group
from community.members.models import Block, Member
from community.notifications import delivery
from community.notifications.delivery import send_due
from community.notifications.digest import best_threads, collect, plan_due
from community.notifications.models import Channel, Preferences, Sending
from community.notifications.services import choose, mark_all_read
from community.notifications.times import next_digest, quiet_until, zone_of
from community.threads.following import follow
from community.threads.marks import FollowLevel, ReadMark
from community.threads.models import Post, Thread
from tests.factories import join, make_group, make_post, make_thread
from tests.outbox import run_outbox

pytestmark = pytest.mark.usefixtures("nothing_earned")

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 21, 12, tzinfo=UTC)


def wants(member: Member, digest: str, time_zone: str = "UTC") -> Preferences:
    return choose(
        member=member, wanted={}, email_when="never", quiet=None, digest=digest, time_zone=time_zone
    )


@pytest.fixture
def saturday(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(delivery, "is_here", lambda member_id: False)
    with time_machine.travel(SATURDAY, tick=False) as clock:
        yield clock


# -- clocks (pure) ----------------------------------------------------------------------------


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "zone", "every", "due"),
    [
        ("2026-11-21T12:00", "UTC", "day", "2026-11-22T08:00"),
        ("2026-11-22T08:00", "UTC", "day", "2026-11-23T08:00"),
        ("2026-11-21T12:00", "UTC", "week", "2026-11-23T08:00"),  # a Monday
        ("2026-11-21T12:00", "Asia/Shanghai", "day", "2026-11-22T00:00"),
        ("2026-11-21T12:00", "America/New_York", "day", "2026-11-21T13:00"),
        # Clocks go forward in the night of 29 March and back in that of 25 October.
        ("2026-03-28T12:00", "Europe/Berlin", "day", "2026-03-29T06:00"),
        ("2026-03-27T12:00", "Europe/Berlin", "day", "2026-03-28T07:00"),
        ("2026-10-24T12:00", "Europe/Berlin", "day", "2026-10-25T07:00"),
        ("2026-11-21T12:00", "Nowhere/At_All", "day", "2026-11-22T08:00"),
    ],
)
def test_a_digest_is_due_at_eight_by_the_members_clock(after: str, zone: str, every: str, due: str):
    assert next_digest(utc(after), zone, every) == utc(due)


@pytest.mark.parametrize(
    ("at", "zone", "until"),
    [
        ("2026-11-22T22:30", "UTC", "2026-11-23T07:00"),
        ("2026-11-22T06:59", "UTC", "2026-11-22T07:00"),
        ("2026-11-22T07:00", "UTC", None),  # the end is not in it
        ("2026-11-22T22:00", "UTC", "2026-11-23T07:00"),  # the beginning is
        ("2026-11-22T21:59", "UTC", None),
        # The night clocks go forward is an hour shorter, the other one longer.
        ("2026-03-28T21:00", "Europe/Berlin", "2026-03-29T05:00"),
        ("2026-10-24T20:00", "Europe/Berlin", "2026-10-25T06:00"),
    ],
)
def test_quiet_hours_follow_the_members_clock(at: str, zone: str, until: str | None):
    ends = quiet_until(utc(at), zone, (time(22), time(7)))
    assert ends == (utc(until) if until else None)


@given(
    st.integers(0, 15 * 365 * 24 * 60).map(lambda minutes: NEW_YEAR + timedelta(minutes=minutes)),
    st.sampled_from(
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
    st.times(),
    st.times(),
)
def test_quiet_hours_always_end_and_then_it_is_not_quiet(
    at: datetime, zone: str, begins: time, ends: time
):
    if begins == ends:
        return
    until = quiet_until(at, zone, (begins, ends))
    if until is not None:
        assert at < until <= at + timedelta(hours=26)
        assert quiet_until(until, zone, (begins, ends)) is None or begins == ends


@pytest.mark.parametrize("name", ["", "..", "/etc/passwd", "Europe", "x" * 5_000, "Mars/Base"])
def test_a_zone_nobody_knows_is_utc(name: str):
    assert zone_of(name).key == "UTC"


# -- once a period ----------------------------------------------------------------------------


def test_a_daily_digest_comes_once_a_day(
    ada: Member, bo: Member, thread: Thread, saturday: time_machine.Traveller
):
    wants(bo, "day")
    make_post(ada, thread)
    assert plan_due() == 0
    saturday.move_to(utc("2026-11-22T08:00"))
    assert [plan_due(), plan_due(), plan_due()] == [1, 0, 0]
    assert send_due(Channel.EMAIL) == 1
    make_post(ada, thread)
    saturday.move_to(utc("2026-11-23T08:05"))
    assert [plan_due(), plan_due()] == [1, 0]
    assert Sending.objects.filter(what="digest").count() == 2


def test_two_workers_at_the_same_time_plan_one(
    ada: Member, bo: Member, thread: Thread, saturday: time_machine.Traveller
):
    from community.notifications.digest import _plan

    wants(bo, "day")
    saturday.move_to(utc("2026-11-22T08:00"))
    seen_by_both = Preferences.objects.select_related("member").get(member=bo)
    assert [_plan(seen_by_both, utc("2026-11-22T08:00")) for _ in range(2)] == [1, 0]


def test_a_worker_that_was_away_for_days_plans_one_and_goes_on(
    bo: Member, saturday: time_machine.Traveller
):
    wants(bo, "day")
    saturday.move_to(utc("2026-11-29T19:00"))
    assert [plan_due(), plan_due()] == [1, 0]
    assert Preferences.objects.get(member=bo).digest_due_at == utc("2026-11-30T08:00")


def test_nothing_to_tell_is_no_letter(bo: Member, saturday: time_machine.Traveller):
    wants(bo, "day")
    saturday.move_to(utc("2026-11-22T08:00"))
    assert plan_due() == 1
    assert send_due(Channel.EMAIL) == 0
    assert Sending.objects.get().why == "there is nothing to tell"


def test_one_press_ends_it(
    ada: Member, bo: Member, thread: Thread, saturday: time_machine.Traveller, guest: Client
):
    wants(bo, "week")
    make_post(ada, thread)
    saturday.move_to(utc("2026-11-23T08:00"))
    plan_due()
    send_due(Channel.EMAIL)
    off = mail.outbox[0].extra_headers["List-Unsubscribe"].strip("<>")
    assert mail.outbox[0].extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    guest.post(off.removeprefix("http://localhost:8000"), {"List-Unsubscribe": "One-Click"})
    saturday.move_to(utc("2026-12-07T09:00"))
    assert plan_due() == 0


# -- what is in it ----------------------------------------------------------------------------


def test_unread_comes_first_then_what_the_groups_liked(
    ada: Member, bo: Member, group: Group, thread: Thread, saturday: time_machine.Traveller
):
    wants(ada, "day")
    make_post(bo, thread)
    quiet, loud = (make_thread(bo, group, title=title) for title in ("Quiet talk", "Loud talk"))
    Post.objects.filter(thread=loud, number=1).update(reaction_count=5)
    run_outbox()
    saturday.move_to(utc("2026-11-22T08:00"))
    plan_due()
    assert send_due(Channel.EMAIL) == 1
    said = mail.outbox[0].body
    places = [said.index(words) for words in ("Bo Lind replied", "Loud talk", "Quiet talk")]
    assert places == sorted(places)
    page = str(mail.outbox[0].message())
    assert "Loud talk</a>" in page
    assert quiet.pk != loud.pk


def titles(member: Member, since: datetime = SATURDAY - timedelta(days=1)) -> set[str]:
    return {thread.title for thread in best_threads(member, since)}


@pytest.mark.django_db
def test_the_best_are_of_the_members_groups_new_to_them_and_wanted(
    ada: Member, bo: Member, cy: Member, mo: Member, group: Group, saturday: object
):
    for title in ("Read", "Muted", "Hidden", "By cy", "By myself", "Kept"):
        author = {"By cy": cy, "By myself": bo}.get(title, ada)
        if author == cy and not cy.memberships.exists():
            join(cy, group)
        make_thread(author, group, title=title)
    make_thread(ada, group, title="Old", at=SATURDAY - timedelta(days=9))
    make_thread(ada, make_group("elsewhere", owner=ada), title="Elsewhere")
    assert titles(bo) == {"Read", "Muted", "Hidden", "By cy", "Kept"}

    def named(title: str) -> Thread:
        return Thread.objects.get(title=title)

    ReadMark.objects.create(member=bo, thread=named("Read"), number=1)
    follow(member=bo, what=named("Muted"), level=FollowLevel.MUTED)
    Thread.objects.filter(title="Hidden").update(is_listed=False)
    Block.objects.create(by=bo, of=cy, kind="mute")
    assert titles(bo) == {"Kept"}
    follow(member=bo, what=group, level=FollowLevel.MUTED)
    assert titles(bo) == set()


def test_nothing_comes_from_a_group_that_was_left_before_the_letter_goes(
    ada: Member, bo: Member, hidden_group: Group, saturday: time_machine.Traveller
):
    join(bo, hidden_group)
    wants(bo, "day")
    begun = make_thread(bo, hidden_group, title="Behind the door")
    make_post(ada, begun)
    run_outbox()
    assert collect(bo, SATURDAY - timedelta(days=1))[0]
    saturday.move_to(utc("2026-11-22T08:00"))
    plan_due()
    leave_group(member=bo, group=hidden_group)
    assert send_due(Channel.EMAIL) == 0
    assert mail.outbox == []


def test_what_was_read_is_not_told_again(ada: Member, bo: Member, thread: Thread, saturday: object):
    make_post(bo, thread)
    run_outbox()
    assert len(collect(ada, SATURDAY)[0]) == 1
    mark_all_read(ada)
    assert collect(ada, SATURDAY)[0] == []
