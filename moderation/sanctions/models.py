from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from community.members.models import FOREVER, Member

REASON_MAX_CHARS = 500


class SanctionQuerySet(models.QuerySet["Sanction"]):
    def in_force(self, at: datetime) -> Self:
        """Begun, not lifted, and not over at the instant."""
        return self.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=at), starts_at__lte=at, lifted_at__isnull=True
        )


class Sanction(models.Model):
    """What a moderator took from a member for `[starts_at, ends_at)`; without an end till lifted.

    `Member.silenced_until` and `suspended_until` follow these rows (sanctions.services).
    """

    class Kind(models.TextChoices):
        SILENCE = "silence", pgettext_lazy("sanction", "Silence: reads, writes nothing")
        SUSPEND = "suspend", pgettext_lazy("sanction", "Suspend: cannot sign in")

    member = models.ForeignKey(Member, models.PROTECT, related_name="sanctions")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    reason = models.CharField(max_length=REASON_MAX_CHARS)
    by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    lifted_reason = models.CharField(max_length=REASON_MAX_CHARS, blank=True)

    objects = SanctionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=("silence", "suspend")), name="sanction_kind_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="sanction_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="sanction_lasts",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lifted_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lifted_reason="")),
                name="sanction_lifted_whole",
            ),
            models.CheckConstraint(
                condition=~Q(member=F("by")), name="nobody_sanctions_themselves"
            ),
        ]
        indexes = [models.Index(F("member"), F("starts_at").desc(), name="sanctions_of_member")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.member_id}"

    @property
    def until(self) -> datetime:
        return self.ends_at or FOREVER

    def is_in_force(self, at: datetime) -> bool:
        return self.lifted_at is None and self.starts_at <= at < self.until
