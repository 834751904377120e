"""What becomes of flags, cases and decisions."""

from __future__ import annotations

from config.personal import Exported, NotExported, declare, keeps, keys


def register() -> None:
    declare(
        "moderation.Case.author",
        Exported(
            "decisions",
            "What moderators decided about what you wrote.",
            keys(
                kind="post, message or listing",
                number=("target_id", "its number"),
                outcome=("decision__outcome", "keep or hide"),
                reason=("decision__reason", "why"),
                decided_at=("decision__decided_at", "when"),
            ),
            narrowed=lambda rows: rows.filter(decision__isnull=False),
        ),
        keeps("Who was harmed may still ask what was done."),
    )
    declare(
        "moderation.Flag.member",
        Exported(
            "flags",
            "What you told moderators about.",
            keys(
                kind=("case__kind", "post, message or listing"),
                number=("case__target_id", "its number"),
                reason="as what",
                note="what you added",
                flagged_at="when",
            ),
        ),
        keeps("A decision rests on it."),
    )
    declare(
        "moderation.Decision.decided_by",
        NotExported("Decisions about others."),
        keeps("Decisions are never changed."),
    )
