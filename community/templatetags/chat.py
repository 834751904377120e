"""A group's chat beside other pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from community.groups.models import Group

register = template.Library()


@register.inclusion_tag("community/chat/_rail.html", takes_context=True)
def group_chat(context: Context, group: Group) -> dict[str, Any]:
    """Put the place of the group's room beside a page: a link, the room itself where it fits.

    No query: most who read a thread do so on a screen without room for it.
    """
    return {"group": group, "back": context["request"].get_full_path()}
