"""What the verbs of threads promise, and what they refuse."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from community.groups.models import Group, Role
from community.groups.services import leave_group
from community.members.models import Member
from community.threads import errors, services
from community.threads.editing import edit_post
from community.threads.errors import Refused
from community.threads.markup import MARKUP_VERSION
from community.threads.models import Post, PostImage, Revision, Thread
from community.threads.rendering import render_body
from community.threads.services import (
    POST_GATES,
    Attempt,
    choose_answer,
    lock_thread,
    post_hidden_changed,
    publish_post,
    start_thread,
    unlock_thread,
)
from community.threads.texts import clean_body
from community.uploads.models import Image
from config.models import OutboxEvent
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def announced() -> list[tuple[str, int]]:
    """An event has a row for each queue that listens; `links` hears of every post."""
    rows = OutboxEvent.objects.filter(kind__startswith="community.Post", queue="links")
    return [(row.kind, row.payload["post_id"]) for row in rows.order_by("pk")]


def nothing_written(group: Group) -> bool:
    group.refresh_from_db()
    return (
        not Post.objects.exists()
        and not Thread.objects.exists()
        and not announced()
        and group.thread_count == 0
    )


def an_image(owner: Member, group: Group | None = None) -> Image:
    return Image.objects.create(
        owner=owner,
        group=group,
        file="images/a.webp",
        thumbnail="thumbnails/a.webp",
        width=1280,
        height=960,
        size_bytes=1,
        sha256="0" * 64,
    )


# -- starting and replying --------------------------------------------------------------------


def test_a_thread_starts_with_its_opening_post(ada, group):
    post = start_thread(author=ada, group=group, title="  Light\nseals ", body="Foam or **wool**?")
    thread = Thread.objects.get()
    group.refresh_from_db()
    assert (thread.title, thread.excerpt) == ("Light seals", "Foam or wool?")
    assert (post.number, post.body) == (1, "Foam or **wool**?")
    assert post.html == "<p>Foam or <strong>wool</strong>?</p>\n"
    assert post.markup_version == MARKUP_VERSION
    assert (thread.last_number, thread.reply_count, thread.version) == (1, 0, 1)
    assert (thread.last_post_at, thread.last_post_by) == (post.created_at, ada)
    assert (group.thread_count, group.last_post_at) == (1, post.created_at)
    assert announced() == [("community.PostPublished", post.pk)]


def test_a_reply_takes_the_next_number_and_the_counters_follow(ada, bo, thread):
    first = publish_post(author=bo, thread=thread, body="Yes.")
    second = publish_post(author=ada, thread=thread, body="Why?", reply_to=first)
    thread.refresh_from_db()
    thread.group.refresh_from_db()
    assert (first.number, second.number, second.reply_to) == (2, 3, first)
    assert (thread.last_number, thread.reply_count, thread.version) == (3, 2, 3)
    assert (thread.last_post_at, thread.last_post_by) == (second.created_at, ada)
    assert thread.group.last_post_at == second.created_at
    assert announced()[1:] == [
        ("community.PostPublished", first.pk),
        ("community.PostPublished", second.pk),
    ]


def test_old_posts_keep_their_dates_and_do_not_make_the_thread_new(ada, bo, group):
    thread = start_thread(author=ada, group=group, title="Then", body="x", at=MONDAY).thread
    publish_post(author=bo, thread=thread, body="later", at=MONDAY + timedelta(hours=2))
    publish_post(author=ada, thread=thread, body="between", at=MONDAY + timedelta(hours=1))
    thread.refresh_from_db()
    group.refresh_from_db()
    assert thread.created_at == MONDAY
    assert (thread.last_post_at, thread.last_post_by) == (MONDAY + timedelta(hours=2), bo)
    assert group.last_post_at == MONDAY + timedelta(hours=2)


def test_a_reply_to_a_post_of_another_thread_stands_on_its_own(ada, thread, group):
    elsewhere = make_thread(ada, group, "Another")
    post = publish_post(
        author=ada, thread=thread, body="Hm.", reply_to=elsewhere.posts.get(number=1)
    )
    assert post.reply_to is None


@pytest.mark.parametrize(
    ("title", "body", "refusal"),
    [
        ("", "text", errors.TitleMissing),
        (" \n\t ", "text", errors.TitleMissing),
        ("t" * 151, "text", errors.TitleTooLong),
        ("title", "", errors.BodyMissing),
        ("title", " \r\n ", errors.BodyMissing),
        ("title", "b" * 50_001, errors.BodyTooLong),
    ],
)
def test_a_thread_that_says_nothing_or_too_much_is_refused_and_leaves_no_row(
    ada, group, title, body, refusal
):
    with pytest.raises(refusal):
        start_thread(author=ada, group=group, title=title, body=body)
    assert nothing_written(group)


def test_title_and_body_may_be_as_long_as_they_say(ada, group):
    post = start_thread(author=ada, group=group, title="t" * 150, body="b " * 24_999 + "bb")
    assert (len(post.thread.title), len(post.body)) == (150, 50_000)
    assert len(post.thread.excerpt) == 240


def test_only_members_of_the_group_write(cy, ada, group, thread):
    with pytest.raises(errors.NotAMember):
        publish_post(author=cy, thread=thread, body="Hello")
    with pytest.raises(errors.NotAMember):
        start_thread(author=cy, group=group, title="Hello", body="Hello")
    assert Post.objects.count() == 1
    assert len(announced()) == 1


def test_what_postgresql_cannot_hold_is_replaced(ada, thread):
    post = publish_post(author=ada, thread=thread, body="a\x00b\ud800c\r\nd")
    assert post.body == "a\ufffdb?c\nd"


# -- submitting twice -------------------------------------------------------------------------


def test_submitting_a_form_twice_makes_one_post(ada, bo, thread, group):
    key = uuid4()
    posts = {publish_post(author=bo, thread=thread, body="Yes.", client_key=key) for _ in range(3)}
    threads = {
        start_thread(author=ada, group=group, title="T", body="B", client_key=key).thread
        for _ in range(3)
    }
    thread.refresh_from_db()
    group.refresh_from_db()
    assert (len(posts), len(threads)) == (1, 1)
    assert (thread.reply_count, group.thread_count) == (1, 2)
    assert len(announced()) == 3


def twice_at_once(write: Callable[[], Post]) -> list[int]:
    """Run `write` in two threads that start together; return the posts they got."""
    start, got, failed = threading.Barrier(2), list[int](), list[Exception]()

    def run() -> None:
        try:
            start.wait(5)
            got.append(write().pk)
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(20)
    assert not failed
    return got


@pytest.mark.django_db(transaction=True)
def test_two_requests_racing_with_one_key_make_one_post(monkeypatch):
    group = make_group()
    ada = make_member("ada")
    join(ada, group)
    thread = make_thread(ada, group)
    meet_before_writing(monkeypatch)
    key = uuid4()
    got = twice_at_once(
        lambda: publish_post(author=ada, thread=thread, body="Once.", client_key=key)
    )
    thread.refresh_from_db()
    assert len(set(got)) == 1
    assert Post.objects.filter(number__gt=1).count() == 1
    assert (thread.last_number, thread.reply_count) == (2, 1)
    assert len(announced()) == 2


@pytest.mark.django_db(transaction=True)
def test_two_requests_racing_with_one_key_open_one_thread(monkeypatch):
    group = make_group()
    ada = make_member("ada")
    join(ada, group)
    meet_before_writing(monkeypatch)
    key = uuid4()
    got = twice_at_once(
        lambda: start_thread(author=ada, group=group, title="T", body="B", client_key=key)
    )
    group.refresh_from_db()
    assert len(set(got)) == 1
    assert (Thread.objects.count(), Post.objects.count(), group.thread_count) == (1, 1, 1)
    assert len(announced()) == 1


@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_without_a_key_it_makes_two_posts(monkeypatch):
    """The bad twin: the same race, nothing that tells the two requests for one."""
    group = make_group()
    ada = make_member("ada")
    join(ada, group)
    thread = make_thread(ada, group)
    got = twice_at_once(lambda: publish_post(author=ada, thread=thread, body="Twice."))
    thread.refresh_from_db()
    assert len(set(got)) == 2
    assert sorted(Post.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert (thread.last_number, thread.reply_count) == (3, 2)


def meet_before_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both requests begin before either writes: the widest race."""
    clean, begun = clean_body, threading.Barrier(2)

    def clean_and_wait(body: str) -> str:
        begun.wait(5)
        return clean(body)

    monkeypatch.setattr(services, "clean_body", clean_and_wait)


