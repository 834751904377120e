"""What pages of chat show: lists of rooms with what is unread, and runs of messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from community.chat.drawing import MESSAGE_NOTES
from community.chat.kinds import prepare
from community.chat.messages import EDIT_WITHIN
from community.chat.models import Message, MessageMention, MessageReaction, Place, Room
from community.chat.previews import has_cards, link_notes
from community.chat.rooms import DIRECT, beside_its_thread
from community.groups.models import Group
from community.members.blocking import folded_for
from community.members.models import Member
from config.written import Written

MESSAGES_PER_PAGE: Final = 50
GAP_MESSAGES: Final = 200
MOST_NUMBERED: Final = 2**62  # no room comes to it
RUN_GAP: Final = timedelta(minutes=5)
PEOPLE_ROOMS_MAX: Final = 200  # whoever writes to somebody again finds an older one
READ_SHOWN: Final = 5  # of what was read, above what was not
MOST_COUNTED: Final = 99  # "99+" says enough

MESSAGE_NOTES["link_cards"] = link_notes


@dataclass(frozen=True)
class RoomRow:
    """A room in a list. `room` is None for a group nobody has chatted in yet."""

    title: str
    address: str
    group: Group | None
    room: Room | None
    last: Message | None
    unread: int = 0
    mentions: int = 0
    is_asked: bool = False
    is_muted: bool = False
    icon: str = ""
    picture: str = ""
    other: Member | None = None  # of two people, the one who is not reading

    @property
    def at(self) -> datetime | None:
        return self.last.sent_at if self.last else None

    @property
    def unread_shown(self) -> str:
        return f"{MOST_COUNTED}+" if self.unread > MOST_COUNTED else str(self.unread)


def rooms_page(member: Member) -> dict[str, list[RoomRow]]:
    """The member's rooms in three lists, the busiest first: of groups, of people, requests.

    Of rooms of people the latest PEOPLE_ROOMS_MAX, and of those that others opened the ones in
    which something was said. Eight queries, whatever their number.
    """
    groups = {group.pk: group for group in Group.objects.joined_by(member)}
    in_groups = list(
        Room.objects.filter(kind__in=("group", "thread"), group__in=groups, archived_at=None)
        .filter(Q(kind="group") | (Q(places__member=member) & beside_its_thread(member)))
        .select_related("thread")
        .distinct()
    )
    places = {
        place.room_id: place
        for place in Place.objects.filter(member=member).exclude(state=Place.State.REFUSED)
    }
    of_people = [
        room
        for room in Room.objects.visible_to(member)
        .filter(Q(last_seq__gt=0) | Q(created_by=member), pk__in=places, group=None)
        .order_by(F("last_message_at").desc(nulls_last=True), "-pk")[:PEOPLE_ROOMS_MAX]
        if places[room.pk].state in (Place.State.IN, Place.State.ASKED)
    ]
    rooms = [*in_groups, *of_people]
    prepare(of_people)
    last = last_messages(rooms)
    mentions = unread_mentions(member, rooms)
    rows = {"groups": [], "people": [], "asked": []}  # type: dict[str, list[RoomRow]]
    for room in rooms:
        place = places.get(room.pk)
        group = groups.get(room.group_id or 0)
        if group is not None:
            room.group = group
        row = RoomRow(
            title=room.as_kind.title(room, member),
            address=room.get_absolute_url(),
            group=group,
            room=room,
            last=last.get(room.pk),
            unread=unread_of(room, place),
            mentions=mentions.get(room.pk, 0),
            is_asked=place is not None and place.state == Place.State.ASKED,
            is_muted=place is not None and place.level == Place.Level.MUTED,
            icon=room.as_kind.icon,
            picture=_picture(room),
            other=_other(room, member) if room.kind == DIRECT else None,
        )
        rows["groups" if group else "asked" if row.is_asked else "people"].append(row)
    opened = {room.group_id for room in in_groups if not room.slug and room.kind == "group"}
    rows["groups"] += [
        RoomRow(group.name, Room(group=group).get_absolute_url(), group, None, None)
        for group in groups.values()
        if group.pk not in opened
    ]
    for each in rows.values():
        each.sort(key=lambda row: (-(row.at.timestamp() if row.at else 0), row.title))
    return rows


def rows_of(rooms: Sequence[Room], member: Member) -> list[RoomRow]:
    """Rooms of people as rows, in the order given, for one who may read them. Four queries, and
    what their kind loads."""
    prepare(rooms)
    places = {place.room_id: place for place in Place.objects.filter(member=member, room__in=rooms)}
    last, mentions = last_messages(rooms), unread_mentions(member, rooms)
    return [
        RoomRow(
            title=room.as_kind.title(room, member),
            address=room.get_absolute_url(),
            group=None,
            room=room,
            last=last.get(room.pk),
            unread=unread_of(room, places.get(room.pk)),
            mentions=mentions.get(room.pk, 0),
            is_muted=room.pk in places and places[room.pk].level == Place.Level.MUTED,
            icon=room.as_kind.icon,
            picture=_picture(room),
        )
        for room in rooms
    ]


def _picture(room: Room) -> str:
    return room.as_kind.picture(room) if room.as_kind.picture is not None else ""


def _other(room: Room, member: Member) -> Member | None:
    people = [place.member for place in room.places.all() if place.member_id != member.pk]
    return people[0] if len(people) == 1 else None


def group_rooms(group: Group) -> list[Room]:
    """The rooms of a group, the first one first and archived ones last: no list has those."""
    rooms = Room.objects.filter(kind="group", group=group).select_related("group")
    found = list(rooms.order_by(F("archived_at").asc(nulls_first=True), "slug"))
    for room in found:
        room.group = group
    return found


def last_messages(rooms: Iterable[Room]) -> dict[int, Message]:
    """The newest shown message of each room; one look-up a room by its index, in one query."""
    newest = (
        Message.objects.filter(room=OuterRef("pk"), hidden_at=None)
        .order_by("-seq")
        .values("pk")[:1]
    )
    found = Room.objects.filter(pk__in=[room.pk for room in rooms]).annotate(
        newest=Subquery(newest)
    )
    return {
        message.room_id: message
        for message in Message.objects.filter(pk__in=found.values("newest")).select_related(
            "sender__avatar"
        )
    }


def unread_of(room: Room, place: Place | None) -> int:
    """How many messages came after the last one read. Of a room never opened: none."""
    return max(0, room.last_seq - place.read_seq) if place is not None else 0


def unread_mentions(member: Member, rooms: Sequence[Room]) -> dict[int, int]:
    """How often the member is named in what they have not read, by room."""
    counted = (
        # In one filter: in a second one it would be anybody's place that is compared.
        MessageMention.objects.filter(
            member=member,
            room__in=rooms,
            room__places__member=member,
            seq__gt=F("room__places__read_seq"),
            message__hidden_at=None,
        )
        .values("room_id")
        .annotate(count=Count("pk"))
    )
    return {row["room_id"]: row["count"] for row in counted}


@dataclass(frozen=True)
class MessageMenu:
    """What one member may do to one message."""

    reactions: tuple[tuple[str, str, str, bool], ...] = ()  # name, emoji, label, given
    may_write: bool = False
    may_edit: bool = False
    may_delete: bool = False
    may_restore: bool = False
    may_pin: bool = False
    may_remove_links: bool = False
    may_hide: bool = False


def menu_of(message: Message, viewer: Member) -> MessageMenu:
    """Five queries at most. Verbs check again."""
    room = message.room
    if room.archived_at is not None:
        return MessageMenu()
    mine = message.sender_id == viewer.pk
    keeps_order = room.as_kind.keeps_order(viewer, room)
    if message.is_hidden:
        own = mine and message.hidden_by_id == viewer.pk
        return MessageMenu(may_restore=own or (keeps_order and not message.is_deleted))
    given = set(
        MessageReaction.objects.filter(message=message, member=viewer).values_list(
            "name", flat=True
        )
    )
    return MessageMenu(
        reactions=tuple(
            (name, emoji, str(label), name in given)
            for name, (emoji, label) in settings.REACTIONS.items()
        ),
        may_write=True,
        may_edit=mine and timezone.now() - message.sent_at <= EDIT_WITHIN,
        may_delete=mine,
        may_pin=keeps_order,
        may_remove_links=mine and has_cards(message),
        may_hide=keeps_order and not mine,
    )


def messages_of(room: Room) -> QuerySet[Message]:
    """A room's messages with what a row shows, and what is drawn under it."""
    return _messages(room.pk)


