"""What every page's frame needs, asked for only when the page draws it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from community.groups.models import Group
from community.members.models import Member

NAV_GROUPS = 30  # more than these and the directory serves better


def groups_of_nav(member: Member, **columns: Any) -> QuerySet[Group]:
    """The groups a member's nav names, with `columns` more for whoever asks something besides."""
    return (
        Group.objects.joined_by(member)
        .only("slug", "name", "glyph", "tint")
        .annotate(**columns)
        .order_by("name")[:NAV_GROUPS]
    )


def frame(request: HttpRequest) -> dict[str, object]:
    """Give `nav_groups` (at most one query, none for a guest), the nonce and the names."""

    def nav_groups() -> list[Group]:
        viewer = getattr(request, "user", None)
        if not isinstance(viewer, Member):
            return []
        return list(groups_of_nav(viewer))

    return {
        "nav_groups": SimpleLazyObject(nav_groups),
        # Asking for the nonce is what puts it into the header, so it is passed on unasked.
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
    }
