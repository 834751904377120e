"""Offering push where a member has just asked to hear more: beneath a message that says so."""

from __future__ import annotations

from django import template

from community.notifications import push

register = template.Library()


@register.inclusion_tag("community/notifications/_push_offer.html")
def push_offer() -> dict[str, str]:
    """The offer; nothing where the site does not push. The browser decides whether to show it."""
    return {"push_key": push.public_key()}
