"""A group's chat beside other pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from community.chat.forms import MessageForm
from community.chat.models import Message
from community.chat.services import room_of
from community.chat.views import mark_runs
from community.groups.models import Group
from community.groups.services import membership_of
from community.members.models import Member

register = template.Library()

RAIL_MESSAGES = 20


@register.inclusion_tag("community/chat/_rail.html", takes_context=True)
def group_chat(context: Context, group: Group) -> dict[str, Any]:
    """Show the newest messages of the group's room to its members, nothing to others.

    Two queries for a member whose `membership` the page knows, none for a guest.
    """
    request = context["request"]
    if not isinstance(request.user, Member):
        return {"room": None}
    known = context.get("membership")
    if known is None or known.group_id != group.pk:
        known = membership_of(request.user, group)
    if known is None:
        return {"room": None}
    room = room_of(group)
    room.group = group
    page = list(
        Message.objects.filter(room=room)
        .select_related("sender__avatar")
        .order_by("-seq")[:RAIL_MESSAGES]
    )[::-1]
    mark_runs(page, request.user)
    return {
        "room": room,
        "group": group,
        "chat_messages": page,
        "form": MessageForm(),
        "request": request,
        "user": request.user,
        "csrf_token": context.get("csrf_token"),
    }
