"""Documents in bulk, without the posts behind them, and posts with theirs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from community.members.models import Member
from community.search.documents import Draft, Kind
from community.search.services import put_drafts, write_documents
from community.threads.models import Post, Thread
from tests.factories import make_thread

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)

_ids = itertools.count(1_000_000)


def draft(text: str = "", title: str = "", tags: str = "", group_id: int | None = None) -> Draft:
    """A draft of an opening post that does not exist."""
    object_id = next(_ids)
    return Draft(
        kind=Kind.POST,
        object_id=object_id,
        group_id=group_id,
        thread_id=None,
        author_id=None,
        is_opening=bool(title),
        created_at=MOMENT + timedelta(minutes=object_id - 1_000_000),
        title=title,
        tags=tags,
        text=text,
        language="english",
    )


def put(drafts: Sequence[Draft]) -> list[int]:
    """Write drafts and return their object ids."""
    ids = [one.object_id for one in drafts]
    put_drafts(Kind.POST, ids, drafts)
    return ids


def index(*threads: Thread) -> None:
    """Write the documents of all posts of these threads."""
    ids = Post.objects.filter(thread__in=threads).values_list("pk", flat=True)
    write_documents(Kind.POST, list(ids))


def searchable_thread(author: Member, group, title: str, body: str, *replies: str) -> Thread:
    """A thread with replies by its author, in the index."""
    from tests.factories import make_post

    thread = make_thread(author, group, title=title, body=body)
    for reply in replies:
        make_post(author, thread, reply)
    index(thread)
    return thread
