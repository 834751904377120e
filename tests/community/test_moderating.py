"""Organising threads: what each verb does, who may, what it leaves, and that nothing is lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commerce.attribution.places import show_threads
from commerce.placements.models import Placement
from community.groups.models import Group, JoinMode, Role, Template
from community.members.models import Member
from community.polls.services import close_poll, make_poll
from community.tags.models import Tag
from community.threads import moderating, services
from community.threads.counting import groups_follow
from community.threads.editing import edit_post
from community.threads.errors import (
    GroupNotYours,
    MayNotChangeHead,
    MayNotOrganise,
    MergedAway,
    NothingChosen,
    NotInFuture,
    NotThere,
    OpeningStays,
    OutOfRange,
    PinsFull,
    PostsMoved,
    Refused,
    SameGroup,
    SameThread,
    SlowMode,
    ThreadClosed,
    ThreadLocked,
    TooLateToRetitle,
    WhyMissing,
)
from community.threads.hiding import hide_post
from community.threads.marks import Follow, FollowLevel, ReadMark
from community.threads.models import Post, PostMove, Thread, ThreadEntry, ThreadTag
from community.threads.moderating import (
    close_after,
    lock_silent,
    merge_threads,
    move_thread,
    pin_thread,
    retitle_thread,
    set_slow_mode,
    split_thread,
    unpin_overdue,
    unpin_thread,
)
from community.threads.services import choose_answer, lock_thread, publish_post
from community.threads.tagging import set_tags
from moderation.audit.models import AuditEntry
from tests.community.test_threads_services import wait_for_a_blocked_query
from tests.factories import join, make_group, make_member, make_post, make_thread, owner_of
from tests.factories_commerce import make_listing, make_merchant, make_placement
from tests.outbox import run_outbox

pytestmark = pytest.mark.django_db

WHY = "Two subjects in one thread."


def text_of(response) -> str:
    return str(response.content.decode())


def numbers_of(thread: Thread) -> list[int]:
    return list(
        Post.objects.filter(thread=thread).order_by("number").values_list("number", flat=True)
    )


def ids_of(thread: Thread, *numbers: int) -> list[int]:
    posts = Post.objects.filter(thread=thread, number__in=numbers).order_by("number")
    return list(posts.values_list("pk", flat=True))


def entries_of(thread: Thread) -> list[str]:
    return list(
        ThreadEntry.objects.filter(thread=thread).order_by("pk").values_list("verb", flat=True)
    )


def counts_of(thread: Thread) -> tuple[int, int]:
    thread.refresh_from_db()
    return thread.last_number, thread.reply_count


@pytest.fixture
def long_thread(ada: Member, group: Group) -> Thread:
    """Ada's thread with the numbers 1 to 6."""
    return make_thread(ada, group, replies=5)


@pytest.fixture
def second_group(mo: Member) -> Group:
    """Another group that mo moderates; ada is in it too."""
    other = make_group("darkroom", name="Darkroom", template=Template.FITNESS)
    join(mo, other, Role.MODERATOR)
    return other


# -- split ------------------------------------------------------------------------------------


def test_a_split_makes_a_thread_of_the_chosen_replies(mo, ada, bo, long_thread, group):
    reply = make_post(bo, long_thread, "About something *else*.")
    ids = [reply.pk, *ids_of(long_thread, 3, 5)]
    new = split_thread(thread=long_thread, post_ids=ids, title="Something else", by=mo, reason=WHY)
    new.refresh_from_db()
    assert numbers_of(new) == [1, 2, 3]
    assert numbers_of(long_thread) == [1, 2, 4, 6]
    assert counts_of(new) == (3, 2)
    assert counts_of(long_thread) == (7, 3)
    assert (new.author, new.title, new.is_listed) == (ada, "Something else", True)
    assert new.excerpt == "Reply number 3."
    assert new.last_post_by == bo
    group.refresh_from_db()
    assert group.thread_count == 2


def test_a_split_post_keeps_its_address_and_its_old_number_leads_to_it(
    mo, guest, long_thread, settings
):
    (pk,) = ids_of(long_thread, 4)
    new = split_thread(thread=long_thread, post_ids=[pk], title="New", by=mo, reason=WHY)
    here = f"{new.get_absolute_url()}#p1"
    assert guest.get(f"/p/{pk}/").headers["Location"] == here
    jump = guest.get(f"/t/{long_thread.pk}/jump/?number=4")
    assert jump.headers["Location"] == f"/p/{pk}/"
    assert PostMove.objects.get(from_thread=long_thread).number == 4


def test_numbers_of_a_split_are_never_used_again(mo, ada, long_thread):
    split_thread(
        thread=long_thread, post_ids=ids_of(long_thread, 5, 6), title="New", by=mo, reason=WHY
    )
    assert make_post(ada, long_thread).number == 7