def _messages(room_id: int) -> QuerySet[Message]:
    rows = Message.objects.filter(room_id=room_id).select_related("sender", "reply_to__sender")
    return rows.annotate(**{name: note() for name, note in MESSAGE_NOTES.items()})


# Runs of a room's messages by number: the index gives each its page, however long the room is.
_BEFORE = Written(
    lambda room, seq: _messages(room).filter(seq__lt=seq).order_by("-seq")[: MESSAGES_PER_PAGE + 1]
)
_FROM = Written(
    lambda room, seq: _messages(room).filter(seq__gte=seq).order_by("seq")[: MESSAGES_PER_PAGE + 1]
)
_AFTER = Written(
    lambda room, seq: _messages(room).filter(seq__gt=seq).order_by("seq")[: GAP_MESSAGES + 1]
)


def messages_after(room: Room, seq: int) -> tuple[list[Message], bool]:
    """All after a number, the oldest first, at most GAP_MESSAGES, and whether there are more."""
    page = _AFTER.rows(room.pk, seq)
    return page[:GAP_MESSAGES], len(page) > GAP_MESSAGES


@dataclass(frozen=True)
class Window:
    """Messages of a room in their order, and where the list goes on either way."""

    messages: list[Message]
    older: int | None  # ?before=
    newer: int | None  # ?after=

    @property
    def is_newest(self) -> bool:
        return self.newer is None


