"""Reading a Stack Exchange dump: XML rows as a stream, HTML as our Markdown. Pure.

Format: a line a `<row …/>`, UTF-8 with a byte-order mark, times without a zone are UTC, `Body` is
HTML, `Text` of comments is a little Markdown. Source: the README of the Stack Exchange data dump.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import ParseError

import nh3
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from markdownify import markdownify

QUESTION, ANSWER = "1", "2"
DUPLICATE: Final = "3"
HANDLE_BASE_MAX_CHARS: Final = 20
# Letters that do not come apart into a letter and its mark.
PLAIN: Final[dict[int, str]] = {ord("ø"): "o", ord("Ø"): "O", ord("ß"): "ss", ord("ł"): "l"}

# `/questions/12/slug`, `/q/12/5` (5 is who shared it), `/a/12`, `/questions/12/slug/34#34`.
POST_ADDRESS: Final = re.compile(
    r"(?P<site>https?://(?P<host>[a-z0-9.-]+))?"
    r"/(?:questions/(?P<question>\d+)(?:/[\w%-]+)?(?:/(?P<below>\d+)(?:\?[^\s)#>]*)?(?:#\d+)?)?"
    r"|(?P<short>[qa])/(?P<post>\d+)(?:/\d+)?)"
    r"(?=[\s)>\]\"']|$)"
)


class BrokenDump(Exception):
    """The dump cannot be read on; `str()` says which file and where."""


def rows(path: Path, *needed: str) -> Iterator[dict[str, str]]:
    """Yield the attributes of every `<row>`, one at a time, however large the file.

    Raises BrokenDump where the file is not well-formed, carries entities, or a row lacks one of
    `needed`.
    """
    number = 0
    try:
        for _, element in ElementTree.iterparse(path, events=("end",), forbid_dtd=True):
            if element.tag != "row":
                continue
            number += 1
            attributes = dict(element.attrib)
            for name in needed:
                if name not in attributes:
                    which = f"row {number} (Id {attributes.get('Id', 'missing')})"
                    raise BrokenDump(f"{path}: {which} has no {name}.")
            yield attributes
            element.clear()
    except ParseError as error:
        line, column = error.position
        raise BrokenDump(f"{path}, line {line}, column {column}: not well-formed XML.") from error
    except DefusedXmlException as error:
        raise BrokenDump(f"{path}: it declares entities, which no dump does.") from error
    except UnicodeDecodeError as error:
        raise BrokenDump(f"{path}: not UTF-8 after {number} rows.") from error


def instant(text: str) -> datetime:
    """Read `2015-01-27T20:09:32.720` as UTC. Raises BrokenDump."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise BrokenDump(f"{text!r} is no date and time.") from error


def markdown(html: str) -> str:
    """Turn a body into Markdown that our renderer shows as the same text; tags it has no word for
    leave their text behind."""
    # Markdown keeps the words inside any tag; of these they are no words.
    plain = nh3.clean(html, clean_content_tags={"script", "style", "iframe"}, link_rel=None)
    text: str = markdownify(
        plain,
        heading_style="ATX",
        bullets="-",
        # A line end inside HTML is a space; in our posts it would be a line of its own.
        wrap=True,
        wrap_width=None,
        escape_misc=False,
        newline_style="backslash",
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def handle_base(name: str) -> str:
    """Make a handle's letters of a display name: `Søren Ødegård` becomes `soren-odegard`."""
    plain = name.translate(PLAIN)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:HANDLE_BASE_MAX_CHARS].strip("-")
    return plain or "member"


def relink(body: str, hosts: set[str], address_of: Callable[[str], str | None]) -> str:
    """Replace addresses of the site's own posts by ours.

    `hosts` are the hosts the dump's site answered on (an address without a host is always its
    own); `address_of` gives our address of an outside post id, or None when it is not here.
    """

    def ours(match: re.Match[str]) -> str:
        host = match["host"]
        if host is not None and host not in hosts:
            return match[0]
        wanted = match["below"] or match["question"] or match["post"]
        return address_of(wanted) or match[0]

    return POST_ADDRESS.sub(ours, body)
