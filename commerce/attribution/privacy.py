"""What becomes of credits: nothing, they are money."""

from __future__ import annotations

from config.personal import NotExported, declare, keeps


def register() -> None:
    declare(
        "commerce.Credit.author",
        NotExported("Made from orders, which are the shops'; your posts are in posts.json."),
        keeps("A credit never changes."),
    )
