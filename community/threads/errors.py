"""Why a thread or post is not written. Each says so in a sentence for the member."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

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
