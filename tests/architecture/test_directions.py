"""Style sheets say start and end, not left and right: pages may run either way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLES = Path(__file__).parents[2] / "static" / "css"
# Letters are read by mail programs that know no logical properties.
ALLOWED = {"mail.css"}

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:scroll-)?(?:margin|padding|border)-(?:left|right)(?:-\w+)?|left|right"
    r"|border-(?:top|bottom)-(?:left|right)-radius)\s*:"
    r"|(?<![\w-])(?:text-align|float|clear)\s*:\s*(?:left|right)\b"
)


def physical(css: str) -> list[str]:
    """Return what a style sheet says of left and right."""
    return [found.strip() for found in PHYSICAL.findall(COMMENT.sub("", css))]


@pytest.mark.parametrize(
    "name", sorted(path.relative_to(STYLES).as_posix() for path in STYLES.rglob("*.css"))
)
def test_a_style_sheet_says_nothing_of_left_and_right(name: str) -> None:
    if name not in ALLOWED:
        assert physical((STYLES / name).read_text()) == []


@pytest.mark.parametrize(
    "css",
    [
        ".a { margin-left: 1px }",
        ".a{left:0}",
        ".a { top: 0; right : 0 }",
        ".a { border-left-color: red }",
        ".a { text-align:right }",
        ".a { float: left }",
        ".a { border-top-left-radius: 3px }",
        "@media print { .a { padding-right: 0 } }",
    ],
)
def test_the_reader_finds_left_and_right(css: str) -> None:
    assert len(physical(css)) == 1


@pytest.mark.parametrize(
    "css",
    [
        ".a { margin-inline-start: 1px; inset-inline-end: 0; text-align: start }",
        "/* left: of the page */ .left, .is-right { --left: 1px; color: red }",
        ".a { border-start-start-radius: 3px; background-position: left }",
    ],
)
def test_the_reader_leaves_start_and_end_alone(css: str) -> None:
    assert physical(css) == []
