"""Letters that come in: read with care, whatever they are, and kept till a worker posts them.

A letter is somebody's text in somebody's format: parts, nesting and headers are bounded, and what
cannot be read is refused as a whole.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import errors as mime_errors
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import getaddresses, parseaddr
from typing import Any, Final

from django.db import transaction

from community.events import LetterReceived
from community.notifications.models import MESSAGE_ID_MAX_CHARS, InboundEmail
from config.outbox import publish

PARTS_MAX: Final = 100
NESTING_MAX: Final = 20
# Looked at before a letter is parsed: the parser asks each line of each multipart around it.
LINE_ENDS_MAX: Final = 300_000  # 10 MB of base64 are 280,000 with CR and LF
MULTIPARTS_MAX: Final = 20
DASHED_LINES_MAX: Final = 2_000  # where parts begin, and rules of dashes
HEADER_MAX_CHARS: Final = 2_000
TEXT_MAX_CHARS: Final = 100_000
PICTURES_MAX: Final = 4
PICTURE_MIN_BYTES: Final = 4_096  # smaller ones are the marks and logos of signatures
PICTURE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
# Python's, but no letter's: a square of time (punycode), or what is no text.
NO_CHARSETS: Final = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})
# What PostgreSQL holds in no text: NUL, and halves of a pair.
UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class Unreadable(ValueError):
    """This is no letter, or one made to be hard to read."""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as far as we care. Addresses are lower case; `headers` by lower-case name."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    text: str
    headers: dict[str, str] = field(default_factory=dict)
    pictures: tuple[Attachment, ...] = ()

    @property
    def is_automatic(self) -> bool:
        """Whether a machine wrote it: answering one begins a loop."""
        said = self.headers
        return (
            said.get("auto-submitted", "no").split(";")[0].strip().lower() != "no"
            or said.get("precedence", "").strip().lower() in ("bulk", "junk", "list", "auto_reply")
            or any(
                name in said
                for name in (
                    *("x-autoreply", "x-autorespond", "x-auto-reply-from", "list-id"),
                    *("x-loop", "x-shoal", "feedback-id", "list-unsubscribe"),
                )
            )
            or said.get("return-path", "?").strip() == "<>"
            or said.get("content-type", "").lower().startswith("multipart/report")
            or self.sender.partition("@")[0] in ("mailer-daemon", "postmaster", "")
            or "no-reply" in self.sender
            or "noreply" in self.sender
        )


# -- taking -----------------------------------------------------------------------------------


@transaction.atomic
def take(raw: bytes, kind: InboundEmail.Format) -> bool:
    """Keep a letter and announce it; False when it came before. Raises Unreadable."""
    letter = read(raw, kind)
    row, is_new = InboundEmail.objects.get_or_create(
        message_id=letter.message_id, defaults={"format": kind, "raw": raw}
    )
    if is_new:
        publish(LetterReceived(inbound_email_id=row.pk))
    return is_new


def read(raw: bytes, kind: str) -> Letter:
    """Read a letter in one of the formats. Raises Unreadable, whatever it is made of."""
    try:
        return _from_postmark(raw) if kind == InboundEmail.Format.POSTMARK else _from_mime(raw)
    except Unreadable:
        raise
    except (
        *(ValueError, TypeError, KeyError, LookupError, AttributeError, AssertionError),
        *(RecursionError, mime_errors.MessageError, OverflowError),
    ) as error:
        raise Unreadable(f"{type(error).__name__}") from error


# -- Postmark ---------------------------------------------------------------------------------


def _from_postmark(raw: bytes) -> Letter:
    said = json.loads(raw)
    if not isinstance(said, dict):
        raise Unreadable
    listed = said.get("Headers") or []
    headers = _headers((str(one["Name"]), str(one["Value"])) for one in listed[:500])
    recipients = [said.get("OriginalRecipient"), said.get("To"), said.get("Cc")]
    recipients += [one.get("Email") for one in (said.get("ToFull") or [])[:50]]
    text = _plain(said.get("TextBody")) or _without_tags(_plain(said.get("HtmlBody")))
    return Letter(
        message_id=_message_id(headers.get("message-id") or said.get("MessageID"), raw),
        sender=_sender(_plain(said.get("From"))),
        recipients=_addresses(str(one) for one in recipients if one),
        text=_storable(text[:TEXT_MAX_CHARS]),
        headers=headers,
        pictures=tuple(_postmark_pictures(said.get("Attachments") or [])),
    )


def _postmark_pictures(listed: Sequence[Any]) -> Iterator[Attachment]:
    for one in listed[:PARTS_MAX]:
        kind = str(one.get("ContentType", "")).partition(";")[0].strip().lower()
        if kind in PICTURE_TYPES:
            try:
                data = base64.b64decode(str(one.get("Content", "")), validate=False)
            except binascii.Error:
                continue
            if len(data) >= PICTURE_MIN_BYTES:
                yield Attachment(str(one.get("Name", "")), kind, data)


# -- MIME -------------------------------------------------------------------------------------


class _ShortHeaders(Compat32):
    """Cut each header as it is read: the parser's own look for a boundary squares its length.

    Python's newer policies read every header so.
    """

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:HEADER_MAX_CHARS]


_POLICY: Final = _ShortHeaders()


def _ensure_quick(raw: bytes) -> None:
    """Raise Unreadable for what would take long to parse."""
    if raw.count(b"\n") + raw.count(b"\r") > LINE_ENDS_MAX:
        raise Unreadable
    if raw.count(b"\n--") + raw.count(b"\r--") > DASHED_LINES_MAX:
        raise Unreadable
    if raw.lower().count(b"multipart/") > MULTIPARTS_MAX:
        raise Unreadable


def _from_mime(raw: bytes) -> Letter:
    _ensure_quick(raw)
    message = BytesParser(policy=_POLICY).parsebytes(raw)
    headers = _headers((name, _decoded(value)) for name, value in message.items()[:500])
    if not headers:
        raise Unreadable
    plain, marked, pictures = [], [], []
    for part in _parts(message):
        kind = part.get_content_type()
        attached = "attachment" in str(part.get("Content-Disposition", "")).lower()
        if kind in PICTURE_TYPES:
            data = _bytes(part)
            if len(data) >= PICTURE_MIN_BYTES:
                pictures.append(Attachment(_name(part), kind, data))
        elif kind == "text/plain" and not attached:
            plain.append(_text(part))
        elif kind == "text/html" and not attached:
            marked.append(_text(part))
    recipients = [
        headers.get(name, "")
        for name in ("x-original-to", "delivered-to", "envelope-to", "to", "cc")
    ]
    text = "\n\n".join(plain) or _without_tags("\n".join(marked))
    return Letter(
        message_id=_message_id(headers.get("message-id"), raw),
        sender=_sender(headers.get("from", "")),
        recipients=_addresses(recipients),
        text=_storable(text[:TEXT_MAX_CHARS]),
        headers=headers,
        pictures=tuple(pictures),
    )


def _parts(message: Message) -> Iterator[Message]:
    """Walk the leaves, not by recursion. Raises Unreadable for what is too deep or too many."""
    waiting = [(message, 0)]
    seen = 0
    while waiting:
        part, depth = waiting.pop()
        seen += 1
        if seen > PARTS_MAX or depth > NESTING_MAX:
            raise Unreadable
        if part.is_multipart():
            inside: Any = part.get_payload()
            waiting += [(one, depth + 1) for one in reversed(inside)]
        else:
            yield part


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _text(part: Message) -> str:
    data = _bytes(part)[: 4 * TEXT_MAX_CHARS]
    charset = str(part.get_content_charset() or "utf-8")
    try:
        if codecs.lookup(charset).name.replace("_", "-") in NO_CHARSETS:
            charset = "utf-8"
        return data.decode(charset, "replace")
    except (LookupError, ValueError):  # a charset nobody knows, or one that decodes no text
        return data.decode("utf-8", "replace")


def _name(part: Message) -> str:
    try:
        return str(part.get_filename() or "")[:200]
    except (ValueError, TypeError, LookupError):
        return ""


# -- pieces -----------------------------------------------------------------------------------


def _headers(pairs: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> dict[str, str]:
    """Keep the first of each name: what the receiving server added stands on top."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower()[:100], _storable(value[:HEADER_MAX_CHARS]))
    return found


