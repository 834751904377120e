"""What pages say of themselves to search engines and feed readers, in their heads."""

from __future__ import annotations

from typing import Final

from django import template
from django.conf import settings
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from community.members.models import Member
from community.syndication.structured import structured_data
from community.threads.pages import ThreadPage
from config.guest_pages import SOURCE

register = template.Library()

# Pages to be found, by their plain address. A thread says its own, which has pages.
FOUND: Final = frozenset(
    {
        *("home", "groups", "group", "group_about", "group_members", "group_tags"),
        *("group_listings", "tags", "tag", "members", "member", "member_posts", "member_threads"),
        *("member_groups", "badges", "badge", "listing", "shop", "privacy"),
    }
)


@register.simple_tag(takes_context=True)
def findable(context: Context) -> SafeString:
    """Write the canonical address of a page to be found.

    Its other orders, filters and further pages are followed but not listed by search engines, nor
    are those of members who are not in the directory.
    """
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    if request is None or match is None or match.url_name not in FOUND:
        return mark_safe("")
    member = context.get("member")
    unlisted = isinstance(member, Member) and not member.is_listed
    if unlisted or set(request.GET) - {SOURCE}:
        return mark_safe('<meta name="robots" content="noindex, follow">')
    return format_html('<link rel="canonical" href="{}{}">', settings.SITE_URL, request.path)


@register.simple_tag
def feed_link(route: str, *args: str, title: str = "") -> SafeString:
    """Name the feed of a page, so that a reader of feeds finds it."""
    return format_html(
        '<link rel="alternate" type="application/atom+xml" title="{}" href="{}">',
        title or _("Newest threads"),
        reverse(route, args=args),
    )


@register.simple_tag(takes_context=True)
def thread_data(context: Context, page: ThreadPage) -> SafeString:
    """Write a thread's page as data, for guests: search engines read as such."""
    if isinstance(getattr(context.get("request"), "user", None), Member):
        return mark_safe("")
    said = structured_data(page)
    if not said:
        return said
    # A block of data is not run, so it needs no nonce.
    return format_html('<script type="application/ld+json">{}</script>', said)
