"""The lists of threads people start from: home and a group's page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from community.groups.models import Group
from community.groups.views import group_context, group_or_404
from community.members.models import Member
from community.threads.lists import page_of, thread_rows
from community.threads.models import Thread

POPULAR_GROUPS = 6
PINNED_AT_MOST = 3


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The newest talk: of the member's own groups, or of all public ones with `?all=1`.

    A guest, and a member of no group yet, see what everybody may read.
    """
    member = request.user if isinstance(request.user, Member) else None
    own = member is not None and "all" not in request.GET
    threads = Thread.objects.visible_to(request.user)
    if own and member is not None:
        mine = Thread.objects.filter(group__memberships__member=member)
        own = mine.exists()
        if own:
            threads = mine
    after = request.GET.get("after", "")
    rows, next_cursor = page_of(threads.for_list(), after, settings.THREADS_PER_PAGE)
    popular = Group.objects.visible_to(request.user).order_by("-member_count", "pk")
    if member is not None:
        popular = popular.exclude(memberships__member=member)
    return render(
        request,
        "community/threads/home.html",
        {
            "threads": thread_rows(rows, request.user),
            "next_cursor": next_cursor,
            "is_first": not after,
            "own": own,
            "popular": popular[:POPULAR_GROUPS],
        },
    )


@require_GET
def group_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A group's threads, pinned ones first on the first page, then by their last post."""
    group = group_or_404(request, slug)
    after = request.GET.get("after", "")
    threads = Thread.objects.filter(group=group)
    unanswered = request.GET.get("show") == "unanswered"
    if unanswered:
        threads = threads.filter(reply_count=0)
    pinned: list[Thread] = []
    if not after:
        pinned = list(
            threads.filter(pinned_at__isnull=False).for_list().latest_first()[:PINNED_AT_MOST]
        )
    rows, next_cursor = page_of(
        threads.filter(pinned_at__isnull=True).for_list(), after, settings.THREADS_PER_PAGE
    )
    return render(
        request,
        "community/threads/group.html",
        {
            **group_context(request, group, "threads"),
            "threads": thread_rows([*pinned, *rows], request.user),
            "next_cursor": next_cursor,
            "is_first": not after,
            "unanswered": unanswered,
        },
    )
