"""A group's chat beside other pages, and what pages of chat draw of a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from community.chat.drawing import draw_message
from community.chat.entries import message_of, thread_of, words_of
from community.chat.models import Message, RoomEntry
from community.chat.pages import reactions_of
from community.chat.previews import LinkCard
from community.groups.models import Group

register = template.Library()


@register.simple_tag
def given(mine: Mapping[int, Sequence[str]]) -> str:
    """The reader's own reactions for an attribute: `12:heart,want 15:heart`."""
    return " ".join(f"{seq}:{','.join(names)}" for seq, names in mine.items())


@register.filter
def entry_words(entry: RoomEntry) -> str:
    """What a moderator did, as a sentence."""
    return words_of(entry)


@register.filter
def entry_message(entry: RoomEntry) -> int | None:
    """The number of the message it is about, if any."""
    return message_of(entry)


@register.filter
def entry_thread(entry: RoomEntry) -> str:
    """Where the thread is that was made, if one was."""
    return thread_of(entry)


@register.simple_tag
def drawn(message: Message) -> SafeString:
    """A message in a list. No query."""
    return draw_message(message)


@register.inclusion_tag("community/chat/_reactions.html")
def message_reactions(message: Message) -> dict[str, Any]:
    """The reactions given to a message, as buttons. No query."""
    return {"message": message, "reactions": reactions_of(message)}


@register.inclusion_tag("community/chat/_links.html")
def message_links(message: Message) -> dict[str, Any]:
    """Cards of what a message links to. No query."""
    return {"cards": [LinkCard(*card) for card in message.link_cards]}


@register.inclusion_tag("community/chat/_rail.html", takes_context=True)
def group_chat(context: Context, group: Group) -> dict[str, Any]:
    """Put the place of the group's room beside a page: a link, the room itself where it fits.

    No query: most who read a thread do so on a screen without room for it.
    """
    return {"group": group, "back": context["request"].get_full_path()}
