"""Why a group refuses. Each message is a sentence its member can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class GroupRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message: ClassVar[StrOrPromise] = _("That is not possible in this group.")

    def __str__(self) -> str:
        return str(self.message)


class NotInvited(GroupRefusal):
    message = _("This group is by invitation. Ask a member for a link.")


class InvitationSpent(GroupRefusal):
    message = _("This invitation has been used or has expired. Ask for a new one.")


class AlreadyAsked(GroupRefusal):
    message = _("You have asked already; a moderator will answer.")


class LastOwner(GroupRefusal):
    message = _("A group needs an owner. Make somebody else an owner first.")


class NotAllowed(GroupRefusal):
    message = _("Only the group's moderators may do that.")


class NameTaken(GroupRefusal):
    message = _("There is a group of this name already. Try another.")
