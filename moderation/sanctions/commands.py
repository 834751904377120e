"""`/silence` in chat: for the site's moderators; a group's own take somebody out of their group."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.chat.commands import Asked, Command, add_command, member_of, seconds_of
from community.chat.errors import CommandUnfit, MayNotKeepOrder
from community.chat.models import Room
from community.members.models import Member
from moderation.sanctions.errors import MayNotSanction, SanctionRefused
from moderation.sanctions.services import may_sanction, silence


def silence_in_chat(asked: Asked) -> str:
    """`@handle 1h why`: let a member read only, on the whole site. An audit entry says who did."""
    if not may_sanction(asked.by):
        raise MayNotKeepOrder(
            _(
                "Only the site's moderators silence members. A group's moderators can /remove "
                "somebody from the group."
            )
        )
    handle, _sep, rest = asked.words.partition(" ")
    member = member_of(handle)
    length, _sep, reason = rest.strip().partition(" ")
    seconds = seconds_of(length)
    if not seconds:
        raise CommandUnfit(_("Say for how long: /silence @handle 1h and why."))
    try:
        silence(
            member=member,
            by=asked.by,
            reason=reason,
            until=timezone.now() + timedelta(seconds=seconds),
        )
    except MayNotSanction as refusal:
        raise MayNotKeepOrder(str(refusal)) from refusal
    except SanctionRefused as refusal:
        raise CommandUnfit(str(refusal)) from refusal
    return _("%(name)s reads only for now.") % {"name": member.name}


def offered(member: Member, _room: Room) -> bool:
    return may_sanction(member)


def register_commands() -> None:
    """Called once, when the apps are ready."""
    add_command(
        Command(
            "silence",
            gettext_lazy("@handle 1h why"),
            gettext_lazy("Let a member read only, on the whole site"),
            silence_in_chat,
            offered,
        )
    )
