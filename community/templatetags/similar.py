"""Similar threads below a title that came back in its form, for those without scripts."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from community.groups.models import Group
from community.members.models import Member
from community.search.similar import similar_threads
from community.threads.forms import PostForm

register = template.Library()


@register.inclusion_tag("community/search/_similar.html", takes_context=True)
def similar_to(context: Context, form: PostForm, group: Group) -> dict[str, Any]:
    """Threads like the title that was sent; nothing before it was."""
    viewer = getattr(context.get("request"), "user", None)
    title = str(form.data.get("title", "")) if form.is_bound else ""
    if not title or not isinstance(viewer, Member):
        return {"threads": []}
    return {"threads": similar_threads(title, group, viewer)}
