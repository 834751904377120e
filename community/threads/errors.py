"""Why a thread or post is not written. Each says so in a sentence for the member."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Refused(Exception):
    """Nothing was written. `reason` is shown to the member, beside `field` of the form if given.

    `status` is the HTTP answer to a page; a fragment is answered 422, which is what gets shown.
    """

    says: ClassVar[StrOrPromise] = _("This could not be posted.")
    status: ClassVar[int] = 403
    field: ClassVar[str | None] = None

    def __init__(self, reason: str = "") -> None:
        self.reason = reason or str(self.says)
        super().__init__(self.reason)


class NotAMember(Refused):
    says = _("Only members of this group can write here. Join the group first.")


class MayNotEdit(Refused):
    says = _("Only its author or a moderator of the group can edit this post.")


class MayNotLock(Refused):
    says = _("Only moderators of the group can lock a thread.")


class ThreadLocked(Refused):
    says = _("This thread was locked, so it takes no more replies.")
    status = 409


class PostHidden(Refused):
    says = _("This post was hidden by a moderator and can't be changed.")


class EditedMeanwhile(Refused):
    says = _("Somebody changed this post while you were writing. Look at it again before you save.")
    status = 409


class Unfit(Refused):
    """What was typed has to change."""

    status = 422


class BodyMissing(Unfit):
    field = "body"
    says = _("Write something first.")


class BodyTooLong(Unfit):
    field = "body"
    says = _("That is too long: a post has at most 50,000 characters.")


class TitleMissing(Unfit):
    field = "title"
    says = _("Give the thread a title.")


class TitleTooLong(Unfit):
    field = "title"
    says = _("That is too long: a title has at most 150 characters.")


class ReasonMissing(Unfit):
    field = "reason"
    says = _("Say why, for those who wanted to reply.")


class MayNotChoose(Refused):
    says = _("Only who opened the thread or a moderator can choose its answer, among its replies.")


class MayNotDelete(Refused):
    says = _("Only its author deletes a post. Moderators of the group hide one, for a reason.")


class MayNotHide(Refused):
    says = _("Only moderators of the group can hide a post.")


class MayNotRestore(Refused):
    says = _("Whoever hid this post decides whether it comes back.")


class OpeningAnswered(Refused):
    says = _("Others have replied, so only a moderator can take the first post away.")
    status = 409


class MayNotMakeWiki(Refused):
    says = _("Moderators, and authors the community has come to trust, open a post to all members.")


class NoQuestion(Refused):
    says = _("Only a question has an answer.")
    status = 409


class ThreadClosed(ThreadLocked):
    says = _("This thread has been silent for so long that it takes no more replies.")


class SlowMode(Refused):
    """One post of a member in so many seconds; the reason says when the next one may come."""

    status = 429

    @classmethod
    def until(cls, again_at: datetime, now: datetime) -> SlowMode:
        seconds = max(1, math.ceil((again_at - now).total_seconds()))
        if seconds < 60:
            wait = ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
        elif seconds <= 90 * 60:
            minutes = math.ceil(seconds / 60)
            wait = ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
        else:
            hours = math.ceil(seconds / 3600)
            wait = ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
        return cls(
            gettext("This thread is in slow mode. You can post here again in %(wait)s.")
            % {"wait": wait}
        )


class KindUnknown(Unfit):
    field = "kind"
    says = _("Threads of this kind do not belong in this group.")


class DetailsUnfit(Unfit):
    says = _("Something in the form of this kind of thread is missing or wrong.")


class TagsUnfit(Unfit):
    field = "tags"


class MayNotOrganise(Refused):
    says = _("Only moderators of the group can do this to a thread.")


class MayNotChangeHead(Refused):
    says = _("Only who opened the thread and the moderators of its group can change this.")


class TooLateToRetitle(Refused):
    says = _("A day after it was opened only a moderator can rename a thread.")


class WhyMissing(Unfit):
    field = "reason"
    says = _("Say why, for those who read the thread.")


class NothingChosen(Unfit):
    field = "posts"
    says = _("Choose at least one reply.")


class OpeningStays(Unfit):
    field = "posts"
    says = _("The opening post stays where it is. To move all of a thread, merge or move it.")


class PostsMoved(Unfit):
    field = "posts"
    says = _("Some of these posts are no longer in this thread. Choose again.")


class NotThere(Unfit):
    field = "into"
    says = _("There is no such thread, or you do not moderate its group.")


class SameThread(Unfit):
    field = "into"
    says = _("A thread cannot be merged into itself.")


class SameGroup(Unfit):
    field = "to"
    says = _("The thread is in that group already.")


class GroupNotYours(Unfit):
    field = "to"
    says = _("You do not moderate that group.")


class MergedAway(Refused):
    says = _("This thread was merged into another one. Go there.")
    status = 409


class PinsFull(Unfit):
    says = _("Five threads are pinned in this group already. Unpin one first.")
    status = 409


class NotInFuture(Unfit):
    field = "until"
    says = _("That day is over. Choose one that is still to come.")


class OutOfRange(Unfit):
    says = _("That number is too small or too large.")


class Busy(Refused):
    says = _("Somebody is writing here just now. Try again in a moment.")
    status = 409
