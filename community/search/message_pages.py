"""What the page of found messages shows, in a fixed number of queries.

What was found is loaded through `visible_to` once more: a document may be a second behind the
message it tells of, a page may not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils.safestring import SafeString

from community.chat.kinds import prepare
from community.chat.models import Message, Room
from community.members.models import Member
from community.search.documents import text_of
from community.search.excerpts import as_html, excerpt, spans_of
from community.search.message_finding import FoundMessages, Wanted, find_messages
from community.search.stems import stems
from community.search.words import terms
from config.paging import read_time_cursor, time_cursor

MESSAGES_PER_PAGE: Final = 20
EXCERPT_CHARS: Final = 280

_BEST = re.compile(r"(\d{1,4}(?:\.\d{1,6})?)~(\d{1,18})\Z")


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message that answers, with what of it does."""

    message: Message
    room: Room
    title: str  # of the room, to this reader
    address: str
    excerpt: SafeString


@dataclass(frozen=True, slots=True)
class MessageResults:
    """A page of what was found. `after` is the cursor of the next page, empty on the last."""

    shown: list[ShownMessage] = field(default_factory=list)
    after: str = ""
    is_part: bool = False


def message_results(
    wanted: Wanted, viewer: Member, *, best: bool = False, after: str | None = None
) -> MessageResults:
    """Search and load a page; `after` is a cursor, a broken one is the first page."""
    match = _BEST.match(after or "") if best else None
    found = find_messages(
        wanted,
        viewer,
        limit=MESSAGES_PER_PAGE + 1,
        best=best,
        before=None if best else read_time_cursor(after),
        behind=(float(match[1]), int(match[2])) if match else None,
    )
    onward = ""
    if len(found.hits) > MESSAGES_PER_PAGE:
        last = found.hits[MESSAGES_PER_PAGE - 1]
        onward = f"{last.score:.6f}~{last.pk}" if best else time_cursor(last.sent_at, last.pk)
    return MessageResults(_shown(found, viewer), onward, found.is_part)


def _shown(found: FoundMessages, viewer: Member) -> list[ShownMessage]:
    hits = found.hits[:MESSAGES_PER_PAGE]
    if not hits:
        return []
    rows = Message.objects.visible_to(viewer).filter(pk__in=[hit.pk for hit in hits])
    rows = rows.filter(hidden_at=None).select_related(
        "sender__avatar", "room__group", "room__thread"
    )
    known = {message.pk: message for message in rows}
    there = [(known[hit.pk], hit.language) for hit in hits if hit.pk in known]
    prepare(message.room for message, _ in there)
    texts = [(text_of(message.html), language) for message, language in there]
    marked = found.marked | _begun(texts, found.beginnings)
    spans = spans_of(texts, marked, found.faint)
    return [
        ShownMessage(
            message,
            message.room,
            message.room.as_kind.title(message.room, viewer),
            message.get_absolute_url(),
            as_html(excerpt(text, at, EXCERPT_CHARS)),
        )
        for (message, _), (text, _language), at in zip(there, texts, spans, strict=True)
    ]


def _begun(texts: Sequence[tuple[str, str]], beginnings: tuple[str, ...]) -> set[str]:
    """The lexemes in the texts of words that begin as was asked."""
    if not beginnings:
        return set()
    found: set[str] = set()
    for text, language in texts:
        met = [term.word for term in terms(text) if term.whole]
        begun = [word for word in met if word.startswith(beginnings)]
        found.update(stem for stem in stems(language, begun).values() if stem)
    return found
