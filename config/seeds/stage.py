"""What is on the stage while the script is played: the moment it counts from, and who is there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Post, Thread
from config.models import OutboxEvent, State
from config.outbox import drain
from config.seeds.darkroom import Darkroom
from config.seeds.following import follow_posts
from config.seeds.script import Script

T = TypeVar("T")

# Told (what is being done, how much of it is done, how much there is).
Progress = Callable[[str, int, int], None]

# Rows written in one transaction: few enough that no lock is held long.
BATCH: Final = 50


def silent(_what: str, _done: int, _of: int) -> None:
    """Progress nobody looks at."""


@dataclass
class Stage:
    """`anchor` is the moment the script counts back from. Threads are known by group and title,
    posts by thread and number, listings by their key."""

    script: Script
    anchor: datetime
    darkroom: Darkroom
    progress: Progress = silent
    members: dict[str, Member] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    threads: dict[tuple[str, str], Thread] = field(default_factory=dict)
    posts: dict[tuple[str, str, int], Post] = field(default_factory=dict)
    merchants: dict[str, Merchant] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)

    def ago(self, *, days: float = 0.0, hours: float = 0.0) -> datetime:
        return self.anchor - timedelta(days=days, hours=hours)

    def each(self, what: str, rows: Sequence[T]) -> Iterator[T]:
        """Go through `rows` and tell the progress of it."""
        self.progress(what, 0, len(rows))
        for done, row in enumerate(rows, start=1):
            yield row
            self.progress(what, done, len(rows))

    def run_jobs(self, what: str = "") -> None:
        """Do all that waits in the outbox, under the name `what` if it is worth looking at."""
        done = follow_posts()
        while count := drain():
            done += count
            if what:
                left = OutboxEvent.objects.filter(state=State.DUE).count()
                self.progress(what, done, done + left)


def batched(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Go through `rows` in lists of at most `size`."""
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
