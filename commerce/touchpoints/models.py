from __future__ import annotations

import secrets
from typing import Self

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from community.chat.models import Message
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Post, Thread


class TouchKind(models.TextChoices):
    CLICK = "click", _("Click in a thread")
    CHAT_CLICK = "chat_click", _("Click in chat")


class NotCounted(models.TextChoices):
    """Why a stored touch never earns credit, decided when it happens."""

    NO = "", _("Counts")
    BOT = "bot", _("A bot's request")
    PREFETCH = "prefetch", _("A browser's prefetch")
    REPEAT = "repeat", _("The same click again within 30 minutes")


class Visitor(models.Model):
    """A browser whose owner agreed to be remembered; nothing is stored for the others."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    first_seen_at = models.DateTimeField(default=timezone.now)
    member = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="visitors"
    )


def click_id() -> str:
    return secrets.token_urlsafe(18)


class TouchpointQuerySet(models.QuerySet["Touchpoint"]):
    def counted(self) -> Self:
        return self.filter(not_counted="")


class Touchpoint(models.Model):
    """One touch. `occurred_at` is when the reader acted, `received_at` when we stored it.

    `click_id` is what the shop sends back; it says nothing to anybody else. Append-only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=TouchKind.choices)
    click_id = models.CharField(max_length=32, unique=True, default=click_id)
    visitor = models.ForeignKey(
        Visitor, models.SET_NULL, null=True, blank=True, related_name="touchpoints"
    )
    member = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="touchpoints"
    )
    consent = models.BooleanField()
    not_counted = models.CharField(max_length=10, choices=NotCounted.choices, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="touchpoints")
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="touchpoints")
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+")
    thread = models.ForeignKey(
        Thread, models.PROTECT, null=True, blank=True, related_name="touchpoints"
    )
    post = models.ForeignKey(Post, models.PROTECT, null=True, blank=True, related_name="+")
    message = models.ForeignKey(Message, models.PROTECT, null=True, blank=True, related_name="+")
    author = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")

    objects = TouchpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(consent=True) | Q(visitor__isnull=True),
                name="no_visitor_without_consent",
            ),
            models.CheckConstraint(
                condition=Q(consent=True) | Q(member__isnull=True),
                name="no_member_without_consent",
            ),
            models.CheckConstraint(condition=Q(kind__in=TouchKind.values), name="touch_kind_known"),
            models.CheckConstraint(
                condition=Q(not_counted__in=NotCounted.values), name="touch_not_counted_known"
            ),
        ]
        indexes = [
            BrinIndex(fields=["occurred_at"], name="touch_by_time"),
            models.Index(fields=["visitor", "occurred_at"], name="touch_of_visitor"),
            models.Index(fields=["member", "occurred_at"], name="touch_of_member"),
            models.Index(fields=["merchant", "occurred_at"], name="touch_of_merchant"),
        ]
