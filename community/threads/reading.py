"""How far members have read, and what it says of their day.

A mark grows by reading and shrinks only by hand. What is before "all read" counts as read,
whatever the mark says; a mark keeps the place all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from community.groups.models import Group, Membership
from community.members.models import Member
from community.threads.marks import BY_HAND, ReadMark
from community.threads.models import Post
from config.redis import breaker, client

REPORT_MAX_SECONDS: Final = 60  # pages tell every 5 s while somebody reads
POSTS_PER_SECOND: Final = 4  # faster is scrolling, which moves the mark but earns nothing
TRIES: Final = 2  # one more for who reported first at the same moment as another device
A_DAY_SECONDS: Final = 24 * 3600

# Told of a member whose day was written; features above join in community/apps.py.
AFTER_READING: list[Callable[[Member], None]] = []


def read_up_to(
    *, member: Member, thread_id: int, number: int, seen: int = 0, seconds: int = 0
) -> int:
    """Note that `member` has read the thread up to post `number`; return where the mark is now.

    `seen` and `seconds` are what a page claims to have shown, for how long; the day gets no more
    than is there to read, than wall time has passed since the last claim of any of the member's
    pages, and than POSTS_PER_SECOND. The caller asked whether they may read. One statement;
    two for a thread that is gone.
    """
    seconds = _believed(member, seconds)
    now = timezone.now()
    told: dict[str, int | datetime | date] = {
        "member": member.pk,
        "thread": thread_id,
        "number": number,
        "posts": max(0, min(seen, seconds * POSTS_PER_SECOND)),
        "seconds": seconds,
        "now": now,
        "today": now.date(),
        "by_hand": BY_HAND,
    }
    row = None
    with connection.cursor() as cursor:
        for _ in range(TRIES):
            cursor.execute(_READ, told)
            if row := cursor.fetchone():
                break
    for tell in AFTER_READING:
        tell(member)
    return int(row[0]) if row else 0


# `before` waits for the member's other device: what both have shown is read once. `marked` asks it,
# so that it comes first: a row this statement wrote can no longer be locked by it. Of two first
# reports at once neither sees a row to wait for: the second finds it when it writes, then writes
# nothing at all and gives no row back, so that it can be asked again.
_READ = """
    WITH thread AS (
        SELECT id, last_number, LEAST(%(number)s, last_number) AS number
        FROM community_thread WHERE id = %(thread)s
    ), before AS MATERIALIZED (
        SELECT number, read_at FROM community_readmark
        WHERE member_id = %(member)s AND thread_id = %(thread)s FOR UPDATE
    ), newly AS (
        SELECT count(*) AS posts FROM community_post AS post, thread
        WHERE post.thread_id = thread.id AND post.number <= thread.number
          AND post.number > COALESCE((SELECT number FROM before), 0)
          AND post.hidden_at IS NULL AND post.author_id <> %(member)s
    ), marked AS (
        INSERT INTO community_readmark AS mark (member_id, thread_id, number, read_at)
        SELECT %(member)s, id, GREATEST(number, (SELECT number FROM before)), %(now)s FROM thread
        ON CONFLICT (member_id, thread_id) DO UPDATE SET
            number = GREATEST(mark.number, EXCLUDED.number),
            read_at = CASE
                WHEN mark.read_at = %(by_hand)s
                    AND EXCLUDED.number < (SELECT last_number FROM thread) THEN mark.read_at
                ELSE EXCLUDED.read_at
            END
        WHERE EXISTS (SELECT FROM before)
        RETURNING number
    ), today AS (
        INSERT INTO community_readingday AS day (member_id, "on", posts, threads, seconds)
        SELECT %(member)s, %(today)s, LEAST(newly.posts, %(posts)s), CASE WHEN EXISTS (
            SELECT FROM before WHERE read_at = %(by_hand)s OR read_at >= %(today)s
        ) THEN 0 ELSE 1 END, %(seconds)s
        FROM newly, marked
        ON CONFLICT (member_id, "on") DO UPDATE SET
            posts = day.posts + EXCLUDED.posts,
            threads = day.threads + EXCLUDED.threads,
            seconds = LEAST(86400, day.seconds + EXCLUDED.seconds)
    )
    SELECT number FROM marked
"""


def mark_unread(*, member: Member, post: Post) -> None:
    """Let the post and all after it be unread again. What was unread before stays so."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO community_readmark AS mark (member_id, thread_id, number, read_at)
            VALUES (%(member)s, %(thread)s, %(number)s, %(by_hand)s)
            ON CONFLICT (member_id, thread_id) DO UPDATE SET
                number = LEAST(mark.number, EXCLUDED.number), read_at = EXCLUDED.read_at
            """,
            {
                "member": member.pk,
                "thread": post.thread_id,
                "number": post.number - 1,
                "by_hand": BY_HAND,
            },
        )


@transaction.atomic
def mark_all_read(
    *, member: Member, group: Group | None = None, up_to: datetime | None = None
) -> None:
    """Let all posts of the site, or of a group, up to an instant (now when None) be read.

    `up_to` is when the list was drawn that the member looked at; the future counts as now. It
    never goes back: another device may have said later.
    """
    now = timezone.now()
    at = min(up_to, now) if up_to else now
    by_hand = ReadMark.objects.filter(member=member, read_at=BY_HAND)
    if group is None:
        Member.objects.filter(pk=member.pk, all_read_at__lt=at).update(all_read_at=at)
        member.all_read_at = max(member.all_read_at, at)
        by_hand.update(read_at=at)
        return
    place = Membership.objects.filter(member=member, group=group)
    # GREATEST passes over NULL.
    if place.update(all_read_at=Greatest(F("all_read_at"), at)):
        by_hand.filter(thread__group=group).update(read_at=at)
    else:  # a public group they are not in: nothing keeps an instant for it
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE community_readmark AS mark
                SET number = GREATEST(mark.number, thread.last_number), read_at = %(at)s
                FROM community_thread AS thread
                WHERE mark.member_id = %(member)s AND thread.id = mark.thread_id
                  AND thread.group_id = %(group)s
                """,
                {"member": member.pk, "group": group.pk, "at": at},
            )


def _believed(member: Member, seconds: int) -> int:
    """Cut claimed seconds to the wall time since the member's last claim, on any device.

    Without Redis only each claim is bounded, and the day by its seconds.
    """
    claimed = max(0, min(seconds, REPORT_MAX_SECONDS))
    key, now = f"reading:{member.pk}", time.time()
    before = breaker().call(
        lambda: client().set(key, f"{now:.3f}", ex=A_DAY_SECONDS, get=True), otherwise=None
    )
    if not isinstance(before, bytes):
        return claimed
    return min(claimed, max(0, int(now - float(before))))
