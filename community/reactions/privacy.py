"""What becomes of reactions a member gave."""

from __future__ import annotations

from config.personal import Exported, declare, keeps, keys


def register() -> None:
    declare(
        "community.Reaction.member",
        Exported(
            "reactions",
            "Reactions you gave.",
            keys(
                post=("post_id", "the post's number"),
                name="which",
                given_at="when",
            ),
        ),
        keeps("They were given to others; posts count them."),
    )
