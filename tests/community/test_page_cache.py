"""Pieces of pages: drawn once, never stale, nobody's own ever kept (config/pieces.py)."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.utils import timezone

from commerce.merchants.models import Merchant
from community.groups.models import Membership, Role
from community.members.models import Member
from community.templatetags.frame import TOKEN
from community.threads.editing import edit_post
from community.threads.pages import ShownPost
from community.threads.services import choose_answer, lock_thread, post_hidden_changed, publish_post
from community.uploads.models import Image
from config.pieces import Pieces, pieces, tell, told
from tests.factories import make_post, make_thread
from tests.factories_commerce import make_listing, make_merchant, make_placement

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    pieces.clear()


def read(client, thread) -> str:
    response = client.get(thread.get_absolute_url())
    assert response.status_code == 200
    return str(response.content.decode())


def posts_of(html: str) -> list[str]:
    return re.findall(r'<article class="post".*?</article>', html, re.DOTALL)


def everything_kept() -> str:
    return "".join(piece for piece, _ in pieces._kept.values())


# -- drawn once -------------------------------------------------------------------------------


def test_a_second_guest_reads_what_was_drawn_for_the_first(guest, bo, ada, group):
    thread = make_thread(ada, group, replies=5)
    first = read(guest, thread)
    kept = len(pieces)
    assert posts_of(read(guest, thread)) == posts_of(first)
    assert (len(pieces), len(posts_of(first))) == (kept, 6)


def test_after_a_reply_one_post_and_the_head_are_drawn_anew(guest, ada, bo, group):
    thread = make_thread(ada, group, replies=5)
    read(guest, thread)
    kept = len(pieces)
    make_post(bo, thread, "Number seven.")
    assert "Number seven." in read(guest, thread)
    assert len(pieces) == kept + 3  # the post, what search engines are told of it, the head


def test_what_is_kept_is_bounded_and_the_least_used_goes_first():
    few = Pieces(most_chars=100)
    for name in ("a", "b", "a", "c"):
        few.get((name,), lambda: "x" * 40)
    assert [name in few for name in (("a",), ("b",), ("c",))] == [True, False, True]
    assert few.chars == 86  # 40 of the piece, 1 of the key and 2 of its language, twice
    few.get(("too long",), lambda: "x" * 200)
    assert (len(few), few.chars) == (0, 0)


# -- never stale ------------------------------------------------------------------------------


def test_a_renamed_author_shows_at_once_in_posts_answers_and_lists(guest, ada, bo, group):
    thread = make_thread(ada, group)
    make_post(bo, thread, "Yes.", reply_to=thread.posts.get(number=1))
    for address in (thread.get_absolute_url(), group.get_absolute_url(), "/"):
        assert "Ada Quist" in guest.get(address).content.decode()
    Member.objects.filter(pk=ada.pk).update(name="Ada Lark")
    shown = "".join(posts_of(read(guest, thread)))
    assert shown.count("Ada Lark") == 2  # her post, and the answer to it
    for address in (thread.get_absolute_url(), group.get_absolute_url(), "/"):
        html = guest.get(address).content.decode()
        assert "Ada Lark" in html
        assert "Ada Quist" not in html


def test_the_test_above_would_see_a_key_that_leaves_the_author_out(guest, ada, thread, monkeypatch):
    monkeypatch.setattr(ShownPost, "told", property(lambda shown: ("post", told(shown.post))))
    read(guest, thread)
    Member.objects.filter(pk=ada.pk).update(name="Ada Lark")
    assert "Ada Lark" not in "".join(posts_of(read(guest, thread)))


def test_a_new_role_avatar_answer_edit_and_lock_show_at_once(guest, ada, bo, mo, thread, group):
    reply = make_post(bo, thread, "Foam.")
    assert ">Moderator</span>" not in read(guest, thread)
    Membership.objects.filter(group=group, member=bo).update(role=Role.MODERATOR)
    assert ">Moderator</span>" in read(guest, thread)
    image = Image.objects.create(
        owner=bo, file="a", thumbnail="b", width=9, height=9, size_bytes=1, sha256="0"
    )
    Member.objects.filter(pk=bo.pk).update(avatar=image)
    assert f"/thumbnails/{image.pk}" in posts_of(read(guest, thread))[1]
    choose_answer(thread=thread, post=reply, by=ada)
    html = read(guest, thread)
    assert "Answer: #2" in html
    assert ">Answered</a>" in html
    edit_post(post=reply, editor=bo, body="Wool, not foam.")
    assert "Wool, not foam." in read(guest, thread)
    lock_thread(thread=thread, by=mo, reason="Settled.")
    assert "Settled." in read(guest, thread)
    assert ">Locked</span>" in guest.get(group.get_absolute_url()).content.decode()


def test_whom_an_author_sells_for_shows_at_once(guest, ada, thread):
    read(guest, thread)
    shop = make_merchant(owner=ada)
    assert shop.name in posts_of(read(guest, thread))[0]
    Merchant.objects.filter(pk=shop.pk).update(disclosure="sells the lens in question.")
    assert "sells the lens in question." in posts_of(read(guest, thread))[0]


@pytest.mark.parametrize("who", ["guest", "as_cy", "as_bo"])
def test_price_and_title_of_a_listing_show_at_once_in_posts_rails_and_lists(
    request, who, ada, thread, group
):
    client = request.getfixturevalue(who)
    listing = make_listing(group=group, price_minor=21_000)
    make_placement(listing, thread=thread, post=thread.posts.get(number=1), by=ada)
    addresses = (thread.get_absolute_url(), group.get_absolute_url(), "/")
    for address in addresses:
        assert "£210" in client.get(address).content.decode()
    listing.price_minor, listing.title = 19_500, "Now with a case"
    listing.save()
    for address in addresses:
        html = client.get(address).content.decode()
        assert "£195" in html
        assert "Now with a case" in html
        assert "£210" not in html


# -- nobody's own -----------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["as_bo", "guest", "as_mo"])
def test_a_hidden_post_is_read_by_its_author_alone_whoever_comes_first(
    request, first, guest, as_ada, as_bo, as_mo, bo, mo, thread
):
    post = make_post(bo, thread, "Words to be hidden.")
    clients = [guest, as_ada, as_bo, as_mo]
    clients.sort(key=lambda client: client is not request.getfixturevalue(first))
    for client in clients:
        assert "Words to be hidden." in read(client, thread)
    post.hide(by=mo, reason="Off the rails.", at=timezone.now())
    post.save()
    post_hidden_changed(post)
    for client in clients * 2:
        html = read(client, thread)
        assert ("Words to be hidden." in html) == (client is as_bo)
        assert ("Off the rails." in html) == (client is as_bo)
        assert ("This post was hidden by a moderator." in html) == (client is not as_bo)
    assert "Off the rails." not in everything_kept()


@pytest.mark.parametrize("moderator_first", [True, False])
def test_each_reader_gets_their_own_acts_whoever_comes_first(
    guest, as_cy, as_ada, as_mo, ada, bo, group, moderator_first
):
    thread = make_thread(ada, group)
    post = make_post(bo, thread, "Foam.")
    acts = {"reply": f'data-reply="{post.number}"', "react": 'form="act"', "own": "data-key"}
    publish_post(author=bo, thread=thread, body="Wool.", client_key=uuid4())
    expected = {
        guest: set(),
        as_cy: {"react"},
        as_ada: {"react", "reply"},
        as_mo: {"react", "reply"},
    }
    for client in sorted(expected, key=lambda one: (one is not as_mo) == moderator_first) * 2:
        shown = posts_of(read(client, thread))[1]
        assert {act for act, mark in acts.items() if mark in shown} == expected[client]


def test_of_ones_own_post_and_of_forms_nothing_is_kept(as_bo, as_ada, as_mo, bo, thread, group):
    key = uuid4()
    publish_post(author=bo, thread=thread, body="Mine.", client_key=key)
    listing = make_listing(group=group)
    make_placement(listing, thread=thread, post=thread.posts.get(number=2), by=bo)
    assert f'data-key="{key}"' in read(as_bo, thread)
    assert "/removal/" in read(as_bo, thread)
    assert "/removal/" in read(as_mo, thread)
    assert f'data-key="{key}"' not in read(as_ada, thread)
    assert "/removal/" not in posts_of(read(as_ada, thread))[1]
    kept = everything_kept()
    assert "Mine." in kept  # as others see it
    for own in (str(key), "/removal/"):
        assert own not in kept
    tokens = re.findall(r'name="csrfmiddlewaretoken" value="([^"]*)"', kept)
    assert set(tokens) == {TOKEN}  # of the frame's pieces: what stands there for the reader's own


def test_a_post_nobody_told_about_is_not_kept(thread):
    post = thread.posts.get(number=1)
    post.thread = thread
    assert ShownPost(post).told is None
    tell(post, ())
    assert ShownPost(post).told is not None
    assert ShownPost(post, mine=True).told is None


# -- tight --------------------------------------------------------------------------------------


def test_a_piece_is_kept_without_the_empty_lines_of_tags_but_with_those_of_texts():
    text = "<pre>one\n\n\ntwo</pre>"
    field = "<textarea>\n\nwords\n\n</textarea>"
    drawn = f"<p>a</p>\n\n  \n\t\n<p>b</p>\n{text}\n\n<p>c\n</p>\n\n\n{field}\n\n<i></i>"
    wanted = f"<p>a</p>\n<p>b</p>\n{text}\n<p>c\n</p>\n{field}\n<i></i>"
    assert Pieces().get(("key",), lambda: drawn) == wanted
