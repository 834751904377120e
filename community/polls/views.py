"""Polls: voting, closing, changing; and the fields that the composer shows when asked."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.groups.services import membership_of
from community.members.web import MemberRequest, member_required, wants_delete
from community.polls.forms import PollForm
from community.polls.models import Poll
from community.polls.services import (
    change_poll,
    close_poll,
    ensure_may_manage,
    take_vote_back,
    vote,
)
from community.polls.shown import shown_polls
from community.threads.errors import Refused, Unfit
from community.threads.models import Post
from config.paging import whole_number


@require_GET
@member_required
def fields(request: MemberRequest) -> HttpResponse:
    """The empty fields, for a composer that asks for them with a script."""
    return render(request, "community/polls/_fields.html", {"part": PollForm(writer=request.user)})


@require_http_methods(["POST", "DELETE"])
@member_required
def votes(request: MemberRequest, post_id: int) -> HttpResponse:
    """POST `option`s votes, or votes otherwise; DELETE takes the vote back."""
    poll = _poll_or_404(request, post_id)
    try:
        if wants_delete(request):
            take_vote_back(poll=poll, member=request.user)
            return _answered(request, poll, _("Your vote is taken back."))
        wanted = [whole_number(text) for text in request.POST.getlist("option")]
        vote(poll=poll, member=request.user, option_ids=[pk or 0 for pk in wanted])
    except Refused as refusal:
        if refusal.status == 403:
            raise PermissionDenied(refusal.reason) from refusal
        return _answered(request, poll, refusal.reason, problem=True)
    return _answered(request, poll, _("Your vote is counted."))


@require_POST
@member_required
def closing(request: MemberRequest, post_id: int) -> HttpResponse:
    """Take no more votes."""
    poll = _poll_or_404(request, post_id)
    try:
        close_poll(poll=poll, by=request.user)
    except Refused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    return _answered(request, poll, _("The poll is closed."))


@require_http_methods(["GET", "POST"])
@member_required
def edit(request: MemberRequest, post_id: int) -> HttpResponse:
    """Change a poll: all of it before the first vote, its closing time afterwards."""
    poll = _poll_or_404(request, post_id)
    try:
        ensure_may_manage(poll, request.user)
    except Refused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    status = 200
    form = PollForm.of(poll, request.user)
    if request.method == "POST":
        form = PollForm(request.POST, writer=request.user)
        form.empty_permitted = False
        if form.is_valid() and form.is_filled_in:
            try:
                change_poll(poll=poll, by=request.user, **form.says)
                messages.success(request, _("The poll is changed."))
                return HttpResponseRedirect(poll.post.place)
            except Refused as refusal:
                form.add_error(None, refusal.reason)
                status = refusal.status
        else:
            if not form.is_filled_in:
                form.add_error("question", _("Ask something."))
            status = 422
    context = {"poll": poll, "post": poll.post, "thread": poll.post.thread, "form": form}
    return render(request, "community/polls/edit.html", context, status=status)


# -- inside -----------------------------------------------------------------------------------


def _poll_or_404(request: HttpRequest, post_id: int) -> Poll:
    posts = Post.objects.visible_to(request.user).filter(hidden_at__isnull=True)
    polls = Poll.objects.select_related("post__thread__group", "post__author")
    return get_object_or_404(polls, post__in=posts.filter(pk=post_id))


def _answered(
    request: MemberRequest, poll: Poll, said: str, *, problem: bool = False
) -> HttpResponse:
    """The poll as it is now: alone to htmx, else on its page with a word on what happened."""
    if request.htmx:  # type: ignore[attr-defined]
        membership = membership_of(request.user, poll.post.thread.group)
        shown = shown_polls([poll.post], request.user, membership)[poll.post_id]
        shown = replace(shown, problem=said if problem else "")
        status = Unfit.status if problem else 200
        return render(request, "community/polls/_poll.html", {"shown": shown}, status=status)
    (messages.error if problem else messages.success)(request, said)
    return HttpResponseRedirect(poll.post.place)
