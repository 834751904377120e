"""Rooms: which there are, and the verbs that open and change them.

A group has a first room from the start and may have more; a thread has one beside it when somebody
opens it; people have one together. Moderators of a group keep order in its rooms; of a room of
people whoever opened it does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy

from community.chat.errors import (
    AskedTooMany,
    MayNotKeepOrder,
    NobodyThere,
    NotInRoom,
    RoomNameTaken,
    RoomNameUnfit,
    Silenced,
    TooManyPeople,
    TooManyRooms,
)
from community.chat.kinds import KINDS, RoomKind, add_kind
from community.chat.models import ROOM_NAME_MAX_CHARS, TOPIC_MAX_CHARS, Place, Room
from community.chat.opengraph import on_one_line
from community.chat.places import AFTER_READING
from community.groups.models import Group, JoinMode, Membership, Role
from community.groups.services import membership_of
from community.members.errors import MayNotWrite
from community.members.models import Block, Member, TrustLevel
from community.members.sanctions import ensure_may_write
from community.threads.models import Thread
from config.written import Written

ROOMS_A_GROUP_MAX: Final = 20
PEOPLE_MAX: Final = 12  # in a room of people, oneself among them
ASKED_A_DAY_MAX: Final = 30  # people one shares no group with
ASKED_BY_NEWCOMERS_MAX: Final = 5
MOST_NUMBERED: Final = 2**63 - 1
DIRECT: Final = "direct"
# Whoever was asked reads what they are asked before they answer.
READING: Final = (Place.State.IN, Place.State.ASKED)


def in_its_group(member: Member) -> Q:
    return Q(Exists(Membership.objects.filter(group=OuterRef("group_id"), member_id=member.pk)))


def beside_its_thread(member: Member) -> Q:
    """The thread is there, and for the member too: a moderator may take one to a hidden group.

    The room stays with the group that spoke in it.
    """
    there = Membership.objects.filter(group=OuterRef("thread__group_id"), member_id=member.pk)
    return Q(thread__is_listed=True) & (
        Q(thread__group_id=F("group_id"))
        | ~Q(thread__group__join_mode=JoinMode.HIDDEN)
        | Q(Exists(there))
    )


def in_it(member: Member) -> Q:
    """They have a place there, or were asked to one."""
    return Q(
        Exists(
            Place.objects.filter(
                room=OuterRef("pk"),
                member_id=member.pk,
                state__in=READING,
            )
        )
    )


def readers_of_groups(rooms: Sequence[Room], members: Collection[int]) -> dict[int, set[int]]:
    inside: dict[int | None, set[int]] = defaultdict(set)
    moved = {
        room.thread.group_id
        for room in rooms
        if room.thread is not None and room.thread.group_id != room.group_id
    }
    hidden = Group.objects.filter(pk__in=moved, join_mode=JoinMode.HIDDEN)
    closed = set(hidden.values_list("pk", flat=True)) if moved else set()
    asked = {room.group_id for room in rooms} | closed
    places = Membership.objects.filter(group__in=asked, member__in=members)
    for group, member in places.values_list("group_id", "member_id"):
        inside[group].add(member)
    return {
        room.pk: inside[room.group_id] & inside[room.thread.group_id]
        if room.thread is not None and room.thread.group_id in closed
        else inside[room.group_id]
        for room in rooms
        if room.thread is None or room.thread.is_listed
    }


def readers_of_people(rooms: Sequence[Room], members: Collection[int]) -> dict[int, set[int]]:
    inside: dict[int, set[int]] = defaultdict(set)
    places = Place.objects.filter(room__in=rooms, member__in=members, state__in=READING)
    for room, member in places.values_list("room_id", "member_id"):
        inside[room].add(member)
    return inside


def moderates_its_group(member: Member, room: Room) -> bool:
    place = membership_of(member, room.group) if room.group is not None else None
    return place is not None and place.role in (Role.MODERATOR, Role.OWNER)


def moderates_it(member: Member, room: Room) -> bool:
    return Place.objects.filter(
        room=room, member=member, is_moderator=True, state=Place.State.IN
    ).exists()


def _title_of_group_room(room: Room, _viewer: Member) -> str:
    return room.name or (room.group.name if room.group else "")


def _title_of_thread_room(room: Room, _viewer: Member) -> str:
    return room.thread.title if room.thread else ""


def load_people(rooms: Sequence[Room]) -> None:
    """Load who is in rooms of people. Two queries, none for those that have it."""
    prefetch_related_objects(list(rooms), "places__member")


def _title_of_people(room: Room, viewer: Member) -> str:
    """Its name, or the names of the others in it."""
    if room.name:
        return room.name
    load_people([room])
    places = sorted(room.places.all(), key=lambda place: place.pk)
    others = [
        place.member.name
        for place in places
        if place.member_id != viewer.pk
        # Of two people it stays the other's, whoever left.
        and (place.state != Place.State.LEFT or len(places) == 2)
    ]
    return (
        ", ".join(others[:4]) + (f" +{len(others) - 4}" if len(others) > 4 else "") or viewer.name
    )


def register_kinds() -> None:
    """Called once, when the apps are ready."""
    add_kind(
        RoomKind(
            "group",
            gettext_lazy("Group"),
            readable=in_its_group,
            readers=readers_of_groups,
            keeps_order=moderates_its_group,
            title=_title_of_group_room,
        )
    )
    add_kind(
        RoomKind(
            "thread",
            gettext_lazy("Beside a thread"),
            readable=lambda member: in_its_group(member) & beside_its_thread(member),
            readers=readers_of_groups,
            keeps_order=moderates_its_group,
            title=_title_of_thread_room,
            about="community/chat/_about_thread.html",
        )
    )
    add_kind(
        RoomKind(
            DIRECT,
            gettext_lazy("Direct messages"),
            readable=in_it,
            readers=readers_of_people,
            keeps_order=moderates_it,
            title=_title_of_people,
            icon="messages-square",
            prepare=load_people,
        )
    )


def readable_room(member: Member, room_id: int) -> Room | None:
    """The room with its group and thread, if `member` may read it. One query.

    `Room.objects.visible_to` for one room, put into SQL once a process: every act in a room asks.
    """
    global _known
    if room_id > MOST_NUMBERED:
        return None  # an address holds any number, the column does not
    kinds = tuple(KINDS.values())
    if _known is None or _known[0] != kinds:
        _known = kinds, Written(_readable)
    found = _known[1].rows(member.pk, room_id)
    return found[0] if found else None


def _readable(member_id: int, room_id: int) -> QuerySet[Room]:
    rooms = Room.objects.visible_to(Member(pk=member_id))
    return rooms.filter(pk=room_id).select_related("group", "thread")


_known: tuple[tuple[RoomKind, ...], Written[Room]] | None = None


def room_of(group: Group) -> Room:
    """The group's first room, made on first use."""
    room, _ = Room.objects.get_or_create(kind="group", group=group, slug="")
    return room


