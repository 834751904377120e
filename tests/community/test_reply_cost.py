"""What a reply asks of PostgreSQL, all in, and what two of the same press come to."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.threads.errors import SlowMode
from community.threads.models import Post, Thread
from community.threads.services import publish_post
from tests.factories import make_post


def press(client: Client, thread: Thread, body: str = "Check the seals.", key: str = "") -> None:
    form = {"body": body, "client_key": key or str(uuid.uuid4())}
    assert client.post(f"/t/{thread.pk}/replies/", form).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prepared", [True, False])
def test_a_reply_costs_twelve_statements(as_bo, thread, settings, prepared):
    settings.DATABASE_PREPARED = prepared
    settings.GUEST_PAGES_SECONDS = 30
    press(as_bo, thread)
    with CaptureQueriesContext(connection) as spent:
        press(as_bo, thread)
    # Session, member, thread, submitted; begin, thread locked, post, event, marks, counters,
    # commit; hints.
    assert len(spent) == 12


def test_a_key_that_was_used_is_found_before_slow_mode_or_a_lock_refuses(bo, thread):
    key = uuid.uuid4()
    first = publish_post(author=bo, thread=thread, body="Once.", client_key=key)
    Thread.objects.update(slow_mode_seconds=600)
    assert publish_post(author=bo, thread=thread, body="Once.", client_key=key) == first
    with pytest.raises(SlowMode):
        publish_post(author=bo, thread=thread, body="Twice.", client_key=uuid.uuid4())
    assert Post.objects.filter(author=bo).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_make_one_post_in_slow_mode(bo, thread):
    Thread.objects.update(slow_mode_seconds=600)
    key, together, made = uuid.uuid4(), threading.Barrier(2), []

    def write() -> None:
        together.wait(10)
        made.append(publish_post(author=bo, thread=thread, body="Once.", client_key=key).pk)
        connection.close()

    both = [threading.Thread(target=write) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(20)
    assert len(made) == 2
    assert len(set(made)) == 1


def test_a_reply_dated_earlier_leaves_the_last_post_of_thread_and_group(ada, bo, thread):
    thread.refresh_from_db()
    last = thread.last_post_at
    make_post(bo, thread, at=last.replace(year=last.year - 1))
    thread.refresh_from_db()
    assert (thread.last_post_at, thread.last_post_by, thread.reply_count) == (last, ada, 1)
    assert thread.group.last_post_at == last
