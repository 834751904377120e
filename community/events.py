"""Facts the community announces. Payloads carry ids; whoever needs more looks it up."""

from __future__ import annotations

from dataclasses import dataclass

from config.outbox import Event


@dataclass(frozen=True)
class PostPublished(Event):
    post_id: int


@dataclass(frozen=True)
class PostEdited(Event):
    post_id: int


@dataclass(frozen=True)
class MessageSent(Event):
    message_id: int


@dataclass(frozen=True)
class MessageEdited(Event):
    message_id: int


@dataclass(frozen=True)
class MessageHiddenChanged(Event):
    """A message was hidden or shown again."""

    message_id: int


@dataclass(frozen=True)
class TalkMadeThread(Event):
    """Messages of a room became a thread."""

    thread_id: int
    room_id: int
    by_id: int


@dataclass(frozen=True)
class MemberJoined(Event):
    group_id: int
    member_id: int


@dataclass(frozen=True)
class PostHiddenChanged(Event):
    """A post was hidden or shown again."""

    post_id: int


@dataclass(frozen=True)
class ThreadChanged(Event):
    """What a thread is found by changed: title, tags, kind, group, or its posts moved."""

    thread_id: int


@dataclass(frozen=True)
class ThreadModerated(Event):
    """Something was done to a thread by its moderators, its author or by itself."""

    entry_id: int


@dataclass(frozen=True)
class ReactionGiven(Event):
    post_id: int
    member_id: int
    name: str


@dataclass(frozen=True)
class AnswerChosen(Event):
    thread_id: int
    post_id: int
    member_id: int  # who chose


@dataclass(frozen=True)
class BookmarkDue(Event):
    bookmark_id: int


@dataclass(frozen=True)
class SavedSearchMatched(Event):
    saved_search_id: int
    document_id: int


@dataclass(frozen=True)
class MemberChanged(Event):
    """A member's public face changed: name, handle, bio; or the account was erased."""

    member_id: int


@dataclass(frozen=True)
class GroupChanged(Event):
    """A group's name, text, interests or join mode changed."""

    group_id: int


@dataclass(frozen=True)
class MemberInvited(Event):
    """A moderator invited a member by name."""

    group_id: int
    member_id: int
    by_id: int


@dataclass(frozen=True)
class JoinRequestAnswered(Event):
    join_request_id: int


@dataclass(frozen=True)
class TrustChanged(Event):
    member_id: int
    level: int


@dataclass(frozen=True)
class BadgeEarned(Event):
    badge_grant_id: int


@dataclass(frozen=True)
class LetterReceived(Event):
    """A letter came in by e-mail and was kept."""

    inbound_email_id: int


@dataclass(frozen=True)
class ExportAsked(Event):
    export_id: str


@dataclass(frozen=True)
class ExportReady(Event):
    """A member's copy of their data can be fetched."""

    export_id: str


@dataclass(frozen=True)
class ErasureAsked(Event):
    erasure_id: int
