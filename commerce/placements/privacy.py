"""What becomes of what a member decided about listings in threads."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, declare, keeps, keys

KEYS = keys(
    thread=("thread_id", _("the thread's number")),
    post=("post_id", _("the post's number; empty: the thread as a whole")),
    listing=("listing_id", _("the listing's number")),
    state=_("whether it is shown"),
    created_at=_("when it was placed"),
    decided_at=_("when it was decided"),
)
STAYS = "Sales are credited by it."


def register() -> None:
    declare(
        "commerce.Placement.placed_by",
        Exported("placements", _("Listings you placed in threads."), KEYS),
        keeps(STAYS),
    )
    declare(
        "commerce.Placement.decided_by",
        Exported("placements_decided", _("Listings in threads you decided about."), KEYS),
        keeps(STAYS),
    )
