"""What becomes of sanctions."""

from __future__ import annotations

from config.personal import Exported, NotExported, declare, keeps, keys


def register() -> None:
    declare(
        "moderation.Sanction.member",
        Exported(
            "sanctions",
            "What moderators took from you, and till when.",
            keys(
                kind="what",
                reason="why",
                starts_at="from when",
                ends_at="until when; empty: till lifted",
                lifted_at="when it was lifted",
                lifted_reason="why it was",
            ),
        ),
        keeps("Moderators answer for what they did; the name is neutral."),
    )
    declare(
        "moderation.Sanction.by",
        NotExported("Decisions about others."),
        keeps("Decisions are never changed."),
    )
    declare(
        "moderation.Sanction.lifted_by",
        NotExported("Decisions about others."),
        keeps("Decisions are never changed."),
    )
