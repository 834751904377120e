"""Chat rooms in the Django admin: which there are and how they stand, never what is said there.

Rooms among people are not listed: who writes to whom is theirs.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from community.chat.models import Room
from moderation.queue.admin import ReadOnlyAdmin


class StateFilter(admin.SimpleListFilter):
    """Those in which not everybody writes."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("paused", _("Paused")), ("archived", _("Archived"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in ("paused", "archived"):
            return queryset.filter(**{f"{self.value()}_at__isnull": False})
        return queryset


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    list_display = ("title", "group_name", "label", "messages", "last_message", "state")
    list_filter: ClassVar[Any] = (StateFilter, ("group", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "group__name", "group__slug", "thread__title")
    search_help_text = _("Name, group or thread")
    list_select_related = ("group", "thread")
    ordering = ("-last_message_at",)
    list_per_page = 50
    fields = ("title", "group_name", "label", "messages", "last_message", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        found: QuerySet[Room] = super().get_queryset(request)
        return found.filter(group__isnull=False)

    @admin.display(description=_("Room"))
    def title(self, room: Room) -> str:
        if room.thread is not None:
            return room.thread.title
        return room.name or (room.group.name if room.group else "")

    @admin.display(description=_("Group"), ordering="group__name")
    def group_name(self, room: Room) -> str:
        return room.group.name if room.group is not None else ""

    @admin.display(description=_("Last message"), ordering="last_message_at")
    def last_message(self, room: Room) -> str:
        if room.last_message_at is None:
            return ""
        return date_format(timezone.localtime(room.last_message_at), gettext("j M, H:i"))

    @admin.display(description=_("Kind"))
    def label(self, room: Room) -> str:
        return str(room.as_kind.label)

    @admin.display(description=_("Messages"), ordering="last_seq")
    def messages(self, room: Room) -> int:
        return room.last_seq

    @admin.display(description=_("State"))
    def state(self, room: Room) -> str:
        if room.archived_at is not None:
            return gettext("Archived")
        if room.paused_at is not None:
            return gettext("Paused")
        everybody = room.writers == Room.Writers.EVERYBODY
        return pgettext("rooms", "Open") if everybody else gettext("Read-only")
