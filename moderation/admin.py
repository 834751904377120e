"""Django's view of moderation's admin."""

from moderation.queue.admin import AuditEntryAdmin, CaseAdmin

__all__ = ["AuditEntryAdmin", "CaseAdmin"]
