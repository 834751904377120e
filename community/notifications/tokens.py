"""Signed marks that letters carry: what one-click unsubscribe switches off, and whose reply it is.

Both work without a session. A reply's mark stands in an e-mail address, so it is short and may be
written in any case.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
import time
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final

from django.conf import settings
from django.core import signing

SALT: Final = "community.notifications.off"
MAC_BYTES: Final = 12
DAY: Final = 24 * 3600
# Member, post and day; then the MAC. In base32 it fits the 64 characters of a local part.
_PACKED: Final = struct.Struct(">QIH")
_MARK: Final = re.compile(r"[a-z2-7]{42}")


# -- switching off ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Off:
    """What to switch off for whom: `what` is "kind", "thread", "digest" or "all"."""

    member_id: int
    what: str
    which: str = ""  # the kind's name, or the thread's id


def off_token(off: Off) -> str:
    return signing.dumps([off.member_id, off.what, off.which], salt=SALT, compress=False)


def read_off_token(token: str) -> Off | None:
    """Return what the token switches off; None for one we did not sign. It never grows old."""
    try:
        member_id, what, which = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Off(int(member_id), str(what), str(which))


# -- replying ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplyMark:
    member_id: int
    post_id: int


def reply_address(mark: ReplyMark, *, now: float | None = None) -> str:
    """Return settings.REPLY_ADDRESS with the signed mark; empty when nobody can reply by e-mail."""
    local, at, host = settings.REPLY_ADDRESS.rpartition("@")
    if not at:
        return ""
    day = int((time.time() if now is None else now) // DAY) & 0xFFFF
    packed = _PACKED.pack(mark.post_id, mark.member_id, day)
    return f"{local}+{_base32(packed + _mac(packed))}@{host}"


def read_reply_address(address: str, *, now: float | None = None) -> ReplyMark | None:
    """Return what an address of ours is marked with; None for another's, a forged or an old one."""
    local, _, host = parseaddr(address)[1].lower().rpartition("@")
    ours, _, our_host = settings.REPLY_ADDRESS.lower().rpartition("@")
    name, _, token = local.partition("+")
    if not our_host or (name, host) != (ours, our_host) or not _MARK.fullmatch(token):
        return None
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return None
    packed, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if len(packed) != _PACKED.size or not hmac.compare_digest(mac, _mac(packed)):
        return None
    if _base32(raw) != token:  # the last letter has bits to spare: one way to write it is enough
        return None
    post_id, member_id, day = _PACKED.unpack(packed)
    today = int((time.time() if now is None else now) // DAY)
    if (today - day) & 0xFFFF > settings.REPLY_DAYS:
        return None
    return ReplyMark(member_id=member_id, post_id=post_id)


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _mac(packed: bytes) -> bytes:
    key = hashlib.sha256(b"reply by e-mail" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, packed, hashlib.sha256).digest()[:MAC_BYTES]
