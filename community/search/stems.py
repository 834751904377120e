"""Stems of words, by PostgreSQL's dictionaries; kept in the process, for they never change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.db import connection

MOST_KEPT: Final = 300_000
PLAIN: Final = "simple"  # the language without stems

_kept: dict[tuple[str, str], str | None] = {}


def stems(language: str, words: Iterable[str]) -> Mapping[str, str | None]:
    """Return the stem of each word; None for one too common to mean anything ("the").

    One query if there are words this process has not met, else none.
    """
    wanted = set(words)
    if language == PLAIN:
        return {word: word for word in wanted}
    unmet = [word for word in wanted if (language, word) not in _kept]
    if unmet:
        if len(_kept) > MOST_KEPT:
            _kept.clear()
            unmet = list(wanted)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT word, ts_lexize(%s::regdictionary, word) FROM unnest(%s::text[]) AS word",
                [f"{language}_stem", unmet],
            )
            for word, found in cursor.fetchall():
                # No list: not known to the dictionary, so it stands for itself.
                _kept[language, word] = word if found is None else next(iter(found), None)
    return {word: _kept[language, word] for word in wanted}


def forget() -> None:
    """Forget all stems: for tests that count queries."""
    _kept.clear()
