"""How closely a member follows threads, tags and groups."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from community.groups.models import Group
from community.members.models import Member, Viewer
from community.tags.models import Tag
from community.threads.marks import BY_HAND, Follow, FollowLevel
from community.threads.models import Thread
from config.prepared import prepared_cursor

Followed = Thread | Tag | Group


@transaction.atomic
def follow(*, member: Member, what: Followed, level: int) -> None:
    """Follow a thread, tag or group at a FollowLevel; the last one chosen counts.

    A thread keeps a chosen NORMAL, so that writing in it does not begin to track it again; of tags
    and groups no row is NORMAL. Raises ValueError for a level there is not.
    """
    level = FollowLevel(level)
    if level == FollowLevel.NORMAL and not isinstance(what, Thread):
        Follow.objects.filter(member=member, **_named(what)).delete()
        return
    chosen: dict[str, Any] = {"level": level, "is_chosen": True, "changed_at": timezone.now()}
    Follow.objects.update_or_create(defaults=chosen, member=member, **_named(what))


def level_of(viewer: Viewer, what: Followed) -> FollowLevel:
    """How closely `viewer` follows just this; NORMAL for a guest.

    One query, none where it came with a group.
    """
    if not isinstance(viewer, Member):
        return FollowLevel.NORMAL
    if getattr(what, "noted_of", None) == viewer.pk:
        level: int | None = what.follow_level  # type: ignore[union-attr]
        return FollowLevel.NORMAL if level is None else FollowLevel(level)
    found = Follow.objects.filter(member=viewer, **_named(what)).values_list("level", flat=True)
    return FollowLevel(next(iter(found), FollowLevel.NORMAL))


def wrote(*, member: Member, thread: Thread, number: int, seen: int, at: datetime) -> None:
    """Let the writer of post `number` track the thread, unless they chose otherwise.

    Their mark grows to `seen`, the last post in front of them, and to their own post when nothing
    by others stands between. One statement.
    """
    with prepared_cursor() as cursor:
        cursor.execute(
            _WROTE,
            {
                "member": member.pk,
                "thread": thread.pk,
                "number": number,
                "seen": min(seen, number),
                "at": at,
                "by_hand": BY_HAND,
                "tracking": FollowLevel.TRACKING,
            },
        )


_WROTE = """
    WITH tracked AS (
        INSERT INTO community_follow (member_id, thread_id, level, is_chosen, changed_at)
        VALUES (%(member)s, %(thread)s, %(tracking)s, false, %(at)s)
        ON CONFLICT (member_id, thread_id) WHERE thread_id IS NOT NULL DO NOTHING
    ), before AS (
        SELECT GREATEST(%(seen)s, (
            SELECT number FROM community_readmark
            WHERE member_id = %(member)s AND thread_id = %(thread)s
        )) AS number
    )
    INSERT INTO community_readmark AS mark (member_id, thread_id, number, read_at)
    SELECT %(member)s, %(thread)s, CASE WHEN EXISTS (
        SELECT FROM community_post
        WHERE thread_id = %(thread)s AND number > before.number AND number < %(number)s
          AND hidden_at IS NULL AND author_id <> %(member)s
    ) THEN before.number ELSE %(number)s END, %(at)s
    FROM before
    ON CONFLICT (member_id, thread_id) DO UPDATE SET
        number = GREATEST(mark.number, EXCLUDED.number),
        read_at = CASE
            WHEN mark.read_at = %(by_hand)s AND EXCLUDED.number < %(number)s THEN mark.read_at
            ELSE GREATEST(mark.read_at, EXCLUDED.read_at)
        END
"""


def _named(what: Followed) -> dict[str, Any]:
    return {type(what).__name__.lower(): what}
