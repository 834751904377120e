"""Bookmarks on pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from community.bookmarks.models import Bookmark
from community.members.models import Member
from community.threads.models import Post

register = template.Library()


@register.inclusion_tag("community/bookmarks/_act.html", takes_context=True)
def bookmark_act(context: Context, post: Post) -> dict[str, Any]:
    """Keep a post or let it go, and be reminded of it. One query, none for a guest."""
    viewer = context["request"].user
    if not isinstance(viewer, Member):
        return {"post": None}
    kept = Bookmark.objects.filter(member=viewer, post=post).first()
    return {"post": post, "kept": kept, "csrf_token": context.get("csrf_token")}
