"""What a source said, in a scratch file on disk: read in any order, however large.

A source's importer writes people, rooms, threads and what was said; the engine reads them back in
the order they came about. Nothing here asks or writes the site's database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

ID_MAX_CHARS: Final = 80
TEXT_MAX_CHARS: Final = 400_000  # of one post at its source: eight times what a post of ours holds
CLOCK_MAX_AHEAD: Final = timedelta(days=1)
ANCESTORS_MAX: Final = 1_000  # removed posts passed on the way to one that is here

Progress = Callable[[str], None]


class BadRecord(ValueError):
    """This record cannot come in; `str()` says why. The next one may."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that was passed over: where it stands, which it is, why."""

    place: str
    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.id or 'no id'}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the source. `about` is in the source's own markup."""

    key: str
    name: str
    username: str = ""
    joined: datetime | None = None
    place: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """A category, forum or subreddit. A private one never becomes public here."""

    id: str
    name: str
    about: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A post at its source.

    `kind` and `id` name it for later runs, `also` are further names of it (kind, id) by which old
    addresses find it. `thread` is the outside id of its thread, `parent` the (kind, id) of what
    it answers, `author` a Person's key or empty for somebody who left. `order` tells posts of one
    second apart. `removed` posts are not brought, but lead from their answers to what they
    answered.
    """

    kind: str
    id: str
    thread: str
    at: datetime
    author: str
    body: str
    opening: bool = False
    parent: tuple[str, str] = ("", "")
    author_name: str = ""
    order: int = 0
    also: tuple[tuple[str, str], ...] = ()
    removed: bool = False
    votes: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A poll of the post (`kind`, `id`): its answers, each with how often it was chosen."""

    kind: str
    id: str
    question: str
    options: tuple[tuple[str, int], ...]
    choices_max: int = 1
    voters: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A post as the engine reads it back, with its thread's words."""

    kind: str
    id: str
    thread: str
    at: datetime
    author: str
    author_name: str
    body: str
    parent: tuple[str, str]
    also: tuple[tuple[str, str], ...]
    place: str
    title: str
    room: str


TABLES: Final = """
CREATE TABLE people (key TEXT PRIMARY KEY, name TEXT, username TEXT, joined TEXT, place TEXT,
    about TEXT);
CREATE TABLE rooms (id TEXT PRIMARY KEY, name TEXT, about TEXT, private INTEGER);
CREATE TABLE threads (id TEXT PRIMARY KEY, title TEXT, room TEXT);
CREATE TABLE answers (thread TEXT PRIMARY KEY, kind TEXT, id TEXT);
CREATE TABLE said (kind TEXT, id TEXT, thread TEXT, opening INTEGER, parent_kind TEXT, parent TEXT,
    at TEXT, author TEXT, author_name TEXT, place TEXT, ord INTEGER, removed INTEGER, also TEXT,
    body TEXT, PRIMARY KEY (kind, id));
CREATE TABLE closed (thread TEXT PRIMARY KEY);
CREATE TABLE polls (kind TEXT, id TEXT, question TEXT, choices INTEGER, voters INTEGER, place TEXT,
    PRIMARY KEY (kind, id));
CREATE TABLE options (kind TEXT, id TEXT, ord INTEGER, text TEXT, votes INTEGER,
    PRIMARY KEY (kind, id, ord));
CREATE TABLE links (first TEXT, second TEXT, kind TEXT);
"""
COLUMNS: Final = (
    "s.kind, s.id, s.thread, s.at, s.author, s.author_name, s.body, s.parent_kind, s.parent,"
    " s.also, s.place, COALESCE(t.title, ''), COALESCE(t.room, '')"
)


