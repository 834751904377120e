"""What the search page shows: hits with their threads and excerpts, in a fixed number of queries.

What was found is loaded through `visible_to` once more: a document may be a second behind the
post it tells of, a page may not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Func, Model, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.fields import BooleanField
from django.urls import reverse
from django.utils.safestring import SafeString

from community.groups.models import Group
from community.members.models import Member, Viewer
from community.search.documents import Kind, quoted
from community.search.excerpts import as_html, excerpt, pieces_of, spans_of
from community.search.finding import Found, Hit, find, newest
from community.search.models import SearchDocument
from community.search.queries import Query
from community.search.words import terms
from community.threads.models import Post, Thread
from config.paging import read_time_cursor, time_cursor
from config.prepared import prepared_cursor
from config.written import Written

ANSWERS_PER_PAGE: Final = 10
POSTS_AN_ANSWER: Final = 2
NAMED_MAX: Final = 3
NAME_MAX_WORDS: Final = 4  # of a query that may be somebody's name
_BESIDE: Final = {Kind.GROUP: NAMED_MAX, Kind.MEMBER: NAMED_MAX}
SUGGESTED: Final = {Kind.POST: 5, Kind.GROUP: 3, Kind.MEMBER: 3}
SUGGEST_MIN_CHARS: Final = 2

_EMPTY: Final = SafeString("")
_CURSOR = re.compile(r"(-?\d{1,12}(?:\.\d{1,20})?(?:e-?\d{1,3})?)~(\d{1,18})\Z")


@dataclass(frozen=True, slots=True)
class ShownPost:
    """A post that answers, with what of it does."""

    address: str
    number: int
    author: str
    created_at: datetime
    excerpt: SafeString


@dataclass(frozen=True, slots=True)
class Answer:
    """A thread some posts of which answer, the best first."""

    thread: Thread
    title: SafeString
    posts: list[ShownPost]
    more: int = 0  # posts that answer too and are not shown


@dataclass(frozen=True, slots=True)
class Named:
    """A group or member found."""

    thing: Group | Member
    excerpt: SafeString


@dataclass(frozen=True, slots=True)
class Results:
    """A page of what was found. `after` is the cursor of the next page, empty on the last."""

    query: Query
    corrected: bool = False
    answers: list[Answer] = field(default_factory=list)
    groups: list[Named] = field(default_factory=list)
    members: list[Named] = field(default_factory=list)
    after: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.answers or self.groups or self.members)


def results(
    query: Query,
    viewer: Viewer,
    *,
    kind: str = Kind.POST,
    by_time: bool = False,
    after: str | None = None,
    correcting: bool = True,
) -> Results:
    """Search and load a page of what was found; `after` is a cursor, a broken one is the first."""
    by_time = by_time or not query.has_words
    if by_time:
        place = read_time_cursor(after)
        found = newest(query, viewer, kind=kind, limit=ANSWERS_PER_PAGE + 1, before=place)
        runs = [[hit] for hit in found.hits]
    else:
        found = find(query, viewer, kind=kind, correcting=correcting)
        runs = _beyond(by_thread(found.hits), after)
    page, rest = runs[:ANSWERS_PER_PAGE], runs[ANSWERS_PER_PAGE:]
    onward = ""
    if rest:
        last = page[-1][0]
        onward = time_cursor(last.created_at, last.pk) if by_time else f"{last.score!r}~{last.pk}"
    is_first = not after
    if kind != Kind.POST:
        named = _named([run[0] for run in page], viewer, found)
        return Results(
            query=found.query,
            corrected=found.corrected,
            groups=[one for one in named if isinstance(one.thing, Group)],
            members=[one for one in named if isinstance(one.thing, Member)],
            after=onward,
        )
    beside = by_name(found.query, viewer) if is_first and _names_somebody(found.query) else []
    strip = _named(beside, viewer, found) if beside else []
    return Results(
        query=found.query,
        corrected=found.corrected,
        answers=_answers(page, viewer, found),
        groups=[one for one in strip if isinstance(one.thing, Group)],
        members=[one for one in strip if isinstance(one.thing, Member)],
        after=onward,
    )


def by_thread(hits: Iterable[Hit]) -> list[list[Hit]]:
    """Gather hits of one thread behind its best; hits of no thread stand alone."""
    runs: dict[tuple[str, int], list[Hit]] = {}
    for hit in hits:
        key = ("thread", hit.thread_id) if hit.thread_id else (hit.kind, hit.object_id)
        runs.setdefault(key, []).append(hit)
    return list(runs.values())


def _beyond(runs: list[list[Hit]], after: str | None) -> list[list[Hit]]:
    match = _CURSOR.match(after or "")
    if match is None:
        return runs
    score, pk = float(match[1]), int(match[2])
    return [run for run in runs if (-run[0].score, -run[0].pk) > (-score, -pk)]


# -- loading -------------------------------------------------------------------------------------


def _columns(model: type[Model], names: str) -> tuple[str, ...]:
    """Put column names into the order `from_db` takes their values in."""
    wanted = set(names.split())
    return tuple(one.attname for one in model._meta.concrete_fields if one.attname in wanted)


# Of a thread and its group: all that a result draws.
_THREAD = _columns(Thread, "id title is_listed reply_count locked_at answer_id group_id")
_GROUP = _columns(Group, "id name slug glyph tint")
_POST = ("pk", "number", "author__name", "created_at")


def _posts(viewer: Viewer, ids: int) -> QuerySet[Post, Any]:
    columns = [*_POST, *(f"thread__{name}" for name in _THREAD)]
    columns += [f"thread__group__{name}" for name in _GROUP]
    among = RawSQL('"community_post"."id" = ANY(%s)', (ids,), BooleanField())
    found = Post.objects.visible_to(viewer).filter(among, hidden_at__isnull=True)
    return found.order_by().values_list(*columns)


_GUESTS: Final = Written(lambda ids: _posts(AnonymousUser(), ids))
_MEMBERS: Final = Written(lambda ids, pk: _posts(Member(pk=pk), ids))


def _answers(runs: Sequence[Sequence[Hit]], viewer: Viewer, found: Found) -> list[Answer]:
    if not runs:
        return []
    shown = [hit for run in runs for hit in run[:POSTS_AN_ANSWER]]
    # Values, not rows: thirty posts with authors, threads and groups are a hundred objects.
    ids = [hit.object_id for hit in shown]
    rows = _MEMBERS.tuples(ids, viewer.pk) if isinstance(viewer, Member) else _GUESTS.tuples(ids)
    posts = {values[0]: values for values in rows}
    excerpts = _excerpts([hit.pk for hit in shown if hit.object_id in posts], found)
    threads: dict[int, Thread] = {}
    for values in posts.values():
        of_thread = values[len(_POST) : len(_POST) + len(_THREAD)]
        if of_thread[0] not in threads:
            thread = Thread.from_db("default", _THREAD, of_thread)
            thread.group = Group.from_db("default", _GROUP, values[len(_POST) + len(_THREAD) :])
            threads[thread.pk] = thread
    titles = _titles(threads.values(), found)
    before, after = reverse("post", args=[0]).split("0")
    answers = []
    for run in runs:
        readable = [posts[hit.object_id] for hit in run[:POSTS_AN_ANSWER] if hit.object_id in posts]
        if not readable:
            continue
        thread = threads[readable[0][len(_POST)]]
        answers.append(
            Answer(
                thread=thread,
                title=titles[thread.pk],
                posts=[
                    ShownPost(
                        f"{before}{pk}{after}", number, author, created_at, excerpts.get(pk, _EMPTY)
                    )
                    for pk, number, author, created_at, *_rest in readable
                ],
                more=len(run) - len(readable),
            )
        )
    return answers


def _excerpts(documents: Collection[int], by: Found) -> dict[int, SafeString]:
    """Cut and mark the texts of documents; keyed by the thing a document tells of."""
    if not documents:
        return {}
    with prepared_cursor() as cursor:
        cursor.execute(_TEXTS, [list(documents)])
        rows = cursor.fetchall()
    spans = spans_of([(text, language) for _, text, language in rows], by.marked, by.faint)
    return {
        pk: as_html(excerpt(text, found)) for (pk, text, _), found in zip(rows, spans, strict=True)
    }


_TEXTS: Final = "SELECT object_id, text, language FROM community_searchdocument WHERE id = ANY(%s)"


def _titles(threads: Iterable[Thread], by: Found) -> dict[int, SafeString]:
    headings = {thread.pk: thread.heading for thread in threads}
    spans = spans_of([(text, _site_language()) for text in headings.values()], by.marked)
    return {
        pk: as_html(pieces_of(text, found))
        for (pk, text), found in zip(headings.items(), spans, strict=True)
    }


def _named(hits: Sequence[Hit], viewer: Viewer, found: Found) -> list[Named]:
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for hit in hits:
        ids[hit.kind].append(hit.object_id)
    things: dict[tuple[str, int], Group | Member] = {}
    if ids[Kind.GROUP]:
        groups = Group.objects.visible_to(viewer).filter(pk__in=ids[Kind.GROUP])
        for group in groups.only("name", "slug", "glyph", "tint", "member_count"):
            things[Kind.GROUP, group.pk] = group
    if ids[Kind.MEMBER]:
        members = Member.objects.filter(pk__in=ids[Kind.MEMBER], is_active=True, is_listed=True)
        for member in members.only("name", "handle", "avatar"):
            things[Kind.MEMBER, member.pk] = member
    excerpts = {
        kind: _excerpts([hit.pk for hit in hits if hit.kind == kind], found) for kind in ids
    }
    return [
        Named(thing, excerpts[hit.kind].get(hit.object_id, _EMPTY))
        for hit in hits
        if (thing := things.get((hit.kind, hit.object_id)))
    ]


def _site_language() -> str:
    language: str = settings.SEARCH_LANGUAGES[0]
    return language


# -- names, while typing -------------------------------------------------------------------------


def by_name(
    query: Query,
    viewer: Viewer,
    most: dict[Kind, int] = _BESIDE,
) -> list[Hit]:
    """Find things whose names have words that begin as the query's do. One query."""
    beginnings = " & ".join(
        f"{quoted(term.word)}:*" for word in query.words for term in terms(word)
    )
    if not beginnings:
        return []
    if most is _BESIDE:
        member = (viewer.pk,) if isinstance(viewer, Member) else ()
        rows = (_NAMED_TO_MEMBER if member else _NAMED_TO_GUEST).tuples(beginnings, *member)
    else:
        rows = list(_by_name(viewer, beginnings, most))
    return [
        Hit(pk, kind, object_id, thread_id, is_opening, created_at, score=0.0)
        for pk, kind, object_id, thread_id, is_opening, created_at in rows
    ]


