"""Verbs of asking about listings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from commerce.asking.errors import AskedEnough, NotToBeHad, OwnListing
from commerce.asking.rooms import LISTING, ensure_not_blocked, key_of, team_of
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant, TeamMember
from community.chat.models import Message, Place, Room
from community.members.models import Member, TrustLevel

ASKED_A_DAY_MAX: Final = 30
ASKED_BY_NEWCOMERS_MAX: Final = 5


def ask_about(listing: Listing, *, by: Member) -> Room:
    """The room of `by` and the merchant's team about a listing, made when it is not there yet.

    The team sees it once something is said. An old question stays open when the listing is gone.
    Raises OwnListing, NotToBeHad, NoFurther or AskedEnough.
    """
    if (known := Room.objects.filter(key=key_of(listing.pk, by.pk)).first()) is not None:
        return known
    team = set(
        TeamMember.objects.filter(merchant=listing.merchant_id).values_list("member_id", flat=True)
    )
    if by.pk in team:
        raise OwnListing
    if not Listing.objects.visible_to(by).linkable().filter(pk=listing.pk).exists():
        raise NotToBeHad
    ensure_not_blocked(by, team)
    _ensure_unhurried(by)
    with transaction.atomic():
        room, made = Room.objects.get_or_create(
            key=key_of(listing.pk, by.pk),
            defaults={"kind": LISTING, "subject_id": listing.pk, "created_by": by},
        )
        if made:
            _give_places(room, [by.pk, *sorted(team)], read_seq=0)
    return room


def gather_team(message: Message) -> None:
    """Give whoever joined the team since a place in the room, and take away theirs who left it."""
    room = message.room
    wanted = {*team_of(room), room.created_by_id}
    there = set(Place.objects.filter(room=room).values_list("member_id", flat=True))
    if gone := there - wanted:
        Place.objects.filter(room=room, member__in=gone).delete()
    new = sorted(pk for pk in wanted - there if pk is not None)
    if new:
        _give_places(room, new, read_seq=message.seq - 1)


def questions_to(merchant: Merchant) -> list[Room]:
    """Rooms about the merchant's listings in which something was said, the latest first."""
    about = Listing.objects.filter(merchant=merchant).values("pk")
    rooms = Room.objects.filter(kind=LISTING, subject_id__in=about, last_seq__gt=0)
    return list(rooms.order_by("-last_message_at", "-pk")[:QUESTIONS_SHOWN])


QUESTIONS_SHOWN: Final = 100


def _give_places(room: Room, members: Iterable[int], *, read_seq: int) -> None:
    Place.objects.bulk_create(
        (
            Place(room=room, member_id=pk, level=Place.Level.ALL, read_seq=read_seq)
            for pk in members
        ),
        ignore_conflicts=True,
    )


def _ensure_unhurried(by: Member) -> None:
    most = ASKED_BY_NEWCOMERS_MAX if by.trust_level == TrustLevel.NEW else ASKED_A_DAY_MAX
    since = timezone.now() - timedelta(days=1)
    if Room.objects.filter(kind=LISTING, created_by=by, created_at__gt=since).count() >= most:
        raise AskedEnough
