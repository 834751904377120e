"""Verbs that write documents and the counts of words.

Counts are of public documents alone: what stands only in a hidden group adds to none, so neither
a correction nor a rank can tell of it. Locks are taken in one order: documents, lexemes, words
(each by the alphabet), figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from pgvector import HalfVector

from community.groups.models import Group, JoinMode
from community.members.models import Member
from community.search.documents import DRAFTS, VERSION, Draft, Kind, Written, words_of, write_down
from community.search.embedders import embedder
from community.search.models import SearchDocument, SearchFigures
from community.search.spelling import keys
from community.search.weights import USUAL_LENGTH
from community.search.words import terms
from community.threads.models import Post

BATCH: Final = 500
# A group can turn hidden with its documents counted; so many are put right at a time.
RECOUNT_MAX: Final = 5_000

_COMPARED = (
    *("group_id", "thread_id", "author_id", "is_opening", "created_at"),
    *("title", "tags", "text", "language"),
)


def write_documents(kind: str, ids: Collection[int]) -> int:
    """Let the documents of these things say what the things do now; return how many changed."""
    return put_drafts(kind, ids, DRAFTS[kind](ids))


@transaction.atomic
def put_drafts(
    kind: str,
    ids: Collection[int],
    drafts: Iterable[Draft],
    *,
    counting: bool = True,
    afresh: bool = False,
) -> int:
    """Write `drafts`, remove the documents of `ids` without one; return how many changed.

    Safe to run twice. `counting` False leaves Lexeme, Word and SearchFigures to `recount`.
    `afresh` writes what is the same as before too.
    """
    hidden = set(Group.objects.filter(join_mode=JoinMode.HIDDEN).values_list("pk", flat=True))
    stored = {
        document.object_id: document
        for document in SearchDocument.objects.select_for_update()
        .filter(kind=kind, object_id__in=ids)
        .order_by("pk")
        .defer("tsv", "names", "sv", "embedding")
    }
    changed = []
    wanted = set()
    for draft in drafts:
        wanted.add(draft.object_id)
        known = stored.get(draft.object_id)
        if (
            afresh
            or known is None
            or known.version != VERSION
            or known.is_counted != (draft.group_id not in hidden)
            or any(getattr(known, name) != getattr(draft, name) for name in _COMPARED)
        ):
            changed.append(draft)
    gone = [document for object_id, document in stored.items() if object_id not in wanted]
    replaced = [stored[draft.object_id] for draft in changed if draft.object_id in stored]
    if not changed and not gone:
        return 0
    counts = _Counts()
    if counting:
        counts.add_stored([one for one in (*gone, *replaced) if one.is_counted], -1)
    if gone:
        SearchDocument.objects.filter(pk__in=[document.pk for document in gone]).delete()
    written = write_down(changed, average_length=average_length())
    if written:
        _upsert(written, hidden)
    if counting:
        counts.add_written([one for one in written if one.draft.group_id not in hidden])
        counts.store()
    return len(changed) + len(gone)


def average_length() -> float:
    """Return the lexemes of an average public document. One query."""
    figures = SearchFigures.objects.filter(pk=1).first()
    if figures is None or not figures.documents:
        return USUAL_LENGTH
    return figures.lexemes / figures.documents


# -- rebuilding ----------------------------------------------------------------------------------


def things(kind: str) -> Iterator[list[int]]:
    """Yield the ids of all things of a kind, oldest first, in batches."""
    rows = {Kind.POST: Post.objects, Kind.MEMBER: Member.objects, Kind.GROUP: Group.objects}[
        Kind(kind)
    ]
    last = 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


def how_many(kind: str) -> int:
    rows = {Kind.POST: Post.objects, Kind.MEMBER: Member.objects, Kind.GROUP: Group.objects}
    return rows[Kind(kind)].count()


def rebuild(
    *, afresh: bool = False, progress: Callable[[str, int], None] = lambda kind, done: None
) -> int:
    """Write every document anew whose thing says something else; return how many changed.

    Interrupted, it goes on where it was when run again: what is right already is only looked at.
    """
    changed = 0
    for kind in (Kind.GROUP, Kind.MEMBER, Kind.POST):
        for ids in things(kind):
            changed += put_drafts(kind, ids, DRAFTS[kind](ids), counting=False, afresh=afresh)
            progress(kind, len(ids))
        changed += _remove_orphans(kind)
    recount(progress=lambda done: progress("words", done))
    return changed


def _remove_orphans(kind: str) -> int:
    table = {Kind.POST: Post, Kind.MEMBER: Member, Kind.GROUP: Group}[Kind(kind)]
    things_there = table._base_manager.values("pk")
    removed, _ = (
        SearchDocument.objects.filter(kind=kind).exclude(object_id__in=things_there).delete()
    )
    return removed


def recount(*, progress: Callable[[int], None] = lambda done: None) -> None:
    """Count every word anew, in a transaction of its own for each part."""
    follow_groups(most=None)
    refresh_lexemes()
    words: Counter[str] = Counter()
    counted = SearchDocument.objects.filter(is_counted=True).order_by("pk")
    rows = counted.values_list("title", "tags", "text").iterator(chunk_size=2_000)
    while batch := list(islice(rows, 2_000)):
        for fields in batch:
            words.update(words_of([list(terms(field)) for field in fields]))
        progress(len(batch))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("DELETE FROM community_word")
        for batch_of_words in _batches(sorted(words.items()), 5_000):
            cursor.execute(_ADD_WORDS, list(map(list, zip(*batch_of_words, strict=True))))
            _set_leavings([word for word, _ in batch_of_words])


def refresh_lexemes() -> None:
    """Count the lexemes of public documents, and those documents, as they are now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_REFRESH_LEXEMES)
        cursor.execute(_REFRESH_FIGURES)


