"""The member directory: who is here, found by name, interest and group."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from community.groups.models import Group, Interest
from community.members.models import Member
from community.profiles.forms import DirectoryForm
from config.paging import whole_number

MEMBERS_PER_PAGE = 30
GROUPS_OFFERED = 50


@require_GET
def members(request: HttpRequest) -> HttpResponse:
    """Members who are listed, most active or newest first, by keyset `after`.

    Filters: `q`, the beginning of a handle or of a word of a name; `interest`, `group`. A group
    the reader may not see filters like one that never was. Bad values are left out.
    """
    form = DirectoryForm(request.GET, groups=Group.objects.visible_to(request.user))
    form.is_valid()
    chosen = form.cleaned_data
    found = listed()
    if words := chosen.get("q"):
        found = found.filter(named_like(words))
    if interest := chosen.get("interest"):
        found = found.filter(interests=interest)
    if group := chosen.get("group"):
        found = found.filter(memberships__group=group)
    order = chosen.get("order") or "active"
    rows, after = _page(found, order, request.GET.get("after", ""))
    return render(
        request,
        "community/profiles/directory.html",
        {
            "members": rows,
            "after": after,
            "is_first": not request.GET.get("after"),
            "form": form,
            "words": chosen.get("q", ""),
            "interest": interest,
            "in_group": group,
            "order": order,
            "interests": Interest.objects.all(),
            "groups": Group.objects.visible_to(request.user).order_by("-member_count", "pk")[
                :GROUPS_OFFERED
            ],
        },
    )


def listed() -> QuerySet[Member]:
    """Members whose accounts are open, who did not ask to be left out."""
    return Member.objects.filter(is_listed=True, is_active=True, erased_at__isnull=True)


def named_like(words: str) -> Q:
    """Match a handle that begins so, or a word of a name that does."""
    words = words.lstrip("@")
    return (
        Q(handle__startswith=words.lower())
        | Q(name__istartswith=words)
        | Q(name__icontains=f" {words}")
    )


def _page(found: QuerySet[Member], order: str, after: str) -> tuple[list[Member], str]:
    by_activity = order == "active"
    activity_text, _dash, pk_text = after.partition("-")
    if by_activity:
        activity, pk = whole_number(activity_text, digits=9), whole_number(pk_text)
        if activity is not None and pk is not None:
            found = found.filter(Q(activity__lt=activity) | Q(activity=activity, pk__lt=pk))
        found = found.order_by("-activity", "-pk")
    else:
        if (pk := whole_number(after)) is not None:
            found = found.filter(pk__lt=pk)
        found = found.order_by("-pk")
    found = found.select_related("avatar").prefetch_related("interests")
    rows = list(found[: MEMBERS_PER_PAGE + 1])
    more = len(rows) > MEMBERS_PER_PAGE
    rows = rows[:MEMBERS_PER_PAGE]
    if not more:
        return rows, ""
    last = rows[-1]
    return rows, f"{last.activity}-{last.pk}" if by_activity else str(last.pk)