def open_room(*, group: Group, name: str, topic: str = "", by: Member) -> Room:
    """Open another room of the group; its moderators may. At most ROOMS_A_GROUP_MAX open ones.

    Raises NotInRoom, MayNotKeepOrder, Silenced, RoomNameUnfit, RoomNameTaken or TooManyRooms.
    """
    place = membership_of(by, group)
    if place is None:
        raise NotInRoom
    if place.role not in (Role.MODERATOR, Role.OWNER):
        raise MayNotKeepOrder
    ensure_not_silenced(by)
    name = clean_name(name)
    slug = slugify(name, allow_unicode=True)[:60].strip("-")
    if not slug:
        raise RoomNameUnfit
    with transaction.atomic():
        rooms = Room.objects.select_for_update().filter(kind="group", group=group)
        known = list(rooms.values_list("slug", "archived_at"))
        if sum(1 for _slug, archived_at in known if archived_at is None) >= ROOMS_A_GROUP_MAX:
            raise TooManyRooms
        try:
            with transaction.atomic():
                return Room.objects.create(
                    kind="group",
                    group=group,
                    slug=slug,
                    name=name,
                    topic=clean_topic(topic),
                    created_by=by,
                )
        except IntegrityError:
            raise RoomNameTaken from None


def room_beside(thread: Thread, *, by: Member) -> Room:
    """The room beside a thread, made when the first member of its group opens it.

    Raises NotInRoom, or Silenced when it is not there yet.
    """
    if membership_of(by, thread.group) is None:
        raise NotInRoom
    if (known := Room.objects.filter(thread=thread).first()) is not None:
        if known.group_id != thread.group_id and readable_room(by, known.pk) is None:
            raise NotInRoom
        return known
    ensure_not_silenced(by)
    room, _ = Room.objects.get_or_create(
        thread=thread, defaults={"kind": "thread", "group_id": thread.group_id, "created_by": by}
    )
    return room


