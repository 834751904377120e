"""Whom one may name with @ while writing: people of the thread first, then of the group.

Others of the site only where anybody may join, so that nobody is offered who could not read it.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from community.groups.models import Group, JoinMode, Membership
from community.members.models import Block, Member
from community.members.web import MemberRequest, member_required
from community.threads.models import Post, Thread
from config.paging import whole_number

OFFERED_MAX: Final = 8
QUERY_MAX_CHARS: Final = 60
IN_THREAD, IN_GROUP, ELSEWHERE = 0, 1, 2


def mentionable(
    viewer: Member, *, group: Group, thread: Thread | None = None, beginning: str = ""
) -> list[Member]:
    """Return at most OFFERED_MAX members whose handle, or a word of whose name, begins so.

    In this order: who wrote in `thread`, who is in `group`, and in an open group anybody who is
    listed; `nearness` says which. Without a beginning only the first two. Neither `viewer` nor who
    is blocked by or has blocked them. The caller has checked that they may read the group. One
    query.
    """
    inside = Exists(Membership.objects.filter(group=group, member=OuterRef("pk")))
    wrote = Q(pk__in=[])
    if thread is not None:
        posts = Post.objects.filter(thread=thread, author=OuterRef("pk"), hidden_at__isnull=True)
        wrote = Q(Exists(posts))
        if group.join_mode == JoinMode.HIDDEN:
            wrote &= Q(inside)  # who left a hidden group can no longer read it
    around = wrote | Q(inside)
    if beginning and group.join_mode == JoinMode.OPEN:
        around |= Q(is_listed=True)
    found = Member.objects.filter(around, is_active=True, erased_at__isnull=True)
    if beginning:
        said = Q(handle__startswith=beginning.lower()) | Q(name__istartswith=beginning)
        found = found.filter(said | Q(name__icontains=f" {beginning}"))
    apart = Block.objects.filter(
        Q(by=viewer, of=OuterRef("pk")) | Q(by=OuterRef("pk"), of=viewer, kind=Block.Kind.BLOCK)
    )
    nearness = Case(
        When(wrote, then=Value(IN_THREAD)),
        When(Q(inside), then=Value(IN_GROUP)),
        default=Value(ELSEWHERE),
        output_field=IntegerField(),
    )
    found = found.exclude(pk=viewer.pk).exclude(Exists(apart)).annotate(nearness=nearness)
    return list(found.order_by("nearness", "handle")[:OFFERED_MAX])


@require_GET
@member_required
def mentions(request: MemberRequest) -> HttpResponse:
    """The options of the combobox for `q` in `thread` or `group` (ids); 204 when there is none."""
    thread: Thread | None = None
    if (pk := whole_number(request.GET.get("thread"))) is not None:
        threads = Thread.objects.visible_to(request.user).select_related("group")
        thread = get_object_or_404(threads, pk=pk)
        group = thread.group
    elif (pk := whole_number(request.GET.get("group"))) is not None:
        group = get_object_or_404(Group.objects.visible_to(request.user), pk=pk)
    else:
        raise Http404
    beginning = request.GET.get("q", "").replace("\x00", "").strip()[:QUERY_MAX_CHARS]
    people = mentionable(request.user, group=group, thread=thread, beginning=beginning)
    if not people:
        return HttpResponse(status=204)
    response = render(request, "community/threads/_mentions.html", {"people": people})
    response["Cache-Control"] = "private, max-age=30"
    return response
