"""What becomes of credits: nothing, they are money."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import NotExported, declare, keeps


def register() -> None:
    declare(
        "commerce.Credit.author",
        NotExported(_("Made from orders, which are the shops'; your posts are in posts.json.")),
        keeps("A credit never changes."),
    )
