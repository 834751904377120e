"""The cast and what they own: plain functions that call the services, as the site does."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from community.groups.models import Group, JoinMode, Membership, Role, Template
from community.groups.services import (
    accept_invitation,
    create_group,
    invite,
    join_group,
    membership_of,
    set_role,
)
from community.members.models import Member, TrustLevel
from community.threads.models import Post, Thread
from community.threads.services import publish_post, start_thread

PASSWORD = "a long enough secret"

_numbers = itertools.count(1)


def make_member(handle: str = "", **fields: Any) -> Member:
    """A member with a confirmed address and PASSWORD; `handle` is made up when empty.

    At trust level 1 and past the first visit unless told otherwise.
    """
    handle = handle or f"member-{next(_numbers)}"
    fields.setdefault("name", handle.replace("-", " ").title())
    fields.setdefault("email", f"{handle}@shoal.example")
    fields.setdefault("trust_level", TrustLevel.BASIC)
    fields.setdefault("onboarded_at", timezone.now())
    member = Member.objects.create_user(handle, password=PASSWORD, **fields)
    EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    return member


def make_group(slug: str = "", *, owner: Member | None = None, **fields: Any) -> Group:
    """A group, open unless `join_mode` says otherwise; its owner is made up when not given."""
    slug = slug or f"group-{next(_numbers)}"
    fields.setdefault("name", slug.replace("-", " ").capitalize())
    fields.setdefault("template", Template.COLLECTIBLES)
    owner = owner or make_member(f"owner-{next(_numbers)}")
    return create_group(owner=owner, slug=slug, **fields)


def owner_of(group: Group) -> Member:
    return Member.objects.get(memberships__group=group, memberships__role=Role.OWNER)


def join(member: Member, group: Group, role: Role = Role.MEMBER) -> Membership:
    """Let `member` in, by the door the group has, and give them `role`."""
    if group.join_mode == JoinMode.OPEN:
        join_group(member=member, group=group)
    else:
        accept_invitation(token=invite(group=group, by=owner_of(group)).token, member=member)
    if role != Role.MEMBER:
        set_role(group=group, member=member, role=role, by=owner_of(group))
    membership = membership_of(member, group)
    assert membership is not None
    return membership


def make_thread(
    author: Member,
    group: Group,
    title: str = "Is the Optra R2 still worth it?",
    body: str = "Prices have nearly doubled since I joined.",
    *,
    replies: int = 0,
    at: datetime | None = None,
) -> Thread:
    """A thread with its opening post and `replies` more by the same author."""
    thread = start_thread(author=author, group=group, title=title, body=body, at=at).thread
    for number in range(2, replies + 2):
        make_post(author, thread, f"Reply number {number}.", at=at)
    thread.refresh_from_db()
    return thread


def make_post(
    author: Member,
    thread: Thread,
    body: str = "Yes, if the rangefinder patch is clean.",
    *,
    reply_to: Post | None = None,
    at: datetime | None = None,
) -> Post:
    return publish_post(author=author, thread=thread, body=body, reply_to=reply_to, at=at)
