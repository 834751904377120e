"""How well search finds, by sets in BEIR form: corpus.jsonl, queries.jsonl and judgements.

The set is indexed in temporary tables that stand before the site's own for the length of one
transaction, so that all goes the road members' searches go, and nothing is left.
"""

from __future__ import annotations

import csv
import json
import math
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.utils import timezone

from community.search.documents import Draft, Kind
from community.search.finding import find, read_words
from community.search.models import Lexeme, SearchDocument, SearchFigures, Word
from community.search.queries import Query
from community.search.services import lexeme_counts, put_drafts, recount
from community.search.spelling import slips
from community.search.words import language_of, words

BATCH: Final = 500
DEEP: Final = 100
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"

Judgements = Mapping[str, Mapping[str, int]]  # query to document to how relevant it is


class NotASet(ValueError):
    """The folder holds no set in BEIR form; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the queries judged; latency in milliseconds, of a search as a member's."""

    documents: int
    queries: int
    ndcg_10: float
    recall_10: float
    recall_100: float
    mrr_10: float
    p50: float
    p95: float
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class Set:
    corpus: Path
    queries: Mapping[str, str]
    judgements: Judgements


def read_set(folder: Path) -> Set:
    """Read a set's queries and judgements. Raises NotASet."""
    corpus, queries = folder / "corpus.jsonl", folder / "queries.jsonl"
    places = [folder / "qrels" / "test.tsv", folder / "qrels.tsv", folder / "test.tsv"]
    judged = next((place for place in places if place.is_file()), None)
    for file in (corpus, queries):
        if not file.is_file():
            raise NotASet(f"{file} is missing.")
    if judged is None:
        raise NotASet(f"{places[0]} or {places[1]} is missing.")
    judgements: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with judged.open(encoding="utf-8", newline="") as rows:
        for row in csv.reader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(row) < 3 or not row[-1].strip().lstrip("-").isdigit():
                continue  # the heading
            judgements[row[0]][row[-2]] = int(row[-1])
    asked = {line["_id"]: line["text"] for line in _lines(queries)}
    return Set(corpus, {one: asked[one] for one in judgements if one in asked}, judgements)


def evaluate(
    folder: Path, *, typos: int = 0, progress: Callable[[str, int], None] = lambda what, n: None
) -> tuple[Figures, Figures | None]:
    """Index a set, ask its queries, and forget it. The second figures are with `typos` each.

    Raises NotASet.
    """
    asked = read_set(folder)
    with transaction.atomic():
        _stand_before()
        names = _index(asked.corpus, progress)
        clean = _ask(asked.queries, asked.judgements, names, progress)
        if not typos:
            transaction.set_rollback(True)
            return clean, None
        chance = random.Random(7)  # noqa: S311 - wanted to repeat
        misspelt = {one: with_typos(text, typos, chance) for one, text in asked.queries.items()}
        wrong = _ask(misspelt, asked.judgements, names, progress)
        transaction.set_rollback(True)
        return clean, wrong


def _stand_before() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        for model in (SearchDocument, Lexeme, Word, SearchFigures):
            table = model._meta.db_table
            cursor.execute(
                f'CREATE TEMPORARY TABLE "{table}" (LIKE public."{table}" INCLUDING ALL)'
                " ON COMMIT DROP"
            )


def _index(corpus: Path, progress: Callable[[str, int], None]) -> dict[int, str]:
    names: dict[int, str] = {}
    now = timezone.now()

    def drafts() -> Iterator[Draft]:
        for number, line in enumerate(_lines(corpus), 1):
            names[number] = line["_id"]
            text = line.get("text", "")
            yield Draft(
                kind=Kind.POST,
                object_id=number,
                group_id=None,
                thread_id=None,
                author_id=None,
                is_opening=True,
                created_at=now,
                title=line.get("title", "")[:300],
                tags="",
                text=text,
                language=language_of(text, "", settings.SEARCH_LANGUAGES),
            )

    # Twice: the weights of the first depend on the average length of all.
    for afresh in (False, True):
        source = drafts()
        while batch := list(islice(source, BATCH)):
            ids = [draft.object_id for draft in batch]
            put_drafts(Kind.POST, ids, batch, counting=False, afresh=afresh)
            progress("indexing", len(batch))
        recount()
    with connection.cursor() as cursor:
        cursor.execute(f'ANALYZE "{SearchDocument._meta.db_table}"')
    return names


