"""What the tests of importers share: bringing a source in, and all rows an import may write."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import Model

from community.groups.models import Group
from community.importing.engine import Counts, Into, Source
from community.importing.engine import bring as bring_source
from community.importing.spool import Bad
from community.threads.models import Thread
from config.models import OutboxEvent


def everything() -> list[list[dict[str, Any]]]:
    """All rows of the community, and what was announced."""
    models: list[type[Model]] = [*apps.get_app_config("community").get_models(), OutboxEvent]
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def bring(source: Source, into: Into | Group, bad: list[Bad] | None = None) -> Counts:
    into = Into(group=into) if isinstance(into, Group) else into
    return bring_source(source, into, skipped=(bad if bad is not None else []).append)


def bring_twice(source: Source, into: Into | Group) -> Counts:
    """Bring all in, then again; return what the second run counted, which wrote no row."""
    bring(source, into)
    before = everything()
    counts = bring(source, into)
    assert everything() == before
    assert (counts.threads, counts.replies, counts.comments, counts.members) == (0, 0, 0, 0)
    return counts


def ensure_counters_are_right() -> None:
    """Counters a thread and a group carry are what its rows add up to."""
    for thread in Thread.objects.all():
        posts = list(thread.posts.order_by("number"))
        last = max(posts, key=lambda post: (post.created_at, post.number))
        assert thread.reply_count == len(posts) - 1
        assert [post.number for post in posts] == list(range(1, thread.last_number + 1))
        assert (thread.last_post_at, thread.last_post_by_id) == (last.created_at, last.author_id)
        assert (thread.created_at, thread.author_id) == (posts[0].created_at, posts[0].author_id)
    for group in Group.objects.all():
        threads = list(group.threads.all())
        assert group.thread_count == len(threads)
        assert group.member_count == group.memberships.count()
        assert group.last_post_at == max((t.last_post_at for t in threads), default=None)