def room_with(people: Collection[Member], *, by: Member) -> Room:
    """The room of `by` and these people, whoever opened it first; 2 to PEOPLE_MAX in all.

    Whom `by` shares no group with is asked first: the room waits in their requests. Whoever blocked
    `by` is never asked, and `by` learns no more than that they have not answered. In a day at most
    ASKED_A_DAY_MAX wait for an answer of theirs to `by`, ASKED_BY_NEWCOMERS_MAX to a newcomer.
    Raises NobodyThere, TooManyPeople or AskedTooMany.
    """
    others = {one.pk: one for one in people if one.pk != by.pk and one.is_active}
    if not others:
        raise NobodyThere
    if len(others) + 1 > PEOPLE_MAX:
        raise TooManyPeople
    key = f"{DIRECT}:" + ",".join(str(pk) for pk in sorted([by.pk, *others]))
    if (known := Room.objects.filter(key=key).first()) is not None:
        # Who left it, or refused it once, is in it again by their own wish.
        gone = (Place.State.LEFT, Place.State.REFUSED)
        Place.objects.filter(room=known, member=by, state__in=gone).update(
            state=Place.State.IN, since=timezone.now()
        )
        return known
    states = _states_of(others, by)
    _ensure_unhurried(by, sum(state != Place.State.IN for state in states.values()))
    with transaction.atomic():
        room, made = Room.objects.get_or_create(
            key=key, defaults={"kind": DIRECT, "created_by": by}
        )
        if made:
            opener = Place(
                room=room, member=by, is_moderator=len(others) > 1, level=Place.Level.ALL
            )
            rest = (
                Place(room=room, member_id=pk, state=state, level=Place.Level.ALL)
                for pk, state in states.items()
            )
            Place.objects.bulk_create([opener, *rest])
    return room


def _states_of(others: Collection[int], by: Member) -> dict[int, Place.State]:
    """With what places they begin in a room that `by` opens. Two queries."""
    shared = Membership.objects.filter(member__in=others, group__memberships__member=by)
    friends = shared.values_list("member_id", flat=True)
    blocks = Block.objects.filter(by__in=others, of=by, kind=Block.Kind.BLOCK)
    unwilling = blocks.values_list("by_id", flat=True)
    return {
        **dict.fromkeys(others, Place.State.ASKED),
        **dict.fromkeys(friends, Place.State.IN),
        **dict.fromkeys(unwilling, Place.State.REFUSED),
    }


def _ensure_unhurried(by: Member, more: int) -> None:
    """Raise AskedTooMany. Who said yes is not counted."""
    if not more:
        return
    since = timezone.now() - timedelta(days=1)
    waiting = Place.objects.filter(
        room__kind=DIRECT,
        room__created_by=by,
        room__created_at__gt=since,
        state__in=(Place.State.ASKED, Place.State.REFUSED),
    )
    most = ASKED_BY_NEWCOMERS_MAX if by.trust_level == TrustLevel.NEW else ASKED_A_DAY_MAX
    if waiting.count() + more > most:
        raise AskedTooMany


def answer_request(*, room: Room, member: Member, accept: bool) -> Place:
    """Take up or refuse a room one was asked to. Who asked is not told of a refusal.

    Raises NotInRoom when nothing waits for them.
    """
    with transaction.atomic():
        place = (
            Place.objects.select_for_update()
            .filter(room=room, member=member, state=Place.State.ASKED)
            .first()
        )
        if place is None:
            raise NotInRoom
        place.state = Place.State.IN if accept else Place.State.REFUSED
        place.since = timezone.now()
        place.save(update_fields=["state", "since"])
        for listener in AFTER_READING:
            listener(room, member, room.last_seq)
    return place


def leave_room(*, room: Room, member: Member) -> None:
    """Leave a room of people; two people's room stays, to be found again. Raises NotInRoom."""
    left = Place.objects.filter(room=room, member=member, state=Place.State.IN)
    if not left.update(state=Place.State.LEFT, since=timezone.now()):
        raise NotInRoom


def ensure_not_silenced(member: Member) -> None:
    """Raise Silenced: who reads only decides about nobody and opens nothing."""
    try:
        ensure_may_write(member)
    except MayNotWrite as refusal:
        raise Silenced(refusal.reason) from refusal


def clean_name(name: str) -> str:
    """Return it on one line. Raises RoomNameUnfit when nothing is left or it is too long."""
    name = on_one_line(name)
    if not name or len(name) > ROOM_NAME_MAX_CHARS:
        raise RoomNameUnfit
    return name


def clean_topic(topic: str) -> str:
    return on_one_line(topic)[:TOPIC_MAX_CHARS]
