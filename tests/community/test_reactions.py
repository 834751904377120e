"""Reactions: given and taken back, counted exactly, shown to everybody."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections
from django.db.models import F
from django.urls import reverse

from community.members.models import Member
from community.reactions.errors import OwnPost, PostIsHidden, UnknownReaction
from community.reactions.models import Reaction
from community.reactions.services import toggle_reaction
from community.threads.hiding import delete_post
from community.threads.models import Post
from config.models import OutboxEvent
from config.pieces import pieces
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def text_of(response) -> str:
    return str(response.content.decode())


def counts(post: Post) -> tuple[dict[str, int], int]:
    post.refresh_from_db()
    return post.reactions, post.reaction_count


def given_events() -> list[dict[str, Any]]:
    rows = OutboxEvent.objects.filter(kind="community.ReactionGiven", queue="default")
    return [row.payload for row in rows.order_by("pk")]


# -- the verb ---------------------------------------------------------------------------------


def test_a_reaction_is_given_counted_announced_and_taken_back(ada, bo, thread):
    post = thread.posts.get()
    assert toggle_reaction(post=post, member=bo, name="heart") is True
    assert counts(post) == ({"heart": 1}, 1)
    assert Reaction.objects.get().member == bo
    assert given_events() == [{"post_id": post.pk, "member_id": bo.pk, "name": "heart"}]
    assert toggle_reaction(post=post, member=bo, name="heart") is False
    assert counts(post) == ({}, 0)
    assert not Reaction.objects.exists()
    assert len(given_events()) == 1
    thread.refresh_from_db()
    assert thread.version == 3


def test_one_member_may_give_several_and_two_the_same(ada, bo, cy, mo, thread):
    post = thread.posts.get()
    for member, name in ((bo, "heart"), (bo, "want"), (mo, "heart"), (cy, "helpful")):
        toggle_reaction(post=post, member=member, name=name)
    assert counts(post) == ({"heart": 2, "want": 1, "helpful": 1}, 4)


def test_nobody_reacts_to_their_own_nor_to_what_is_hidden_nor_with_what_there_is_not(
    ada, bo, thread
):
    opening, hidden = thread.posts.get(), make_post(ada, thread)
    delete_post(post=hidden, by=ada)
    for post, member, name, refusal in (
        (opening, ada, "heart", OwnPost),
        (hidden, bo, "heart", PostIsHidden),
        (opening, bo, "anger", UnknownReaction),
        (opening, bo, "", UnknownReaction),
    ):
        with pytest.raises(refusal):
            toggle_reaction(post=post, member=member, name=name)
    assert not Reaction.objects.exists()
    assert given_events() == []


def all_at_once(acts: list[Any]) -> None:
    """Run each act in a thread of its own; they start together."""
    start, failed = threading.Barrier(len(acts)), list[Exception]()

    def run(act) -> None:
        try:
            start.wait(20)
            act()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    runs = [threading.Thread(target=run, args=[act]) for act in acts]
    for one in runs:
        one.start()
    for one in runs:
        one.join(30)
    assert failed == []


def a_thread_and_its_readers(number: int) -> tuple[Post, list[Member]]:
    group = make_group()
    ada = make_member("ada")
    join(ada, group)
    return make_thread(ada, group).posts.get(), [make_member() for _ in range(number)]


@pytest.mark.django_db(transaction=True)
def test_twenty_toggles_at_once_leave_exact_counts():
    post, readers = a_thread_and_its_readers(8)
    toggle_reaction(post=post, member=readers[0], name="heart")
    acts = [
        *(
            lambda m=member: toggle_reaction(post=post, member=m, name="heart")
            for member in readers
        ),
        *(lambda m=member: toggle_reaction(post=post, member=m, name="want") for member in readers),
        # The same finger four times: even, so nothing is left of it.
        *[lambda: toggle_reaction(post=post, member=readers[1], name="laugh")] * 4,
    ]
    assert len(acts) == 20
    all_at_once(acts)
    assert counts(post) == ({"heart": 7, "want": 8}, 15)
    assert Reaction.objects.count() == 15


@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_counting_without_the_lock_loses_some():
    """The bad twin: read, add one, write."""
    post, readers = a_thread_and_its_readers(8)
    met = threading.Barrier(8)

    def add_one(member: Member) -> None:
        seen = Post.objects.get(pk=post.pk)
        met.wait(20)
        Post.objects.filter(pk=post.pk).update(
            reactions={"heart": seen.reactions.get("heart", 0) + 1},
            reaction_count=F("reaction_count") + 1,
        )

    all_at_once([lambda m=member: add_one(m) for member in readers])
    assert counts(post) == ({"heart": 1}, 8)


# -- over HTTP --------------------------------------------------------------------------------


def test_without_scripts_a_press_gives_and_a_second_takes_back(as_bo, bo, thread):
    post = thread.posts.get()
    address = reverse("reactions", args=[post.pk])
    for said, left in (("Reaction given.", {"heart": 1}), ("Reaction taken back.", {})):
        response = as_bo.post(address, {"name": "heart"}, follow=True)
        assert response.redirect_chain == [(f"{thread.get_absolute_url()}#p1", 302)]
        assert said in text_of(response)
        assert counts(post)[0] == left


def test_htmx_gets_the_bar_with_ones_own_marked(as_bo, as_mo, thread):
    address = reverse("reactions", args=[thread.posts.get().pk])
    bar = text_of(as_bo.post(address, {"name": "want"}, headers=HTMX))
    assert bar.lstrip().startswith('<span class="reacts">')
    assert 'value="want" aria-pressed="true"' in bar
    assert 'value="heart" aria-pressed="false"' in bar
    assert 'aria-label="Want it, 1 member"' in bar
    bar = text_of(as_mo.post(address, {"name": "want"}, headers=HTMX))
    assert 'aria-label="Want it, 2 members"' in bar
    bar = text_of(as_mo.post(address, {"name": "want"}, headers=HTMX))
    assert 'value="want" aria-pressed="false"' in bar


def test_the_bar_of_a_page_is_everybodys_and_marks_nobodys(guest, as_bo, as_ada, as_cy, bo, thread):
    pieces.clear()
    post = thread.posts.get()
    toggle_reaction(post=post, member=bo, name="laugh")
    for client in (as_bo, as_cy):  # one piece
        page = text_of(client.get(thread.get_absolute_url()))
        assert 'form="act"' in page
        assert page.count('<form id="act" method="post">') == 1
        assert 'value="heart" aria-pressed="false"' in page
        assert 'value="laugh" aria-pressed="false"' in page
    for client in (guest, as_ada):  # who may not react sees who did
        page = text_of(client.get(thread.get_absolute_url()))
        assert 'form="act"' not in page
        assert f'<a class="react" href="/p/{post.pk}/reactions/"' in page
    assert '<form id="act"' not in text_of(guest.get(thread.get_absolute_url()))


def test_a_new_reaction_shows_at_once_in_kept_pieces(guest, bo, mo, thread):
    post = thread.posts.get()
    for member, says in ((bo, "Love it, 1 member"), (mo, "Love it, 2 members")):
        toggle_reaction(post=post, member=member, name="heart")
        assert says in text_of(guest.get(thread.get_absolute_url()))


def test_who_may_react(guest, as_ada, as_bo, as_cy, ada, bo, thread, hidden_group):
    secret = make_thread(ada, hidden_group).posts.get()
    own = make_post(bo, thread)
    hidden = delete_post(post=make_post(ada, thread), by=ada)
    open_post = thread.posts.get(number=1)
    data = {"name": "heart"}
    for client, post, status in (
        (guest, open_post, 302),
        (as_bo, own, 403),
        (as_bo, secret, 404),
        (as_bo, hidden, 404),
        (as_ada, hidden, 404),
        (as_cy, open_post, 302),  # a member of the site who may read it
    ):
        assert client.post(reverse("reactions", args=[post.pk]), data).status_code == status
    assert as_bo.post(f"/p/{open_post.pk}/reactions/", {"name": "anger"}).status_code == 422
    assert list(Reaction.objects.values_list("member__handle", "post")) == [("cy", open_post.pk)]


def test_who_reacted_is_a_page_fifty_at_a_time(guest, ada, thread, settings, monkeypatch):
    monkeypatch.setattr("community.reactions.views.PEOPLE_PER_PAGE", 2)
    post = thread.posts.get()
    assert "Nobody yet" in text_of(guest.get(reverse("reactions", args=[post.pk])))
    for number in range(5):
        toggle_reaction(post=post, member=make_member(f"reader-{number}"), name="heart")
    seen, address = [], reverse("reactions", args=[post.pk])
    while address:
        page = text_of(guest.get(address))
        seen += [n for n in range(5) if f"/members/reader-{n}/" in page]
        older = page.partition('rel="next" href="')[2].partition('"')[0]
        address = reverse("reactions", args=[post.pk]) + older if older else ""
    assert sorted(seen) == [0, 1, 2, 3, 4]
    assert seen[0] in (3, 4)


def test_who_reacted_is_not_told_of_what_one_may_not_read(guest, as_bo, ada, hidden_group, thread):
    secret = make_thread(ada, hidden_group).posts.get()
    hidden = delete_post(post=make_post(ada, thread), by=ada)
    for client in (guest, as_bo):
        for post in (secret, hidden):
            assert client.get(reverse("reactions", args=[post.pk])).status_code == 404


def test_a_reaction_the_site_no_longer_has_is_not_shown(guest, bo, thread, settings):
    post = thread.posts.get()
    toggle_reaction(post=post, member=bo, name="laugh")
    settings.REACTIONS = {"heart": ("❤️", "Love it")}
    assert "Made me laugh" not in text_of(guest.get(thread.get_absolute_url()))
    assert "Nobody yet" in text_of(guest.get(reverse("reactions", args=[post.pk])))