@pytest.mark.parametrize(
    ("numbers", "title", "reason", "refusal"),
    [
        ([], "T", WHY, NothingChosen),
        ([1, 2], "T", WHY, OpeningStays),
        ([2], "T", "  ", WhyMissing),
        ([2], "", WHY, Refused),
    ],
)
def test_a_split_that_cannot_be_leaves_all_as_it_was(
    mo, long_thread, numbers, title, reason, refusal
):
    ids = ids_of(long_thread, *numbers)
    with pytest.raises(refusal):
        split_thread(thread=long_thread, post_ids=ids, title=title, by=mo, reason=reason)
    assert numbers_of(long_thread) == [1, 2, 3, 4, 5, 6]
    assert not ThreadEntry.objects.exists()
    assert Thread.objects.count() == 1


def test_a_post_that_went_elsewhere_cannot_be_split_off_again(mo, long_thread):
    ids = ids_of(long_thread, 2, 3)
    split_thread(thread=long_thread, post_ids=ids[:1], title="New", by=mo, reason=WHY)
    with pytest.raises(PostsMoved):
        split_thread(thread=long_thread, post_ids=ids, title="Newer", by=mo, reason=WHY)


def test_only_moderators_organise(ada, cy, long_thread, group, second_group):
    other = make_thread(ada, group)
    for who in (ada, cy):
        with pytest.raises(MayNotOrganise):
            split_thread(
                thread=long_thread, post_ids=ids_of(long_thread, 2), title="T", by=who, reason=WHY
            )
        with pytest.raises(MayNotOrganise):
            merge_threads(thread=other, into=long_thread, by=who, reason=WHY)
        with pytest.raises(MayNotOrganise):
            move_thread(thread=long_thread, to=second_group, by=who, reason=WHY)
        for act in (
            lambda who=who: pin_thread(thread=long_thread, by=who),
            lambda who=who: set_slow_mode(thread=long_thread, seconds=60, by=who),
            lambda who=who: close_after(thread=long_thread, days=3, by=who),
        ):
            with pytest.raises(MayNotOrganise):
                act()
    assert not ThreadEntry.objects.exists()


def test_who_had_read_the_split_posts_has_read_them_there(mo, ada, bo, cy, long_thread):
    ReadMark.objects.filter(thread=long_thread).delete()
    ReadMark.objects.create(member=bo, thread=long_thread, number=4)
    ReadMark.objects.create(member=cy, thread=long_thread, number=2)
    ids = ids_of(long_thread, 3, 4, 5)
    new = split_thread(thread=long_thread, post_ids=ids, title="New", by=mo, reason=WHY)
    marks = dict(ReadMark.objects.filter(thread=new).values_list("member__handle", "number"))
    assert marks == {"bo": 2}
    assert ReadMark.objects.get(member=bo, thread=long_thread).number == 4


def test_an_answer_that_is_split_off_is_no_longer_the_answer(mo, ada, long_thread):
    answer = Post.objects.get(thread=long_thread, number=3)
    choose_answer(thread=long_thread, post=answer, by=ada)
    split_thread(thread=long_thread, post_ids=[answer.pk], title="New", by=mo, reason=WHY)
    long_thread.refresh_from_db()
    assert long_thread.answer is None


# -- merge ------------------------------------------------------------------------------------


def test_a_merge_appends_the_posts_with_their_dates(mo, ada, bo, long_thread, group):
    old = timezone.now() - timedelta(days=30)
    other = make_thread(bo, group, "The same again", replies=2, at=old)
    dates = list(Post.objects.filter(thread=other).values_list("pk", "created_at"))
    merge_threads(thread=other, into=long_thread, by=mo, reason=WHY)
    assert numbers_of(long_thread) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert counts_of(long_thread) == (9, 8)
    assert counts_of(other) == (3, 0)
    assert (other.merged_into, other.is_listed) == (long_thread, False)
    assert dict(Post.objects.filter(pk__in=dict(dates)).values_list("pk", "created_at")) == dict(
        dates
    )
    assert long_thread.last_post_at > old
    group.refresh_from_db()
    assert group.thread_count == 1


def test_a_merged_thread_leads_to_the_other_one_for_ever(mo, guest, ada, group, long_thread):
    other = make_thread(ada, group, "The same again", replies=24)
    third = make_thread(ada, group, "And again")
    on_page_two = Post.objects.get(thread=other, number=21)
    address = other.get_absolute_url()
    merge_threads(thread=other, into=long_thread, by=mo, reason=WHY)
    merge_threads(thread=long_thread, into=third, by=mo, reason=WHY)
    first = guest.get(address)
    assert (first.status_code, first.headers["Location"]) == (301, third.get_absolute_url())
    second = guest.get(f"{address}?page=2")
    assert (second.status_code, second.headers["Location"]) == (301, f"/p/{on_page_two.pk}/")
    assert guest.get(f"/p/{on_page_two.pk}/").status_code == 302


