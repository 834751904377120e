"""Finding: from a query to the documents that answer it best, for one viewer.

One road for everybody: the page, saved searches and `manage.py evaluate_search` go it. What the
viewer may not read is left out in the statement that picks the best, never afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import BooleanField, F, Field, FloatField, Func, Q, QuerySet, Value
from django.db.models.functions import Cast
from pgvector.django import HalfVectorField

from community.groups.models import Group
from community.members.models import Member, Viewer
from community.search.documents import Kind, quoted
from community.search.embedders import embedder
from community.search.models import SearchDocument, SearchDocumentQuerySet, Word
from community.search.queries import Filter, Query, moment
from community.search.services import lexeme_counts
from community.search.spelling import keys, nearest, slips
from community.search.stems import stems
from community.search.weights import fused, most_candidates, rarest_within, rarity, sparse
from community.search.words import terms, words
from community.threads.models import Thread, ThreadKind, ThreadTag
from config.written import Written

HITS_MAX: Final = 100
PREFIX_WORDS_MAX: Final = 20  # that a word with a star stands for
PREFIX_MIN_CHARS: Final = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """A document found. The higher the score the better; scores of two queries say nothing."""

    pk: int
    kind: str
    object_id: int
    thread_id: int | None
    is_opening: bool
    created_at: datetime
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first."""

    query: Query  # as it was run
    hits: list[Hit]
    marked: frozenset[str] = frozenset()  # lexemes to mark in excerpts
    faint: frozenset[str] = frozenset()  # to mark in a text without any of those
    corrected: bool = False  # `query` is not what was written


@dataclass(frozen=True, slots=True)
class Read:
    """A query's words as documents hold them."""

    words: list[list[list[str]]]  # of each word, its parts, each in every language of the site
    frequencies: Counter[str]
    phrases: list[str]  # as tsquery
    without: list[str]
    marked: frozenset[str]
    faint: frozenset[str]

    @property
    def lexemes(self) -> list[str]:
        return list(self.frequencies)


def find(
    query: Query,
    viewer: Viewer,
    *,
    kind: str = Kind.POST,
    limit: int = HITS_MAX,
    correcting: bool = True,
) -> Found:
    """Find what answers `query` best, at most `limit` documents of a kind.

    Words rank and need not all be there; phrases and filters must hold. Without words the newest
    come first. Misspelt words are mended when `correcting`. Four queries at most, two more when
    something is mended, and one for each language with words this process has not met.
    """
    if not query.has_words:
        return newest(query, viewer, kind=kind, limit=limit)
    query, corrected, read, counts, among = _understand(query, viewer, correcting)

    def allowed() -> SearchDocumentQuerySet:
        return scope(query, viewer, kind, read)

    is_plain = kind == Kind.POST and not (query.filters or read.phrases or read.without)
    lexical = _by_words(allowed, read, counts, among, limit, viewer if is_plain else None)
    dense = _by_meaning(allowed, query, limit)
    scores = fused(
        {hit.pk: hit.score for hit in lexical},
        {hit.pk: hit.score for hit in dense},
        dense_weight=settings.SEARCH_DENSE_WEIGHT,
    )
    hits = {hit.pk: hit for hit in (*dense, *lexical)}
    ranked = sorted(scores, key=lambda pk: (-scores[pk], -pk))[:limit]
    return Found(
        query=query,
        hits=[_scored(hits[pk], scores[pk]) for pk in ranked],
        marked=read.marked,
        faint=read.faint,
        corrected=corrected,
    )


def newest(
    query: Query,
    viewer: Viewer,
    *,
    kind: str = Kind.POST,
    limit: int = HITS_MAX,
    before: tuple[datetime, int] | None = None,
    after_id: int = 0,
) -> Found:
    """Find all that holds every word of `query`, newest first.

    `before` is the place of the last one seen; `after_id` leaves out documents up to it.
    """
    read = read_words(query)
    rows = scope(query, viewer, kind, read)
    for parts in read.words:
        if all_of := " & ".join(_any_of(part) for part in parts if part):
            rows = rows.filter(_matches(all_of))
    if before is not None:
        at, pk = before
        rows = rows.filter(Q(created_at__lt=at) | Q(pk__lt=pk), created_at__lte=at)
    if after_id:
        rows = rows.filter(pk__gt=after_id)
    rows = rows.order_by("-created_at", "-pk").annotate(score=Value(0.0))
    hits = [] if query.is_empty or _says_nothing(query, read) else _hits(rows, limit)
    return Found(query=query, hits=hits, marked=read.marked, faint=read.faint)


