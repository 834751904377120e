"""Choosing how closely one follows a thread, a group or a tag, and the list of all one chose."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from community.groups.models import Group
from community.members.web import MemberRequest, member_required, safe_next
from community.tags.models import Tag
from community.threads.following import Followed, follow
from community.threads.marks import Follow, FollowLevel
from community.threads.models import Thread
from config.paging import whole_number

FOLLOWS_PER_PAGE = 30


@require_POST
@member_required
def follow_thread(request: MemberRequest, thread_id: int) -> HttpResponse:
    thread = get_object_or_404(Thread.objects.visible_to(request.user), pk=thread_id)
    return _follow(request, thread, thread.get_absolute_url())


@require_POST
@member_required
def follow_group(request: MemberRequest, slug: str) -> HttpResponse:
    group = get_object_or_404(Group.objects.visible_to(request.user), slug=slug)
    return _follow(request, group, group.get_absolute_url())


@require_POST
@member_required
def follow_tag(request: MemberRequest, tag_id: int) -> HttpResponse:
    tag = get_object_or_404(Tag.objects.visible_to(request.user), pk=tag_id)
    return _follow(request, tag, reverse("follows"))


@require_GET
@member_required
def follows(request: MemberRequest) -> HttpResponse:
    """All the member follows or muted, newest first, keyset `before=<id>`.

    What they may no longer read is not in it.
    """
    found = (
        Follow.objects.filter(
            Q(thread__in=Thread.objects.visible_to(request.user))
            | Q(tag__in=Tag.objects.visible_to(request.user))
            | Q(group__in=Group.objects.visible_to(request.user)),
            member=request.user,
        )
        .exclude(level=FollowLevel.NORMAL)
        .select_related("thread__group", "tag__group", "group")
        .order_by("-pk")
    )
    before = whole_number(request.GET.get("before"))
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: FOLLOWS_PER_PAGE + 1])
    more = len(rows) > FOLLOWS_PER_PAGE
    rows = rows[:FOLLOWS_PER_PAGE]
    return render(
        request,
        "community/threads/follows.html",
        {
            "follows": rows,
            "before": rows[-1].pk if more else "",
            "is_first": before is None,
            "levels": FollowLevel.choices,
        },
    )


def _follow(request: MemberRequest, what: Followed, place: str) -> HttpResponse:
    level = whole_number(request.POST.get("level"), digits=1)
    if level not in FollowLevel.values:
        return HttpResponse(status=422)
    follow(member=request.user, what=what, level=level)
    said = {
        FollowLevel.MUTED: _("Muted. It leaves your lists and tells you nothing."),
        FollowLevel.NORMAL: _("Followed no more. You are told when somebody speaks to you."),
        FollowLevel.TRACKING: _("Tracked: new posts are counted."),
        FollowLevel.WATCHING: _("Watched: you are told of every new post."),
    }
    # Who wants to hear of every post may want to hear at once: templates/_messages.html offers it.
    offers = "push-offer" if level == FollowLevel.WATCHING else ""
    messages.success(request, said[FollowLevel(level)], extra_tags=offers)
    back = safe_next(request)
    return HttpResponseRedirect(back) if back else redirect(place)
