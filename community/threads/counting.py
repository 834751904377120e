"""What a thread and a group count, told again from their posts."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import F, Max

from community.groups.models import Group
from community.threads.models import Post, Thread

COUNTED = ("reply_count", "is_listed", "last_post_at", "last_post_by", "answer")


def recount(thread: Thread) -> None:
    """Set what follows from the posts of a locked thread: COUNTED. Not saved. Two queries.

    A thread whose opening post is hidden, or that was merged into another, is not listed.
    """
    shown = Post.objects.filter(thread=thread, hidden_at__isnull=True)
    numbers = set(shown.values_list("number", flat=True))
    last = shown.order_by("-created_at", "-number").select_related("author").first()
    thread.reply_count = len(numbers - {1})
    thread.is_listed = 1 in numbers and thread.merged_into_id is None
    if last is not None:
        thread.last_post_at, thread.last_post_by = last.created_at, last.author
    if thread.answer_id is not None:
        answer = shown.filter(pk=thread.answer_id, number__gt=1)
        if not answer.exists():
            thread.answer = None


def groups_follow(shifts: Mapping[int, int]) -> None:
    """Add to the thread counts of groups, by id, and date them by their last listed post.

    Last of all in a verb and in the order of ids: many threads share these rows.
    """
    for pk, shift in sorted(shifts.items()):
        listed = Thread.objects.filter(group=pk, is_listed=True)
        Group.objects.filter(pk=pk).update(
            thread_count=F("thread_count") + shift,
            last_post_at=listed.aggregate(latest=Max("last_post_at"))["latest"],
        )