def _by_name(
    viewer: Viewer, beginnings: str, most: dict[Kind, int]
) -> QuerySet[SearchDocument, Any]:
    matches = Func(
        F("names"),
        Value(beginnings),
        template="(%(expressions)s::tsquery)",
        arg_joiner=" @@ ",
        output_field=BooleanField(),
    )
    rows = SearchDocument.objects.visible_to(viewer).not_blocked_by(viewer)
    parts = [
        rows.filter(matches, names__isnull=False, kind=kind)
        .order_by("-created_at", "-pk")
        .values_list("pk", "kind", "object_id", "thread_id", "is_opening", "created_at")[:count]
        for kind, count in most.items()
    ]
    return parts[0].union(*parts[1:], all=True)


# Planned each time: a name's beginning may be anybody's.
_NAMED_TO_GUEST: Final = Written(
    lambda beginnings: _by_name(AnonymousUser(), beginnings, _BESIDE), prepared=False
)
_NAMED_TO_MEMBER: Final = Written(
    lambda beginnings, pk: _by_name(Member(pk=pk), beginnings, _BESIDE), prepared=False
)


def _names_somebody(query: Query) -> bool:
    if query.filters or query.phrases or query.without:
        return False
    return 0 < len(query.words) <= NAME_MAX_WORDS


