"""What stands around every page of a group, drawn once for all who are told the same."""

from __future__ import annotations

from typing import Any, Final

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from community.groups.models import Group, Membership
from config.skeletons import still

register = template.Library()

DRAWN: Final = (
    *("slug", "name", "glyph", "tint", "template", "join_mode", "about", "member_count"),
    *("thread_count", "rules"),
)


@register.simple_tag(takes_context=True)
def group_head(context: Context) -> SafeString:
    """Draw the head: `group`, `membership`, `asked` and `tab` of the page."""
    is_member = context["user"].is_authenticated
    told = {
        "asked": bool(context.get("asked")),
        "tab": context.get("tab", ""),
        "is_member": is_member,
    }
    return _around(context, "community/groups/_head.html", told)


@register.simple_tag(takes_context=True)
def group_rail(context: Context) -> SafeString:
    """Draw what stands beside a group's threads."""
    return _around(context, "community/groups/_rail.html", {})


def _around(context: Context, template_name: str, told: dict[str, Any]) -> SafeString:
    group: Group = context["group"]
    membership: Membership | None = context.get("membership")
    columns = {name: getattr(group, name) for name in DRAWN}
    role = membership.role if membership else ""
    names = {
        **told,
        # Of each the columns that are drawn, and no other.
        "group": Group(**columns),
        "membership": Membership(role=role) if membership else None,
    }
    return still(template_name, context, names, (*told.values(), *columns.values(), role))
