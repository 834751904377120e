"""Threads like another: below one, and below a title that came back in its form."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from community.groups.models import Group
from community.members.models import Member
from community.search.similar import alike, similar_threads
from community.threads.forms import PostForm
from community.threads.models import Thread
from config.guest_pages import shows

register = template.Library()


@register.inclusion_tag("community/search/_similar.html", takes_context=True)
def similar_to(context: Context, form: PostForm, group: Group) -> dict[str, Any]:
    """Threads like the title that was sent; nothing before it was."""
    viewer = getattr(context.get("request"), "user", None)
    title = str(form.data.get("title", "")) if form.is_bound else ""
    if not title or not isinstance(viewer, Member):
        return {"threads": []}
    return {"threads": similar_threads(title, group, viewer)}


@register.simple_tag(takes_context=True)
def threads_like(context: Context, thread: Thread, related: list[Thread]) -> list[Thread]:
    """Give the threads like this one, but for those it is linked with. At most one query."""
    request = context.get("request")
    if request is None or not thread.is_listed:
        return []
    linked = {other.pk for other in related}
    found = [other for other in alike(thread, request.user) if other.pk not in linked]
    shows(request, *(f"thread:{other.pk}" for other in found))
    return found
