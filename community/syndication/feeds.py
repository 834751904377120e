"""Atom feeds: the newest threads of the site, a group or a tag, and a member's newest posts.

Posts are written into them as they stand in pages, sanitized when they were rendered, with whole
addresses. What is older stands on further pages (RFC 5005, section 3), keyset `before=<id>`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from community.groups.models import Group
from community.members.models import Member
from community.tags.models import Tag
from community.threads.models import Post, Thread, ThreadQuerySet, ThreadTag
from config.guest_pages import keep
from config.paging import whole_number

ENTRIES_MAX: Final = 30
KEPT_SECONDS: Final = 300
GUEST: Final = AnonymousUser()

OWN_ADDRESS = re.compile(r'(\s(?:href|src)=")/(?!/)')
# What XML 1.0 cannot hold, however it is written.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@require_safe
def site(request: HttpRequest) -> HttpResponseBase:
    threads = Thread.objects.visible_to(GUEST)
    return _feed(request, settings.SITE_NAME, reverse("home"), opening_posts(request, threads))


@require_safe
def group(request: HttpRequest, slug: str) -> HttpResponseBase:
    """A hidden group has none, for its members either: a reader of feeds cannot sign in."""
    found = get_object_or_404(Group.objects.visible_to(GUEST), slug=slug)
    posts = opening_posts(request, Thread.objects.filter(group=found))
    return _feed(request, found.name, found.get_absolute_url(), posts)


@require_safe
def tag(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Threads with a tag of this name: the site's, and those of groups guests may read."""
    tags = list(Tag.objects.visible_to(GUEST).filter(slug=slug).select_related("synonym_of"))
    if not tags:
        raise Http404
    main = next((one for one in tags if one.group_id is None), tags[0])
    if main.synonym_of is not None:
        return redirect("tag_feed", main.synonym_of.slug, permanent=True)
    wanted = [one.synonym_of_id or one.pk for one in tags]
    carried = ThreadTag.objects.filter(
        tag__in=wanted, thread__in=Thread.objects.visible_to(GUEST).filter(is_listed=True)
    )
    if (before := _before(request)) is not None:
        carried = carried.filter(thread__lt=before)
    newest = carried.order_by("-thread_id").values_list("thread_id", flat=True).distinct()
    # One more than a page holds says that there is a further one.
    some = list(newest[: ENTRIES_MAX + 1])
    posts = opening_posts(request, Thread.objects.filter(pk__in=some))
    return _feed(request, f"#{main.name}", reverse("tag", args=[slug]), posts)


@require_safe
def member(request: HttpRequest, handle: str) -> HttpResponseBase:
    found = get_object_or_404(Member, handle=handle.lower(), is_active=True)
    if found.handle != handle:
        return redirect("member_feed", found.handle, permanent=True)
    posts = Post.objects.visible_to(GUEST).filter(author=found, thread__is_listed=True)
    if (before := _before(request)) is not None:
        posts = posts.filter(pk__lt=before)
    newest = list(posts.select_related("thread", "author").order_by("-pk")[: ENTRIES_MAX + 1])
    page = Page(newest[:ENTRIES_MAX])
    if len(newest) > ENTRIES_MAX:
        page.further = newest[ENTRIES_MAX - 1].pk
    return _feed(request, found.name, found.get_absolute_url(), page)


@dataclass(slots=True)
class Page:
    """Some posts of a feed, newest first, and the `before` of the page that goes on."""

    posts: list[Post]
    further: int | None = None


def opening_posts(request: HttpRequest, threads: ThreadQuerySet) -> Page:
    """Return how the newest of `threads` begin, newest first. Two queries, by the id."""
    threads = threads.filter(is_listed=True)
    if (before := _before(request)) is not None:
        threads = threads.filter(pk__lt=before)
    newest = list(threads.order_by("-pk").values_list("pk", flat=True)[: ENTRIES_MAX + 1])
    shown = newest[:ENTRIES_MAX]
    first = Post.objects.filter(thread__in=shown, number=1, hidden_at__isnull=True)
    return Page(
        list(first.select_related("thread", "author").order_by("-thread_id")),
        shown[-1] if len(newest) > len(shown) else None,
    )


