"""Polls under posts and in the composer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser
from django.template import Context

from community.groups.models import Membership
from community.groups.services import membership_of
from community.members.models import Member, Viewer
from community.polls.forms import PollForm
from community.polls.shown import ShownPoll, shown_polls
from community.threads.forms import PostForm
from community.threads.models import Post
from config.pieces import more_told, tell

register = template.Library()

_POLL = "_poll_shown"  # where what was loaded for a page waits on its posts


@register.simple_tag(takes_context=True)
def prepare_polls(context: Context, posts: Iterable[Post]) -> str:
    """Load the polls of all posts of a page: one query, none where no post has one.

    After commerce has told what it draws: a piece with a poll is kept for guests alone, for a
    member's own votes and token are in theirs.
    """
    asked = [post for post in posts if getattr(post, "poll_id", None) is not None]
    viewer = _viewer(context)
    page = context.get("page")
    membership = getattr(page, "membership", None) or context.get("membership")
    for pk, shown in shown_polls(asked, viewer, membership).items():
        post = next(post for post in asked if post.pk == pk)
        setattr(post, _POLL, shown)
        more = more_told(post)
        kept = more is not None and not viewer.is_authenticated
        tell(post, (more, shown.told) if kept else None)
    return ""


@register.inclusion_tag("community/polls/_poll.html", takes_context=True)
def poll_of(context: Context, post: Post) -> dict[str, Any]:
    """The poll under a post, if it has one."""
    shown: ShownPoll | None = getattr(post, _POLL, None)
    if shown is None and getattr(post, "poll_id", None) is not None:
        viewer = _viewer(context)
        membership: Membership | None = None
        if isinstance(viewer, Member):
            membership = membership_of(viewer, post.thread.group)
        shown = shown_polls([post], viewer, membership).get(post.pk)
    return {"shown": shown, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("community/polls/_in_composer.html")
def poll_fields(form: PostForm) -> dict[str, Any]:
    """The composer's way to a poll: the fields when they were asked for, else their button."""
    part = form.parts.get(PollForm.add)
    return {"part": part, "add": PollForm.add}


def _viewer(context: Context) -> Viewer:
    request = context.get("request")
    user = getattr(request, "user", None) or context.get("user")
    return user if isinstance(user, Member) else AnonymousUser()
