"""What members did, as trust levels ask it: a fixed number of queries for any number of members."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from community.groups.models import JoinMode
from community.members.models import Member
from community.reactions.models import Reaction
from community.standing.levels import Record, Site
from community.threads.marks import ReadingDay, ReadMark
from community.threads.models import Post, Thread

# Each is asked who of the members was silenced or suspended since the instant. Moderation joins
# in its apps.py.
PENALISED: list[Callable[[Collection[int], datetime], set[int]]] = []


def records_of(members: Iterable[Member], now: datetime) -> dict[int, Record]:
    """Return each member's record. Six queries, and those of PENALISED."""
    members = list(members)
    ids = [member.pk for member in members]
    since = now - timedelta(days=settings.TRUST_RECENT_DAYS)
    facts: dict[int, dict[str, Any]] = {
        member.pk: {"account_minutes": max(0, int((now - member.joined_at).total_seconds()) // 60)}
        for member in members
    }
    for rows in (
        _reading(ids, since),
        _opened(ids, since),
        _given(ids, since),
        _received(ids, since),
        _replied(ids, since),
        _hidden(ids, since),
    ):
        for row in rows:
            of = facts[row.pop("of")]
            of.update({name: value or 0 for name, value in row.items()})
    penalised: set[int] = set()
    for ask in PENALISED:
        penalised |= ask(ids, since)
    for pk, found in facts.items():
        found["minutes_read"] = found.pop("seconds", 0) // 60
        found["is_penalised"] = pk in penalised
    return {pk: Record(**found) for pk, found in facts.items()}


def writing_of(ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Return in how many threads members wrote, and how many posts by others stand above theirs.

    Who wrote below them had read them: what is known of people whose reading nobody counted. One
    query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WRITING, {"ids": list(ids)})
        return {pk: (threads, int(posts)) for pk, threads, posts in cursor.fetchall()}


_WRITING = """
    WITH own AS (
        SELECT author_id, max(number) AS last, count(*) AS posts FROM community_post
        WHERE author_id = ANY(%(ids)s) AND hidden_at IS NULL GROUP BY author_id, thread_id
    )
    SELECT author_id, count(*), sum(last - posts) FROM own GROUP BY author_id
"""


def site_figures(now: datetime) -> Site:
    """Count what everybody could read of the last TRUST_RECENT_DAYS days. Two queries."""
    since = now - timedelta(days=settings.TRUST_RECENT_DAYS)
    threads = Thread.objects.filter(is_listed=True, created_at__gte=since)
    posts = Post.objects.filter(hidden_at__isnull=True, created_at__gte=since)
    return Site(
        recent_threads=threads.exclude(group__join_mode=JoinMode.HIDDEN).count(),
        recent_posts=posts.exclude(thread__group__join_mode=JoinMode.HIDDEN).count(),
    )


Rows = QuerySet[Any, Any]


def _reading(ids: Collection[int], since: datetime) -> Rows:
    recent = Q(on__gte=since.date())
    return (
        ReadingDay.objects.filter(member__in=ids)
        .values(of=F("member"))
        .annotate(
            days_visited=Count("pk"),
            posts_read=Sum("posts"),
            seconds=Sum("seconds"),
            recent_days_visited=Count("pk", filter=recent),
            recent_posts_read=Sum("posts", filter=recent),
        )
    )


def _opened(ids: Collection[int], since: datetime) -> Rows:
    return (
        ReadMark.objects.filter(member__in=ids)
        .values(of=F("member"))
        .annotate(
            threads_opened=Count("pk"),
            recent_threads_opened=Count("pk", filter=Q(read_at__gte=since)),
        )
    )


def _given(ids: Collection[int], since: datetime) -> Rows:
    return (
        Reaction.objects.filter(member__in=ids)
        .values(of=F("member"))
        .annotate(
            reactions_given=Count("pk"),
            recent_reactions_given=Count("pk", filter=Q(given_at__gte=since)),
        )
    )


def _received(ids: Collection[int], since: datetime) -> Rows:
    recent = Q(given_at__gte=since)
    return (
        Reaction.objects.filter(post__author__in=ids)
        .values(of=F("post__author"))
        .annotate(
            reactions_received=Count("pk"),
            recent_reactions_received=Count("pk", filter=recent),
            recent_reaction_people=Count("member", filter=recent, distinct=True),
            recent_reaction_days=Count(TruncDate("given_at"), filter=recent, distinct=True),
        )
    )


def _replied(ids: Collection[int], since: datetime) -> Rows:
    return (
        Post.objects.filter(author__in=ids, number__gt=1, hidden_at__isnull=True)
        .exclude(thread__author=F("author"))
        .values(of=F("author"))
        .annotate(
            threads_replied=Count("thread", distinct=True),
            recent_threads_replied=Count("thread", filter=Q(created_at__gte=since), distinct=True),
        )
    )


def _hidden(ids: Collection[int], since: datetime) -> Rows:
    return (
        Post.objects.filter(author__in=ids, hidden_at__gte=since)
        .exclude(hidden_by=F("author"))
        .values(of=F("author"))
        .annotate(recent_posts_hidden=Count("pk"))
    )
