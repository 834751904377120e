"""Hints for pages on which a thread is open: somebody posted, somebody is writing.

They go to the sockets that asked for this thread and were allowed to (chat.consumers); a page
fetches what it shows. Nothing here is stored, and nothing fails while Redis is away.
"""

from __future__ import annotations

from typing import Final

from community.members.models import Member
from community.threads.models import Post, Thread
from config.redis import announce, breaker, client

CHANNEL: Final = "shoal:threads"
TYPING_EVERY_SECONDS: Final = 3


def room_of(thread_id: int) -> str:
    """The name under which pages ask for a thread's hints."""
    return f"thread:{thread_id}"


def announce_post(post: Post) -> None:
    """Tell open pages of a new post. Call it after commit."""
    announce(
        CHANNEL,
        {
            "type": "posted",
            "room": room_of(post.thread_id),
            "number": post.number,
            "author": post.author_id,
        },
    )


def announce_typing(member: Member, thread: Thread) -> bool:
    """Tell open pages that a member is writing, at most once in TYPING_EVERY_SECONDS.

    The caller asked whether they may write. Without Redis nobody hears.
    """
    key = f"typing:{thread.pk}:{member.pk}"
    first = breaker().call(
        lambda: client().set(key, 1, ex=TYPING_EVERY_SECONDS, nx=True), otherwise=None
    )
    return bool(first) and announce(
        CHANNEL,
        {
            "type": "typing",
            "room": room_of(thread.pk),
            "member": member.pk,
            "name": member.get_short_name(),
        },
    )
