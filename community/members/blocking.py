"""Muting and blocking: whose words somebody no longer wants to read.

What a blocked member writes is neither refused nor told to who blocked them: a refusal would say
who blocked whom. See notifications.recipients.deaf_to.
"""

from __future__ import annotations

from django.db import transaction

from community.members.errors import NotYourself
from community.members.models import Block, Member, Viewer


@transaction.atomic
def block(*, by: Member, of: Member, kind: str = Block.Kind.BLOCK) -> None:
    """Fold what `of` writes wherever `by` reads; the last `kind` said counts. Raises NotYourself.

    Nobody is told.
    """
    if by.pk == of.pk:
        raise NotYourself
    Block.objects.update_or_create(by=by, of=of, defaults={"kind": Block.Kind(kind)})
    forget(by)


def unblock(*, by: Member, of: Member) -> None:
    """Take a mute or block back; without one nothing changes."""
    Block.objects.filter(by=by, of=of).delete()
    forget(by)


def folded_for(viewer: Viewer) -> frozenset[int]:
    """Return the members whose words fold for `viewer`. One query a request, none for a guest."""
    if not isinstance(viewer, Member):
        return frozenset()
    known: frozenset[int] | None = viewer.__dict__.get("_folded")
    if known is None:
        known = frozenset(Block.objects.filter(by=viewer).values_list("of_id", flat=True))
        remember(viewer, known)
    return known


def remember(viewer: Member, folded: frozenset[int]) -> None:
    """Note whom `viewer` folds, found in a query that was made anyway, for this request."""
    viewer.__dict__["_folded"] = folded


def forget(viewer: Member) -> None:
    viewer.__dict__.pop("_folded", None)
