"""Talk becomes a thread: messages of a room as posts by those who sent them.

Chat is read by a group's members, threads by all who may read the group. So what others said is
taken out by moderators alone, its senders are told, and each may delete their post as any other:
the opening post is always by whoever made the thread (docs/decisions/chat-into-talk.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from community.chat.errors import (
    InThreadAlready,
    MessageGone,
    NotCarried,
    NothingChosen,
    NotInRoom,
    NotOfAGroup,
    OthersWords,
    SenderGone,
    TakenBack,
    TooManyChosen,
)
from community.chat.keeping import note
from community.chat.models import Message, MessagePost, Room, RoomEntry
from community.chat.pages import RUN_GAP
from community.chat.rooms import ensure_not_silenced
from community.events import TalkMadeThread
from community.groups.models import Group, Membership
from community.members.models import Member
from community.threads.entries import leave_entry
from community.threads.errors import Refused
from community.threads.models import POST_MAX_CHARS, Post, Thread, ThreadEntry, ThreadKind
from community.threads.services import publish_post, start_thread, submitted
from community.uploads.models import Image
from config.outbox import publish

MESSAGES_A_THREAD_MAX: Final = 50
BETWEEN: Final = "\n\n"


def may_take(message: Message, by: Member, *, keeps_order: bool) -> bool:
    """Whether `by` may choose the message at all: one that is shown, their own or, for moderators,
    anybody's. `keeps_order` says whether they keep order in its room."""
    return not message.is_hidden and (keeps_order or message.sender_id == by.pk)


def needs_lead(messages: Sequence[Message], by: Member) -> bool:
    """Whether `by` opens the thread with words of their own: the first message is not theirs."""
    return bool(messages) and messages[0].sender_id != by.pk


@transaction.atomic
def make_thread_of(
    *,
    room: Room,
    seqs: Collection[int],
    title: str,
    by: Member,
    lead: str = "",
    kind: str = ThreadKind.TALK,
    details: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    client_key: UUID | None = None,
) -> Thread:
    """Make a thread of messages, at most MESSAGES_A_THREAD_MAX, in their order, and return it.

    Posts have the senders and times of their messages; what one sender said in a row becomes one
    post. `by` opens the thread: with the first message if it is theirs, else with `lead`. The same
    `client_key` again returns what it made before.

    Raises NotOfAGroup, NotInRoom, Silenced, NothingChosen, TooManyChosen, MessageGone, OthersWords,
    InThreadAlready, TakenBack, SenderGone, NotCarried, or what `start_thread` raises. Announces
    TalkMadeThread and what posts announce.
    """
    if room.group is None:
        raise NotOfAGroup
    if not Room.objects.visible_to(by).filter(pk=room.pk).exists():
        raise NotInRoom
    ensure_not_silenced(by)
    messages = _locked(room, seqs)
    if client_key is not None and (earlier := submitted(by, client_key)):
        return earlier.thread
    _ensure_may_take(messages, seqs, room, room.group, by)
    _release_pictures(messages, room.group)
    runs = runs_of(messages)
    with_lead = needs_lead(messages, by)
    opening = start_thread(
        author=by,
        group=room.group,
        title=title,
        body=lead if with_lead else _body_of(runs[0]),
        kind=kind,
        details=details,
        tags=tags,
        client_key=client_key,
        at=None if with_lead else runs[0][0].sent_at,
    )
    thread = opening.thread
    made: dict[int, Post] = {}
    if not with_lead:
        made.update({message.pk: opening for message in runs[0]})
    for run in runs if with_lead else runs[1:]:
        post = _carry(run, thread, made, by)
        made.update({message.pk: post for message in run})
    MessagePost.objects.bulk_create(
        MessagePost(message=message, post=made[message.pk]) for message in messages
    )
    leave_entry(
        *(thread, ThreadEntry.Verb.SPLIT_OFF),
        by=by,
        after=0,
        room=room.pk,
        seq=messages[0].seq,
        as_author=all(message.sender_id == by.pk for message in messages),
    )
    publish(TalkMadeThread(thread_id=thread.pk, room_id=room.pk, by_id=by.pk))
    # Last: everybody who writes in the room waits for its row.
    note(room, RoomEntry.Verb.THREAD, by, thread=thread.pk, messages=len(messages))
    thread.refresh_from_db()
    return thread


def runs_of(messages: Sequence[Message]) -> list[list[Message]]:
    """What becomes a post each: a sender's messages in a row, none of which answers another."""
    runs: list[list[Message]] = []
    for message in messages:
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and last.sender_id == message.sender_id
            and message.reply_to_id is None
            and message.sent_at - last.sent_at < RUN_GAP
            and len(_body_of([*runs[-1], message])) <= POST_MAX_CHARS
        ):
            runs[-1].append(message)
        else:
            runs.append([message])
    return runs


def threads_of(messages: Sequence[Message]) -> dict[int, Thread]:
    """In which thread messages are by now, by their ids. One query."""
    rows = MessagePost.objects.filter(message__in=messages, post__hidden_at=None)
    return {row.message_id: row.post.thread for row in rows.select_related("post__thread")}


# -- inside -----------------------------------------------------------------------------------


def _locked(room: Room, seqs: Collection[int]) -> list[Message]:
    """The chosen messages in their order; a second submit waits here for the first."""
    if not seqs:
        raise NothingChosen
    if len(set(seqs)) > MESSAGES_A_THREAD_MAX:
        raise TooManyChosen
    rows = Message.objects.select_for_update(of=("self",), no_key=True).select_related("sender")
    return list(rows.filter(room=room, seq__in=set(seqs)).order_by("seq"))


def _ensure_may_take(
    messages: Sequence[Message], seqs: Collection[int], room: Room, group: Group, by: Member
) -> None:
    if len(messages) != len(set(seqs)) or any(message.is_hidden for message in messages):
        raise MessageGone
    senders = {message.sender_id for message in messages}
    if senders != {by.pk} and not room.as_kind.keeps_order(by, room):
        raise OthersWords
    made = MessagePost.objects.filter(message__in=messages)
    if made.filter(post__hidden_at=None).exists():
        raise InThreadAlready
    own = Q(post__hidden_by=F("post__author")) & ~Q(post__author=by)
    if made.filter(own).exists():
        raise TakenBack
    there = Membership.objects.filter(group=group, member__in=senders, member__is_active=True)
    if there.count() != len(senders):
        raise SenderGone


def _release_pictures(messages: Sequence[Message], group: Group) -> None:
    """Let pictures that were brought for these messages be seen by those who read the group."""
    shown = Image.objects.filter(
        in_messages__message__in=messages, is_confined=True, owner=F("in_messages__message__sender")
    )
    Image.objects.filter(pk__in=list(shown.values_list("pk", flat=True))).update(
        is_confined=False, group=group
    )


def _carry(run: Sequence[Message], thread: Thread, made: Mapping[int, Post], by: Member) -> Post:
    first = run[0]
    try:
        return publish_post(
            author=first.sender,
            thread=thread,
            body=_body_of(run),
            reply_to=made.get(first.reply_to_id or 0),
            # They read in the chat what stands above.
            seen=MESSAGES_A_THREAD_MAX + 1,
            at=first.sent_at,
        )
    except Refused as refusal:
        if first.sender_id == by.pk:
            raise
        says = {"name": first.sender.name, "reason": refusal.reason}
        raise NotCarried(_("%(name)s: %(reason)s") % says) from refusal


def _body_of(run: Sequence[Message]) -> str:
    return BETWEEN.join(message.body for message in run)
