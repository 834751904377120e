"""The moderator role: a group of permissions, no more than the work needs."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import Group, Permission

ROLE_NAME: Final = "Moderators"
PERMISSIONS: Final = (
    ("moderation", "view_case"),
    ("moderation", "view_flag"),
    ("moderation", "view_decision"),
    ("moderation", "add_decision"),
    ("moderation", "view_auditentry"),
    ("moderation", "view_sanction"),
    ("moderation", "add_sanction"),
    ("community", "view_member"),
    ("community", "view_room"),
)


def ensure_moderator_role(**_kwargs: Any) -> Group:
    """Make the role what PERMISSIONS says, after every migration and whenever asked."""
    role, _ = Group.objects.get_or_create(name=ROLE_NAME)
    wanted = [
        permission
        for app, codename in PERMISSIONS
        for permission in Permission.objects.filter(content_type__app_label=app, codename=codename)
    ]
    role.permissions.set(wanted)
    return role
