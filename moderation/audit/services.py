"""Writing an entry: the only verb there is."""

from __future__ import annotations

from typing import Any

from django.db import connection

from community.members.models import Member
from moderation.audit.models import AuditEntry


class OutsideTransaction(RuntimeError):
    """An entry must be written in the transaction of the act it tells of."""


def record(
    *,
    actor: Member,
    action: str,
    target: str,
    subject: Member | None = None,
    reason: str = "",
    **detail: Any,
) -> AuditEntry:
    """Write an entry beside the act. Raises OutsideTransaction."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(action)
    return AuditEntry.objects.create(
        actor=actor, action=action, target=target, subject=subject, reason=reason, detail=detail
    )
