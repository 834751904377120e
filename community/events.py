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
class MemberJoined(Event):
    group_id: int
    member_id: int
