"""The lists of threads people start from: home, a group's page, and a tag's.

What is listed stands in the address: `order`, `period`, `kind`, `tag`, and `after` which row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from community.groups.models import Group
from community.groups.views import group_context
from community.members.models import Member, Viewer
from community.tags.models import Tag
from community.threads.front import first_of_home, group_of_page, popular_groups
from community.threads.kinds import KINDS, kinds_of
from community.threads.lists import (
    OWN,
    ListState,
    Order,
    first_of_group,
    for_rows,
    in_state,
    page_in_state,
    thread_rows,
)
from community.threads.models import Thread, ThreadKind, ThreadQuerySet, ThreadScore
from config import skeletons
from config.guest_pages import kept


@require_GET
@kept("threads")
def home(request: HttpRequest) -> HttpResponse:
    """The newest talk: of the member's own groups, or of all public ones with `?all=1`.

    A guest, and a member of no group yet, see what everybody may read.
    """
    member = request.user if isinstance(request.user, Member) else None
    own = member is not None and "all" not in request.GET
    state = ListState.read(request.GET, request.user)
    listed: dict[str, Any] | None = None
    if state == ListState():
        # What most ask for; a page with rows on it says that there are threads.
        rows, after = first_of_home(request.user, settings.THREADS_PER_PAGE, own=own)
        if rows or not own:
            listed = _list_context(request.user, state, rows, after)
    if listed is None:
        threads = Thread.objects.visible_to(request.user)
        if own and member is not None:
            mine = Thread.objects.in_groups_of(member)
            own = mine.exists()
            if own:
                threads = mine
        listed = list_context(request, threads, state, tags=_tag_ids(state, request.user))
    return skeletons.page(
        request,
        "community/threads/home.html",
        {
            **listed,
            "kinds": list(KINDS),
            "own": own,
            "popular": popular_groups(request.user),
        },
        is_member=member is not None,
    )


@require_GET
@kept("threads")
def group_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A group's threads: in their latest order the pinned ones stand first, on the first page."""
    group = group_of_page(slug, request.user)
    if group is None:
        raise Http404
    state = ListState.read(request.GET, request.user)
    tag: Tag | None = None
    if state.tag:
        tag = _group_tag(group, state.tag)
        if tag is not None and tag.slug != state.tag:
            query = replace(state, tag=tag.slug).address()
            return redirect(f"{group.get_absolute_url()}?{query}", permanent=True)
    tags = [tag.pk] if tag else []
    listed = _plain_list(request, group) if state == ListState() else None
    return skeletons.page(
        request,
        "community/threads/group.html",
        {
            **group_context(request, group, "threads"),
            **(listed or _list_of_group(request, group, state, tags)),
            "kinds": kinds_of(group),
            "tag": tag,
        },
        name=group.name,
        about=group.about,
        slug=group.slug,
    )


def _plain_list(request: HttpRequest, group: Group) -> dict[str, Any]:
    """The first page of a group's latest threads, which is what most ask for."""
    viewer = request.user
    pinned, rows, after = first_of_group(group.pk, viewer, settings.THREADS_PER_PAGE)
    return _list_context(viewer, ListState(), [*pinned, *rows], after)


def _list_of_group(
    request: HttpRequest, group: Group, state: ListState, tags: list[int]
) -> dict[str, Any]:
    threads = Thread.objects.filter(group=group)
    now = timezone.now()
    pinned: list[Thread] = []
    if state.order == Order.LATEST:
        first = threads.pinned(now)
        if state.is_first:
            narrowed = in_state(first.for_list(), state, request.user, tags, within_group=True)
            pinned = list(for_rows(narrowed, request.user).latest_first())
        threads = threads.filter(Q(pinned_at__isnull=True) | Q(pinned_until__lte=now))
    return list_context(request, threads, state, tags=tags, first=pinned, within_group=True)


@require_GET
@kept("threads")
def tag_page(request: HttpRequest, slug: str) -> HttpResponse:
    """All threads the viewer may read that carry a tag of this name: the site's, and groups' own.

    A synonym leads to the tag it stands for.
    """
    tags = list(
        Tag.objects.visible_to(request.user).filter(slug=slug).select_related("synonym_of", "group")
    )
    if not tags:
        raise Http404
    main = next((tag for tag in tags if tag.group_id is None), tags[0])
    if main.synonym_of is not None:
        return redirect(reverse("tag", args=[main.synonym_of.slug]), permanent=True)
    state = replace(ListState.read(request.GET, request.user), tag=slug)
    return render(
        request,
        "community/threads/tag.html",
        {
            **list_context(
                request,
                Thread.objects.visible_to(request.user),
                state,
                tags=[tag.synonym_of_id or tag.pk for tag in tags],
            ),
            "tag": main,
            "own_to": [tag.group for tag in tags if tag.group is not None],
            "kinds": list(KINDS),
        },
    )


def list_context(
    request: HttpRequest,
    threads: ThreadQuerySet,
    state: ListState,
    *,
    tags: list[int],
    first: list[Thread] | None = None,
    within_group: bool = False,
) -> dict[str, Any]:
    """What a list of `threads` needs to be drawn: rows, orders, the address of the next page.

    `threads` are visible to the viewer, `tags` the ids that the state's tag stands for; `first`
    stand above all others; `within_group`: all are of one group. One query, two for a member.
    """
    viewer = request.user
    listed = in_state(threads.for_list(), state, viewer, tags, within_group=within_group)
    narrowed = for_rows(listed, viewer)
    rows, next_cursor = page_in_state(narrowed, state, settings.THREADS_PER_PAGE)
    return _list_context(viewer, state, [*(first or []), *rows], next_cursor)


def _list_context(
    viewer: Viewer, state: ListState, threads: list[Thread], next_cursor: str | None
) -> dict[str, Any]:
    return {
        "state": state,
        "threads": thread_rows(threads, viewer),
        "next_cursor": next_cursor,
        "is_first": state.is_first,
        "orders": [
            order
            for order in Order
            if order not in OWN or isinstance(viewer, Member)
            # Reached by links alone; where it is on, it is marked.
            if order != Order.NEWEST or state.order == Order.NEWEST
        ],
        "periods": list(ThreadScore.Period),
        "kind_labels": ThreadKind,
    }


def _group_tag(group: Group, slug: str) -> Tag | None:
    """The tag of this name that threads of the group carry, its own before the site's."""
    found = Tag.objects.of(group).filter(slug=slug).select_related("synonym_of")
    tags = sorted(found, key=lambda tag: tag.group_id is None)
    return (tags[0].synonym_of or tags[0]) if tags else None


def _tag_ids(state: ListState, viewer: Viewer) -> list[int]:
    """The ids of all tags of the name in the state, or what they stand for. At most one query."""
    if not state.tag:
        return []
    tags = Tag.objects.visible_to(viewer).filter(slug=state.tag)
    return [main or pk for pk, main in tags.values_list("pk", "synonym_of_id")]
