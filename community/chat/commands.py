"""`/` commands: what a message that begins with one does instead of being sent.

The commands of this domain are below; another domain adds its own with `add_command` when it
starts. A command says in a sentence what it did, and refuses as sending does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from community.chat import keeping
from community.chat.errors import (
    CommandUnfit,
    MayNotKeepOrder,
    NothingToPin,
    Silenced,
    UnknownCommand,
)
from community.chat.messages import hide_message, pin_message
from community.chat.models import Message, Place, Room, RoomEntry
from community.chat.places import set_level
from community.groups.errors import GroupRefusal
from community.groups.services import membership_of, remove_member
from community.members.errors import MayNotWrite
from community.members.models import Member

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# "/home/ada" and "/ " are words; "/pause" and "/nonsense" are commands, known or not.
COMMAND: Final = re.compile(r"/([a-z]{1,20})(?:\s+|\Z)", re.IGNORECASE)
DURATION: Final = re.compile(r"(\d{1,5})\s?(s|m|h|d|w)\Z", re.IGNORECASE)
SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
OFF: Final = frozenset({"off", "0"})


@dataclass(frozen=True)
class Asked:
    """What somebody wrote after a command, where, and as a reply to what."""

    room: Room
    by: Member
    words: str
    reply_to: Message | None = None


def everybody(_member: Member, _room: Room) -> bool:
    return True


def who_keeps_order(member: Member, room: Room) -> bool:
    return room.as_kind.keeps_order(member, room)


@dataclass(frozen=True)
class Command:
    """`act` does it, says what it did, and checks who asks; `offered` is for lists alone."""

    name: str
    takes: StrOrPromise  # what is written after it, as people read it
    about: StrOrPromise
    act: Callable[[Asked], str]
    offered: Callable[[Member, Room], bool] = who_keeps_order

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.takes}".strip()


COMMANDS: dict[str, Command] = {}


def add_command(command: Command) -> None:
    """Let rooms know a command. Raises ValueError when the name is taken."""
    if COMMANDS.get(command.name, command) is not command:
        raise ValueError(f"there is already a command called {command.name}")
    COMMANDS[command.name] = command


def is_command(body: str) -> bool:
    return COMMAND.match(body) is not None


def message_of(body: str) -> str:
    """The message that is no command: of "//pause" the words "/pause"."""
    return body[1:] if body.startswith("//") and is_command(body[1:]) else body


def run(*, room: Room, by: Member, body: str, reply_to: Message | None = None) -> str:
    """Do what a command says; returns what it did, for whoever wrote it.

    The caller has checked that they may read the room. Raises UnknownCommand, CommandUnfit, or what
    the verb behind it does, always a MessageRefused.
    """
    found = COMMAND.match(body)
    name = found[1].lower() if found else ""
    command = COMMANDS.get(name)
    if found is None or command is None:
        says = _(
            "There is no command /%(name)s. /help says which there are; //%(name)s sends the words."
        )
        raise UnknownCommand(says % {"name": name})
    asked = Asked(room, by, body[found.end() :].strip(), reply_to)
    try:
        return command.act(asked)
    except GroupRefusal as refusal:
        raise MayNotKeepOrder(str(refusal)) from refusal
    except MayNotWrite as refusal:
        raise Silenced(refusal.reason) from refusal


def offered_to(member: Member, room: Room) -> list[Command]:
    """The commands of use to a member in a room."""
    keeps_order = who_keeps_order(member, room)
    return [
        command
        for command in COMMANDS.values()
        if (keeps_order if command.offered is who_keeps_order else command.offered(member, room))
    ]


# -- reading what was written ---------------------------------------------------------------------


def seconds_of(text: str) -> int | None:
    """Of "30s", "5m", "1h", "2d" or "1w" the seconds, of "off" 0; None of anything else."""
    if text.lower() in OFF:
        return 0
    found = DURATION.match(text)
    return int(found[1]) * SECONDS[found[2].lower()] if found else None


def member_of(text: str) -> Member:
    """The member called so. Raises CommandUnfit."""
    handle = text.removeprefix("@").lower()
    found = Member.objects.filter(handle=handle, erased_at=None).first() if handle else None
    if found is None:
        raise CommandUnfit(
            _("There is no member called %(handle)s.") % {"handle": handle}
            if handle
            else _("Say whom: @handle.")
        )
    return found


# -- what moderators of a room do -----------------------------------------------------------------


def _pause(asked: Asked) -> str:
    keeping.pause_room(room=asked.room, by=asked.by, reason=asked.words)
    return _("The room is paused: only moderators write.")


def _resume(asked: Asked) -> str:
    keeping.go_on(room=asked.room, by=asked.by)
    return _("The room goes on: everybody writes again.")


def _slow(asked: Asked) -> str:
    text, _sep, reason = asked.words.partition(" ")
    seconds = seconds_of(text)
    if seconds is None:
        raise CommandUnfit(_("Say how slow: /slow 30s, /slow 5m, or /slow off."))
    room = keeping.set_slow_mode(room=asked.room, seconds=seconds, by=asked.by, reason=reason)
    if not room.slow_mode_seconds:
        return _("Slow mode is off.")
    return ngettext(
        "Slow mode is on: one message in %(n)s second.",
        "Slow mode is on: one message in %(n)s seconds.",
        room.slow_mode_seconds,
    ) % {"n": room.slow_mode_seconds}


def _readonly(asked: Asked) -> str:
    text, _sep, reason = asked.words.partition(" ")
    if text.lower() not in ("on", "off"):
        raise CommandUnfit(_("Say /readonly on or /readonly off."))
    on = text.lower() == "on"
    writers = Room.Writers.MODERATORS if on else Room.Writers.EVERYBODY
    keeping.set_writers(room=asked.room, writers=writers, by=asked.by, reason=reason)
    return _("Only moderators write here now.") if on else _("Everybody writes here now.")


def _topic(asked: Asked) -> str:
    keeping.describe_room(room=asked.room, name=asked.room.name, topic=asked.words, by=asked.by)
    return _("The topic is changed.") if asked.words else _("The topic is gone.")


def _pin(asked: Asked) -> str:
    message = asked.reply_to or (
        Message.objects.filter(room=asked.room, hidden_at=None).order_by("-seq").first()
    )
    if message is None:
        raise NothingToPin
    pin_message(message=message, by=asked.by)
    return _("Pinned.")


def _hide(asked: Asked) -> str:
    if asked.reply_to is None:
        if not who_keeps_order(asked.by, asked.room):
            raise MayNotKeepOrder
        raise CommandUnfit(_("Reply to the message you want to hide: /hide and why."))
    hide_message(message=asked.reply_to, by=asked.by, reason=asked.words)
    return _("Hidden.")


@transaction.atomic
def _remove(asked: Asked) -> str:
    """Take somebody out of the group whose room it is."""
    if not who_keeps_order(asked.by, asked.room):
        raise MayNotKeepOrder
    group = asked.room.group
    if group is None:
        raise CommandUnfit(_("Nobody is taken out of a room of people."))
    handle, _sep, reason = asked.words.partition(" ")
    member = member_of(handle)
    reason = " ".join(reason.split())
    if not reason:
        raise CommandUnfit(_("Say why: /remove @handle and the reason."))
    if membership_of(member, group) is None:
        raise CommandUnfit(_("%(name)s is not in this group.") % {"name": member.name})
    remove_member(group=group, member=member, by=asked.by)
    keeping.note(asked.room, RoomEntry.Verb.REMOVE, asked.by, reason, member=member.pk)
    return _("%(name)s is no longer in the group.") % {"name": member.name}


# -- what everybody does --------------------------------------------------------------------------


def _mute(asked: Asked) -> str:
    set_level(room=asked.room, member=asked.by, level=Place.Level.MUTED)
    return _("You are told nothing of this room any more. /unmute takes it back.")


def _unmute(asked: Asked) -> str:
    level = Place.Level.MENTIONS if asked.room.group_id is not None else Place.Level.ALL
    set_level(room=asked.room, member=asked.by, level=level)
    return _("You are told of this room again.")


def _help(asked: Asked) -> str:
    return _("You can write: %(commands)s") % {
        "commands": " · ".join(
            command.usage for command in offered_to(asked.by, asked.room) if command.name != "help"
        )
    }


def register_commands() -> None:
    """Called once, when the apps are ready."""
    why = gettext_lazy("[why]")
    for command in (
        Command("pause", why, gettext_lazy("Let only moderators write for now"), _pause),
        Command("resume", "", gettext_lazy("Let everybody write again"), _resume),
        Command("slow", "30s|off", gettext_lazy("One message a member in that time"), _slow),
        Command("readonly", "on|off", gettext_lazy("Say who writes here"), _readonly),
        Command("topic", gettext_lazy("words"), gettext_lazy("Change the topic"), _topic),
        Command("pin", "", gettext_lazy("Pin the message you reply to, or the last"), _pin),
        Command("hide", gettext_lazy("why"), gettext_lazy("Hide the message you reply to"), _hide),
        Command(
            "remove",
            gettext_lazy("@handle why"),
            gettext_lazy("Take somebody out of the group"),
            _remove,
            offered=lambda member, room: (
                room.group_id is not None and who_keeps_order(member, room)
            ),
        ),
        Command("mute", "", gettext_lazy("Be told nothing of this room"), _mute, everybody),
        Command("unmute", "", gettext_lazy("Be told of this room again"), _unmute, everybody),
        Command("help", "", gettext_lazy("See which commands there are"), _help, everybody),
    ):
        add_command(command)
