"""What somebody wrote, gave and is part of, as far as a reader may see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from django.db.models import Count, F, Model, Q, QuerySet, Sum

from community.groups.models import Group, GroupQuerySet
from community.members.models import Member, Viewer
from community.reactions.models import Reaction
from community.threads.markup import plain_text
from community.threads.models import Post, Thread

EXCERPT_SOURCE_CHARS: Final = 1_000

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counted over what the reader may see."""

    posts: int
    threads: int
    thanks: int  # reactions received


def figures_of(member: Member, viewer: Viewer) -> Figures:
    """Count a member's posts, threads and reactions received, as `viewer` could. One query."""
    counted = posts_of(member, viewer).aggregate(
        posts=Count("pk"),
        threads=Count("pk", filter=Q(number=1)),
        thanks=Sum("reaction_count", default=0),
    )
    return Figures(**counted)


def posts_of(member: Member, viewer: Viewer) -> QuerySet[Post]:
    return Post.objects.visible_to(viewer).filter(author=member, hidden_at__isnull=True)


def with_words(posts: Iterable[Post]) -> list[tuple[Post, str]]:
    """Pair each post with its first words, without markup."""
    return [(post, plain_text(post.body[:EXCERPT_SOURCE_CHARS])) for post in posts]


def threads_of(member: Member, viewer: Viewer) -> QuerySet[Thread]:
    return (
        Thread.objects.visible_to(viewer)
        .filter(author=member, is_listed=True)
        .select_related("group")
    )


def reactions_of(member: Member, viewer: Viewer) -> QuerySet[Reaction]:
    """What the member gave to posts that `viewer` may read."""
    readable = Post.objects.visible_to(viewer).filter(hidden_at__isnull=True)
    return (
        Reaction.objects.listed()
        .filter(member=member, post__in=readable)
        .select_related("post__author", "post__thread__group")
        .defer("post__html")
    )


def groups_of(member: Member, viewer: Viewer) -> QuerySet[Group]:
    """The groups the member is in that `viewer` may know of, largest first."""
    groups: GroupQuerySet = Group.objects.visible_to(viewer)
    return (
        groups.filter(memberships__member=member)
        .annotate(role_there=F("memberships__role"))
        .order_by("-member_count", "pk")
    )


def page_by_id(rows: QuerySet[M], before: int | None, size: int) -> tuple[list[M], int | str]:
    """Return at most `size` rows, newest first, and the id to go on before ("" at the end)."""
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows.order_by("-pk")[: size + 1])
    more = len(page) > size
    page = page[:size]
    return page, page[-1].pk if more else ""
