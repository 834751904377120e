"""What search does when something it knows of appears, changes or goes."""

from __future__ import annotations

from community.events import (
    GroupChanged,
    MemberChanged,
    MemberJoined,
    MessageEdited,
    MessageHiddenChanged,
    MessageSent,
    PostEdited,
    PostHiddenChanged,
    PostPublished,
    ThreadChanged,
)
from community.search.documents import Kind
from community.search.messages import write_messages
from community.search.models import SearchDocument
from community.search.services import BATCH, follow_groups, write_documents
from community.threads.models import Post


def index_published_post(event: PostPublished) -> None:
    write_documents(Kind.POST, [event.post_id])


def index_edited_post(event: PostEdited) -> None:
    write_documents(Kind.POST, [event.post_id])


def index_hidden_or_shown_post(event: PostHiddenChanged) -> None:
    write_documents(Kind.POST, [event.post_id])


def index_changed_thread(event: ThreadChanged) -> None:
    """All its posts: the title and tags stand at the first, the group at each."""
    # Posts that left for another thread are written by that thread's event.
    here = list(
        Post.objects.filter(thread_id=event.thread_id).order_by("pk").values_list("pk", flat=True)
    )
    for first in range(0, len(here), BATCH):
        write_documents(Kind.POST, here[first : first + BATCH])


def index_sent_message(event: MessageSent) -> None:
    write_messages([event.message_id])


def index_edited_message(event: MessageEdited) -> None:
    write_messages([event.message_id])


def index_hidden_or_shown_message(event: MessageHiddenChanged) -> None:
    write_messages([event.message_id])


def index_changed_member(event: MemberChanged) -> None:
    write_documents(Kind.MEMBER, [event.member_id])


def index_joined_member(event: MemberJoined) -> None:
    """The first group is joined soon after signing up, and its owner joins a new group."""
    _write_if_missing(Kind.MEMBER, event.member_id)
    _write_if_missing(Kind.GROUP, event.group_id)


def index_changed_group(event: GroupChanged) -> None:
    """A group that turned hidden takes its words out of the counts, and back."""
    write_documents(Kind.GROUP, [event.group_id])
    follow_groups()


def _write_if_missing(kind: str, object_id: int) -> None:
    if not SearchDocument.objects.filter(kind=kind, object_id=object_id).exists():
        write_documents(kind, [object_id])
