"""Looking for somebody everywhere: in every column of every table that holds words, and on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import connection

WORDS = ("text", "character varying", "character", "jsonb", "json", "tsvector", "ARRAY", "bytea")


def found_in_database(words: Iterable[str]) -> list[str]:
    """Return "table.column: word" for each column that holds one of the words, in any case."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = ANY(%s) ORDER BY 1, 2",
            [list(WORDS)],
        )
        columns = cursor.fetchall()
        found = []
        for table, column, kind in columns:
            name = f'"{column}"'
            text = f"encode({name}, 'escape')" if kind == "bytea" else f"{name}::text"
            for word in words:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" WHERE {text} ILIKE %s', [f"%{word}%"]
                )
                if cursor.fetchone()[0]:
                    found.append(f"{table}.{column}: {word}")
    return found


def found_on_disk(words: Iterable[str]) -> list[str]:
    """Return the files below the media and private folders that hold one of the words."""
    return [
        str(path.relative_to(root))
        for root in {Path(settings.MEDIA_ROOT), Path(settings.PRIVATE_ROOT)}
        for path in root.rglob("*")
        if path.is_file() and any(_holds(path, word) for word in words)
    ]


def _holds(path: Path, word: str) -> bool:
    return word in path.name or word.encode().lower() in path.read_bytes().lower()
