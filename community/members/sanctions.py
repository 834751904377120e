"""Asking whether somebody may write or sign in at all. Moderation says why not.

Posts and messages have gates of their own (threads.services, chat.services); this is for the
rest: reactions, votes, groups.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone

from community.members.errors import MayNotSignIn, MayNotWrite
from community.members.models import Member

# Return why, for people, of a member who is silenced or suspended. Moderation joins in its apps.py.
WHY_SILENCED: list[Callable[[Member], str]] = []
WHY_SUSPENDED: list[Callable[[Member], str]] = []


def ensure_may_write(member: Member) -> None:
    """Raise MayNotWrite while `member` is silenced. No query for anybody else."""
    if member.is_silenced(timezone.now()):
        raise MayNotWrite(next((why for ask in WHY_SILENCED if (why := ask(member))), ""))


def ensure_may_sign_in(member: Member) -> None:
    """Raise MayNotSignIn while `member` is suspended. No query for anybody else."""
    if member.is_suspended(timezone.now()):
        raise MayNotSignIn(next((why for ask in WHY_SUSPENDED if (why := ask(member))), ""))
