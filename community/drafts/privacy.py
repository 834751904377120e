"""What becomes of what a member has not posted yet."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, also_erase, declare, deletes, keys, sweeps


def register() -> None:
    declare(
        "community.Draft.member",
        Exported(
            "drafts",
            _("What you typed and did not post."),
            keys(
                target=_("where: thread, group or post, and its number"),
                title=_("the title"),
                body=_("the text"),
                fields=("extra", _("what else the form held")),
                changed_at=_("when you last changed it"),
            ),
        ),
        deletes("Nobody else ever read it."),
    )
    also_erase(
        "drafts that name the member",
        sweeps("community.Draft", "title", "body"),
        "What others have not posted yet may mention or quote the member.",
    )
