"""Flagging something, and reading what was decided about one's own."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from community.members.web import MemberRequest, member_required
from config.paging import whole_number
from moderation.flags.errors import FlagRefused
from moderation.flags.forms import FlagForm
from moderation.flags.models import Decision, Outcome
from moderation.flags.services import flag as flag_target
from moderation.flags.targets import KINDS, load_targets, visible_target

DECISIONS_PER_PAGE = 20


@require_http_methods(["GET", "POST"])
@member_required
def flag(request: MemberRequest, kind: str, target_id: int) -> HttpResponse:
    """Say what is wrong with a post, message or listing. 404 for what one may not see."""
    target = visible_target(kind, target_id, request.user)
    if target is None:
        raise Http404
    form = FlagForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            flag_target(
                kind=kind,
                target=target,
                member=request.user,
                reason=form.cleaned_data["reason"],
                note=form.cleaned_data["note"],
            )
        except FlagRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, gettext("Thank you. A moderator will look at it."))
            return redirect(target.get_absolute_url())
    return render(
        request,
        "moderation/flags/flag.html",
        {
            "form": form,
            "kind": kind,
            "words": KINDS[kind].words_of(target),
            "place": KINDS[kind].place_of(target),
            "author": KINDS[kind].author_of(target),
            "back": target.get_absolute_url(),
        },
        status=422 if request.method == "POST" else 200,
    )


@require_GET
@member_required
def decisions(request: MemberRequest) -> HttpResponse:
    """What moderators hid of the member's own, and why; keyset `before=<decision id>`."""
    found = (
        Decision.objects.filter(case__author=request.user, outcome=Outcome.HIDE)
        .select_related("case")
        .order_by("-pk")
    )
    before = whole_number(request.GET.get("before"))
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found[: DECISIONS_PER_PAGE + 1])
    more = len(page) > DECISIONS_PER_PAGE
    page = page[:DECISIONS_PER_PAGE]
    targets = load_targets((one.case.kind, one.case.target_id) for one in page)
    rows = []
    for one in page:
        target = targets.get((one.case.kind, one.case.target_id))
        if target is None:
            continue
        kind = KINDS[one.case.kind]
        rows.append(
            {
                "decision": one,
                "place": kind.place_of(target),
                "words": kind.words_of(target),
                "still_hidden": target.is_hidden,
            }
        )
    return render(
        request,
        "moderation/flags/decisions.html",
        {"rows": rows, "before": page[-1].pk if more else "", "is_first": before is None},
    )