def scope(
    query: Query, viewer: Viewer, kind: str, read: Read | None = None
) -> SearchDocumentQuerySet:
    """Return the documents that `query` allows and `viewer` may read, whatever their words."""
    rows = SearchDocument.objects.visible_to(viewer).filter(kind=kind)
    if not any(one.name == "by" and not one.negated for one in query.filters):
        rows = rows.not_blocked_by(viewer)
    for one in query.filters:
        condition = _condition(one, viewer)
        rows = rows.exclude(condition) if one.negated else rows.filter(condition)
    for phrase in read.phrases if read else ():
        rows = rows.filter(_matches(phrase))
    for gone in read.without if read else ():
        rows = rows.exclude(_matches(gone))
    return rows


# -- reading the query ---------------------------------------------------------------------------


def read_words(query: Query) -> Read:
    """Turn the words of a query into lexemes, in every language of the site."""
    languages = settings.SEARCH_LANGUAGES
    said = [word for part in (query.words, query.phrases, query.without) for word in part]
    whole = {term.word for text in said for term in terms(text) if term.whole}
    known = [stems(language, whole) for language in languages]

    def lexemes(word: str, is_whole: bool) -> list[str]:
        if not is_whole:
            return [word]
        return list(dict.fromkeys(stem for each in known if (stem := each[word])))

    frequencies: Counter[str] = Counter()
    marked: set[str] = set()
    faint: set[str] = set()
    split: list[list[list[str]]] = []
    for word in query.words:
        found = list(terms(word))
        parts = [lexemes(term.word, term.whole) for term in found]
        frequencies.update(lexeme for part in parts for lexeme in part)
        long_runs = any(not term.whole and len(term.word) > 1 for term in found)
        for term, part in zip(found, parts, strict=True):
            # A single character of a longer word says little by itself.
            is_faint = long_runs and not term.whole and len(term.word) == 1
            (faint if is_faint else marked).update(part)
        if any(parts):
            split.append(parts)
    phrases = []
    for phrase in query.phrases:
        if written := _phrase(phrase, lexemes):
            phrases.append(written)
        for term in terms(phrase):
            part = lexemes(term.word, term.whole)
            frequencies.update(part)
            marked.update(part)
    without = [written for gone in query.without if (written := _phrase(gone, lexemes))]
    return Read(split, frequencies, phrases, without, frozenset(marked), frozenset(faint - marked))


def _phrase(text: str, lexemes: object) -> str:
    """Write words that stand one after the other as a tsquery; common ones only leave a gap."""
    found = list(terms(text))
    written, last = "", 0
    for at, term in enumerate(found):
        following = found[at + 1] if at + 1 < len(found) else None
        if (
            not term.whole
            and len(term.word) == 1
            and (
                (following and not following.whole and following.place == term.place)
                or (at and not found[at - 1].whole and found[at - 1].end == term.end)
            )
        ):
            continue  # the pair says it
        if term.whole and at and term.place < found[at - 1].place:
            continue  # the joined form of words that are here already
        part = lexemes(term.word, term.whole)  # type: ignore[operator]
        if not part:
            continue
        link = f" <{term.place - last}> " if written else ""
        written += link + _any_of(part)
        last = term.place
    return written


def _any_of(lexemes: Sequence[str]) -> str:
    if len(lexemes) == 1:
        return quoted(lexemes[0])
    return "(" + " | ".join(map(quoted, lexemes)) + ")"


def _matches(tsquery: str) -> Func:
    return _operator("tsv", tsquery, "@@", "tsquery", BooleanField())


def _operator(
    column: str | Cast, value: str, sign: str, cast: str, output: Field[Any, Any]
) -> Func:
    return Func(
        F(column) if isinstance(column, str) else column,
        Value(value),
        template=f"(%(expressions)s::{cast})",
        arg_joiner=f" {sign} ",
        output_field=output,
    )


def _says_nothing(query: Query, read: Read) -> bool:
    """Whether all there was are words too common to mean anything."""
    return query.has_words and not (read.words or read.phrases or query.filters)


# -- mending -------------------------------------------------------------------------------------


