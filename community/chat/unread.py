"""How much a member has not read in all their rooms: the count on "Chat", and who is told of it.

A number counts mentions, answers to them and what is said among few people; where only group rooms
have something new it is a dot. Muted rooms count for nothing, requests neither: until they are
answered they tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from community.chat.here import CHANNEL
from community.chat.kinds import readable_by
from community.chat.models import Message, MessageMention, Place, Room
from community.groups.models import Membership
from community.members.models import Member
from config.redis import announce
from config.written import Written

COUNTED: Final = 100  # more are "99+"
DOT: Final = -1  # something new, nothing of it to the member
MEMBERS_A_FRAME: Final = 500


def unread_places(member: Member) -> QuerySet[Place]:
    """The member's places in rooms with something new, but for muted ones. Of `member` only the pk.

    Of a room that one may no longer read the place may stay; it counts for nothing.
    """
    readable = Room.objects.filter(readable_by(member), pk=OuterRef("room_id"))
    return Place.objects.filter(
        Exists(readable),
        member_id=member.pk,
        state=Place.State.IN,
        room__last_seq__gt=F("read_seq"),
        room__archived_at=None,
    ).exclude(level=Place.Level.MUTED)


def unread_chat(member: Member) -> RawSQL:
    """Give `unread_in_chat` as an expression, for a query that is asked anyway."""
    mentions = (
        MessageMention.objects.filter(
            member=OuterRef("member"),
            room=OuterRef("room"),
            seq__gt=OuterRef("read_seq"),
            message__hidden_at=None,
        )
        .order_by()
        .values("room")
        .annotate(count=Count("pk"))
        .values("count")
    )
    counted = Case(
        When(room__group=None, then=F("room__last_seq") - F("read_seq")),
        default=Coalesce(Subquery(mentions), 0),
        output_field=IntegerField(),
    )
    sql, parameters = (
        unread_places(member).annotate(counted=counted).values("counted")
    ).query.sql_with_params()
    # Django wrote it, and the member's number is a parameter.
    return RawSQL(  # noqa: S611
        "(SELECT CASE WHEN count(*) = 0 THEN 0 WHEN sum(counted) = 0 THEN"  # noqa: S608
        f" {DOT} ELSE least(sum(counted), {COUNTED}) END FROM ({sql}) AS unread)",
        parameters,
        output_field=IntegerField(),
    )


def unread_in_chat(member: Member) -> int:
    """How much is unread that is for the member, COUNTED at most; DOT for other news, 0 for none.

    One query.
    """
    asked = unread_chat(member)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {asked.sql}", asked.params)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def give_places(room: Room, members: Iterable[int], seq: int) -> None:
    """Let those of the group who never opened its room have what names them unread. Two queries.

    Rooms of people have their places from the start, and naming somebody lets nobody in.
    """
    inside = Membership.objects.filter(group=room.group_id, member__in=list(members))
    Place.objects.bulk_create(
        (
            Place(room=room, member_id=pk, read_seq=seq - 1)
            for pk in inside.values_list("member_id", flat=True)
        ),
        ignore_conflicts=True,
    )


def tell_of(message: Message) -> None:
    """Tell pages of those concerned that their count has changed; after commit, best effort.

    Among few people that is everybody in the room. In a group's room those who are named or asked
    for every message: the dot of the others waits for their next page, so that a busy room is not
    told of to everybody who ever looked into it. One query, and where another domain says who
    reads the room two more.
    """
    said, group = (message.room_id, message.sender_id), message.room.group_id
    if group is not None:
        rows = _CONCERNED_IN_GROUP.tuples(*said, message.pk, group)
    else:
        rows = _CONCERNED.tuples(*said)
    members = [pk for (pk,) in rows]
    if message.room.subject_id is not None:
        # There a place alone lets nobody in. Asked anew: the sender's knows of no first message.
        room = Room.objects.get(pk=message.room_id)
        reading = room.as_kind.readers([room], members).get(room.pk, set())
        members = [pk for pk in members if pk in reading]
    tell(members)


def _concerned(room: int, sender: int) -> QuerySet[Place, tuple[int]]:
    places = Place.objects.filter(room=room, state=Place.State.IN).exclude(member=sender)
    return places.exclude(level=Place.Level.MUTED).order_by("member").values_list("member")


_CONCERNED: Final = Written(_concerned)
# Who left the group keeps their place, and hears nothing of what goes on there.
_CONCERNED_IN_GROUP: Final = Written(
    lambda room, sender, message, group: _concerned(room, sender).filter(
        Q(level=Place.Level.ALL)
        | Q(member__in=MessageMention.objects.filter(message=message).values("member")),
        member__memberships__group=group,
    )
)


def tell(members: Iterable[int]) -> None:
    """Tell the pages of `members` to ask for their count again."""
    told = list(members)
    for start in range(0, len(told), MEMBERS_A_FRAME):
        part = told[start : start + MEMBERS_A_FRAME]
        announce(CHANNEL, {"type": "told", "members": part, "of": "chat"})
