"""Facts moderation announces."""

from __future__ import annotations

from dataclasses import dataclass

from config.outbox import Event


@dataclass(frozen=True)
class DecisionMade(Event):
    decision_id: int


@dataclass(frozen=True)
class ContentShownAgain(Event):
    """A hiding was taken back, by the audit entry that says why."""

    case_id: int
    audit_entry_id: int


@dataclass(frozen=True)
class SanctionChanged(Event):
    """A member was silenced or suspended, or that was lifted."""

    sanction_id: int