# -- gates ------------------------------------------------------------------------------------


@pytest.fixture
def gate() -> Iterator[list[Attempt]]:
    """A gate that refuses what says "casino" and keeps what it was asked."""
    seen: list[Attempt] = []

    def no_casinos(attempt: Attempt) -> None:
        seen.append(attempt)
        if "casino" in attempt.rendered.text:
            raise Refused("No casinos here.")

    POST_GATES.append(no_casinos)
    yield seen
    POST_GATES.remove(no_casinos)


def test_a_gate_sees_what_is_about_to_be_written(ada, bo, group, gate):
    post = start_thread(author=ada, group=group, title="T", body="See https://a.example/x")
    edit_post(post=post, editor=ada, body="See @bo")
    publish_post(author=bo, thread=post.thread, body="ok")
    opened, edited, replied = gate
    assert (opened.thread, opened.edits, opened.title) == (None, None, "T")
    assert opened.rendered.links == ("https://a.example/x",)
    assert (edited.thread, edited.edits, edited.rendered.mentions) == (post.thread, post, ("bo",))
    assert (replied.writer, replied.thread, replied.edits) == (bo, post.thread, None)


def test_what_a_gate_refuses_leaves_no_row(ada, group, gate):
    with pytest.raises(Refused, match=r"No casinos here\."):
        start_thread(author=ada, group=group, title="T", body="casino")
    assert nothing_written(group)


