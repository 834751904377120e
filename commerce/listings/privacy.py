"""What becomes of decisions about listings. The listings are their merchant's."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import NotExported, also_erase, declare, keeps, sweeps


def register() -> None:
    declare(
        "commerce.Listing.hidden_by",
        NotExported(_("Decisions about others.")),
        keeps("Who hid a listing is part of the hiding."),
    )
    also_erase(
        "listings that name the member",
        sweeps("commerce.Listing", "title", "description"),
        "A description may hold a handle or an address.",
    )
