"""What becomes of a member's bookmarks."""

from __future__ import annotations

from config.personal import Exported, declare, deletes, keys


def register() -> None:
    declare(
        "community.Bookmark.member",
        Exported(
            "bookmarks",
            "Posts you kept.",
            keys(
                post=("post_id", "the post's number"),
                note="what you noted",
                remind_at="when you want to be reminded",
                reminded_at="when you were",
                created_at="when you kept it",
            ),
        ),
        deletes("It was for the member alone."),
    )
