"""What becomes of tags a member made."""

from __future__ import annotations

from config.personal import Exported, declare, keys, sets_null


def register() -> None:
    declare(
        "community.Tag.created_by",
        Exported(
            "tags",
            "Tags you made.",
            keys(
                name="its name",
                group=("group__slug", "its group; empty: the whole site"),
                created_at="when you made it",
            ),
        ),
        sets_null("A tag is everybody's."),
    )
