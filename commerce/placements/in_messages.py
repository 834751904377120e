"""Listings under chat messages that link to them: cards whose click is credited to the message.

Only a pasted address brings one; what a message may speak of is not guessed, nor suggested.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONArray
from django.utils import timezone

from commerce.listings.addresses import host_of
from commerce.listings.models import Listing, ListingState
from commerce.placements.linking import Mention, Reading, find_mentions, sorted_out
from commerce.placements.lookup import candidate_of
from commerce.placements.models import MessagePlacement
from commerce.placements.shown import cover_of
from community.chat.messages import message_shows_otherwise
from community.chat.models import Message, Room
from community.chat.previews import AlsoDrawn, links_in
from community.groups.models import Group, JoinMode

CARDS_A_MESSAGE_MAX: Final = 3


@transaction.atomic
def link_message(message_id: int) -> None:
    """Draw the listings that a message links to under it; take back what an edit took away.

    Running it again changes nothing. At most CARDS_A_MESSAGE_MAX.
    """
    rows = Message.objects.select_for_update(of=("self",)).select_related("room__group")
    message = rows.filter(pk=message_id).first()
    if message is None:
        return
    before = {row.listing_id: row for row in MessagePlacement.objects.filter(message=message)}
    if not before and "<a href=" not in message.html:
        return
    wanted = [] if message.is_hidden else _named(message.room.group, links_in(message.html))
    changed = False
    for mention in wanted[:CARDS_A_MESSAGE_MAX]:
        if before.pop(mention.listing_id, None) is None:
            MessagePlacement.objects.create(
                message=message, listing_id=mention.listing_id, matched=mention.matched
            )
            changed = True
    for row in before.values():
        # Of one that is sold by now the card stays, as long as the message links to it.
        if not message.is_hidden and row.matched not in links_in(message.html):
            row.delete()
            changed = True
    if changed:
        message_shows_otherwise(message)


def _named(group: Group | None, written: Sequence[str]) -> list[Mention]:
    """The live or reserved listings at these addresses that all who read the room may see."""
    addresses, own_pages = sorted_out(written, host_of(settings.SITE_URL))
    if not addresses and not own_pages:
        return []
    at = Q(pk__in=list(own_pages)) | (Q(url_key__in=list(addresses)) & ~Q(url_key=""))
    found = Listing.objects.linkable().shown_to_readers_of(group).filter(at)
    reading = Reading(addresses, own_pages, gtins={}, skus={}, tokens={}, phrased="")
    return find_mentions(reading, [candidate_of(listing) for listing in found])


def _claims(room: Room, written: Sequence[str]) -> set[str]:
    """Addresses of listings get their card, and no preview."""
    return {mention.matched for mention in _named(room.group, written)}


def _is_there(message: Message) -> bool:
    return MessagePlacement.objects.filter(message=message, removed_at=None).exists()


def _remove(message: Message) -> bool:
    rows = MessagePlacement.objects.filter(message=message, removed_at=None)
    return rows.update(removed_at=timezone.now()) > 0


UNDER_MESSAGES: Final = AlsoDrawn(claims=_claims, is_there=_is_there, remove=_remove)


class MessageCard(NamedTuple):
    """What is drawn of a listing under a message. Its price is in minor units of `currency`."""

    listing: int
    title: str
    state: str
    kind: str
    price_minor: int | None
    currency: str
    seller: str
    cover: str | None

    @property
    def state_label(self) -> str:
        return str(ListingState(self.state).label)


def listing_notes() -> ArraySubquery:
    """What `MessageCard` holds, as part of a query of messages; none that a reader may not see."""
    shown = (
        MessagePlacement.objects.filter(message=OuterRef("pk"), removed_at=None)
        .filter(
            Q(listing__group=None)
            | ~Q(listing__group__join_mode=JoinMode.HIDDEN)
            | Q(listing__group=OuterRef("room__group")),
            listing__hidden_at=None,
        )
        .exclude(listing__state__in=[ListingState.DRAFT, ListingState.WITHDRAWN])
        .order_by("pk")
    )
    columns = ("listing_id", "listing__title", "listing__state", "listing__kind")
    priced = ("listing__price_minor", "listing__currency", "listing__merchant__name")
    return ArraySubquery(shown.values(card=JSONArray(*columns, *priced, cover_of())))
