"""Addresses of listings in one canonical form, so that a pasted one finds its listing.

Pure: no network, no database. Two addresses with the same key are the same page for a buyer.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from url_normalize import url_normalize

ADDRESS_MAX_CHARS: Final = 500

# What tells one page from another; every other parameter (utm_*, fbclid, ref …) is dropped.
# The keys name the platform by what its paths look like.
_PLATFORMS: Final = (
    # Shopify: one page, its variants.
    (
        re.compile(r"(?:/[a-z]{2}(?:-[a-z]{2})?)?(?:/collections/[^/]+)?(/products/[^/]+)"),
        ("variant",),
    ),
    # WooCommerce: the page's address is enough, except for chosen attributes.
    (re.compile(r"(/product/[^/]+)"), ("variation_id",)),
)
_OTHERWISE: Final = ("variant", "sku", "pid", "product_id", "product", "item", "id", "p")
# Chosen on the page, not the page itself: the key without them names the listing as well.
_CHOICES: Final = frozenset({"variant", "variation_id"})
_AMAZON_HOST: Final = re.compile(r"amazon\.(?:com|[a-z]{2}|com?\.[a-z]{2})")
_ASIN: Final = re.compile(r"/(?:dp|gp/product|gp/aw/d)/([A-Z0-9]{10})(?=/|$)", re.IGNORECASE)
_ETSY_LISTING: Final = re.compile(r"(/listing/\d+)(?:/.*)?")


def host_of(url: str) -> str:
    """Return the host in lower case, in ASCII, without `www.`; empty when there is none."""
    try:
        normal = url_normalize(url.strip()) or ""
        host = urlsplit(normal).hostname or ""
    except (ValueError, UnicodeError):
        return ""
    return host.removeprefix("www.")


def canonical_key(url: str) -> str:
    """Return `url` without scheme and in one form, like "shop.example/products/r2?variant=4".

    Dropped: user names, `www.`, default ports, dot segments, doubled and trailing slashes, the
    fragment, and every parameter its platform does not need. /collections/x/products/y is
    /products/y, a locale in front goes, and Amazon's pages are /dp/ASIN. Empty for what is not an
    http or https address, and for what is longer than ADDRESS_MAX_CHARS.
    """
    url = url.strip()
    if len(url) > ADDRESS_MAX_CHARS or not re.match(r"https?://[^/?#\s]", url, re.IGNORECASE):
        return ""
    try:
        normal = urlsplit(url_normalize(url) or "")
        host, port = (normal.hostname or "").removeprefix("www."), normal.port
    except (ValueError, UnicodeError):
        return ""
    if not host or re.search(r"[\s%]", host):
        return ""
    path = re.sub(r"/{2,}", "/", normal.path).rstrip("/")
    kept: tuple[str, ...] = _OTHERWISE
    if _AMAZON_HOST.fullmatch(host):
        if asin := _ASIN.search(path):
            return f"{host}/dp/{asin[1].upper()}"
    elif host == "etsy.com" and (etsy := _ETSY_LISTING.search(path)):
        path, kept = etsy[1], ()
    else:
        for pattern, parameters in _PLATFORMS:
            if found := pattern.fullmatch(path):
                path, kept = found[1], parameters
                break
    query = sorted((name, value) for name, value in parse_qsl(normal.query) if name in kept)
    key = f"{host}{f':{port}' if port else ''}{path}"
    key += f"?{urlencode(query)}" if query else ""
    return key if len(key) <= ADDRESS_MAX_CHARS else ""


def keys_of(url: str) -> tuple[str, ...]:
    """Return the keys `url` may be stored under, the most exact first; empty when it has none."""
    key = canonical_key(url)
    if not key:
        return ()
    page, _, query = key.partition("?")
    rest = [pair for pair in query.split("&") if pair and pair.split("=")[0] not in _CHOICES]
    plain = page + (f"?{'&'.join(rest)}" if rest else "")
    return (key,) if plain == key else (key, plain)


def may_stand_for(url: str, *, host: str) -> bool:
    """Whether `url` may be a listing's address at a merchant whose website is `host`.

    https, on that very host (or its `www.`), on the usual port, without a user name.
    """
    try:
        parts = urlsplit(url.strip())
        plain = parts.username is None and parts.password is None and parts.port in (None, 443)
    except ValueError:
        return False
    return (
        url.strip().startswith("https://")
        and plain
        and bool(host)
        and host_of(url) == host
        and bool(canonical_key(url))
    )
