"""What becomes of what a member decided about listings in threads."""

from __future__ import annotations

from config.personal import Exported, declare, keeps, keys

KEYS = keys(
    thread=("thread_id", "the thread's number"),
    post=("post_id", "the post's number; empty: the thread as a whole"),
    listing=("listing_id", "the listing's number"),
    state="whether it is shown",
    created_at="when it was placed",
    decided_at="when it was decided",
)
STAYS = "Sales are credited by it."


def register() -> None:
    declare(
        "commerce.Placement.placed_by",
        Exported("placements", "Listings you placed in threads.", KEYS),
        keeps(STAYS),
    )
    declare(
        "commerce.Placement.decided_by",
        Exported("placements_decided", "Listings in threads you decided about.", KEYS),
        keeps(STAYS),
    )
