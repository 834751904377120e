"""What the pages of standing show, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from community.members.models import Member, TrustLevel, Viewer
from community.standing.levels import Need, level_for
from community.standing.models import BadgeGrant, LevelChange
from community.standing.records import records_of, site_figures
from community.standing.rules import reason_of
from community.standing.words import FACTS, OPENS, says
from community.threads.models import Post

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Line:
    """One need: what it is called, how far it is in words and in figures."""

    label: StrOrPromise
    words: str
    have: int
    wanted: int
    is_met: bool
    has_bar: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands, and what the next level takes, or keeping this one."""

    level: TrustLevel
    next_level: TrustLevel | None  # None: nothing is left to earn
    lines: list[Line]
    is_pinned: bool

    @property
    def met(self) -> int:
        return sum(line.is_met for line in self.lines)

    @property
    def steps(self) -> list[tuple[TrustLevel, bool, tuple[StrOrPromise, ...]]]:
        """Each level, whether it is reached, and what it is for."""
        return [(level, level <= self.level, OPENS[level]) for level in TrustLevel]


def standing_of(member: Member) -> Standing:
    """Look up where `member` stands. Nine queries."""
    now = timezone.now()
    level = TrustLevel(member.trust_level)
    if member.trust_pinned or level == TrustLevel.LEADER:
        return Standing(level, None, [], member.trust_pinned)
    grace = now - timedelta(days=settings.TRUST_GRACE_DAYS)
    reached = LevelChange.objects.filter(member=member, after=TrustLevel.REGULAR, at__gt=grace)
    record = records_of([member], now)[member.pk]
    due, needs = level_for(record, site_figures(now), held=level, in_grace=reached.exists())
    if due != level and level < due:
        # What was earned a moment ago is shown as earned; the beat writes it down.
        level = due
    next_level = None if level >= TrustLevel.REGULAR else TrustLevel(level + 1)
    return Standing(level, next_level, [_line(need) for need in needs if _is_told(need)], False)


def _is_told(need: Need) -> bool:
    """Leave out what nobody asks once it is met: that the account is some minutes old."""
    return need.fact != "account_minutes" or not need.is_met


def _line(need: Need) -> Line:
    return Line(
        label=FACTS[need.fact],
        words=says(need),
        have=need.shown,
        wanted=need.wanted,
        is_met=need.is_met,
        has_bar=not need.at_most and need.wanted > 0,
    )


@dataclass(frozen=True, slots=True)
class ShownGrant:
    """A badge somebody holds, why in words, and the post behind it if the reader may see that."""

    grant: BadgeGrant
    why: str
    post: Post | None


def shown_grants(grants: Iterable[BadgeGrant], viewer: Viewer) -> list[ShownGrant]:
    """Say why each was earned. One query for posts; grants come with their badges."""
    grants = list(grants)
    ids = [grant.post_id for grant in grants if grant.post_id]
    readable = Post.objects.visible_to(viewer).filter(hidden_at__isnull=True, pk__in=ids)
    posts = readable.select_related("thread").defer("body", "html").in_bulk() if ids else {}
    return [
        ShownGrant(grant, why_of(grant), posts.get(grant.post_id) if grant.post_id else None)
        for grant in grants
    ]


def why_of(grant: BadgeGrant) -> str:
    """Say why a badge was earned, in the active language."""
    if grant.reason or not grant.rule:
        return grant.reason
    level = grant.rule.get("trust")
    label = TrustLevel(level).label if level in TrustLevel.values else ""
    return reason_of(grant.rule, str(label))
