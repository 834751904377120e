"""Why a message is not sent, in sentences for its sender."""

from __future__ import annotations

from typing import ClassVar


class MessageRefused(Exception):
    """Nothing was sent. `reason` is shown to the sender; `status` is the HTTP answer."""

    says: ClassVar[str] = "This could not be sent."
    status: ClassVar[int] = 422

    def __init__(self, reason: str = "") -> None:
        self.reason = reason or self.says
        super().__init__(self.reason)


class NotInRoom(MessageRefused):
    says = "Only members of this group chat here. Join the group first."
    status = 403


class NothingSaid(MessageRefused):
    says = "Write something first."


class TooLong(MessageRefused):
    says = "That is too long: a message has at most 4,000 characters."


class TooFast(MessageRefused):
    says = "That was a lot at once. Wait a few seconds."
    status = 429
