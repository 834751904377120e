"""How far a member has read: marks, what the day earns, and marking unread."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from community.groups.models import Membership
from community.members.blocking import block
from community.members.models import Member
from community.mine.overlay import overlay
from community.threads.following import wrote
from community.threads.marks import BY_HAND, Follow, FollowLevel, ReadingDay, ReadMark
from community.threads.models import Thread
from community.threads.reading import mark_all_read, mark_unread, read_up_to
from community.threads.services import post_hidden_changed
from community.threads.unread import first_unread, unread_counts
from tests.community.test_threads_services import wait_for_a_blocked_query
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db


def mark_of(member: Member, thread: Thread) -> int | None:
    found = ReadMark.objects.filter(member=member, thread=thread).first()
    return found.number if found else None


def day_of(member: Member) -> tuple[int, int, int] | None:
    """Posts, threads and seconds of the member's only day."""
    return ReadingDay.objects.filter(member=member).values_list("posts", "threads", "seconds").get()


def hide(post: Any) -> None:
    post.hidden_at, post.hidden_by, post.hidden_reason = timezone.now(), post.author, "Rude."
    post.save()
    post_hidden_changed(post)


# -- marks ------------------------------------------------------------------------------------


def test_a_mark_grows_by_reading_and_never_goes_back_by_it(ada, bo, group):
    thread = make_thread(ada, group, replies=9)
    assert read_up_to(member=bo, thread_id=thread.pk, number=4) == 4
    assert read_up_to(member=bo, thread_id=thread.pk, number=7) == 7
    assert read_up_to(member=bo, thread_id=thread.pk, number=2) == 7
    assert mark_of(bo, thread) == 7


def test_a_mark_cannot_pass_the_last_post(ada, bo, group):
    thread = make_thread(ada, group, replies=2)
    assert read_up_to(member=bo, thread_id=thread.pk, number=4_000) == 3


def test_reading_a_thread_that_is_gone_writes_nothing(bo):
    assert read_up_to(member=bo, thread_id=10**15, number=1, seen=1, seconds=1) == 0
    assert not ReadMark.objects.exists()
    assert not ReadingDay.objects.exists()


def test_marking_unread_takes_the_mark_back_and_never_forward(ada, bo, group):
    thread = make_thread(ada, group, replies=9)
    read_up_to(member=bo, thread_id=thread.pk, number=8)
    mark_unread(member=bo, post=thread.posts.get(number=5))
    assert mark_of(bo, thread) == 4
    mark_unread(member=bo, post=thread.posts.get(number=9))
    assert mark_of(bo, thread) == 4


@pytest.mark.django_db(transaction=True)
def test_two_devices_reading_at_once_keep_the_higher_mark_and_read_each_post_once():
    ada, bo = make_member("ada"), make_member("bo")
    group = make_group("here", owner=ada)
    join(bo, group)
    thread = make_thread(ada, group, replies=39)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    start = threading.Barrier(4)
    failed: list[BaseException] = []

    def device(numbers: list[int]) -> None:
        try:
            start.wait()
            for number in numbers:
                read_up_to(member=bo, thread_id=thread.pk, number=number, seen=40, seconds=60)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    numbers = [[*range(first, 41, 4)] for first in (1, 2, 3, 4)]
    with pytest.MonkeyPatch.context() as patch:
        # Each claims what it likes; how much is believed is another test's.
        patch.setattr("community.threads.reading._believed", lambda member, seconds: seconds)
        devices = [threading.Thread(target=device, args=(own,)) for own in numbers]
        for one in devices:
            one.start()
        for one in devices:
            one.join()
    assert failed == []
    assert mark_of(bo, thread) == 40
    # The first look read nothing it was believed, so of 40 posts 39 remained.
    assert day_of(bo) == (39, 1, 2_400)


@pytest.mark.django_db(transaction=True)
def test_two_first_reports_at_once_read_each_post_once():
    ada, bo = make_member("ada"), make_member("bo")
    group = make_group("here", owner=ada)
    join(bo, group)
    thread = make_thread(ada, group, replies=9)
    failed: list[BaseException] = []

    def read(number: int) -> None:
        read_up_to(member=bo, thread_id=thread.pk, number=number, seen=10, seconds=60)

    def other_device() -> None:
        try:
            read(10)
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("community.threads.reading._believed", lambda member, seconds: seconds)
        other = threading.Thread(target=other_device)
        with transaction.atomic():
            read(4)
            other.start()
            wait_for_a_blocked_query()
        other.join()
    assert failed == []
    assert mark_of(bo, thread) == 10
    assert day_of(bo) == (10, 1, 120)


# -- what the day earns -----------------------------------------------------------------------