def test_a_merge_into_a_hidden_group_is_404_for_outsiders(mo, guest, as_bo, as_mo, bo, group):
    cellar = make_group("cellar-two", join_mode=JoinMode.HIDDEN)
    join(mo, cellar, Role.MODERATOR)
    here, there = make_thread(bo, group), make_thread(mo, cellar, "Secret")
    address = here.get_absolute_url()
    merge_threads(thread=here, into=there, by=mo, reason=WHY)
    assert guest.get(address).status_code == as_bo.get(address).status_code == 404
    assert as_mo.get(address).headers["Location"] == there.get_absolute_url()


def test_follows_marks_and_tags_go_along_with_a_merge(mo, ada, bo, cy, group, long_thread):
    other = make_thread(ada, group, "The same again", replies=1)
    Follow.objects.all().delete()
    ReadMark.objects.all().delete()
    set_tags(thread=other, names=["film", "repair"], by=mo)
    set_tags(thread=long_thread, names=["film"], by=mo)
    Follow.objects.create(member=bo, thread=other, level=FollowLevel.WATCHING)
    Follow.objects.create(member=cy, thread=other, level=FollowLevel.WATCHING)
    Follow.objects.create(member=cy, thread=long_thread, level=FollowLevel.MUTED)
    ReadMark.objects.create(member=bo, thread=other, number=2)
    ReadMark.objects.create(member=bo, thread=long_thread, number=6)
    ReadMark.objects.create(member=cy, thread=other, number=2)
    ReadMark.objects.create(member=cy, thread=long_thread, number=3)
    merge_threads(thread=other, into=long_thread, by=mo, reason=WHY)
    followed = Follow.objects.filter(thread=long_thread).values_list("member__handle", "level")
    assert dict(followed) == {"bo": FollowLevel.WATCHING, "cy": FollowLevel.MUTED}
    marks = ReadMark.objects.filter(thread=long_thread).values_list("member__handle", "number")
    assert dict(marks) == {"bo": 8, "cy": 3}  # cy had not read all that was there
    assert sorted(tag.name for tag in Tag.objects.filter(threads=long_thread)) == ["film", "repair"]
    assert dict(Tag.objects.values_list("name", "thread_count")) == {"film": 1, "repair": 1}


def test_a_thread_merges_neither_into_itself_nor_where_one_does_not_moderate(
    mo, ada, long_thread, hidden_group, group
):
    with pytest.raises(SameThread):
        merge_threads(thread=long_thread, into=long_thread, by=mo, reason=WHY)
    with pytest.raises(NotThere):
        merge_threads(thread=long_thread, into=make_thread(ada, hidden_group), by=mo, reason=WHY)
    other = make_thread(ada, group)
    merge_threads(thread=other, into=long_thread, by=mo, reason=WHY)
    with pytest.raises(MergedAway):
        merge_threads(thread=other, into=make_thread(ada, group), by=mo, reason=WHY)


def test_a_reply_sent_to_a_merged_thread_is_written_where_it_went(mo, ada, bo, group, long_thread):
    other = make_thread(ada, group, "The same again")
    answered = Post.objects.get(thread=other)
    merge_threads(thread=other, into=long_thread, by=mo, reason=WHY)
    post = publish_post(author=bo, thread=other, body="Late.", reply_to=answered)
    assert (post.thread, post.number) == (long_thread, 8)
    assert post.reply_to_id == answered.pk


# -- move -------------------------------------------------------------------------------------


def test_a_moved_thread_is_counted_and_read_in_the_other_group(
    mo, guest, long_thread, group, second_group
):
    move_thread(thread=long_thread, to=second_group, by=mo, reason=WHY)
    group.refresh_from_db()
    second_group.refresh_from_db()
    assert (group.thread_count, second_group.thread_count) == (0, 1)
    assert group.last_post_at is None
    assert second_group.last_post_at == Thread.objects.get().last_post_at
    assert long_thread.title in text_of(guest.get("/g/darkroom/"))
    assert "from Film cameras to Darkroom" in text_of(guest.get(long_thread.get_absolute_url()))


def test_tags_and_a_kind_that_do_not_belong_are_dropped_and_named(mo, ada, group, second_group):
    thread = services.start_thread(
        author=ada,
        group=group,
        title="My R2",
        body="Look.",
        kind="showcase",
        details={"maker": "Optra"},
    ).thread
    Tag.objects.create(slug="light", name="Light")
    Tag.objects.create(group=second_group, slug="repair", name="Repair")
    set_tags(thread=thread, names=["Light", "repair", "film"], by=mo)
    pin_thread(thread=thread, by=mo)
    move_thread(thread=thread, to=second_group, by=mo, reason=WHY)
    thread.refresh_from_db()
    tags = Tag.objects.filter(threads=thread).values_list("name", "group", "thread_count")
    assert sorted(tags) == [("Light", None, 1), ("Repair", second_group.pk, 1)]
    assert list(Tag.objects.filter(group=group).values_list("thread_count", flat=True)) == [0, 0]
    assert (thread.kind, thread.details, thread.pinned_at) == ("talk", {}, None)
    entry = ThreadEntry.objects.filter(thread=thread).latest("pk")
    assert entry.details["dropped_tags"] == ["film"]
    assert entry.details["dropped_kind"] == "showcase"