def test_a_gate_refuses_replies_and_edits_alike(ada, thread, gate):
    post = make_post(ada, thread, "fine")
    before = Thread.objects.values().get()
    with pytest.raises(Refused):
        publish_post(author=ada, thread=thread, body="casino")
    with pytest.raises(Refused):
        edit_post(post=post, editor=ada, body="casino")
    assert Thread.objects.values().get() == before
    assert (Post.objects.count(), Revision.objects.count()) == (2, 0)


# -- editing ----------------------------------------------------------------------------------


def test_an_edit_keeps_what_was_said_before(ada, thread, settings):
    settings.EDIT_GRACE_SECONDS = 0
    post = thread.posts.get()
    edit_post(post=post, editor=ada, body="Second *thoughts*")
    edit_post(post=post, editor=ada, body="Third")
    post.refresh_from_db()
    thread.refresh_from_db()
    assert (post.body, post.html) == ("Third", "<p>Third</p>\n")
    assert post.edited_at is not None
    assert [(one.number, one.body) for one in post.revisions.all()] == [
        (1, "Prices have nearly doubled since I joined."),
        (2, "Second *thoughts*"),
    ]
    assert (thread.excerpt, thread.version) == ("Third", 3)
    assert announced()[1:] == [("community.PostEdited", post.pk)] * 2


def test_an_edit_that_changes_nothing_writes_nothing(ada, thread):
    post = thread.posts.get()
    edit_post(post=post, editor=ada, body=post.body + "\r\n")
    post.refresh_from_db()
    assert (post.edited_at, post.revisions.count(), len(announced())) == (None, 0, 1)


def test_only_the_author_and_moderators_edit(ada, bo, cy, mo, thread):
    post = thread.posts.get()
    with pytest.raises(errors.MayNotEdit):
        edit_post(post=post, editor=bo, body="bo was here")
    with pytest.raises(errors.NotAMember):
        edit_post(post=post, editor=cy, body="cy was here")
    assert Revision.objects.count() == 0
    edit_post(post=post, editor=mo, body="Title case, please")
    assert post.revisions.get().replaced_by == mo


def test_an_author_who_left_no_longer_edits(ada, thread):
    leave_group(member=ada, group=thread.group)
    with pytest.raises(errors.NotAMember):
        edit_post(post=thread.posts.get(), editor=ada, body="bye")
    assert Revision.objects.count() == 0


def test_two_editors_do_not_overwrite_each_other_unseen(ada, mo, thread):
    post = thread.posts.get()
    edit_post(post=post, editor=mo, body="By mo", based_on=0)
    with pytest.raises(errors.EditedMeanwhile):
        edit_post(post=post, editor=ada, body="By ada", based_on=0)
    post.refresh_from_db()
    assert (post.body, post.revisions.count()) == ("By mo", 1)


def test_a_locked_thread_takes_no_replies_or_edits_but_a_moderators(ada, bo, mo, thread):
    post = thread.posts.get()
    lock_thread(thread=thread, by=mo, reason="Settled.")
    with pytest.raises(errors.ThreadLocked):
        publish_post(author=bo, thread=thread, body="One more thing")
    with pytest.raises(errors.ThreadLocked):
        edit_post(post=post, editor=ada, body="x")
    assert (Post.objects.count(), Revision.objects.count()) == (1, 0)
    edit_post(post=post, editor=mo, body="Tidied")
    assert Revision.objects.count() == 1


