"""Muting and blocking somebody, and the list of whom one did, with the way back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from community.members.blocking import block, unblock
from community.members.errors import MemberRefusal
from community.members.models import Block, Member
from community.members.web import MemberRequest, member_required, safe_next, wants_delete
from config.paging import whole_number

BLOCKS_PER_PAGE = 30


@require_http_methods(["GET", "POST", "DELETE"])
@member_required
def blocking(request: MemberRequest, handle: str) -> HttpResponse:
    """GET asks how, POST mutes or blocks (`kind`), DELETE or `_method=delete` takes it back."""
    other = get_object_or_404(Member.objects.select_related("avatar"), handle=handle.lower())
    if wants_delete(request):
        unblock(by=request.user, of=other)
        said = _("You read %(name)s again.") % {"name": other.name}
    else:
        if not other.is_active:
            return HttpResponse(status=404)
        known = Block.objects.filter(by=request.user, of=other).first()
        context: dict[str, object] = {"member": other, "known": known}
        kind = request.POST.get("kind", "")
        if request.method == "GET":
            return render(request, "community/members/block.html", context)
        if kind not in Block.Kind.values:
            return render(request, "community/members/block.html", context, status=422)
        try:
            block(by=request.user, of=other, kind=kind)
        except MemberRefusal as refusal:
            context["refusal"] = refusal.reason
            return render(request, "community/members/block.html", context, status=refusal.status)
        if kind == Block.Kind.BLOCK:
            said = _("You blocked %(name)s. Nobody told them.") % {"name": other.name}
        else:
            said = _("You muted %(name)s. Nobody told them.") % {"name": other.name}
    messages.success(request, said)
    back = safe_next(request)
    return HttpResponseRedirect(back) if back else redirect("blocks")


@require_GET
@member_required
def blocks(request: MemberRequest) -> HttpResponse:
    """Whom the member muted or blocked, newest first, keyset `before=<id>`."""
    found = Block.objects.filter(by=request.user).select_related("of__avatar").order_by("-pk")
    before = whole_number(request.GET.get("before"))
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: BLOCKS_PER_PAGE + 1])
    more = len(rows) > BLOCKS_PER_PAGE
    rows = rows[:BLOCKS_PER_PAGE]
    return render(
        request,
        "community/members/blocks.html",
        {"blocks": rows, "before": rows[-1].pk if more else "", "is_first": before is None},
    )
