"""Django's view of moderation's rows; each feature owns its own."""

from moderation.audit.models import AuditEntry
from moderation.flags.models import Case, Decision, Flag

__all__ = ["AuditEntry", "Case", "Decision", "Flag"]