def test_a_thread_moves_only_between_groups_one_moderates(
    mo, ada, long_thread, group, hidden_group
):
    with pytest.raises(GroupNotYours):
        move_thread(thread=long_thread, to=hidden_group, by=mo, reason=WHY)
    with pytest.raises(SameGroup):
        move_thread(thread=long_thread, to=group, by=mo, reason=WHY)


def test_a_post_in_a_hidden_group_is_not_named_where_it_was_answered(mo, ada, bo, group):
    """The thread split off is moved to a hidden group: what answered its posts must not tell."""
    cellar = make_group("cellar-two", join_mode=JoinMode.HIDDEN)
    join(mo, cellar, Role.MODERATOR)
    thread = make_thread(ada, group)
    secret = make_post(ada, thread, "Keep this.")
    answer = make_post(bo, thread, "I will.", reply_to=secret)
    new = split_thread(thread=thread, post_ids=[secret.pk], title="New", by=mo, reason=WHY)
    answer.refresh_from_db()
    assert answer.reply_to == secret
    move_thread(thread=new, to=cellar, by=mo, reason=WHY)
    answer.refresh_from_db()
    assert answer.reply_to is None


# -- how a thread goes on ---------------------------------------------------------------------


def test_in_slow_mode_a_member_waits_and_a_moderator_does_not(mo, bo, thread):
    set_slow_mode(thread=thread, seconds=600, by=mo)
    now = timezone.now()
    make_post(bo, thread, at=now)
    with pytest.raises(SlowMode, match="again in 4 minutes"):
        make_post(bo, thread, at=now + timedelta(minutes=6, seconds=1))
    make_post(bo, thread, at=now + timedelta(minutes=10))
    make_post(mo, thread, at=now + timedelta(minutes=10))
    make_post(mo, thread, at=now + timedelta(minutes=10, seconds=1))
    assert counts_of(thread) == (5, 4)


def test_a_silent_thread_is_closed_before_the_task_locks_it(mo, bo, thread):
    close_after(thread=thread, days=3, by=mo, reason="Sale is over.")
    then = thread.last_post_at + timedelta(days=3)
    make_post(bo, thread, at=then - timedelta(seconds=1))
    Thread.objects.update(last_post_at=thread.last_post_at)
    with pytest.raises(ThreadClosed):
        make_post(bo, thread, at=then)
    assert lock_silent(then - timedelta(seconds=1)) == 0
    assert lock_silent(then) == 1
    thread.refresh_from_db()
    assert (thread.locked_by, thread.lock_reason) == (mo, "Nobody had written for 3 days.")
    entry = ThreadEntry.objects.latest("pk")
    assert (entry.verb, entry.by, entry.details) == ("lock", None, {"days": 3})
    with pytest.raises(ThreadLocked):
        make_post(mo, thread, at=then)
    assert lock_silent(then) == 0


def test_a_thread_opened_again_after_its_silence_stays_open(mo, bo, thread):
    close_after(thread=thread, days=3, by=mo)
    Thread.objects.update(last_post_at=timezone.now() - timedelta(days=9))
    lock_silent()
    services.unlock_thread(thread=thread, by=mo)
    assert make_post(bo, thread).number == 2


def test_a_pin_ends_on_its_day_by_itself(mo, guest, ada, thread, group):
    newer = make_thread(ada, group, "A newer thread")
    until = timezone.now() + timedelta(days=2)
    pin_thread(thread=thread, by=mo, until=until)
    page = text_of(guest.get("/g/film-cameras/"))
    assert page.index(thread.title.split("?")[0]) < page.index(newer.title)
    assert unpin_overdue(until - timedelta(seconds=1)) == 0
    Thread.objects.filter(pk=thread.pk).update(pinned_until=timezone.now() - timedelta(seconds=1))
    page = text_of(guest.get("/g/film-cameras/"))  # before any task
    assert page.index(thread.title.split("?")[0]) > page.index(newer.title)
    assert unpin_overdue() == 1
    thread.refresh_from_db()
    assert thread.pinned_at is None
    assert entries_of(thread) == ["pin", "unpin"]
    assert ThreadEntry.objects.latest("pk").by is None