def _ask(
    queries: Mapping[str, str],
    judgements: Judgements,
    names: Mapping[int, str],
    progress: Callable[[str, int], None],
) -> Figures:
    found: dict[str, list[str]] = {}
    took, corrected = [], 0
    for one, text in queries.items():
        began = time.perf_counter()
        answer = find(said(text), AnonymousUser(), limit=DEEP)
        took.append((time.perf_counter() - began) * 1000)
        corrected += answer.corrected
        found[one] = [names[hit.object_id] for hit in answer.hits]
        progress("asking", 1)
    return measured(found, judgements, took, documents=len(names), corrected=corrected)


def said(text: str) -> Query:
    """Take a set's query as words: it knows no filters and quotes."""
    return Query(words=tuple(text.split()))


def measured(
    found: Mapping[str, Sequence[str]],
    judgements: Judgements,
    took: Sequence[float] = (),
    *,
    documents: int = 0,
    corrected: int = 0,
) -> Figures:
    """Return the means over `found`: of each query the documents' names, best first."""
    return Figures(
        documents=documents,
        queries=len(found),
        ndcg_10=_mean(ndcg(names, judgements[one], 10) for one, names in found.items()),
        recall_10=_mean(recall(names, judgements[one], 10) for one, names in found.items()),
        recall_100=_mean(recall(names, judgements[one], 100) for one, names in found.items()),
        mrr_10=_mean(reciprocal(names, judgements[one], 10) for one, names in found.items()),
        p50=statistics.median(took) if took else 0.0,
        p95=sorted(took)[int(len(took) * 0.95)] if took else 0.0,
        corrected=corrected,
    )


def ndcg(names: Sequence[str], relevant: Mapping[str, int], depth: int) -> float:
    """Return the discounted gain of the first `depth`, as a share of the best there could be."""
    gains = [max(0, relevant.get(name, 0)) for name in names[:depth]]
    best = sorted((max(0, gain) for gain in relevant.values()), reverse=True)[:depth]
    return _discounted(gains) / ideal if (ideal := _discounted(best)) else 0.0


def _discounted(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def recall(names: Sequence[str], relevant: Mapping[str, int], depth: int) -> float:
    wanted = {name for name, gain in relevant.items() if gain > 0}
    return len(wanted & set(names[:depth])) / len(wanted) if wanted else 0.0


def reciprocal(names: Sequence[str], relevant: Mapping[str, int], depth: int) -> float:
    places = (place for place, name in enumerate(names[:depth], 1) if relevant.get(name, 0) > 0)
    first = next(places, None)
    return 1 / first if first else 0.0


# -- typos ---------------------------------------------------------------------------------------


def with_typos(text: str, count: int, chance: random.Random) -> str:
    """Return the query with `count` slips in the rarest of its words that may be mended."""
    counts = {
        word: lexeme_counts(read_words(Query(words=(word,))).lexemes)[0]
        for word in dict.fromkeys(words(text))
        if slips(word)
    }
    rare = sorted((min(found.values()), word) for word, found in counts.items() if found)
    known = [word for documents, word in rare if documents > 0]
    if not known:
        return text
    word = wrong = known[0]
    for _ in range(count):
        wrong = slip(wrong, chance)
    parts = text.split()
    return " ".join(wrong if words(part) == [word] else part for part in parts)


def slip(word: str, chance: random.Random) -> str:
    """Return the word with one letter too many, left out, wrong or swapped; not the first."""
    while True:
        at = chance.randrange(1, len(word))
        letter = chance.choice(LETTERS)
        made = chance.choice(
            [
                word[:at] + letter + word[at:],
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at + 1 :],
                word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] if at > 1 else word,
            ]
        )
        if made != word:
            return made


def _mean(numbers: Iterable[float]) -> float:
    numbers = list(numbers)
    return sum(numbers) / len(numbers) if numbers else 0.0


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
