"""Finding chat messages: newest first, or the best of the newest.

A room of a million messages says "camera" in half of them, and one index has to answer for that
and for a word said once. So a search asks for words and for marks of rooms, senders and days
together, and goes back in time by STEPS until there is enough for a page: what it reads follows
from what it shows, not from how much was ever said. What the viewer may not read is left out in
the statement that finds, by what holds now; the marks only make it quick.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, Value
from django.utils import timezone

from community.chat.models import Room
from community.members.models import Member
from community.search.documents import quoted
from community.search.finding import Read, read_words
from community.search.messages import day_mark, month_mark, room_mark, sender_mark
from community.search.models import MessageDocument, MessageDocumentQuerySet
from community.search.queries import Filter, Query, moment
from community.search.words import words

STEPS: Final = (("day", 2), ("day", 14), ("month", 3), ("month", 14))  # then all that is left
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)  # nobody chatted before
WEIGHED_MAX: Final = 500  # messages that are put in order by how well they answer
ROOMS_MARKED_MAX: Final = 200  # of more rooms the marks cost more than they save
FILTERS: Final = ("by", "in", "before", "after")

# (when it was sent, number), (score, number): the place of the last one seen.
TimePlace = tuple[datetime, int]
BestPlace = tuple[float, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: a query, perhaps in one room, sent in [since, until)."""

    query: Query
    room: Room | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is said that could find anything; a room or a day alone is no search."""
        return self.query.is_empty


@dataclass(frozen=True, slots=True)
class MessageHit:
    pk: int
    sent_at: datetime
    language: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """What was found. `is_part`: no message says all the words, these say some of them."""

    hits: list[MessageHit]
    marked: frozenset[str] = frozenset()  # lexemes to mark in excerpts
    faint: frozenset[str] = frozenset()  # to mark in a text without any of those
    beginnings: tuple[str, ...] = ()  # of words to mark
    is_part: bool = False


def messages_only(query: Query) -> Query:
    """Leave out the filters that say nothing of messages."""
    return replace(query, filters=tuple(one for one in query.filters if one.name in FILTERS))


def find_messages(
    wanted: Wanted,
    viewer: Member,
    *,
    limit: int,
    best: bool = False,
    before: TimePlace | None = None,
    behind: BestPlace | None = None,
) -> FoundMessages:
    """Find messages that say every word, newest first; where none does, the newest that say some.

    With `best` the newest WEIGHED_MAX of them are put in order by how many of the words they say
    and how near to each other. `before` (of the newest) and `behind` (of the best) are the place
    of the last one seen. Eight queries at most, twice that where no message says all.
    """
    beginnings = {word: words(word) for word in wanted.query.words if word.endswith("*")}
    begun = tuple(found[0] for found in beginnings.values() if len(found) == 1 and found[0][1:])
    whole = wanted.query.with_words(
        word for word in wanted.query.words if len(beginnings.get(word, [])) != 1
    )
    read = read_words(whole)
    said = [*map(_word, filter(any, read.words)), *(f"{quoted(word)}:*" for word in begun)]
    if not (said or read.phrases or wanted.query.filters) or wanted.is_empty:
        return FoundMessages([])
    for is_part in (False, True):
        if is_part and (len(said) < 2 or read.phrases):
            break
        asked = " | ".join(said) if is_part else " & ".join([*said, *map(_held, read.phrases)])
        look = _Look(replace(wanted, query=whole), viewer, read, asked)
        if best and (said or read.phrases):
            hits = _weighed(look.newest(WEIGHED_MAX), [*said, *map(_held, read.phrases)])
            if behind is not None:
                hits = [hit for hit in hits if (hit.score, hit.pk) < behind]
        else:
            hits = look.newest(limit, before)
        if hits:
            return FoundMessages(hits[:limit], read.marked, read.faint, begun, is_part)
    return FoundMessages([])


@dataclass(frozen=True, slots=True)
class _Look:
    """One question to the index; `asked` is a tsquery of words, perhaps empty."""

    wanted: Wanted
    viewer: Member
    read: Read
    asked: str

    def newest(self, limit: int, before: TimePlace | None = None) -> list[MessageHit]:
        """Go back in time until there are `limit`."""
        marks = self._marks()
        if marks is None:
            return []
        rows = self._allowed()
        since, until = self._span()
        if before is not None:
            at, pk = before
            rows = rows.filter(Q(sent_at__lt=at) | Q(sent_at=at, pk__lt=pk))
            until = min(until, at + timedelta(microseconds=1))
        hits: list[MessageHit] = []
        for first, last, days in steps_back(until, since):
            step = rows.filter(sent_at__lt=last)
            if first is not None:
                step = step.filter(sent_at__gte=first)
            asked = " & ".join(map(_held, filter(None, [self.asked, *marks, days])))
            if asked:
                step = step.filter(matches(asked))
            page = step.order_by("-sent_at", "-pk").values_list("pk", "sent_at", "language")
            hits += [MessageHit(*row) for row in page[: limit - len(hits)]]
            if len(hits) == limit:
                break
        return hits

    def _allowed(self) -> MessageDocumentQuerySet:
        """All documents but for their words."""
        rows = MessageDocument.objects.visible_to(self.viewer)
        filters = self.wanted.query.filters
        if not any(one.name == "by" and not one.negated for one in filters):
            rows = rows.not_blocked_by(self.viewer)
        if self.wanted.room is not None:
            rows = rows.filter(room=self.wanted.room)
        for gone in self.read.without:
            rows = rows.exclude(matches(gone))
        for one in filters:
            if one.name in ("by", "in"):
                condition = self._condition(one)
                rows = rows.exclude(condition) if one.negated else rows.filter(condition)
        return rows

    def _marks(self) -> list[str] | None:
        """Where to look, as tsqueries; None when there is nowhere to look."""
        marks = []
        if self.wanted.room is not None:
            marks.append(quoted(room_mark(self.wanted.room.pk)))
        else:
            spoken_in = Room.objects.visible_to(self.viewer).filter(last_seq__gt=0)
            rooms = list(spoken_in.values_list("pk", flat=True)[: ROOMS_MARKED_MAX + 1])
            if not rooms:
                return None
            if len(rooms) <= ROOMS_MARKED_MAX:
                marks.append(" | ".join(quoted(room_mark(pk)) for pk in rooms))
        senders = [one for one in self.wanted.query.filters if one.name == "by" and not one.negated]
        return marks + [quoted(sender_mark(self._sender(one))) for one in senders]

    def _condition(self, one: Filter) -> Q:
        if one.name == "by":
            return Q(sender_id=self._sender(one))
        named = Q(name__iexact=one.value) | Q(slug=one.value, kind="group")
        of_group = Q(group__slug=one.value) | Q(group__name__iexact=one.value)
        return Q(room_id__in=Room.objects.filter(named | of_group).values("pk"))

    def _sender(self, one: Filter) -> int:
        if one.value == "me":
            return self.viewer.pk
        return Member.objects.filter(handle=one.value).values_list("pk", flat=True).first() or 0

    def _span(self) -> tuple[datetime | None, datetime]:
        """Since when and until when, by the form and the query; until tomorrow at the latest."""
        since = [self.wanted.since] if self.wanted.since else []
        until = [timezone.now() + timedelta(days=1)]
        until += [self.wanted.until] if self.wanted.until else []
        for one in self.wanted.query.filters:
            if one.name in ("after", "before") and (at := moment(one.value)) is not None:
                (since if one.name == "after" else until).append(at)
        return max(since, default=None), min(until)


def steps_back(
    until: datetime, since: datetime | None
) -> Iterator[tuple[datetime | None, datetime, str]]:
    """Yield spans [first, last) that follow each other back from `until`, with their marks.

    The first two are of days, the next two of months, in UTC; the last has no marks and no
    beginning. None begins before `since`.
    """
    until = max(until, EARLIEST)
    last = until
    for kind, many in STEPS:
        if since is not None and last <= since:
            return
        newest = (last - timedelta(microseconds=1)).astimezone(UTC).date()
        days = [newest]
        while len(days) < many:
            back = days[-1] if kind == "day" else days[-1].replace(day=1)
            days.append(back - timedelta(days=1))
        oldest = days[-1] if kind == "day" else days[-1].replace(day=1)
        first = datetime.combine(oldest, time.min, UTC)
        mark = day_mark if kind == "day" else month_mark
        yield (
            first if since is None else max(first, since),
            last,
            " | ".join(quoted(mark(day)) for day in days),
        )
        last = first
    if since is None or since < last:
        yield since, last, ""


def _weighed(hits: Sequence[MessageHit], said: Sequence[str]) -> list[MessageHit]:
    """Put hits in order: how many of `said` (tsqueries) they say, how near, how new. One query."""
    if not hits:
        return []
    sums = " + ".join(["(tsv @@ %s::tsquery)::int"] * len(said))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT message_id, {sums} + ts_rank_cd(tsv, %s::tsquery, 1|32)"  # noqa: S608
            " FROM community_messagedocument WHERE message_id = ANY(%s)",
            [*said, " & ".join(said), [hit.pk for hit in hits]],
        )
        scores = {pk: round(float(score), 6) for pk, score in cursor.fetchall()}
    weighed = [replace(hit, score=scores.get(hit.pk, 0.0)) for hit in hits]
    return sorted(weighed, key=lambda hit: (hit.score, hit.pk), reverse=True)


def _word(parts: Sequence[Sequence[str]]) -> str:
    """Write a word as a tsquery: all its parts, each in any language of the site."""
    return _held(
        " & ".join(_held(" | ".join(map(quoted, part))) for part in parts if part),
    )


def _held(tsquery: str) -> str:
    return f"({tsquery})"


def matches(tsquery: str) -> Func:
    return Func(
        F("tsv"),
        Value(tsquery),
        template="(%(expressions)s::tsquery)",
        arg_joiner=" @@ ",
        output_field=BooleanField(),
    )
