"""What becomes of a member's messages, and of messages that name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from community.chat.models import (
    MESSAGE_MAX_CHARS,
    REASON_MAX_CHARS,
    ROOM_NAME_MAX_CHARS,
    TOPIC_MAX_CHARS,
    Message,
    MessageRevision,
    Place,
    Room,
    RoomEntry,
)
from community.chat.rooms import READING
from community.groups.models import Membership
from community.threads.rendering import render_message
from config.personal import (
    BATCH,
    Erasing,
    Exported,
    NotExported,
    also_erase,
    declare,
    deletes,
    keeps,
    keys,
    naming,
    neutral,
    runs,
    swept,
)


def register() -> None:
    declare(
        "community.Message.sender",
        Exported(
            "messages",
            _("What you wrote in chat."),
            keys(
                group=("room__group__slug", _("the group whose room it is, if a group's")),
                room=("room_id", _("the room's number")),
                number=("seq", _("its place in the room")),
                answers=("reply_to__seq", _("the place of the message it answers")),
                body=_("what it says"),
                sent_at=_("when you sent it"),
                edited_at=_("when you last changed it"),
                hidden_at=_("since when it is hidden"),
            ),
        ),
        keeps("A talk with holes is no talk; it stands under the neutral name."),
    )
    declare(
        "community.MessageRevision.message__sender",
        Exported(
            "message_revisions",
            _("What your messages said before you changed them."),
            keys(
                room=("message__room_id", _("the room's number")),
                number=("message__seq", _("the message's place in it")),
                body=_("what it said until then"),
                replaced_at=_("when you changed it"),
            ),
        ),
        keeps("They belong to the message."),
    )
    declare(
        "community.Message.hidden_by",
        NotExported(_("Decisions about others.")),
        keeps("Who hid a message is part of the hiding."),
    )
    declare(
        "community.Message.pinned_by",
        Exported(
            "message_pins",
            _("Messages you pinned."),
            keys(
                room=("room_id", _("the room's number")),
                number=("seq", _("the message's place in it")),
                pinned_at=_("when you pinned it"),
            ),
        ),
        keeps("Who pinned a message is part of the room; it stands under the neutral name."),
    )
    declare(
        "community.Room.created_by",
        Exported(
            "rooms_opened",
            _("Rooms you opened."),
            keys(
                room=("id", _("the room's number")),
                group=("group__slug", _("the group whose room it is, if a group's")),
                name=_("what it is called"),
                created_at=_("when you opened it"),
            ),
        ),
        keeps("Who opened a room is part of it; it stands under the neutral name."),
    )
    declare(
        "community.RoomEntry.by",
        Exported(
            "room_acts",
            _("What you did in rooms as a moderator."),
            keys(
                room=("room_id", _("the room's number")),
                verb=_("what you did"),
                reason=_("why, as you said"),
                at=_("when"),
            ),
        ),
        keeps("What was done in a room stays; it stands under the neutral name."),
    )
    declare(
        "community.Place.member",
        Exported(
            "rooms",
            _("The rooms you were in, and how far you read."),
            keys(
                room=("room_id", _("the room's number")),
                group=("room__group__slug", _("the group whose room it is, if a group's")),
                name=("called", _("what it is called, if it has a name")),
                people=("others", _("who else is in it, of a room of people"), list),
                state=_("whether you are in it"),
                level=_("what of it you are told"),
                read_seq=_("the last message you read"),
                read_at=_("when you read it"),
                since=_("since when you are in it"),
            ),
            narrowed=_with_what_they_read,
        ),
        runs(
            "leaves",
            leave_rooms,
            "What they read is theirs alone. In rooms of people a place stays, under the neutral "
            "name, as of one who left: the others know with whom they talked.",
        ),
    )
    declare(
        "community.MessageMention.member",
        NotExported(_("Others' words; the messages are theirs.")),
        deletes("It points at somebody who is gone."),
    )
    declare(
        "community.MessageReaction.member",
        Exported(
            "message_reactions",
            _("Your reactions to messages."),
            keys(
                room=("message__room_id", _("the room's number")),
                number=("message__seq", _("the message's place in it")),
                name=_("which"),
                given_at=_("when"),
            ),
        ),
        keeps("They were given to others; messages count them."),
    )
    also_erase(
        "messages that name the member",
        swept("community.Message", _may_name, rewrite_messages),
        "Each is rendered anew, without the link.",
    )
    also_erase(
        "earlier texts of messages that name the member",
        swept("community.MessageRevision", _may_name, rewrite_revisions),
        "What a message said before is shown beside what it says.",
    )
    also_erase(
        "what was done in rooms and names the member",
        swept("community.RoomEntry", _entry_may_name, rewrite_entries),
        "What a moderator did, and why, stands in the room.",
    )
    also_erase(
        "topics of rooms that name the member",
        swept("community.Room", lambda erasing: naming(["topic", "name"], erasing), rewrite_rooms),
        "A topic stands over the room, and where it was set.",
    )


def _with_what_they_read(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Say who else is in a room of people; of a group's that is the group's to say.

    What it is called now is not for those who left it or its group.
    """
    others = (
        Place.objects.filter(room=OuterRef("room"), room__group=None)
        .exclude(member=OuterRef("member"))
        .order_by("pk")
    )
    inside = Membership.objects.filter(group=OuterRef("room__group"), member=OuterRef("member"))
    reads = Q(Exists(inside)) | Q(room__group=None, state__in=READING)
    annotated: QuerySet[Any] = rows.annotate(
        others=ArraySubquery(others.values("member__handle")),
        called=Case(When(reads, then=F("room__name")), default=Value("")),
    )
    return annotated


