"""What is one reader's alone, for pages: the overlay of a thread, how closely one follows."""

from __future__ import annotations

from django import template
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from community.groups.models import Group
from community.members.blocking import folded_for
from community.members.models import Member
from community.mine.overlay import Mine, overlay
from community.tags.models import Tag
from community.threads.following import level_of
from community.threads.lists import OWN
from community.threads.marks import FollowLevel
from community.threads.models import Post
from community.threads.pages import ThreadPage
from config.paging import time_cursor
from config.skeletons import still

register = template.Library()

ICONS = {
    FollowLevel.MUTED: "bell-off",
    FollowLevel.NORMAL: "bell",
    FollowLevel.TRACKING: "bell-dot",
    FollowLevel.WATCHING: "bell-ring",
}


@register.simple_tag(takes_context=True)
def mine_on(context: Context, page: ThreadPage) -> Mine | None:
    """Look up the overlay of a thread's page: one query for a member, None for a guest."""
    viewer = page.viewer
    return overlay(viewer, page.thread, page.post_ids) if isinstance(viewer, Member) else None


@register.simple_tag
def unread_address(page: ThreadPage, mine: Mine) -> str:
    """Write the way to the first unread post: within the page when it is on it."""
    if mine.first is not None and Post(number=mine.first).page == page.number:
        return f"#p{mine.first}"
    return reverse("first_unread", args=[page.thread.pk])


@register.simple_tag(takes_context=True)
def folded(context: Context) -> frozenset[int]:
    """Return whom the reader folds: one query a request."""
    request = context.get("request")
    return folded_for(request.user) if request is not None else frozenset()


@register.simple_tag(takes_context=True)
def follow_thread_menu(context: Context, page: ThreadPage, mine: Mine) -> SafeString:
    """Draw the menu of levels of a thread. No query: the overlay knows."""
    return _menu(context, reverse("follow_thread", args=[page.thread.pk]), mine.level, "thread")


@register.simple_tag(takes_context=True)
def follow_menu(context: Context, what: Group | Tag) -> SafeString:
    """Draw the menu of levels of a group or a tag. One query for a member, nothing for a guest."""
    viewer = context["request"].user
    if not isinstance(viewer, Member):
        return mark_safe("")
    if isinstance(what, Group):
        action, kind = reverse("follow_group", args=[what.slug]), "group"
    else:
        action, kind = reverse("follow_tag", args=[what.pk]), "tag"
    return _menu(context, action, level_of(viewer, what), kind)


@register.inclusion_tag("community/threads/_all_read.html", takes_context=True)
def all_read_button(context: Context, group: Group | None = None) -> dict[str, object]:
    """Offer a member to mark all read, of the site or a group, above their unread or new threads.

    It carries when the list was drawn: what comes while they look at it stays unread. No query.
    """
    request, state, now = context["request"], context["state"], timezone.now()
    offered = isinstance(request.user, Member) and state.order in OWN and context["threads"]
    return {
        "offered": offered,
        "group": group,
        "at": time_cursor(now, 0),
        "back": request.path,
        "csrf_token": context.get("csrf_token"),
    }


def _menu(context: Context, action: str, level: FollowLevel, kind: str) -> SafeString:
    told = {
        "action": action,
        "level": int(level),
        "said": str(level.label),
        "icon": ICONS[level],
        "kind": kind,
    }
    return still("community/threads/_follow.html", context, told)
