"""A thread's page as data for search engines: schema.org's DiscussionForumPosting.

Search engines read as guests, so members' pages go without. What Google requires of a posting and
of each comment is a name of who wrote it, when, and what: text or a picture.
https://developers.google.com/search/docs/appearance/structured-data/discussion-forum
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from community.search.documents import text_of
from community.threads.models import Post
from community.threads.pages import ShownPost, ThreadPage
from config.pieces import pieces

TEXT_MAX_CHARS: Final = 200  # of a post: enough to know it by, in a page that holds it whole
PICTURES_MAX: Final = 3

PICTURE = re.compile(r'<img\b[^>]*?\ssrc="([^"]+)"')
# What could end the element that holds the JSON, or begin another.
UNSAFE: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}

Said = dict[str, Any]


def structured_data(page: ThreadPage) -> SafeString:
    """Return the JSON to stand in the page; nothing for a thread that is not listed."""
    if not page.thread.is_listed:
        return mark_safe("")
    replies = (one for one in readable(page) if not one.post.is_opening)
    whole = _json(posting(page)).removesuffix("}")
    comments = ",".join(map(_comment, replies))
    graph = f'{whole},"comment":[{comments}]}},{_json(breadcrumbs(page))}'
    return mark_safe(f'{{"@context":"https://schema.org","@graph":[{graph}]}}')


def readable(page: ThreadPage) -> list[ShownPost]:
    return [one for one in page.posts if one.readable and not one.post.is_hidden]


def posting(page: ThreadPage) -> Said:
    """The thread without its replies; later pages name how it began."""
    thread = page.thread
    opening = next((one.post for one in readable(page) if one.post.is_opening), None)
    address = _whole(thread.get_absolute_url())
    said: Said = {
        "@type": "DiscussionForumPosting",
        "@id": address,
        "url": address,
        "headline": thread.title,
    }
    if opening is not None:
        said |= _said(opening)
    else:
        noted: Any = thread  # by `pages.for_page`
        said |= {
            "author": _person(noted.author_name, noted.author_handle),
            "datePublished": _instant(thread.created_at),
            "text": thread.excerpt or thread.title,
        }
    said.setdefault("text", thread.title)
    counted = said.get("interactionStatistic", [])
    said["interactionStatistic"] = [_counter("CommentAction", thread.reply_count), *counted]
    said["isPartOf"] = {
        "@type": "WebPage",
        "name": thread.group.name,
        "url": _whole(thread.group.get_absolute_url()),
    }
    if thread.is_locked:
        said["creativeWorkStatus"] = "Closed"
    return said


def _comment(shown: ShownPost) -> str:
    """A reply as JSON; kept with its piece, for taking words out of HTML is slow."""
    told = shown.told

    def write() -> str:
        return _json(comment(shown))

    return write() if told is None else pieces.get(("comment", told), write)


def _json(said: Said) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).translate(UNSAFE)


def comment(shown: ShownPost) -> Said:
    post = shown.post
    said = {"@type": "Comment", "url": _whole(post.place), **_said(post)}
    said.setdefault("text", "–")
    return said


def breadcrumbs(page: ThreadPage) -> Said:
    """The way to the thread: all groups, its group, itself (which needs no address)."""
    group = page.thread.group
    steps = [
        (settings.SITE_NAME, reverse("home")),
        (group.name, group.get_absolute_url()),
        (page.thread.title, ""),
    ]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name}
            | ({"item": _whole(path)} if path else {})
            for position, (name, path) in enumerate(steps, start=1)
        ],
    }


def _said(post: Post) -> Said:
    """Who wrote a post, when, and what; its pictures when there is no word."""
    said: Said = {
        "author": _person(post.author.name, post.author.handle),
        "datePublished": _instant(post.created_at),
    }
    if post.edited_at is not None:
        said["dateModified"] = _instant(post.edited_at)
    if text := text_of(post.html):
        short = len(text) <= TEXT_MAX_CHARS
        said["text"] = text if short else f"{text[: TEXT_MAX_CHARS - 1].rstrip()}…"
    if pictures := PICTURE.findall(post.html)[:PICTURES_MAX]:
        said["image"] = [_whole(unescape(address)) for address in pictures]
    if given := sum(post.reactions.values()):
        said["interactionStatistic"] = [_counter("LikeAction", given)]
    return said


def _person(name: str, handle: str) -> Said:
    return {"@type": "Person", "name": name, "url": _whole(reverse("member", args=[handle]))}


def _counter(action: str, count: int) -> Said:
    return {
        "@type": "InteractionCounter",
        "interactionType": f"https://schema.org/{action}",
        "userInteractionCount": count,
    }


def _whole(path: str) -> str:
    return settings.SITE_URL + path if path.startswith("/") else path


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
