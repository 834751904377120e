"""Addresses of the four kinds of site: what each names. Pure.

Read by the page that redirects them, and by the importers for links between the posts themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from django.urls import reverse

PEOPLE: Final = frozenset({"user", "username"})
STACKEXCHANGE, DISCOURSE, REDDIT, PHPBB = "stackexchange", "discourse", "reddit", "phpbb"
PATH_MAX_CHARS: Final = 500

Name = tuple[str, str]  # (kind, external id)

NUMBER: Final = r"\d{1,18}"
# Each shape with the names it may have, best first; a name whose group is missing is left out.
SHAPES: Final[dict[str, list[tuple[re.Pattern[str], list[tuple[str, str]]]]]] = {
    STACKEXCHANGE: [
        (
            re.compile(rf"/questions/(?P<a>{NUMBER})(?:/[^/]*(?:/(?P<b>{NUMBER}))?)?/?"),
            [("post", "{b}"), ("post", "{a}")],
        ),
        (re.compile(rf"/(?:q|a|posts)/(?P<a>{NUMBER})(?:/.*)?"), [("post", "{a}")]),
        (re.compile(rf"/users/(?P<a>{NUMBER})(?:/.*)?"), [("user", "{a}")]),
    ],
    DISCOURSE: [
        # The slug has something that is no digit: /t/12/3 is post 3 of topic 12.
        (
            re.compile(rf"/t/(?:[^/]*[^/\d][^/]*/)?(?P<a>{NUMBER})(?:/(?P<b>{NUMBER}))?/?"),
            [("place", "{a}/{b}"), ("place", "{a}/1")],
        ),
        (re.compile(rf"/(?:p|posts)/(?P<a>{NUMBER})(?:/.*)?"), [("post", "{a}")]),
        (re.compile(rf"/c/(?:[^/]+/){{0,3}}(?P<a>{NUMBER})(?:/.*)?"), [("room", "{a}")]),
        (re.compile(r"/(?:u|users)/(?P<a>[^/]+)(?:/.*)?"), [("username", "{a}")]),
    ],
    REDDIT: [
        (
            re.compile(
                r"(?:/(?:r|user|u)/[^/]+)?/comments/(?P<a>[a-z0-9]{1,13})"
                r"(?:/[^/]*(?:/(?P<b>[a-z0-9]{1,13}))?)?/?",
                re.I,
            ),
            [("comment", "{b}"), ("post", "{a}")],
        ),
        (re.compile(r"/r/(?P<a>[^/]+)/?"), [("room", "{a}")]),
        (re.compile(r"/(?:u|user)/(?P<a>[^/]+)/?"), [("username", "{a}")]),
    ],
    PHPBB: [],
}
# A board may stand in a folder of its site: /forum/viewtopic.php.
PHP_PAGE: Final = re.compile(r"/(viewtopic|viewforum|memberlist)\.php\Z")
PHP_NAMES: Final[dict[str, list[tuple[str, str]]]] = {
    "viewtopic": [("p", "post"), ("t", "thread")],
    "viewforum": [("f", "room")],
    "memberlist": [("u", "user")],
}
LOWERED: Final = frozenset({"username", "comment"})
FRAGMENTS: Final[dict[str, tuple[re.Pattern[str], str]]] = {
    STACKEXCHANGE: (re.compile(rf"comment({NUMBER})(?:_{NUMBER})?"), "comment"),
    PHPBB: (re.compile(rf"p({NUMBER})"), "post"),
}


def names_in(style: str, path: str, query: Mapping[str, str], fragment: str = "") -> list[Name]:
    """Return what an address of a site of this style may name, best first; nothing for others."""
    names: list[Name] = []
    if style in FRAGMENTS:
        pattern, kind = FRAGMENTS[style]
        if found := pattern.fullmatch(fragment):
            names.append((kind, found[1]))
    if len(path) > PATH_MAX_CHARS:
        return names
    if style == PHPBB:
        if page := PHP_PAGE.search(path):
            for parameter, kind in PHP_NAMES[page[1]]:
                number = query.get(parameter, "")
                if re.fullmatch(NUMBER, number, re.ASCII):
                    names.append((kind, number))
        return names
    for shape, wanted in SHAPES[style]:
        if found := shape.fullmatch(path):
            parts = found.groupdict()
            for kind, form in wanted:
                if "{b}" in form and not parts.get("b"):
                    continue
                id_ = form.format(**parts)
                lower = style == REDDIT or kind in LOWERED
                names.append((kind, id_.lower() if lower else id_))
            break
    return names


# -- in the text of posts ---------------------------------------------------------------------

LINK: Final = re.compile(
    r"\[(?P<text>(?:[^\[\]\\\n]|\\.){0,300})\]"
    r"\((?:<(?P<angled>[^<>\n]{1,2000})>|(?P<plain>[^\s()<>]{1,2000}))"
    r"(?P<title>[ ]\"[^\"\n]{0,300}\")?\)"
    r"|<(?P<auto>https?://[^\s<>]{1,2000})>"
    r"|(?P<bare>https?://[^\s<>()\[\]\"'`\\]{1,2000})"
)
MENTION_TEXT: Final = re.compile(r"(?:@|/?u/)\S*", re.I)
# Between @ and a name the old site did not mean a member by: else it would call one of ours.
JOINER: Final = "\u2060"

Ours = Callable[[str, str], str | None]


def absolute(markdown: str, base: str) -> str:
    """Put `base` before addresses without a host: they meant the old site's, not ours."""

    def replace(match: re.Match[str]) -> str:
        address = match["angled"] or match["plain"] or ""
        if not address.startswith("/") or address.startswith("//"):
            return match[0]
        return f"[{match['text']}]({base}{address}{match['title'] or ''})"

    return outside_code(markdown, lambda piece: LINK.sub(replace, piece))