@dataclass(frozen=True, slots=True)
class Suggestions:
    threads: list[Thread]
    groups: list[Group]
    members: list[Member]

    @property
    def is_empty(self) -> bool:
        return not (self.threads or self.groups or self.members)


def suggestions(query: Query, viewer: Viewer) -> Suggestions:
    """Suggest threads, groups and members by how their names begin. Five queries at most."""
    text = query.text
    if query.filters or len(text) < (SUGGEST_MIN_CHARS if text.isascii() else 1):
        return Suggestions([], [], [])
    hits = by_name(query, viewer, SUGGESTED)
    threads = [hit.thread_id for hit in hits if hit.thread_id is not None]
    found = Found(query=query, hits=hits)
    named = [one.thing for one in _things(hits, viewer, found)]
    return Suggestions(
        threads=list(
            Thread.objects.visible_to(viewer)
            .filter(pk__in=threads, is_listed=True)
            .select_related("group")
            .only("title", "is_listed", "group__name")
            .order_by("-last_post_at", "-pk")
        )
        if threads
        else [],
        groups=[one for one in named if isinstance(one, Group)],
        members=[one for one in named if isinstance(one, Member)],
    )


def _things(hits: Sequence[Hit], viewer: Viewer, found: Found) -> list[Named]:
    named = [hit for hit in hits if hit.kind != Kind.POST]
    return _named(named, viewer, found) if named else []