def test_a_hidden_post_is_not_its_authors_to_change(ada, mo, thread):
    post = hidden(make_post(ada, thread, "rude"), mo)
    with pytest.raises(errors.PostHidden):
        edit_post(post=post, editor=ada, body="polite")
    assert Revision.objects.count() == 0


# -- locking and answers ----------------------------------------------------------------------


def test_moderators_lock_with_a_reason_and_unlock(mo, thread):
    lock_thread(thread=thread, by=mo, reason=" Going in\ncircles. ")
    lock_thread(thread=thread, by=mo, reason="Again")
    thread.refresh_from_db()
    assert (thread.is_locked, thread.locked_by, thread.lock_reason, thread.version) == (
        *(True, mo, "Going in circles.", 2),
    )
    unlock_thread(thread=thread, by=mo)
    thread.refresh_from_db()
    assert (thread.is_locked, thread.locked_by, thread.lock_reason, thread.version) == (
        *(False, None, "", 3),
    )


def test_others_do_not_lock_and_nobody_does_without_a_reason(ada, mo, thread):
    with pytest.raises(errors.MayNotLock):
        lock_thread(thread=thread, by=ada, reason="Mine")
    with pytest.raises(errors.ReasonMissing):
        lock_thread(thread=thread, by=mo, reason="  ")
    thread.refresh_from_db()
    assert not thread.is_locked
    lock_thread(thread=thread, by=mo, reason="Settled.")
    with pytest.raises(errors.MayNotLock):
        unlock_thread(thread=thread, by=ada)
    thread.refresh_from_db()
    assert thread.is_locked


def test_who_opened_the_thread_chooses_its_answer(ada, bo, mo, thread):
    reply = make_post(bo, thread)
    choose_answer(thread=thread, post=reply, by=ada)
    thread.refresh_from_db()
    assert thread.answer == reply
    with pytest.raises(errors.MayNotChoose):
        choose_answer(thread=thread, post=None, by=bo)
    with pytest.raises(errors.MayNotChoose):
        choose_answer(thread=thread, post=thread.posts.get(number=1), by=ada)
    elsewhere = make_post(bo, make_thread(ada, thread.group, "Another"))
    with pytest.raises(errors.MayNotChoose):
        choose_answer(thread=thread, post=elsewhere, by=ada)
    thread.refresh_from_db()
    assert thread.answer == reply
    choose_answer(thread=thread, post=None, by=mo)
    thread.refresh_from_db()
    assert thread.answer is None


# -- hiding -----------------------------------------------------------------------------------


def hidden(post: Post, by: Member) -> Post:
    """As moderation's verb does it."""
    with transaction.atomic():
        post.hide(by=by, reason="Off the rails.", at=timezone.now())
        post.save()
        post_hidden_changed(post)
    return post


def test_counters_follow_when_the_last_reply_is_hidden_and_shown_again(ada, bo, mo, group):
    thread = make_thread(ada, group, at=MONDAY)
    make_post(ada, thread, at=MONDAY + timedelta(hours=1))
    last = make_post(bo, thread, at=MONDAY + timedelta(hours=2))
    choose_answer(thread=thread, post=last, by=ada)
    hidden(last, mo)
    thread.refresh_from_db()
    group.refresh_from_db()
    assert (thread.reply_count, thread.last_number, thread.answer) == (1, 3, None)
    assert (thread.last_post_at, thread.last_post_by) == (MONDAY + timedelta(hours=1), ada)
    assert group.last_post_at == MONDAY + timedelta(hours=1)
    with transaction.atomic():
        last.show()
        last.save()
        post_hidden_changed(last)
        post_hidden_changed(last)
    thread.refresh_from_db()
    group.refresh_from_db()
    assert (thread.reply_count, thread.last_post_by) == (2, bo)
    assert group.last_post_at == MONDAY + timedelta(hours=2)


def test_a_thread_whose_opening_post_is_hidden_leaves_the_lists(ada, mo, thread):
    opening = hidden(thread.posts.get(), mo)
    thread.refresh_from_db()
    thread.group.refresh_from_db()
    assert (thread.is_listed, thread.reply_count, thread.group.thread_count) == (False, 0, 0)
    assert not Thread.objects.for_list().exists()
    with transaction.atomic():
        opening.show()
        opening.save()
        post_hidden_changed(opening)
    thread.refresh_from_db()
    thread.group.refresh_from_db()
    assert (thread.is_listed, thread.group.thread_count) == (True, 1)