def test_a_day_counts_posts_by_others_threads_once_and_seconds(ada, bo, group):
    thread, other = make_thread(ada, group, replies=3), make_thread(ada, group)
    make_post(bo, thread)
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as clock:
        read_up_to(member=bo, thread_id=thread.pk, number=3, seen=3, seconds=9)
        clock.shift(10)
        read_up_to(member=bo, thread_id=thread.pk, number=5, seen=2, seconds=9)
        clock.shift(10)
        read_up_to(member=bo, thread_id=other.pk, number=1, seen=1, seconds=4)
    # Four and one by ada; bo's own reply is no reading, and it had opened the first thread today.
    assert day_of(bo) == (5, 1, 22)


def test_seconds_are_wall_time_over_all_pages_of_a_member(ada, bo, group):
    one, two = make_thread(ada, group, replies=9), make_thread(ada, group, replies=9)
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as clock:
        for _ in range(10):
            clock.shift(2)
            for thread in (one, two):
                read_up_to(member=bo, thread_id=thread.pk, number=1, seconds=60)
    # A first claim of at most a minute, then twice nine steps of two seconds at most.
    assert day_of(bo) == (0, 2, 60 + 18)


def test_a_claim_earns_no_more_posts_than_there_are_and_than_time_to_read_them(ada, bo, group):
    thread = make_thread(ada, group, replies=29)
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as clock:
        read_up_to(member=bo, thread_id=thread.pk, number=10, seen=9_999, seconds=30)
        assert day_of(bo) == (10, 1, 30)
        clock.shift(1)
        read_up_to(member=bo, thread_id=thread.pk, number=30, seen=20, seconds=30)
        assert day_of(bo) == (14, 1, 31)


def test_without_javascript_nothing_is_earned_but_the_mark_moves(ada, bo, group):
    thread = make_thread(ada, group, replies=2)
    read_up_to(member=bo, thread_id=thread.pk, number=3)
    assert (mark_of(bo, thread), day_of(bo)) == (3, (0, 1, 0))


def test_a_day_never_has_more_seconds_than_a_day(ada, bo, thread):
    ReadingDay.objects.create(member=bo, on=timezone.now().date(), seconds=86_390)
    read_up_to(member=bo, thread_id=thread.pk, number=1, seconds=30)
    assert day_of(bo) == (0, 1, 86_400)


def test_reading_costs_one_statement(ada, bo, thread):
    with CaptureQueriesContext(connection) as spent:
        read_up_to(member=bo, thread_id=thread.pk, number=1, seen=1, seconds=2)
    assert len(spent) == 1


# -- what is unread ---------------------------------------------------------------------------


def unread(member: Member, thread: Thread) -> tuple[int, int] | None:
    member.refresh_from_db()
    return unread_counts(member, [thread]).get(thread.pk)


def test_unread_counts_what_others_wrote_after_the_mark_and_is_shown(ada, bo, cy, group):
    join(cy, group)
    thread = make_thread(ada, group, replies=4)
    read_up_to(member=bo, thread_id=thread.pk, number=5)
    assert unread(bo, thread) is None
    first, second, third = (make_post(cy, thread, f"New {n}.") for n in range(3))
    assert unread(bo, thread) == (3, 6)
    hide(first)
    assert unread(bo, thread) == (2, 7)
    make_post(bo, thread, "Mine.")
    assert unread(bo, thread) == (2, 7)
    assert first_unread(bo, thread) == 7


def test_unread_posts_are_counted_to_a_limit_wherever_the_first_of_them_is(
    ada, bo, group, as_bo, monkeypatch
):
    for module in ("community.threads.unread", "community.mine.overlay"):
        monkeypatch.setattr(f"{module}.COUNTED", 5)
    thread = make_thread(ada, group, replies=12)
    read_up_to(member=bo, thread_id=thread.pk, number=2)
    hide(thread.posts.get(number=3))
    assert unread(bo, thread) == (5, 4)
    mine = overlay(bo, thread, [])
    assert (mine.unread, mine.first) == (5, 4)
    for address in (thread.get_absolute_url(), group.get_absolute_url()):
        assert "5+ new</a>" in as_bo.get(address).content.decode()
    read_up_to(member=bo, thread_id=thread.pk, number=9)
    assert unread(bo, thread) == (4, 10)
    assert "4 new</a>" in as_bo.get(group.get_absolute_url()).content.decode()


def test_a_post_that_moved_away_is_no_longer_unread(ada, bo, group):
    thread, other = make_thread(ada, group, replies=1), make_thread(ada, group)
    read_up_to(member=bo, thread_id=thread.pk, number=2)
    post = make_post(ada, thread)
    assert unread(bo, thread) == (1, 3)
    type(post).objects.filter(pk=post.pk).update(thread=other, number=2)
    assert unread(bo, thread) is None


