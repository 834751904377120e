"""Lists of threads: their orders, filters and pages, and what they cost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from community.groups.models import Group
from community.members.models import Member
from community.reactions.models import Reaction
from community.tags.models import Tag
from community.threads.following import follow
from community.threads.front import first_of_home
from community.threads.lists import (
    ListState,
    Order,
    first_of_group,
    in_state,
    page_in_state,
    thread_rows,
    with_tags,
)
from community.threads.marks import FollowLevel
from community.threads.models import Post, Thread, ThreadScore, ThreadTag
from community.threads.moderating import change_kind, pin_thread
from community.threads.scores import refresh_scores
from community.threads.tagging import set_tags
from config.pieces import pieces
from tests.factories import make_post, make_thread

pytestmark = pytest.mark.django_db

GROUP = "/g/film-cameras/"


def text_of(response) -> str:
    return str(response.content.decode())


def titles_on(html: str) -> list[str]:
    return re.findall(r'<h3><a href="/t/[^"]*">([^<]*)</a></h3>', html)


@pytest.fixture
def many(ada: Member, bo: Member, group: Group) -> list[Thread]:
    """Seven threads, T0 the oldest; the even ones answered by bo."""
    start = timezone.now() - timedelta(hours=10)
    threads = [make_thread(ada, group, f"T{n}", at=start + timedelta(minutes=n)) for n in range(7)]
    for n in (0, 2, 4, 6):
        make_post(bo, threads[n], at=start + timedelta(minutes=60 + n))
    return threads


def read(client, address: str) -> list[str]:
    """All titles of a list, page after page; no page is empty and none goes past the end."""
    titles: list[str] = []
    while address:
        html = text_of(client.get(address))
        page = titles_on(html)
        assert page
        titles += page
        following = re.search(r'rel="next" href="([^"]*)"', html)
        path = urlsplit(address).path
        address = path + following[1].replace("&amp;", "&") if following else ""
    return titles


# -- orders -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", "T6 T4 T2 T0 T5 T3 T1"),
        ("?order=newest", "T6 T5 T4 T3 T2 T1 T0"),
        ("?order=unanswered", "T5 T3 T1"),
        ("?order=top", "T0 T6 T4 T2"),
        ("?order=top&period=day", "T0 T6 T4 T2"),
        ("?order=nonsense&kind=none&period=aeon", "T6 T4 T2 T0 T5 T3 T1"),
        ("?kind=question", "T4 T1"),
        ("?kind=question&order=unanswered", "T1"),
        ("?tag=film", "T6 T3"),
        ("?tag=film&order=newest&kind=talk", "T6 T3"),
    ],
)
@pytest.mark.parametrize("page", ["/", GROUP])
def test_each_order_and_filter_pages_through_every_thread_once(
    guest, mo, cy, many, settings, query, titles, page
):
    settings.THREADS_PER_PAGE = 2
    for n in (1, 4):
        change_kind(thread=many[n], kind="question", details={}, by=mo)
    for n in (3, 6):
        set_tags(thread=many[n], names=["film"], by=mo)
    Reaction.objects.create(post=many[0].posts.get(number=1), member=cy, name="heart")
    refresh_scores()
    assert read(guest, page + query) == titles.split()


def test_a_tag_page_has_the_same_orders(guest, mo, many, settings):
    settings.THREADS_PER_PAGE = 2
    for n in (1, 3, 6):
        set_tags(thread=many[n], names=["film"], by=mo)
    assert read(guest, "/tags/film/") == ["T6", "T3", "T1"]
    assert read(guest, "/tags/film/?order=unanswered") == ["T3", "T1"]


@pytest.mark.parametrize("order", [order.value for order in Order])
@pytest.mark.parametrize("after", ["x", "1-", "-1", "9" * 40, "1-2-3", "\u0661-1", "%00"])
def test_a_broken_cursor_never_fails(guest, as_ada, many, order, after):
    assert guest.get(f"{GROUP}?order={order}&after={after}").status_code == 200
    assert as_ada.get(f"/?order={order}&after={after}").status_code == 200


def test_a_page_past_the_end_says_so_and_leads_back(guest, many):
    page = text_of(guest.get(f"{GROUP}?order=newest&after=0"))
    assert "That was the last page" in page
    assert 'href="?order=newest"' in page


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?order=unanswered", "Every thread has an answer"),
        ("?order=top", "A quiet time"),
        ("?order=unread", "All read"),
        ("?order=new", "Nothing new"),
        ("?kind=wanted", "Nothing here fits these filters"),
        ("?tag=nothing", "Nothing here fits these filters"),
    ],
)
def test_every_empty_list_says_why(as_ada, bo, thread, query, says):
    make_post(bo, thread)
    from community.threads.reading import mark_all_read

    mark_all_read(member=Member.objects.get(handle="ada"))
    assert says in text_of(as_ada.get(GROUP + query))


def test_unread_and_new_are_for_members(guest, as_ada, thread):
    assert "?order=unread" in text_of(as_ada.get(GROUP))
    assert "?order=unread" not in text_of(guest.get(GROUP))
    assert titles_on(text_of(guest.get(f"{GROUP}?order=unread"))) == [escape(thread.title)]


def test_the_state_of_a_list_is_its_address():
    state = ListState.read(
        QueryDict("order=top&period=month&kind=review&tag=film&after=3-4"), AnonymousUser()
    )
    assert state.address() == "order=top&period=month&kind=review&tag=film"
    assert parse_qs(state.address(kind="")) == {
        "order": ["top"],
        "period": ["month"],
        "tag": ["film"],
    }
    assert ListState().address() == ""


# -- pins -------------------------------------------------------------------------------------


def test_pinned_threads_stand_first_on_the_first_latest_page_alone(guest, mo, many, settings):
    settings.THREADS_PER_PAGE = 3
    pin_thread(thread=many[1], by=mo)
    assert titles_on(text_of(guest.get(GROUP))) == ["T1", "T6", "T4", "T2"]
    assert read(guest, GROUP) == ["T1", "T6", "T4", "T2", "T0", "T5", "T3"]
    assert read(guest, f"{GROUP}?order=newest")[:2] == ["T6", "T5"]
    assert read(guest, "/")[:2] == ["T6", "T4"]


# -- what is muted ----------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "order=newest", "order=unanswered"])
def test_what_a_member_muted_leaves_their_lists_and_nobody_elses(as_bo, guest, bo, many, query):
    unmuted = read(as_bo, f"/?{query}")
    assert "T3" in unmuted
    follow(member=bo, what=many[3], level=FollowLevel.MUTED)
    left = [title for title in unmuted if title != "T3"]
    assert read(as_bo, f"/?{query}") == left
    assert read(as_bo, f"{GROUP}?{query}") == left
    assert read(guest, f"{GROUP}?{query}") == unmuted


def test_a_muted_pin_leaves_its_members_page_of_the_group(as_bo, guest, bo, mo, many):
    pin_thread(thread=many[1], by=mo)
    follow(member=bo, what=many[1], level=FollowLevel.MUTED)
    for query in ("", "?kind=talk"):
        assert "T1" not in read(as_bo, GROUP + query)
        assert read(guest, GROUP + query)[0] == "T1"


def test_a_muted_group_or_tag_is_read_on_pages_of_its_own_alone(as_bo, bo, mo, group, many):
    set_tags(thread=many[6], names=["film"], by=mo)
    tag = Tag.objects.get()
    everything = read(as_bo, "/")
    follow(member=bo, what=tag, level=FollowLevel.MUTED)
    assert read(as_bo, "/") == [title for title in everything if title != "T6"]
    assert "T6" not in read(as_bo, GROUP)
    assert read(as_bo, "/tags/film/") == read(as_bo, f"{GROUP}?tag=film") == ["T6"]
    follow(member=bo, what=group, level=FollowLevel.MUTED)
    assert titles_on(text_of(as_bo.get("/"))) == []
    assert read(as_bo, GROUP) == [title for title in everything if title != "T6"]


# -- scores -----------------------------------------------------------------------------------


def test_a_score_counts_replies_voices_and_reactions_of_others(ada, bo, cy, mo, group):
    thread = make_thread(ada, group)
    opening = thread.posts.get()
    for who in (bo, bo, mo, ada):
        make_post(who, thread)
    for who in (bo, cy):
        Reaction.objects.create(post=opening, member=who, name="heart")
    Reaction.objects.create(post=opening, member=ada, name="heart")
    refresh_scores()
    # 3 replies of others at 2, 2 voices at 3, 2 reactions at 1; her own count nothing.
    assert set(ThreadScore.objects.values_list("period", "score")) == {
        (period, 14) for period in ThreadScore.Period.values
    }


def test_a_period_forgets_what_is_older_and_writes_only_what_changed(bo, many):
    assert refresh_scores() == 16  # four threads in four periods
    assert refresh_scores() == 0
    day_after = timezone.now() + timedelta(hours=23)
    assert refresh_scores(day_after) == 4
    assert not ThreadScore.objects.filter(period="day").exists()
    make_post(bo, many[1])
    assert refresh_scores() == 4 + 4
    hidden = Post.objects.get(thread=many[0], number=2)
    hidden.hide(by=bo, reason="x", at=timezone.now())
    hidden.save()
    assert refresh_scores() == 4


# -- rows -------------------------------------------------------------------------------------


def test_a_row_shows_kind_tags_and_where_its_unread_dot_goes(guest, mo, thread):
    set_tags(thread=thread, names=["film", "胶片"], by=mo)
    change_kind(thread=thread, kind="question", details={}, by=mo)
    pieces.clear()
    home, in_group = text_of(guest.get("/")), text_of(guest.get(GROUP))
    for html in (home, in_group):
        assert f'<article class="thread" data-thread="{thread.pk}">' in html
        assert "Question" in html
    assert 'href="/tags/film/">film</a>' in home
    assert 'href="?tag=film">film</a>' in in_group
    set_tags(thread=thread, names=[], by=mo)
    assert "/tags/film/" not in text_of(guest.get("/?order=newest"))


# -- what they cost ---------------------------------------------------------------------------


def cost(client, address: str) -> int:
    pieces.clear()
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


QUERIES = ["order=newest", "order=top", "order=unanswered", "kind=talk", "tag=film"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_list_costs_the_same_for_one_thread_and_for_twenty(guest, mo, ada, group, query):
    def add(count: int) -> int:
        for n in range(count):
            thread = make_thread(ada, group, f"{query} {n}")
            set_tags(thread=thread, names=["film"], by=mo)
            if query == "order=top":
                make_post(mo, thread)
        refresh_scores()
        return cost(guest, f"{GROUP}?{query}&x={count}")

    cost(guest, f"{GROUP}?{query}")
    few = add(1)
    assert add(19) == few
    assert few <= 7


# -- twenty thousand threads ------------------------------------------------------------------

THREADS = 20_000


@pytest.fixture
def crowd(ada: Member, group: Group) -> Iterator[Group]:
    """20,000 threads in bulk: a tenth tagged, one in 400 a question, two pinned."""
    tag = Tag.objects.create(group=group, slug="film", name="film")
    values = {"group": group.pk, "author": ada.pk, "tag": tag.pk, "count": THREADS}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO community_thread (
                group_id, author_id, title, excerpt, created_at, last_post_at, last_post_by_id,
                last_number, reply_count, version, is_listed, kind, details, slow_mode_seconds,
                lock_reason, pinned_at)
            SELECT %(group)s, %(author)s, 'Thread ' || n, 'Words.', now() - n * interval '1 minute',
                now() - n * interval '1 minute', %(author)s, 6, n %% 5, 1, true,
                CASE WHEN n %% 400 = 0 THEN 'question' ELSE 'talk' END, '{}', 0, '',
                CASE WHEN n %% 10000 = 0 THEN now() END
            FROM generate_series(1, %(count)s) AS n
            """,
            values,
        )
        cursor.execute(
            """
            INSERT INTO community_threadtag (thread_id, tag_id)
            SELECT id, %(tag)s FROM community_thread WHERE id %% 10 = 0
            """,
            values,
        )
        cursor.execute(
            """
            INSERT INTO community_threadscore (thread_id, period, score)
            SELECT id, period, id %% 97 FROM community_thread, unnest(ARRAY['week', 'year']) period
            """,
            values,
        )
        cursor.execute("ANALYZE community_thread")
        cursor.execute("ANALYZE community_threadtag")
        cursor.execute("ANALYZE community_threadscore")
    yield group
    assert ThreadTag.objects.count() == THREADS // 10


