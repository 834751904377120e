"""What becomes of a member's levels and badges."""

from __future__ import annotations

from config.personal import Exported, NotExported, declare, deletes, keys, sets_null


def register() -> None:
    declare(
        "community.LevelChange.member",
        Exported(
            "trust_levels",
            "How your trust level changed.",
            keys(before="from", after="to", at="when", reason="why"),
        ),
        deletes("It tells how somebody read and wrote."),
    )
    declare(
        "community.LevelChange.by",
        NotExported("The levels are those of other members."),
        sets_null("The level is the other's."),
    )
    declare(
        "community.BadgeGrant.member",
        Exported(
            "badges",
            "Badges you earned.",
            keys(badge=("badge__name", "which"), earned_at="when", reason="what for"),
        ),
        deletes("They tell what somebody did, and when."),
    )
    declare(
        "community.BadgeGrant.by",
        NotExported("The badges are those of other members."),
        sets_null("The badge is the other's."),
    )
