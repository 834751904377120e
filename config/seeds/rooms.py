"""Rooms besides each group's first: opened, talked in, kept in order, and read as far as they are.

Everything by the verbs the site uses, in the order in which it happened; then it is dated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from commerce.asking.services import ask_about
from community.chat.keeping import archive_room, set_slow_mode, set_writers
from community.chat.messages import (
    edit_message,
    hide_message,
    pin_message,
    toggle_message_reaction,
)
from community.chat.models import Message, MessageReaction, MessageRevision, Place, Room, RoomEntry
from community.chat.rooms import answer_request, open_room, room_beside, room_of, room_with
from community.chat.services import send_message
from community.groups.models import Group
from community.members.models import Member
from config.seeds.market import fill_in_addresses
from config.seeds.script import ActText, MessageText, TalkText
from config.seeds.stage import Stage

# Who signs in to the demo has been everywhere; of the others nobody looks.
ACCOUNTS: Final = ("ada", "mo", "shop")
SOON: Final = 0.05  # hours between words and what is done to them


def write_talks(stage: Stage) -> None:
    """Write every such room, and how far the demo's members have read all of theirs."""
    for text in stage.each("More rooms", stage.script.talks):
        with transaction.atomic():
            _write(stage, text)
    with transaction.atomic():
        _read(stage)


def _write(stage: Stage, text: TalkText) -> None:
    room, by = _opened(stage, text), stage.members[text.by]
    opened = stage.ago(hours=text.opened_hours_ago)
    Room.objects.filter(pk=room.pk).update(created_at=opened)
    Place.objects.filter(room=room).update(since=opened)
    sent: list[Message] = []
    happened: list[MessageText | ActText] = [*text.messages, *text.acts]
    for what in sorted(happened, key=lambda each: -each.hours_ago):
        if isinstance(what, ActText):
            _act(stage, room, by, what)
        else:
            sent.append(_say(stage, room, by, what, sent))
    if text.writers:
        set_writers(room=room, writers=text.writers, by=by)
        _date_entries(room, opened)
        RoomEntry.objects.filter(room=room, verb=RoomEntry.Verb.WRITERS).update(after_seq=0)
    for handle, count in text.unread.items():
        _leave_unread(room, stage.members[handle], count)


def _opened(stage: Stage, text: TalkText) -> Room:
    by = stage.members[text.by]
    if text.people:
        room = room_with([stage.members[handle] for handle in text.people], by=by)
        _answer(stage, room, {message.author for message in text.messages})
        return room
    if text.listing:
        return ask_about(stage.listings[text.listing], by=by)
    if text.thread:
        return room_beside(stage.threads[text.group, text.thread], by=by)
    return open_room(group=stage.groups[text.group], name=text.name, topic=text.topic, by=by)


def _answer(stage: Stage, room: Room, speakers: set[str]) -> None:
    """Who was asked and speaks has said yes; the others' requests wait."""
    speaking = [stage.members[handle] for handle in speakers]
    asked = Place.objects.filter(room=room, member__in=speaking, state=Place.State.ASKED)
    for place in asked.select_related("member"):
        answer_request(room=room, member=place.member, accept=True)


def _say(stage: Stage, room: Room, by: Member, text: MessageText, before: list[Message]) -> Message:
    """Send it; change, hide, pin and react as the script says, a little later."""
    at, later = stage.ago(hours=text.hours_ago), stage.ago(hours=text.hours_ago - SOON)
    body = fill_in_addresses(stage, text.body)
    message = send_message(
        room=room,
        sender=stage.members[text.author],
        body=text.edited or body,
        reply_to=before[text.answers - 1] if text.answers else None,
        at=at,
    )
    if text.edited:
        Message.objects.filter(pk=message.pk).update(sent_at=timezone.now())  # within a day
        edit_message(message=message, body=body, by=message.sender)
        Message.objects.filter(pk=message.pk).update(sent_at=at, edited_at=later)
        MessageRevision.objects.filter(message=message).update(replaced_at=later)
    for name, givers in text.reactions.items():
        for handle in givers:
            toggle_message_reaction(message=message, by=stage.members[handle], name=name)
    MessageReaction.objects.filter(message=message).update(given_at=later)
    if text.pinned:
        pin_message(message=message, by=by)
        Message.objects.filter(pk=message.pk).update(pinned_at=later)
        _date_entries(room, later)
    if text.hidden:
        hide_message(message=message, by=by, reason=text.hidden)
        Message.objects.filter(pk=message.pk).update(hidden_at=later)
    return message


def _act(stage: Stage, room: Room, by: Member, text: ActText) -> None:
    at = stage.ago(hours=text.hours_ago)
    if text.do == "slow":
        set_slow_mode(room=room, seconds=text.seconds, by=by, reason=text.why)
    else:
        archive_room(room=room, by=by, reason=text.why)
        Room.objects.filter(pk=room.pk).update(archived_at=at)
    _date_entries(room, at)


def _date_entries(room: Room, at: datetime) -> None:
    """Date the newest entry."""
    newest = RoomEntry.objects.filter(room=room).order_by("-pk").values("pk")[:1]
    RoomEntry.objects.filter(pk__in=newest).update(at=at)


# -- how far they read ------------------------------------------------------------------------


def _read(stage: Stage) -> None:
    """Let the demo's members have read all rooms of theirs, but for what the script leaves."""
    members = [stage.members[handle] for handle in ACCOUNTS if handle in stage.members]
    known = set(Place.objects.filter(member__in=members).values_list("member", "room"))
    Place.objects.bulk_create(
        Place(room=room, member=member, read_seq=room.last_seq, read_at=stage.ago(hours=1))
        for member, room in _rooms_of(members)
        if (member.pk, room.pk) not in known
    )
    for left in stage.script.unread:
        if left.group in stage.groups:
            room = room_of(stage.groups[left.group])
            for handle, count in left.members.items():
                _leave_unread(room, stage.members[handle], count)


def _rooms_of(members: list[Member]) -> Iterator[tuple[Member, Room]]:
    for member in members:
        groups = Group.objects.joined_by(member)
        for room in Room.objects.filter(group__in=groups, kind="group"):
            yield member, room
        for room in Room.objects.filter(kind="thread", messages__sender=member).distinct():
            yield member, room


def _leave_unread(room: Room, member: Member, count: int) -> None:
    room.refresh_from_db(fields=["last_seq"])
    read = max(0, room.last_seq - count)
    Place.objects.update_or_create(
        room=room, member=member, defaults={"read_seq": read}, create_defaults={"read_seq": read}
    )