def test_a_group_has_five_pins_and_none_till_yesterday(mo, ada, group):
    threads = [make_thread(ada, group, f"Thread {n}") for n in range(6)]
    for one in threads[:5]:
        pin_thread(thread=one, by=mo)
    with pytest.raises(PinsFull):
        pin_thread(thread=threads[5], by=mo)
    with pytest.raises(NotInFuture):
        pin_thread(thread=threads[0], by=mo, until=timezone.now())
    unpin_thread(thread=threads[0], by=mo)
    pin_thread(thread=threads[5], by=mo)


@pytest.mark.parametrize("seconds", [-1, 7 * 24 * 3600 + 1])
def test_slow_mode_and_closing_have_their_limits(mo, thread, seconds):
    with pytest.raises(OutOfRange):
        set_slow_mode(thread=thread, seconds=seconds, by=mo)
    with pytest.raises(OutOfRange):
        close_after(thread=thread, days=0 if seconds < 0 else 731, by=mo)


def test_an_author_renames_for_a_day_and_a_moderator_for_ever(ada, bo, mo, thread):
    retitle_thread(thread=thread, title="A better title", by=ada)
    Thread.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    with pytest.raises(TooLateToRetitle):
        retitle_thread(thread=thread, title="Too late", by=ada)
    with pytest.raises(MayNotChangeHead):
        retitle_thread(thread=thread, title="Not mine", by=bo)
    retitle_thread(thread=thread, title="The best title", by=mo)
    thread.refresh_from_db()
    assert thread.title == "The best title"
    assert entries_of(thread) == ["retitle", "retitle"]


# -- what stays behind ------------------------------------------------------------------------


def test_every_act_leaves_an_entry_and_reaches_the_audit_trail(mo, ada, long_thread, group):
    lock_thread(thread=long_thread, by=mo, reason="Enough.")
    services.unlock_thread(thread=long_thread, by=mo)
    pin_thread(thread=long_thread, by=mo)
    set_slow_mode(thread=long_thread, seconds=60, by=mo)
    new = split_thread(
        thread=long_thread, post_ids=ids_of(long_thread, 2), title="New", by=mo, reason=WHY
    )
    assert entries_of(long_thread) == ["lock", "unlock", "pin", "slow_mode", "split"]
    assert entries_of(new) == ["split_off"]


@pytest.mark.django_db(transaction=True)
def test_the_audit_trail_names_who_did_what_and_why():
    group = make_group()
    mo, ada = make_member("mo"), make_member("ada")
    join(mo, group, Role.MODERATOR)
    join(ada, group)
    thread = make_thread(ada, group)
    lock_thread(thread=thread, by=mo, reason="Enough.")
    retitle_thread(thread=make_thread(ada, group), title="My own", by=ada)
    run_outbox()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (mo, "thread.lock", ada)
    assert (entry.target, entry.reason) == (f"thread:{thread.pk}", "Enough.")


@pytest.mark.django_db(transaction=True)
def test_a_placement_goes_with_its_post_and_with_a_merged_thread():
    group = make_group()
    mo = make_member("mo")
    join(mo, group, Role.MODERATOR)
    source, target = make_thread(mo, group, replies=2), make_thread(mo, group, "Target")
    listing = make_listing(make_merchant(owner=mo), group=group)
    second = make_listing(listing.merchant, group=group)
    post = Post.objects.get(thread=source, number=2)
    beside = make_placement(listing, thread=source, post=post, by=mo)
    on_thread = make_placement(second, thread=source, by=mo)
    new = split_thread(thread=source, post_ids=[post.pk], title="New", by=mo, reason=WHY)
    run_outbox()
    beside.refresh_from_db()
    assert (beside.thread, beside.post) == (new, post)
    merge_threads(thread=source, into=target, by=mo, reason=WHY)
    run_outbox()
    assert Placement.objects.get(pk=on_thread.pk).thread == target
    assert show_threads([source.pk], mo)[source.pk].href == target.get_absolute_url()


def test_entries_stand_between_the_posts_and_cost_one_query(mo, guest, ada, long_thread, group):
    from django.test.utils import CaptureQueriesContext

    guest.get(long_thread.get_absolute_url())

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            guest.get(f"{long_thread.get_absolute_url()}?page=1&x={random.random()}")
        return len(queries)

    before = cost()
    pin_thread(thread=long_thread, by=mo)
    make_post(ada, long_thread, "After the pin.")
    set_slow_mode(thread=long_thread, seconds=60, by=mo, reason="Calm down.")
    assert cost() == before + 1
    page = text_of(guest.get(long_thread.get_absolute_url()))
    places = [page.index(words) for words in ("pinned the thread", "After the pin.", "Calm down.")]
    assert places == sorted(places)


