"""Django's view of moderation's admin."""

from moderation.queue.admin import AuditEntryAdmin, CaseAdmin
from moderation.queue.erasures import ErasureAdmin
from moderation.queue.members import MemberAdmin
from moderation.queue.rooms import RoomAdmin

__all__ = ["AuditEntryAdmin", "CaseAdmin", "ErasureAdmin", "MemberAdmin", "RoomAdmin"]