def _decoded(value: Any) -> str:
    text = str(value)[:HEADER_MAX_CHARS]
    try:
        return "".join(
            piece.decode(charset or "ascii", "replace") if isinstance(piece, bytes) else piece
            for piece, charset in decode_header(text)
        )
    except (LookupError, ValueError, mime_errors.MessageError, binascii.Error):
        return text


def _message_id(said: Any, raw: bytes) -> str:
    """Return what names the letter, or its own sum when it has no name."""
    text = " ".join(_storable(str(said or "")).split())
    if not text or len(text) > MESSAGE_ID_MAX_CHARS:
        return f"<sha256-{hashlib.sha256(raw).hexdigest()}>"
    return text


def _sender(said: str) -> str:
    return _storable(parseaddr(said[:HEADER_MAX_CHARS])[1]).strip().lower()


def _addresses(said: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    found = getaddresses([one[:HEADER_MAX_CHARS] for one in said])
    return tuple(dict.fromkeys(address.lower() for _, address in found if address))


def _storable(text: str) -> str:
    return UNSTORABLE.sub("", text)


def _plain(said: Any) -> str:
    return said[: 4 * TEXT_MAX_CHARS] if isinstance(said, str) else ""


# -- words ------------------------------------------------------------------------------------

_QUOTED = re.compile(r"<blockquote\b.*", re.I | re.S)
_LINE_END = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]{0,500}>", re.I)
_TAG = re.compile(r"<[^<>]{0,5000}>")


def _without_tags(text: str) -> str:
    """Return the words of HTML, lines as they stood, up to the first quotation.

    What is left is a post's source and cleaned as any: this need not be safe, only quick.
    """
    text = text[:TEXT_MAX_CHARS]
    for name in ("head", "style", "script"):
        text = _without_element(text, name)
    text = _QUOTED.sub("", text).replace("\r", "").replace("\n", " ")
    return html.unescape(_TAG.sub("", _LINE_END.sub("\n", text)))


def _without_element(text: str, name: str) -> str:
    """Leave out every `name` element with what is in it."""
    lower, kept, at = text.lower(), [], 0
    if len(lower) != len(text):  # a letter that is two in lower case: places would not agree
        lower = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    while (begins := lower.find(f"<{name}", at)) >= 0:
        kept.append(text[at:begins])
        ends = lower.find(f"</{name}", begins)
        if ends < 0:
            return "".join(kept)
        at = ends
    return "".join([*kept, text[at:]])
