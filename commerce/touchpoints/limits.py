"""How many clicks of one network are stored; more are still sent on their way, unstored."""

from __future__ import annotations

import ipaddress
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

CLICKS_A_MINUTE: Final = 60


def may_store(request: HttpRequest) -> bool:
    """Count this click; False above CLICKS_A_MINUTE. Open while Redis is away."""
    key = f"clicks:{_fingerprint(request)}"
    cache.add(key, 0, timeout=60)
    try:
        return int(cache.incr(key)) <= CLICKS_A_MINUTE
    except ValueError:  # The minute ended in between.
        return True


def _fingerprint(request: HttpRequest) -> str:
    # Keyed, and gone in a minute: no address is kept, not even here.
    return salted_hmac("commerce.touchpoints.limits", network_of(request)).hexdigest()[:20]


def network_of(request: HttpRequest) -> str:
    """Return the sender's /24 or /64, believing X-Forwarded-For only from our own proxies."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        said = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
        if len(said) >= settings.TRUSTED_PROXIES:
            address = said[-settings.TRUSTED_PROXIES]
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 64}", strict=False))