def test_a_page_whose_posts_all_went_leads_to_those_that_stayed(mo, guest, ada, group):
    thread = make_thread(ada, group, replies=59)
    ids = ids_of(thread, *range(21, 41))
    split_thread(thread=thread, post_ids=ids, title="The middle", by=mo, reason=WHY)
    address = thread.get_absolute_url()
    empty = guest.get(f"{address}?page=2")
    assert empty.status_code == 200
    assert 'href="?page=1"' in text_of(empty)
    assert 'href="?page=3"' in text_of(empty)
    split_thread(
        thread=thread, post_ids=ids_of(thread, *range(41, 61)), title="The end", by=mo, reason=WHY
    )
    assert 'id="p20"' in text_of(guest.get(f"{address}?page=last"))
    assert make_post(ada, thread).number == 61


# -- in the page ------------------------------------------------------------------------------


PAGES = ["move", "split", "merge", "pin", "slow-mode", "closing", "title", "tags"]


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_of_the_verbs_are_for_those_who_may(
    guest, as_mo, as_ada, as_bo, as_cy, ada, long_thread, page
):
    address = f"/t/{long_thread.pk}/{page}/"
    assert guest.get(address).status_code == 302
    assert as_mo.get(address).status_code == 200
    assert as_bo.get(address).status_code == as_cy.get(address).status_code == 403
    authors = 200 if page in ("title", "tags") else 403
    assert as_ada.get(address).status_code == authors
    assert as_cy.post(address, {"reason": WHY}).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_in_a_hidden_group_they_do_not_exist_for_outsiders(as_bo, ada, hidden_group, page):
    thread = make_thread(ada, hidden_group)
    assert as_bo.get(f"/t/{thread.pk}/{page}/").status_code == 404


def test_a_moderator_does_all_of_it_by_forms(as_mo, mo, ada, long_thread, group, second_group):
    t = f"/t/{long_thread.pk}"
    other = make_thread(ada, group, "The other")
    ids = ids_of(long_thread, 2, 3)
    split = as_mo.post(f"{t}/split/", {"posts": ids, "title": "New", "reason": WHY})
    new = Thread.objects.latest("pk")
    assert split.headers["Location"] == new.get_absolute_url()
    until = (timezone.now() + timedelta(days=3)).date().isoformat()
    assert as_mo.post(f"{t}/pin/", {"until": until}).status_code == 302
    assert as_mo.post(f"{t}/slow-mode/", {"seconds": "300"}).status_code == 302
    assert as_mo.post(f"{t}/closing/", {"days": "30"}).status_code == 302
    assert as_mo.post(f"{t}/title/", {"title": "Renamed", "reason": "Clearer."}).status_code == 302
    long_thread.refresh_from_db()
    assert long_thread.pinned_until is not None
    assert (long_thread.slow_mode_seconds, long_thread.close_after_days) == (300, 30)
    assert as_mo.post(f"{t}/pin/", {"_method": "delete"}).status_code == 302
    moved = as_mo.post(f"{t}/move/", {"to": "darkroom", "reason": WHY})
    assert moved.status_code == 302
    merged = as_mo.post(
        f"/t/{other.pk}/merge/", {"into": f"http://testserver{t}/renamed/", "reason": WHY}
    )
    long_thread.refresh_from_db()
    assert merged.headers["Location"] == long_thread.get_absolute_url()
    assert (long_thread.group, long_thread.title) == (second_group, "Renamed")


@pytest.mark.parametrize(
    ("first", "last", "ticked", "stay"),
    [("3", "4", [], [1, 2, 5, 6]), ("5", "", [2], [1, 3, 4]), ("6", "6", [], [1, 2, 3, 4, 5])],
)
def test_replies_are_split_off_by_their_numbers(as_mo, long_thread, first, last, ticked, stay):
    said = {"posts": ids_of(long_thread, *ticked), "first": first, "last": last}
    answer = as_mo.post(f"/t/{long_thread.pk}/split/", {**said, "title": "New", "reason": WHY})
    assert answer.status_code == 302
    assert numbers_of(long_thread) == stay


@pytest.mark.parametrize(("first", "last"), [("1", "3"), ("4", "3"), ("", "3"), ("x", "")])
def test_numbers_that_are_no_stretch_of_replies_are_refused(as_mo, long_thread, first, last):
    said = {"first": first, "last": last, "title": "New", "reason": WHY}
    assert as_mo.post(f"/t/{long_thread.pk}/split/", said).status_code == 422
    assert numbers_of(long_thread) == [1, 2, 3, 4, 5, 6]


def test_more_replies_than_a_split_takes_are_refused(as_mo, long_thread, monkeypatch):
    monkeypatch.setattr(moderating, "POSTS_A_SPLIT_MAX", 3)
    said = {"first": "2", "title": "New", "reason": WHY}
    answer = as_mo.post(f"/t/{long_thread.pk}/split/", said)
    assert answer.status_code == 422
    assert "too large" in text_of(answer)


