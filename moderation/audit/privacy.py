"""What becomes of the audit trail: nothing, it is written once."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import NotExported, declare, keeps

NEVER = "Entries are never changed; they name members by number alone."


def register() -> None:
    declare(
        "moderation.AuditEntry.actor",
        NotExported(_("The site's record of what moderators did.")),
        keeps(NEVER),
    )
    declare(
        "moderation.AuditEntry.subject",
        NotExported(_("Notes of staff; decisions you were told are in decisions.json.")),
        keeps(NEVER),
    )
