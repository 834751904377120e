"""What is unread, new or muted for a member: conditions for lists, and exact counts for rows.

A post is unread when it is shown, by somebody else whom the member does not fold, numbered above
the member's mark, and written after the later of "all read" of the site and of its group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import ngettext

from community.members.models import Block, Member
from community.threads.marks import BY_HAND, Follow, FollowLevel, ReadMark
from community.threads.models import Thread, ThreadQuerySet, ThreadTag
from config.prepared import prepared_cursor

# A thread's unread posts are counted up to so many, whatever has been written in it since.
COUNTED: Final = 500
_NAMED: Final = re.compile(r"%\((\w+)\)s")


Threads = TypeVar("Threads", bound=ThreadQuerySet)


def unread(threads: Threads, member: Member) -> Threads:
    """Those opened, or followed at TRACKING or more, in which posts came after the mark."""
    about = _about(member)
    # The ORM passes values by place, not by name.
    values = tuple(about[name] for name in _NAMED.findall(_UNREAD_THREADS))
    ids = RawSQL(_NAMED.sub("%s", _UNREAD_THREADS), values)  # noqa: S611 - our own text
    found = threads.visible_to(member).filter(pk__in=ids, is_listed=True)
    return not_muted(found, member)


def new(threads: Threads, member: Member) -> Threads:
    """Those begun in the member's groups since all was read, and never opened."""
    floor = member.all_read_at
    found = threads.filter(
        Q(group__memberships__all_read_at=None)
        | Q(created_at__gt=F("group__memberships__all_read_at")),
        ~Exists(ReadMark.objects.filter(thread=OuterRef("pk"), member=member)),
        ~Exists(Block.objects.filter(by=member, of=OuterRef("author_id"))),
        ~Q(author=member),
        group__memberships__member=member,
        is_listed=True,
        created_at__gt=floor,
        last_post_at__gt=floor,  # says nothing more, and has an index
    )
    return not_muted(found, member)


def not_muted(
    threads: Threads, member: Member, *, within_group: bool = False, within_tag: bool = False
) -> Threads:
    """Without what the member muted: threads, those with a muted tag, those of muted groups.

    What they chose for the thread itself goes before its tags and its group. `within_group`: on a
    group's own pages the group's mute does not count; `within_tag`: nor tags' where one was chosen.
    """
    own = Follow.objects.filter(member=member, thread=OuterRef("pk"))
    muted = Follow.objects.filter(member=member, level=FollowLevel.MUTED)
    tagged = ThreadTag.objects.filter(
        thread=OuterRef("pk"), tag__in=muted.filter(tag__isnull=False).values("tag")
    )
    around = Q()
    if not within_tag:
        around |= Q(Exists(tagged))
    if not within_group:
        around |= Q(group__in=muted.filter(group__isnull=False).values("group"))
    left = threads.filter(~Exists(own.filter(level=FollowLevel.MUTED)))
    return left.filter(~around | Exists(own.filter(is_chosen=True))) if around else left


def unread_counts(member: Member, threads: Iterable[Thread]) -> dict[int, tuple[int, int]]:
    """Return for each thread with unread posts how many, and the number of the first of them.

    Counted are threads opened, followed at TRACKING or more, or begun since all was read; of one
    never opened the first is 1. Counted are COUNTED at most. One query for all rows of a list.
    """
    ids = [thread.pk for thread in threads]
    if not ids:
        return {}
    with prepared_cursor() as cursor:
        cursor.execute(_UNREAD_COUNTS, {**_about(member), "ids": ids})
        return {pk: (count, first) for pk, count, first in cursor.fetchall()}


def first_unread(member: Member, thread: Thread) -> int | None:
    """Return the number of the first unread post. One query."""
    found = unread_counts(member, [thread]).get(thread.pk)
    return found[1] if found else None


def new_said(unread: int) -> str:
    """Say how many posts are new: "3 new"; "500+ new" where they were counted no further."""
    shown = f"{COUNTED}+" if unread >= COUNTED else unread
    return ngettext("%(n)s new", "%(n)s new", unread) % {"n": shown}


def _about(member: Member) -> dict[str, Any]:
    return {
        "member": member.pk,
        "floor": member.all_read_at,
        "by_hand": BY_HAND,
        "tracking": FollowLevel.TRACKING,
        "muted": FollowLevel.MUTED,
        "counted": COUNTED,
    }


# What a post needs to be unread, beside `thread`, `mark` (number, by_hand) and `place`.
UNREAD_POST = """
    post.thread_id = thread.id AND post.number > mark.number AND post.hidden_at IS NULL
    AND post.author_id <> %(member)s
    AND (mark.by_hand OR post.created_at > GREATEST(%(floor)s, place.all_read_at))
    AND NOT EXISTS (
        SELECT FROM community_block AS block
        WHERE block.by_id = %(member)s AND block.of_id = post.author_id
    )
"""

# How many (posts) and the number of the first, in order of the index on numbers, so that counting
# ends at the limit.
COUNT_UNREAD = f"""
    SELECT count(*) AS posts, min(unread.number) AS first
    FROM (
        SELECT post.number FROM community_post AS post
        WHERE thread.last_number > mark.number
          AND (mark.by_hand OR thread.last_post_at > GREATEST(%(floor)s, place.all_read_at))
          AND {UNREAD_POST}
        ORDER BY post.number LIMIT %(counted)s
    ) AS unread
"""  # noqa: S608

_UNREAD_THREADS = f"""
    SELECT thread.id
    FROM (
        SELECT thread_id, number, read_at = %(by_hand)s AS by_hand
        FROM community_readmark WHERE member_id = %(member)s
        UNION ALL
        SELECT follow.thread_id, 0, false
        FROM community_follow AS follow
        WHERE follow.member_id = %(member)s AND follow.thread_id IS NOT NULL
          AND follow.level >= %(tracking)s
          AND NOT EXISTS (
            SELECT FROM community_readmark AS other
            WHERE other.member_id = %(member)s AND other.thread_id = follow.thread_id
          )
    ) AS mark
    JOIN community_thread AS thread ON thread.id = mark.thread_id
    LEFT JOIN community_membership AS place
        ON place.group_id = thread.group_id AND place.member_id = %(member)s
    WHERE thread.last_number > mark.number
      AND (mark.by_hand OR thread.last_post_at > GREATEST(%(floor)s, place.all_read_at))
      AND EXISTS (SELECT FROM community_post AS post WHERE {UNREAD_POST})
"""  # noqa: S608

_UNREAD_COUNTS = f"""
    SELECT thread.id, new.posts, new.first
    FROM community_thread AS thread
    LEFT JOIN community_readmark AS known
        ON known.thread_id = thread.id AND known.member_id = %(member)s
    LEFT JOIN community_follow AS follow
        ON follow.thread_id = thread.id AND follow.member_id = %(member)s
    LEFT JOIN community_membership AS place
        ON place.group_id = thread.group_id AND place.member_id = %(member)s
    CROSS JOIN LATERAL (
        SELECT COALESCE(known.number, 0) AS number,
            COALESCE(known.read_at = %(by_hand)s, false) AS by_hand
    ) AS mark
    CROSS JOIN LATERAL ({COUNT_UNREAD}) AS new
    WHERE thread.id = ANY(%(ids)s)
      AND thread.last_number > mark.number
      AND follow.level IS DISTINCT FROM %(muted)s
      AND (known.id IS NOT NULL OR follow.level >= %(tracking)s
        OR thread.created_at > GREATEST(%(floor)s, place.all_read_at))
      AND new.posts > 0
"""  # noqa: S608