def _before(request: HttpRequest) -> int | None:
    """The id the page asked for stands below; None for the first, and for what is no number."""
    return whole_number(request.GET.get("before"))


# -- writing -------------------------------------------------------------------------------------


def _feed(request: HttpRequest, title: str, path: str, page: Page) -> HttpResponseBase:
    """Answer with the feed; 304 to whoever has it already."""
    posts, before = page.posts, _before(request)
    updated = max((_updated(post) for post in posts), default=datetime(1970, 1, 1, tzinfo=UTC))
    # The site's own words would change the feed with whoever asks first.
    with override(settings.LANGUAGE_CODE):
        text = written(
            title, path, request.path, updated, posts, before=before, further=page.further
        )
    body = text.encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, content_type="application/atom+xml; charset=utf-8")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    # Not an edit of now: what was taken away leaves no newer time behind, but another ETag.
    response.headers["Last-Modified"] = http_date(updated.timestamp())
    keep(response, "threads", "thread", *(f"thread:{post.thread_id}" for post in posts))
    answer = get_conditional_response(
        request, etag=etag, last_modified=int(updated.timestamp()), response=response
    )
    return answer or response


def written(
    title: str,
    path: str,
    own_path: str,
    updated: datetime,
    posts: Iterable[Post],
    *,
    before: int | None = None,
    further: int | None = None,
) -> str:
    """Write a feed of `posts` whose page is at `path` and which itself is at `own_path`.

    It is the page below the id `before`; the one below `further` goes on, if there is one.
    """
    here, own = _whole(path), _whole(own_path)
    links = {"self": own if before is None else f"{own}?before={before}"}
    if before is not None:
        links["first"] = own
    if further is not None:
        links["next"] = f"{own}?before={further}"
    named = title if title == settings.SITE_NAME else f"{title} · {settings.SITE_NAME}"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<title>{_text(named)}</title>",
        f"<id>{_text(own)}</id>",
        f"<updated>{_instant(updated)}</updated>",
        *(
            f'<link rel="{rel}" type="application/atom+xml" href={quoteattr(address)}/>'
            for rel, address in links.items()
        ),
        f'<link rel="alternate" type="text/html" href={quoteattr(here)}/>',
        *(_entry(post) for post in posts),
        "</feed>",
    ]
    return "\n".join(lines) + "\n"


def _entry(post: Post) -> str:
    thread, author = post.thread, post.author
    title = thread.heading
    if not post.is_opening:
        title = _("Re: %(title)s") % {"title": title}
    address = _whole(post.get_absolute_url())
    page = _whole(thread.get_absolute_url()) if post.is_opening else address
    return (
        f"<entry><title>{_text(title)}</title><id>{_text(address)}</id>"
        f"<published>{_instant(post.created_at)}</published>"
        f"<updated>{_instant(_updated(post))}</updated>"
        f"<author><name>{_text(author.name)}</name>"
        f"<uri>{_text(_whole(author.get_absolute_url()))}</uri></author>"
        f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>'
        f'<content type="html">{_text(with_whole_addresses(post.html))}</content></entry>'
    )


def with_whole_addresses(html: str) -> str:
    """Put the site before every address of ours in a post's HTML: a feed is read elsewhere."""
    return OWN_ADDRESS.sub(rf"\g<1>{settings.SITE_URL}/", html)


def _updated(post: Post) -> datetime:
    return post.edited_at or post.created_at


def _whole(path: str) -> str:
    return settings.SITE_URL + path


def _text(text: str) -> str:
    return escape(UNWRITABLE.sub("", text))


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
