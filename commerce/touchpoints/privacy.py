"""What becomes of clicks a member agreed to have remembered."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from commerce.touchpoints.models import Touchpoint, Visitor
from config.personal import (
    BATCH,
    Erasing,
    Exported,
    NotExported,
    declare,
    keeps,
    keys,
    runs,
    sets_null,
)


def register() -> None:
    declare(
        "commerce.Visitor.member",
        Exported(
            "browsers",
            _("Browsers you let us remember."),
            keys(first_seen_at=_("since when")),
        ),
        runs("deletes", forget_visitors, "The browser is the member's."),
    )
    declare(
        "commerce.Touchpoint.member",
        Exported(
            "clicks",
            _("Clicks on listings you agreed to have remembered."),
            keys(
                kind=_("where you clicked"),
                listing=("listing_id", _("the listing's number")),
                thread=("thread_id", _("the thread's number")),
                post=("post_id", _("the post's number")),
                at=("occurred_at", _("when")),
            ),
        ),
        sets_null("The click stays as one of nobody: a sale may still be credited to the post."),
    )
    declare(
        "commerce.Touchpoint.author",
        NotExported(_("Who clicked on listings beside your posts is theirs.")),
        keeps("Sales are credited by it."),
    )


def forget_visitors(erasing: Erasing, after: str) -> str | None:
    """Cut clicks from the member's browsers, then let the browsers go."""
    theirs = Visitor.objects.filter(member=erasing.member_id).order_by("pk")
    some = list(theirs.values_list("pk", flat=True)[:BATCH])
    tied = Touchpoint.objects.filter(visitor__in=some).values_list("pk", flat=True)
    if clicks := list(tied[:BATCH]):
        Touchpoint.objects.filter(pk__in=clicks).update(visitor=None, member=None)
        return after
    Visitor.objects.filter(pk__in=some).delete()
    return after if len(some) == BATCH else None
