"""A group's chat beside other pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from community.chat.forms import MessageForm
from community.chat.models import Message, Room
from community.chat.views import mark_runs
from community.groups.models import Group
from community.members.models import Member

register = template.Library()

RAIL_MESSAGES = 20


@register.inclusion_tag("community/chat/_rail.html", takes_context=True)
def group_chat(context: Context, group: Group) -> dict[str, Any]:
    """Show the newest messages of the group's room to its members, nothing to others.

    Two queries for a member of the group, one for an outsider, none for a guest.
    """
    request = context["request"]
    room = None
    if isinstance(request.user, Member):
        room = Room.objects.visible_to(request.user).filter(group=group).first()
    if room is None:
        return {"room": None}
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
