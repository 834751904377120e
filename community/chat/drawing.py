"""A message as pages and sockets show it, drawn once a process and language (config/pieces.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from django.contrib.postgres.expressions import ArraySubquery
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from community.chat.models import Message
from community.members.models import Member
from config.pieces import Key, pieces, told

# What is drawn under a message, as part of a query of messages: by its name, a subquery. Domains
# above join; their template tags read it from the message.
MESSAGE_NOTES: Final[dict[str, Callable[[], ArraySubquery]]] = {}


def draw_message(message: Message) -> SafeString:
    """Draw a message in the active language, for all readers who may see it alike."""

    def draw() -> str:
        return render_to_string("community/chat/_message.html", {"message": message})

    return mark_safe(pieces.get(_told(message), draw))


def _told(message: Message) -> Key:
    """Everything the template is told of it; its sender alone reads why it was hidden."""
    answered = message.reply_to
    return (
        "message",
        *told(message),
        _look(message.sender),
        message.continues,
        message.is_folded,
        message.is_hidden and message.viewer_is_sender,
        answered and (answered.seq, answered.is_hidden, answered.body, answered.sender.name),
        *(json.dumps(getattr(message, name, ())) for name in MESSAGE_NOTES),
    )


def _look(member: Member) -> Key:
    return member.handle, member.name, member.avatar_id
