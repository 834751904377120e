"""Who may organise a thread."""

from __future__ import annotations

from community.groups.models import Group
from community.groups.services import membership_of
from community.members.errors import MayNotWrite
from community.members.models import Member
from community.members.sanctions import ensure_may_write
from community.threads.errors import MayNotChangeHead, MayNotOrganise, NotAMember, Refused
from community.threads.models import Thread


def moderates(member: Member, group: Group) -> bool:
    """Whether `member` is a moderator or owner of the group. One query."""
    membership = membership_of(member, group)
    return membership is not None and membership.moderates


def ensure_organises(member: Member, group: Group) -> None:
    """Raise MayNotOrganise unless `member` moderates the group, Refused to who is silenced.

    One query.
    """
    if not moderates(member, group):
        raise MayNotOrganise
    ensure_not_silenced(member)


def ensure_not_silenced(member: Member) -> None:
    """Raise Refused with the moderators' reason while `member` reads only. No query for others."""
    try:
        ensure_may_write(member)
    except MayNotWrite as refusal:
        raise Refused(refusal.reason) from refusal


def ensure_keeps_head(thread: Thread, member: Member) -> bool:
    """Raise unless `member` may change title, tags and kind: who opened it, or a moderator.

    True when they may only because they opened it. One query. Raises NotAMember, MayNotChangeHead,
    or Refused to who is silenced.
    """
    membership = membership_of(member, thread.group)
    if membership is None:
        raise NotAMember
    ensure_not_silenced(member)
    if membership.moderates:
        return False
    if member.pk != thread.author_id or not thread.is_listed or thread.is_locked:
        raise MayNotChangeHead
    return True
