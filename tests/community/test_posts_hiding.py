"""Taking posts away and bringing them back; the menu of a post; sharing; the accepted answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from community.groups.models import Role
from community.groups.services import leave_group
from community.members.models import Member
from community.threads.errors import (
    MayNotDelete,
    MayNotHide,
    MayNotRestore,
    NotAMember,
    OpeningAnswered,
    PostHidden,
    ReasonMissing,
    Refused,
    ThreadLocked,
)
from community.threads.hiding import delete_post, hide_post, restore_post
from community.threads.models import Post, Thread, ThreadEntry, ThreadKind
from community.threads.services import choose_answer, lock_thread
from config.models import OutboxEvent
from moderation.flags.models import Case, Outcome
from moderation.flags.services import decide, flag
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db

DELETED = "This post was deleted by its author."
HIDDEN = "This post was hidden by a moderator."
HTMX = {"HX-Request": "true"}


def text_of(response) -> str:
    return str(response.content.decode())


def events(kind: str) -> list[dict[str, Any]]:
    """What was announced, once each: an event has a row for each queue that listens."""
    rows = OutboxEvent.objects.filter(kind=f"community.{kind}").order_by("pk")
    first = rows.first()
    return [row.payload for row in rows if first and row.queue == first.queue]


def staff_hides(post: Post, member: Member) -> None:
    """As the site's moderators do: by a case."""
    boss = make_member("boss", is_staff=True, is_superuser=True)
    post.refresh_from_db()
    flag(kind="post", target=post, member=member, reason="spam")
    case = Case.objects.get(target_id=post.pk)
    decide(case=case, by=boss, outcome=Outcome.HIDE, reason="Spam.")
    post.refresh_from_db()


# -- verbs ------------------------------------------------------------------------------------


def test_an_author_deletes_and_restores_and_the_counters_follow(bo, ada, thread):
    post = make_post(bo, thread, "Never mind.")
    post = delete_post(post=post, by=bo)
    assert (post.is_hidden, post.is_deleted, post.hidden_by) == (True, True, bo)
    thread.refresh_from_db()
    assert thread.reply_count == 0
    post = restore_post(post=post, by=bo)
    thread.refresh_from_db()
    assert (post.is_hidden, post.is_deleted, thread.reply_count) == (False, False, 1)
    assert events("PostHiddenChanged") == [{"post_id": post.pk}] * 2
    assert not ThreadEntry.objects.exists()


def test_deleting_and_restoring_twice_is_once(bo, ada, thread):
    post = make_post(bo, thread)
    for _ in range(2):
        delete_post(post=post, by=bo)
    assert len(events("PostHiddenChanged")) == 1
    for _ in range(2):
        restore_post(post=post, by=bo)
    assert len(events("PostHiddenChanged")) == 2


def test_a_moderator_hides_for_a_reason_that_stands_in_the_thread(bo, mo, thread):
    post = make_post(bo, thread, "rude words")
    post = hide_post(post=post, by=mo, reason="  Off the\nrails ")
    entry = ThreadEntry.objects.get()
    assert (post.is_deleted, post.hidden_by, post.hidden_reason) == (False, mo, "Off the rails")
    assert (entry.verb, entry.by, entry.reason) == ("hide", mo, "Off the rails")
    assert (entry.after_number, entry.details) == (2, {"post": post.pk, "number": 2})
    restore_post(post=post, by=mo)
    assert [one.verb for one in ThreadEntry.objects.order_by("pk")] == ["hide", "restore"]
    thread.refresh_from_db()
    assert thread.reply_count == 1


def refused(act, expected: type[Refused]) -> None:
    before = Post.objects.filter(hidden_at__isnull=False).count(), ThreadEntry.objects.count()
    told = len(events("PostHiddenChanged"))
    with pytest.raises(expected):
        act()
    after = Post.objects.filter(hidden_at__isnull=False).count(), ThreadEntry.objects.count()
    assert (before, told) == (after, len(events("PostHiddenChanged")))


