from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from community.members.models import Member

HIDING_REASON_MAX_CHARS = 500


class Hideable(models.Model):
    """Something that can be hidden. All three columns are set, or none is."""

    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    hidden_reason = models.CharField(max_length=HIDING_REASON_MAX_CHARS, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(hidden_at__isnull=True, hidden_by__isnull=True, hidden_reason="")
                | (Q(hidden_at__isnull=False, hidden_by__isnull=False) & ~Q(hidden_reason="")),
                name="%(app_label)s_%(class)s_hidden_whole",
            )
        ]

    @property
    def is_hidden(self) -> bool:
        return self.hidden_at is not None

    def hide(self, *, by: Member, reason: str, at: datetime) -> None:
        """Set the columns (not saved): moderation's verb saves them beside its audit entry."""
        self.hidden_at, self.hidden_by, self.hidden_reason = at, by, reason

    def show(self) -> None:
        """Clear the columns (not saved)."""
        self.hidden_at, self.hidden_by, self.hidden_reason = None, None, ""
