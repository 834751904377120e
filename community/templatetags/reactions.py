"""Reactions on pages. The bar asks no database; the choices of a menu ask once."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from community.members.models import Member
from community.reactions.models import Reaction
from community.reactions.shown import reaction_bar as bar_of
from community.threads.models import Post

register = template.Library()


@register.inclusion_tag("community/reactions/_bar.html")
def reaction_bar(post: Post, may_react: bool) -> dict[str, Any]:
    """The reactions of a post; buttons for who may react, of which the browser marks their own."""
    return bar_of(post, may_react=may_react)


@register.inclusion_tag("community/reactions/_bar.html", takes_context=True)
def reaction_choices(context: Context, post: Post) -> dict[str, Any]:
    """All reactions to choose from, the reader's own marked. One query; nothing for who may not."""
    viewer = context["request"].user
    if not isinstance(viewer, Member) or viewer.pk == post.author_id:
        return {"reactions": []}
    own = Reaction.objects.filter(post=post, member=viewer).values_list("name", flat=True)
    return bar_of(post, may_react=True, mine=set(own), everything=True)
