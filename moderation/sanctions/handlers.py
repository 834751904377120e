"""Telling members what was taken from them, or given back."""

from __future__ import annotations

from community.notifications.models import Kind
from community.notifications.services import notify
from moderation.events import SanctionChanged
from moderation.sanctions.models import Sanction


def tell_of_sanction(event: SanctionChanged) -> None:
    """Tell the member, by e-mail too: a suspended one reads nothing here."""
    sanction = Sanction.objects.select_related("member").get(pk=event.sanction_id)
    lifted = sanction.lifted_at is not None
    notify(
        member=sanction.member,
        kind=Kind.DECISION,
        key=f"sanction:{sanction.pk}:{'lifted' if lifted else 'made'}",
        details={
            "about": f"{sanction.kind}_lifted" if lifted else sanction.kind,
            "words": sanction.lifted_reason if lifted else sanction.reason,
        },
    )
