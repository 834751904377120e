"""What becomes of offers to join a team. Places on teams: commerce.connectors.privacy."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, NotExported, declare, deletes, keys


def register() -> None:
    declare(
        "commerce.TeamInvitation.member",
        Exported(
            "team_invitations",
            _("Shops that asked you to join them."),
            keys(merchant=("merchant__slug", _("the shop")), invited_at=_("when")),
        ),
        deletes("Nobody is left to answer."),
    )
    declare(
        "commerce.TeamInvitation.invited_by",
        NotExported(_("The invitations are those of other members.")),
        deletes("Nobody is left who meant it."),
    )
