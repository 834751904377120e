"""Bookmarks: kept, changed, found again, and reminded of once."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from community.bookmarks.models import Bookmark
from community.bookmarks.services import keep_bookmark, send_due_reminders
from community.bookmarks.tasks import remind
from community.threads.hiding import delete_post
from config.celery import app, route
from config.models import OutboxEvent
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
WEDNESDAY = datetime(2026, 11, 18, 22, 30, tzinfo=UTC)  # Thursday in Auckland


def text_of(response) -> str:
    return str(response.content.decode())


def reminders() -> list[int]:
    rows = OutboxEvent.objects.filter(kind="community.BookmarkDue", queue="default")
    return [row.payload["bookmark_id"] for row in rows.order_by("pk")]


def address_of(post) -> str:
    return reverse("bookmark", args=[post.pk])


# -- keeping ----------------------------------------------------------------------------------


def test_a_press_keeps_a_post_once_and_another_lets_it_go(as_bo, bo, thread):
    post = thread.posts.get()
    for _ in range(2):
        assert as_bo.post(address_of(post))["Location"] == f"{thread.get_absolute_url()}#p1"
    kept = Bookmark.objects.get()
    assert (kept.member, kept.post, kept.note, kept.remind_at) == (bo, post, "", None)
    as_bo.post(address_of(post), {"_method": "delete"})
    assert not Bookmark.objects.exists()
    assert as_bo.delete(address_of(post)).status_code == 302


def test_what_a_form_does_not_hold_stays(as_bo, bo, thread):
    post = thread.posts.get()
    as_bo.post(address_of(post), {"note": "For the seals", "when": "hours"})
    before = Bookmark.objects.get()
    as_bo.post(address_of(post))
    after = Bookmark.objects.get()
    assert (after.note, after.remind_at) == ("For the seals", before.remind_at)
    as_bo.post(address_of(post), {"when": ""})
    after.refresh_from_db()
    assert (after.note, after.remind_at) == ("For the seals", None)


@pytest.mark.parametrize(
    ("zone", "when", "at"),
    [
        ("UTC", "hours", datetime(2026, 11, 19, 0, 30, tzinfo=UTC)),
        ("UTC", "tomorrow", datetime(2026, 11, 19, 8, 0, tzinfo=UTC)),
        ("UTC", "week", datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        ("Pacific/Auckland", "tomorrow", datetime(2026, 11, 19, 19, 0, tzinfo=UTC)),
        ("Pacific/Auckland", "week", datetime(2026, 11, 22, 19, 0, tzinfo=UTC)),
        ("America/New_York", "at", datetime(2026, 12, 1, 14, 15, tzinfo=UTC)),
        ("No/Such", "at", datetime(2026, 12, 1, 9, 15, tzinfo=UTC)),
    ],
)
def test_reminders_are_set_on_the_members_own_clock(bo, as_bo, thread, zone, when, at):
    bo.time_zone = zone
    bo.save(update_fields=["time_zone"])
    with time_machine.travel(WEDNESDAY, tick=False):
        form = {"when": when, "at": "2026-12-01T09:15"}
        assert as_bo.post(address_of(thread.posts.get()), form).status_code == 302
    assert Bookmark.objects.get().remind_at == at


def test_on_a_monday_next_week_is_in_seven_days(as_bo, thread):
    with time_machine.travel(datetime(2026, 11, 23, 7, 0, tzinfo=UTC), tick=False):
        as_bo.post(address_of(thread.posts.get()), {"when": "week"})
    assert Bookmark.objects.get().remind_at == datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"when": "at", "at": ""}, "Write a date and a time."),
        ({"when": "at", "at": "soon"}, "Write a date and a time."),
        ({"when": "at", "at": "2020-01-01T00:00"}, "That time has passed."),
        ({"when": "never ever"}, "not one of the available choices"),
        ({"note": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_does_not_fit_comes_back_as_typed(as_bo, thread, form, says):
    response = as_bo.post(address_of(thread.posts.get()), {"note": "Seals", **form})
    assert response.status_code == 422
    assert says in text_of(response)
    assert f'value="{form.get("note", "Seals")}"' in text_of(response)
    assert not Bookmark.objects.exists()


def test_saving_the_form_as_it_came_does_not_remind_again(as_bo, bo, thread):
    post, at = thread.posts.get(), timezone.now() - timedelta(hours=1)
    kept = keep_bookmark(member=bo, post=post, remind_at=at)
    send_due_reminders()
    page = text_of(as_bo.get(address_of(post)))
    shown = re.search(r'name="at" value="([^"]+)"', page)
    assert shown is not None
    form = {"note": "Read", "when": "at", "at": shown[1]}
    assert as_bo.post(address_of(post), form).status_code == 302
    kept.refresh_from_db()
    assert (kept.note, kept.remind_at, kept.reminded_at is None) == ("Read", at, False)


def test_htmx_gets_the_bookmark_as_the_menu_shows_it(as_bo, thread):
    post = thread.posts.get()
    response = as_bo.post(address_of(post), headers=HTMX)
    assert "Bookmarked" in text_of(response)
    assert 'value="tomorrow"' in text_of(response)
    assert f'"bookmarked": {{"post": {post.pk}, "kept": true}}' in response["HX-Trigger"]
    response = as_bo.delete(address_of(post), headers=HTMX)
    assert ">Bookmark</button>" in text_of(response)
    assert '"kept": false' in response["HX-Trigger"]


def test_one_keeps_what_one_may_read(guest, as_bo, ada, bo, thread, hidden_group):
    secret = make_thread(ada, hidden_group).posts.get()
    hidden = delete_post(post=make_post(ada, thread), by=ada)
    for post in (secret, hidden):
        for response in (as_bo.get(address_of(post)), as_bo.post(address_of(post))):
            assert response.status_code == 404
        assert as_bo.delete(address_of(post)).status_code == 404
    assert guest.post(address_of(thread.posts.get(number=1))).status_code == 302
    assert not Bookmark.objects.exists()


# -- the list ---------------------------------------------------------------------------------


def test_the_list_goes_on_by_keyset_and_shows_each_once(as_bo, bo, ada, thread, monkeypatch):
    monkeypatch.setattr("community.bookmarks.views.BOOKMARKS_PER_PAGE", 2)
    for number in range(5):
        keep_bookmark(member=bo, post=make_post(ada, thread), note=f"Note {number}.")
    keep_bookmark(member=ada, post=thread.posts.get(number=1), note="Note 9.")
    seen, address = [], reverse("bookmarks")
    while address:
        page = text_of(as_bo.get(address))
        seen += re.findall(r"Note (\d)\.", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = reverse("bookmarks") + older[1] if older else ""
    assert seen == ["4", "3", "2", "1", "0"]


def test_the_list_costs_the_same_for_1_and_for_20(
    as_bo, bo, ada, thread, django_assert_num_queries
):
    keep_bookmark(member=bo, post=thread.posts.get())
    with django_assert_num_queries(5):  # session, member, groups of the nav; bookmarks, posts
        as_bo.get(reverse("bookmarks"))
    for _ in range(19):
        keep_bookmark(member=bo, post=make_post(ada, thread, "See ![x](https://a.example/x.png)"))
    with django_assert_num_queries(5):
        as_bo.get(reverse("bookmarks"))


def test_notes_are_searched(as_bo, bo, ada, thread):
    for note in ("Light seals", "100% wool", ""):
        keep_bookmark(member=bo, post=make_post(ada, thread), note=note)
    for wanted, found in (("SEALS", ["Light seals"]), ("0%", ["100% wool"]), ("x\x00y", [])):
        page = text_of(as_bo.get(reverse("bookmarks"), {"q": wanted}))
        assert re.findall(r'<p class="note">([^<]+)<', page) == found
    assert "No note says that" in text_of(as_bo.get(reverse("bookmarks"), {"q": "zebra"}))


def test_an_empty_list_says_how_it_fills(guest, as_bo):
    assert "No bookmarks yet" in text_of(as_bo.get(reverse("bookmarks")))
    assert guest.get(reverse("bookmarks")).status_code == 302


def test_a_post_no_longer_ones_to_read_shows_as_gone_and_can_be_let_go(
    as_bo, bo, ada, hidden_group
):
    membership = join(bo, hidden_group)
    post = make_thread(ada, hidden_group, title="Below the stairs").posts.get()
    keep_bookmark(member=bo, post=post, note="Mine")
    assert "Below the stairs" in text_of(as_bo.get(reverse("bookmarks")))
    membership.delete()
    page = text_of(as_bo.get(reverse("bookmarks")))
    assert "Below the stairs" not in page
    assert "Prices have nearly doubled" not in page
    assert "This post is gone, or no longer yours to read." in page
    assert "Mine" in page
    response = as_bo.post(address_of(post), {"_method": "delete", "next": "/bookmarks/?q=a"})
    assert response["Location"] == "/bookmarks/?q=a"
    assert not Bookmark.objects.exists()


# -- reminders --------------------------------------------------------------------------------


def test_what_is_due_is_announced_once(bo, ada, thread):
    now = timezone.now()
    due, later, never = (make_post(ada, thread) for _ in range(3))
    first = keep_bookmark(member=bo, post=due, remind_at=now - timedelta(minutes=1))
    keep_bookmark(member=bo, post=later, remind_at=now + timedelta(hours=1))
    keep_bookmark(member=bo, post=never)
    assert (send_due_reminders(), send_due_reminders()) == (1, 0)
    assert reminders() == [first.pk]
    first.refresh_from_db()
    assert first.reminded_at is not None
    keep_bookmark(member=bo, post=due, note="Again", remind_at=now - timedelta(seconds=1))
    remind()
    assert reminders() == [first.pk, first.pk]


def test_a_run_sends_so_many_and_the_next_the_rest(bo, ada, thread):
    before = timezone.now() - timedelta(minutes=1)
    for _ in range(3):
        keep_bookmark(member=bo, post=make_post(ada, thread), remind_at=before)
    assert [send_due_reminders(2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_remind_once():
    group, ada = make_group(), make_member("ada")
    join(ada, group)
    thread = make_thread(ada, group)
    before = timezone.now() - timedelta(minutes=1)
    kept = [
        keep_bookmark(member=ada, post=make_post(ada, thread), remind_at=before).pk
        for _ in range(10)
    ]
    start, sent = threading.Barrier(3), list[int]()

    def run() -> None:
        start.wait(20)
        sent.append(send_due_reminders())
        connections.close_all()

    runs = [threading.Thread(target=run) for _ in range(3)]
    for one in runs:
        one.start()
    for one in runs:
        one.join(30)
    assert sum(sent) == 10
    assert sorted(reminders()) == sorted(kept)


def test_the_clock_asks_every_minute():
    entry = app.conf.beat_schedule["remind of bookmarks"]
    assert (entry["task"], entry["schedule"]) == (remind.name, 60.0)
    assert route(remind.name) == {"queue": "default"}
