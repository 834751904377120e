"""Verbs of trust: looking whether a level is due, and setting one by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, Sum
from django.utils import timezone

from community.events import TrustChanged
from community.members.models import Member, TrustLevel
from community.standing.errors import ReasonMissing
from community.standing.levels import Record, Site, level_for
from community.standing.models import REASON_MAX_CHARS, LevelChange
from community.standing.records import records_of, site_figures, writing_of
from community.threads.marks import ReadingDay
from config.outbox import publish

BATCH: Final = 200  # members looked at in one go
READING_SECONDS: Final = 20  # of a post of some 400 characters


def review(members: Iterable[Member], *, site: Site, now: datetime) -> int:
    """Give each member the level that is due; return how many changed. Pinned ones stay.

    Each change announces TrustChanged.
    """
    members = [member for member in members if not member.trust_pinned]
    records = records_of(members, now)
    graced = _reached_regular_since(members, now - timedelta(days=settings.TRUST_GRACE_DAYS))
    changed = 0
    for member in members:
        level, _why = level_for(
            records[member.pk], site, held=member.trust_level, in_grace=member.pk in graced
        )
        if level != member.trust_level:
            changed += _change(member, level, now)
    return changed


def review_due(now: datetime, *, after: int = 0) -> int | None:
    """Review the next BATCH members whose level may be another, with ids above `after`.

    Those who read yesterday or today, and all at level 3. Returns the last id, None at the end.
    """
    lately = ReadingDay.objects.filter(on__gte=now.date() - timedelta(days=1)).values("member")
    members = list(
        Member.objects.filter(
            Q(trust_level=TrustLevel.REGULAR)
            | Q(trust_level__lt=TrustLevel.REGULAR, pk__in=lately),
            pk__gt=after,
            is_active=True,
            trust_pinned=False,
        ).order_by("pk")[:BATCH]
    )
    if not members:
        return None
    review(members, site=site_figures(now), now=now)
    return members[-1].pk if len(members) == BATCH else None


def promote_newcomer(member: Member) -> None:
    """Look at once whether a newcomer who read has reached level 1.

    No query for others, one while the newcomer has not read enough yet.
    """
    if member.trust_level != TrustLevel.NEW or member.trust_pinned:
        return
    read = ReadingDay.objects.filter(member=member).aggregate(
        posts=Sum("posts", default=0), seconds=Sum("seconds", default=0)
    )
    wanted = settings.TRUST_NEEDS[TrustLevel.BASIC]
    enough = read["seconds"] >= 60 * wanted["minutes_read"]
    if enough and read["posts"] >= wanted["posts_read"]:
        review([member], site=Site(), now=timezone.now())


def review_imported(ids: Collection[int], *, now: datetime) -> int:
    """Give newcomers whose talk was brought in the level it earns; return how many changed.

    Nobody counted what they read where they wrote. They read at least what stands above their own
    posts, each for READING_SECONDS; of reactions and days nothing is known, so 1 is the highest.
    """
    members = Member.objects.filter(pk__in=ids, trust_level=TrustLevel.NEW, trust_pinned=False)
    changed = 0
    for member, record in _with_writing(list(members.order_by("pk")), now):
        level, _why = level_for(record, Site())
        if level > member.trust_level:
            changed += _change(member, level, now)
    return changed


def _with_writing(members: list[Member], now: datetime) -> Iterator[tuple[Member, Record]]:
    records = records_of(members, now)
    writing = writing_of([member.pk for member in members])
    for member in members:
        record = records[member.pk]
        threads, posts = writing.get(member.pk, (0, 0))
        yield (
            member,
            replace(
                record,
                threads_opened=max(record.threads_opened, threads),
                posts_read=max(record.posts_read, posts),
                minutes_read=max(record.minutes_read, posts * READING_SECONDS // 60),
            ),
        )


@transaction.atomic
def pin_level(*, member: Member, level: TrustLevel, by: Member, reason: str) -> None:
    """Set a level by hand; it is neither earned nor lost until unpinned. Raises ReasonMissing.

    The caller has checked that `by` may. Announces TrustChanged when it is another.
    """
    reason = _clean(reason)
    member = Member.objects.select_for_update().get(pk=member.pk)
    Member.objects.filter(pk=member.pk).update(trust_pinned=True)
    if member.trust_level != level:
        _change(member, level, timezone.now(), by=by, reason=reason)


@transaction.atomic
def unpin_level(*, member: Member) -> None:
    """Let the level be earned and lost again; it stays until it is. Level 4 falls to what is due.

    The caller has checked that they may. Announces TrustChanged when it is another.
    """
    member = Member.objects.select_for_update().get(pk=member.pk)
    Member.objects.filter(pk=member.pk).update(trust_pinned=False)
    if member.trust_level == TrustLevel.LEADER:
        now = timezone.now()
        level, _why = level_for(
            records_of([member], now)[member.pk], site_figures(now), held=TrustLevel.NEW
        )
        _change(member, level, now)


def _clean(reason: str) -> str:
    reason = " ".join(reason.split())[:REASON_MAX_CHARS]
    if not reason:
        raise ReasonMissing
    return reason


@transaction.atomic
def _change(
    member: Member, level: TrustLevel, at: datetime, *, by: Member | None = None, reason: str = ""
) -> int:
    """Write a change; 0 when somebody else changed the level meanwhile."""
    before = member.trust_level
    if not Member.objects.filter(pk=member.pk, trust_level=before).update(trust_level=level):
        return 0
    member.trust_level = level
    LevelChange.objects.create(
        member=member, before=before, after=level, at=at, by=by, reason=reason
    )
    publish(TrustChanged(member_id=member.pk, level=int(level)))
    return 1


def _reached_regular_since(members: list[Member], since: datetime) -> set[int]:
    regulars = [m.pk for m in members if m.trust_level == TrustLevel.REGULAR]
    if not regulars:
        return set()
    reached = (
        LevelChange.objects.filter(member__in=regulars, after=TrustLevel.REGULAR)
        .values("member")
        .annotate(last=Max("at"))
        .filter(last__gt=since)
    )
    return set(reached.values_list("member", flat=True))
