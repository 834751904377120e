"""robots.txt, and the sitemap: an index and its parts.

A part is a range of ids, so that its place in a table of a million threads is found by the primary
key. What a part holds is written when it is asked for; which parts there are is kept for an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax.saxutils import escape

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from community.groups.models import Group
from community.members.models import Member
from community.tags.models import Tag
from community.threads.models import Post, Thread, ThreadEntry, ThreadTag
from config.languages import wordless

PART_SIZE: Final = 5_000  # ids; a sitemap may name at most 50,000 addresses
KEPT_SECONDS: Final = 3600
NAMESPACE: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
GUEST: Final = AnonymousUser()

# What robots shall not ask for: it is nobody's to find, or never ends.
CLOSED: Final = (
    *("/accounts/", "/search/", "/settings/", "/staff/", "/notifications/", "/drafts/"),
    *("/bookmarks/", "/go/", "/mail/", "/inbound-mail/"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """An address and when what stands there last changed; None when nobody knows."""

    path: str
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of page: which rows have one, and the pages of some of them."""

    rows: Callable[[], QuerySet[Any]]
    places: Callable[[QuerySet[Any]], Iterator[Place]]


# -- what guests may read -----------------------------------------------------------------------


def _threads() -> QuerySet[Thread]:
    return Thread.objects.visible_to(GUEST).filter(is_listed=True)


def _thread_places(rows: QuerySet[Any]) -> Iterator[Place]:
    """Three queries. What changes a page: a post, an edit, a hiding, and what moderators did."""
    threads = list(rows.only("title", "is_listed", "created_at", "last_post_at"))
    if not threads:
        return
    span = {"thread_id__gte": threads[0].pk, "thread_id__lte": threads[-1].pk}
    touched = Post.objects.filter(Q(edited_at__isnull=False) | Q(hidden_at__isnull=False), **span)
    edited = touched.order_by().values_list("thread_id").annotate(Max("edited_at"))
    changes = list(edited.annotate(Max("hidden_at")))
    acts = ThreadEntry.objects.filter(**span).order_by().values_list("thread_id")
    changes += [(pk, at, None) for pk, at in acts.annotate(Max("at"))]
    latest: dict[int, datetime] = {}
    for pk, *instants in changes:
        known = [at for at in (*instants, latest.get(pk)) if at is not None]
        latest[pk] = max(known)
    for thread in threads:
        # Never after now: importers and merges may bring posts of any time.
        at = max(thread.last_post_at, thread.created_at, latest.get(thread.pk, thread.created_at))
        yield Place(thread.get_absolute_url(), at)


def _groups() -> QuerySet[Group]:
    return Group.objects.visible_to(GUEST)


def _group_places(rows: QuerySet[Any]) -> Iterator[Place]:
    for group in rows.only("slug", "created_at", "last_post_at"):
        yield Place(group.get_absolute_url(), group.last_post_at or group.created_at)


def _members() -> QuerySet[Member]:
    """Those in the directory who wrote something a guest may read: the others' pages are empty."""
    return Member.objects.filter(is_active=True, is_listed=True, erased_at__isnull=True).filter(
        Exists(_posts_of_member())
    )


def _posts_of_member() -> QuerySet[Post]:
    return Post.objects.visible_to(GUEST).filter(author=OuterRef("pk"))


def _member_places(rows: QuerySet[Any]) -> Iterator[Place]:
    newest = _posts_of_member().order_by("-pk").values("created_at")[:1]
    for member in rows.only("handle").annotate(wrote_at=Subquery(newest)):
        yield Place(member.get_absolute_url(), member.wrote_at)


def _tags() -> QuerySet[Tag]:
    carried = ThreadTag.objects.filter(tag=OuterRef("pk"), thread__in=_threads())
    return Tag.objects.visible_to(GUEST).filter(Exists(carried), synonym_of__isnull=True)


def _tag_places(rows: QuerySet[Any]) -> Iterator[Place]:
    """Without times: the last change below a tag would be looked for among all its threads."""
    for slug in dict.fromkeys(rows.values_list("slug", flat=True)):
        yield Place(reverse("tag", args=[slug]))


KINDS: Final = {
    "groups": Kind(_groups, _group_places),
    "tags": Kind(_tags, _tag_places),
    "members": Kind(_members, _member_places),
    "threads": Kind(_threads, _thread_places),
}


# -- pages ---------------------------------------------------------------------------------------


@wordless
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What robots may ask for, and where the sitemap is."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    lines += ["", f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}", ""]
    return _public(HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8"))


@wordless
@require_safe
@gzip_page
def index(request: HttpRequest) -> HttpResponse:
    """The parts there are. The pages that stand alone are a part of their own."""
    parts = ["pages-0", *(f"{kind}-{number}" for kind in KINDS for number in numbers(kind))]
    entries = "".join(
        f"<sitemap><loc>{settings.SITE_URL}/sitemaps/{name}.xml</loc></sitemap>\n" for name in parts
    )
    return _xml(f'<sitemapindex xmlns="{NAMESPACE}">\n{entries}</sitemapindex>\n')


@wordless
@require_safe
@gzip_page
def part(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """The pages of rows with ids from `number` times PART_SIZE on; 404 where there are none."""
    if kind == "pages" and number == 0:
        places = [Place(reverse(name)) for name in ("home", "groups", "tags", "members")]
    elif kind in KINDS and number < 2**63 // PART_SIZE:
        first = number * PART_SIZE
        rows = KINDS[kind].rows().filter(pk__gte=first, pk__lt=first + PART_SIZE)
        places = list(KINDS[kind].places(rows.order_by("pk")))
    else:
        places = []
    if not places:
        raise Http404
    entries = "".join(map(_entry, places))
    return _xml(f'<urlset xmlns="{NAMESPACE}">\n{entries}</urlset>\n')


def numbers(kind: str) -> list[int]:
    """Return which parts of a kind hold something: one query for each, once an hour."""
    name = f"sitemap:{kind}"
    known: list[int] | None = cache.get(name)
    if known is None:
        known, rows = [], KINDS[kind].rows()
        while True:
            first = (known[-1] + 1) * PART_SIZE if known else 0
            pk = rows.filter(pk__gte=first).order_by("pk").values_list("pk", flat=True).first()
            if pk is None:
                break
            known.append(pk // PART_SIZE)
        cache.set(name, known, KEPT_SECONDS)
    return known


def _entry(place: Place) -> str:
    at = place.changed_at
    changed = f"<lastmod>{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</lastmod>" if at else ""
    return f"<url><loc>{escape(settings.SITE_URL + place.path)}</loc>{changed}</url>\n"


def _xml(body: str) -> HttpResponse:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return _public(HttpResponse(text, content_type="application/xml; charset=utf-8"))


def _public(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return response
