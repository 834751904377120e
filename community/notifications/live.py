"""Hints to open pages that a member has news. Redis may be away: a page asks again by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import transaction

from community.chat.here import CHANNEL
from config.redis import announce

MEMBERS_A_FRAME: Final = 500


def hint(members: Iterable[int]) -> None:
    """After commit, tell the pages of `members` to ask for their badge again."""
    told = sorted(set(members))

    def send() -> None:
        for start in range(0, len(told), MEMBERS_A_FRAME):
            announce(CHANNEL, {"type": "told", "members": told[start : start + MEMBERS_A_FRAME]})

    if told:
        transaction.on_commit(send)