def test_who_may_take_a_post_away(ada, bo, cy, mo, thread):
    post = make_post(bo, thread)
    for member in (ada, cy, mo):
        refused(lambda member=member: delete_post(post=post, by=member), MayNotDelete)
    for member in (ada, bo, cy):
        refused(lambda member=member: hide_post(post=post, by=member, reason="x"), MayNotHide)
    refused(lambda: hide_post(post=post, by=mo, reason=" \n"), ReasonMissing)
    lock_thread(thread=thread, by=mo, reason="Done.")
    ThreadEntry.objects.all().delete()
    refused(lambda: delete_post(post=post, by=bo), ThreadLocked)
    leave_group(member=bo, group=thread.group)
    refused(lambda: delete_post(post=post, by=bo), NotAMember)


def test_an_opening_post_stays_once_others_have_replied(ada, bo, thread):
    opening = thread.posts.get()
    reply = make_post(bo, thread)
    refused(lambda: delete_post(post=opening, by=ada), OpeningAnswered)
    delete_post(post=reply, by=bo)
    delete_post(post=opening, by=ada)
    thread.refresh_from_db()
    assert not thread.is_listed


def test_a_moderator_of_another_group_hides_nothing_here(bo, thread):
    stranger = make_member("stranger")
    join(stranger, make_group("elsewhere"), Role.MODERATOR)
    refused(lambda: hide_post(post=make_post(bo, thread), by=stranger, reason="x"), MayNotHide)


def test_who_may_bring_a_post_back(ada, bo, mo, thread):
    post = hide_post(post=make_post(bo, thread), by=mo, reason="Rude.")
    for member in (ada, bo):
        refused(lambda member=member: restore_post(post=post, by=member), MayNotRestore)
    refused(lambda: delete_post(post=post, by=bo), PostHidden)
    restore_post(post=post, by=mo)
    delete_post(post=post, by=bo)
    refused(lambda: restore_post(post=post, by=ada), MayNotRestore)
    restore_post(post=post, by=mo)  # a moderator brings back what its author took away, too
    post.refresh_from_db()
    assert not post.is_hidden


def test_what_the_sites_moderators_hid_is_theirs_alone(ada, bo, mo, thread):
    post = hide_post(post=make_post(bo, thread), by=mo, reason="Rude.")
    restore_post(post=post, by=mo)  # an older entry must not open this door
    staff_hides(post, ada)
    for member in (bo, mo):
        refused(lambda member=member: restore_post(post=post, by=member), MayNotRestore)


# -- pages ------------------------------------------------------------------------------------


def test_placeholders_say_who_took_the_post_away(guest, as_bo, as_ada, as_mo, bo, mo, thread):
    post = make_post(bo, thread, "secret words")
    address = reverse("hide_post", args=[post.pk])
    assert "Delete the post" in text_of(as_bo.get(address))
    assert as_bo.post(address)["Location"] == f"{thread.get_absolute_url()}#p2"
    for client in (guest, as_ada, as_mo):
        page = text_of(client.get(thread.get_absolute_url()))
        assert (DELETED in page, HIDDEN in page, "secret words" in page) == (True, False, False)
        assert (f'href="{address}"' in page) == (client is as_mo)
    page = text_of(as_bo.get(thread.get_absolute_url()))
    assert "You deleted this post." in page
    assert f'href="{address}"' in page
    as_bo.post(address, {"_method": "delete"})
    as_mo.post(address, {"reason": "Off the rails."})
    for client in (guest, as_ada, as_mo):
        page = text_of(client.get(thread.get_absolute_url()))
        assert (DELETED in page, HIDDEN in page, "secret words" in page) == (False, True, False)


def test_a_moderator_looks_at_what_they_bring_back(as_mo, as_ada, as_cy, guest, bo, mo, thread):
    post = hide_post(post=make_post(bo, thread, "rude words"), by=mo, reason="Off the rails.")
    address = reverse("hide_post", args=[post.pk])
    page = text_of(as_mo.get(address))
    assert "rude words" in page
    assert "Off the rails." in page
    for client in (as_ada, as_cy):
        for response in (client.get(address), client.delete(address)):
            assert response.status_code == 404
    assert guest.get(address).status_code == 302
    assert as_mo.delete(address).status_code == 302
    post.refresh_from_db()
    assert not post.is_hidden


