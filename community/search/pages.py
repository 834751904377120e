"""What the search page shows: hits with their threads and excerpts, in a fixed number of queries.

What was found is loaded through `visible_to` once more: a document may be a second behind the
post it tells of, a page may not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db.models import F, Func, Value
from django.db.models.fields import BooleanField
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

ANSWERS_PER_PAGE: Final = 10
POSTS_AN_ANSWER: Final = 3
NAMED_MAX: Final = 3
SUGGESTED: Final = {Kind.POST: 5, Kind.GROUP: 3, Kind.MEMBER: 3}
SUGGEST_MIN_CHARS: Final = 2

_CURSOR = re.compile(r"(-?\d{1,12}(?:\.\d{1,20})?(?:e-?\d{1,3})?)~(\d{1,18})\Z")


@dataclass(frozen=True, slots=True)
class ShownPost:
    """A post that answers, with what of it does."""

    post: Post
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


def _answers(runs: Sequence[Sequence[Hit]], viewer: Viewer, found: Found) -> list[Answer]:
    if not runs:
        return []
    shown = [hit for run in runs for hit in run[:POSTS_AN_ANSWER]]
    posts = {
        post.pk: post
        for post in Post.objects.visible_to(viewer)
        .filter(pk__in=[hit.object_id for hit in shown], hidden_at__isnull=True)
        .select_related("thread__group", "author")
        .only(
            *("number", "created_at", "author__name", "author__handle", "author__avatar"),
            *("thread__title", "thread__is_listed", "thread__reply_count", "thread__locked_at"),
            *("thread__answer", "thread__last_post_at", "thread__kind"),
            *("thread__group__name", "thread__group__glyph", "thread__group__tint"),
            "thread__group__slug",
        )
    }
    excerpts = _excerpts([hit.pk for hit in shown], found.marked)
    threads = [posts[hit.object_id].thread for hit in shown if hit.object_id in posts]
    titles = _titles(threads, found.marked)
    answers = []
    for run in runs:
        readable = [hit for hit in run[:POSTS_AN_ANSWER] if hit.object_id in posts]
        if not readable:
            continue
        thread = posts[readable[0].object_id].thread
        answers.append(
            Answer(
                thread=thread,
                title=titles[thread.pk],
                posts=[
                    ShownPost(posts[hit.object_id], excerpts.get(hit.pk, SafeString("")))
                    for hit in readable
                ],
                more=len(run) - len(readable),
            )
        )
    return answers


def _excerpts(documents: Collection[int], marked: Collection[str]) -> dict[int, SafeString]:
    rows = list(
        SearchDocument.objects.filter(pk__in=documents).values_list("pk", "text", "language")
    )
    spans = spans_of([(text, language) for _, text, language in rows], marked)
    return {
        pk: as_html(excerpt(text, found)) for (pk, text, _), found in zip(rows, spans, strict=True)
    }


def _titles(threads: Iterable[Thread], marked: Collection[str]) -> dict[int, SafeString]:
    headings = {thread.pk: thread.heading for thread in threads}
    spans = spans_of([(text, _site_language()) for text in headings.values()], marked)
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
        for group in Group.objects.visible_to(viewer).filter(pk__in=ids[Kind.GROUP]):
            things[Kind.GROUP, group.pk] = group
    if ids[Kind.MEMBER]:
        for member in Member.objects.filter(
            pk__in=ids[Kind.MEMBER], is_active=True, is_listed=True
        ):
            things[Kind.MEMBER, member.pk] = member
    excerpts = _excerpts([hit.pk for hit in hits], found.marked)
    return [
        Named(thing, excerpts.get(hit.pk, SafeString("")))
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
    most: dict[Kind, int] = {Kind.GROUP: NAMED_MAX, Kind.MEMBER: NAMED_MAX},  # noqa: B006
) -> list[Hit]:
    """Find things whose names have words that begin as the query's do. One query."""
    beginnings = " & ".join(
        f"{quoted(term.word)}:*" for word in query.words for term in terms(word)
    )
    if not beginnings:
        return []
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
    return [Hit(*row, score=0.0) for row in parts[0].union(*parts[1:], all=True)]


def _names_somebody(query: Query) -> bool:
    return bool(query.words) and not (query.filters or query.phrases or query.without)


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
