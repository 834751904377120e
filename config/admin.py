"""The outbox in the admin: see what is parked and why, and try it again."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config import outbox
from config.models import OutboxEvent, State

COUNTED = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most COUNTED rows: two weeks of events are millions."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[OutboxEvent] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[:COUNTED].count()


@admin.register(OutboxEvent)
class OutboxEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows are looked at and replayed, never written by hand."""

    list_display = ["id", "kind", "queue", "state", "tries", "published_at", "next_try", "error"]
    list_filter = ["state", "queue"]
    list_per_page = 50
    ordering = ["-id"]
    show_full_result_count = False
    paginator = CappedPaginator
    actions = ["replay"]
    readonly_fields = [
        "kind",
        "payload_text",
        "queue",
        "state",
        "tries",
        "waiting",
        "last_error",
        "published_at",
        "next_try_at",
        "finished_at",
        "request_id",
    ]
    fields = tuple(readonly_fields)

    @admin.display(description=_("next try"), ordering="next_try_at")
    def next_try(self, event: OutboxEvent) -> Any:
        return event.next_try_at if event.state == State.DUE else None

    @admin.display(description=_("last error"))
    def error(self, event: OutboxEvent) -> str:
        return Truncator(event.last_error).chars(120)

    @admin.display(description=_("payload"))
    def payload_text(self, event: OutboxEvent) -> str:
        return json.dumps(event.payload)

    @admin.display(description=_("waiting for"))
    def waiting(self, event: OutboxEvent) -> str:
        return ", ".join(event.waiting_for) or gettext("nobody")

    @admin.action(description=_("Replay selected parked events"), permissions=["replay"])
    def replay(self, request: HttpRequest, events: QuerySet[OutboxEvent]) -> None:
        replayed = skipped = 0
        for event in events:
            try:
                outbox.replay(event)
            except outbox.NotParked:
                skipped += 1
            else:
                replayed += 1
        if replayed:
            said = ngettext("%(n)d due again.", "%(n)d due again.", replayed)
            self.message_user(request, said % {"n": replayed}, messages.SUCCESS)
        if skipped:
            said = ngettext(
                "%(n)d not parked, left alone.", "%(n)d not parked, left alone.", skipped
            )
            self.message_user(request, said % {"n": skipped}, messages.WARNING)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("config.replay_outboxevent")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, event: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, event: Any = None) -> bool:
        return False
