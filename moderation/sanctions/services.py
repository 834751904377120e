"""Silencing, suspending, lifting. The columns of Member follow the rows, in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from community.members.models import Member
from config.outbox import publish
from moderation.audit.services import record
from moderation.events import SanctionChanged
from moderation.sanctions.errors import (
    EndsBefore,
    InForce,
    MayNotSanction,
    NotInForce,
    NotThisMember,
    ReasonMissing,
)
from moderation.sanctions.models import REASON_MAX_CHARS, Sanction

PERMISSION: Final = "moderation.add_sanction"
COLUMNS: Final = {
    Sanction.Kind.SILENCE: "silenced_until",
    Sanction.Kind.SUSPEND: "suspended_until",
}


def silence(*, member: Member, by: Member, reason: str, until: datetime | None = None) -> Sanction:
    """Let `member` read only, till `until` or till lifted. Raises what `impose` raises."""
    return impose(kind=Sanction.Kind.SILENCE, member=member, by=by, reason=reason, until=until)


def suspend(*, member: Member, by: Member, reason: str, until: datetime | None = None) -> Sanction:
    """Let `member` not sign in, and end their sessions. Raises what `impose` raises."""
    return impose(kind=Sanction.Kind.SUSPEND, member=member, by=by, reason=reason, until=until)


@transaction.atomic
def impose(
    *, kind: str, member: Member, by: Member, reason: str, until: datetime | None = None
) -> Sanction:
    """Take from `member` what `kind` says, for a reason they read, till `until` or till lifted.

    Raises MayNotSanction, NotThisMember, ReasonMissing, EndsBefore or InForce. Writes an audit
    entry. Announces SanctionChanged.
    """
    _ensure_may(by)
    reason = _clean(reason)
    now = timezone.now()
    if until is not None and until <= now:
        raise EndsBefore
    locked = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if locked.pk == by.pk or (locked.is_staff and not by.is_superuser):
        raise NotThisMember
    if Sanction.objects.filter(member=locked, kind=kind).in_force(now).exists():
        raise InForce
    sanction = Sanction.objects.create(
        member=locked, kind=kind, reason=reason, by=by, starts_at=now, ends_at=until
    )
    _follow(member, kind, sanction.until)
    record(
        actor=by,
        action="member.silenced" if kind == Sanction.Kind.SILENCE else "member.suspended",
        target=f"member:{member.pk}",
        subject=member,
        reason=reason,
        sanction=sanction.pk,
        until=until.isoformat() if until else None,
    )
    publish(SanctionChanged(sanction_id=sanction.pk))
    return sanction


@transaction.atomic
def lift(*, sanction: Sanction, by: Member, reason: str) -> Sanction:
    """End a sanction now. Raises MayNotSanction, ReasonMissing or NotInForce.

    Sessions a suspension ended stay ended. Writes an audit entry. Announces SanctionChanged.
    """
    _ensure_may(by)
    reason = _clean(reason)
    member = Member.objects.select_for_update(no_key=True).get(pk=sanction.member_id)
    sanction = Sanction.objects.select_for_update().get(pk=sanction.pk)
    now = timezone.now()
    if not sanction.is_in_force(now):
        raise NotInForce
    sanction.lifted_at, sanction.lifted_by, sanction.lifted_reason = now, by, reason
    sanction.save(update_fields=["lifted_at", "lifted_by", "lifted_reason"])
    _follow(member, sanction.kind, now)
    record(
        actor=by,
        action=f"member.{sanction.kind}_lifted",
        target=f"member:{member.pk}",
        subject=member,
        reason=reason,
        sanction=sanction.pk,
    )
    publish(SanctionChanged(sanction_id=sanction.pk))
    return sanction


def penalised_since(members: Collection[int], since: datetime) -> set[int]:
    """Return who of the members was silenced or suspended at any time since; for trust levels."""
    found = Sanction.objects.filter(member__in=members).exclude(ends_at__lt=since)
    return set(found.exclude(lifted_at__lt=since).values_list("member", flat=True))


def in_force(member: Member, kind: str) -> Sanction | None:
    return Sanction.objects.filter(member=member, kind=kind).in_force(timezone.now()).first()


def days_from_now(days: int | None) -> datetime | None:
    """Return the end of a sanction of so many days; None of none."""
    return timezone.now() + timedelta(days=days) if days else None


def _follow(member: Member, kind: str, until: datetime) -> None:
    column = COLUMNS[Sanction.Kind(kind)]
    Member.objects.filter(pk=member.pk).update(**{column: until})
    setattr(member, column, until)


def may_sanction(member: Member) -> bool:
    return member.is_active and member.is_staff and member.has_perm(PERMISSION)


def _ensure_may(member: Member) -> None:
    if not may_sanction(member):
        raise MayNotSanction


def _clean(reason: str) -> str:
    reason = " ".join(reason.split())[:REASON_MAX_CHARS]
    if not reason:
        raise ReasonMissing
    return reason
