"""Pages of standing: one's own trust level, all badges, one badge with its holders."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from community.members.models import Member
from community.members.web import MemberRequest, member_required
from community.standing.models import Badge, BadgeGrant
from community.standing.pages import shown_grants, standing_of
from community.standing.words import lately
from config.paging import whole_number

HOLDERS_PER_PAGE = 30


@require_GET
@member_required
def standing(request: MemberRequest) -> HttpResponse:
    """What the member has earned, and what is missing."""
    return render(
        request,
        "community/standing/mine.html",
        {"standing": standing_of(request.user), "lately": lately()},
    )


@require_GET
def badges(request: HttpRequest) -> HttpResponse:
    """All badges by rank, how many hold each, and which of them are the reader's own."""
    shown = Q(grants__member__is_active=True, grants__member__erased_at__isnull=True)
    found = Badge.objects.active().annotate(holders=Count("grants", filter=shown))
    mine: set[int] = set()
    if isinstance(request.user, Member):
        own = BadgeGrant.objects.filter(member=request.user)
        mine = set(own.values_list("badge_id", flat=True))
    rows = list(found)
    ranks = [
        (label, [badge for badge in rows if badge.rank == rank])
        for rank, label in Badge.Rank.choices
    ]
    return render(
        request,
        "community/standing/badges.html",
        {"ranks": [(label, of) for label, of in ranks if of], "mine": mine},
    )


@require_GET
def badge(request: HttpRequest, slug: str) -> HttpResponse:
    """One badge and who holds it, latest first, keyset `before=<grant id>`."""
    found = get_object_or_404(Badge.objects.active(), slug=slug)
    grants = (
        BadgeGrant.objects.shown()
        .filter(badge=found)
        .select_related("member__avatar", "badge")
        .order_by("-pk")
    )
    before = whole_number(request.GET.get("before"))
    if before is not None:
        grants = grants.filter(pk__lt=before)
    page = list(grants[: HOLDERS_PER_PAGE + 1])
    more = len(page) > HOLDERS_PER_PAGE
    page = page[:HOLDERS_PER_PAGE]
    return render(
        request,
        "community/standing/badge.html",
        {
            "badge": found,
            "rows": shown_grants(page, request.user),
            "before": page[-1].pk if more else "",
            "is_first": before is None,
        },
    )