def test_what_a_folded_member_writes_is_never_unread(ada, bo, cy, group):
    join(cy, group)
    thread = make_thread(ada, group)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    make_post(cy, thread)
    block(by=bo, of=cy, kind="mute")
    assert unread(bo, thread) is None
    assert not Thread.objects.unread_for(bo).exists()


def test_all_read_reads_all_and_only_what_comes_after_is_new(ada, bo, group):
    thread = make_thread(ada, group, replies=19)
    read_up_to(member=bo, thread_id=thread.pk, number=5)
    make_post(ada, thread)
    assert unread(bo, thread) == (16, 6)
    mark_all_read(member=bo)
    assert unread(bo, thread) is None
    # Looking at the first page again does not bring the rest back.
    read_up_to(member=bo, thread_id=thread.pk, number=6)
    assert unread(bo, thread) is None
    make_post(ada, thread)
    assert unread(bo, thread) == (1, 22)


def test_all_read_of_a_group_leaves_other_groups(ada, bo, group):
    elsewhere = make_group("elsewhere", owner=ada)
    join(bo, elsewhere)
    here, there = make_thread(ada, group, replies=1), make_thread(ada, elsewhere, replies=1)
    for thread in (here, there):
        read_up_to(member=bo, thread_id=thread.pk, number=1)
    mark_all_read(member=bo, group=group)
    assert (unread(bo, here), unread(bo, there)) == (None, (1, 2))
    assert list(Thread.objects.unread_for(bo)) == [there]


def test_all_read_of_a_group_one_is_not_in_moves_the_marks_there(ada, cy, group):
    thread = make_thread(ada, group, replies=3)
    read_up_to(member=cy, thread_id=thread.pk, number=1)
    mark_all_read(member=cy, group=group)
    assert unread(cy, thread) is None


def test_all_read_counts_from_when_the_list_was_drawn_and_never_goes_back(ada, bo, group):
    thread = make_thread(ada, group, replies=1)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    drawn = timezone.now()
    make_post(ada, thread, "Between the list and the button.")
    mark_all_read(member=bo, up_to=drawn)
    assert unread(bo, thread) == (1, 3)
    mark_all_read(member=bo)
    mark_all_read(member=bo, up_to=drawn)  # the other device's list was older
    assert unread(bo, thread) is None
    mark_all_read(member=bo, group=group)
    mark_all_read(member=bo, group=group, up_to=drawn)
    assert (Membership.objects.get(member=bo, group=group).all_read_at or drawn) > drawn
    mark_all_read(member=bo, up_to=timezone.now() + timedelta(days=400))
    bo.refresh_from_db()
    assert bo.all_read_at <= timezone.now()


def test_marked_unread_by_hand_stays_so_whatever_was_all_read_until_the_end_is_reached(
    ada, bo, group
):
    thread = make_thread(ada, group, replies=9)
    mark_all_read(member=bo)
    mark_unread(member=bo, post=thread.posts.get(number=4))
    assert unread(bo, thread) == (7, 4)
    assert list(Thread.objects.unread_for(bo)) == [thread]
    read_up_to(member=bo, thread_id=thread.pk, number=6)
    assert unread(bo, thread) == (4, 7)
    read_up_to(member=bo, thread_id=thread.pk, number=10)
    assert unread(bo, thread) is None
    assert ReadMark.objects.get(member=bo).read_at > BY_HAND
    mark_unread(member=bo, post=thread.posts.get(number=4))
    mark_all_read(member=bo)
    assert unread(bo, thread) is None


# -- writing reads too ------------------------------------------------------------------------


def test_writing_tracks_the_thread_and_reads_ones_own_post(ada, bo, group):
    thread = make_thread(ada, group)
    assert mark_of(ada, thread) == 1
    make_post(ada, thread)
    assert mark_of(ada, thread) == 2
    make_post(bo, thread)  # who never saw what is before
    assert mark_of(bo, thread) == 0
    follow = Follow.objects.get(member=bo, thread=thread)
    assert (follow.level, follow.is_chosen) == (FollowLevel.TRACKING, False)


def test_a_reply_reads_what_was_in_front_of_its_writer(as_bo, bo, ada, group):
    thread = make_thread(ada, group, replies=4)
    as_bo.post(f"/t/{thread.pk}/replies/", {"body": "All read.", "seen": 5})
    assert mark_of(bo, thread) == 6
    make_post(ada, thread, "Seven.")
    as_bo.post(f"/t/{thread.pk}/replies/", {"body": "Did not see seven.", "seen": 6})
    assert mark_of(bo, thread) == 6
    assert unread(bo, thread) == (1, 7)


def test_seen_beyond_ones_own_post_counts_up_to_it(ada, bo, thread):
    make_post(bo, thread)
    wrote(member=bo, thread=thread, number=2, seen=99, at=timezone.now())
    assert mark_of(bo, thread) == 2
