from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from community.groups.models import Group
from community.members.models import Member

NOTE_MAX_CHARS = 500


class TargetKind(models.TextChoices):
    POST = "post", pgettext_lazy("kind of content", "Post")
    MESSAGE = "message", pgettext_lazy("kind of content", "Message")
    LISTING = "listing", pgettext_lazy("kind of content", "Listing")


class FlagReason(models.TextChoices):
    UNKIND = "unkind", _("Unkind or hateful")
    SPAM = "spam", _("Spam or advertising")
    SCAM = "scam", _("A scam, or payment outside the site")
    WRONG = "wrong", _("Not as described, or forbidden to sell")
    OTHER = "other", _("Something else")


class Outcome(models.TextChoices):
    KEEP = "keep", _("Keep")
    HIDE = "hide", _("Hide")


class Case(models.Model):
    """The open question of one target. At most one case of a target is open at a time."""

    kind = models.CharField(_("kind"), max_length=8, choices=TargetKind.choices)
    target_id = models.PositiveBigIntegerField()
    group = models.ForeignKey(
        Group,
        models.PROTECT,
        verbose_name=pgettext_lazy("moderation", "group"),
        null=True,
        blank=True,
        related_name="+",
    )
    author = models.ForeignKey(
        Member, models.PROTECT, verbose_name=_("author"), related_name="cases_about"
    )
    opened_at = models.DateTimeField(default=timezone.now)
    last_flag_at = models.DateTimeField(default=timezone.now)
    flag_count = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("moderation", "case")
        verbose_name_plural = pgettext_lazy("moderation", "cases")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "target_id"],
                condition=Q(closed_at__isnull=True),
                name="one_open_case_a_target",
            ),
            models.CheckConstraint(condition=Q(kind__in=TargetKind.values), name="case_kind_known"),
        ]
        indexes = [
            models.Index(
                fields=["-last_flag_at"], condition=Q(closed_at__isnull=True), name="case_open"
            ),
            models.Index(fields=["author", "-opened_at"], name="case_of_author"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.target_id}"

    @property
    def target(self) -> str:
        return f"{self.kind}:{self.target_id}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class Flag(models.Model):
    """One member's report; a second by the same member in the same case changes nothing."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="flags")
    member = models.ForeignKey(Member, models.PROTECT, related_name="flags")
    reason = models.CharField(max_length=10, choices=FlagReason.choices)
    note = models.CharField(max_length=NOTE_MAX_CHARS, blank=True)
    flagged_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "member"], name="flag_once_a_case"),
            models.CheckConstraint(
                condition=Q(reason__in=FlagReason.values), name="flag_reason_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} by {self.member_id}"


class Decision(models.Model):
    """How a case ended, by whom and why. The author reads the reason."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=500)
    decided_by = models.ForeignKey(Member, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="decision_outcome_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.reason}"
