"""What becomes of a member's bookmarks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, declare, deletes, keys


def register() -> None:
    declare(
        "community.Bookmark.member",
        Exported(
            "bookmarks",
            _("Posts you kept."),
            keys(
                post=("post_id", _("the post's number")),
                note=_("what you noted"),
                remind_at=_("when you want to be reminded"),
                reminded_at=_("when you were"),
                created_at=_("when you kept it"),
            ),
        ),
        deletes("It was for the member alone."),
    )