def _understand(
    query: Query, viewer: Viewer, correcting: bool
) -> tuple[Query, bool, Read, dict[str, int], int]:
    query = _spelt_out(query)
    read = read_words(query)
    counts, among = lexeme_counts(read.lexemes)
    if correcting and (meant := mended(query, read, counts, viewer)) is not None:
        read = read_words(meant)
        counts, among = lexeme_counts(read.lexemes)
        return meant, True, read, counts, among
    return query, False, read, counts, among


def mended(query: Query, read: Read, counts: dict[str, int], viewer: Viewer) -> Query | None:
    """Return the query with words nobody wrote replaced by near ones somebody did, else None.

    Only words of public documents are offered. A word of a hidden group is right for its members.
    """
    unknown: dict[str, str] = {}
    for word in query.words:
        found = list(terms(word))
        if len(found) == 1 and slips(found[0].word) and not word.endswith("*"):
            folded = found[0].word
            parts = next((p for p in _parts_of(word)), [])
            if parts and not any(counts.get(lexeme, 0) for lexeme in parts):
                unknown[word] = folded
    if not unknown:
        return None
    unknown = _unknown_to(viewer, unknown)
    wanted = {key for folded in unknown.values() for key in keys(folded)}
    if not wanted:
        return None
    known = list(
        Word.objects.filter(leavings__overlap=sorted(wanted)).values_list("word", "documents")
    )
    instead = {word: meant for word, folded in unknown.items() if (meant := nearest(folded, known))}
    if not instead:
        return None
    return query.with_words(instead.get(word, word) for word in query.words)


def _parts_of(word: str) -> Iterable[list[str]]:
    for term in terms(word):
        yield list(
            dict.fromkeys(
                stem
                for language in settings.SEARCH_LANGUAGES
                if (stem := stems(language, [term.word])[term.word])
            )
        )


def _unknown_to(viewer: Viewer, unknown: dict[str, str]) -> dict[str, str]:
    """Leave out the words that stand in hidden groups the viewer is in. Two queries at most."""
    if not viewer.is_authenticated:
        return unknown
    own = list(
        Group.objects.filter(memberships__member_id=viewer.pk, join_mode="hidden").values_list(
            "pk", flat=True
        )
    )
    if not own:
        return unknown
    lexemes = {lexeme: word for word in unknown for part in _parts_of(word) for lexeme in part}
    rows = SearchDocument.objects.filter(group_id__in=own)
    there = {lexeme for lexeme in lexemes if rows.filter(_matches(quoted(lexeme))).exists()}
    right = {lexemes[lexeme] for lexeme in there}
    return {word: folded for word, folded in unknown.items() if word not in right}


def _spelt_out(query: Query) -> Query:
    """Replace words with a star by the commonest words they begin. One query if there are any."""
    beginnings = {}
    for word in query.words:
        bare = words(word.rstrip("*")) if word.endswith("*") else []
        if len(bare) == 1 and len(bare[0]) >= PREFIX_MIN_CHARS:
            beginnings[word] = bare[0]
    if not beginnings:
        return query
    condition = Q()
    for beginning in beginnings.values():
        condition |= Q(word__startswith=beginning)
    known = list(
        Word.objects.filter(condition, documents__gt=0, leavings__isnull=False)
        .order_by("-documents", "word")
        .values_list("word", flat=True)[: PREFIX_WORDS_MAX * len(beginnings)]
    )
    spelt: list[str] = []
    for word in query.words:
        if word in beginnings:
            begun = [one for one in known if one.startswith(beginnings[word])]
            spelt += [word.rstrip("*"), *begun[:PREFIX_WORDS_MAX]]
        else:
            spelt.append(word)
    return query.with_words(dict.fromkeys(spelt))


# -- asking --------------------------------------------------------------------------------------


def _by_words(
    allowed: Callable[[], SearchDocumentQuerySet],
    read: Read,
    counts: dict[str, int],
    among: int,
    limit: int,
    plain: Viewer | None = None,
) -> list[Hit]:
    """`plain` is the viewer when all posts they may read are `allowed`."""
    if not read.frequencies:
        return []
    vector = {
        lexeme: times * rarity(counts.get(lexeme, 0), among)
        for lexeme, times in read.frequencies.items()
    }
    if not read.phrases:
        looked_up = rarest_within(
            {lexeme: counts.get(lexeme, 0) for lexeme in vector}, most_candidates(among)
        )
        tsquery = " | ".join(map(quoted, looked_up))
        if plain is not None and limit == HITS_MAX:
            # Nothing but words: the same statement each time, only what it asks for differs.
            values = (tsquery, sparse(vector))
            member = (plain.pk,) if isinstance(plain, Member) else ()
            return _hits_of((_OF_MEMBER if member else _OF_GUEST).tuples(*values, *member), -1)
        rows = allowed().filter(_matches(tsquery))
    else:
        rows = allowed()
    product = _operator("sv", sparse(vector), "<#>", "sparsevec", FloatField())
    return _hits(rows.annotate(score=product).order_by("score"), limit, sign=-1)


