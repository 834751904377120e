"""The overlay of a thread's page: one query, whatever is on the page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from community.members.blocking import remember
from community.members.models import Member
from community.threads.marks import BY_HAND, FollowLevel
from community.threads.models import Thread
from community.threads.unread import COUNT_UNREAD, COUNTED, new_said
from config.prepared import prepared_cursor


@dataclass(frozen=True, slots=True)
class Mine:
    """What is `member`'s on a page of `thread`."""

    member: int
    thread: int
    read: int  # all posts up to this number were read; 0 when never opened
    level: FollowLevel  # of the thread itself
    unread: int = 0  # COUNTED at most
    first: int | None = None  # the number of the first unread post
    reactions: dict[str, list[str]] = field(default_factory=dict)  # by post
    bookmarks: frozenset[int] = frozenset()  # posts
    folded: frozenset[int] = frozenset()  # members

    @property
    def divides(self) -> int | None:
        """The number of the post below "New since your last visit"; not on a first visit."""
        return self.first if self.first is not None and self.first > 1 else None

    @property
    def new_said(self) -> str:
        return new_said(self.unread)

    def as_dict(self) -> dict[str, Any]:
        """As the page carries it, for lib/mine.js."""
        posts: dict[str, dict[str, Any]] = {}
        for post, names in self.reactions.items():
            posts.setdefault(post, {})["reactions"] = names
        for post in sorted(map(str, self.bookmarks)):
            posts.setdefault(post, {})["bookmark"] = True
        return {
            "member": self.member,
            "thread": self.thread,
            "read": self.read,
            "first": self.divides,
            "level": self.level,
            "posts": posts,
            "folded": sorted(self.folded),
        }


def overlay(member: Member, thread: Thread, posts: Iterable[int]) -> Mine:
    """Look up what is `member`'s among `posts` (their keys) of a thread they may read.

    One query.

    Whom they fold is remembered for the rest of the request.
    """
    with prepared_cursor() as cursor:
        cursor.execute(
            _MINE,
            {
                "member": member.pk,
                "floor": member.all_read_at,
                "thread": thread.pk,
                "posts": list(posts),
                "by_hand": BY_HAND,
                "counted": COUNTED,
            },
        )
        found = cursor.fetchone()[0]
    known = json.loads(found) if isinstance(found, str) else found
    folded = frozenset(known["folded"] or ())
    remember(member, folded)
    level = known["level"]
    return Mine(
        member=member.pk,
        thread=thread.pk,
        read=known["read"],
        level=FollowLevel.NORMAL if level is None else FollowLevel(level),
        unread=known["unread"],
        first=known["first"],
        reactions=known["reactions"] or {},
        bookmarks=frozenset(known["bookmarks"] or ()),
        folded=folded,
    )


# A thread never opened has nothing new since a last visit: its first unread post is the first.
_MINE = f"""
    SELECT jsonb_build_object(
        'read', mark.number,
        'level', (
            SELECT level FROM community_follow
            WHERE member_id = %(member)s AND thread_id = thread.id
        ),
        'unread', new.posts,
        'first', new.first,
        'reactions', (
            SELECT jsonb_object_agg(post_id, names) FROM (
                SELECT post_id, jsonb_agg(name ORDER BY name) AS names FROM community_reaction
                WHERE member_id = %(member)s AND post_id = ANY(%(posts)s) GROUP BY post_id
            ) AS given
        ),
        'bookmarks', (
            SELECT jsonb_agg(post_id) FROM community_bookmark
            WHERE member_id = %(member)s AND post_id = ANY(%(posts)s)
        ),
        'folded', (SELECT jsonb_agg(of_id) FROM community_block WHERE by_id = %(member)s)
    )
    FROM community_thread AS thread
    LEFT JOIN community_readmark AS known
        ON known.thread_id = thread.id AND known.member_id = %(member)s
    LEFT JOIN community_membership AS place
        ON place.group_id = thread.group_id AND place.member_id = %(member)s
    CROSS JOIN LATERAL (
        SELECT COALESCE(known.number, 0) AS number,
            COALESCE(known.read_at = %(by_hand)s, false) AS by_hand
    ) AS mark
    CROSS JOIN LATERAL ({COUNT_UNREAD}) AS new
    WHERE thread.id = %(thread)s
"""  # noqa: S608
