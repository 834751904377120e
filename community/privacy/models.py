from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from uuid_utils.compat import uuid7

from community.members.models import Member, Viewer

CURSOR_MAX_CHARS = 200


class ExportState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    WORKING = "working", "Working"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """The member's own, nobody else's: staff neither."""
        return self.filter(member_id=viewer.pk) if viewer.is_authenticated else self.none()

    def unfinished(self) -> Self:
        return self.filter(state__in=(ExportState.WAITING, ExportState.WORKING))

    def downloadable(self) -> Self:
        return self.filter(state=ExportState.READY, expires_at__gt=timezone.now())


class Export(models.Model):
    """A member's copy of their data, made in slices; its file goes with the row after a week.

    `step` and `after` say where the next slice begins. The archive is whole up to `size_bytes`;
    from `index_at` on stands its index, which the next slice writes over (privacy.archives).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    member = models.ForeignKey(Member, models.CASCADE, related_name="exports")
    state = models.CharField(max_length=7, choices=ExportState, default=ExportState.WAITING)
    asked_at = models.DateTimeField(default=timezone.now)
    step = models.PositiveIntegerField(default=0)
    part = models.PositiveIntegerField(default=1)  # of the step's file
    after = models.CharField(max_length=CURSOR_MAX_CHARS, blank=True)
    done = models.PositiveIntegerField(default=0)  # rows and pictures
    total = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    index_at = models.PositiveBigIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)  # of the slice at hand
    next_try_at = models.DateTimeField(default=timezone.now)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=Q(state__in=("waiting", "working")),
                name="one_export_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ExportState.values), name="export_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="ready", ready_at__isnull=False, expires_at__isnull=False)
                | (~Q(state="ready") & Q(ready_at__isnull=True)),
                name="export_ready_has_an_end",
            ),
        ]
        indexes = [
            models.Index(F("member"), F("asked_at").desc(), name="export_of_member"),
            models.Index(
                "next_try_at",
                condition=Q(state__in=("waiting", "working")),
                name="export_to_make",
            ),
            models.Index(
                "expires_at", condition=Q(expires_at__isnull=False), name="export_expires"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} for {self.member_id}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in (ExportState.WAITING, ExportState.WORKING)

    @property
    def is_downloadable(self) -> bool:
        return (
            self.state == ExportState.READY
            and self.expires_at is not None
            and self.expires_at > timezone.now()
        )


class ErasureState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("erasure", "Waiting")
    WORKING = "working", pgettext_lazy("erasure", "Working")
    DONE = "done", pgettext_lazy("erasure", "Done")
    CANCELLED = "cancelled", pgettext_lazy("erasure", "Cancelled")


class Erasure(models.Model):
    """An account that is to be erased, is being erased, or was.

    `was` holds what the member was called while texts are looked through for it, and is emptied
    at the end. `step` and `after` say where the next batch begins.
    """

    member = models.ForeignKey(
        Member, models.PROTECT, verbose_name=_("member"), related_name="erasures"
    )
    # Staff who do it on the member's request; None: the member pressed the button.
    asked_by = models.ForeignKey(
        Member,
        models.PROTECT,
        verbose_name=_("asked by"),
        null=True,
        blank=True,
        related_name="+",
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    state = models.CharField(
        _("state"), max_length=9, choices=ErasureState, default=ErasureState.WAITING
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    due_at = models.DateTimeField(_("due at"))
    was = models.JSONField(default=dict, blank=True)
    step = models.CharField(max_length=CURSOR_MAX_CHARS, blank=True)
    after = models.CharField(max_length=CURSOR_MAX_CHARS, blank=True)
    batches = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)  # of the batch at hand
    next_try_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=~Q(state="cancelled"),
                name="one_erasure_of_a_member",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ErasureState.values), name="erasure_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("done", "cancelled"), finished_at__isnull=False)
                | Q(state__in=("waiting", "working"), finished_at__isnull=True),
                name="erasure_finished_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="working") | Q(was={}), name="erasure_forgets_at_the_end"
            ),
        ]
        indexes = [
            models.Index(
                "next_try_at",
                condition=Q(state__in=("waiting", "working")),
                name="erasure_to_do",
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} for {self.member_id}"
