"""What becomes of a member's own row, and of whom they shut out."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import (
    Erased,
    Exported,
    NotExported,
    declare,
    deletes,
    keys,
)


def register() -> None:
    declare(
        "community.Member.id",
        Exported(
            "account",
            _("Your account and what you say of yourself."),
            keys(
                handle=_("your handle"),
                name=_("the name others read"),
                email=_("the address you sign in with"),
                bio=_("what you wrote about yourself"),
                place=_("the place you gave"),
                joined_at=_("when you joined"),
                last_login=_("when you last signed in"),
                language=_("the language you chose; empty: your browser's"),
                time_zone=_("the time zone you chose"),
                trust_level=_("0 (new) to 4 (leader)"),
                is_listed=_("whether the member directory shows you"),
                picture=("avatar_id", _("the picture beside your name, see pictures.json")),
                onboarded_at=_("when you finished the first visit"),
            ),
        ),
        # community.privacy does it first of all, in `erasing.close`.
        Erased("blanks", "The row stays for what points at it, with a neutral name and handle."),
    )
    declare(
        "community.Member_interests.member",
        Exported(
            "interests", _("What you are interested in."), keys(interest=("interest__name", ""))
        ),
        deletes("They say something of the member."),
    )
    declare(
        "community.Member_groups.member",
        NotExported(_("Rights of staff, which the site gives.")),
        deletes("Nobody acts in that name any more."),
    )
    declare(
        "community.Member_user_permissions.member",
        NotExported(_("Rights of staff, which the site gives.")),
        deletes("Nobody acts in that name any more."),
    )
    declare(
        "community.Block.by",
        Exported(
            "blocks",
            _("Whom you muted or blocked."),
            keys(
                member=("of__handle", _("the other's handle")),
                kind=_("mute or block"),
                created_at=_("since when"),
            ),
        ),
        deletes("It was for the member's eyes alone."),
    )
    declare(
        "community.Block.of",
        NotExported(_("Whom others shut out is theirs to know.")),
        deletes("Nobody is left to shut out."),
    )