def test_hiding_without_a_reason_asks_for_one(as_mo, bo, thread):
    post = make_post(bo, thread)
    response = as_mo.post(reverse("hide_post", args=[post.pk]), {"reason": " "})
    post.refresh_from_db()
    assert (response.status_code, post.is_hidden) == (422, False)
    assert "Say why, for its author." in text_of(response)


def test_another_groups_post_is_404_to_a_moderator(as_mo, ada, hidden_group):
    post = make_thread(ada, hidden_group).posts.get()
    for name in ("hide_post", "post_menu"):
        assert as_mo.get(reverse(name, args=[post.pk])).status_code == 404


ACTS = {
    "edit": "/p/{}/edit/",
    "hide": "/p/{}/hiding/",
    "wiki": "/p/{}/wiki/",
    "answer": "/p/{}/answer/",
    "flag": "/flag/post/{}/",
    "bookmark": "/p/{}/bookmark/",
    "react": 'formaction="/p/{}/reactions/"',
}


@pytest.mark.parametrize("how", ["page", "piece"])
def test_a_menu_offers_what_its_reader_may_do(guest, as_cy, as_ada, as_bo, as_mo, bo, thread, how):
    Thread.objects.filter(pk=thread.pk).update(kind=ThreadKind.QUESTION)
    post = make_post(bo, thread)
    expected = {
        guest: set(),
        as_cy: {"flag", "bookmark", "react"},
        as_ada: {"flag", "bookmark", "react", "answer"},
        as_bo: {"edit", "hide", "bookmark"},
        as_mo: {"edit", "hide", "wiki", "answer", "flag", "bookmark", "react"},
    }
    headers = HTMX if how == "piece" else {}
    for client, acts in expected.items():
        page = text_of(client.get(reverse("post_menu", args=[post.pk]), headers=headers))
        assert {act for act, mark in ACTS.items() if mark.format(post.pk) in page} == acts
        assert ("<html" in page) == (how == "page")


def test_in_a_locked_thread_only_moderators_change_posts(as_bo, as_mo, bo, mo, thread):
    post = make_post(bo, thread)
    lock_thread(thread=thread, by=mo, reason="Done.")
    menu = reverse("post_menu", args=[post.pk])
    assert f"/p/{post.pk}/edit/" not in text_of(as_bo.get(menu))
    assert f"/p/{post.pk}/hiding/" not in text_of(as_bo.get(menu))
    assert f"/p/{post.pk}/edit/" in text_of(as_mo.get(menu))


def test_a_hidden_post_has_no_menu_not_even_for_its_author(as_bo, bo, thread):
    post = delete_post(post=make_post(bo, thread), by=bo)
    assert as_bo.get(reverse("post_menu", args=[post.pk])).status_code == 404


# -- sharing ----------------------------------------------------------------------------------


def test_a_shared_link_keeps_who_passed_it_on(guest, as_bo, ada, bo, thread):
    for _ in range(20):
        post = make_post(ada, thread)
    page = text_of(as_bo.get(reverse("post_menu", args=[post.pk])))
    assert f'value="http://localhost:8000/p/{post.pk}/?via=bo"' in page
    response = guest.get(f"/p/{post.pk}/?via=bo")
    assert response["Location"] == f"{thread.get_absolute_url()}?page=2&via=bo#p21"
    page = text_of(guest.get(response["Location"]))
    assert f'rel="canonical" href="http://localhost:8000{thread.get_absolute_url()}?page=2"' in page
    assert f'value="http://localhost:8000/p/{post.pk}/"' in text_of(
        guest.get(reverse("post_menu", args=[post.pk]))
    )


@pytest.mark.parametrize("via", ["", "Bo", "a b", "x" * 31, "//evil.example", "%0d%0a"])
def test_a_broken_source_is_dropped(guest, thread, via):
    post = thread.posts.get()
    response = guest.get(f"/p/{post.pk}/", {"via": via})
    assert response["Location"] == f"{thread.get_absolute_url()}#p1"


# -- the accepted answer ----------------------------------------------------------------------


@pytest.fixture
def question(thread: Thread) -> Thread:
    thread.kind = ThreadKind.QUESTION
    thread.save(update_fields=["kind"])
    return thread


