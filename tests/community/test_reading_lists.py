"""Which threads are unread, new or muted for a member, and what it costs to know."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from community.groups.services import leave_group
from community.members.blocking import block
from community.members.models import Member
from community.tags.models import Tag
from community.threads.following import follow
from community.threads.marks import FollowLevel
from community.threads.models import Thread, ThreadQuerySet, ThreadTag
from community.threads.reading import mark_all_read, mark_unread, read_up_to
from community.threads.unread import unread_counts
from tests.community.test_reading_marks import hide
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db


def unread(member: Member) -> list[Thread]:
    return list(Thread.objects.unread_for(member).latest_first())


def new(member: Member) -> list[Thread]:
    return list(Thread.objects.new_for(member).latest_first())


def shown(member: Member) -> list[Thread]:
    return list(Thread.objects.not_muted_by(member).latest_first())


# -- unread -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "says"),
    [("", "Latest threads"), ("unread", "Unread threads"), ("new", "New threads"),
     ("newest", "Newest threads"), ("top", "Top threads"), ("unanswered", "Unanswered threads")],
)  # fmt: skip
def test_home_says_which_threads_it_lists_and_keeps_that_between_its_tabs(
    as_bo, thread, order, says
):
    page = as_bo.get("/", {"order": order} if order else {}).content.decode()
    assert f">{says}</h2>" in page
    own, everywhere = re.findall(r'<a href="([^"]*)"[^>]*>(?:Your groups|Everywhere)</a>', page)
    asked = f"order={order}" if order else ""
    assert unescape(own) in (f"/?{asked}", "/" if not asked else "")
    assert set(filter(None, unescape(everywhere)[1:].split("&"))) == {"all=1"} | {asked} - {""}
    chosen = re.findall(r'<a class="chip" href="[^"]*" aria-current="page">([^<]*)</a>', page)
    assert chosen == [says.removesuffix(" threads")]


def test_unread_are_threads_opened_or_followed_that_went_on(ada, bo, group):
    opened, followed, wrote, watched, passed = (make_thread(ada, group) for _ in range(5))
    read_up_to(member=bo, thread_id=opened.pk, number=1)
    follow(member=bo, what=followed, level=FollowLevel.TRACKING)
    make_post(bo, wrote)
    follow(member=bo, what=watched, level=FollowLevel.WATCHING)
    follow(member=bo, what=passed, level=FollowLevel.NORMAL)
    mark_all_read(member=bo)
    assert unread(bo) == []
    for thread in (opened, followed, wrote, watched, passed):
        make_post(ada, thread)
    assert unread(bo) == [watched, wrote, followed, opened]
    assert unread_counts(bo, Thread.objects.all()) == {
        opened.pk: (1, 2),
        followed.pk: (1, 2),
        wrote.pk: (1, 3),
        watched.pk: (1, 2),
    }


def test_a_thread_whose_only_new_post_is_ones_own_or_hidden_is_not_unread(ada, bo, group):
    thread = make_thread(ada, group)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    make_post(bo, thread)
    post = make_post(ada, thread)
    hide(post)
    assert unread(bo) == []


def test_a_thread_of_a_hidden_group_one_left_is_not_unread(ada, bo, hidden_group):
    join(bo, hidden_group)
    thread = make_thread(ada, hidden_group)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    make_post(ada, thread)
    assert unread(bo) == [thread]
    leave_group(member=bo, group=hidden_group)
    assert unread(bo) == []


# -- new --------------------------------------------------------------------------------------


def test_new_are_threads_of_ones_groups_never_opened_and_begun_since_all_was_read(ada, bo, group):
    elsewhere = make_group("elsewhere", owner=ada)
    old = make_thread(ada, group)
    mark_all_read(member=bo)
    first, second = make_thread(ada, group), make_thread(ada, group)
    make_thread(ada, elsewhere)
    make_thread(bo, group)
    hide(make_thread(ada, group).posts.get())
    make_post(ada, old)
    assert new(bo) == [second, first]
    read_up_to(member=bo, thread_id=second.pk, number=1)
    assert new(bo) == [first]
    mark_all_read(member=bo, group=group)
    assert new(bo) == []
    third = make_thread(ada, group)
    assert new(bo) == [third]
    assert unread_counts(bo, [old, third]) == {third.pk: (1, 1)}


def test_nothing_is_new_from_somebody_one_does_not_read(ada, bo, group):
    make_thread(ada, group)
    block(by=bo, of=ada)
    assert new(bo) == []


# -- muted ------------------------------------------------------------------------------------


def test_muted_threads_tags_and_groups_leave_lists(ada, bo, group):
    elsewhere = make_group("elsewhere", owner=ada)
    join(bo, elsewhere)
    tag = Tag.objects.create(slug="prices", name="prices")
    thread, tagged, other = make_thread(ada, group), make_thread(ada, group), None
    ThreadTag.objects.create(thread=tagged, tag=tag)
    other = make_thread(ada, elsewhere)
    assert shown(bo) == [other, tagged, thread]
    follow(member=bo, what=thread, level=FollowLevel.MUTED)
    assert shown(bo) == [other, tagged]
    follow(member=bo, what=tag, level=FollowLevel.MUTED)
    assert shown(bo) == [other]
    follow(member=bo, what=elsewhere, level=FollowLevel.MUTED)
    assert shown(bo) == []
    assert new(bo) == []
    # On the group's own pages its mute does not count, those of threads and tags do.
    assert list(Thread.objects.not_muted_by(bo, within_group=True)) == [other]
    # What is chosen for a thread itself goes first.
    follow(member=bo, what=other, level=FollowLevel.TRACKING)
    follow(member=bo, what=tagged, level=FollowLevel.NORMAL)
    assert shown(bo) == [other, tagged]
    assert shown(ada) == [other, tagged, thread]


def test_a_muted_thread_is_not_unread_even_when_opened(ada, bo, group):
    thread = make_thread(ada, group)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    follow(member=bo, what=thread, level=FollowLevel.MUTED)
    make_post(ada, thread)
    assert unread(bo) == []
    assert unread_counts(bo, [thread]) == {}


# -- the cost ---------------------------------------------------------------------------------


def test_the_counts_of_a_list_are_one_query(ada, bo, group):
    threads = [make_thread(ada, group) for _ in range(20)]
    for thread in threads:
        read_up_to(member=bo, thread_id=thread.pk, number=1)
        make_post(ada, thread)
    with CaptureQueriesContext(connection) as spent:
        counts = unread_counts(bo, threads)
    assert len(spent) == 1
    assert counts == {thread.pk: (1, 2) for thread in threads}
    assert unread_counts(bo, []) == {}


def fill(group_id: int, author_id: int, reader_id: int, threads: int, marks: int) -> None:
    """Threads with three posts each in one go; the reader's marks are on the second post."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO community_thread (group_id, author_id, title, excerpt, created_at,
                last_post_at, last_post_by_id, last_number, reply_count, version, is_listed, kind,
                details, slow_mode_seconds, lock_reason)
            SELECT %s, %s, 'Thread ' || n, '', now() - n * interval '1 minute',
                now() - n * interval '1 minute', %s, 3, 2, 1, true, 'talk', '{}', 0, ''
            FROM generate_series(1, %s) AS n
            """,
            [group_id, author_id, author_id, threads],
        )
        cursor.execute(
            """
            INSERT INTO community_post (thread_id, number, author_id, body, html, markup_version,
                created_at, hidden_reason, is_wiki, reactions, reaction_count)
            SELECT thread.id, n, thread.author_id, 'x', '<p>x</p>', 1, thread.last_post_at, '',
                false, '{}', 0
            FROM community_thread AS thread, generate_series(1, 3) AS n
            """
        )
        cursor.execute(
            """
            INSERT INTO community_readmark (member_id, thread_id, number, read_at)
            SELECT %s, id, 2 + (id %% 2), now() FROM community_thread ORDER BY random() LIMIT %s
            """,
            [reader_id, marks],
        )
        cursor.execute("ANALYZE community_thread, community_post, community_readmark")


def milliseconds_of(threads: ThreadQuerySet) -> tuple[float, str]:
    """How long PostgreSQL takes for a page of the list, at best of three, and its plan."""
    plans = [threads.for_list().latest_first()[:26].explain(analyze=True) for _ in range(3)]
    times = [float(re.findall(r"Execution Time: ([\d.]+) ms", plan)[0]) for plan in plans]
    return min(times), plans[0]


def test_unread_and_new_of_20000_threads_and_2000_marks_cost_no_scan_of_posts(group):
    author, reader = make_member("writer"), make_member("reader")
    join(author, group)
    join(reader, group)
    Member.objects.filter(pk=reader.pk).update(all_read_at="2020-01-01T00:00:00Z")
    reader.refresh_from_db()
    fill(group.pk, author.pk, reader.pk, threads=20_000, marks=2_000)
    assert 900 < Thread.objects.unread_for(reader).count() < 1_100  # half are on the last post
    for threads in (Thread.objects.unread_for(reader), Thread.objects.new_for(reader)):
        took, plan = milliseconds_of(threads)
        assert "Seq Scan on community_post" not in plan, plan
        assert took < 100, plan  # 47 and 12 ms on a busy machine


def test_marking_unread_shows_in_the_list_at_once(ada, bo, group):
    thread = make_thread(ada, group, replies=2)
    read_up_to(member=bo, thread_id=thread.pk, number=3)
    assert unread(bo) == []
    mark_unread(member=bo, post=thread.posts.get(number=3))
    assert unread(bo) == [thread]


def test_a_row_leads_its_reader_to_what_is_new_and_nobody_else(
    as_ada, as_bo, guest, ada, bo, group
):
    thread = make_thread(ada, group)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    for _ in range(3):
        make_post(ada, thread)
    link = f'<a class="new" href="/t/{thread.pk}/unread/">3 new</a>'
    assert link in as_bo.get("/").content.decode()
    for other in (as_ada, guest):
        assert 'class="new"' not in other.get("/?all=1").content.decode()
    read_up_to(member=bo, thread_id=thread.pk, number=4)
    assert 'class="new"' not in as_bo.get("/").content.decode()


def test_a_press_above_the_unread_reads_what_the_list_showed_and_nothing_later(
    as_bo, ada, bo, group
):
    first, second = make_thread(ada, group), make_thread(ada, group)
    for thread in (first, second):
        read_up_to(member=bo, thread_id=thread.pk, number=1)
        make_post(ada, thread)
    for address, button in (
        ("/?order=unread", "Mark all read"),
        ("/g/film-cameras/?order=unread", "Mark all of this group read"),
    ):
        page = as_bo.get(address).content.decode()
        form = re.search(r'action="/all-read/".*?</form>', page, re.DOTALL)
        assert form is not None
        assert button in form[0]
        fields = dict(re.findall(r'name="(at|next|group)" value="([^"]*)"', form[0]))
    make_post(ada, second)  # while they look at the list
    assert as_bo.post("/all-read/", fields)["Location"] == "/g/film-cameras/"
    assert unread(bo) == [second]
    assert "/all-read/" not in as_bo.get("/").content.decode()
    assert "/all-read/" not in as_bo.get("/?order=new").content.decode()


def test_a_tag_is_followed_from_its_page(as_bo, guest, bo, mo, group):
    from community.threads.tagging import set_tags

    set_tags(thread=make_thread(mo, group), names=["light meters"], by=mo)
    tag = Tag.objects.get()
    page = as_bo.get(f"/tags/{tag.slug}/").content.decode()
    action = f"/tags/{tag.pk}/follow/"
    found = re.search(r'action="([^"]*follow[^"]*)"', page)
    assert found is not None, action
    as_bo.post(found[1], {"level": int(FollowLevel.WATCHING)})
    assert bo.follows.get().tag == tag
    assert found[1] not in guest.get(f"/tags/{tag.slug}/").content.decode()
