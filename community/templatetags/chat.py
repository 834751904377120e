"""A group's chat beside other pages, and what pages of chat draw of a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template import Context

from community.chat.models import Message
from community.chat.pages import reactions_of
from community.groups.models import Group

register = template.Library()


@register.simple_tag
def given(mine: Mapping[int, Sequence[str]]) -> str:
    """The reader's own reactions for an attribute: `12:heart,want 15:heart`."""
    return " ".join(f"{seq}:{','.join(names)}" for seq, names in mine.items())


@register.inclusion_tag("community/chat/_reactions.html")
def message_reactions(message: Message) -> dict[str, Any]:
    """The reactions given to a message, as buttons. No query."""
    return {"message": message, "reactions": reactions_of(message)}


@register.inclusion_tag("community/chat/_rail.html", takes_context=True)
def group_chat(context: Context, group: Group) -> dict[str, Any]:
    """Put the place of the group's room beside a page: a link, the room itself where it fits.

    No query: most who read a thread do so on a screen without room for it.
    """
    return {"group": group, "back": context["request"].get_full_path()}
