"""Whether a request is a reader's click. Pure: headers in, a reason out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from crawleruseragents import is_crawler

from commerce.touchpoints.models import NotCounted

USER_AGENT_MAX_CHARS: Final = 512
# Drivers of browsers, and libraries too plain to be on a list of crawlers.
_DRIVEN: Final = re.compile(
    r"headless|phantomjs|electron/|puppeteer|playwright|selenium|webdriver|slimerjs", re.IGNORECASE
)
# What browsers say when they fetch ahead of a click, old spellings with the new.
_AHEAD: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def why_not_counted(method: str, headers: Mapping[str, str]) -> NotCounted:
    """Return why a request to the redirect is no reader's click, or NotCounted.NO.

    `headers` is looked up in any case (request.headers). Whoever sends HEAD looks at links and
    does not follow them: previews and checkers, so a bot.
    """
    for name in _AHEAD:
        said = headers.get(name, "").lower()
        if "prefetch" in said or "preview" in said or "prerender" in said:
            return NotCounted.PREFETCH
    if method != "GET":
        return NotCounted.BOT
    agent = headers.get("User-Agent", "").strip()[:USER_AGENT_MAX_CHARS]
    if not agent or _DRIVEN.search(agent) or is_crawler(agent):
        return NotCounted.BOT
    return NotCounted.NO
