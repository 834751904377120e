"""Numbers and cursors in addresses: what we wrote is read back, anything else is nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.paging import MAX_DIGITS, read_time_cursor, time_cursor, whole_number


@given(
    # Hypothesis wants the bounds without a zone.
    st.datetimes(datetime(1970, 1, 1), datetime(9986, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 10**MAX_DIGITS - 1),
)
def test_a_cursor_comes_back_as_it_was(at: datetime, pk: int) -> None:
    assert read_time_cursor(time_cursor(at, pk)) == (at, pk)


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    found = whole_number(text)
    assert found is None or str(found) == text.lstrip("0") or found == 0
    read_time_cursor(text)


@pytest.mark.parametrize(
    "text", [None, "", "-1", "+1", " 1", "1.0", "1e3", "٣", "²", "9" * (MAX_DIGITS + 1)]
)
def test_what_is_no_plain_number_is_none(text: str | None) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize("cursor", [None, "", "-", "1", "1-", "-1", "1-x", "9" * 18 + "-1"])
def test_a_broken_cursor_is_none(cursor: str | None) -> None:
    assert read_time_cursor(cursor) is None
