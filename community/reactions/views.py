"""Reactions: the bar under a post, and who gave what."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from community.members.errors import MayNotWrite
from community.members.web import MemberRequest, member_required
from community.reactions.errors import ReactionRefused
from community.reactions.models import Reaction
from community.reactions.services import toggle_reaction
from community.reactions.shown import reaction_bar
from community.threads.models import Post
from config.paging import whole_number

PEOPLE_PER_PAGE = 50


@require_http_methods(["GET", "POST"])
def reactions(request: HttpRequest, post_id: int) -> HttpResponse:
    """GET: who reacted, newest first, keyset `before=<id>`. POST `name` gives or takes back."""
    return _toggle(request, post_id) if request.method == "POST" else _people(request, post_id)


def _people(request: HttpRequest, post_id: int) -> HttpResponse:
    post = _post_or_404(request, post_id)
    found = Reaction.objects.listed().filter(post=post).select_related("member").order_by("-pk")
    before = whole_number(request.GET.get("before"))
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: PEOPLE_PER_PAGE + 1])
    more = len(rows) > PEOPLE_PER_PAGE
    rows = rows[:PEOPLE_PER_PAGE]
    context = {
        "post": post,
        "thread": post.thread,
        "rows": rows,
        "before": rows[-1].pk if more else None,
        "is_first": before is None,
    }
    return render(request, "community/reactions/people.html", context)


@member_required
def _toggle(request: MemberRequest, post_id: int) -> HttpResponse:
    post = _post_or_404(request, post_id)
    try:
        given = toggle_reaction(post=post, member=request.user, name=request.POST.get("name", ""))
    except ReactionRefused as refused:
        if refused.status != 403:
            return HttpResponse(str(refused), status=refused.status, content_type="text/plain")
        raise PermissionDenied(str(refused)) from refused
    except MayNotWrite as refused:
        raise PermissionDenied(refused.reason) from refused
    if request.htmx:  # type: ignore[attr-defined]
        post.refresh_from_db(fields=["reactions"])
        own = Reaction.objects.filter(post=post, member=request.user)
        context = reaction_bar(post, may_react=True, mine=set(own.values_list("name", flat=True)))
        return render(request, "community/reactions/_bar.html", context)
    messages.success(request, _("Reaction given.") if given else _("Reaction taken back."))
    return HttpResponseRedirect(post.place)


def _post_or_404(request: HttpRequest, post_id: int) -> Post:
    posts = Post.objects.visible_to(request.user).select_related("thread__group", "author")
    return get_object_or_404(posts, pk=post_id, hidden_at__isnull=True)
