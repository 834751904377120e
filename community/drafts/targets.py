"""Places a draft is meant for: what one may write down for them, and where they are now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from community.drafts.models import Draft
from community.groups.models import Group, Membership
from community.members.models import Member
from community.threads.markup import SourceTooLong, plain_text
from community.threads.models import Post, Thread
from community.threads.texts import excerpt_of
from config.paging import whole_number

TARGET: Final = re.compile(r"(thread|group|post):([1-9][0-9]{0,17})\Z")
RESTORE: Final = "draft"  # `?draft` in an address: the form stands there with its draft in it


def parsed(target: str) -> tuple[str, int] | None:
    """Read `thread:12`; None for what is no target."""
    found = TARGET.match(target)
    return (found[1], int(found[2])) if found else None


def is_visible(target: str, member: Member) -> bool:
    """Whether the member may read the place. One query."""
    place = parsed(target)
    if place is None:
        return False
    kind, pk = place
    if kind == "thread":
        return Thread.objects.visible_to(member).filter(pk=pk).exists()
    if kind == "group":
        return Group.objects.visible_to(member).filter(pk=pk).exists()
    return Post.objects.visible_to(member).filter(pk=pk).exists()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a draft is meant for, as its member may see it now."""

    kind: str  # thread, group, post
    title: str
    group: Group
    address: str  # the page with the form, and the draft in it
    is_open: bool  # the member may post there


@dataclass(frozen=True, slots=True)
class ShownDraft:
    """A draft in the list; `place` is None when its member may no longer see it."""

    draft: Draft
    place: Place | None

    @property
    def words(self) -> str:
        """What it says, in short, without markup."""
        try:
            return excerpt_of(plain_text(self.draft.body))
        except SourceTooLong:
            return excerpt_of(" ".join(self.draft.body[:1000].split()))


def shown(drafts: Iterable[Draft], member: Member) -> list[ShownDraft]:
    """Find the places of drafts, those the member may see. Four queries at most."""
    drafts = list(drafts)
    wanted: dict[str, set[int]] = {"thread": set(), "group": set(), "post": set()}
    for draft in drafts:
        if place := parsed(draft.target):
            wanted[place[0]].add(place[1])
    threads: dict[int, Thread] = {}
    groups: dict[int, Group] = {}
    posts: dict[int, Post] = {}
    if wanted["thread"]:
        readable = Thread.objects.visible_to(member).select_related("group")
        threads = readable.in_bulk(wanted["thread"])
    if wanted["group"]:
        groups = Group.objects.visible_to(member).in_bulk(wanted["group"])
    if wanted["post"]:
        readable_posts = Post.objects.visible_to(member).select_related("thread__group")
        posts = readable_posts.in_bulk(wanted["post"])
    around = {thread.group_id for thread in threads.values()} | set(groups)
    around |= {post.thread.group_id for post in posts.values()}
    inside: dict[int, Membership] = {}
    if around:
        own = Membership.objects.filter(member=member, group__in=around)
        inside = {membership.group_id: membership for membership in own}

    def place_of(draft: Draft) -> Place | None:
        kind, pk = parsed(draft.target) or ("", 0)
        if kind == "thread" and (thread := threads.get(pk)):
            is_open = thread.group_id in inside and thread.takes_replies
            answered = str(draft.extra.get("reply_to") or "")
            answering = f"&reply_to={answered}" if whole_number(answered) else ""
            address = f"{thread.get_absolute_url()}?page=last&{RESTORE}=1{answering}#reply"
            return Place(kind, thread.heading, thread.group, address, is_open)
        if kind == "group" and (group := groups.get(pk)):
            address = f"{reverse('new_thread', args=[group.slug])}?{RESTORE}=1"
            return Place(kind, group.name, group, address, pk in inside)
        if kind == "post" and (post := posts.get(pk)):
            group = post.thread.group
            membership = inside.get(group.pk)
            moderates = membership is not None and membership.moderates
            unlocked = not post.thread.is_locked and not post.is_hidden
            is_open = moderates or (membership is not None and unlocked)
            address = f"{reverse('edit_post', args=[post.pk])}?{RESTORE}=1"
            return Place(kind, post.thread.heading, group, address, is_open)
        return None

    return [ShownDraft(draft, place_of(draft)) for draft in drafts]
