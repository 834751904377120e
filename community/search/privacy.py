"""What becomes of what search knows of a member."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.search.documents import Kind
from community.search.models import Lexeme, SearchDocument, Word
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


def forget_member(erasing: Erasing, after: str) -> str | None:
    """Remove the document of the member, and the words no document has any more."""
    write_documents(Kind.MEMBER, [erasing.member_id])
    Lexeme.objects.filter(documents=0).delete()
    Word.objects.filter(documents=0).delete()
    return None
