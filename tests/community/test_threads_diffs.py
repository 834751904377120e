"""What an edit changed: nothing lost, nothing made up, and never slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.threads.diffs import CONTEXT_CHARS, Kind, Piece, diff

SAME, ADDED, REMOVED, SKIPPED = Kind.SAME, Kind.ADDED, Kind.REMOVED, Kind.SKIPPED


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("", "", []),
        ("same", "same", [(SAME, "same")]),
        ("", "new", [(ADDED, "new")]),
        ("old", "", [(REMOVED, "old")]),
        (
            "prices have doubled now",
            "prices have tripled now",
            [(SAME, "prices have "), (REMOVED, "doubled"), (ADDED, "tripled"), (SAME, " now")],
        ),
        (
            "a red old camera",
            "a blue new camera",
            [(SAME, "a "), (REMOVED, "red old"), (ADDED, "blue new"), (SAME, " camera")],
        ),
        ("one.", "one. two.", [(SAME, "one."), (ADDED, " two.")]),
    ],
)
def test_changes_are_shown_by_whole_words(before, after, pieces):
    assert [(piece.kind, piece.text) for piece in diff(before, after)] == pieces


def test_long_unchanged_text_is_left_out_but_for_its_ends():
    start, middle, end = (" ".join(f"{part}{n}" for n in range(100)) for part in ("s", "m", "e"))
    pieces = diff(f"{start} X {middle} Y {end}", f"{start} x {middle} y {end}")
    assert [piece.kind for piece in pieces] == [
        *(SKIPPED, SAME, REMOVED, ADDED, SAME, SKIPPED, SAME, REMOVED, ADDED, SAME, SKIPPED),
    ]
    assert all(len(piece.text) <= CONTEXT_CHARS for piece in pieces if piece.kind == SAME)


words = st.lists(st.sampled_from(["a", "b", "c ", " ", "\n", "é.", "x1"]), max_size=30).map("".join)


@settings(max_examples=300, deadline=None)
@given(words, words)
def test_without_what_was_added_it_is_the_old_text_and_without_what_went_the_new(before, after):
    pieces = diff(before, after)  # short enough for nothing to be left out

    def text_of(*kinds: Kind) -> str:
        return "".join(piece.text for piece in pieces if piece.kind in kinds)

    assert text_of(SAME, REMOVED) == before
    assert text_of(SAME, ADDED) == after
    assert all(isinstance(piece, Piece) and piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b " * 12_500, "b a " * 12_500),
        ("a\n" * 25_000, "b\n" * 25_000),
        (
            " ".join(str(n) for n in range(9_000)),
            " ".join(str(n) for n in reversed(range(9_000))),
        ),
        ("x" * 50_000, "y" * 50_000),
        ("a." * 2_400, "a," * 2_400),
        ("a." * 95, "a," * 95),
    ],
)
def test_the_longest_posts_are_compared_in_a_moment(before, after):
    begun = time.process_time()
    assert diff(before, after)
    assert time.process_time() - begun < 1