def leave_rooms(erasing: Erasing, after: str) -> str | None:
    """Take the member's places away; those in rooms of people become places of one who left."""
    rows = Place.objects.filter(member=erasing.member_id)
    of_groups = list(
        rows.filter(room__group__isnull=False).order_by("pk").values_list("pk", flat=True)[:BATCH]
    )
    Place.objects.filter(pk__in=of_groups).delete()
    if len(of_groups) == BATCH:
        return after
    kept = rows.filter(room__group=None).exclude(state=Place.State.LEFT, read_seq=0, read_at=None)
    some = list(kept.order_by("pk").values_list("pk", flat=True)[:BATCH])
    Place.objects.filter(pk__in=some).update(
        state=Place.State.LEFT, level=Place.Level.MUTED, read_seq=0, read_at=None
    )
    return after if len(some) == BATCH else None


def _may_name(erasing: Erasing) -> Q:
    return naming(["body"], erasing)


def rewrite_messages(erasing: Erasing, messages: Sequence[Message]) -> None:
    for message in messages:
        body = neutral(message.body, erasing)[:MESSAGE_MAX_CHARS]
        html = render_message(body, author=message.sender, group=message.room.group).html
        Message.objects.filter(pk=message.pk).update(body=body, html=html)


def rewrite_revisions(erasing: Erasing, revisions: Sequence[MessageRevision]) -> None:
    for revision in revisions:
        body = neutral(revision.body, erasing)[:MESSAGE_MAX_CHARS]
        message = revision.message
        html = render_message(body, author=message.sender, group=message.room.group).html
        MessageRevision.objects.filter(pk=revision.pk).update(body=body, html=html)


def _entry_may_name(erasing: Erasing) -> Q:
    return naming(["reason", "details__topic", "details__name"], erasing)


def rewrite_entries(erasing: Erasing, entries: Sequence[RoomEntry]) -> None:
    for entry in entries:
        details = {
            key: neutral(value, erasing) if isinstance(value, str) else value
            for key, value in entry.details.items()
        }
        reason = neutral(entry.reason, erasing)[:REASON_MAX_CHARS]
        RoomEntry.objects.filter(pk=entry.pk).update(reason=reason, details=details)


def rewrite_rooms(erasing: Erasing, rooms: Sequence[Room]) -> None:
    for room in rooms:
        Room.objects.filter(pk=room.pk).update(
            topic=neutral(room.topic, erasing)[:TOPIC_MAX_CHARS],
            name=neutral(room.name, erasing)[:ROOM_NAME_MAX_CHARS],
        )
