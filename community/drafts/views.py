"""Drafts over HTTP: the list, keeping and discarding one, guests, taking a post back."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.drafts.errors import DraftOutdated, DraftRefused
from community.drafts.guests import remember
from community.drafts.models import Draft
from community.drafts.services import SEQUENCE_MAX, next_sequence, save_draft, take_back
from community.drafts.targets import is_visible, parsed, shown
from community.members.models import Member
from community.members.web import MemberRequest, from_our_pages, member_required, wants_delete
from community.threads.errors import Refused
from community.threads.models import Post
from config.paging import read_time_cursor, time_cursor, whole_number

DRAFTS_PER_PAGE = 20


@require_GET
@member_required
def drafts(request: MemberRequest) -> HttpResponse:
    """One's drafts, the last changed first, keyset `after`."""
    return _list(request)


@require_http_methods(["GET", "PUT", "POST", "DELETE"])
@member_required
def draft(request: MemberRequest, target: str) -> HttpResponse:
    """A draft by its target. A script: GET reads it (204 for none), PUT keeps, DELETE discards it.

    PUT takes JSON `{body, title, extra, sequence, client_key}` and answers `{sequence}`; 409 with
    the newer draft when a later one is kept, 410 when it was posted. A plain form discards with
    `_method=delete`, and with `_method=put` brings back what it discarded.
    """
    if parsed(target) is None:
        raise Http404
    if request.method == "GET":
        found = Draft.objects.filter(member=request.user, target=target).first()
        if "application/json" in request.headers.get("Accept", ""):
            if found is None:
                return HttpResponse(status=204)
            return JsonResponse(as_json(found), headers={"Cache-Control": "no-store"})
        if found is None:
            raise Http404
        place = shown([found], request.user)[0].place
        return HttpResponseRedirect(place.address if place else reverse("drafts"))
    if request.method == "PUT":
        return _keep(request, target)
    if wants_delete(request):
        gone = Draft.objects.filter(member=request.user, target=target).first()
        if gone is not None:
            gone.delete()
        if request.method == "DELETE":
            return HttpResponse(status=204)
        # Where one no longer reads, nothing is written down anew.
        return _list(request, gone=gone if is_visible(target, request.user) else None)
    if request.POST.get("_method") == "put":
        return _bring_back(request, target)
    return HttpResponse(status=405)


# Without a token: a guest's page is the same for all and kept (see `from_our_pages`).
@csrf_exempt
@require_POST
def typed(request: HttpRequest) -> HttpResponse:
    """Keep what a guest typed below a thread, and send them to join or to sign in.

    They come back to the thread with a draft of it.
    """
    if not from_our_pages(request):
        return HttpResponse(_("This form is only for our own pages."), status=403)
    target = request.POST.get("target", "")
    place = parsed(target)
    if place is None or place[0] != "thread":
        raise Http404
    back = f"/t/{place[1]}/"
    if isinstance(request.user, Member):
        return HttpResponseRedirect(back)
    back = remember(request, target) or back
    door = "account_login" if "sign_in" in request.POST else "account_signup"
    return HttpResponseRedirect(f"{reverse(door)}?{urlencode({'next': back})}")


@require_POST
@member_required
def undo(request: MemberRequest, post_id: int) -> HttpResponse:
    """Take a post back just after posting it; its text is a draft again.

    A script gets the draft as JSON, or why not with 403 or 409; a plain form the composer with it.
    """
    posts = Post.objects.visible_to(request.user).filter(author=request.user)
    post = get_object_or_404(
        posts.select_related("thread__group", "author", "reply_to"), pk=post_id
    )
    plain = "application/json" not in request.headers.get("Accept", "")
    try:
        kept = take_back(post=post, by=request.user)
    except (DraftRefused, Refused) as refusal:
        if plain:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(post.place)
        return JsonResponse({"error": str(refusal)}, status=refusal.status)
    place = shown([kept], request.user)[0].place
    address = place.address if place else reverse("drafts")
    if plain:
        return HttpResponseRedirect(address)
    return JsonResponse({**as_json(kept), "address": address})


def as_json(draft: Draft) -> dict[str, Any]:
    return {
        "target": draft.target,
        "title": draft.title,
        "body": draft.body,
        "extra": draft.extra,
        "sequence": draft.sequence,
        "changed_at": draft.changed_at.isoformat(),
    }


# -- inside -----------------------------------------------------------------------------------


def _list(request: MemberRequest, gone: Draft | None = None) -> HttpResponse:
    rows = Draft.objects.filter(member=request.user).order_by("-changed_at", "-pk")
    after = read_time_cursor(request.GET.get("after"))
    if after is not None:
        at, pk = after
        rows = rows.filter(changed_at__lte=at).exclude(changed_at=at, pk__gte=pk)
    page = list(rows[: DRAFTS_PER_PAGE + 1])
    more = len(page) > DRAFTS_PER_PAGE
    page = page[:DRAFTS_PER_PAGE]
    older = ""
    if more:
        cursor = time_cursor(page[-1].changed_at, page[-1].pk)
        older = f"{reverse('drafts')}?{urlencode({'after': cursor})}"
    context = {
        "rows": shown(page, request.user),
        "older": older,
        "newer": reverse("drafts") if after else "",
        "gone": gone,
        "gone_extra": json.dumps(gone.extra) if gone else "",
    }
    return render(request, "community/drafts/mine.html", context)


def _keep(request: MemberRequest, target: str) -> HttpResponse:
    try:
        said = json.loads(request.body)
        body, title, extra = said["body"], said.get("title", ""), said.get("extra", {})
        sequence, key = said["sequence"], said.get("client_key")
        client_key = UUID(key) if key else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return JsonResponse({"error": _("The draft was not kept.")}, status=400)
    if not (
        isinstance(body, str)
        and isinstance(title, str)
        and _is_plain(extra)
        and type(sequence) is int
        and 0 < sequence <= SEQUENCE_MAX
    ):
        return JsonResponse({"error": _("The draft was not kept.")}, status=400)
    if not is_visible(target, request.user):
        raise Http404
    try:
        kept = save_draft(
            member=request.user,
            target=target,
            body=body,
            title=title,
            extra=extra,
            sequence=sequence,
            client_key=client_key,
        )
    except DraftOutdated as refusal:
        said = {"error": str(refusal), "draft": as_json(refusal.newer)}
        return JsonResponse(said, status=refusal.status)
    except DraftRefused as refusal:
        return JsonResponse({"error": str(refusal)}, status=refusal.status)
    return JsonResponse({"sequence": kept.sequence if kept else 0})


def _is_plain(extra: object) -> bool:
    """Whether it is what a form's fields hold: texts, and lists of texts, by name."""
    if not isinstance(extra, dict):
        return False
    return all(
        isinstance(value, str)
        or (isinstance(value, list) and all(isinstance(one, str) for one in value))
        for value in extra.values()
    )


def _bring_back(request: MemberRequest, target: str) -> HttpResponse:
    if not is_visible(target, request.user):
        raise Http404
    try:
        extra = json.loads(request.POST.get("extra") or "{}")
    except (ValueError, RecursionError):
        extra = {}
    sequence = whole_number(request.POST.get("sequence"), digits=9) or 1
    try:
        save_draft(
            member=request.user,
            target=target,
            body=request.POST.get("body", ""),
            title=request.POST.get("title", ""),
            extra=extra if _is_plain(extra) else {},
            sequence=max(sequence, next_sequence(request.user, target)),
        )
    except DraftRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The draft is back."))
    return redirect("drafts")
