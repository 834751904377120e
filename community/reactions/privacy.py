"""What becomes of reactions a member gave."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, declare, keeps, keys


def register() -> None:
    declare(
        "community.Reaction.member",
        Exported(
            "reactions",
            _("Reactions you gave."),
            keys(
                post=("post_id", _("the post's number")),
                name=_("which"),
                given_at=_("when"),
            ),
        ),
        keeps("They were given to others; posts count them."),
    )
