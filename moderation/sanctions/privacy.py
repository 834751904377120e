"""What becomes of sanctions."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, NotExported, declare, keeps, keys


def register() -> None:
    declare(
        "moderation.Sanction.member",
        Exported(
            "sanctions",
            _("What moderators took from you, and till when."),
            keys(
                kind=_("what"),
                reason=_("why"),
                starts_at=_("from when"),
                ends_at=_("until when; empty: till lifted"),
                lifted_at=_("when it was lifted"),
                lifted_reason=_("why it was"),
            ),
        ),
        keeps("Moderators answer for what they did; the name is neutral."),
    )
    declare(
        "moderation.Sanction.by",
        NotExported(_("Decisions about others.")),
        keeps("Decisions are never changed."),
    )
    declare(
        "moderation.Sanction.lifted_by",
        NotExported(_("Decisions about others.")),
        keeps("Decisions are never changed."),
    )
