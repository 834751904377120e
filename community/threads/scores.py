"""How much threads moved people in a period: what the top lists are ordered by.

Since the period began, a day, a week, 30 or 365 days ago: 2 points for each reply, 3 more for each
member who wrote one (many voices before many posts), 1 for each reaction to a post of the thread.
The author's own replies and reactions count nothing, nor do hidden posts and unlisted threads.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from community.threads.models import ThreadScore

POINTS_A_REPLY: Final = 2
POINTS_A_VOICE: Final = 3
POINTS_A_REACTION: Final = 1
PERIODS: Final = {
    ThreadScore.Period.DAY: timedelta(days=1),
    ThreadScore.Period.WEEK: timedelta(days=7),
    ThreadScore.Period.MONTH: timedelta(days=30),
    ThreadScore.Period.YEAR: timedelta(days=365),
}
LIMIT: Final = 20_000  # threads a period
_LOCK: Final = 0x11571
STATEMENT_TIMEOUT_MS: Final = 45_000

# Rows that say the same as before are not written again: most threads of a year rest.
_REFRESH: Final = """
WITH said AS (
    SELECT post.thread_id,
           %(reply)s * count(*) + %(voice)s * count(DISTINCT post.author_id) AS points
    FROM community_post AS post
    JOIN community_thread AS thread ON thread.id = post.thread_id
    WHERE post.created_at >= %(since)s AND post.created_at <= %(now)s AND post.number > 1
      AND post.hidden_at IS NULL AND thread.is_listed AND post.author_id <> thread.author_id
    GROUP BY post.thread_id
), felt AS (
    SELECT post.thread_id, %(reaction)s * count(*) AS points
    FROM community_reaction AS reaction
    JOIN community_post AS post ON post.id = reaction.post_id
    JOIN community_thread AS thread ON thread.id = post.thread_id
    WHERE reaction.given_at >= %(since)s AND reaction.given_at <= %(now)s
      AND post.hidden_at IS NULL AND thread.is_listed AND reaction.member_id <> post.author_id
    GROUP BY post.thread_id
), told AS (
    SELECT thread_id, least(sum(points), 2000000000)::int AS score
    FROM (SELECT * FROM said UNION ALL SELECT * FROM felt) AS counted
    GROUP BY thread_id
    ORDER BY 2 DESC, 1 DESC
    LIMIT %(limit)s
), gone AS (
    DELETE FROM community_threadscore AS old
    WHERE old.period = %(period)s
      AND NOT EXISTS (SELECT 1 FROM told WHERE told.thread_id = old.thread_id)
    RETURNING 1
), written AS (
    INSERT INTO community_threadscore AS old (thread_id, period, score)
    SELECT thread_id, %(period)s, score FROM told
    ON CONFLICT (thread_id, period) DO UPDATE SET score = excluded.score
    WHERE old.score <> excluded.score
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM written)
"""


def refresh_scores(now: datetime | None = None) -> int:
    """Tell the scores of all periods again; return how many rows were written or deleted.

    Costs as much as there are posts and reactions since the longest period began; only what changed
    is written. Runs once at a time: a second one beside it does nothing.
    """
    now = now or timezone.now()
    written = 0
    for period, length in PERIODS.items():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return written
            cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")
            cursor.execute(
                _REFRESH,
                {
                    "period": period,
                    "since": now - length,
                    "now": now,
                    "limit": LIMIT,
                    "reply": POINTS_A_REPLY,
                    "voice": POINTS_A_VOICE,
                    "reaction": POINTS_A_REACTION,
                },
            )
            written += int(cursor.fetchone()[0])
    return written