@pytest.mark.django_db(transaction=True)
def test_hiding_and_editing_one_post_at_once_do_not_block_each_other_for_ever():
    """Both take the post's lock, then the thread's; the other order ends in a deadlock."""
    group = make_group()
    ada = make_member("ada")
    join(ada, group, Role.MODERATOR)
    post = make_thread(ada, group).posts.get()
    holding, failed = threading.Event(), list[Exception]()

    def edit() -> None:
        try:
            holding.wait(5)
            edit_post(post=post, editor=ada, body="New words")
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    editing = threading.Thread(target=edit)
    editing.start()
    with transaction.atomic():
        row = Post.objects.select_for_update(no_key=True).get(pk=post.pk)
        row.hide(by=ada, reason="Late.", at=timezone.now())
        row.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
        holding.set()
        wait_for_a_blocked_query()
        post_hidden_changed(row)
    editing.join(10)
    post.refresh_from_db()
    assert not failed
    assert (post.body, post.is_hidden) == ("New words", True)


def wait_for_a_blocked_query() -> None:
    with connection.cursor() as cursor:
        for _ in range(3_000):
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity, pg_sleep(0.01) WHERE datname = current_database()"
                " AND cardinality(pg_blocking_pids(pid)) > 0"
            )
            if cursor.fetchone():
                return
            cursor.execute("SELECT pg_stat_clear_snapshot()")
    raise AssertionError("Nobody waited for the lock.")


# -- what a post shows ------------------------------------------------------------------------


def test_a_post_shows_its_authors_pictures_in_their_order(ada, thread):
    first, second = an_image(ada, thread.group), an_image(ada)
    body = f"![One](image:{second.pk}) ![Two](image:{first.pk}) ![Again](image:{second.pk})"
    post = publish_post(author=ada, thread=thread, body=body)
    assert [one.image_id for one in post.post_images.all()] == [second.pk, first.pk]
    assert post.html.count("<img ") == 3
    assert f'<a href="/images/{second.pk}/" class="picture"' in post.html
    assert f'<img src="/thumbnails/{second.pk}/" alt="One" width="640" height="480"' in post.html


def test_a_post_does_not_show_pictures_of_others_or_from_hidden_groups(ada, bo, thread):
    secret = make_group("secret", owner=ada, join_mode="hidden")
    for image in (an_image(bo), an_image(bo, secret), an_image(ada, secret)):
        post = publish_post(author=ada, thread=thread, body=f"x ![Mine](image:{image.pk})")
        assert post.html == "<p>x Mine</p>\n"
    assert PostImage.objects.count() == 0


def test_a_picture_of_the_group_may_be_shown_by_any_member_of_it(ada, bo, thread):
    image = an_image(bo, thread.group)
    post = publish_post(author=ada, thread=thread, body=f"![Theirs](image:{image.pk})")
    assert post.post_images.get().image == image


def test_an_edit_keeps_the_pictures_that_are_there_and_drops_those_that_went(ada, mo, thread):
    kept, dropped = an_image(ada), an_image(ada)
    post = publish_post(
        author=ada, thread=thread, body=f"![k](image:{kept.pk}) ![d](image:{dropped.pk})"
    )
    edit_post(post=post, editor=mo, body=f"Tidied ![k](image:{kept.pk})")
    assert post.post_images.get().image == kept


def test_mentions_become_links_for_handles_that_exist(ada, bo, thread):
    post = publish_post(author=ada, thread=thread, body="@Bo, @nobody and mail@bo")
    assert 'class="mention"' in post.html
    assert post.html.count("<a ") == 1


@pytest.mark.parametrize("count", [1, 30])
def test_rendering_looks_up_members_and_pictures_in_two_queries(
    ada, group, count, django_assert_num_queries
):
    images = [an_image(ada) for _ in range(count)]
    body = " ".join(f"@ada @member{one} ![x](image:{image.pk})" for one, image in enumerate(images))
    with django_assert_num_queries(2):
        rendered = render_body(body, group=group, writers=[ada])
    assert len(rendered.image_ids) == count


def test_a_new_renderer_reaches_old_posts_without_a_revision(thread: Thread):
    post = thread.posts.get()
    Post.objects.filter(pk=post.pk).update(html="<p>of old</p>", markup_version=0)
    call_command("rerender_posts")
    post.refresh_from_db()
    assert post.html == "<p>Prices have nearly doubled since I joined.</p>\n"
    assert (post.markup_version, post.edited_at) == (MARKUP_VERSION, None)
    assert not post.revisions.exists()
    before = Thread.objects.get(pk=thread.pk).version
    call_command("rerender_posts", "--all")
    assert Thread.objects.get(pk=thread.pk).version == before
