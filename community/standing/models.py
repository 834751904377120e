from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from community.members.models import Member, TrustLevel
from community.standing.rules import clean_rule
from community.threads.models import Post

REASON_MAX_CHARS = 300


class LevelChange(models.Model):
    """A member reached or lost a trust level. `by` is None when it was earned or lost."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="level_changes")
    before = models.PositiveSmallIntegerField(choices=TrustLevel)
    after = models.PositiveSmallIntegerField(choices=TrustLevel)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=REASON_MAX_CHARS, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(before=F("after")), name="level_did_change"),
            models.CheckConstraint(
                condition=Q(after__in=TrustLevel.values), name="level_change_known"
            ),
        ]
        indexes = [models.Index(F("member"), F("at").desc(), name="level_changes_of_member")]


class BadgeQuerySet(models.QuerySet["Badge"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class Badge(models.Model):
    """Something members are thanked for. Name and text are English, translated when shown.

    `rule` is one of those `standing.rules` knows; None is given by hand alone.
    """

    class Rank(models.IntegerChoices):
        BRONZE = 1, pgettext_lazy("rank of a badge", "Bronze")
        SILVER = 2, pgettext_lazy("rank of a badge", "Silver")
        GOLD = 3, pgettext_lazy("rank of a badge", "Gold")

    slug = models.SlugField(_("short name in addresses"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=60, unique=True)
    glyph = models.CharField(_("emoji"), max_length=8, help_text=_("One emoji."))
    rank = models.PositiveSmallIntegerField(_("rank"), choices=Rank.choices, default=Rank.BRONZE)
    about = models.CharField(
        _("about"), max_length=300, help_text=_("What it is given for, in a sentence.")
    )
    rule = models.JSONField(_("rule"), null=True, blank=True, validators=[clean_rule])
    # False: no longer given nor shown.
    is_active = models.BooleanField(_("in use"), default=True)

    objects = BadgeQuerySet.as_manager()

    class Meta:
        verbose_name = _("badge")
        verbose_name_plural = _("badges")
        ordering = ["rank", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(rank__in=(1, 2, 3)), name="badge_rank_known")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("badge", args=[self.slug])

    @property
    def label(self) -> str:
        return gettext(self.name)

    @property
    def says(self) -> str:
        """What it is given for."""
        return gettext(self.about)


class BadgeGrantQuerySet(models.QuerySet["BadgeGrant"]):
    def shown(self) -> Self:
        """Of badges there still are, held by members whose accounts are open."""
        return self.filter(
            badge__is_active=True, member__is_active=True, member__erased_at__isnull=True
        )


class BadgeGrant(models.Model):
    """A member earned a badge, once and for good.

    `rule` is the rule it was earned by, as it was then; `reason` what somebody said who gave it by
    hand. `post` is the one that earned it, if one did.
    """

    badge = models.ForeignKey(Badge, models.PROTECT, related_name="grants")
    member = models.ForeignKey(Member, models.CASCADE, related_name="badge_grants")
    earned_at = models.DateTimeField(default=timezone.now)
    post = models.ForeignKey(Post, models.SET_NULL, null=True, blank=True, related_name="+")
    rule = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=REASON_MAX_CHARS, blank=True)
    by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")

    objects = BadgeGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "badge"], name="badge_earned_once"),
            models.CheckConstraint(
                condition=Q(rule__isnull=False) | ~Q(reason=""), name="badge_has_a_reason"
            ),
        ]
        indexes = [models.Index(F("badge"), F("id").desc(), name="holders_of_badge")]

    def __str__(self) -> str:
        return f"{self.badge_id} of {self.member_id}"


class KnownDomain(models.Model):
    """A host that trusted members link to: a newcomer's link there needs no second look."""

    host = models.CharField(max_length=253, primary_key=True)
    since = models.DateTimeField(default=timezone.now)
