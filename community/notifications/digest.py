"""The digest: what a member has not read, then what their groups found best since the last one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from community.members.models import Block, Member
from community.notifications.models import (
    Channel,
    DigestEvery,
    Notification,
    Preferences,
    Sending,
)
from community.notifications.times import next_digest
from community.threads.marks import ReadMark
from community.threads.models import Thread

UNREAD_SHOWN: Final = 10
BEST_SHOWN: Final = 8
BATCH_ROWS: Final = 500
PERIODS: Final = {DigestEvery.DAY: timedelta(days=1), DigestEvery.WEEK: timedelta(days=7)}


def plan_due(*, now: datetime | None = None, rows: int = BATCH_ROWS) -> int:
    """Plan the digests that are due, at most `rows`; returns how many.

    A period is planned once however many workers look: who moves `digest_due_at` on has it.
    """
    now = now or timezone.now()
    planned = 0
    due = Preferences.objects.filter(digest_due_at__lte=now).select_related("member")
    for row in due.order_by("digest_due_at")[:rows]:
        planned += _plan(row, now)
    return planned


@transaction.atomic
def _plan(row: Preferences, now: datetime) -> int:
    since = row.digested_at or now - PERIODS[DigestEvery(row.digest)]
    moved = Preferences.objects.filter(
        pk=row.pk, digest=row.digest, digest_due_at=row.digest_due_at
    ).update(digest_due_at=next_digest(now, row.member.time_zone, row.digest), digested_at=now)
    if not moved or row.digest_due_at is None:
        return 0
    Sending.objects.create(
        member=row.member,
        what=Sending.What.DIGEST,
        channel=Channel.EMAIL,
        key=f"digest:{row.digest_due_at:%Y-%m-%dT%H:%M}",
        details={"since": since.isoformat()},
        due_at=now,
    )
    return 1


def collect(member: Member, since: datetime) -> tuple[list[Notification], list[Thread]]:
    """Return the newest unread notifications, and the threads worth reading. Three queries."""
    unread = list(
        Notification.objects.listed_for(member)
        .unread()
        .with_what_they_tell()
        .newest_first()[:UNREAD_SHOWN]
    )
    return unread, list(best_threads(member, since)[:BEST_SHOWN])


def best_threads(member: Member, since: datetime) -> QuerySet[Thread]:
    """Threads of the member's groups, by what was said and liked in them since.

    Not what they read to its end, muted, or is by somebody they muted or blocked.
    """
    shut_out = Block.objects.filter(by=member)
    read = ReadMark.objects.filter(
        member=member, thread=OuterRef("pk"), number__gte=OuterRef("last_number")
    )
    recent = Q(posts__created_at__gte=since, posts__hidden_at=None) & ~Q(
        posts__author__in=shut_out.values("of")
    )
    return (
        Thread.objects.visible_to(member)
        .in_groups_of(member)
        .not_muted_by(member)
        .filter(is_listed=True, last_post_at__gte=since)
        .exclude(author__in=shut_out.values("of"))
        .filter(~Exists(read))
        .annotate(
            said=Count("posts", filter=recent & ~Q(posts__author=member), distinct=True),
            liked=Coalesce(Sum("posts__reaction_count", filter=recent), 0),
        )
        .filter(said__gt=0)
        .select_related("group")
        .order_by((F("said") + F("liked")).desc(), "-last_post_at", "-pk")
    )
