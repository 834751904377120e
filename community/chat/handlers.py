"""What chat does when a message was sent or changed."""

from __future__ import annotations

from community.chat.models import Message
from community.chat.previews import note_links
from community.events import MessageEdited, MessageSent


def note_links_of_sent(event: MessageSent) -> None:
    _note(event.message_id)


def note_links_of_edit(event: MessageEdited) -> None:
    _note(event.message_id)


def _note(message_id: int) -> None:
    message = Message.objects.filter(pk=message_id).first()
    if message is not None and ("<a href=" in message.html or message.links.exists()):
        note_links(message)
