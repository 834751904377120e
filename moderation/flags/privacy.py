"""What becomes of flags, cases and decisions."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, NotExported, declare, keeps, keys


def register() -> None:
    declare(
        "moderation.Case.author",
        Exported(
            "decisions",
            _("What moderators decided about what you wrote."),
            keys(
                kind=_("post, message or listing"),
                number=("target_id", _("its number")),
                outcome=("decision__outcome", _("keep or hide")),
                reason=("decision__reason", _("why")),
                decided_at=("decision__decided_at", _("when")),
            ),
            narrowed=lambda rows: rows.filter(decision__isnull=False),
        ),
        keeps("Who was harmed may still ask what was done."),
    )
    declare(
        "moderation.Flag.member",
        Exported(
            "flags",
            _("What you told moderators about."),
            keys(
                kind=("case__kind", _("post, message or listing")),
                number=("case__target_id", _("its number")),
                reason=_("as what"),
                note=_("what you added"),
                flagged_at=_("when"),
            ),
        ),
        keeps("A decision rests on it."),
    )
    declare(
        "moderation.Decision.decided_by",
        NotExported(_("Decisions about others.")),
        keeps("Decisions are never changed."),
    )