class Spool:
    """The scratch file, and what was counted and passed over while it was filled."""

    def __init__(
        self,
        path: Path,
        *,
        progress: Progress = lambda stage: None,
        skipped: Callable[[Bad], None] = lambda bad: None,
    ) -> None:
        self.db = sqlite3.connect(path)
        # Nobody needs this file after a crash.
        self.db.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {TABLES}")
        self.progress = progress
        self.skipped = skipped
        self.bad = self.repeated = self.passed_over = self.votes = self.attachments = 0
        self.latest = datetime.now(UTC) + CLOCK_MAX_AHEAD

    def close(self) -> None:
        self.db.close()

    # -- filling ------------------------------------------------------------------------------

    def reject(self, place: str, record: object, reason: object) -> None:
        """Pass a record over, and say so."""
        self.bad += 1
        self.skipped(Bad(place, plain(str(record))[:ID_MAX_CHARS], plain(str(reason))[:300]))

    def leave_file(self, place: str, record: object, name: str) -> None:
        """Say that a file beside a post stays where it is."""
        self.attachments += 1
        reason = f"the file {name[:120]!r} is not in the dump: it stays where it is"
        self.skipped(Bad(place, plain(str(record))[:ID_MAX_CHARS], plain(reason)))

    def person(self, person: Person) -> None:
        """Keep what is known of somebody; what was said first stays, what it left out is added."""
        joined = person.joined.isoformat() if person.joined else ""
        values = (person.key, person.name, person.username, joined, person.place, person.about)
        if not self._insert("people", values) and (joined or person.place or person.about):
            self.db.execute(
                "UPDATE people SET joined = CASE joined WHEN '' THEN ? ELSE joined END,"
                " place = CASE place WHEN '' THEN ? ELSE place END,"
                " about = CASE about WHEN '' THEN ? ELSE about END WHERE key = ?",
                (joined, plain(person.place), plain(person.about), plain(person.key)),
            )

    def room(self, room: Room) -> None:
        self._insert("rooms", (room.id, room.name, room.about, int(room.private)))

    def thread(self, id_: str, title: str, *, room: str = "") -> None:
        self._insert("threads", (_fit(id_), title, _fit(room)))

    def answer(self, thread: str, answer: tuple[str, str]) -> None:
        """The source says which post answered the thread."""
        self._insert("answers", (thread, *answer))

    def lock(self, thread: str) -> None:
        """The thread takes no more replies there."""
        self._insert("closed", (_fit(thread),))

    def ask(self, poll: Asked) -> None:
        """A poll stands under a post; its answers may be told of apart, by `option`."""
        values = (poll.kind, _fit(poll.id), poll.question, poll.choices_max, poll.voters)
        if self._insert("polls", (*values, poll.place)):
            for order, (text, votes) in enumerate(poll.options):
                self.option(poll.kind, poll.id, order, text, votes)

    def option(self, kind: str, id_: str, order: int, text: str, votes: int) -> None:
        self._insert("options", (kind, _fit(id_), order, text, votes))

    def link(self, first: str, second: str, kind: str) -> None:
        """One post's thread points at another's."""
        self.db.execute("INSERT INTO links VALUES (?,?,?)", (first, second, kind))

    def say(self, said: Said, place: str) -> None:
        """Keep a post; one that is told again is counted only. Raises BadRecord."""
        for _, id_ in ((said.kind, said.id), ("thread", said.thread), *said.also):
            _fit(id_)
        if len(said.body) > TEXT_MAX_CHARS:
            raise BadRecord(f"it has {len(said.body):,} characters")
        if said.at > self.latest:
            raise BadRecord(f"it is dated {said.at:%Y-%m-%d}, which is to come")
        new = self._insert(
            "said",
            (
                *(said.kind, said.id, said.thread, int(said.opening), *said.parent),
                said.at.astimezone(UTC).isoformat(timespec="microseconds"),
                *(said.author, said.author_name, place, said.order, int(said.removed)),
                "\n".join(f"{kind} {id_}" for kind, id_ in said.also),
                said.body,
            ),
        )
        if not new:
            self.repeated += 1
        elif said.removed:
            self.passed_over += 1
        self.votes += said.votes if new else 0

    def thread_of(self, kind: str, id_: str) -> str:
        """The thread a post told of before stands in; empty when none was."""
        query = "SELECT thread FROM said WHERE kind = ? AND id = ?"
        found = self.db.execute(query, (kind, id_)).fetchone()
        return str(found[0]) if found else ""

    def earliest_open(self, kind: str) -> None:
        """Let the first post of each thread told of open it, besides named (`kind`, thread)."""
        self.db.execute(
            "UPDATE said SET opening = 1, also = ? || thread WHERE removed = 0 AND (thread, ord) IN"
            " (SELECT thread, min(ord) FROM said WHERE removed = 0 GROUP BY thread)"
            " AND thread IN (SELECT id FROM threads)",
            (f"{kind} ",),
        )

    def _insert(self, table: str, values: tuple[str | int, ...]) -> bool:
        stored = tuple(plain(value) if isinstance(value, str) else value for value in values)
        marks = ",".join("?" * len(stored))
        # The table's name is one of this file's own.
        found = self.db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", stored)  # noqa: S608
        return found.rowcount == 1

    # -- reading back -------------------------------------------------------------------------

    def ready(self) -> None:
        self.db.execute("CREATE INDEX said_in_order ON said (thread, at, ord, id)")
        self.db.execute("CREATE INDEX said_by_another_name ON said (also)")
        self.db.commit()

    def openings(self) -> Iterator[Row]:
        """Those that open a thread, in time's order; a removed one where an answer is left."""
        return self._rows(
            "opening = 1 AND (removed = 0 OR EXISTS (SELECT 1 FROM said r WHERE r.thread = s.thread"
            " AND r.opening = 0 AND r.removed = 0)) ORDER BY s.at, s.ord, s.id"
        )

    def replies(self) -> Iterator[Row]:
        """The others, thread by thread in the order they were written."""
        return self._rows("opening = 0 AND removed = 0 ORDER BY s.thread, s.at, s.ord, s.id")

    def answers(self) -> Iterator[tuple[str, tuple[str, str]]]:
        for thread, *answer in self.db.cursor().execute("SELECT thread, kind, id FROM answers"):
            yield thread, (answer[0], answer[1])

    def closed(self) -> Iterator[str]:
        for (thread,) in self.db.cursor().execute("SELECT thread FROM closed ORDER BY thread"):
            yield thread

    def polls(self) -> Iterator[Asked]:
        for kind, id_, *rest, place in self.db.cursor().execute("SELECT * FROM polls"):
            question, choices, voters = rest
            options = self.db.execute(
                "SELECT text, votes FROM options WHERE kind = ? AND id = ? ORDER BY ord",
                (kind, id_),
            )
            yield Asked(kind, id_, question, tuple(options), choices, voters, place)

    def linked(self) -> Iterator[tuple[str, str, str]]:
        yield from self.db.cursor().execute("SELECT first, second, kind FROM links")

    def find_person(self, key: str) -> Person | None:
        found = self.db.execute("SELECT * FROM people WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        _, name, username, joined, place, about = found
        at = datetime.fromisoformat(joined) if joined else None
        return Person(key, name, username, at, place, about)

    def find_room(self, id_: str) -> Room | None:
        found = self.db.execute("SELECT * FROM rooms WHERE id = ?", (id_,)).fetchone()
        if found is None:
            return None
        _, name, about, private = found
        return Room(id_, name, about, bool(private))

    def ancestors(self, parent: tuple[str, str]) -> Iterator[tuple[str, str]]:
        """`parent`, then what that answered, and so on: for answers to what is not brought."""
        for _ in range(ANCESTORS_MAX):
            if not parent[1]:
                return
            yield parent
            found = self.db.execute(
                "SELECT parent_kind, parent FROM said WHERE (kind = ? AND id = ?) OR also = ?",
                (*parent, " ".join(parent)),
            ).fetchone()
            if found is None:
                return
            parent = (found[0], found[1])

    def _rows(self, which: str) -> Iterator[Row]:
        # `which` is one of the two above.
        joined = "FROM said s LEFT JOIN threads t ON t.id = s.thread"
        query = f"SELECT {COLUMNS} {joined} WHERE s.{which}"
        for row in self.db.cursor().execute(query):
            kind, id_, thread, at, author, name, body, parent_kind, parent, also, place, *rest = row
            names = tuple(
                (k, i) for k, _, i in (name.partition(" ") for name in also.split("\n")) if i
            )
            yield Row(
                *(kind, id_, thread, datetime.fromisoformat(at), author, name, body),
                *((parent_kind, parent), names, place, *rest),
            )


def plain(text: str) -> str:
    """Replace what neither SQLite nor PostgreSQL holds: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _fit(id_: str) -> str:
    if len(id_) > ID_MAX_CHARS:
        raise BadRecord("its id is no id")
    return id_


def since_1970(seconds: object) -> datetime:
    """Read seconds since 1970, as number or text. Raises BadRecord."""
    try:
        return datetime.fromtimestamp(int(float(str(seconds)[:20])), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadRecord(f"{str(seconds)[:40]!r} is no time") from error


def iso_instant(text: object) -> datetime:
    """Read `2015-01-27T20:09:32.720`, as UTC when it names no zone. Raises BadRecord."""
    try:
        at = datetime.fromisoformat(str(text)[:40])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRecord(f"{str(text)[:40]!r} is no date and time") from error
