from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from commerce.connectors.models import EXTERNAL_ID_MAX_CHARS, Delivery
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from community.members.models import Member, Viewer


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Orders of the merchants whose team `viewer` is on; who bought is nobody else's."""
        return self.filter(merchant__in=Merchant.objects.run_by(viewer))

    def counted(self) -> Self:
        """Orders that are part of GMV: all but the shop's own tests."""
        return self.filter(test=False)


class Order(models.Model):
    """A sale a merchant reported, as its newest version says. Money is minor units of `currency`.

    `placed_at` and `version_at` are the shop's own times. `total_minor` is the sum of the lines'
    `net_minor`: after line discounts, without tax, shipping and tips, before refunds.
    A cancelled order keeps its lines; attribution takes it to zero.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="orders")
    external_id = models.CharField(max_length=EXTERNAL_ID_MAX_CHARS)
    placed_at = models.DateTimeField()
    version_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    click_id = models.CharField(max_length=64, blank=True)
    buyer_member = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    buyer_email_sha256 = models.CharField(max_length=64, blank=True)
    test = models.BooleanField(default=False)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now)  # when we first heard of it
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, blank=True, related_name="orders"
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "external_id"], name="order_reported_once"),
            models.CheckConstraint(condition=~Q(external_id=""), name="order_has_its_number"),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="order_currency_is_iso"
            ),
            models.CheckConstraint(
                condition=Q(total_minor__gte=0), name="order_total_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(buyer_email_sha256="") | Q(buyer_email_sha256__regex=r"^[0-9a-f]{64}$"),
                name="order_email_is_a_hash",
            ),
        ]
        indexes = [
            models.Index(
                F("merchant"),
                F("placed_at").desc(),
                F("id").desc(),
                name="order_latest_of_merchant",
            ),
            models.Index(fields=["click_id"], condition=~Q(click_id=""), name="order_by_click"),
        ]

    def __str__(self) -> str:
        return self.external_id


class OrderLineQuerySet(models.QuerySet["OrderLine"]):
    def counted(self) -> Self:
        """Lines that are still part of an order that counts."""
        return self.filter(order__test=False, quantity__gt=0)


class OrderLine(models.Model):
    """What was bought. `net_minor` is for the whole quantity, in minor units of the order's
    currency. A line a newer version no longer has stays, with quantity and money 0."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    external_id = models.CharField(max_length=EXTERNAL_ID_MAX_CHARS)
    listing = models.ForeignKey(
        Listing, models.PROTECT, null=True, blank=True, related_name="order_lines"
    )
    sku = models.CharField(max_length=60, blank=True)
    url = models.CharField(max_length=500, blank=True)
    title = models.CharField(max_length=200, blank=True)
    quantity = models.PositiveIntegerField()
    net_minor = models.BigIntegerField()

    objects = OrderLineQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "external_id"], name="order_line_once"),
            models.CheckConstraint(condition=~Q(external_id=""), name="order_line_has_its_id"),
            models.CheckConstraint(
                condition=Q(net_minor__gte=0), name="order_line_net_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) | Q(net_minor=0), name="order_line_of_nothing_is_free"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.external_id


class Refund(models.Model):
    """Money a shop gave back, as it said; once an id is known it never changes.

    `amount_minor` is the sum of its lines, in minor units of the order's currency. It may be more
    than is left of the order: how it is taken from credits is attribution's.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="refunds")
    external_id = models.CharField(max_length=EXTERNAL_ID_MAX_CHARS)
    refunded_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    amount_minor = models.BigIntegerField()
    recorded_at = models.DateTimeField(default=timezone.now)
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, blank=True, related_name="refunds"
    )

    class Meta:
        ordering = ["refunded_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "external_id"], name="refund_reported_once"),
            models.CheckConstraint(condition=~Q(external_id=""), name="refund_has_its_id"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_of_something"),
        ]

    def __str__(self) -> str:
        return self.external_id


class RefundLine(models.Model):
    """A part of a refund: of one order line, or (`line` empty) an amount over the whole order."""

    refund = models.ForeignKey(Refund, models.PROTECT, related_name="lines")
    line = models.ForeignKey(
        OrderLine, models.PROTECT, null=True, blank=True, related_name="refund_lines"
    )
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["refund", "line"], nulls_distinct=False, name="refund_line_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="refund_line_of_something"
            ),
        ]


class ParkedRefund(models.Model):
    """A refund whose order we have not seen. `body` is the delivery's `data`; `released_at` is
    when the order came and the refund was written."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="parked_refunds")
    order_external_id = models.CharField(max_length=EXTERNAL_ID_MAX_CHARS)
    external_id = models.CharField(max_length=EXTERNAL_ID_MAX_CHARS)
    body = models.JSONField()
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="parked_refunds")
    parked_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "order_external_id", "external_id"], name="refund_parked_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant", "order_external_id"],
                condition=Q(released_at__isnull=True),
                name="refund_waiting",
            ),
        ]
