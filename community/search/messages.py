"""Chat messages, written down for search.

Words are cut as those of posts are. Beside them stand marks of where a message is: its room, its
sender, its day and month. See search.message_finding for what they are good for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from community.chat.models import Message
from community.search.documents import quoted, text_of
from community.search.models import MessageDocument
from community.search.stems import stems
from community.search.words import language_of, terms

VERSION: Final = 1  # grows when the same message would be written otherwise
BATCH: Final = 500


def room_mark(room_id: int) -> str:
    """Write a lexeme of a room. No word has a colon in it."""
    return f"room:{room_id}"


def sender_mark(member_id: int) -> str:
    return f"from:{member_id}"


def day_mark(day: date) -> str:
    return f"day:{day:%Y%m%d}"


def month_mark(day: date) -> str:
    return f"month:{day:%Y%m}"


def write_messages(ids: Collection[int]) -> int:
    """Let the documents of these messages say what the messages do now; return how many there are.

    A hidden message has none. Safe to run twice: who writes the same ones waits.
    """
    with transaction.atomic():
        messages = list(
            Message.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk__in=ids, hidden_at=None)
            .select_related("sender")
            .only("room_id", "sender__language", "sent_at", "html")
            .order_by("pk")
        )
        if gone := set(ids) - {message.pk for message in messages}:
            MessageDocument.objects.filter(pk__in=gone).delete()
        if messages:
            with connection.cursor() as cursor:
                rows = _rows(messages)
                cursor.execute(_WRITE, [VERSION, *map(list, zip(*rows, strict=True))])
    return len(messages)


_WRITE: Final = """
    INSERT INTO community_messagedocument
        (message_id, room_id, sender_id, sent_at, language, tsv, version)
    SELECT message_id, room_id, sender_id, sent_at, language, tsv::tsvector, %s
    FROM unnest(
        %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[]
    ) AS written (message_id, room_id, sender_id, sent_at, language, tsv)
    ON CONFLICT (message_id) DO UPDATE SET
        room_id = excluded.room_id, sender_id = excluded.sender_id, sent_at = excluded.sent_at,
        language = excluded.language, tsv = excluded.tsv, version = excluded.version
"""


def write_missing_messages(progress: Callable[[int], None] = lambda done: None) -> int:
    """Write messages that have no document, or one of an older kind, newest first; how many."""
    right = MessageDocument.objects.filter(pk=OuterRef("pk"), version=VERSION)
    missing = Message.objects.filter(~Exists(right), hidden_at=None).order_by("-pk")
    done, last = 0, None
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            rows = missing if last is None else missing.filter(pk__lt=last)
            ids = list(rows.values_list("pk", flat=True)[: 10 * BATCH])
        for first in range(0, len(ids), BATCH):
            done += write_messages(ids[first : first + BATCH])
            progress(done)
        if not ids:
            return done
        last = ids[-1]


def _rows(messages: Sequence[Message]) -> list[tuple[object, ...]]:
    read = []
    unstemmed: defaultdict[str, set[str]] = defaultdict(set)
    for message in messages:
        text = text_of(message.html)
        language = language_of(text, message.sender.language, settings.SEARCH_LANGUAGES)
        found = list(terms(text))
        unstemmed[language].update(term.word for term in found if term.whole)
        read.append((message, language, found))
    stemmed = {language: stems(language, met) for language, met in unstemmed.items()}
    rows: list[tuple[object, ...]] = []
    for message, language, found in read:
        places: defaultdict[str, list[str]] = defaultdict(list)
        for term in found:
            if lexeme := stemmed[language][term.word] if term.whole else term.word:
                places[lexeme].append(str(term.place + 1))
        day = message.sent_at.astimezone(UTC).date()
        marks = (
            *(room_mark(message.room_id), sender_mark(message.sender_id)),
            *(day_mark(day), month_mark(day)),
        )
        tsv = " ".join(
            [f"{quoted(word)}:{','.join(at)}" for word, at in places.items()]
            + [quoted(mark) for mark in marks]
        )
        rows.append(
            (message.pk, message.room_id, message.sender_id, message.sent_at, language, tsv)
        )
    return rows