def follow_groups(most: int | None = RECOUNT_MAX) -> int:
    """Count, or no longer count, the documents of groups that were shown or hidden since.

    Returns how many it put right, at most `most`.
    """
    public = SearchDocument.objects.public()
    done = 0
    for right, rows in (
        (False, SearchDocument.objects.filter(is_counted=True).exclude(pk__in=public.values("pk"))),
        (True, public.filter(is_counted=False)),
    ):
        while most is None or done < most:
            with transaction.atomic():
                batch = list(
                    rows.select_for_update(of=("self",)).order_by("pk").defer("tsv", "sv")[:BATCH]
                )
                if not batch:
                    break
                counts = _Counts()
                counts.add_stored(batch, 1 if right else -1)
                SearchDocument.objects.filter(pk__in=[one.pk for one in batch]).update(
                    is_counted=right
                )
                counts.store()
            done += len(batch)
    return done


# -- inside --------------------------------------------------------------------------------------


class _Counts:
    """What a change adds to the counts of words."""

    def __init__(self) -> None:
        self.lexemes: Counter[str] = Counter()
        self.words: Counter[str] = Counter()
        self.documents = 0
        self.length = 0

    def add_stored(self, documents: Collection[SearchDocument], sign: int) -> None:
        if not documents:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT lexeme, count(*) FROM community_searchdocument,"
                " unnest(tsvector_to_array(tsv)) AS lexeme WHERE id = ANY(%s) GROUP BY lexeme",
                [[document.pk for document in documents]],
            )
            for lexeme, count in cursor.fetchall():
                self.lexemes[lexeme] += sign * count
        for document in documents:
            fields = (document.title, document.tags, document.text)
            for word in words_of([list(terms(field)) for field in fields]):
                self.words[word] += sign
            self.documents += sign
            self.length += sign * document.length

    def add_written(self, written: Collection[Written]) -> None:
        for one in written:
            self.lexemes.update(one.lexemes)
            self.words.update(one.words)
            self.documents += 1
            self.length += one.length

    def store(self) -> None:
        for add, take, counts in (
            (_ADD_LEXEMES, _TAKE_LEXEMES, self.lexemes),
            (_ADD_WORDS, _TAKE_WORDS, self.words),
        ):
            with connection.cursor() as cursor:
                if more := sorted((word, n) for word, n in counts.items() if n > 0):
                    cursor.execute(add, list(map(list, zip(*more, strict=True))))
                    if counts is self.words:
                        _set_leavings([word for word, ready in cursor.fetchall() if ready])
                if fewer := sorted((word, -n) for word, n in counts.items() if n < 0):
                    names, numbers = map(list, zip(*fewer, strict=True))
                    cursor.execute(take, [names, names, numbers])
        if self.documents or self.length:
            with connection.cursor() as cursor:
                cursor.execute(_ADD_FIGURES, [self.documents, self.length] * 2)


