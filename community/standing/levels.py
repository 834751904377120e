"""Which trust level a record earns. Pure: values in, values out; the figures are settings.

As Discourse does: levels are climbed one after the other by reading and being read, 1 and 2 are
kept for good, 3 is lost when one no longer does what it takes, 4 is given by hand alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from community.members.models import TrustLevel

PER_PERSON: Final = 4  # 20 reactions come from 5 people at least
PER_DAY: Final = 3  # and on 7 days at least


@dataclass(frozen=True, slots=True)
class Record:
    """What a member did. `recent_` counts the last TRUST_RECENT_DAYS days."""

    account_minutes: int = 0
    days_visited: int = 0
    threads_opened: int = 0
    posts_read: int = 0
    minutes_read: int = 0
    reactions_given: int = 0
    reactions_received: int = 0
    threads_replied: int = 0  # that others opened
    recent_days_visited: int = 0
    recent_threads_opened: int = 0
    recent_posts_read: int = 0
    recent_threads_replied: int = 0
    recent_reactions_given: int = 0
    recent_reactions_received: int = 0
    recent_reaction_people: int = 0
    recent_reaction_days: int = 0
    recent_posts_hidden: int = 0  # by moderators
    is_penalised: bool = False  # silenced or suspended now or in that time


@dataclass(frozen=True, slots=True)
class Site:
    """What the public groups wrote in the last TRUST_RECENT_DAYS days."""

    recent_threads: int = 0
    recent_posts: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """One thing a level takes: `have` of `wanted`, or no more than that when `at_most`."""

    fact: str
    have: int
    wanted: int
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        return self.have <= self.wanted if self.at_most else self.have >= self.wanted

    @property
    def shown(self) -> int:
        """How much of it to show as done: no more than is wanted."""
        return self.have if self.at_most else min(self.have, self.wanted)


def needs_of(level: int, record: Record, site: Site, *, keeping: bool = False) -> list[Need]:
    """Return what `level` (1 to 3) takes, or at 3 with `keeping` what it takes to stay there."""
    wanted = dict(settings.TRUST_NEEDS[level])
    if level == TrustLevel.REGULAR:
        wanted = _for_regulars(wanted, site)
    percent = settings.TRUST_KEEP_PERCENT if keeping else 100
    needs = [
        Need(fact, getattr(record, fact), math.ceil(number * percent / 100))
        for fact, number in wanted.items()
    ]
    if level == TrustLevel.REGULAR:
        needs.append(
            Need(
                "recent_posts_hidden",
                record.recent_posts_hidden,
                settings.TRUST_POSTS_HIDDEN_MAX,
                at_most=True,
            )
        )
        needs.append(Need("is_penalised", int(record.is_penalised), 0, at_most=True))
    else:
        # Nobody has read for ten minutes who signed up five minutes ago.
        wants = wanted.get("minutes_read", 0)
        needs.append(Need("account_minutes", record.account_minutes, wants))
    return needs


def _for_regulars(wanted: Mapping[str, int], site: Site) -> dict[str, int]:
    whole = {"recent_threads_opened": site.recent_threads, "recent_posts_read": site.recent_posts}
    found = {
        fact: (
            min(whole[fact] * number // 100, settings.TRUST_SHARES_MAX[fact])
            if fact in whole
            else number
        )
        for fact, number in wanted.items()
    }
    received = found.get("recent_reactions_received", 0)
    found["recent_reaction_people"] = math.ceil(received / PER_PERSON)
    found["recent_reaction_days"] = math.ceil(received / PER_DAY)
    return found


def level_for(
    record: Record, site: Site, *, held: int = TrustLevel.NEW, in_grace: bool = False
) -> tuple[TrustLevel, list[Need]]:
    """Return the level that is due to who holds `held`, and why.

    Why: what the next level takes, met or not; after a loss, what was no longer met; at the top
    nothing. `in_grace`: level 3 was reached so lately that it is not lost yet.
    """
    if held >= TrustLevel.LEADER:
        return TrustLevel.LEADER, []
    if held == TrustLevel.REGULAR:
        keeping = needs_of(TrustLevel.REGULAR, record, site, keeping=True)
        lost = [need for need in keeping if not need.is_met]
        if lost and not in_grace:
            return TrustLevel.MEMBER, lost
        return TrustLevel.REGULAR, keeping
    level = TrustLevel(held)
    while level < TrustLevel.REGULAR:
        needs = needs_of(level + 1, record, site)
        if not all(need.is_met for need in needs):
            return level, needs
        level = TrustLevel(level + 1)
    return level, needs_of(TrustLevel.REGULAR, record, site, keeping=True)
