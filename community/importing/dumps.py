"""Reading what other sites write: XML rows as a stream, HTML as our Markdown. Pure.

Stack Exchange's rows: a line a `<row …/>`, UTF-8 with a byte-order mark, times without a zone are
UTC, `Body` is HTML, `Text` of comments is a little Markdown. Source: the README of its data dump.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote
from xml.etree.ElementTree import ParseError

import nh3
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from markdownify import MarkdownConverter

from community.importing.addresses import CALL, JOINER
from community.importing.spool import BadRecord

HANDLE_BASE_MAX_CHARS: Final = 20
HTML_MAX_CHARS: Final = 1_000_000
TAGS_MAX: Final = 10_000  # in one text; a post of ours has no room for what they say
LINE_MAX_CHARS: Final = 16 * 1024 * 1024
EMPTY_BODY: Final = "*(This post had no text.)*"
# Letters that do not come apart into a letter and its mark.
PLAIN: Final[dict[int, str]] = {ord("ø"): "o", ord("Ø"): "O", ord("ß"): "ss", ord("ł"): "l"}


class BrokenDump(Exception):
    """The dump cannot be read on; `str()` says which file and where."""


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the attributes of every `<row>`, one at a time, however large the file.

    Raises BrokenDump where the file is not well-formed or carries entities.
    """
    number = 0
    try:
        for _, element in ElementTree.iterparse(path, events=("end",), forbid_dtd=True):
            if element.tag != "row":
                continue
            number += 1
            yield dict(element.attrib)
            element.clear()
    except ParseError as error:
        line, column = error.position
        raise BrokenDump(f"{path}, line {line}, column {column}: not well-formed XML.") from error
    except DefusedXmlException as error:
        raise BrokenDump(f"{path}: it declares entities, which no dump does.") from error
    except UnicodeDecodeError as error:
        raise BrokenDump(f"{path}: not UTF-8 after {number} rows.") from error


def json_lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Yield (line number, line) of a file, None for a line longer than LINE_MAX_CHARS."""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        number = 0
        while line := lines.readline(LINE_MAX_CHARS + 1):
            number += 1
            whole: str | None = line
            while len(line) > LINE_MAX_CHARS and not line.endswith("\n"):
                whole = None
                line = lines.readline(LINE_MAX_CHARS + 1)
            if whole is None or whole.strip():
                yield number, whole


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON object. Raises BadRecord."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise BadRecord("it is nested too deep") from None
    except ValueError as error:
        raise BadRecord(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadRecord("it is no JSON object")
    return found


def text_in(record: dict[str, Any], *names: str) -> str:
    """Return the first of these fields that has a text or a number in it, as text; else empty."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def words_of(html: str) -> str:
    """Return what a scrap of HTML says, on one line."""
    return " ".join(unescape(nh3.clean(html, tags=set())).split())