def test_who_asked_chooses_the_answer_and_undoes_it(as_ada, ada, guest, bo, question):
    post = make_post(bo, question, "Clean the *rangefinder* first.")
    address = reverse("answer", args=[post.pk])
    assert as_ada.post(address)["Location"] == f"{question.get_absolute_url()}#p2"
    assert events("AnswerChosen") == [
        {"thread_id": question.pk, "post_id": post.pk, "member_id": ada.pk}
    ]
    opening, reply = text_of(guest.get(question.get_absolute_url())).split('id="p2"')
    assert "Answer: #2" in opening
    assert "Clean the rangefinder first." in opening
    assert "</svg>Answer</span>" in reply
    as_ada.post(address, {"_method": "delete"})
    question.refresh_from_db()
    assert question.answer is None
    assert len(events("AnswerChosen")) == 1


def test_undoing_another_answer_leaves_the_one_there_is(as_ada, ada, bo, question):
    first, second = make_post(bo, question), make_post(bo, question)
    choose_answer(thread=question, post=second, by=ada)
    as_ada.post(reverse("answer", args=[first.pk]), {"_method": "delete"})
    question.refresh_from_db()
    assert question.answer == second


def test_others_choose_nothing_and_a_talk_has_no_answer(
    guest, as_ada, as_bo, as_cy, as_mo, bo, question
):
    post = make_post(bo, question)
    address = reverse("answer", args=[post.pk])
    for client in (as_bo, as_cy):
        assert client.post(address).status_code == 403
    assert guest.post(address).status_code == 302
    assert as_ada.post(reverse("answer", args=[question.posts.get(number=1).pk])).status_code == 403
    Thread.objects.update(kind=ThreadKind.TALK)
    assert as_ada.post(address).status_code == 403
    Thread.objects.update(kind=ThreadKind.QUESTION)
    assert as_mo.post(address).status_code == 302
    question.refresh_from_db()
    assert question.answer == post


def test_an_answer_on_another_page_is_shown_too_and_no_page_costs_more_for_it_but_the_first(
    guest, ada, bo, question, django_assert_num_queries
):
    for _ in range(20):
        post = make_post(bo, question, "The seals, **always** the seals.")
    first, last = question.get_absolute_url(), f"{question.get_absolute_url()}?page=2"
    choose_answer(thread=question, post=make_post(bo, question, "On the second page."), by=ada)
    guest.get(first)
    with django_assert_num_queries(4):
        assert "On the second page." in text_of(guest.get(first))
    with django_assert_num_queries(3):
        guest.get(last)
    choose_answer(thread=question, post=question.posts.get(number=3), by=ada)
    with django_assert_num_queries(3):
        assert "The seals, always the seals." in text_of(guest.get(first))
    assert post.number == 21


def test_the_answer_in_short_leaves_out_what_it_quotes(guest, ada, bo, question):
    body = "> [Ada](/p/1/):\n>\n> > Older words\n>\n> Quoted words\n\nClean it with care."
    answer = make_post(bo, question, body)
    choose_answer(thread=question, post=answer, by=ada)
    page = guest.get(question.get_absolute_url()).content.decode()
    short = page.split('<span class="lines-3">')[1].split("</span>")[0]
    assert short == "Clean it with care."


def test_an_answer_that_is_all_quotes_is_shown_by_these(guest, ada, bo, question):
    answer = make_post(bo, question, "> Nothing but quoted words")
    choose_answer(thread=question, post=answer, by=ada)
    page = guest.get(question.get_absolute_url()).content.decode()
    short = page.split('<span class="lines-3">')[1].split("</span>")[0]
    assert short == "Nothing but quoted words"


def test_a_changed_answer_is_shown_as_it_is(guest, ada, bo, question):
    from community.threads.editing import edit_post

    post = make_post(bo, question, "Foam.")
    choose_answer(thread=question, post=post, by=ada)
    assert ">Foam.</span>" in text_of(guest.get(question.get_absolute_url()))
    edit_post(post=post, editor=bo, body="Wool.")
    assert ">Wool.</span>" in text_of(guest.get(question.get_absolute_url()))
    delete_post(post=post, by=bo)
    assert "Answer: #2" not in text_of(guest.get(question.get_absolute_url()))
