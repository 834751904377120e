"""From a member's Markdown to HTML we are ready to show to anybody: the only such road.

Pure: what has to be looked up (pictures, members) comes in as functions. Markdown is read with
raw HTML off, links and pictures are resolved on the tokens, and the result still goes through an
allow-list of tags and attributes, so that a fault in one half is caught by the other.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

# Grows when the same source would render otherwise; posts keep the version that rendered them.
MARKUP_VERSION = 4
SOURCE_MAX_CHARS = 50_000
# What a source may grow to: "[a]: address" once and "[a]" nine thousand times are 90 MB of links.
HTML_MAX_CHARS = 1_000_000
IMAGES_MAX = 40  # pictures in one post; further ones stay their alt text
MENTIONS_MAX = 50  # distinct handles looked up in one post; further ones stay text
QUOTES_MAX = 50  # distinct posts noted as quoted in one post

ADDRESSES_MAX = 500  # bare addresses in one post; where there are more, none becomes a link

LINK_REL = "nofollow ugc noopener"
URL_SCHEMES = {"http", "https", "mailto"}
INLINE_TAGS = {"p", "br", "strong", "em", "s", "code", "a", "img"}
TAGS = INLINE_TAGS | {
    *("h3", "h4", "h5", "h6", "hr", "blockquote", "pre", "ul", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td", "div"),
}
# "*" must be there and empty: without it nh3 keeps `title` and `lang` on every tag.
ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "loading", "decoding"},
    "ol": {"start"},
}
CLASSES: dict[str, set[str]] = {
    "a": {"mention", "picture"},
    "blockquote": {"quote"},
    "div": {"table"},
    "th": {"center", "end"},
    "td": {"center", "end"},
}
# What scrolls sideways can be reached by the keyboard.
ALWAYS: dict[str, dict[str, str]] = {"pre": {"tabindex": "0"}}
VALUES: dict[str, dict[str, set[str]]] = {
    "div": {"tabindex": {"0"}},
}

HEADINGS = ("h3", "h4", "h5", "h6")  # by depth in the post's own outline; deeper ones stay h6
ALIGNMENTS = {"text-align:center": "center", "text-align:right": "end"}
MENTION = re.compile(r"(?<![\w@/.+-])@([a-z0-9](?:[a-z0-9_-]{0,28}[a-z0-9])?)(?![\w@])", re.I)
IMAGE = re.compile(r"image:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z", re.I)
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.I)
# Of the ways to write another site's address the one that is counted, held and shown for what it
# is: browsers go there by "//other.example" and "https:other.example" too.
ELSEWHERE = re.compile(r"https?://[^/\\?#]|mailto:", re.I)
# "> [Ivo](/p/12/): …" says whose words these are; the link is our permalink of the post.
QUOTED = re.compile(r"/(?:p|posts)/([1-9]\d{0,17})/?\Z")


@dataclass(frozen=True, slots=True)
class Picture:
    """An upload as a post shows it: `src` in the text, linked to `url`, sizes in CSS pixels."""

    url: str
    src: str
    width: int
    height: int
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """`html` is safe to show. The rest is what the text refers to, in its order, each once."""

    html: str
    text: str  # without markup, for excerpts and search
    image_ids: tuple[UUID, ...] = ()
    mentions: tuple[str, ...] = ()  # handles that exist, but for those in quotes of posts
    quotes: tuple[int, ...] = ()  # ids of posts that are quoted by name, there or not
    links: tuple[str, ...] = ()  # http and https addresses, as written


class SourceTooLong(ValueError):
    """The source is longer than SOURCE_MAX_CHARS, or its HTML than HTML_MAX_CHARS."""


FindImages = Callable[[Sequence[UUID]], Mapping[UUID, Picture]]
FindMembers = Callable[[Sequence[str]], Mapping[str, str]]


def _none(_wanted: object) -> dict[Any, Any]:
    return {}


def render(
    source: str,
    *,
    images: FindImages = _none,
    members: FindMembers = _none,
    inline_only: bool = False,
) -> Rendered:
    """Render Markdown of at most SOURCE_MAX_CHARS characters.

    `images` is asked once, with the ids of `![alt](image:ID)`, which of them the writer may show;
    `members` once, with lower-case handles after @, for the page of each that exists. Neither is
    asked about nothing. `inline_only` leaves headings, lists, tables, quotes and code blocks as
    they were typed (chat).

    Raises SourceTooLong.
    """
    if len(source) > SOURCE_MAX_CHARS:
        raise SourceTooLong
    parser = _parser(inline_only, addresses=_links_addresses(source))
    tokens = parser.parse(source)
    wanted_images, wanted_handles = _references(tokens)
    weaver = _Weaver(
        pictures=images(wanted_images) if wanted_images else {},
        pages=members(wanted_handles) if wanted_handles else {},
    )
    text = _text(tokens)
    weaver.weave(tokens)
    if _attribute_chars(tokens) > HTML_MAX_CHARS:
        raise SourceTooLong
    html = parser.renderer.render(tokens, parser.options, {})
    if len(html) > HTML_MAX_CHARS:
        raise SourceTooLong
    return Rendered(
        html=clean(html, tags=INLINE_TAGS if inline_only else TAGS, srcs=weaver.srcs),
        text=text,
        image_ids=tuple(weaver.image_ids),
        mentions=tuple(weaver.mentions),
        quotes=tuple(weaver.quotes)[:QUOTES_MAX],
        links=tuple(weaver.links),
    )


def plain_text(source: str) -> str:
    """Return the words of `source` on one line, without markup, quotes and pictures.

    A text that is nothing but quotes keeps them. Raises SourceTooLong.
    """
    if len(source) > SOURCE_MAX_CHARS:
        raise SourceTooLong
    return _text(_parser(False, addresses=_links_addresses(source)).parse(source))


def clean(html: str, *, tags: set[str] = TAGS, srcs: Iterable[str] = ()) -> str:
    """Keep of `html` what is on the lists above; pictures only from `srcs`."""
    known = set(srcs)

    def only_our_pictures(tag: str, attribute: str, value: str) -> str | None:
        if tag == "img" and attribute == "src" and value not in known:
            return None
        return value

    return nh3.clean(
        html,
        tags=tags,
        attributes={tag: names for tag, names in ATTRIBUTES.items() if tag == "*" or tag in tags},
        attribute_filter=only_our_pictures if "<img" in html else None,
        allowed_classes={tag: names for tag, names in CLASSES.items() if tag in tags},
        tag_attribute_values={tag: pairs for tag, pairs in VALUES.items() if tag in tags},
        set_tag_attribute_values={tag: pairs for tag, pairs in ALWAYS.items() if tag in tags},
        url_schemes=URL_SCHEMES,
        link_rel=LINK_REL,
    )


# -- reading ----------------------------------------------------------------------------------


# One per thread: linkify-it keeps the last match on itself, so two threads would mix theirs up.
_local = threading.local()


def _links_addresses(source: str) -> bool:
    # The parser reads all before it again at each `://`: 6,000 in 50 kB took five seconds.
    return source.count("://") <= ADDRESSES_MAX


def _parser(inline_only: bool, *, addresses: bool) -> MarkdownIt:
    name = f"{'inline' if inline_only else 'full'}_{'linked' if addresses else 'plain'}"
    parser = cast(MarkdownIt | None, getattr(_local, name, None))
    if parser is None:
        parser = _make_parser(inline_only, addresses)
        setattr(_local, name, parser)
    return parser


def _make_parser(inline_only: bool, addresses: bool = True) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
    parser.enable(["strikethrough", "linkify"] if addresses else "strikethrough")
    if inline_only:
        parser.disable(
            ["heading", "lheading", "hr", "blockquote", "list", "code", "fence", "reference"]
        )
    else:
        parser.enable("table")
        parser.add_render_rule("table_open", _open_table)
        parser.add_render_rule("table_close", _close_table)
    if parser.linkify is not None:
        # Only what has a scheme: "works.It was" and "readme.md" are not addresses.
        parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    parser.validateLink = _may_link  # type: ignore[method-assign]
    return parser


def _may_link(url: str) -> bool:
    if IMAGE.match(url):
        return True
    url = url.strip()
    if SCHEME.match(url):
        return ELSEWHERE.match(url) is not None
    return not url.startswith(("//", "/\\", "\\"))


def _open_table(renderer: Any, tokens: Sequence[Token], index: int, *_rest: object) -> str:
    # Without words of ours: what is stored is read in every language.
    return '<div class="table" tabindex="0"><table>\n'


def _close_table(renderer: Any, tokens: Sequence[Token], index: int, *_rest: object) -> str:
    return "</table></div>\n"


def _attribute_chars(tokens: Sequence[Token]) -> int:
    """How long addresses and titles are together, before they are written out."""
    return sum(
        len(str(value))
        for token in tokens
        for child in token.children or ()
        for value in child.attrs.values()
    )


def _references(tokens: Sequence[Token]) -> tuple[list[UUID], list[str]]:
    images: dict[UUID, None] = {}
    handles: dict[str, None] = {}
    for token in tokens:
        for child in token.children or ():
            if child.type == "image":
                if found := IMAGE.match(str(child.attrGet("src") or "")):
                    images[UUID(found[1])] = None
            elif child.type == "text":
                handles.update((m[1].lower(), None) for m in MENTION.finditer(child.content))
    return list(images)[:IMAGES_MAX], list(handles)[:MENTIONS_MAX]


def _text(tokens: Sequence[Token]) -> str:
    said: list[str] = []
    quoted: list[str] = []
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type.startswith("blockquote") else 0
        into = quoted if depth else said
        if token.type in ("fence", "code_block"):
            into.append(token.content)
        elif token.type == "inline":
            into.append(
                "".join(
                    " " if child.type in ("softbreak", "hardbreak") else child.content
                    for child in token.children or ()
                    if child.type != "image"
                )
            )
    return " ".join(" ".join(said).split()) or " ".join(" ".join(quoted).split())


# -- writing ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Weaver:
    """Puts pictures, mentions and headings of ours into parsed tokens, and notes what it saw."""

    pictures: Mapping[UUID, Picture]
    pages: Mapping[str, str]
    srcs: set[str] = field(default_factory=set)
    image_ids: dict[UUID, None] = field(default_factory=dict)
    mentions: dict[str, None] = field(default_factory=dict)
    quotes: dict[int, None] = field(default_factory=dict)
    links: dict[str, None] = field(default_factory=dict)
    in_quotes: list[bool] = field(default_factory=list)  # blockquotes around: of a post of ours?

    def weave(self, tokens: Sequence[Token]) -> None:
        outline: list[str] = []  # the headings the last one stands under, and itself
        for index, token in enumerate(tokens):
            if token.type == "blockquote_open":
                self._quote(token, tokens[index + 1 : index + 3])
            elif token.type == "blockquote_close":
                self.in_quotes.pop()
            elif token.type == "heading_open":
                # No level is skipped, whatever the writer began with: readers jump by them.
                while outline and outline[-1] >= token.tag:
                    outline.pop()
                outline.append(token.tag)
                token.tag = HEADINGS[min(len(outline), len(HEADINGS)) - 1]
            elif token.type == "heading_close":
                token.tag = HEADINGS[min(len(outline), len(HEADINGS)) - 1]
            elif token.type in ("th_open", "td_open"):
                style = str(token.attrs.pop("style", ""))
                if style in ALIGNMENTS:
                    token.attrSet("class", ALIGNMENTS[style])
            elif token.children:
                token.children = list(self._inline(token.children))

    def _quote(self, quote: Token, first: Sequence[Token]) -> None:
        """Mark a quote whose first line names a post of ours."""
        line = first[1].children or [] if len(first) == 2 else []
        named = QUOTED.match(str(line[0].attrGet("href") or "")) if line else None
        closing = next((n for n, one in enumerate(line) if one.type == "link_close"), len(line) - 1)
        follows = line[closing + 1] if closing + 1 < len(line) else None
        if named and follows and follows.type == "text" and follows.content.startswith(":"):
            if not any(self.in_quotes):
                self.quotes[int(named[1])] = None
            line[0].attrSet("href", f"/p/{named[1]}/")
            quote.attrSet("class", "quote")
            self.in_quotes.append(True)
        else:
            self.in_quotes.append(False)

    def _inline(self, children: Sequence[Token]) -> Iterable[Token]:
        in_link = False
        for child in children:
            if child.type == "link_open":
                in_link = True
                self._note_link(str(child.attrGet("href") or ""))
                yield child
            elif child.type == "link_close":
                in_link = False
                yield child
            elif child.type == "image":
                yield from self._image(child, in_link)
            elif child.type == "text" and not in_link and "@" in child.content:
                yield from self._mentions(child)
            else:
                yield child

    def _note_link(self, href: str) -> None:
        if href.lower().startswith(("http://", "https://")):
            self.links[href] = None

    def _image(self, token: Token, in_link: bool) -> Iterable[Token]:
        src = str(token.attrGet("src") or "")
        if own := IMAGE.match(src):
            image_id = UUID(own[1])
            if picture := self.pictures.get(image_id):
                self.image_ids[image_id] = None
                yield from self._picture(picture, token, in_link)
                return
            yield _text_token(_words(token))
            return
        # Pictures from elsewhere tell their server who reads what here, so they become links.
        if in_link or not src.lower().startswith(("http://", "https://")):
            yield _text_token(_words(token))
            return
        self._note_link(src)
        yield from _link(src, _words(token) or src)

    def _picture(self, picture: Picture, token: Token, in_link: bool) -> Iterable[Token]:
        self.srcs.add(picture.src)
        image = Token(
            "image",
            "img",
            0,
            attrs={
                "src": picture.src,
                "alt": "",  # the renderer fills it from the children
                "width": str(picture.width),
                "height": str(picture.height),
                "loading": "lazy",
                "decoding": "async",
            },
            children=[_text_token(_words(token) or picture.alt)],
        )
        if in_link:
            yield image
        else:
            opening, _empty, closing = _link(picture.url, "", "picture")
            yield from (opening, image, closing)

    def _mentions(self, token: Token) -> Iterable[Token]:
        end = 0
        for match in MENTION.finditer(token.content):
            handle = match[1].lower()
            if handle not in self.pages:
                continue
            if not any(self.in_quotes):  # whoever is quoted mentioned them, not the writer
                self.mentions[handle] = None
            if before := token.content[end : match.start()]:
                yield _text_token(before)
            yield from _link(self.pages[handle], f"@{handle}", "mention")
            end = match.end()
        if end == 0:
            yield token
        elif rest := token.content[end:]:
            yield _text_token(rest)


def _words(image: Token) -> str:
    """Return the alt text of a parsed picture without its own markup."""
    return "".join(
        " " if child.type == "softbreak" else _words(child) if child.children else child.content
        for child in image.children or ()
    )


def _text_token(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _link(href: str, words: str, css_class: str = "") -> tuple[Token, Token, Token]:
    attrs: dict[str, str | int | float] = {"href": href}
    if css_class:
        attrs["class"] = css_class
    return (
        Token("link_open", "a", 1, attrs=attrs),
        _text_token(words),
        Token("link_close", "a", -1),
    )
