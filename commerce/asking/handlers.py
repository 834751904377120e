"""What happens in a listing's room when something was said there."""

from __future__ import annotations

from commerce.asking.rooms import LISTING
from commerce.asking.services import gather_team
from community.chat.models import Message
from community.events import MessageSent


def gather_team_of_listing(event: MessageSent) -> None:
    rows = Message.objects.select_related("room").filter(room__kind=LISTING)
    message = rows.filter(pk=event.message_id).first()
    if message is not None:
        gather_team(message)
