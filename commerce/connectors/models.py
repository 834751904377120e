from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commerce.connectors.outcomes import outcome_words
from commerce.merchants.models import Merchant
from community.members.models import Member, Viewer

EXTERNAL_ID_MAX_CHARS = 120


class Endpoint(models.Model):
    """Where one merchant's shop posts its deliveries; a merchant has one live endpoint.

    `secret` and `previous_secret` are encrypted with FIELD_KEYS (connectors.secrets); the
    previous one still signs until `previous_until`, so that a rotation loses nothing.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="endpoints")
    public_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    secret = models.TextField()
    last_four = models.CharField(max_length=4)
    previous_secret = models.TextField(blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(Member, models.SET_NULL, null=True, blank=True, related_name="+")
    rotated_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant"],
                condition=Q(revoked_at__isnull=True),
                name="one_live_endpoint_a_merchant",
            ),
            models.CheckConstraint(condition=~Q(secret=""), name="endpoint_has_a_secret"),
            models.CheckConstraint(
                condition=Q(previous_secret="", previous_until__isnull=True)
                | (~Q(previous_secret="") & Q(previous_until__isnull=False)),
                name="endpoint_previous_secret_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} of {self.merchant_id}"

    def get_absolute_url(self) -> str:
        """The address the shop posts to."""
        return reverse("generic_hook", args=[self.public_id])

    def overlaps(self, at: datetime) -> bool:
        """Whether the previous secret may still sign."""
        return self.previous_until is not None and at < self.previous_until


class DeliveryState(models.TextChoices):
    RECEIVED = "received", _("Received")
    PROCESSED = "processed", _("Processed")
    WAITING = "waiting", _("Waiting for its order")
    FAILED = "failed", _("Failed")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Deliveries of the merchants whose team `viewer` is on."""
        return self.filter(endpoint__merchant__in=Merchant.objects.run_by(viewer))

    def latest_first(self) -> Self:
        return self.order_by("-pk")


class Delivery(models.Model):
    """One signed post of a shop. `body` is the bytes as they came, at most WEBHOOK_MAX_BYTES.

    `external_id` is the shop's own id of it (webhook-id): the same id again is the same delivery,
    and another body under a known id is refused and counted here as a conflict.
    """

    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="deliveries")
    external_id = models.CharField(max_length=EXTERNAL_ID_MAX_CHARS)
    kind = models.CharField(max_length=20, help_text=_("For example order.created"))
    order_external_id = models.CharField(max_length=EXTERNAL_ID_MAX_CHARS)
    body = models.BinaryField()
    body_sha256 = models.CharField(max_length=64)
    headers = models.JSONField(default=dict)
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.RECEIVED
    )
    tries = models.PositiveIntegerField(default=0)
    outcome = models.CharField(
        max_length=500, blank=True, help_text=_("What came of it, in words.")
    )
    processed_at = models.DateTimeField(null=True, blank=True)
    conflict_count = models.PositiveIntegerField(default=0)
    conflict_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "external_id"], name="delivery_received_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="delivery_state_known"
            ),
            models.CheckConstraint(
                condition=Q(body_sha256__regex=r"^[0-9a-f]{64}$"), name="delivery_body_fingerprint"
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.FAILED) | ~Q(outcome=""),
                name="delivery_failure_has_words",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.PROCESSED) | Q(processed_at__isnull=False),
                name="delivery_processed_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(conflict_count=0, conflict_at__isnull=True)
                | Q(conflict_count__gt=0, conflict_at__isnull=False),
                name="delivery_conflict_whole",
            ),
        ]
        indexes = [
            models.Index(F("endpoint"), F("id").desc(), name="delivery_latest"),
            models.Index(
                fields=["endpoint"], condition=Q(conflict_count__gt=0), name="delivery_in_conflict"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"

    def get_absolute_url(self) -> str:
        return reverse("delivery", args=[self.endpoint.merchant.slug, self.pk])

    @property
    def outcome_words(self) -> str:
        return outcome_words(self.outcome)
