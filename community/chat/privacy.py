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
    deletes,
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
                room=("room__group__slug", _("the group whose room it is, if a group's")),
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
    declare(
        "community.Message.pinned_by",
        NotExported(_("A pin is part of the room.")),
        keeps("Who pinned a message is part of the room; it stands under the neutral name."),
    )
    declare(
        "community.Room.created_by",
        NotExported(_("Rooms are their groups'.")),
        keeps("Who opened a room is part of it; it stands under the neutral name."),
    )
    declare(
        "community.RoomEntry.by",
        NotExported(_("What moderators did is part of the room.")),
        keeps("What was done in a room stays; it stands under the neutral name."),
    )
    declare(
        "community.Place.member",
        Exported(
            "rooms",
            _("The rooms you were in, and how far you read."),
            keys(
                room=("room_id", _("the room's number")),
                state=_("whether you are in it"),
                level=_("what of it you are told"),
                read_seq=_("the last message you read"),
                read_at=_("when you read it"),
                since=_("since when you are in it"),
            ),
        ),
        deletes("Where somebody was and what they read is theirs alone."),
    )
    declare(
        "community.MessageMention.member",
        NotExported(_("Others' words; the messages are theirs.")),
        deletes("It points at somebody who is gone."),
    )
    declare(
        "community.MessageReaction.member",
        Exported(
            "message_reactions",
            _("Your reactions to messages."),
            keys(
                room=("message__room_id", _("the room's number")),
                number=("message__seq", _("the message's place in it")),
                name=_("which"),
                given_at=_("when"),
            ),
        ),
        deletes("A sign without its giver says nothing."),
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
