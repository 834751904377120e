from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commerce.listings.models import Listing
from community.chat.models import Message
from community.members.models import Member
from community.threads.models import Post, Thread
from config.guest_pages import changed


class Evidence(models.TextChoices):
    """Why a listing is shown, strongest first."""

    HAND = "hand", _("placed by hand")
    URL = "url", _("its address is in the post")
    GTIN = "gtin", _("its GTIN is in the post")
    SKU = "sku", _("its SKU is in the post")
    MODEL = "model", _("its brand and model are in the post")


class PlacementState(models.TextChoices):
    PLACED = "placed", _("Shown")
    SUGGESTED = "suggested", _("Suggested")
    REMOVED = "removed", _("Removed")


class PlacementQuerySet(models.QuerySet["Placement"]):
    def update(self, **values: Any) -> int:
        # In which threads is not known here.
        changed("threads", "thread")
        return super().update(**values)

    def shown(self) -> Self:
        return self.filter(state=PlacementState.PLACED)


class Placement(models.Model):
    """A listing in a thread, beside the post that earned it; `post` is empty when placed on the
    thread as a whole. `decided_by` is who confirmed or removed it; nobody decides for the job."""

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="placements")
    post = models.ForeignKey(Post, models.PROTECT, null=True, blank=True, related_name="placements")
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="placements")
    evidence = models.CharField(max_length=8, choices=Evidence.choices)
    matched = models.CharField(max_length=500, blank=True, help_text=_("The words that matched."))
    state = models.CharField(
        max_length=10, choices=PlacementState.choices, default=PlacementState.PLACED
    )
    placed_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = PlacementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "listing"], name="listing_once_in_a_post"),
            models.UniqueConstraint(
                fields=["thread", "listing"],
                condition=Q(post__isnull=True),
                name="listing_once_on_a_thread",
            ),
            models.CheckConstraint(
                condition=Q(evidence__in=Evidence.values), name="placement_evidence_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=PlacementState.values), name="placement_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=PlacementState.REMOVED) | Q(decided_by__isnull=False),
                name="placement_removed_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["listing", "state"], name="placement_of_listing"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and let go of pages that show the thread without it."""
        super().save(*args, **kwargs)
        changed("threads", f"thread:{self.thread_id}")


class MessagePlacement(models.Model):
    """A listing under a chat message that links to it. What its sender removed stays removed."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="placements")
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="message_placements")
    matched = models.CharField(max_length=500)  # the address as it is written
    created_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "listing"], name="listing_once_under_a_message"
            )
        ]
