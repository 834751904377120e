"""The search page, suggestions and saved searches, for those who may and those who may not."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from psycopg.errors import QueryCanceled

from community.members.models import Member
from community.search import views
from community.search.documents import Kind
from community.search.errors import NothingToSave, TooManySaved
from community.search.models import SavedSearch, SearchDocument
from community.search.pages import results
from community.search.queries import parse
from community.search.saving import look_for_news, save_search
from community.search.services import write_documents, write_missing
from config.models import OutboxEvent
from tests.community.search import draft, index, put, searchable_thread
from tests.factories import make_post, make_thread

pytestmark = pytest.mark.django_db


def page(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    said: str = response.content.decode()
    return said


def settle() -> None:
    """Let all documents be old enough to be told of."""
    SearchDocument.objects.update(indexed_at=timezone.now() - timedelta(minutes=1))


# -- the page -----------------------------------------------------------------------------------


def test_a_character_of_a_word_is_marked_where_nothing_better_is_found(guest, ada, group):
    searchable_thread(ada, group, "One", "推冲浪板")
    searchable_thread(ada, group, "Two", "冲突的事")
    said = page(guest, "/search/?q=推冲")
    assert "<mark>推冲</mark>浪板" in said
    assert "<mark>冲</mark>突的事" in said


def test_an_empty_search_tells_what_the_box_understands(guest):
    said = page(guest, "/search/")
    assert "What the box understands" in said
    assert 'role="search"' in said


def test_signs_alone_are_too_little(guest):
    assert "too little to search for" in page(guest, "/search/?q=%21%21")


def test_nothing_found_says_so(guest):
    assert "Nothing found" in page(guest, "/search/?q=quokka")
    assert "Remove a filter" in page(guest, "/search/?q=quokka+is:answered")


def test_answers_are_grouped_by_thread_with_marked_excerpts(guest, ada, group):
    thread = searchable_thread(
        ada, group, "Quokka <b>sightings</b>", "A quokka & more", *["another quokka"] * 4
    )
    searchable_thread(ada, group, "Elsewhere", "no such animal")
    said = page(guest, "/search/?q=quokkas")
    assert said.count('class="answer"') == 1
    assert "<mark>Quokka</mark> &lt;b&gt;sightings&lt;/b&gt;" in said
    assert "A <mark>quokka</mark> &amp; more" in said
    assert said.count('class="hit"') == 2
    assert "3 more posts of this thread answer" in said
    assert f'href="{thread.get_absolute_url()}"' in said


def test_what_a_member_writes_never_becomes_markup(guest, ada, group):
    searchable_thread(ada, group, "<script>alert(1)</script> quokka", "`<img src=x onerror=a>` q")
    for query in ("quokka", "script", '"<script>alert"', "alert onerror"):
        said = page(guest, f"/search/?q={query}")
        assert "<script>alert" not in said
        assert "<img src=x" not in said


def test_a_slip_is_mended_and_can_be_searched_for_all_the_same(guest, ada, group):
    searchable_thread(ada, group, "Quokka one", "x")
    searchable_thread(ada, group, "Quokka two", "x")
    said = page(guest, "/search/?q=qoukka")
    assert "Showing results for <b>quokka</b>" in said
    assert said.count('class="answer"') == 2
    assert "Search instead for" in said
    assert "Nothing found" in page(guest, "/search/?q=qoukka&exact=1")


def test_filters_are_chips_that_lead_to_the_search_without_them(guest, ada, group):
    searchable_thread(ada, group, "Quokka", "x")
    said = html.unescape(page(guest, "/search/?q=quokka+in:film-cameras+is:thread"))
    assert 'href="/search/?q=quokka+is%3Athread"' in said
    assert 'href="/search/?q=quokka+in%3Afilm-cameras"' in said
    assert 'href="/search/?q=quokka+in%3Afilm-cameras+is%3Athread+is%3Aanswered"' in said
    assert "By me" not in said


def test_pages_follow_each_other_without_a_gap_or_a_double(guest, ada, group):
    threads = [make_thread(ada, group, f"Quokka {n}", "quokka " * (1 + n % 7)) for n in range(25)]
    index(*threads)
    for sort in ("", "&sort=new"):
        seen: list[str] = []
        address = f"/search/?q=quokka{sort}"
        for _ in range(3):
            said = page(guest, address)
            seen += re.findall(r'<h2><a href="(/t/\d+)', said)
            onward = re.search(r'rel="next" href="([^"]+)"', said)
            if onward is None:
                break
            address = "/search/" + html.unescape(onward[1])
        assert len(seen) == len(set(seen)) == 25
        assert onward is None


@pytest.mark.parametrize("after", ["", "x", "1~", "~1", "nan~1", "1e999~1", "-1.5~2", "9" * 40])
def test_any_cursor_is_answered(guest, after, ada, group):
    searchable_thread(ada, group, "Quokka", "x")
    assert guest.get("/search/", {"q": "quokka", "after": after}).status_code == 200
    assert guest.get("/search/", {"q": "by:ada", "after": after}).status_code == 200


def test_groups_and_members_have_tabs_and_stand_above(guest, as_ada, ada, group, hidden_group):
    write_missing()
    assert "Film cameras" in page(guest, "/search/?q=film&kind=group")
    assert "Ada Quist" in page(guest, "/search/?q=quist&kind=member")
    assert "Ada Quist" in page(guest, "/search/?q=qui")
    assert "Cellar" not in page(guest, "/search/?q=cellar&kind=group").split("<main")[1]
    assert "Cellar" in page(as_ada, "/search/?q=cellar&kind=group").split("<main")[1]


def test_a_hidden_groups_post_is_on_no_page_of_an_outsider(guest, as_cy, as_ada, ada, hidden_group):
    searchable_thread(ada, hidden_group, "Quokka plan", "quokka by night", "quokka again")
    write_missing()
    for query in ("quokka", '"quokka by night"', "by:ada", "in:cellar", "in:cellar is:thread"):
        for kind in ("", "group", "member"):
            for client in (guest, as_cy):
                said = page(client, f"/search/?q={query}&kind={kind}").split("<main")[1]
                assert "Quokka plan" not in said
                assert "by night" not in said.replace(html.escape(query), "")
                assert "/g/cellar/" not in said
    assert "Quokka plan" in html.unescape(
        re.sub(r"</?mark>", "", page(as_ada, "/search/?q=quokka"))
    )


def test_a_document_behind_its_post_shows_nothing_of_it(guest, ada, mo, group):
    thread = searchable_thread(ada, group, "Quokka", "x")
    post = thread.posts.get()
    post.hide(by=mo, reason="Spam.", at=timezone.now())
    post.save()
    assert "Quokka" not in page(guest, "/search/?q=quokka").split("<main")[1].replace(
        'value="quokka"', ""
    )


def test_a_search_that_takes_too_long_says_so(guest, monkeypatch):
    def slow(*args, **kwargs):
        raise OperationalError from QueryCanceled()

    monkeypatch.setattr(views, "results", slow)
    response = guest.get("/search/?q=the")
    assert response.status_code == 503
    assert "That took too long" in response.content.decode()


def test_search_engines_are_asked_not_to_list_searches(guest):
    assert '<meta name="robots" content="noindex, follow">' in page(guest, "/search/?q=x")


def test_a_page_costs_a_fixed_number_of_queries(guest, as_ada, ada, group):
    threads = [make_thread(ada, group, f"Quokka {n}", "quokka", replies=2) for n in range(12)]
    index(*threads)
    page(guest, "/search/?q=quokka")
    with CaptureQueriesContext(connection) as for_a_guest:
        page(guest, "/search/?q=quokka")
    page(as_ada, "/search/?q=quokka")
    with CaptureQueriesContext(connection) as for_a_member:
        page(as_ada, "/search/?q=quokka")
    # Counts of words, the search, names, posts, excerpts; a member's session, row, groups, saved.
    assert (len(for_a_guest), len(for_a_member)) == (5, 9)


def test_a_guests_search_sets_no_cookie(guest, ada, group):
    response = guest.get("/search/?q=quokka")
    assert response.cookies == {}


# -- suggestions --------------------------------------------------------------------------------


def test_beginnings_suggest_threads_groups_and_members(guest, ada, group):
    searchable_thread(ada, group, "Adapters for film", "x")
    write_missing()
    said = page(guest, "/search/suggest/?q=ada")
    assert "Adapters for film" in said
    assert "Ada Quist" in said
    assert said.count('role="option"') == 3
    assert "Film cameras" in page(guest, "/search/suggest/?q=film+cam")
    assert guest.get("/search/suggest/?q=zz").status_code == 204


@pytest.mark.parametrize("text", ["", "a", "!", "in:film-cameras", '"'])
def test_too_little_suggests_nothing(guest, text, ada, group):
    write_missing()
    assert guest.get("/search/suggest/", {"q": text}).status_code == 204


def test_one_chinese_character_suggests(guest, ada, group):
    searchable_thread(ada, group, "相机问题", "x")
    assert "相机问题" in page(guest, "/search/suggest/?q=相")


def test_suggestions_keep_hidden_groups_to_their_members(guest, as_cy, as_ada, ada, hidden_group):
    searchable_thread(ada, hidden_group, "Quokka plan", "x")
    write_missing()
    for query in ("quokka", "cellar"):
        assert guest.get(f"/search/suggest/?q={query}").status_code == 204
        assert as_cy.get(f"/search/suggest/?q={query}").status_code == 204
    assert "Quokka plan" in page(as_ada, "/search/suggest/?q=quok")


def test_suggestions_cost_four_queries_for_a_guest(guest, ada, group):
    searchable_thread(ada, group, "Film cams", "x")
    write_missing()
    page(guest, "/search/suggest/?q=film")
    with CaptureQueriesContext(connection) as queries:
        page(guest, "/search/suggest/?q=film")
    assert len(queries) <= 4


# -- saved searches -----------------------------------------------------------------------------


def test_a_member_keeps_renames_and_forgets_a_search(as_ada, ada):
    response = as_ada.post("/search/saved/", {"q": "quokka   in:film-cameras"})
    assert response.status_code == 302
    saved = SavedSearch.objects.get()
    assert (saved.member, saved.query, saved.alert) == (ada, "quokka in:film-cameras", "at_once")
    assert "quokka in:film-cameras" in page(as_ada, "/search/saved/")
    assert "You keep this search" in page(as_ada, "/search/?q=quokka+in:film-cameras")
    address = f"/search/saved/{saved.pk}/"
    assert as_ada.post(address, {"name": "Animals", "alert": "daily"}).status_code == 302
    saved.refresh_from_db()
    assert (saved.name, saved.alert) == ("Animals", "daily")
    assert as_ada.post(address, {"name": "", "alert": "daily"}).status_code == 422
    assert as_ada.post(address, {"name": "x", "alert": "hourly"}).status_code == 422
    assert as_ada.post(address, {"_method": "delete"}).status_code == 302
    assert not SavedSearch.objects.exists()


def test_nobody_touches_anothers_search(as_bo, guest, ada):
    saved = save_search(member=ada, query="quokka")
    address = f"/search/saved/{saved.pk}/"
    assert as_bo.post(address, {"name": "x", "alert": "none"}).status_code == 404
    assert as_bo.delete(address).status_code == 404
    assert as_bo.get(address).status_code == 405
    assert guest.post(address, {"_method": "delete"}).status_code == 302
    assert guest.get("/search/saved/").status_code == 302
    assert "quokka" not in page(as_bo, "/search/saved/")
    saved.refresh_from_db()
    assert saved.name == "quokka"


def test_saving_nothing_or_too_much_is_refused(as_ada, ada, settings):
    with pytest.raises(NothingToSave):
        save_search(member=ada, query="!!")
    settings.SAVED_SEARCHES_MAX = 1
    save_search(member=ada, query="one")
    with pytest.raises(TooManySaved):
        save_search(member=ada, query="two")
    save_search(member=ada, query="one", name="The first")
    assert SavedSearch.objects.get().name == "The first"
    response = as_ada.post("/search/saved/", {"q": "two"})
    assert response.status_code == 422
    assert "Remove one first" in response.content.decode()


def events() -> list[dict[str, int]]:
    rows = OutboxEvent.objects.filter(kind="community.SavedSearchMatched").order_by("pk")
    return [row.payload for row in rows]


def look(minutes: float = 2) -> int:
    settle()
    return look_for_news(at=timezone.now() + timedelta(minutes=minutes))


def test_news_are_told_once_and_never_ones_own(ada, bo, group):
    searchable_thread(bo, group, "Quokka before", "x")
    saved = save_search(member=ada, query="quokka")
    assert look() == 0
    searchable_thread(ada, group, "Quokka of mine", "x")
    searchable_thread(bo, group, "No animal", "x")
    assert look(4) == 0
    searchable_thread(bo, group, "Quokka one", "x")
    newest = searchable_thread(bo, group, "Quokka two", "x").posts.get()
    assert look(6) == 1
    assert look(8) == 0
    document = SearchDocument.objects.get(kind=Kind.POST, object_id=newest.pk)
    assert events() == [{"saved_search_id": saved.pk, "document_id": document.pk}]


def test_an_edit_is_no_news_and_every_word_must_be_there(ada, bo, group):
    thread = searchable_thread(bo, group, "Quokka", "plain")
    save_search(member=ada, query="quokka spotted")
    thread.posts.update(html="<p>spotted</p>")
    write_documents(Kind.POST, [thread.posts.get().pk])
    searchable_thread(bo, group, "Quokka again", "x")
    assert look() == 0


def test_daily_and_silent_searches_wait(ada, bo, group):
    save_search(member=ada, query="quokka", alert="daily")
    save_search(member=ada, query="in:film-cameras", alert="none")
    searchable_thread(bo, group, "Quokka", "x")
    assert look() == 0
    assert look(25 * 60) == 1


def test_a_document_that_may_still_have_elder_ones_waits(ada, bo, group):
    save_search(member=ada, query="quokka")
    searchable_thread(bo, group, "Quokka", "x")
    SearchDocument.objects.update(indexed_at=timezone.now() + timedelta(minutes=2))
    assert look_for_news(at=timezone.now() + timedelta(minutes=2)) == 0
    assert look(4) == 1


def test_who_left_a_hidden_group_is_told_no_more(ada, bo, hidden_group):
    from tests.factories import join

    join(bo, hidden_group)
    save_search(member=bo, query="quokka")
    hidden_group.memberships.filter(member=bo).delete()
    searchable_thread(ada, hidden_group, "Quokka", "x")
    assert look() == 0


# -- results without a browser ------------------------------------------------------------------


def test_results_of_documents_without_posts_are_left_out():
    put([draft("quokka", "Quokka")])
    assert results(parse("quokka"), AnonymousUser()).is_empty


def test_replies_lead_to_their_post(guest, ada, group):
    thread = make_thread(ada, group)
    reply = make_post(ada, thread, "a quokka, said somebody")
    index(thread)
    assert f'href="{reply.get_absolute_url()}"' in page(guest, "/search/?q=quokka")
    assert Member.objects.filter(handle="ada").exists()