def rows_read(ask: Callable[[], Any]) -> int:
    """How many rows PostgreSQL looked at to answer, all nodes of the plan together."""
    with CaptureQueriesContext(connection) as queries:
        ask()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {queries[0]['sql']}")
        found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]

    def read_by(node: dict[str, Any]) -> int:
        own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        scan = "Relation Name" in node
        return (own if scan else 0) + sum(read_by(child) for child in node.get("Plans", []))

    return int(read_by(plan))


def test_lists_at_20_000_threads_read_hundreds_of_rows_not_thousands(crowd, bo):
    tag, guest = Tag.objects.get(), AnonymousUser()
    queries = ("", *QUERIES, "kind=question", "order=top&period=year")
    read: dict[str, int] = {}
    for viewer, query in product((guest, bo), queries):
        state = ListState.read(QueryDict(query), viewer)
        for where, threads in (
            ("home", Thread.objects.visible_to(viewer)),
            ("group", Thread.objects.filter(group=crowd)),
        ):
            narrowed = with_tags(in_state(threads.for_list(), state, viewer, [tag.pk]))
            rows, after = page_in_state(narrowed, state, 25)
            assert (len(rows), after is not None) == (25, True)
            assert len(thread_rows(rows, viewer)) == 25
            spent = rows_read(partial(page_in_state, narrowed, state, 25))
            read[f"{viewer} {where} {query}"] = spent
    pinned = with_tags(Thread.objects.filter(group=crowd).pinned(timezone.now()).for_list())
    read["pinned"] = rows_read(lambda: list(pinned.latest_first()))
    print(read)
    assert max(read.values()) < 1_000, read


def test_first_pages_read_as_little_by_a_plan_that_is_kept(crowd, bo):
    pages: dict[str, Callable[[], Any]] = {
        "guest": partial(first_of_home, AnonymousUser(), 25, own=False),
        "everywhere": partial(first_of_home, bo, 25, own=False),
        "own groups": partial(first_of_home, bo, 25, own=True),
        "group": partial(first_of_group, crowd.pk, bo, 25),
    }
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE community_group; SET LOCAL plan_cache_mode = force_generic_plan")
    read = {name: rows_touched(page) for name, page in pages.items()}
    assert max(read.values()) < 1_000, read


def rows_touched(ask: Callable[[], Any]) -> int:
    def touched() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(seq_tup_read + COALESCE(idx_tup_fetch, 0))"
                " FROM pg_stat_xact_user_tables"
            )
            return int(cursor.fetchone()[0])

    before = touched()
    ask()
    return touched() - before