_ADD_LEXEMES = """
    INSERT INTO community_lexeme (word, documents) SELECT * FROM unnest(%s::text[], %s::int[])
    ON CONFLICT (word) DO UPDATE SET documents = community_lexeme.documents + excluded.documents
"""
_ADD_WORDS = """
    INSERT INTO community_word (word, documents) SELECT * FROM unnest(%s::text[], %s::int[])
    ON CONFLICT (word) DO UPDATE SET documents = community_word.documents + excluded.documents
    RETURNING word, leavings IS NULL
"""
_TAKE = """
    WITH locked AS (SELECT word FROM {table} WHERE word = ANY(%s) ORDER BY word FOR UPDATE)
    UPDATE {table} AS kept SET documents = greatest(kept.documents - less.documents, 0)
    FROM unnest(%s::text[], %s::int[]) AS less (word, documents), locked
    WHERE kept.word = less.word AND locked.word = kept.word
"""
_TAKE_LEXEMES = _TAKE.format(table="community_lexeme")
_TAKE_WORDS = _TAKE.format(table="community_word")
_ADD_FIGURES = """
    INSERT INTO community_searchfigures (id, documents, lexemes)
    VALUES (1, greatest(%s, 0), greatest(%s, 0))
    ON CONFLICT (id) DO UPDATE SET
        documents = greatest(community_searchfigures.documents + %s, 0),
        lexemes = greatest(community_searchfigures.lexemes + %s, 0)
"""
_REFRESH_LEXEMES = """
    WITH now AS MATERIALIZED (
        SELECT word, ndoc FROM ts_stat(
            'SELECT tsv FROM community_searchdocument WHERE is_counted'
        )
    ), gone AS (
        DELETE FROM community_lexeme AS kept
        WHERE NOT EXISTS (SELECT FROM now WHERE now.word = kept.word)
    )
    INSERT INTO community_lexeme (word, documents) SELECT word, ndoc FROM now ORDER BY word
    ON CONFLICT (word) DO UPDATE SET documents = excluded.documents
    WHERE community_lexeme.documents <> excluded.documents
"""
_REFRESH_FIGURES = """
    INSERT INTO community_searchfigures (id, documents, lexemes)
    SELECT 1, count(*), coalesce(sum(length), 0) FROM community_searchdocument WHERE is_counted
    ON CONFLICT (id) DO UPDATE SET documents = excluded.documents, lexemes = excluded.lexemes
"""
_UPSERT = """
    INSERT INTO community_searchdocument (
        kind, object_id, group_id, thread_id, author_id, is_opening, created_at, title, tags, text,
        language, length, is_counted, version, indexed_at, tsv, names, sv
    )
    SELECT
        kind, object_id, group_id, thread_id, author_id, is_opening, created_at, title, tags, text,
        language, length, is_counted, version, statement_timestamp(),
        tsv::tsvector, names::tsvector, sv::sparsevec
    FROM unnest(
        %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bool[],
        %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[], %s::bool[],
        %s::int[], %s::text[], %s::text[], %s::text[]
    ) AS drafts (
        kind, object_id, group_id, thread_id, author_id, is_opening, created_at, title, tags, text,
        language, length, is_counted, version, tsv, names, sv
    )
    ON CONFLICT (kind, object_id) DO UPDATE SET
        group_id = excluded.group_id, thread_id = excluded.thread_id,
        author_id = excluded.author_id, is_opening = excluded.is_opening,
        created_at = excluded.created_at, title = excluded.title, tags = excluded.tags,
        text = excluded.text, language = excluded.language, length = excluded.length,
        is_counted = excluded.is_counted, version = excluded.version, tsv = excluded.tsv,
        names = excluded.names, sv = excluded.sv,
        embedding = CASE WHEN (community_searchdocument.title, community_searchdocument.text)
            = (excluded.title, excluded.text) THEN community_searchdocument.embedding END
"""


