"""What most ask for first, written down as SQL once a process: home's first page, a group by name.

All else one may ask of a list (its other orders, filters, pages) is put together each time
(community/threads/feeds.py).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.db.models import BooleanField, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONArray

from community.groups.models import Group, Membership
from community.members.models import Member, Viewer
from community.threads.lists import ListState, cut, for_rows, in_state
from community.threads.marks import Follow
from community.threads.models import Thread, ThreadQuerySet
from config.written import Written

POPULAR_GROUPS: Final = 6


# -- home ---------------------------------------------------------------------------------------


def first_of_home(viewer: Viewer, size: int, *, own: bool) -> tuple[list[Thread], str | None]:
    """Return the `size` latest threads `viewer` may read, and the cursor of the page after them.

    `own`: of a member's own groups alone. With all their rows draw. One query.
    """
    of_guest, of_member, of_own_groups = _first_of_home(size)
    if not isinstance(viewer, Member):
        return cut(of_guest.rows(), size)
    return cut((of_own_groups if own else of_member).rows(viewer.pk), size)


@lru_cache(maxsize=4)
def _first_of_home(size: int) -> tuple[Written[Thread], Written[Thread], Written[Thread]]:
    def write(threads: ThreadQuerySet, viewer: Viewer) -> ThreadQuerySet:
        listed = for_rows(in_state(threads.for_list(), ListState(), viewer), viewer)
        return listed.latest_first()[: size + 1]

    def of_member(pk: int) -> ThreadQuerySet:
        return write(Thread.objects.visible_to(Member(pk=pk)), Member(pk=pk))

    def of_own_groups(pk: int) -> ThreadQuerySet:
        return write(Thread.objects.in_groups_of(Member(pk=pk)), Member(pk=pk))

    guest = AnonymousUser()
    return (
        Written(lambda: write(Thread.objects.visible_to(guest), guest)),
        Written(of_member),
        Written(of_own_groups),
    )


def popular_groups(viewer: Viewer) -> list[Group]:
    """Return the largest groups `viewer` may read and is not in, at most POPULAR_GROUPS."""
    if isinstance(viewer, Member):
        return _POPULAR_TO_MEMBER.rows(viewer.pk)
    return _POPULAR.rows()


def _popular(viewer: Viewer) -> QuerySet[Group, Any]:
    groups = Group.objects.visible_to(viewer).order_by("-member_count", "pk")
    if isinstance(viewer, Member):
        groups = groups.exclude(memberships__member=viewer)
    return groups.only("slug", "name", "glyph", "tint", "member_count")[:POPULAR_GROUPS]


_POPULAR: Final = Written(lambda: _popular(AnonymousUser()))
_POPULAR_TO_MEMBER: Final = Written(lambda pk: _popular(Member(pk=pk)))


# -- a group ------------------------------------------------------------------------------------


def group_of_page(slug: str, viewer: Viewer) -> Group | None:
    """Return a group `viewer` may read, with their place in it and how closely they follow it.

    One query.
    """
    if not isinstance(viewer, Member):
        return next(iter(_GROUP.rows(slug)), None)
    group: Any = next(iter(_GROUP_TO_MEMBER.rows(slug, viewer.pk)), None)
    if group is None:
        return None
    group.noted_of = viewer.pk
    if group.place is not None:
        pk, role = group.place
        columns = ("id", "group_id", "member_id", "role")  # in the order of the model
        group.place = Membership.from_db("default", columns, (pk, group.pk, viewer.pk, role))
    found: Group = group
    return found


def _by_slug(slug: int, viewer: Viewer) -> QuerySet[Group, Any]:
    named = RawSQL('"community_group"."slug" = %s', (slug,), BooleanField())
    return Group.objects.visible_to(viewer).filter(named)


def _with_place(slug: int, pk: int) -> QuerySet[Group, Any]:
    place = Membership.objects.filter(group=OuterRef("pk"), member_id=pk)
    follow = Follow.objects.filter(group=OuterRef("pk"), member_id=pk)
    return _by_slug(slug, Member(pk=pk)).annotate(
        place=Subquery(place.values(place=JSONArray("pk", "role"))),
        follow_level=Subquery(follow.values("level")),
    )


_GROUP: Final = Written(lambda slug: _by_slug(slug, AnonymousUser()))
_GROUP_TO_MEMBER: Final = Written(_with_place)
