"""What was written for the demo, read from content/*.toml into plain values. No database.

Times are kept as they are written: days or hours before the moment of seeding, and hours after a
thread began. A name that is not known here is an error, so a slip of the pen is found at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from config.seeds.forum import Forum, read_forum

CONTENT: Final = Path(__file__).parent / "content"


@dataclass(frozen=True)
class Person:
    handle: str
    name: str
    bio: str
    place: str
    joined_days_ago: float


@dataclass(frozen=True)
class GroupText:
    """A group. `interests` are slugs of those every site begins with."""

    slug: str
    name: str
    glyph: str
    tint: int
    template: str
    join_mode: str
    about: str
    rules: list[str]
    owner: str
    moderators: list[str]
    members: list[str]
    interests: list[str]


@dataclass(frozen=True)
class Picture:
    """A drawn picture: one of drawing.ARTS or drawing.SCENES. `colour` is a hue in degrees."""

    art: str
    alt: str
    colour: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Edit:
    """What the author changed `hours` after the thread began: `old` became `new`."""

    hours: float
    old: str
    new: str
    reason: str = ""


@dataclass(frozen=True)
class PostText:
    """A post as it was written at first; `reply_to` is a post's number, `listing` the key of what
    its author placed beside it by hand."""

    author: str
    hours: float
    body: str
    reply_to: int | None = None
    listing: str = ""
    pictures: tuple[Picture, ...] = ()
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Lock:
    by: str
    hours: float
    reason: str


@dataclass(frozen=True)
class Placed:
    """A listing somebody put on a thread as a whole, `hours` after it began."""

    listing: str
    by: str
    hours: float


@dataclass(frozen=True)
class ThreadText:
    group: str
    title: str
    author: str
    days_ago: float
    posts: tuple[PostText, ...]
    answer: int | None = None
    pinned: bool = False
    lock: Lock | None = None
    placed: tuple[Placed, ...] = ()
    kind: str = "talk"
    details: dict[str, str] = field(default_factory=dict)  # as typed; a log's day is its thread's
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class MessageText:
    """`answers` is a message's number in its room, `edited` what this one said first."""

    author: str
    hours_ago: float
    body: str
    answers: int = 0
    edited: str = ""
    hidden: str = ""  # why a moderator hid it
    pinned: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)  # who gave each


@dataclass(frozen=True)
class RoomText:
    group: str
    messages: tuple[MessageText, ...]


@dataclass(frozen=True)
class ActText:
    """What a moderator did in a room: `do` is slow or archive."""

    hours_ago: float
    do: str
    seconds: int = 0
    why: str = ""


@dataclass(frozen=True)
class TalkText:
    """A room besides a group's first: of a group, beside a `thread`, of `people`, or about a
    `listing`.

    `by` opened it and keeps order. `unread` is how many of its newest messages somebody has left.
    """

    by: str
    opened_hours_ago: float
    messages: tuple[MessageText, ...]
    group: str = ""
    name: str = ""
    thread: str = ""
    people: tuple[str, ...] = ()
    listing: str = ""  # its key; `by` asks, its merchant's team answers
    topic: str = ""
    writers: str = ""
    acts: tuple[ActText, ...] = ()
    unread: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class UnreadText:
    """How many of the newest messages of a group's first room members have not read."""

    group: str
    members: dict[str, int]


@dataclass(frozen=True)
class MerchantText:
    """A shop; the first of its team owns it."""

    slug: str
    name: str
    kind: str
    about: str
    disclosure: str
    host: str
    currency: str
    team: list[str]


@dataclass(frozen=True)
class ListingText:
    """A listing of a shop (`merchant`) or of a member in person (`seller`); one of the two."""

    key: str
    kind: str
    title: str
    brand: str
    model: str
    sku: str
    gtin: str
    price_minor: int
    currency: str
    condition: str
    place: str
    stock: int
    state: str
    group: str
    art: str
    colour: int
    path: str
    listed_days_ago: float
    description: str
    merchant: str = ""
    seller: str = ""
    changed_days_ago: float | None = None


@dataclass(frozen=True)
class FlagText:
    member: str
    reason: str
    note: str
    hours_ago: float


@dataclass(frozen=True)
class DecisionText:
    by: str
    outcome: str
    reason: str
    hours_ago: float


@dataclass(frozen=True)
class CaseText:
    """What was flagged: a post (`group`, `thread`, `number`), a listing, or a message that begins
    with `says`."""

    kind: str
    flags: tuple[FlagText, ...]
    group: str = ""
    thread: str = ""
    number: int = 0
    listing: str = ""
    says: str = ""
    decision: DecisionText | None = None


@dataclass(frozen=True)
class SanctionText:
    """Somebody whom `by` silenced `hours_ago`, for so many days counted from the moment."""

    member: str
    by: str
    reason: str
    hours_ago: float
    days: float


@dataclass(frozen=True)
class PinText:
    """A trust level that `by` gave somebody by hand."""

    member: str
    level: int
    by: str
    reason: str


