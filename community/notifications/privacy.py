"""What becomes of what a member was told, and of how they want to be."""

from __future__ import annotations

from urllib.parse import urlsplit

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
            "What you were told.",
            keys(
                kind="what it was about",
                post=("post_id", "the post's number"),
                thread=("thread_id", "the thread's number"),
                group=("group__slug", "the group"),
                at="when",
                read_at="when you looked at it",
            ),
        ),
        deletes(FOR_THEM),
    )
    declare(
        "community.Notification.actor",
        NotExported("What others were told is theirs."),
        keeps("Others were told of it; the name they read is the neutral one."),
    )
    declare(
        "community.Told.actor",
        NotExported("Made from your reactions."),
        deletes("Nobody reacts in that name any more."),
    )
    declare(
        "community.Preferences.member",
        Exported(
            "preferences",
            "How you want to hear from us.",
            keys(
                email_when="when letters are sent",
                quiet_from="quiet from, in your time zone",
                quiet_until="until",
                digest="how often the digest comes",
                digested_at="when the last one came",
            ),
        ),
        deletes(FOR_THEM),
    )
    declare(
        "community.ChannelChoice.member",
        Exported(
            "channels",
            "What you want to be told where, beside the defaults.",
            keys(kind="of what", channel="where", wanted="whether"),
        ),
        deletes(FOR_THEM),
    )
    declare(
        "community.Sending.member",
        Exported(
            "letters_sent",
            "Letters and pushes that went to you, or were to.",
            keys(
                what="what kind",
                channel="e-mail or push",
                created_at="when it was planned",
                sent_at="when it went",
                state="what became of it",
            ),
        ),
        deletes(FOR_THEM),
    )
    declare(
        "community.PushSubscription.member",
        Exported(
            "push",
            "Browsers that show what is pushed; their keys and addresses are secret.",
            keys(
                service=(
                    "endpoint",
                    "whose push service",
                    lambda address: urlsplit(address).netloc,
                ),
                created_at="since when",
            ),
        ),
        deletes("The browser is the member's."),
    )
    declare(
        "community.InboundEmail.member",
        Exported(
            "letters_received",
            "Letters of yours that came in.",
            keys(
                received_at="when",
                state="what became of it",
                post=("post_id", "the post it became"),
                reason="why it was refused",
            ),
        ),
        deletes("A letter's id names the sender's mail service; the post stays."),
    )
