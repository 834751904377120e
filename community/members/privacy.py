"""What becomes of a member's own row, and of whom they shut out."""

from __future__ import annotations

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
            "Your account and what you say of yourself.",
            keys(
                handle="your handle",
                name="the name others read",
                email="the address you sign in with",
                bio="what you wrote about yourself",
                place="the place you gave",
                joined_at="when you joined",
                last_login="when you last signed in",
                language="the language you chose; empty: your browser's",
                time_zone="the time zone you chose",
                trust_level="0 (new) to 4 (leader)",
                is_listed="whether the member directory shows you",
                picture=("avatar_id", "the picture beside your name, see pictures.json"),
                onboarded_at="when you finished the first visit",
            ),
        ),
        # community.privacy does it first of all, in `erasing.close`.
        Erased("blanks", "The row stays for what points at it, with a neutral name and handle."),
    )
    declare(
        "community.Member_interests.member",
        Exported("interests", "What you are interested in.", keys(interest=("interest__name", ""))),
        deletes("They say something of the member."),
    )
    declare(
        "community.Member_groups.member",
        NotExported("Rights of staff, which the site gives."),
        deletes("Nobody acts in that name any more."),
    )
    declare(
        "community.Member_user_permissions.member",
        NotExported("Rights of staff, which the site gives."),
        deletes("Nobody acts in that name any more."),
    )
    declare(
        "community.Block.by",
        Exported(
            "blocks",
            "Whom you muted or blocked.",
            keys(
                member=("of__handle", "the other's handle"),
                kind="mute or block",
                created_at="since when",
            ),
        ),
        deletes("It was for the member's eyes alone."),
    )
    declare(
        "community.Block.of",
        NotExported("Whom others shut out is theirs to know."),
        deletes("Nobody is left to shut out."),
    )
