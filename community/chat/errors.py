"""Why a message is not sent, in sentences for its sender."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class MessageRefused(Exception):
    """Nothing was sent. `reason` is shown to the sender; `status` is the HTTP answer."""

    says: ClassVar[StrOrPromise] = _("This could not be sent.")
    status: ClassVar[int] = 422

    def __init__(self, reason: str = "") -> None:
        self.reason = reason or str(self.says)
        super().__init__(self.reason)


class NotInRoom(MessageRefused):
    says = _("Only members of this group chat here. Join the group first.")
    status = 403


class NothingSaid(MessageRefused):
    says = _("Write something first.")


class TooLong(MessageRefused):
    says = _("That is too long: a message has at most 4,000 characters.")


class TooFast(MessageRefused):
    says = _("That was a lot at once. Wait a few seconds.")
    status = 429
