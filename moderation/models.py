"""Django's view of moderation's rows; each feature owns its own."""

from moderation.audit.models import AuditEntry
from moderation.flags.models import Case, Decision, Flag
from moderation.sanctions.models import Sanction

__all__ = ["AuditEntry", "Case", "Decision", "Flag", "Sanction"]