def dict_in(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def dicts_in(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects of a list of objects; empty for anything else."""
    value = record.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def votes_in(value: object) -> int:
    """Return how many votes a record says it has; what is no number or below none counts none."""
    try:
        return min(max(int(float(str(value)[:20])), 0), 10**9)
    except (ValueError, OverflowError):
        return 0


# -- HTML -------------------------------------------------------------------------------------

# What tells a quote from a box about a link, a mention from a link, a smiley from a picture.
ATTRIBUTES: Final[dict[str, set[str]]] = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "a": {"href", "class"},
    "aside": {"class", "data-username", "data-post", "data-topic", "data-onebox-src"},
    "div": {"class"},
    "img": {"src", "alt", "class"},
}
# A break at the end of a paragraph would leave its backslash to be read.
LAST_BREAKS: Final = re.compile(
    r"(?:<br>\s*)++(?=</?(?:p|ul|ol|li|blockquote|pre|div|hr|table|h[1-6]|aside)\b|\Z)"
)
# Markdown keeps the words inside any tag; of these they are no words.
WORDLESS: Final = {"script", "style", "iframe", "svg", "noscript", "template"}


# Its stub leaves out what is meant to be overridden.
_Base: Any = MarkdownConverter


class _Converter(_Base):  # type: ignore[misc]
    """HTML as our Markdown: addresses get their host, pictures become links, nobody is called."""

    def convert_a(self, el: Any, text: str, parent_tags: set[str]) -> str:
        href = self._absolute(str(el.get("href") or ""))
        if href:
            el["href"] = href
            if "lightbox" in (el.get("class") or []):
                return _link(_picture_name(el.find("img")) or href, href)
        del el["title"]
        return str(super().convert_a(el, text.replace(f"@{JOINER}", "@"), parent_tags))

    def convert_img(self, el: Any, text: str, parent_tags: set[str]) -> str:
        alt = str(el.get("alt") or "")
        src = self._absolute(str(el.get("src") or ""))
        if not src or "emoji" in (el.get("class") or []) or "a" in _names_above(el):
            return alt
        return _link(alt or unquote(src.rpartition("/")[2])[:80] or "picture", src)

    def convert_aside(self, el: Any, text: str, parent_tags: set[str]) -> str:
        if src := el.get("data-onebox-src"):
            return f"\n\n<{self._absolute(str(src))}>\n\n"
        who = el.get("data-username")
        if "quote" not in (el.get("class") or []) or not who:
            return f"\n\n{text.strip()}\n\n"
        topic, number = el.get("data-topic"), el.get("data-post")
        name = self.escape(str(who), parent_tags)
        if topic and number and f"{topic}{number}".isdecimal():
            name = _link(name, f"{self.options['base']}/t/{topic}/{number}")
        # As our own quotes begin; `text` is the quote, each line behind its mark.
        return f"\n\n> {name}:\n>\n{text.strip()}\n\n"

    def convert_div(self, el: Any, text: str, parent_tags: set[str]) -> str:
        classes = el.get("class") or []
        if "poll" in classes:
            return ""  # it comes in as a poll
        # The head of a quote and the foot of a picture: said already.
        if "meta" in classes or ("title" in classes and el.parent and el.parent.name == "aside"):
            return ""
        return str(super().convert_div(el, text, parent_tags))

    def process_text(self, el: Any, parent_tags: set[str] | None = None) -> str:
        text = str(super().process_text(el, parent_tags))
        if parent_tags and {"pre", "code", "_noformat"} & parent_tags:
            return text
        return CALL.sub(f"@{JOINER}", text)

    def _absolute(self, address: str) -> str:
        base: str = self.options["base"]
        address = re.sub(r"[\t\r\n]", "", address.strip()).replace(" ", "%20")
        address = address.replace("<", "%3C").replace(">", "%3E")
        if (
            not base
            or not address
            or address.startswith("#")
            or re.match(r"[a-z+.-]+:", address, re.I)
        ):
            return address
        if address.startswith("//"):
            return f"https:{address}"
        return f"{base}/{address.removeprefix('./').lstrip('/')}"


def _names_above(el: Any) -> set[str]:
    return {parent.name for parent in el.parents}


def _picture_name(img: Any) -> str:
    return str(img.get("alt") or "") if img else ""


def _link(text: str, address: str) -> str:
    plain = re.sub(r"[\[\]\n]", " ", text).strip()
    # Brackets and spaces would end the address early.
    return f"[{plain}]({address.replace('(', '%28').replace(')', '%29')})"


def markdown(html: str, *, base: str = "") -> str:
    """Turn a body into Markdown that our renderer shows as the same text; tags it has no word for
    leave their text behind, pictures their address. `base` is put before addresses without a host.

    Raises BadRecord for what is too long to be talk, RecursionError for what is nested too deep.
    """
    if len(html) > HTML_MAX_CHARS or html.count("<") > TAGS_MAX:
        raise BadRecord(f"its text has {len(html):,} characters and {html.count('<'):,} tags")
    plain = nh3.clean(
        html,
        clean_content_tags=WORDLESS,
        tags=nh3.ALLOWED_TAGS - WORDLESS,
        attributes=ATTRIBUTES,
        link_rel=None,
    )
    plain = LAST_BREAKS.sub("", plain)
    text: str = _Converter(
        base=base,
        heading_style="ATX",
        bullets="-",
        # A line end inside HTML is a space; in our posts it would be a line of its own.
        wrap=True,
        wrap_width=None,
        escape_misc=False,
        newline_style="backslash",
    ).convert(plain)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def handle_base(name: str) -> str:
    """Make a handle's letters of a display name: `Søren Ødegård` becomes `soren-odegard`."""
    plain = name.translate(PLAIN)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:HANDLE_BASE_MAX_CHARS].strip("-")
    return plain or "member"
