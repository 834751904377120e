"""Rows of the transactional outbox; the verbs are in config.outbox."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    DUE = "due", pgettext_lazy("outbox", "Due")
    DONE = "done", pgettext_lazy("outbox", "Done")
    PARKED = "parked", pgettext_lazy("outbox", "Parked")


class OutboxEventQuerySet(models.QuerySet["OutboxEvent"]):
    def due(self) -> OutboxEventQuerySet:
        return self.filter(state=State.DUE)

    def parked(self) -> OutboxEventQuerySet:
        return self.filter(state=State.PARKED)

    def done(self) -> OutboxEventQuerySet:
        return self.filter(state=State.DONE)


class OutboxEvent(models.Model):
    """A fact that a domain announced, kept until every handler of one queue has seen it.

    An event whose handlers work on two queues has two rows, so that slow work never holds up quick
    work. A row is due until all its handlers are through (done) or its tries are used up (parked,
    until a person replays it). Written by config.outbox only.
    """

    kind = models.CharField(_("kind"), max_length=100)  # "<domain>.<class name>"
    payload = models.JSONField()
    queue = models.CharField(_("queue"), max_length=20)
    # Of the web request that announced it; every log line of its handlers carries it too.
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    published_at = models.DateTimeField(_("announced at"), db_default=Now(), editable=False)

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DUE)
    # Counted when a try begins: an event that kills its worker still runs out of tries.
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try at"), db_default=Now(), editable=False)
    # Dotted paths of the handlers still to run, as known when it was published. A handler's receipt
    # is its removal from here, in the transaction of its own work: nothing is done without it, and
    # a handler that was renamed or moved meanwhile is parked, not forgotten.
    waiting_for = models.JSONField(default=list, blank=True)
    # At most LAST_ERROR_MAX_CHARS characters, without values that may be personal.
    last_error = models.TextField(_("last error"), blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = OutboxEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("outbox event")
        verbose_name_plural = _("outbox events")
        permissions = [("replay_outboxevent", "Can replay a parked outbox event")]
        # Each index covers one state only: its size follows the work left, not the history.
        indexes = [
            models.Index(
                fields=["queue", "next_try_at", "id"], name="outbox_due", condition=Q(state="due")
            ),
            models.Index(fields=["id"], name="outbox_parked", condition=Q(state="parked")),
            models.Index(fields=["finished_at"], name="outbox_done", condition=Q(state="done")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["due", "done", "parked"]), name="outbox_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="done", finished_at__isnull=False)
                | (~Q(state="done") & Q(finished_at__isnull=True)),
                name="outbox_done_has_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(waiting_for=[]), name="outbox_done_waits_for_nobody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
