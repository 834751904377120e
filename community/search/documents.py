"""What is searchable of posts, members and groups, and how a document is written down."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from community.groups.models import Group
from community.members.models import Member
from community.search.models import SearchDocument
from community.search.spelling import slips
from community.search.stems import stems
from community.search.weights import document_weights, sparse
from community.search.words import Term, language_of, terms
from community.threads.models import Post, ThreadTag
from community.threads.pages import without_quotes

VERSION: Final = 2  # grows when the same thing would be written otherwise
TEXT_MAX_CHARS: Final = 50_000
MOST_PLACES: Final = 16_383  # of a tsvector; words beyond all stand at the last
MOST_PLACES_A_WORD: Final = 255
GAP: Final = 10  # places between fields: no phrase spans two

Kind = SearchDocument.Kind


@dataclass(frozen=True, slots=True)
class Draft:
    """What a document shall say. What may not be found has none."""

    kind: str
    object_id: int
    group_id: int | None
    thread_id: int | None
    author_id: int | None
    is_opening: bool
    created_at: datetime
    title: str
    tags: str
    text: str
    language: str


# -- what is searchable --------------------------------------------------------------------------


def drafts_of_posts(ids: Collection[int]) -> list[Draft]:
    """Posts that are not hidden, in threads not merged away. An opening post has the title."""
    posts = list(
        Post.objects.filter(pk__in=ids, hidden_at__isnull=True, thread__merged_into__isnull=True)
        .select_related("thread", "author")
        .only(
            *("number", "html", "created_at", "thread__title", "thread__group_id"),
            *("author__language",),
        )
    )
    openings = {post.thread_id for post in posts if post.is_opening}
    tags: defaultdict[int, list[str]] = defaultdict(list)
    if openings:
        named = ThreadTag.objects.filter(thread_id__in=openings).order_by("tag__name")
        for thread_id, name in named.values_list("thread_id", "tag__name"):
            tags[thread_id].append(name)
    drafts = []
    for post in posts:
        title = post.thread.title if post.is_opening else ""
        text = text_of(post.html)[:TEXT_MAX_CHARS]
        drafts.append(
            Draft(
                kind=Kind.POST,
                object_id=post.pk,
                group_id=post.thread.group_id,
                thread_id=post.thread_id,
                author_id=post.author_id,
                is_opening=post.is_opening,
                created_at=post.created_at,
                title=title,
                tags=", ".join(tags[post.thread_id])[:1000] if post.is_opening else "",
                text=text,
                language=_language(f"{title} {text[:500]}", post.author.language),
            )
        )
    return drafts


def drafts_of_members(ids: Collection[int]) -> list[Draft]:
    """Members in the directory, with accounts that are open."""
    members = Member.objects.filter(
        pk__in=ids, is_active=True, is_listed=True, erased_at__isnull=True
    )
    return [
        Draft(
            kind=Kind.MEMBER,
            object_id=member.pk,
            group_id=None,
            thread_id=None,
            author_id=member.pk,
            is_opening=False,
            created_at=member.joined_at,
            title=f"{member.name} {member.handle}",
            tags=member.place,
            text=member.bio,
            language=_language(member.bio, member.language),
        )
        for member in members
    ]


def drafts_of_groups(ids: Collection[int]) -> list[Draft]:
    """All groups; hidden ones are found by their members alone."""
    groups = Group.objects.filter(pk__in=ids).prefetch_related("interests")
    return [
        Draft(
            kind=Kind.GROUP,
            object_id=group.pk,
            group_id=group.pk,
            thread_id=None,
            author_id=None,
            is_opening=False,
            created_at=group.created_at,
            title=group.name,
            tags=", ".join(interest.name for interest in group.interests.all()),
            text=group.about,
            language=_language(f"{group.name} {group.about}", ""),
        )
        for group in groups
    ]


DRAFTS: Final[dict[str, Callable[[Collection[int]], list[Draft]]]] = {
    Kind.POST: drafts_of_posts,
    Kind.MEMBER: drafts_of_members,
    Kind.GROUP: drafts_of_groups,
}

_ALT = re.compile(r'<img\b[^>]*?\balt="([^"]*)"[^>]*>')
_BREAK = re.compile(
    r"</?(?:p|br|li|ul|ol|h[1-6]|hr|pre|table|thead|tbody|tr|t[dh]|div|blockquote)\b[^>]*>"
)
_TAG = re.compile(r"<[^>]*>")


def text_of(clean_html: str) -> str:
    """Return the words of a post's own HTML (out of our renderer) on one line.

    Pictures are their alternative texts. Quotes are left out unless there is nothing else: they
    would make an answer rank by what it answers.
    """
    return _flat(without_quotes(clean_html)) or _flat(clean_html)


def _flat(source: str) -> str:
    source = _BREAK.sub(" ", _ALT.sub(r" \1 ", source))
    return " ".join(html.unescape(_TAG.sub("", source)).split())


def _language(text: str, member_language: str) -> str:
    return language_of(text, member_language, settings.SEARCH_LANGUAGES)


# -- how it is written down ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """A draft as PostgreSQL takes it, and what it adds to the counts."""

    draft: Draft
    tsv: str
    names: str | None
    sv: str
    length: int
    lexemes: frozenset[str]
    words: frozenset[str]  # as people write them: those a typo may be mended to


def write_down(drafts: Sequence[Draft], *, average_length: float) -> list[Written]:
    """Analyse drafts. One query for each language with words this process has not met."""
    read = [
        (draft, [list(terms(field)) for field in (draft.title, draft.tags, draft.text)])
        for draft in drafts
    ]
    unstemmed: defaultdict[str, set[str]] = defaultdict(set)
    for draft, fields in read:
        unstemmed[draft.language].update(
            term.word for field in fields for term in field if term.whole
        )
    stemmed = {language: stems(language, words) for language, words in unstemmed.items()}
    written = []
    for draft, fields in read:
        stem = stemmed[draft.language]
        lexemes = [
            [
                (lexeme, term.place)
                for term in field
                if (lexeme := stem[term.word] if term.whole else term.word)
            ]
            for field in fields
        ]
        title, tags, text = ([lexeme for lexeme, _ in field] for field in lexemes)
        places: defaultdict[str, list[str]] = defaultdict(list)
        first = 1
        for found, field, weight in zip(lexemes, fields, "AB ", strict=True):
            for lexeme, place in found:
                places[lexeme].append(f"{min(first + place, MOST_PLACES)}{weight.strip()}")
            first += (field[-1].place if field else 0) + GAP
        everything = {*title, *tags, *text}
        written.append(
            Written(
                draft=draft,
                tsv=_vector(places),
                names=_names(fields[0]) if draft.is_opening or draft.kind != Kind.POST else None,
                sv=sparse(
                    document_weights(
                        title=title, tags=tags, text=text, average_length=average_length
                    )
                ),
                length=len(title) + len(tags) + len(text),
                lexemes=frozenset(everything),
                words=words_of(fields),
            )
        )
    return written


def words_of(fields: Sequence[Sequence[Term]]) -> frozenset[str]:
    """Return the words that typos may be mended to: letters only, neither short nor long."""
    return frozenset(
        term.word for field in fields for term in field if term.whole and slips(term.word)
    )


def _names(title: Sequence[Term]) -> str:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for term in title:
        places[term.word].append(str(min(term.place + 1, MOST_PLACES)))
    return _vector(places)


def _vector(places: dict[str, list[str]]) -> str:
    return " ".join(
        f"{quoted(lexeme)}:{','.join(dict.fromkeys(found[:MOST_PLACES_A_WORD]))}"
        for lexeme, found in places.items()
    )


def quoted(lexeme: str) -> str:
    """Write a lexeme as tsvector and tsquery read it."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"
