"""What was written of all that members made of the threads, read from content/forum.toml.

Rows name a group and, most of them, a thread of it as `script` does. No database.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar


class _Placed(Protocol):
    @property
    def group(self) -> str: ...
    @property
    def thread(self) -> str: ...


P = TypeVar("P", bound=_Placed)


@dataclass(frozen=True)
class TagText:
    """A tag of a group, or of the site (`group` empty)."""

    name: str
    group: str = ""
    about: str = ""
    synonyms: tuple[str, ...] = ()
    thread: str = ""


@dataclass(frozen=True)
class PollText:
    """A poll under a thread's opening post; `votes` are counted by answer.

    `without` have not voted. It is open till `closes_in_days`, or closed since
    `closed_hours_ago`, or open for good.
    """

    group: str
    thread: str
    question: str
    options: tuple[str, ...]
    votes: tuple[int, ...]
    choices_max: int = 1
    results: str = "always"
    closes_in_days: float | None = None
    closed_hours_ago: float | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class ActText:
    """What a moderator did to a thread. `verb` says which of the further fields it has:

    move (to), split (numbers, title), merge (into), pin (days from the moment), slow (seconds),
    closing (days of silence), retitle (title).
    """

    verb: str
    group: str
    thread: str
    by: str
    hours_ago: float
    reason: str
    to: str = ""
    into: str = ""
    title: str = ""
    numbers: tuple[int, ...] = ()
    days: float = 0.0
    seconds: int = 0


@dataclass(frozen=True)
class WikiText:
    """A post `by` opened to all, and what `editor` added at its end."""

    group: str
    thread: str
    number: int
    by: str
    editor: str
    hours_ago: float
    adds: str
    reason: str


@dataclass(frozen=True)
class DeletedText:
    """A post its author took away again."""

    group: str
    thread: str
    number: int


@dataclass(frozen=True)
class UnreadText:
    """A thread read but for its last `posts` posts by others."""

    group: str
    thread: str
    posts: int = 0


@dataclass(frozen=True)
class BookmarkText:
    group: str
    thread: str
    number: int
    hours_ago: float
    note: str = ""
    remind_in_days: int | None = None  # at eight on the member's clock
    reminded_hours_ago: float | None = None


@dataclass(frozen=True)
class DraftText:
    """What was typed for a thread, or for a new one (`thread` empty)."""

    group: str
    body: str
    hours_ago: float
    thread: str = ""
    title: str = ""


@dataclass(frozen=True)
class FollowText:
    """A thread, a tag of the group, or the group itself."""

    group: str
    level: str
    thread: str = ""
    tag: str = ""


@dataclass(frozen=True)
class SearchText:
    """A saved search; the newest `news` documents of the site came after it was last looked at."""

    query: str
    name: str
    alert: str
    news: int = 0


@dataclass(frozen=True)
class InvitedText:
    group: str
    by: str
    hours_ago: float
    thread: str = ""


@dataclass(frozen=True)
class AccountText:
    """What one member has read, keeps and follows."""

    handle: str
    unread: tuple[UnreadText, ...]
    unopened: tuple[UnreadText, ...]
    bookmarks: tuple[BookmarkText, ...]
    drafts: tuple[DraftText, ...]
    follows: tuple[FollowText, ...]
    searches: tuple[SearchText, ...]
    invited: tuple[InvitedText, ...] = ()

    def only(self, groups: Collection[str], titles: Collection[str]) -> AccountText:
        def kept(rows: Iterable[P]) -> tuple[P, ...]:
            return _kept(rows, groups, titles)

        return replace(
            self,
            unread=kept(self.unread),
            unopened=kept(self.unopened),
            bookmarks=kept(self.bookmarks),
            drafts=kept(self.drafts),
            # A tag comes with a thread, which may be gone.
            follows=kept(each for each in self.follows if not each.tag),
            invited=kept(self.invited),
        )


@dataclass(frozen=True)
class Forum:
    tags: tuple[TagText, ...]
    polls: tuple[PollText, ...]
    acts: tuple[ActText, ...]
    wikis: tuple[WikiText, ...]
    deleted: tuple[DeletedText, ...]
    zones: dict[str, str]  # time zones, by the place members say they are in
    accounts: tuple[AccountText, ...]

    def only(self, groups: Collection[str], titles: Collection[str]) -> Forum:
        """Return what is about these groups and threads."""

        def kept(rows: Iterable[P]) -> tuple[P, ...]:
            return _kept(rows, groups, titles)

        return replace(
            self,
            tags=tuple(tag for tag in self.tags if not tag.group or tag.group in groups),
            polls=kept(self.polls),
            acts=tuple(
                act
                for act in kept(self.acts)
                if (not act.to or act.to in groups) and (not act.into or act.into in titles)
            ),
            wikis=kept(self.wikis),
            deleted=kept(self.deleted),
            accounts=tuple(account.only(groups, titles) for account in self.accounts),
        )


def read_forum(path: Path) -> Forum:
    """Read what members made of the threads. Raises TypeError for an unknown or missing name."""
    file = tomllib.loads(path.read_text(encoding="utf-8"))
    return Forum(
        tags=tuple(TagText(**_frozen(row)) for row in file["tags"]),
        polls=tuple(PollText(**_frozen(row)) for row in file["polls"]),
        acts=tuple(ActText(**_frozen(row)) for row in file["acts"]),
        wikis=tuple(WikiText(**row) for row in file["wikis"]),
        deleted=tuple(DeletedText(**row) for row in file["deleted"]),
        zones=file["zones"],
        accounts=tuple(_account(row) for row in file["accounts"]),
    )


def _account(row: dict[str, Any]) -> AccountText:
    kinds: dict[str, Any] = {
        "unread": UnreadText,
        "unopened": UnreadText,
        "bookmarks": BookmarkText,
        "drafts": DraftText,
        "follows": FollowText,
        "searches": SearchText,
    }
    lists: dict[str, Any] = {
        name: tuple(kind(**each) for each in row.pop(name)) for name, kind in kinds.items()
    }
    invited = row.pop("invited", None)
    return AccountText(**row, **lists, invited=(InvitedText(**invited),) if invited else ())


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def _kept(rows: Iterable[P], groups: Collection[str], titles: Collection[str]) -> tuple[P, ...]:
    return tuple(
        row for row in rows if row.group in groups and (not row.thread or row.thread in titles)
    )
