"""Who sees pictures that were brought for chat: those who may read a message that shows them."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from community.chat.models import Message, MessageImage, MessageLink
from community.members.models import Member
from community.uploads.models import AUDIENCES


def in_readable_messages(member: Member) -> Q:
    """A message `member` may read shows it, or the preview of a link in one does."""
    readable = Message.objects.visible_to(member)
    shown = MessageImage.objects.filter(image=OuterRef("pk"), message__in=readable)
    linked = MessageLink.objects.filter(
        preview__image=OuterRef("pk"), removed_at=None, message__in=readable
    )
    return Q(Exists(shown)) | Q(Exists(linked))


def register_audience() -> None:
    """Called once, when the apps are ready."""
    AUDIENCES.append(in_readable_messages)