def _best(viewer: Viewer, looked_up: str, vector: str) -> QuerySet[SearchDocument, Any]:
    rows = scope(Query(), viewer, Kind.POST).filter(_matches(looked_up))
    product = _operator("sv", vector, "<#>", "sparsevec", FloatField())
    return rows.annotate(score=product).order_by("score").values_list(*_HIT)[:HITS_MAX]


# Planned each time: whether a word is in three documents or in half of them decides the plan.
_OF_GUEST: Final = Written(
    lambda looked_up, vector: _best(AnonymousUser(), looked_up, vector), prepared=False
)
_OF_MEMBER: Final = Written(
    lambda looked_up, vector, pk: _best(Member(pk=pk), looked_up, vector), prepared=False
)


def _by_meaning(
    allowed: Callable[[], SearchDocumentQuerySet], query: Query, limit: int
) -> list[Hit]:
    """Find what is like the query in meaning; nothing without an embedder, or one too slow."""
    vector = embedder().of_query(query.text)
    if vector is None:
        return []
    written = "[" + ",".join(f"{number:.5g}" for number in vector) + "]"
    # The index of services.index_embeddings is on this very expression.
    column = Cast("embedding", HalfVectorField(dimensions=len(vector)))
    far = _operator(column, written, "<=>", "halfvec", FloatField())
    near = allowed().filter(embedding__isnull=False).annotate(score=far).order_by("score")
    with transaction.atomic(), connection.cursor() as cursor:
        # The index goes on until enough documents pass the filters, instead of ending early.
        cursor.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        return _hits(near, limit, sign=-1)


_HIT: Final = ("pk", "kind", "object_id", "thread_id", "is_opening", "created_at", "score")


def _hits(rows: SearchDocumentQuerySet, limit: int, sign: int = 1) -> list[Hit]:
    return _hits_of(rows.values_list(*_HIT)[:limit], sign)


def _hits_of(rows: Iterable[tuple[Any, ...]], sign: int = 1) -> list[Hit]:
    return [
        Hit(pk, kind, object_id, thread_id, is_opening, created_at, sign * float(score))
        for pk, kind, object_id, thread_id, is_opening, created_at, score in rows
    ]


def _scored(hit: Hit, score: float) -> Hit:
    return Hit(
        hit.pk, hit.kind, hit.object_id, hit.thread_id, hit.is_opening, hit.created_at, score
    )


# -- filters -------------------------------------------------------------------------------------


def _condition(one: Filter, viewer: Viewer) -> Q:
    match one.name:
        case "in":
            named = Group.objects.filter(Q(slug=one.value) | Q(name__iexact=one.value))
            return Q(group_id__in=named.values("pk"))
        case "tag":
            tagged = ThreadTag.objects.filter(
                Q(tag__slug=one.value)
                | Q(tag__name__iexact=one.value)
                | Q(tag__synonyms__slug=one.value)
            )
            return Q(thread_id__in=tagged.values("thread_id"))
        case "by":
            if one.value == "me":
                return Q(author_id=viewer.pk or 0)
            return Q(author_id__in=Member.objects.filter(handle=one.value).values("pk"))
        case "before":
            return Q(created_at__lt=moment(one.value))
        case "after":
            return Q(created_at__gte=moment(one.value))
    return _state(one.value, viewer)


def _state(state: str, viewer: Viewer) -> Q:
    if state == "thread":
        return Q(is_opening=True)
    if state == "reply":
        return Q(is_opening=False)
    if state == "mine":
        return Q(author_id=viewer.pk or 0)
    threads = {
        "answered": Q(answer__isnull=False),
        "unanswered": Q(reply_count=0),
        "question": Q(kind=ThreadKind.QUESTION),
        "open": Q(locked_at__isnull=True),
        "locked": Q(locked_at__isnull=False),
    }
    return Q(thread_id__in=Thread.objects.filter(threads[state]).values("pk"))