def relink(body: str, *, style: str, hosts: Collection[str], base: str, ours: Ours) -> str:
    """Replace addresses of the old site in Markdown by ours.

    `hosts` are those it answered on, `base` what stands before its addresses without a host.
    `ours` gives our address of a (kind, id), of a person `@handle`, or None. What leads nowhere
    here stays, and may be tried again when more has come.
    """

    def find(address: str) -> str | None:
        local = address.removeprefix(base) if address.startswith(f"{base}/") else address
        try:
            parts = urlsplit(local)
            query = dict(parse_qsl(parts.query, max_num_fields=50))
            if local == address and parts.hostname not in hosts:
                return None
        except ValueError:
            return None
        for kind, id_ in names_in(style, parts.path, query, parts.fragment):
            if found := ours(kind, id_):
                return found
        return None

    def replace(match: re.Match[str]) -> str:
        if written := match["auto"] or match["bare"]:
            # A full stop after an address is the sentence's.
            address = written if match["auto"] else written.rstrip(".,;:!?")
            found = find(address)
            if found is None:
                return match[0]
            words = re.sub(r"([\[\]*_])", r"\\\1", address)
            return f"[{words}]({_page(found)}){written[len(address) :]}"
        found = find(match["angled"] or match["plain"])
        if found is None:
            return match[0]
        if found.startswith("@") and MENTION_TEXT.fullmatch(match["text"]):
            piece = match.string
            before = piece[max(match.start() - 1, 0) : match.start()]
            after = piece[match.end() : match.end() + 1]
            if not re.match(r"[\w@/.+-]", before) and not re.match(r"[\w@]", after):
                return found
        return f"[{match['text']}]({_page(found)}{match['title'] or ''})"

    return outside_code(body, lambda piece: LINK.sub(replace, piece))


def _page(found: str) -> str:
    return reverse("member", args=[found[1:]]) if found.startswith("@") else found


CODE: Final = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`|^(?:    |\t).*?$)", re.S | re.M)
CALL: Final = re.compile(r"(?<![\w@/.+-])@(?=[a-z0-9])", re.I)


def call_nobody(markdown: str) -> str:
    """Let `@name` in somebody's Markdown, but not in code, stay words: it named no member here."""
    return outside_code(markdown, lambda piece: CALL.sub(f"@{JOINER}", piece))


def outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """Change what is no code."""
    pieces = CODE.split(markdown)
    return "".join(piece if at % 2 else change(piece) for at, piece in enumerate(pieces))
