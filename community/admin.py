"""What staff change of the community in the admin: badges and interests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from community.groups.models import Interest
from community.standing.models import Badge

if TYPE_CHECKING:
    BadgeModelAdmin = admin.ModelAdmin[Badge]
    InterestModelAdmin = admin.ModelAdmin[Interest]
else:
    BadgeModelAdmin = InterestModelAdmin = admin.ModelAdmin


@admin.register(Badge)
class BadgeAdmin(BadgeModelAdmin):
    """Badges. One that somebody holds is switched off, not deleted."""

    list_display = ("name", "glyph", "rank", "about", "is_active")
    list_filter = ("rank", "is_active")
    search_fields = ("name", "about")
    prepopulated_fields = {"slug": ["name"]}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Interest)
class InterestAdmin(InterestModelAdmin):
    """What members and groups gather around."""

    list_display = ("name", "glyph")
    search_fields = ("name",)
    prepopulated_fields = {"slug": ["name"]}
