from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from community.members.models import Member


class AuditEntry(models.Model):
    """One act of a moderator. `target` says of what kind and number: `post:12`."""

    acted_at = models.DateTimeField(_("acted at"), default=timezone.now)
    actor = models.ForeignKey(
        Member, models.PROTECT, verbose_name=_("actor"), related_name="audit_entries"
    )
    action = models.CharField(_("action"), max_length=40)
    target = models.CharField(_("target"), max_length=80)
    subject = models.ForeignKey(
        Member,
        models.PROTECT,
        verbose_name=_("member concerned"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The member whose content it was."),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["target", "acted_at"], name="audit_of_target"),
            models.Index(fields=["subject", "acted_at"], name="audit_of_subject"),
            models.Index(fields=["-acted_at"], name="audit_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
