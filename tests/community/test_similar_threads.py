"""Threads like the one that was read: found by a worker, shown to whoever may read them."""

from __future__ import annotations

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.search.similar import find_alike, find_asked
from community.threads.hiding import hide_post
from community.threads.models import Thread
from tests.community.search import searchable_thread

pytestmark = pytest.mark.django_db


def below(client: Client, thread: Thread) -> list[str]:
    """The similar threads a page names."""
    page = client.get(thread.get_absolute_url()).content.decode()
    _before, _heading, after = page.partition('id="like-heading"')
    return re.findall(r"<b>(.*?)</b>", after.partition("</section>")[0])


@pytest.fixture
def alike_threads(ada, group) -> dict[str, Thread]:
    cache.clear()
    return {
        title: searchable_thread(ada, group, title, "Words.")
        for title in ("Rangefinder patch is dim", "Dim rangefinder patch", "Feeding cats")
    }


def test_similar_threads_stand_below_one_once_a_worker_found_them(guest, alike_threads):
    thread = alike_threads["Rangefinder patch is dim"]
    assert below(guest, thread) == []
    assert find_asked() == 1
    assert below(guest, thread) == ["Dim rangefinder patch"]
    assert find_asked() == 0


def test_they_cost_one_query_and_none_where_there_are_none(guest, alike_threads):
    thread = alike_threads["Rangefinder patch is dim"]
    with CaptureQueriesContext(connection) as before:
        below(guest, thread)
    find_asked()
    with CaptureQueriesContext(connection) as after:
        below(guest, thread)
    assert len(after) == len(before) + 1
    lonely = alike_threads["Feeding cats"]
    below(guest, lonely)
    find_asked()
    with CaptureQueriesContext(connection) as alone:
        assert below(guest, lonely) == []
    assert len(alone) == len(before)


def test_a_thread_hidden_since_is_no_longer_named(guest, as_cy, mo, alike_threads):
    thread = alike_threads["Rangefinder patch is dim"]
    below(guest, thread)
    find_asked()
    other = alike_threads["Dim rangefinder patch"]
    hide_post(post=other.posts.get(number=1), by=mo, reason="Spam")
    assert below(guest, thread) == below(as_cy, thread) == []


def test_what_only_members_may_read_is_never_kept_as_similar(ada, hidden_group, alike_threads):
    secret = searchable_thread(ada, hidden_group, "Rangefinder patch, dim as ever", "Words.")
    assert secret.pk not in find_alike(alike_threads["Dim rangefinder patch"])
