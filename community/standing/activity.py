"""How active members are, for the directory: posts everybody can read, of the last 90 days."""

from __future__ import annotations

from typing import Final

from django.db import connection

ACTIVITY_DAYS: Final = 90


def count_activity() -> int:
    """Count anew and return how many members' figures changed. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"days": ACTIVITY_DAYS})
        return int(cursor.rowcount)


_COUNT = """
    WITH lately AS (
        SELECT post.author_id, count(*) AS posts FROM community_post AS post
        JOIN community_thread AS thread ON thread.id = post.thread_id AND thread.is_listed
        JOIN community_group AS grp ON grp.id = thread.group_id AND grp.join_mode <> 'hidden'
        WHERE post.hidden_at IS NULL
          AND post.created_at > statement_timestamp() - make_interval(days => %(days)s)
        GROUP BY post.author_id
    )
    UPDATE community_member AS member SET activity = counted.posts
    FROM (
        SELECT member.id, COALESCE(lately.posts, 0) AS posts
        FROM community_member AS member LEFT JOIN lately ON lately.author_id = member.id
    ) AS counted
    WHERE counted.id = member.id AND member.activity <> counted.posts
"""
