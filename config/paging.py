"""Numbers and cursors that stand in addresses, where anybody may write anything.

Lists are paged by keyset: the address holds the place of the last row seen, never an offset.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAX_DIGITS: Final = 18  # what surely fits PostgreSQL's bigint
END_OF_TIME: Final = 253_000_000_000 * 1_000_000  # microseconds; a datetime ends with year 9999


def whole_number(text: str | None, *, digits: int = MAX_DIGITS) -> int | None:
    """Read plain ASCII digits, at most `digits` of them; None for anything else."""
    if text and text.isascii() and text.isdecimal() and len(text) <= digits:
        return int(text)
    return None


def time_cursor(at: datetime, pk: int) -> str:
    """Write the place of a row in a list ordered by time, then id: `<microseconds>-<id>`."""
    return f"{(at - EPOCH) // timedelta(microseconds=1)}-{pk}"


def read_time_cursor(cursor: str | None) -> tuple[datetime, int] | None:
    """Read what `time_cursor` wrote; None for an empty or a broken one."""
    at_text, _, pk_text = (cursor or "").partition("-")
    at, pk = whole_number(at_text), whole_number(pk_text)
    if at is None or pk is None or at >= END_OF_TIME:
        return None
    return EPOCH + timedelta(microseconds=at), pk
