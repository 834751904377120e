"""Whole pages kept for guests: no query, never stale, never anybody's own."""

from __future__ import annotations

import json
import re
import threading
from itertools import count

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.groups.models import JoinMode
from community.search.similar import _name
from community.threads.editing import edit_post
from community.threads.hiding import delete_post
from community.threads.models import Thread
from community.threads.services import publish_post, start_thread
from config import guest_pages as module
from config.guest_pages import GuestPages, Page, guest_pages
from tests.config.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module", autouse=True)
def one_listener():
    """The listener of this process serves all tests here, and lets go of the database after."""
    yield
    module.stop_listening()


@pytest.fixture(autouse=True)
def kept(settings, transactional_db):
    settings.GUEST_PAGES_SECONDS = 30
    Client().get("/g/nowhere/")
    wait_for(lambda: guest_pages.listening)
    guest_pages.clear()
    yield
    guest_pages.clear()


_marks = count()


@pytest.fixture
def thread(thread: Thread) -> Thread:
    """Ada's thread, when this process has heard of it: a page drawn meanwhile is not kept."""
    mark = f"mark:{next(_marks)}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [module.CHANNEL, json.dumps([mark])])
    wait_for(lambda: mark in guest_pages._changes)
    return thread


def asked(client: Client, address: str) -> tuple[str, int]:
    """Return the page and how many queries it took."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return response.content.decode(), len(queries)


def test_the_second_guest_costs_no_query_and_reads_the_same_but_for_the_nonce(thread):
    first, cost = asked(Client(), thread.get_absolute_url())
    again, nothing = asked(Client(), thread.get_absolute_url())
    assert cost > 0
    assert nothing == 0
    nonces = [set(re.findall(r'nonce="([^"]+)"', page)) for page in (first, again)]
    assert [len(one) for one in nonces] == [1, 1]
    assert nonces[0] != nonces[1]
    assert first.replace(nonces[0].pop(), "") == again.replace(nonces[1].pop(), "")


def test_the_policy_of_a_kept_page_names_the_nonce_it_carries(thread):
    Client().get(thread.get_absolute_url())
    response = Client().get(thread.get_absolute_url())
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', response.content.decode()))
    assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
    assert response.headers["Vary"]
    assert int(response.headers["Content-Length"]) == len(response.content)


def test_a_reply_and_an_edit_are_read_at_once(thread, ada, bo):
    address = thread.get_absolute_url()
    Client().get(address)
    post = publish_post(author=bo, thread=thread, body="A reply just now")
    assert "A reply just now" in asked(Client(), address)[0]
    edit_post(post=post, editor=bo, body="Other words")
    page, cost = asked(Client(), address)
    assert "Other words" in page
    assert cost > 0


def test_a_list_is_drawn_anew_after_a_thread_anywhere_changed(group, ada):
    Client().get("/")
    assert asked(Client(), "/")[1] == 0
    start_thread(author=ada, group=group, title="A new one", body="Words")
    assert "A new one" in asked(Client(), "/")[0]


def test_a_write_that_is_rolled_back_drops_nothing(thread, bo):
    address = thread.get_absolute_url()
    Client().get(address)
    with transaction.atomic():
        publish_post(author=bo, thread=thread, body="Never said")
        transaction.set_rollback(True)
    page, cost = asked(Client(), address)
    assert "Never said" not in page
    assert cost == 0


def test_what_another_process_changed_is_dropped_here(thread):
    address = thread.get_absolute_url()
    Client().get(address)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [module.CHANNEL, f'["thread:{thread.pk}"]'])
    wait_for(lambda: asked(Client(), address)[1] > 0)


def test_a_member_is_never_answered_with_a_guest_s_page_nor_a_guest_with_theirs(
    as_ada, ada, thread
):
    address = thread.get_absolute_url()
    Client().get(address)
    kept = len(guest_pages)
    assert 'name="csrf-token"' in asked(as_ada, address)[0]
    assert len(guest_pages) == kept
    assert 'name="csrf-token"' not in asked(Client(), address)[0]


def test_each_language_and_answer_to_the_question_of_consent_has_its_page(thread, settings):
    address = thread.get_absolute_url()
    english, _ = asked(Client(), address)
    chinese, cost = asked(Client(headers={"Accept-Language": "zh-Hans"}), address)
    assert cost > 0
    assert 'lang="zh-Hans"' in chinese
    assert 'lang="en-GB"' in english
    answered = Client()
    answered.post("/consent/", {"choice": "no"})
    page, cost = asked(answered, address)
    assert cost > 0
    assert 'id="consent-title"' in english
    assert 'id="consent-title"' not in page


def test_a_page_drawn_while_its_thread_changes_is_not_kept():
    pages = GuestPages()
    pages.listening = True
    page = Page((b"x",), (), None, frozenset({"thread:1"}), float("inf"))
    began = pages.now()
    pages.drop(["thread:2"])
    pages.put(("one",), page, began)
    assert len(pages) == 1
    began = pages.now()
    pages.drop(["thread:1"])
    pages.put(("one",), page, began)
    assert len(pages) == 0


def test_changes_no_longer_remembered_count_as_changes(monkeypatch):
    monkeypatch.setattr(module, "MOST_CHANGES", 3)
    pages = GuestPages()
    pages.listening = True
    began = pages.now()
    for number in range(10):
        pages.drop([f"thread:{number}"])
    pages.put(("one",), Page((b"x",), (), None, frozenset({"thread:1"}), float("inf")), began)
    assert len(pages) == 0


def test_while_nobody_listens_nothing_is_kept_and_what_was_kept_is_gone():
    pages = GuestPages()
    page = Page((b"x",), (), None, frozenset({"t"}), float("inf"))
    pages.put(("one",), page, pages.now())
    assert len(pages) == 0
    pages.listening = True
    pages.put(("one",), page, pages.now())
    assert len(pages) == 1
    pages.clear()
    assert (len(pages), pages.size) == (0, 0)


def test_it_holds_no_more_than_it_may_and_lets_the_oldest_go():
    pages = GuestPages(most_bytes=30)
    pages.listening = True
    for name in "abcd":
        page = Page((b"0123456789",), (), None, frozenset({name}), float("inf"))
        pages.put((name,), page, pages.now())
    assert [name for name in "abcd" if pages.get((name,))] == ["b", "c", "d"]
    assert pages.size == 30
    assert set(pages._tagged) == {"b", "c", "d"}


def test_a_page_ends_after_its_time():
    pages = GuestPages()
    pages.listening = True
    pages.put(("one",), Page((b"x",), (), None, frozenset(), 0.0), pages.now())
    assert pages.get(("one",)) is None


def test_readers_and_writers_side_by_side_leave_its_books_right():
    pages = GuestPages(most_bytes=200)
    pages.listening = True

    def work(seed: int) -> None:
        for step in range(400):
            name = str((seed * 7 + step) % 13)
            page = Page((b"0123456789",), (), None, frozenset({name, "all"}), float("inf"))
            pages.put((name,), page, pages.now())
            pages.get((name,))
            if step % 17 == 0:
                pages.drop([name])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pages.size == 10 * len(pages)
    assert pages.size <= 200


def test_who_passed_an_address_on_makes_no_other_page(thread):
    address = thread.get_absolute_url()
    page = asked(Client(), f"{address}?via=bo")[0]
    assert "via=" not in page
    for query in ("", "?via=cy", "?via=bo"):
        assert asked(Client(), f"{address}{query}")[1] == 0
    assert asked(Client(), f"{address}?page=1&via=cy")[1] > 0
    assert asked(Client(), f"{address}?page=1")[1] == 0


def test_no_guest_reads_a_group_that_has_just_turned_hidden(thread, group):
    places = [thread.get_absolute_url(), group.get_absolute_url(), "/g/film-cameras/atom.xml"]
    pages = [asked(Client(), place)[0] for place in (*places, "/", "/atom.xml")]
    assert all(thread.title in page for page in pages)
    group.join_mode = JoinMode.HIDDEN
    group.save()
    assert [Client().get(place).status_code for place in places] == [404, 404, 404]
    assert thread.title not in asked(Client(), "/")[0]
    assert thread.title not in asked(Client(), "/atom.xml")[0]


def test_a_page_is_dropped_with_the_similar_threads_it_names(thread, ada, group):
    other = start_thread(author=ada, group=group, title="Another one", body="Words").thread
    Client().get(thread.get_absolute_url())
    cache.set(_name(thread), [other.pk], 60)
    publish_post(author=ada, thread=thread, body="So that it is drawn anew")
    assert "Another one" in asked(Client(), thread.get_absolute_url())[0]
    delete_post(post=other.posts.get(), by=ada)
    assert "Another one" not in asked(Client(), thread.get_absolute_url())[0]


def test_a_kept_feed_is_not_sent_again_to_who_has_it(thread):
    first = Client().get("/atom.xml")
    assert asked(Client(), "/atom.xml")[1] == 0
    again = Client().get("/atom.xml", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
