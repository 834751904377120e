"""What becomes of tags a member made."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, declare, keys, sets_null


def register() -> None:
    declare(
        "community.Tag.created_by",
        Exported(
            "tags",
            _("Tags you made."),
            keys(
                name=_("its name"),
                group=("group__slug", _("its group; empty: the whole site")),
                created_at=_("when you made it"),
            ),
        ),
        sets_null("A tag is everybody's."),
    )
