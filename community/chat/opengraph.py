"""What a page says of itself in its head. Pure: text in, values out, in time that grows with it.

Not a parser: a page is anybody's, and all that is asked of it are its title and its meta tags. Each
is found by itself, within bounds, and what is odd is left out.
"""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

HEAD_MAX_CHARS: Final = 600_000
METAS_MAX: Final = 400
TITLE_MAX_CHARS: Final = 200
DESCRIPTION_MAX_CHARS: Final = 400
SITE_MAX_CHARS: Final = 80
ADDRESS_MAX_CHARS: Final = 2_000

_META: Final = re.compile(
    r"<meta\s((?:[^<>\"']|\"[^\"<]{0,4000}\"|'[^'<]{0,4000}'){0,200})>", re.IGNORECASE
)
_PAIR: Final = re.compile(
    r"([a-z:.-]{1,40})\s{0,9}=\s{0,9}(?:\"([^\"]{0,4000})\"|'([^']{0,4000})'|([^\s\"'>]{1,4000}))",
    re.IGNORECASE,
)
_TITLE: Final = re.compile(r"<title(?:\s[^<>]{0,200})?>([^<]{0,2000})", re.IGNORECASE)
_END: Final = re.compile(r"</head|<body", re.IGNORECASE)
# Those of the web. Python knows more, and one of them, punycode, takes minutes over a page.
_CHARSETS: Final = re.compile(
    r"utf-(?:8|16)|ascii|iso8859|cp(?:125|874|866|93|949|950)|koi8|mac|gb|big5|shift_jis|euc_|iso2022"
)
_CHARSET: Final = re.compile(
    rb"<meta[^<>]{0,200}?charset=[\"']?([a-z0-9_.:-]{2,40})", re.IGNORECASE
)


@dataclass(frozen=True)
class Said:
    """What a page says of itself; all of it may be empty. `image` is an address of its own."""

    title: str = ""
    description: str = ""
    site_name: str = ""
    image: str = ""


def read_page(body: bytes, *, url: str, charset: str = "") -> Said:
    """Read the head of a page that came from `url`."""
    text = _decode(body, charset)[:HEAD_MAX_CHARS]
    if end := _END.search(text):
        text = text[: end.start()]
    metas: dict[str, str] = {}
    for name, content in _metas(text):
        metas.setdefault(name, content)
    titled = _TITLE.search(text)
    title = metas.get("og:title") or metas.get("twitter:title") or (titled[1] if titled else "")
    described = (
        metas.get("og:description")
        or metas.get("twitter:description")
        or metas.get("description", "")
    )
    image = metas.get("og:image:secure_url") or metas.get("og:image") or metas.get("twitter:image")
    return Said(
        title=tidy(title, TITLE_MAX_CHARS),
        description=tidy(described, DESCRIPTION_MAX_CHARS),
        site_name=tidy(metas.get("og:site_name", ""), SITE_MAX_CHARS),
        image=_address(url, image or ""),
    )


def tidy(text: str, most: int) -> str:
    """Return it on one line of at most `most` characters.

    Without characters that turn other text round, and without what a line of HTML escapes twice.
    """
    text = html.unescape(text[: most * 8])
    text = on_one_line(text)
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def on_one_line(text: str) -> str:
    """Return it without line ends, without what turns text round and what nobody sees."""
    return " ".join("".join(" " if _is_unseen(one) else one for one in text).split())


def _is_unseen(one: str) -> bool:
    """Controls, and formats such as those that turn the direction of writing; not the joiners."""
    return unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co") and one not in "\u200c\u200d"


def _metas(text: str) -> Iterator[tuple[str, str]]:
    for number, meta in enumerate(_META.finditer(text)):
        if number >= METAS_MAX:
            return
        pairs = {
            found[1].lower(): found[2] or found[3] or found[4] or ""
            for found in _PAIR.finditer(meta[1])
        }
        name = (pairs.get("property") or pairs.get("name") or "").strip().lower()
        if name and pairs.get("content", "").strip():
            yield name, pairs["content"]


def _decode(body: bytes, charset: str) -> str:
    if not charset and (said := _CHARSET.search(body[:4_096])):
        charset = said[1].decode("ascii", "replace")
    try:
        known = codecs.lookup(charset or "utf-8").name
        if _CHARSETS.match(known):
            return body.decode(known, "replace")
    except (LookupError, ValueError):
        pass
    return body.decode("utf-8", "replace")


def _address(page: str, image: str) -> str:
    image = html.unescape(image.strip())
    if not image or len(image) > ADDRESS_MAX_CHARS:
        return ""
    try:
        address = urljoin(page, image)
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.hostname else ""
