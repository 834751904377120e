"""Who is told of a post, and as what. One set of queries however many they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Q

from community.groups.models import Group, JoinMode, Membership
from community.members.models import Block, Member
from community.notifications.models import Kind
from community.threads.marks import Follow, FollowLevel
from community.threads.models import Post, PostMention, PostQuote, Thread, ThreadTag


def occasions(post: Post) -> dict[int, list[Kind]]:
    """Return who has what reason to hear of a new post, the strongest first, by member.

    A reply to nobody in particular answers the opening post. Not in it: the author, those who
    muted the thread, its group or a tag of it, those who blocked or muted the author, and those
    who may not read the post.
    """
    found: dict[int, list[Kind]] = {}

    def add(kind: Kind, members: Iterable[int]) -> None:
        for member_id in members:
            reasons = found.setdefault(member_id, [])
            if kind not in reasons:
                reasons.append(kind)

    add(Kind.MENTION, PostMention.objects.filter(post=post).values_list("member_id", flat=True))
    if not post.is_opening:
        answered = post.reply_to
        add(Kind.REPLY, [answered.author_id if answered else post.thread.author_id])
    add(
        Kind.QUOTE,
        PostQuote.objects.filter(post=post, quoted__hidden_at=None)
        .order_by("pk")
        .values_list("quoted__author_id", flat=True),
    )
    levels = _Levels(post.thread)
    if post.is_opening:
        add(Kind.THREAD, levels.watching_around)
    add(Kind.WATCHED, levels.watching)
    found.pop(post.author_id, None)
    for member_id in levels.muted | deaf_to(post.author_id, found):
        found.pop(member_id, None)
    allowed = may_read(post.thread.group, found) if not post.is_hidden else set()
    return {member_id: kinds for member_id, kinds in found.items() if member_id in allowed}


class _Levels:
    """How closely members follow a thread: by itself, else by its group and tags. Two queries."""

    def __init__(self, thread: Thread, members: Collection[int] | None = None) -> None:
        tags = list(ThreadTag.objects.filter(thread=thread).values_list("tag_id", flat=True))
        around_it = Q(group=thread.group_id) | Q(tag__in=tags)
        loud = Q(level__in=(FollowLevel.MUTED, FollowLevel.WATCHING))
        rows = Follow.objects.filter(Q(thread=thread) | (around_it & loud))
        if members is not None:
            rows = rows.filter(member__in=members)
        own: dict[int, int] = {}
        chosen: set[int] = set()  # what follows by itself does not outweigh a muted group
        around: dict[int, set[int]] = {}
        for member_id, thread_id, level, is_chosen in rows.values_list(
            "member_id", "thread_id", "level", "is_chosen"
        ):
            if thread_id:  # else it follows a group or a tag
                own[member_id] = level
                if is_chosen:
                    chosen.add(member_id)
            else:
                around.setdefault(member_id, set()).add(level)
        self.watching = {who for who, level in own.items() if level == FollowLevel.WATCHING}
        self.muted = {who for who, level in own.items() if level == FollowLevel.MUTED}
        self.muted |= {
            who for who, said in around.items() if FollowLevel.MUTED in said and who not in chosen
        }
        self.watching_around = {
            who for who, said in around.items() if FollowLevel.WATCHING in said
        } - self.muted


def has_muted(member: Member, thread: Thread) -> bool:
    """Whether the member wants to hear nothing of the thread."""
    return member.pk in _Levels(thread, [member.pk]).muted


def deaf_to(author_id: int, members: Collection[int]) -> set[int]:
    """Return those of `members` who blocked or muted the author."""
    return set(Block.objects.filter(of=author_id, by__in=members).values_list("by", flat=True))


def may_read(group: Group, members: Collection[int]) -> set[int]:
    """Return those of `members` who may read the group: `visible_to` for many at once."""
    active = Member.objects.filter(pk__in=members, is_active=True)
    if group.join_mode == JoinMode.HIDDEN:
        inside = Membership.objects.filter(group=group).values("member")
        active = active.filter(pk__in=inside)
    return set(active.values_list("pk", flat=True))
