"""How often a member may do what others' pages or our workers have to follow.

Messages are counted where they are (chat.services). Changes leave no row each, so they are counted
in Redis; while it is away nobody is held up.
"""

from __future__ import annotations

import time

from community.members.models import Member
from config.redis import breaker, client


def is_over(what: str, member: Member, *, most: int, seconds: int) -> bool:
    """Count one more of `what`; True when there were over `most` of it in the last `seconds`.

    The clock is cut into spans of that length, so at most twice as many fit around a cut.
    """
    key = f"pace:{what}:{member.pk}:{int(time.time()) // seconds}"

    def count() -> int:
        with client().pipeline() as both:
            both.incr(key)
            both.expire(key, seconds)
            return int(both.execute()[0])

    return breaker().call(count, otherwise=0) > most