@dataclass(frozen=True)
class SuggestionText:
    """What `by` decided about a listing the linking job found in a post."""

    group: str
    thread: str
    number: int
    listing: str
    by: str
    accept: bool


@dataclass(frozen=True)
class Script:
    people: tuple[Person, ...]
    groups: tuple[GroupText, ...]
    threads: tuple[ThreadText, ...]
    rooms: tuple[RoomText, ...]
    merchants: tuple[MerchantText, ...]
    sellers: tuple[str, ...]  # members who sell in person
    listings: tuple[ListingText, ...]
    suggestions: tuple[SuggestionText, ...]
    cases: tuple[CaseText, ...]
    forum: Forum
    sanctions: tuple[SanctionText, ...] = ()
    pins: tuple[PinText, ...] = ()
    talks: tuple[TalkText, ...] = ()
    unread: tuple[UnreadText, ...] = ()

    @property
    def post_count(self) -> int:
        return sum(len(thread.posts) for thread in self.threads)

    def only(self, groups: Collection[str], *, threads: int) -> Script:
        """Return a smaller script: these groups with their first `threads` threads each, their
        rooms and listings, and the cases about what is left."""
        kept = tuple(
            thread
            for slug in groups
            for thread in [each for each in self.threads if each.group == slug][:threads]
        )
        listings = tuple(listing for listing in self.listings if listing.group in groups)
        titles, keys = {thread.title for thread in kept}, {listing.key for listing in listings}
        return replace(
            self,
            groups=tuple(group for group in self.groups if group.slug in groups),
            threads=kept,
            forum=self.forum.only(groups, titles),
            rooms=tuple(room for room in self.rooms if room.group in groups),
            talks=tuple(
                talk
                for talk in self.talks
                if talk.people
                or talk.listing in keys
                or (talk.group in groups and talk.thread in {"", *titles})
            ),
            listings=listings,
            suggestions=tuple(each for each in self.suggestions if each.thread in titles),
            cases=tuple(
                case
                for case in self.cases
                if case.thread in titles
                or case.listing in keys
                or (case.says and case.group in groups)
            ),
        )


def read_script(folder: Path = CONTENT) -> Script:
    """Read the whole script. Raises TypeError for a name that is unknown or missing."""
    merchants = _read(folder / "merchants.toml")
    moderation = _read(folder / "moderation.toml")
    talk = _read(folder / "rooms.toml")
    return Script(
        people=tuple(Person(**row) for row in _read(folder / "members.toml")["members"]),
        groups=tuple(GroupText(**row) for row in _read(folder / "groups.toml")["groups"]),
        threads=tuple(
            _thread(row, group=file["group"])
            for file in (_read(path) for path in sorted(folder.glob("threads-*.toml")))
            for row in file["threads"]
        ),
        rooms=tuple(
            RoomText(row["group"], tuple(MessageText(**each) for each in row["messages"]))
            for row in _read(folder / "chat.toml")["rooms"]
        ),
        merchants=tuple(MerchantText(**row) for row in merchants["merchants"]),
        sellers=tuple(merchants["members_selling"]),
        listings=tuple(ListingText(**row) for row in _read(folder / "listings.toml")["listings"]),
        suggestions=tuple(SuggestionText(**row) for row in moderation["suggestions"]),
        cases=tuple(_case(row) for row in moderation["cases"]),
        forum=read_forum(folder / "forum.toml"),
        sanctions=tuple(SanctionText(**row) for row in moderation["sanctions"]),
        pins=tuple(PinText(**row) for row in moderation["pins"]),
        talks=tuple(_talk(row) for row in talk["rooms"]),
        unread=tuple(UnreadText(**row) for row in talk["unread"]),
    )


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _talk(row: dict[str, Any]) -> TalkText:
    messages = tuple(MessageText(**each) for each in row.pop("messages"))
    acts = tuple(ActText(**each) for each in row.pop("acts", ()))
    people = tuple(row.pop("people", ()))
    return TalkText(messages=messages, acts=acts, people=people, **row)


def _thread(row: dict[str, Any], *, group: str) -> ThreadText:
    posts = tuple(_post(each) for each in row.pop("posts"))
    placed = tuple(Placed(**each) for each in row.pop("placed", ()))
    lock = Lock(**row.pop("lock")) if "lock" in row else None
    tags = tuple(row.pop("tags", ()))
    return ThreadText(group=group, posts=posts, placed=placed, lock=lock, tags=tags, **row)


def _post(row: dict[str, Any]) -> PostText:
    pictures = tuple(Picture(**each) for each in row.pop("pictures", ()))
    edits = tuple(
        Edit(each["hours"], each["from"], each["to"], each.get("reason", ""))
        for each in row.pop("edits", ())
    )
    return PostText(pictures=pictures, edits=edits, **row)


def _case(row: dict[str, Any]) -> CaseText:
    flags = tuple(FlagText(**each) for each in row.pop("flags"))
    decision = row.pop("decision", None)
    return CaseText(flags=flags, decision=DecisionText(**decision) if decision else None, **row)
