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


class Silenced(MessageRefused):
    """Of a member who reads only; moderation says why."""

    status = 403


class NothingSaid(MessageRefused):
    says = _("Write something first.")


class TooLong(MessageRefused):
    says = _("That is too long: a message has at most 4,000 characters.")


class TooFast(MessageRefused):
    says = _("That was a lot at once. Wait a few seconds.")
    status = 429


class ReadOnly(MessageRefused):
    says = _("Only moderators write in this room.")
    status = 403


class Paused(MessageRefused):
    says = _("A moderator paused this room. What you wrote is still here; try again later.")
    status = 409


class Archived(MessageRefused):
    says = _("This room is archived: it can be read, and nothing is written any more.")
    status = 409


class SlowedDown(MessageRefused):
    says = _("Slow mode is on in this room. Wait a moment.")
    status = 429


class NotAnswered(MessageRefused):
    says = _("They have not answered your request yet. Until then one message is all.")
    status = 409


class MayNotKeepOrder(MessageRefused):
    says = _("Only moderators of this room may do that.")
    status = 403


class RoomNameUnfit(MessageRefused):
    says = _("A room's name has 1 to 60 characters, a letter or digit among them.")


class RoomNameTaken(MessageRefused):
    says = _("There is a room of that name in this group already.")
    status = 409


class TooManyRooms(MessageRefused):
    says = _("A group has at most 20 open rooms. Archive one first.")
    status = 409


class TooManyPeople(MessageRefused):
    says = _("At most 12 people share a room. For more, open a group.")


class AskedTooMany(MessageRefused):
    says = _("You wrote to many people you share no group with today. Come back tomorrow.")
    status = 429


class NobodyThere(MessageRefused):
    says = _("Name at least one other member.")


class MessageGone(MessageRefused):
    says = _("This message is gone.")
    status = 409


class MayNotChange(MessageRefused):
    says = _("Only whoever sent a message may change it.")
    status = 403


class TooLate(MessageRefused):
    says = _("A message can be changed for a day. Send another one.")
    status = 409


class TooManyPins(MessageRefused):
    says = _("A room has at most 50 pins. Unpin one first.")
    status = 409


class UnknownReaction(MessageRefused):
    says = _("There is no such reaction.")


class ReasonMissing(MessageRefused):
    says = _("Say why, in a few words: its sender reads it.")


class NoSuchMessage(MessageRefused):
    says = _("The message you answer is not in this room.")


class UnknownCommand(MessageRefused):
    says = _("There is no such command.")


class CommandUnfit(MessageRefused):
    says = _("That cannot be done so.")


class NothingToPin(MessageRefused):
    says = _("There is nothing to pin yet.")


class NotOfAGroup(MessageRefused):
    says = _("Only what was said in a room of a group can become a thread.")
    status = 403


class NothingChosen(MessageRefused):
    says = _("Choose at least one message.")


class TooManyChosen(MessageRefused):
    says = _("At most 50 messages become a thread.")


class OthersWords(MessageRefused):
    says = _("Only moderators make threads of what others said. Choose messages of your own.")
    status = 403


class InThreadAlready(MessageRefused):
    says = _("Some of these messages are in a thread already.")
    status = 409


class TakenBack(MessageRefused):
    says = _("Somebody took their words out of an earlier thread, so they stay in the chat.")
    status = 409


class SenderGone(MessageRefused):
    says = _("Some of these messages are by people who left the group, so they stay in the chat.")
    status = 409


class NotCarried(MessageRefused):
    """A gate refused somebody's words as a post; the reason names them."""
