"""What most members see alike on a page of a thread: drawn once, kept for all of them.

Kept in this process beside guests' pages and dropped by the same word (config/guest_pages.py);
the thread itself, its version in the key, is read on every request. Whoever has something of their
own on the page, or may decide on something there, has it drawn anew: moderators, the authors on
it, whoever folds one of them, and those whom features above name by `leave_out`. So nobody misses
what they did themselves. See docs/decisions/guest-pages.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.utils.translation import get_language

from community.groups.models import Membership
from community.members.models import Member, Viewer
from community.threads.models import Thread
from config.guest_pages import Key, guest_pages, listen

PARTS: Final = frozenset({"listings", "posts", "linked"})


@dataclass(frozen=True, slots=True)
class Alike:
    """The parts as they were drawn, and what the rest of the page asks of the posts in them."""

    parts: dict[str, str]
    posts: tuple[int, ...]
    authors: frozenset[int]
    first_number: int
    last_number: int
    not_for: frozenset[int]
    tags: frozenset[str]
    until: float  # by time.monotonic()

    @property
    def size(self) -> int:
        return sum(map(len, self.parts.values()))


@dataclass(slots=True)
class Sharing:
    """One reader's page: either `kept` is shown, or `drawn` gathers what may be kept of it."""

    key: Key
    viewer: int
    began: int
    kept: Alike | None
    drawn: dict[str, str] = field(default_factory=dict)
    not_for: set[int] = field(default_factory=set)
    is_personal: bool = False  # what was drawn is for this reader alone

    def leave_out(self, members: Iterable[int]) -> None:
        """Say who must not be shown what is being drawn."""
        self.not_for.update(members)


def begin() -> int:
    """Note where the changes stand before a page is loaded, and see that they are heard."""
    if settings.GUEST_PAGES_SECONDS:
        listen()
    return guest_pages.now()


def sharing(
    thread: Thread, number: int, viewer: Viewer, membership: Membership | None, began: int
) -> Sharing | None:
    """Find what is kept of a page; None for a guest or a moderator, who share nothing.

    `began` is the number of the last change (guest_pages.now) before the thread was loaded.
    """
    if not settings.GUEST_PAGES_SECONDS or not isinstance(viewer, Member):
        return None
    if membership is not None and membership.moderates:
        return None
    may_write = membership is not None and thread.takes_replies
    key = (
        *("alike", get_language(), str(thread.pk), str(thread.version), str(number)),
        *(str(membership is not None), str(may_write)),
    )
    kept = guest_pages.get(key)
    if not isinstance(kept, Alike) or viewer.pk in kept.not_for:
        kept = None
    return Sharing(key, viewer.pk, began, kept)


def keep_alike(page: Sharing, thread: Thread, posts: dict[int, int], numbers: list[int]) -> None:
    """Keep what was drawn, if this reader saw what others see. `posts`: the author of each."""
    authors = frozenset(posts.values())
    not_for = authors | page.not_for | {thread.author_id}
    if page.is_personal or page.viewer in not_for or page.drawn.keys() != PARTS or not numbers:
        return
    if any("csrfmiddlewaretoken" in html for html in page.drawn.values()):
        return  # somebody's own form
    alike = Alike(
        parts=dict(page.drawn),
        posts=tuple(posts),
        authors=authors,
        first_number=numbers[0],
        last_number=numbers[-1],
        not_for=not_for,
        tags=frozenset({"thread", f"thread:{thread.pk}"}),
        until=time.monotonic() + settings.GUEST_PAGES_SECONDS,
    )
    guest_pages.put(page.key, alike, page.began)
