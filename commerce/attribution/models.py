from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from commerce.attribution.policy import Kind
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from commerce.orders.models import Order, OrderLine, Refund
from commerce.touchpoints.models import Touchpoint
from community.chat.models import Message
from community.groups.models import Group
from community.members.models import Member, Viewer
from community.threads.models import Post, Thread


class CreditModel(models.TextChoices):
    LAST_TOUCH = "last_touch", _("Last touch")


class RunStatus(models.TextChoices):
    RUNNING = "running", pgettext_lazy("a reckoning", "Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")


class AttributionRunQuerySet(models.QuerySet["AttributionRun"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Runs of the merchants whose team `viewer` is on."""
        return self.filter(merchant__in=Merchant.objects.run_by(viewer))


class AttributionRun(models.Model):
    """One reckoning of a merchant's orders by one model, with the numbers it was done with.

    `params` are the policy's numbers, `params_hash` is SHA-256 of them and the model. `cut_off`:
    every order recorded before it is in; later ones are written into the current run one by one.
    The totals are minor units of `currency` as they were checked at `finished_at`; `totals` has
    them for every currency. A finished run adds up, or it failed and `failure` says why.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="attribution_runs")
    model = models.CharField(max_length=20, choices=CreditModel.choices)
    params = models.JSONField()
    params_hash = models.CharField(max_length=64)
    code_version = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=RunStatus.choices)
    started_at = models.DateTimeField(default=timezone.now)
    progress_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    cut_off = models.DateTimeField()
    order_count = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3)
    net_gmv_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0)
    unattributed_minor = models.BigIntegerField(default=0)
    totals = models.JSONField(default=dict)
    failure = models.CharField(max_length=500, blank=True)

    objects = AttributionRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "model"],
                condition=Q(status=RunStatus.RUNNING),
                name="one_attribution_run_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=RunStatus.values), name="attribution_run_status_known"
            ),
            models.CheckConstraint(
                condition=Q(model__in=CreditModel.values), name="attribution_run_model_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.FINISHED)
                | Q(
                    finished_at__isnull=False,
                    net_gmv_minor=F("credited_minor") + F("unattributed_minor"),
                ),
                name="attribution_run_adds_up",
            ),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.FAILED) | ~Q(failure=""),
                name="attribution_run_failure_has_words",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "model", "-started_at"], name="attribution_run_latest")
        ]

    def __str__(self) -> str:
        return f"{self.get_model_display()} of {self.started_at:%Y-%m-%d %H:%M}"


class CurrentRun(models.Model):
    """The run pages show for a merchant and a model: the pointer a finished run takes over."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="current_runs")
    model = models.CharField(max_length=20, choices=CreditModel.choices)
    run = models.ForeignKey(AttributionRun, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "model"], name="one_current_run"),
        ]


class CreditKind(models.TextChoices):
    """A policy.Kind with the words pages use."""

    DIRECT = Kind.DIRECT.value, _("Direct")
    HALO = Kind.HALO.value, _("Halo")
    UNATTRIBUTED = Kind.UNATTRIBUTED.value, _("Unattributed")


class CreditReason(models.TextChoices):
    """Why a row was written. Sales and changes make GMV; with the others it is net GMV."""

    SALE = "sale", _("Sold")
    CHANGE = "change", _("The order changed")
    REFUND = "refund", _("Refunded")
    CANCELLATION = "cancelled", _("Cancelled")


GROSS_REASONS = (CreditReason.SALE, CreditReason.CHANGE)


class CreditQuerySet(models.QuerySet["Credit"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Credits of the merchants whose team `viewer` is on; who bought is nobody else's."""
        return self.filter(merchant__in=Merchant.objects.run_by(viewer))


class Credit(models.Model):
    """A part of an order line, credited to one touch or to none. Append-only (a trigger says so).

    `amount_minor` is minor units of `currency`, of the line's money less discounts; negative rows
    take back (`reversal_of`) what an earlier row gave. Each row has one thread, post, message,
    author, group and listing or none, so a sum by any of them adds up to the same. `listing` is
    what was bought; what was clicked is the touchpoint's. `placed_at` is the order's: a refund
    counts on the day of its order. A touchpoint that earned credit is evidence and is kept.
    """

    run = models.ForeignKey(AttributionRun, models.PROTECT, related_name="credits", db_index=False)
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="credits", db_index=False)
    order_line = models.ForeignKey(
        OrderLine, models.PROTECT, related_name="credits", db_index=False
    )
    kind = models.CharField(max_length=12, choices=CreditKind.choices)
    reason = models.CharField(max_length=10, choices=CreditReason.choices)
    refund = models.ForeignKey(
        Refund, models.PROTECT, null=True, blank=True, related_name="credits", db_index=False
    )
    reversal_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reversals", db_index=False
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    placed_at = models.DateTimeField()
    credited_at = models.DateTimeField(default=timezone.now)
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, null=True, blank=True, related_name="credits", db_index=False
    )
    thread = models.ForeignKey(
        Thread, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    post = models.ForeignKey(
        Post, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    message = models.ForeignKey(
        Message, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    author = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    group = models.ForeignKey(
        Group, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    listing = models.ForeignKey(
        Listing, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = CreditQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=CreditKind.values), name="credit_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind=CreditKind.UNATTRIBUTED,
                    touchpoint__isnull=True,
                    thread__isnull=True,
                    post__isnull=True,
                    message__isnull=True,
                    author__isnull=True,
                    group__isnull=True,
                )
                | (~Q(kind=CreditKind.UNATTRIBUTED) & Q(touchpoint__isnull=False)),
                name="credit_has_its_touch_or_none",
            ),
            models.CheckConstraint(
                condition=(
                    Q(reason=CreditReason.SALE, amount_minor__gt=0)
                    & Q(reversal_of__isnull=True, refund__isnull=True)
                )
                | (
                    Q(reason=CreditReason.CHANGE, amount_minor__lt=0)
                    & Q(reversal_of__isnull=False, refund__isnull=True)
                )
                | Q(reason=CreditReason.REFUND, reversal_of__isnull=False, refund__isnull=False)
                | Q(
                    reason=CreditReason.CANCELLATION,
                    reversal_of__isnull=False,
                    refund__isnull=True,
                ),
                name="credit_reversal_whole",
            ),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="credit_of_something"),
        ]
        indexes = [
            # Sums of a period are read from the index alone, lists of lines off its end.
            models.Index(
                fields=["run", "placed_at", "order_line"],
                include=[
                    *("order", "kind", "reason", "currency", "amount_minor"),
                    *("thread", "message", "group"),
                ],
                name="credit_by_day",
            ),
            models.Index(fields=["run", "order"], name="credit_of_order"),
            models.Index(
                fields=["run", "thread", "placed_at", "order_line"],
                condition=Q(thread__isnull=False),
                name="credit_of_thread",
            ),
            models.Index(
                fields=["touchpoint"],
                condition=Q(touchpoint__isnull=False),
                name="credit_of_touch",
            ),
        ]