def test_a_refused_form_says_why_and_keeps_what_was_typed(as_mo, long_thread):
    t = f"/t/{long_thread.pk}"
    split = as_mo.post(f"{t}/split/", {"title": "Typed by hand", "reason": WHY})
    assert split.status_code == 422
    assert "Choose at least one reply" in text_of(split)
    assert "Typed by hand" in text_of(split)
    merge = as_mo.post(f"{t}/merge/", {"into": "999999", "reason": WHY})
    assert merge.status_code == 422
    assert "There is no such thread" in text_of(merge)
    assert as_mo.post(f"{t}/merge/", {"into": f"/t/{long_thread.pk}/x/"}).status_code == 422
    assert as_mo.post(f"{t}/pin/", {"until": "2020-01-01"}).status_code == 422


# -- races ------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], object]) -> list[Exception]:
    """Run all at the same time; return what they raised."""
    barrier, failed = threading.Barrier(len(acts)), list[Exception]()

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait(5)
            act()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    return failed


def recounted(thread: Thread) -> tuple[int, bool]:
    shown = Post.objects.filter(thread=thread, hidden_at__isnull=True)
    replies = shown.filter(number__gt=1).count()
    listed = shown.filter(number=1).exists() and thread.merged_into_id is None
    return replies, listed


def ensure_whole(posts: set[int]) -> None:
    """Every post once, numbers within what was given out, counters as counted again."""
    assert set(Post.objects.values_list("pk", flat=True)) == posts
    for thread in Thread.objects.all():
        numbers = numbers_of(thread)
        assert len(numbers) == len(set(numbers))
        assert not numbers or numbers[-1] <= thread.last_number
        assert (thread.reply_count, thread.is_listed) == recounted(thread), thread
    for group in Group.objects.all():
        assert group.thread_count == Thread.objects.filter(group=group, is_listed=True).count()
    for tag in Tag.objects.all():
        carried = ThreadTag.objects.filter(tag=tag, thread__is_listed=True).count()
        assert tag.thread_count == carried


@pytest.mark.django_db(transaction=True)
def test_two_merges_of_one_thread_at_once_lose_nothing():
    group = make_group()
    mo = make_member("mo")
    join(mo, group, Role.MODERATOR)
    one, two, three = (make_thread(mo, group, f"T{n}", replies=4) for n in range(3))
    posts = set(Post.objects.values_list("pk", flat=True))
    failed = at_once(
        lambda: merge_threads(thread=one, into=two, by=mo, reason=WHY),
        lambda: merge_threads(thread=one, into=three, by=mo, reason=WHY),
        lambda: merge_threads(thread=three, into=two, by=mo, reason=WHY),
    )
    assert all(isinstance(error, MergedAway) for error in failed), failed
    ensure_whole(posts)


@pytest.mark.django_db(transaction=True)
def test_replies_and_edits_during_a_merge_are_not_lost():
    group = make_group()
    mo, ada = make_member("mo"), make_member("ada")
    join(mo, group, Role.MODERATOR)
    join(ada, group)
    source, target = make_thread(mo, group, "Source", replies=6), make_thread(mo, group, "Target")
    answered = Post.objects.get(thread=source, number=3)
    before = Post.objects.count()

    def reply() -> None:
        for n in range(6):
            publish_post(author=ada, thread=source, body=f"Reply {n}.", reply_to=answered)

    def edit() -> None:
        for n in range(6):
            edit_post(post=answered, editor=mo, body=f"Edited {n}.")

    failed = at_once(
        reply, edit, lambda: merge_threads(thread=source, into=target, by=mo, reason=WHY)
    )
    assert not failed
    assert Post.objects.count() == before + 6
    assert Post.objects.filter(thread=target).count() == before + 6
    ensure_whole(set(Post.objects.values_list("pk", flat=True)))


# -- any order of acts ------------------------------------------------------------------------


def play(seed: int, steps: int) -> None:
    """Split, merge, move, hide and reply at random; then everything must add up."""
    chance = random.Random(seed)
    groups = [make_group(), make_group()]
    mo = make_member()
    for group in groups:
        join(mo, group, Role.MODERATOR)
    for group in groups:
        thread = make_thread(mo, group, replies=3)
        set_tags(thread=thread, names=["film", f"own-{group.pk}"], by=mo)
        make_thread(mo, group, replies=2)
    for _ in range(steps):
        alive = list(Thread.objects.filter(merged_into=None, group__in=groups))
        thread = chance.choice(alive)
        act = chance.choice(["split", "merge", "move", "hide", "reply"])
        if act == "split":
            replies = list(Post.objects.filter(thread=thread, number__gt=1))
            if replies:
                some = chance.sample(replies, chance.randint(1, len(replies)))
                ids = [post.pk for post in some]
                split_thread(thread=thread, post_ids=ids, title="Split", by=mo, reason=WHY)
        elif act == "merge" and len(alive) > 1:
            into = chance.choice([one for one in alive if one != thread])
            merge_threads(thread=thread, into=into, by=mo, reason=WHY)
        elif act == "move":
            to = next(group for group in groups if group.pk != thread.group_id)
            move_thread(thread=thread, to=to, by=mo, reason=WHY)
        elif act == "hide":
            post = chance.choice(list(Post.objects.filter(thread=thread)))
            if post.is_hidden:
                post.show()
            else:
                post.hide(by=mo, reason="Off topic.", at=timezone.now())
            with transaction.atomic():
                post.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
                services.post_hidden_changed(post)
        else:
            make_post(mo, thread)
    moves = PostMove.objects.select_related("post")
    assert all(move.post.thread_id != move.from_thread_id for move in moves) or moves


