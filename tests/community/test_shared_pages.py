"""What members see alike on a page of a thread: kept for all, and for whom it is not."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from community.members.models import Block, Member
from community.reactions.services import toggle_reaction
from community.threads import shared
from community.threads.marks import ReadMark
from community.threads.services import publish_post
from config.guest_pages import guest_pages
from tests.factories import join, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept(settings, monkeypatch):
    """Pages are kept as when this process hears of changes."""
    settings.GUEST_PAGES_SECONDS = 30
    monkeypatch.setattr(shared, "listen", lambda: None)
    monkeypatch.setattr(guest_pages, "listening", True)
    guest_pages.clear()
    yield
    guest_pages.clear()


@pytest.fixture
def dee(group) -> Member:
    member = make_member("dee", name="Dee Roe")
    join(member, group)
    return member


def read(client, thread) -> str:
    response = client.get(thread.get_absolute_url())
    assert response.status_code == 200
    return str(response.content.decode())


def posts_of(html: str) -> list[str]:
    found = re.findall(r'<article class="post".*?</article>', html, re.DOTALL)
    return [re.sub(r'value="[^"]{64}"', "", post) for post in found]


def test_the_second_member_is_shown_what_was_drawn_for_the_first(as_bo, dee, as_member, ada, group):
    thread = make_thread(ada, group, replies=3)
    first = read(as_bo, thread)
    as_dee = as_member(dee)
    with CaptureQueriesContext(connection) as spent:
        second = read(as_dee, thread)
    # Session, member, thread, nav and badge, overlay, own listings.
    assert len(spent) == 6
    assert posts_of(second) == posts_of(first)
    assert len(posts_of(second)) == 4
    assert f'data-reader="{dee.pk}"' in second


def test_each_reader_has_their_own_divider(as_bo, bo, dee, as_member, ada, group):
    thread = make_thread(ada, group, replies=3)
    for reader, number in ((bo, 2), (dee, 3)):
        ReadMark.objects.create(member=reader, thread=thread, number=number)
    for client, number in ((as_bo, 3), (as_member(dee), 4)) * 2:
        html = read(client, thread)
        assert html.count('id="new"') == 2  # in the posts, and in the template for scripts
        assert re.search(rf'id="new">.*?</p>\s*<article class="post" id="p{number}"', html)


def test_authors_have_their_own_page_drawn(as_bo, bo, dee, as_member, ada, group):
    thread, key = make_thread(ada, group), uuid4()
    publish_post(author=bo, thread=thread, body="Mine.", client_key=key)
    as_dee = as_member(dee)
    for _ in range(2):
        assert str(key) not in read(as_dee, thread)
        assert f'data-key="{key}"' in read(as_bo, thread)


def test_moderators_share_nothing(as_mo, as_bo, ada, group):
    thread = make_thread(ada, group, replies=1)
    read(as_mo, thread)
    assert len(guest_pages) == 0
    read(as_bo, thread)
    assert len(guest_pages) == 1
    assert "/organise" in read(as_mo, thread) or "Lock" in read(as_mo, thread)


def test_a_reply_and_a_reaction_show_at_once(as_bo, dee, as_member, ada, group):
    thread = make_thread(ada, group, replies=1)
    as_dee = as_member(dee)
    for client in (as_bo, as_dee):
        read(client, thread)
    make_post(ada, thread, "Number three.")
    for client in (as_bo, as_dee):
        assert "Number three." in read(client, thread)
    toggle_reaction(post=thread.posts.get(number=1), member=dee, name="heart")
    for client in (as_bo, as_dee):
        assert "Love it, 1 member" in read(client, thread)


def test_whoever_folds_an_author_sees_them_folded(as_bo, dee, as_member, ada, group):
    thread = make_thread(ada, group, replies=1)
    read(as_bo, thread)
    Block.objects.create(by=dee, of=ada, kind=Block.Kind.MUTE)
    assert '<details class="folded" data-number="1">' in read(as_member(dee), thread)
    assert '<details class="folded" data-number="1">' not in read(as_bo, thread)


def test_outsiders_and_members_of_the_group_are_told_apart(as_bo, as_cy, ada, group):
    thread = make_thread(ada, group)
    for client, may_reply in ((as_bo, True), (as_cy, False)) * 2:
        assert ("data-reply=" in read(client, thread)) == may_reply
