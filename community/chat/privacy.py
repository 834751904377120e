"""What becomes of a member's messages, and of messages that name them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.chat.models import MESSAGE_MAX_CHARS, Message
from community.threads.rendering import render_message
from config.personal import (
    Erasing,
    Exported,
    NotExported,
    also_erase,
    declare,
    keeps,
    keys,
    naming,
    neutral,
    swept,
)


def register() -> None:
    declare(
        "community.Message.sender",
        Exported(
            "messages",
            _("What you wrote in chat."),
            keys(
                room=("room__group__slug", _("the group whose room it is")),
                number=("seq", _("its place in the room")),
                body=_("what it says"),
                sent_at=_("when you sent it"),
                hidden_at=_("since when it is hidden"),
            ),
        ),
        keeps("A talk with holes is no talk; it stands under the neutral name."),
    )
    declare(
        "community.Message.hidden_by",
        NotExported(_("Decisions about others.")),
        keeps("Who hid a message is part of the hiding."),
    )
    also_erase(
        "messages that name the member",
        swept("community.Message", _may_name, rewrite_messages),
        "Each is rendered anew, without the link.",
    )


def _may_name(erasing: Erasing) -> Q:
    return naming(["body"], erasing)


def rewrite_messages(erasing: Erasing, messages: Sequence[Message]) -> None:
    for message in messages:
        body = neutral(message.body, erasing)[:MESSAGE_MAX_CHARS]
        html = render_message(body, author=message.sender, group=message.room.group).html
        Message.objects.filter(pk=message.pk).update(body=body, html=html)
