"""What becomes of what a member was told, and of how they want to be."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from config.personal import (
    Exported,
    NotExported,
    declare,
    deletes,
    keeps,
    keys,
)

FOR_THEM = "It was for the member alone."


def register() -> None:
    declare(
        "community.Notification.member",
        Exported(
            "notifications",
            _("What you were told."),
            keys(
                kind=_("what it was about"),
                post=("post_id", _("the post's number")),
                thread=("thread_id", _("the thread's number")),
                group=("group__slug", _("the group")),
                room=("room_id", _("the chat room's number")),
                message=("message__seq", _("the message's place in it")),
                at=_("when"),
                read_at=_("when you looked at it"),
            ),
        ),
        deletes(FOR_THEM),
    )
    declare(
        "community.Notification.actor",
        NotExported(_("What others were told is theirs.")),
        keeps("Others were told of it; the name they read is the neutral one."),
    )
    declare(
        "community.Told.actor",
        NotExported(_("Made from your reactions.")),
        deletes("Nobody reacts in that name any more."),
    )
    declare(
        "community.Preferences.member",
        Exported(
            "preferences",
            _("How you want to hear from us."),
            keys(
                email_when=_("when letters are sent"),
                quiet_from=_("quiet from, in your time zone"),
                quiet_until=_("until"),
                digest=_("how often the digest comes"),
                digested_at=_("when the last one came"),
            ),
        ),
        deletes(FOR_THEM),
    )
    declare(
        "community.ChannelChoice.member",
        Exported(
            "channels",
            _("What you want to be told where, beside the defaults."),
            keys(kind=_("of what"), channel=_("where"), wanted=_("whether")),
        ),
        deletes(FOR_THEM),
    )
    declare(
        "community.Sending.member",
        Exported(
            "letters_sent",
            _("Letters and pushes that went to you, or were to."),
            keys(
                what=_("what kind"),
                channel=_("e-mail or push"),
                created_at=_("when it was planned"),
                sent_at=_("when it went"),
                state=_("what became of it"),
            ),
        ),
        deletes(FOR_THEM),
    )
    declare(
        "community.PushSubscription.member",
        Exported(
            "push",
            _("Browsers that show what is pushed; their keys and addresses are secret."),
            keys(
                service=(
                    "endpoint",
                    _("whose push service"),
                    lambda address: urlsplit(address).netloc,
                ),
                created_at=_("since when"),
            ),
        ),
        deletes("The browser is the member's."),
    )
    declare(
        "community.InboundEmail.member",
        Exported(
            "letters_received",
            _("Letters of yours that came in."),
            keys(
                received_at=_("when"),
                state=_("what became of it"),
                post=("post_id", _("the post it became")),
                reason=_("why it was refused"),
            ),
        ),
        deletes("A letter's id names the sender's mail service; the post stays."),
    )
