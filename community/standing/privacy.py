"""What becomes of a member's levels and badges."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.personal import Exported, NotExported, declare, deletes, keys, sets_null


def register() -> None:
    declare(
        "community.LevelChange.member",
        Exported(
            "trust_levels",
            _("How your trust level changed."),
            keys(before=_("from"), after=_("to"), at=_("when"), reason=_("why")),
        ),
        deletes("It tells how somebody read and wrote."),
    )
    declare(
        "community.LevelChange.by",
        NotExported(_("The levels are those of other members.")),
        sets_null("The level is the other's."),
    )
    declare(
        "community.BadgeGrant.member",
        Exported(
            "badges",
            _("Badges you earned."),
            keys(
                badge=("badge__name", _("which"), gettext),
                earned_at=_("when"),
                reason=_("what for"),
            ),
        ),
        deletes("They tell what somebody did, and when."),
    )
    declare(
        "community.BadgeGrant.by",
        NotExported(_("The badges are those of other members.")),
        sets_null("The badge is the other's."),
    )
