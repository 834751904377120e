"""What may be written: titles and bodies as they are kept, and long texts in short."""

from __future__ import annotations

from html import unescape

from django.utils.html import strip_tags

from community.threads.errors import BodyMissing, BodyTooLong, TitleMissing, TitleTooLong
from community.threads.models import EXCERPT_MAX_CHARS, POST_MAX_CHARS, TITLE_MAX_CHARS


def clean_title(title: str) -> str:
    """Return the title on one line. Raises TitleMissing or TitleTooLong."""
    title = " ".join(storable(title).split())
    if not title:
        raise TitleMissing
    if len(title) > TITLE_MAX_CHARS:
        raise TitleTooLong
    return title


def clean_body(body: str) -> str:
    """Return the body with plain line ends. Raises BodyMissing or BodyTooLong."""
    body = storable(body).replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()
    if not body:
        raise BodyMissing
    if len(body) > POST_MAX_CHARS:
        raise BodyTooLong
    return body


def excerpt_of(text: str) -> str:
    """Cut `text` to EXCERPT_MAX_CHARS characters, at a word where there is one."""
    if len(text) <= EXCERPT_MAX_CHARS:
        return text
    whole, _space, _part = text[:EXCERPT_MAX_CHARS].rpartition(" ")
    if len(whole) < EXCERPT_MAX_CHARS // 2:
        whole = text[: EXCERPT_MAX_CHARS - 1]
    return whole.rstrip() + "…"


def words_of(html: str) -> str:
    """Cut the words of a rendered post as `excerpt_of` does."""
    return excerpt_of(" ".join(unescape(strip_tags(html)).split()))


def storable(text: str) -> str:
    """Replace what PostgreSQL cannot hold: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
