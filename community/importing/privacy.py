"""What becomes of the names members had on forums that moved here."""

from __future__ import annotations

from community.importing.models import ImportedRecord
from config.personal import Erasing, also_erase


def register() -> None:
    also_erase(
        "names on forums that moved here",
        forget_names,
        "A number there stays, so that a later import finds the neutral member; names go.",
    )


def forget_names(erasing: Erasing, after: str) -> str | None:
    """Delete the member's names. A source that knows people by name only would bring them anew."""
    known = ImportedRecord.objects.filter(object_id=erasing.member_id)
    known.filter(kind="username").delete()
    known.filter(kind="user").exclude(external_id__regex=r"^-?[0-9]+$").delete()
    return None
