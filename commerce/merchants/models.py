from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from community.members.models import Member, Viewer


class MerchantKind(models.TextChoices):
    SHOP = "shop", _("Shop")
    PERSON = "person", _("Private seller")


class TeamRole(models.TextChoices):
    OWNER = "owner", pgettext_lazy("of a shop", "Owner")
    STAFF = "staff", _("Staff")


class MerchantQuerySet(models.QuerySet["Merchant"]):
    def run_by(self, viewer: Viewer) -> Self:
        """Merchants whose team `viewer` is on: the door to everything a merchant may do."""
        if not viewer.is_authenticated:
            return self.none()
        return self.filter(team__member_id=viewer.pk)


class Merchant(models.Model):
    """Who offers listings. `host` is the one website its listings' addresses may be on."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=MerchantKind.choices, default=MerchantKind.SHOP)
    about = models.TextField(max_length=1000, blank=True)
    disclosure = models.CharField(
        max_length=120, blank=True, help_text=_("Shown beside what your team posts.")
    )
    host = models.CharField(max_length=253, blank=True, help_text=_("For example shop.example.org"))
    currency = models.CharField(max_length=3, default="GBP")
    created_at = models.DateTimeField(default=timezone.now)

    objects = MerchantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["host"], condition=~Q(host=""), name="merchant_host_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=MerchantKind.values), name="merchant_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="merchant_currency_is_iso"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("merchant", args=[self.slug])


class TeamMember(models.Model):
    """A member who acts for a merchant."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="team")
    member = models.ForeignKey(Member, models.CASCADE, related_name="merchant_teams")
    role = models.CharField(max_length=8, choices=TeamRole.choices, default=TeamRole.STAFF)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "member"], name="team_member_once"),
        ]


class TeamInvitation(models.Model):
    """An offer to join a team: nobody speaks for a merchant who did not say yes to it.

    The row goes when it is answered or withdrawn.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="invitations")
    member = models.ForeignKey(Member, models.CASCADE, related_name="team_invitations")
    invited_by = models.ForeignKey(Member, models.CASCADE, related_name="+")
    invited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "member"], name="team_invitation_once"),
        ]
