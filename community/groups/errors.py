"""Why a group refuses. Each message is a sentence its member can read."""

from __future__ import annotations


class GroupRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message = "That is not possible in this group."

    def __str__(self) -> str:
        return self.message


class NotInvited(GroupRefusal):
    message = "This group is by invitation. Ask a member for a link."


class InvitationSpent(GroupRefusal):
    message = "This invitation has been used or has expired. Ask for a new one."


class AlreadyAsked(GroupRefusal):
    message = "You have asked already; a moderator will answer."


class LastOwner(GroupRefusal):
    message = "A group needs an owner. Make somebody else an owner first."


class NotAllowed(GroupRefusal):
    message = "Only the group's moderators may do that."
