"""Who has earned a badge, and granting it: once, with the post that earned it.

What is written, read and thanked in hidden groups earns no badge, so none tells of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from django.db import connection, transaction

from community.events import BadgeEarned
from community.members.models import Member
from community.standing.asked import ASKED
from community.standing.errors import BadgeHeld, ReasonMissing
from community.standing.models import REASON_MAX_CHARS, Badge, BadgeGrant
from config.outbox import publish

STILL_ABOUT_DAYS: Final = 30  # who read here in that time is still about
SWEPT_AT_ONCE: Final = 500  # grants of one badge in a night; the next takes the rest

# By what happened: the subjects of rules it may fulfil.
BY_POST: Final = frozenset(
    {"posts", "threads", "first thread", "first reply", "first quote", "first mention"}
)
BY_REPLY: Final = frozenset({"replies_to_one_thread"})  # of whoever opened the thread
BY_REACTING: Final = frozenset({"reactions_given", "first reaction"})
BY_REACTION: Final = frozenset({"reactions_received", "reactions_received_on_one_post"})
BY_ANSWER: Final = frozenset({"answers", "first answer"})
BY_TRUST: Final = frozenset({"trust"})
BY_PROFILE: Final = frozenset({"first profile"})


def grant_due(members: Collection[int], *, subjects: Collection[str]) -> int:
    """Grant the members what they have earned by the rules about `subjects`; return how many."""
    members = set(members)
    held: dict[int, set[int]] = {}
    for badge_id, member_id in BadgeGrant.objects.filter(member__in=members).values_list(
        "badge", "member"
    ):
        held.setdefault(badge_id, set()).add(member_id)
    granted = 0
    for badge, rule in _ruled():
        left = members - held.get(badge.pk, set())
        if left and subject_of(rule) in subjects:
            granted += _grant(badge, earners(rule, left))
    return granted


def sweep() -> int:
    """Grant everybody what no event told of: anniversaries, days read, rules that changed."""
    return sum(_grant(badge, earners(rule, without=badge)) for badge, rule in _ruled())


@transaction.atomic
def give_badge(*, badge: Badge, member: Member, by: Member, reason: str) -> BadgeGrant:
    """Grant a badge by hand. Raises ReasonMissing or BadgeHeld. Announces BadgeEarned.

    The caller has checked that `by` may.
    """
    reason = " ".join(reason.split())[:REASON_MAX_CHARS]
    if not reason:
        raise ReasonMissing
    grant, is_new = BadgeGrant.objects.get_or_create(
        badge=badge, member=member, defaults={"reason": reason, "by": by}
    )
    if not is_new:
        raise BadgeHeld
    publish(BadgeEarned(badge_grant_id=grant.pk))
    return grant


def subject_of(rule: dict[str, Any]) -> str:
    """Return what a rule asks about: a count, "first <what>", "trust" or "anniversary_years"."""
    if "count" in rule:
        return str(rule["count"])
    return f"first {rule['first']}" if "first" in rule else next(iter(rule))


def earners(
    rule: dict[str, Any], of: Collection[int] | None = None, *, without: Badge | None = None
) -> list[tuple[int, int | None]]:
    """Return who fulfils `rule`, each with the post that did if one did. One query.

    Only members in `of` are asked about (all when None), and none who holds the badge `without`.
    """
    sql = f"""
        SELECT found.member_id, found.post_id FROM ({ASKED[subject_of(rule)]}) AS found
        JOIN community_member AS member ON member.id = found.member_id
        WHERE member.is_active AND member.erased_at IS NULL
    """  # noqa: S608 - the piece is ours, values are bound
    values: dict[str, Any] = {"n": _number(rule), "days": STILL_ABOUT_DAYS}
    if of is not None:
        sql += " AND found.member_id = ANY(%(of)s)"
        values["of"] = sorted(of)
    if without is not None:
        sql += """ AND NOT EXISTS (
            SELECT FROM community_badgegrant
            WHERE badge_id = %(badge)s AND member_id = found.member_id
        )"""
        values["badge"] = without.pk
    sql += " ORDER BY found.member_id LIMIT %(most)s"
    values["most"] = SWEPT_AT_ONCE
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [(int(member), post) for member, post in cursor.fetchall()]


def _ruled() -> list[tuple[Badge, dict[str, Any]]]:
    """Badges that are earned, with their rules. One query."""
    return [(badge, badge.rule) for badge in Badge.objects.active() if badge.rule]


def _number(rule: dict[str, Any]) -> int:
    numbers = (value for value in rule.values() if isinstance(value, int))
    return next(numbers, 1)


def _grant(badge: Badge, found: Iterable[tuple[int, int | None]]) -> int:
    granted = 0
    for member_id, post_id in found:
        with transaction.atomic():
            grant, is_new = BadgeGrant.objects.get_or_create(
                badge=badge,
                member_id=member_id,
                defaults={"post_id": post_id, "rule": badge.rule},
            )
            if is_new:
                publish(BadgeEarned(badge_grant_id=grant.pk))
                granted += 1
    return granted