def newest(room: Room, *, before: int | None = None) -> Window:
    """The newest messages, or those before a number. One query."""
    page = _BEFORE.rows(room.pk, MOST_NUMBERED if before is None else before)
    older = len(page) > MESSAGES_PER_PAGE
    page = page[:MESSAGES_PER_PAGE][::-1]
    last = page[-1].seq if page else 0
    return Window(
        page,
        page[0].seq if older else None,
        last + 1 if before is not None and last < room.last_seq else None,
    )


def opening(room: Room, place: Place | None) -> Window:
    """Where a room opens: at the newest, but with more unread than a page shows at the first of it.

    One query, or two.
    """
    if place is not None and unread_of(room, place) >= MESSAGES_PER_PAGE:
        return from_number(room, max(1, place.read_seq + 1 - READ_SHOWN))
    return newest(room)


def first_unread(window: Window, place: Place | None) -> int | None:
    """The number of the first message in a window that its reader has not read, if it is there."""
    if place is None or place.state != Place.State.IN:
        return None
    unread = [one.seq for one in window.messages if one.seq > place.read_seq]
    # On a later page the line would stand above what was not even the first.
    at_first = unread and (unread[0] != window.messages[0].seq or window.older is None)
    return unread[0] if at_first else None


def from_number(room: Room, seq: int) -> Window:
    """Messages from a number on. One query, two when there are none."""
    page = _FROM.rows(room.pk, seq)
    newer = page[MESSAGES_PER_PAGE].seq if len(page) > MESSAGES_PER_PAGE else None
    page = page[:MESSAGES_PER_PAGE]
    if not page:
        return newest(room)
    # Numbers have no gaps: there are earlier ones unless this is the first.
    return Window(page, page[0].seq if page[0].seq > 1 else None, newer)


def around(room: Room, seq: int) -> Window:
    """A message with its neighbours. One query."""
    return from_number(room, max(1, seq - MESSAGES_PER_PAGE // 2))


def given_by(member: Member, messages: Sequence[Message]) -> dict[int, list[str]]:
    """The reactions the member gave, by the message's number. One query, none without any given."""
    messages = [message for message in messages if message.reactions]
    if not messages:
        return {}
    given: dict[int, list[str]] = {}
    rows = MessageReaction.objects.filter(message__in=messages, member=member)
    for seq, name in rows.values_list("message__seq", "name"):
        given.setdefault(seq, []).append(name)
    return given


def reactions_of(message: Message) -> list[tuple[str, str, str, int]]:
    """Those given, as name, emoji, label and count, in the site's order."""
    return [
        (name, emoji, str(label), message.reactions[name])
        for name, (emoji, label) in settings.REACTIONS.items()
        if message.reactions.get(name)
    ]


def mark_runs(messages: list[Message], viewer: Member) -> None:
    """Say of each message whether it continues its sender's last one, is mine, or folds."""
    last: Message | None = None
    folded = folded_for(viewer)
    for message in messages:
        message.viewer_is_sender = message.sender_id == viewer.pk
        message.is_folded = message.sender_id in folded
        message.continues = (
            last is not None
            and last.sender_id == message.sender_id
            and last.sent_at.date() == message.sent_at.date()
            and message.sent_at - last.sent_at < RUN_GAP
        )
        last = message


def heading_of(room: Room, viewer: Member) -> str:
    """What the room's page is called."""
    title = room.as_kind.title(room, viewer)
    if room.kind == "group" and not room.slug:
        return _("%(name)s chat") % {"name": title}
    return title
