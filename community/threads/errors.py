"""Why a thread or post is not written. Each says so in a sentence for the member."""

from __future__ import annotations

from typing import ClassVar


class Refused(Exception):
    """Nothing was written. `reason` is shown to the member, beside `field` of the form if given.

    `status` is the HTTP answer to a page; a fragment is answered 422, which is what gets shown.
    """

    says: ClassVar[str] = "This could not be posted."
    status: ClassVar[int] = 403
    field: ClassVar[str | None] = None

    def __init__(self, reason: str = "") -> None:
        self.reason = reason or self.says
        super().__init__(self.reason)


class NotAMember(Refused):
    says = "Only members of this group can write here. Join the group first."


class MayNotEdit(Refused):
    says = "Only its author or a moderator of the group can edit this post."


class MayNotLock(Refused):
    says = "Only moderators of the group can lock a thread."


class ThreadLocked(Refused):
    says = "This thread was locked, so it takes no more replies."
    status = 409


class PostHidden(Refused):
    says = "This post was hidden by a moderator and can't be changed."


class EditedMeanwhile(Refused):
    says = "Somebody changed this post while you were writing. Look at it again before you save."
    status = 409


class Unfit(Refused):
    """What was typed has to change."""

    status = 422


class BodyMissing(Unfit):
    field = "body"
    says = "Write something first."


class BodyTooLong(Unfit):
    field = "body"
    says = "That is too long: a post has at most 50,000 characters."


class TitleMissing(Unfit):
    field = "title"
    says = "Give the thread a title."


class TitleTooLong(Unfit):
    field = "title"
    says = "That is too long: a title has at most 150 characters."


class ReasonMissing(Unfit):
    field = "reason"
    says = "Say why, for those who wanted to reply."


class MayNotChoose(Refused):
    says = "Only who opened the thread or a moderator can choose its answer, among its replies."
