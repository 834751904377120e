"""Links through our redirect: a signed token that names rows and never an address.

Where a token leads is looked up when it is followed, so no token can lead anywhere but to the
listing's own page: there is no open redirect to find.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import timezone
from django.utils.http import base36_to_int, int_to_base36

from commerce.listings.models import Listing
from commerce.placements.models import Placement
from commerce.touchpoints.errors import TokenExpired, TokenForged
from community.chat.models import Message
from community.threads.models import Post, Thread

CLICK_PARAMETER: Final = "fc"
# As long as a touch is kept: an older page or message that is followed can no longer be credited.
TOKEN_MAX_AGE_DAYS: Final = 395
TOKEN_MAX_CHARS: Final = 200
SIGNATURE_CHARS: Final = 22

_FIRST_DAY: Final = date(2020, 1, 1)
_PAYLOAD: Final = re.compile(r"d[0-9a-z]{1,6}(?:-[lctpm][0-9a-z]{1,13}){1,5}")


@dataclass(frozen=True)
class GoLink:
    """What a token names. Ids; `day` is when the link was made."""

    day: date
    listing: int
    placement: int | None = None
    thread: int | None = None
    post: int | None = None
    message: int | None = None


class _ShortSigner(Signer):
    """Signs with 132 bits: a page of cards carries as many signatures, which do not compress."""

    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        return super().signature(value, key)[:SIGNATURE_CHARS]


def _signer() -> Signer:
    # No time in the signature: a page rendered twice in a day has the same links.
    return _ShortSigner(salt="commerce.touchpoints.go", sep=".")


def make_token(link: GoLink) -> str:
    """Return the token of `link`: letters, digits, `-`, `_` and one `.`."""
    ids = {
        "l": link.listing,
        "c": link.placement,
        "t": link.thread,
        "p": link.post,
        "m": link.message,
    }
    parts = [f"d{int_to_base36((link.day - _FIRST_DAY).days)}"]
    parts += [f"{key}{int_to_base36(value)}" for key, value in ids.items() if value is not None]
    return _signer().sign("-".join(parts))


def read_token(token: str, *, today: date) -> GoLink:
    """Return what `token` names. Raises TokenForged, or TokenExpired after TOKEN_MAX_AGE_DAYS."""
    if len(token) > TOKEN_MAX_CHARS:
        raise TokenForged
    try:
        payload = _signer().unsign(token)
    except BadSignature as error:
        raise TokenForged from error
    if not _PAYLOAD.fullmatch(payload):
        raise TokenForged
    ids = {part[0]: base36_to_int(part[1:]) for part in payload.split("-")}
    day = date.fromordinal(_FIRST_DAY.toordinal() + ids["d"])
    if (today - day).days > TOKEN_MAX_AGE_DAYS:
        raise TokenExpired
    if "l" not in ids:
        raise TokenForged
    return GoLink(
        day=day,
        listing=ids["l"],
        placement=ids.get("c"),
        thread=ids.get("t"),
        post=ids.get("p"),
        message=ids.get("m"),
    )


def go_url(
    listing: Listing,
    *,
    placement: Placement | None = None,
    post: Post | None = None,
    thread: Thread | None = None,
    message: Message | None = None,
    at: datetime | None = None,
) -> str:
    """Return the address of our redirect to `listing`, `/go/<token>`, from where it is shown.

    Give the narrowest place: a placement or a post brings its thread with it. No queries.
    """
    link = GoLink(
        day=(at or timezone.now()).astimezone(UTC).date(),
        listing=listing.pk,
        placement=placement.pk if placement else None,
        thread=thread.pk if thread and not (post or placement) else None,
        post=post.pk if post else None,
        message=message.pk if message else None,
    )
    return _address(link, settings.SECRET_KEY)


def card_url(*, listing: int, placement: int | None = None, message: int | None = None) -> str:
    """The same from a card, by the keys of the listing and of what it stands in."""
    today = timezone.now().astimezone(UTC).date()
    link = GoLink(day=today, listing=listing, placement=placement, message=message)
    return _address(link, settings.SECRET_KEY)


@lru_cache(maxsize=10_000)
def _address(link: GoLink, _key: str) -> str:
    """A page of cards asks for as many signatures; a day long they are the same."""
    return reverse("go", args=[make_token(link)])


def with_click(address: str, click_id: str) -> str:
    """Return `address` with the click id in its query, whatever query or fragment it has.

    The rest of the query stays as the merchant wrote it, byte for byte; an old click id goes.
    """
    parts = urlsplit(address)
    kept = [
        pair
        for pair in parts.query.split("&")
        if pair and pair.partition("=")[0] != CLICK_PARAMETER
    ]
    query = "&".join([*kept, urlencode({CLICK_PARAMETER: click_id})])
    return urlunsplit(parts._replace(query=query))
