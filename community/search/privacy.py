"""What becomes of what search knows of a member."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.search.documents import Kind
from community.search.finding import read_words
from community.search.message_finding import matches
from community.search.messages import write_messages
from community.search.models import Lexeme, MessageDocument, SearchDocument, Word
from community.search.queries import Query
from community.search.services import write_documents
from config.personal import (
    Erasing,
    Exported,
    NotExported,
    also_erase,
    declare,
    deletes,
    keeps,
    keys,
    naming,
    swept,
)


def register() -> None:
    declare(
        "community.SearchDocument.author",
        NotExported(_("Made from your posts and your profile.")),
        keeps("The posts stay; the member's own document goes, see below."),
    )
    declare(
        "community.MessageDocument.sender",
        NotExported(_("Made from your messages.")),
        keeps("The messages stay, and are found under the neutral name."),
    )
    declare(
        "community.SavedSearch.member",
        Exported(
            "saved_searches",
            _("Searches you saved."),
            keys(
                name=_("its name"),
                query=_("what for"),
                alert=_("when you are told"),
                created_at=_("when"),
            ),
        ),
        deletes("It was for the member alone."),
    )
    also_erase(
        "search documents that name the member",
        swept("community.SearchDocument", _may_name, follow),
        "They follow the texts, which are neutral by then.",
    )
    also_erase(
        "search documents of messages that name the member",
        swept("community.MessageDocument", _may_say_it, follow_messages),
        "They follow the messages, which are neutral by then.",
    )
    also_erase(
        "what search knows of the member",
        forget_member,
        "Their document, and words that stood nowhere else.",
    )


def _may_name(erasing: Erasing) -> Q:
    return naming(["title", "text"], erasing) | Q(text__icontains=erasing.name)


def follow(erasing: Erasing, documents: Sequence[SearchDocument]) -> None:
    """Write these documents anew from what they are of."""
    for kind in Kind:
        write_documents(kind, [one.object_id for one in documents if one.kind == kind])


def _may_say_it(erasing: Erasing) -> Q:
    wanted = Q(pk__in=[])
    for phrase in read_words(Query(phrases=(erasing.handle, *erasing.emails))).phrases:
        wanted |= Q(matches(phrase))
    return wanted


def follow_messages(erasing: Erasing, documents: Sequence[MessageDocument]) -> None:
    write_messages([one.pk for one in documents])


def forget_member(erasing: Erasing, after: str) -> str | None:
    """Remove the document of the member, and the words no document has any more."""
    write_documents(Kind.MEMBER, [erasing.member_id])
    Lexeme.objects.filter(documents=0).delete()
    Word.objects.filter(documents=0).delete()
    return None
