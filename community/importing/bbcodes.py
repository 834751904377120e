"""phpBB's three ways to keep a post, as Markdown. Pure.

Until 3.1 a post is BBCode in escaped HTML, each tag with the post's own mark (`[b:3vg7k2ny]`),
smilies and addresses in comments; since 3.2 it is XML that keeps the BBCode beside its meaning
(`<r><B><s>[b]</s>…<e>[/b]</e></B></r>`, or `<t>` for plain text). Both lead back to the BBCode the
member typed, and that by way of HTML to Markdown.
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

import bbcode  # type: ignore[import-untyped]

from community.importing import dumps
from community.importing.spool import BadRecord

STEPS_MAX: Final = 2_000_000  # the reader looks for the end of every tag in all that follows
DEPTH_MAX: Final = 40
RICH: Final = re.compile(r"\s*<([rt])(?:\s[^>]*)?>.*</\1>\s*\Z", re.S)
SMILEY: Final = re.compile(r"<!-- s(\S{1,50}) -->.{0,500}?<!-- s\1 -->", re.S)
ADDRESS: Final = re.compile(
    r"<!-- ([mlwe]) --><a [^<>]{0,300}?href=\"([^\"<>]{0,2000})\"[^<>]{0,200}>"
    r".{0,2000}?</a><!-- \1 -->",
    re.S,
)
COMMENT: Final = re.compile(r"<!--.{0,100}?-->", re.S)
UID: Final = re.compile(r"[a-z0-9]{4,10}")
TAG: Final = re.compile(r"\[/?[a-z*]", re.I)


def unescaped(text: str) -> str:
    """Names and titles are kept as HTML."""
    return html.unescape(text)


def source_of(stored: str, *, uid: str = "") -> str:
    """Return the BBCode a member typed, from any form phpBB keeps it in."""
    if RICH.match(stored):
        return html.unescape(re.sub(r"<[^<>]*>", "", stored))
    text = SMILEY.sub(r"\1", stored)
    text = ADDRESS.sub(lambda found: found[2].removeprefix("mailto:"), text)
    text = COMMENT.sub("", text)
    if UID.fullmatch(uid):
        # [b:uid], [list=1:uid], [/*:m:uid], [/list:u:uid], [quote=&quot;x&quot;:uid]
        text = re.sub(rf"(?::[a-z])?:{uid}(?=\])", "", text)
        text = text.replace("[/*]", "")
    text = re.sub(r"<br\s*/?>\n?", "\n", text)
    return html.unescape(text)


def markdown(source: str, *, base: str = "") -> str:
    """Turn BBCode into Markdown. Raises BadRecord for what only wants to keep us busy."""
    tags = len(TAG.findall(source))
    if tags * (tags + source.count("\n")) > STEPS_MAX:
        raise BadRecord(f"it has {tags:,} tags on {source.count(chr(10)) + 1:,} lines")
    # One reader a text: it keeps state while it reads.
    found: str = _parser().format(source.replace("\r\n", "\n").replace("\r", "\n"))
    return dumps.markdown(found, base=base)


def _parser() -> bbcode.Parser:
    # Addresses in the text become links in our own renderer, by a pattern of bounded cost.
    parser = bbcode.Parser(replace_links=False, replace_cosmetic=False, max_tag_depth=DEPTH_MAX)
    block = {"strip": True, "swallow_trailing_newline": True}
    parser.add_simple_formatter("s", "<s>%(value)s</s>")
    parser.add_formatter("quote", _quote, **block)
    parser.add_formatter("img", _img, render_embedded=False)
    parser.add_formatter("email", _email, render_embedded=False)
    parser.add_simple_formatter("spoiler", "<blockquote>%(value)s</blockquote>", **block)
    parser.add_simple_formatter(
        "code",
        "<pre><code>%(value)s</code></pre>",
        render_embedded=False,
        transform_newlines=False,
        swallow_trailing_newline=True,
    )
    parser.add_simple_formatter(
        "c", "<code>%(value)s</code>", render_embedded=False, transform_newlines=False
    )
    # Looks and boxes that have no word here leave their text.
    for name in ("size", "color", "font", "align", "center", "left", "right", "attachment", "u"):
        parser.add_simple_formatter(name, "%(value)s")
    for name in ("youtube", "media", "flash"):
        parser.add_simple_formatter(name, "%(value)s", render_embedded=False)
    return parser


def _quote(_name: str, value: str, options: Any, _parent: Any, _context: Any) -> str:
    who = html.escape(str(options.get("quote") or "").strip()) if options else ""
    post = str(options.get("post_id") or "") if options else ""
    if who and re.fullmatch(r"\d{1,18}", post, re.ASCII):
        who = f'<a href="viewtopic.php?p={post}#p{post}">{who}</a>'
    return f"<blockquote>{f'<p>{who}:</p>' if who else ''}{value}</blockquote>"


def _img(_name: str, value: str, _options: Any, _parent: Any, _context: Any) -> str:
    return f'<img src="{value.strip()}" alt="">'


def _email(_name: str, value: str, options: Any, _parent: Any, _context: Any) -> str:
    address = html.escape(str(options.get("email") or "")) if options else value
    return f'<a href="mailto:{address.strip()}">{value}</a>'
