"""The kind of rooms that listings have: who reads one, what it is called, who may write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy

from commerce.asking.errors import NoFurther
from commerce.listings.models import Listing
from commerce.merchants.models import TeamMember
from community.chat.kinds import RoomKind
from community.chat.models import Room
from community.members.models import Block, Member

LISTING: Final = "listing"

# Where what was loaded for a list of rooms waits on each.
_ABOUT: Final = "_asked_about"


def key_of(listing: int, buyer: int) -> str:
    """What makes the room of a buyer about a listing the only one."""
    return f"{LISTING}:{listing}:{buyer}"


def readable(member: Member) -> Q:
    """Their own question, or one to a merchant whose team they are on, once something was said."""
    on_team = TeamMember.objects.filter(
        merchant__listings=OuterRef("subject_id"), member_id=member.pk
    )
    return Q(created_by_id=member.pk) | (Q(last_seq__gt=0) & Q(Exists(on_team)))


def readers(rooms: Sequence[Room], members: Collection[int]) -> dict[int, set[int]]:
    """The same for many at once. One query."""
    teams: dict[int | None, set[int]] = defaultdict(set)
    about = {room.subject_id for room in rooms}
    rows = TeamMember.objects.filter(merchant__listings__in=about, member__in=members)
    for listing, member in rows.values_list("merchant__listings", "member_id"):
        teams[listing].add(member)
    return {
        room.pk: {pk for pk in members if pk == room.created_by_id}
        | (teams[room.subject_id] if room.last_seq > 0 else set())
        for room in rooms
    }


def team_of(room: Room) -> set[int]:
    """Who is on the merchant's team now. One query."""
    team = TeamMember.objects.filter(merchant__listings=room.subject_id)
    return set(team.values_list("member_id", flat=True))


def ensure_may_write(member: Member, room: Room) -> None:
    """Raise NoFurther where a side blocked the other: of a team, anybody who is on it."""
    team = team_of(room)
    ensure_not_blocked(member, {room.created_by_id} if member.pk in team else team)


def ensure_not_blocked(member: Member, others: Collection[int | None]) -> None:
    """Raise NoFurther when one of `others` blocked the member."""
    if Block.objects.filter(by__in=others, of=member, kind=Block.Kind.BLOCK).exists():
        raise NoFurther


def prepare(rooms: Sequence[Room]) -> None:
    """Load the listings and the buyers of many rooms. Three queries."""
    listings = Listing.objects.filter(pk__in={room.subject_id for room in rooms}).with_card()
    by_id = {listing.pk: listing for listing in listings}
    buyers = Member.objects.in_bulk({room.created_by_id for room in rooms if room.created_by_id})
    for room in rooms:
        setattr(room, _ABOUT, by_id.get(room.subject_id or 0))
        if room.created_by_id in buyers:
            room.created_by = buyers[room.created_by_id]


def listing_of(room: Room) -> Listing | None:
    """The listing a room is about, with its card."""
    if not hasattr(room, _ABOUT):
        prepare([room])
    about: Listing | None = getattr(room, _ABOUT)
    return about


def title(room: Room, viewer: Member) -> str:
    """The name of the other side, and the listing: of several about one thing they tell apart."""
    listing = listing_of(room)
    if listing is None or room.created_by is None:
        return str(KIND.label)
    asked = room.created_by_id == viewer.pk
    return f"{listing.merchant.name if asked else room.created_by.name} – {listing.title}"


def picture(room: Room) -> str:
    listing = listing_of(room)
    if listing is None or listing.is_hidden or listing.cover is None:
        return ""
    return listing.cover.thumbnail_url


KIND: Final = RoomKind(
    LISTING,
    gettext_lazy("About a listing"),
    readable=readable,
    readers=readers,
    # Two sides that want different things: neither hides what the other said. Flags go to the
    # site's moderators.
    keeps_order=lambda _member, _room: False,
    title=title,
    about="commerce/asking/_about.html",
    icon="tag",
    ensure_may_write=ensure_may_write,
    prepare=prepare,
    picture=picture,
)
