"""Bringing a Stack Exchange site into a group.

Questions become threads, answers and comments replies in the order they were written, accepted
answers and links between posts are kept. Rows wait in a scratch SQLite file on disk, so that a
dump larger than memory comes in, in whatever order its rows stand.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import transaction
from django.db.models import F

from community.groups.models import Group
from community.groups.services import admit
from community.importing import dumps
from community.importing.dumps import ANSWER, DUPLICATE, QUESTION, BrokenDump
from community.importing.models import ImportedRecord
from community.members.models import BIO_MAX_CHARS, NAME_MAX_CHARS, Member
from community.threads.models import TITLE_MAX_CHARS, Post, Thread, ThreadLink
from community.threads.rendering import render_body
from community.threads.services import publish_post, start_thread

SITE_ITSELF: Final = "-1"
EMPTY_BODY: Final = "*(This post had no text.)*"

Progress = Callable[[str, int], None]


@dataclass
class Counts:
    """What a run did. `known` were here from an earlier run; `passed_over` are no talk."""

    members: int = 0
    threads: int = 0
    replies: int = 0
    comments: int = 0
    answers: int = 0
    links: int = 0
    relinked: int = 0
    known: int = 0
    passed_over: int = 0
    orphans: int = 0


@dataclass
class _Known:
    """What earlier runs brought: outside id to our id, by kind."""

    source: str
    ids: dict[tuple[str, str], int] = field(default_factory=dict)

    def load(self) -> None:
        for kind, external_id, object_id in ImportedRecord.objects.filter(
            source=self.source
        ).values_list("kind", "external_id", "object_id"):
            self.ids[kind, external_id] = object_id

    def get(self, kind: str, external_id: str) -> int | None:
        return self.ids.get((kind, external_id))

    def add(self, kind: str, external_id: str, object_id: int) -> None:
        """Remember in the transaction of the object itself."""
        ImportedRecord.objects.create(
            source=self.source, kind=kind, external_id=external_id, object_id=object_id
        )
        self.ids[kind, external_id] = object_id


def import_stackexchange(
    *,
    folder: Path,
    group: Group,
    source: str,
    hosts: Collection[str] = (),
    comments: bool = True,
    progress: Progress = lambda stage, done: None,
) -> Counts:
    """Bring the dump in `folder` (Posts.xml; Users, Comments and PostLinks if there) into `group`.

    `source` names the site; a second run of the same source writes only what is new. What was
    brought in before a broken place stays. Raises BrokenDump.
    """
    run = _Import(group=group, source=source, hosts=set(hosts), progress=progress)
    with (
        tempfile.TemporaryDirectory(prefix="shoal-import-") as scratch,
        closing(sqlite3.connect(Path(scratch) / "rows.sqlite")) as spool,
    ):
        run.spool_rows(spool, folder, comments=comments)
        run.read_users(folder)
        run.bring_threads(spool)
        run.bring_replies(spool)
        run.keep_answers(spool)
        run.keep_links(folder)
        run.relink_bodies()
    return run.counts


class _Import:
    """One run: the stages in order, with what they know in common."""

    def __init__(self, *, group: Group, source: str, hosts: set[str], progress: Progress) -> None:
        self.group = group
        self.hosts = hosts
        self.progress = progress
        self.counts = Counts()
        self.known = _Known(source)
        self.known.load()
        self.users: dict[str, dict[str, str]] = {}
        self.members: dict[str, Member] = {}
        self.new_posts: list[int] = []

    # -- reading ------------------------------------------------------------------------------

    def spool_rows(self, spool: sqlite3.Connection, folder: Path, *, comments: bool) -> None:
        """Copy what is talk into the scratch file, which can be read in any order."""
        spool.execute(
            "CREATE TABLE said (id TEXT, kind TEXT, question TEXT, parent TEXT, at TEXT,"
            " owner TEXT, owner_name TEXT, title TEXT, body TEXT, accepted TEXT)"
        )
        insert = "INSERT INTO said VALUES (?,?,?,?,?,?,?,?,?,?)"
        path = folder / "Posts.xml"
        if not path.is_file():
            raise BrokenDump(f"{folder}: there is no Posts.xml.")
        for number, row in enumerate(dumps.rows(path, "Id", "PostTypeId", "CreationDate"), 1):
            self.progress("Reading posts", number)
            if row["PostTypeId"] not in (QUESTION, ANSWER):
                self.counts.passed_over += 1
                continue
            is_question = row["PostTypeId"] == QUESTION
            spool.execute(
                insert,
                (
                    row["Id"],
                    "question" if is_question else "answer",
                    row["Id"] if is_question else row.get("ParentId", ""),
                    "" if is_question else row.get("ParentId", ""),
                    row["CreationDate"],
                    row.get("OwnerUserId", ""),
                    row.get("OwnerDisplayName", ""),
                    row.get("Title", ""),
                    row.get("Body", ""),
                    row.get("AcceptedAnswerId", ""),
                ),
            )
        spool.execute("CREATE UNIQUE INDEX said_by_id ON said (kind, id)")
        spool.execute("CREATE INDEX said_in_order ON said (question, at)")
        path = folder / "Comments.xml"
        if comments and path.is_file():
            self._spool_comments(spool, path, insert)
        spool.commit()

    def _spool_comments(self, spool: sqlite3.Connection, path: Path, insert: str) -> None:
        for number, row in enumerate(dumps.rows(path, "Id", "PostId", "CreationDate"), 1):
            self.progress("Reading comments", number)
            below = spool.execute(
                "SELECT question FROM said WHERE id = ? AND kind <> 'comment'", (row["PostId"],)
            ).fetchone()
            if below is None:
                self.counts.orphans += 1
                continue
            spool.execute(
                insert,
                (
                    row["Id"],
                    "comment",
                    below[0],
                    row["PostId"],
                    row["CreationDate"],
                    row.get("UserId", ""),
                    row.get("UserDisplayName", ""),
                    "",
                    row.get("Text", ""),
                    "",
                ),
            )

    def read_users(self, folder: Path) -> None:
        """Keep what the dump says of people; they become members when they are met as authors."""
        path = folder / "Users.xml"
        if not path.is_file():
            return
        for number, row in enumerate(dumps.rows(path, "Id", "DisplayName", "CreationDate"), 1):
            self.progress("Reading users", number)
            self.users[row["Id"]] = {
                "name": row["DisplayName"],
                "joined": row["CreationDate"],
                "place": row.get("Location", ""),
                "about": row.get("AboutMe", ""),
            }

    # -- people -------------------------------------------------------------------------------

    def author_of(self, owner: str, owner_name: str, at: datetime) -> Member:
        """The member an author is here: by id, else by display name, else one for nobody."""
        key = owner or f"name:{owner_name}"
        member = self.members.get(key)
        if member is None:
            known = self.known.get("user", key)
            member = (
                Member.objects.get(pk=known)
                if known is not None
                else self._make_member(key, owner, owner_name, at)
            )
            self.members[key] = member
            admit(member=member, group=self.group, at=at)
        return member

    def _make_member(self, key: str, owner: str, owner_name: str, at: datetime) -> Member:
        told = self.users.get(owner, {})
        if owner == SITE_ITSELF:
            told = {"name": told.get("name", "Community")}
        name = told.get("name") or owner_name or (f"Member {owner}" if owner else "Someone")
        # Nobody can sign in by an address that cannot exist; its owner may claim it by a person.
        digest = hashlib.sha256(f"{self.known.source}/{key}".encode()).hexdigest()
        base = dumps.handle_base(name)
        handle = base
        for length in range(4, 9):
            if not Member.objects.filter(handle=handle).exists():
                break
            handle = f"{base}-{digest[:length]}"
        with transaction.atomic():
            member = Member.objects.create_user(
                handle,
                f"{digest[:24]}@imported.invalid",
                name=name[:NAME_MAX_CHARS],
                place=told.get("place", "")[:80],
                bio=dumps.markdown(told.get("about", ""))[:BIO_MAX_CHARS],
                joined_at=dumps.instant(told["joined"]) if "joined" in told else at,
            )
            self.known.add("user", key, member.pk)
        self.counts.members += 1
        return member

    # -- talk ---------------------------------------------------------------------------------

    def bring_threads(self, spool: sqlite3.Connection) -> None:
        query = "SELECT id, at, owner, owner_name, title, body FROM said WHERE kind = 'question'"
        for number, row in enumerate(_read(spool, f"{query} ORDER BY at, id"), 1):
            self.progress("Threads", number)
            external_id, at_text, owner, owner_name, title, body = row
            if self.known.get("post", external_id) is not None:
                self.counts.known += 1
                continue
            at = dumps.instant(at_text)
            author = self.author_of(owner, owner_name, at)
            with transaction.atomic():
                post = start_thread(
                    author=author,
                    group=self.group,
                    title=" ".join(title.split())[:TITLE_MAX_CHARS] or "Untitled",
                    body=dumps.markdown(body) or EMPTY_BODY,
                    at=at,
                )
                self.known.add("post", external_id, post.pk)
            self.new_posts.append(post.pk)
            self.counts.threads += 1

    def bring_replies(self, spool: sqlite3.Connection) -> None:
        """Answers and comments of each thread in the order they were written."""
        query = (
            "SELECT id, kind, question, parent, at, owner, owner_name, body FROM said"
            " WHERE kind <> 'question' ORDER BY question, at, id"
        )
        for number, row in enumerate(_read(spool, query), 1):
            self.progress("Replies", number)
            external_id, kind, question, parent, at_text, owner, owner_name, body = row
            record = "post" if kind == "answer" else "comment"
            if self.known.get(record, external_id) is not None:
                self.counts.known += 1
                continue
            opening = self.known.get("post", question)
            if opening is None:
                self.counts.orphans += 1
                continue
            at = dumps.instant(at_text)
            author = self.author_of(owner, owner_name, at)
            below = self.known.get("post", parent) if kind == "comment" else None
            thread = Thread.objects.select_related("group").get(posts=opening)
            with transaction.atomic():
                post = publish_post(
                    author=author,
                    thread=thread,
                    body=(dumps.markdown(body) if kind == "answer" else body.strip()) or EMPTY_BODY,
                    reply_to=Post.objects.get(pk=below) if below is not None else None,
                    at=at,
                )
                self.known.add(record, external_id, post.pk)
            self.new_posts.append(post.pk)
            if kind == "answer":
                self.counts.replies += 1
            else:
                self.counts.comments += 1

    def keep_answers(self, spool: sqlite3.Connection) -> None:
        query = "SELECT id, accepted FROM said WHERE kind = 'question' AND accepted <> ''"
        for question, accepted in _read(spool, query):
            opening, answer = self.known.get("post", question), self.known.get("post", accepted)
            if opening is None or answer is None:
                continue
            # Once chosen here, the choice belongs to the thread's own people.
            self.counts.answers += Thread.objects.filter(
                posts=opening, answer=None, pk__in=Post.objects.filter(pk=answer).values("thread")
            ).update(answer=answer, version=F("version") + 1)

    def keep_links(self, folder: Path) -> None:
        path = folder / "PostLinks.xml"
        if not path.is_file():
            return
        needed = ("Id", "PostId", "RelatedPostId", "LinkTypeId")
        for number, row in enumerate(dumps.rows(path, *needed), 1):
            self.progress("Links", number)
            pointing = self.known.get("post", row["PostId"])
            pointed_at = self.known.get("post", row["RelatedPostId"])
            if pointing is None or pointed_at is None:
                self.counts.orphans += 1
                continue
            threads = dict(
                Post.objects.filter(pk__in=[pointing, pointed_at]).values_list("pk", "thread_id")
            )
            first, second = threads[pointing], threads[pointed_at]
            if first == second:
                continue
            kind = (
                ThreadLink.Kind.DUPLICATE
                if row["LinkTypeId"] == DUPLICATE
                else ThreadLink.Kind.RELATED
            )
            _, made = ThreadLink.objects.get_or_create(
                from_thread_id=first, to_thread_id=second, kind=kind
            )
            self.counts.links += made

    def relink_bodies(self) -> None:
        """Let addresses of the old site lead to the posts they meant, now that all are here."""

        def address_of(external_id: str) -> str | None:
            post_id = self.known.get("post", external_id)
            return f"/p/{post_id}/" if post_id is not None else None

        for number, post_id in enumerate(self.new_posts, 1):
            self.progress("Addresses", number)
            post = Post.objects.select_related("thread__group", "author").get(pk=post_id)
            body = dumps.relink(post.body, self.hosts, address_of)
            if body == post.body:
                continue
            rendered = render_body(body, group=post.thread.group, writers=[post.author])
            Post.objects.filter(pk=post_id).update(body=body, html=rendered.html)
            self.counts.relinked += 1


def _read(spool: sqlite3.Connection, query: str) -> Iterator[tuple[str, ...]]:
    yield from spool.cursor().execute(query)