def _upsert(written: Collection[Written], hidden: set[int]) -> None:
    rows = [
        (
            *(one.draft.kind, one.draft.object_id, one.draft.group_id, one.draft.thread_id),
            *(one.draft.author_id, one.draft.is_opening, one.draft.created_at, one.draft.title),
            *(one.draft.tags, one.draft.text, one.draft.language, one.length),
            *(one.draft.group_id not in hidden, VERSION, one.tsv, one.names, one.sv),
        )
        for one in written
    ]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, list(map(list, zip(*rows, strict=True))))


def _set_leavings(words: Collection[str]) -> None:
    if not words:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE community_word SET leavings = %s WHERE word = %s",
            [(keys(word), word) for word in words],
        )


def _batches(rows: Iterable[tuple[str, int]], size: int) -> Iterator[list[tuple[str, int]]]:
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch


def lexeme_counts(lexemes: Collection[str]) -> tuple[dict[str, int], int]:
    """Return in how many public documents each lexeme is, and how many there are. One query."""
    counts = dict.fromkeys(lexemes, 0)
    among = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, documents FROM community_lexeme WHERE word = ANY(%s)"
            " UNION ALL SELECT NULL, documents FROM community_searchfigures WHERE id = 1",
            [list(lexemes)],
        )
        for word, documents in cursor.fetchall():
            if word is None:
                among = documents
            else:
                counts[word] = documents
    return counts, among


# -- likeness ------------------------------------------------------------------------------------


def embed_documents(most: int = 64) -> int:
    """Embed at most `most` posts that have no vector, newest first; return how many.

    Raises EmbedderAway. What changes meanwhile stays without, and its turn comes again.
    """
    rows = (
        SearchDocument.objects.filter(kind=Kind.POST, embedding__isnull=True)
        .order_by("-pk")
        .values_list("pk", "title", "text")[:most]
    )
    texts = {pk: (title, text) for pk, title, text in rows}
    if not texts:
        return 0
    vectors = embedder().of_documents(
        [f"{title}\n{text}".strip() or "-" for title, text in texts.values()]
    )
    for (pk, (title, text)), vector in zip(texts.items(), vectors, strict=True):
        SearchDocument.objects.filter(pk=pk, title=title, text=text).update(
            embedding=HalfVector(list(vector))
        )
    return len(texts)


def index_embeddings() -> None:
    """Make the index of likeness, and that of what has no vector yet, unless they are there.

    Not by a migration: the length of vectors is the operator's, and without an embedder both
    would cost for nothing.
    """
    dimensions = int(settings.SEARCH_EMBEDDER_DIMENSIONS)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            "CREATE INDEX IF NOT EXISTS search_not_embedded ON community_searchdocument (id)"
            " WHERE embedding IS NULL"
        )
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS search_by_meaning_{dimensions}"
            " ON community_searchdocument"
            f" USING hnsw ((embedding::halfvec({dimensions})) halfvec_cosine_ops)"
            " WHERE embedding IS NOT NULL"
        )


def write_missing(most: int = RECOUNT_MAX) -> int:
    """Write documents of members and groups that have none yet, newest first; count groups right.

    Members who signed up and did nothing since are told of by no event.
    """
    follow_groups(most)
    written = 0
    for kind, rows in ((Kind.MEMBER, Member.objects.all()), (Kind.GROUP, Group.objects.all())):
        there = SearchDocument.objects.filter(kind=kind).values("object_id")
        ids = list(rows.exclude(pk__in=there).order_by("-pk").values_list("pk", flat=True)[:most])
        for first in range(0, len(ids), BATCH):
            written += write_documents(kind, ids[first : first + BATCH])
    return written