PLAYS = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@PLAYS
@given(seed=st.integers(0, 2**20))
def test_after_any_order_of_acts_everything_adds_up(db, seed):
    with transaction.atomic():
        play(seed, 12)
        posts = set(Post.objects.values_list("pk", flat=True))
        assert len(posts) == Post.objects.count()
        ensure_whole(posts)
        transaction.set_rollback(True)


def test_the_check_above_would_see_a_counter_that_is_forgotten(db, monkeypatch):
    """The bad twin: a merge that does not count the target again."""
    monkeypatch.setattr(moderating, "groups_follow", lambda _shifts: None)
    group = make_group()
    mo = owner_of(group)
    thread, other = make_thread(mo, group), make_thread(mo, group)
    merge_threads(thread=thread, into=other, by=mo, reason=WHY)
    with pytest.raises(AssertionError):
        ensure_whole(set(Post.objects.values_list("pk", flat=True)))
    groups_follow({group.pk: -1})
    ensure_whole(set(Post.objects.values_list("pk", flat=True)))


@pytest.mark.django_db(transaction=True)
def test_a_reply_that_waited_for_a_merge_is_written_in_the_other_thread():
    group = make_group()
    mo, ada = make_member("mo"), make_member("ada")
    join(mo, group, Role.MODERATOR)
    join(ada, group)
    source, target = make_thread(mo, group, "Source"), make_thread(mo, group, "Target")
    written = list[Post]()

    def reply() -> None:
        try:
            written.append(publish_post(author=ada, thread=source, body="I waited."))
        finally:
            connections.close_all()

    replying = threading.Thread(target=reply)
    with transaction.atomic():
        merge_threads(thread=source, into=target, by=mo, reason=WHY)
        replying.start()
        wait_for_a_blocked_query()
    replying.join(10)
    assert [(post.thread_id, post.number) for post in written] == [(target.pk, 3)]
    ensure_whole(set(Post.objects.values_list("pk", flat=True)))


def after_it(change: Callable[[], object], act: Callable[[], object]) -> list[Exception]:
    """Run `act` while `change` is not committed yet, so that it waits; return what it raised."""
    failed = list[Exception]()

    def run() -> None:
        try:
            act()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    waiting = threading.Thread(target=run)
    with transaction.atomic():
        change()
        waiting.start()
        wait_for_a_blocked_query()
    waiting.join(10)
    return failed


@pytest.mark.django_db(transaction=True)
def test_who_waited_while_a_thread_moved_or_a_post_was_split_off_is_served_where_it_is_now():
    one, two = make_group(), make_group("cellar")
    mo, ada = make_member("mo"), make_member("ada")
    for group in (one, two):
        join(mo, group, Role.MODERATOR)
        join(ada, group)
    threads = [make_thread(ada, one, f"T{n}", replies=2) for n in range(4)]
    post = Post.objects.get(thread=threads[2], number=2)
    voted = Post.objects.get(thread=threads[3], number=2)
    poll = make_poll(post=voted, question="Which?", options=["A", "B"])

    def move(thread: Thread) -> None:
        move_thread(thread=thread, to=two, by=mo, reason=WHY)

    def split(of: Post) -> None:
        split_thread(thread=of.thread, post_ids=[of.pk], title="New", by=mo, reason=WHY)

    opening = threads[1].posts.get(number=1)
    failed = [
        *after_it(
            lambda: move(threads[0]),
            lambda: publish_post(author=ada, thread=threads[0], body="I waited."),
        ),
        *after_it(
            lambda: move(threads[1]),
            lambda: edit_post(post=opening, editor=ada, body="I waited."),
        ),
        *after_it(lambda: split(post), lambda: hide_post(post=post, by=mo, reason=WHY)),
        *after_it(lambda: split(voted), lambda: close_poll(poll=poll, by=mo)),
    ]
    assert failed == []
    assert threads[0].posts.get(number=4).body == "I waited."
    opening.refresh_from_db()
    assert opening.body == "I waited."
    post.refresh_from_db()
    assert post.is_hidden
    ensure_whole(set(Post.objects.values_list("pk", flat=True)))
