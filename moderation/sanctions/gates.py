"""What a silenced member may not do, asked before anything is written. No query for others."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from community.chat.errors import MessageRefused
from community.chat.models import Room
from community.members.models import FOREVER, Member
from community.threads.errors import Refused
from community.threads.services import Attempt
from moderation.sanctions.models import Sanction
from moderation.sanctions.services import in_force


def refuse_silenced_post(attempt: Attempt) -> None:
    if attempt.writer.is_silenced(timezone.now()):
        raise Refused(why_silenced(attempt.writer))


def refuse_silenced_message(sender: Member, _room: Room, _body: str) -> None:
    if sender.is_silenced(timezone.now()):
        refusal = MessageRefused(why_silenced(sender))
        refusal.status = 403  # type: ignore[misc]
        raise refusal


def why_silenced(member: Member) -> str:
    """Say that a member reads only, until when and why."""
    says = _words(member, Sanction.Kind.SILENCE)
    if says["day"]:
        return _("You can read but not write until %(day)s. A moderator says why: %(why)s") % says
    return _("You can read but not write for now. A moderator says why: %(why)s") % says


def why_suspended(member: Member) -> str:
    """Say that a member cannot sign in, until when and why."""
    says = _words(member, Sanction.Kind.SUSPEND)
    if says["day"]:
        return _("Your account is suspended until %(day)s. A moderator says why: %(why)s") % says
    return _("Your account is suspended. A moderator says why: %(why)s") % says


def _words(member: Member, kind: str) -> dict[str, str]:
    sanction = in_force(member, kind)
    until = sanction.until if sanction else FOREVER
    # Far enough that a day of the reader's own zone would say no more.
    day = "" if until >= FOREVER else f"{date_format(until, 'SHORT_DATETIME_FORMAT')} UTC"
    return {"day": day, "why": sanction.reason if sanction else ""}
