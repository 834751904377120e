"""What all importers share: from a source's people, rooms and threads to members, groups and posts.

Each record is brought in a transaction with the row that remembers it, so a run may end anywhere
and be repeated. One that cannot come in is named and passed over; the run goes on.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import quote

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DataError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from community.groups.models import TINTS, Group, JoinMode, Role, Template
from community.groups.services import admit, create_group
from community.importing import addresses
from community.importing.dumps import EMPTY_BODY, handle_base
from community.importing.models import SITE, ImportedRecord, site_key
from community.importing.spool import Bad, BadRecord, Person, Room, Row, Spool
from community.members.models import BIO_MAX_CHARS, NAME_MAX_CHARS, Member
from community.polls.models import OPTION_MAX_CHARS, OPTIONS_MAX, QUESTION_MAX_CHARS, Poll
from community.polls.services import bring_poll
from community.standing.services import review_imported
from community.threads.editing import rerender_post
from community.threads.errors import Refused
from community.threads.markup import plain_text
from community.threads.models import (
    POST_MAX_CHARS,
    TITLE_MAX_CHARS,
    Post,
    Thread,
    ThreadEntry,
    ThreadLink,
)
from community.threads.services import lock_thread, publish_post, start_thread
from community.threads.texts import excerpt_of

NOBODY: Final = "nobody"  # the key of the one member who stands for all who left
NOBODYS_NAME: Final = "Former member"
CUT: Final = "\n\n*(The original is longer.)*"
MEMBERS_KEPT: Final = 5_000  # in memory at a time
ROWS_AT_A_TIME: Final = 1_000
KNOWN_KINDS: Final = (
    "CREATE TABLE known (kind TEXT, id TEXT, object INTEGER, PRIMARY KEY (kind, id))"
)

Progress = Callable[[str], None]


@dataclass
class Counts:
    """What a run did. `known` were here from an earlier run; `passed_over` are no talk or were
    removed at the source; `bad` and `attachments_left` were listed. `votes_left` stay behind: likes
    there are no reactions of members here."""

    members: int = 0
    groups: int = 0
    threads: int = 0
    replies: int = 0
    comments: int = 0
    answers: int = 0
    polls: int = 0
    closed: int = 0
    links: int = 0
    relinked: int = 0
    known: int = 0
    repeated: int = 0
    passed_over: int = 0
    orphans: int = 0
    votes_left: int = 0
    attachments_left: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class Into:
    """Where talk goes: all into `group`, or each room into a group that `owner` opens."""

    group: Group | None = None
    owner: Member | None = None
    template: str = Template.COLLECTIBLES
    hidden: bool = False


class Source(ABC):
    """A dump and how to read it. `name` is what later runs know it by, `hosts` what hosts the site
    answered on."""

    format: ClassVar[str]

    def __init__(self, path: Path, *, name: str = "", hosts: Collection[str] = ()) -> None:
        self.path = path
        self.name = name or path.resolve().stem
        self.hosts = sorted(host.lower() for host in hosts)

    @property
    def base(self) -> str:
        """What an address without a host stood under, without a slash at its end."""
        return f"https://{self.hosts[0]}" if self.hosts else f"/old/{quote(self.name, safe='')}"

    @abstractmethod
    def read(self, spool: Spool) -> None:
        """Fill the spool. Bad records are rejected there. Raises BrokenDump for a whole file."""

    @abstractmethod
    def markdown(self, kind: str, body: str) -> str:
        """What a post of `kind` says, as Markdown."""

    @abstractmethod
    def opening(self, thread: str) -> tuple[str, str]:
        """The (kind, id) under which the opening post of a thread is known."""

    def about(self, text: str) -> str:
        """What somebody says of themselves, as Markdown."""
        return self.markdown("about", text)


def bring(
    source: Source,
    into: Into,
    *,
    progress: Progress = lambda stage: None,
    skipped: Callable[[Bad], None] = lambda bad: None,
) -> Counts:
    """Bring all of `source` in. A second run writes only what is new.

    `progress` is told the stage once a record, `skipped` each record that could not come in.
    Raises BrokenDump when a file cannot be read on; what came before stays.
    """
    with tempfile.TemporaryDirectory(prefix="shoal-import-") as scratch:
        path = Path(scratch) / "rows.sqlite"
        with closing(Spool(path, progress=progress, skipped=skipped)) as spool:
            source.read(spool)
            spool.ready()
            run = _Run(source, into, spool)
            run.remember_site()
            run.bring_threads()
            run.bring_replies()
            run.keep_answers()
            run.keep_polls()
            run.keep_closed()
            run.keep_links()
            run.relink_bodies()
            run.weigh_authors()
            return run.counted()


def fitting_options(options: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Cut a poll's answers to what one of ours holds; of two alike the first stays."""
    found: dict[str, int] = {}
    for text, votes in options:
        if words := " ".join(text.split())[:OPTION_MAX_CHARS].strip():
            found.setdefault(words, max(0, votes))
    return list(found.items())[:OPTIONS_MAX]


class _Known:
    """What this and earlier runs brought: outside id to our id, by kind; on disk, not in memory."""

    def __init__(self, source: str, db: sqlite3.Connection) -> None:
        self.source = source
        self.db = db
        db.execute(KNOWN_KINDS)
        rows = ImportedRecord.objects.filter(source=source)
        db.executemany(
            "INSERT INTO known VALUES (?,?,?)",
            rows.values_list("kind", "external_id", "object_id").iterator(),
        )

    def get(self, kind: str, external_id: str) -> int | None:
        query = "SELECT object FROM known WHERE kind = ? AND id = ?"
        found = self.db.execute(query, (kind, external_id)).fetchone()
        return found[0] if found else None

    def add(self, object_id: int, *names: tuple[str, str]) -> None:
        """Remember in the transaction of the object itself."""
        new = [name for name in names if self.get(*name) is None]
        ImportedRecord.objects.bulk_create(
            ImportedRecord(source=self.source, kind=kind, external_id=id_, object_id=object_id)
            for kind, id_ in new
        )
        self.db.executemany(
            "INSERT INTO known VALUES (?,?,?)", [(*name, object_id) for name in new]
        )

    def posts(self) -> Iterator[list[int]]:
        """Our ids of all posts, some at a time."""
        yield from self._some("SELECT object FROM known WHERE kind IN ('post', 'comment')")

    def members(self) -> Iterator[list[int]]:
        """Our ids of all authors, some at a time."""
        yield from self._some("SELECT object FROM known WHERE kind = 'user'")

    def _some(self, query: str) -> Iterator[list[int]]:
        # Both queries are above.
        found = self.db.cursor().execute(f"{query} ORDER BY object")
        while rows := found.fetchmany(ROWS_AT_A_TIME):
            yield [object_id for (object_id,) in rows]


class _Run:
    """One run: the stages in order, with what they know in common."""

    def __init__(self, source: Source, into: Into, spool: Spool) -> None:
        self.source = source
        self.into = into
        self.spool = spool
        self.counts = Counts()
        self.known = _Known(source.name, spool.db)
        self.members: dict[str, Member] = {}
        self.inside: set[tuple[int, int]] = set()
        self.groups: dict[str, Group] = {}

    def counted(self) -> Counts:
        self.counts.bad = self.spool.bad
        self.counts.repeated = self.spool.repeated
        self.counts.passed_over = self.spool.passed_over
        self.counts.votes_left = self.spool.votes
        self.counts.attachments_left = self.spool.attachments
        return self.counts

    def remember_site(self) -> None:
        """Let `/old/<name or host>/…` know whose addresses it is asked for."""
        for site in (self.source.name, *self.source.hosts):
            ImportedRecord.objects.get_or_create(
                source=site_key(site),
                kind=f"{SITE}:{self.source.format}",
                external_id=self.source.name,
                defaults={"object_id": 0},
            )

    @contextmanager
    def _passing_over(self, row: Row) -> Iterator[None]:
        """Name what cannot come in, and go on. Each write inside is a transaction of its own."""
        try:
            yield
        except Refused as refused:
            self.spool.reject(row.place, row.id, refused.reason)
        except ValidationError as error:
            self.spool.reject(row.place, row.id, "; ".join(error.messages))
        except RecursionError:
            self.spool.reject(row.place, row.id, "it is nested too deep")
        except ObjectDoesNotExist:
            self.spool.reject(row.place, row.id, "what it belongs to was here, and is no more")
        except (BadRecord, ValueError, OverflowError, DataError) as error:
            self.spool.reject(row.place, row.id, error)

    # -- people and rooms ---------------------------------------------------------------------

    def author_of(self, row: Row, group: Group) -> Member:
        """The member an author is here: by id, else by display name, else one for all who left."""
        key = row.author or (f"name:{row.author_name}"[:80] if row.author_name else NOBODY)
        member = self.members.get(key)
        if member is None:
            known = self.known.get("user", key)
            member = (
                Member.objects.get(pk=known)
                if known is not None
                else self._make_member(key, row.author_name, row.at)
            )
            if len(self.members) >= MEMBERS_KEPT:
                self.members.clear()
            self.members[key] = member
        if (member.pk, group.pk) not in self.inside:
            admit(member=member, group=group, at=row.at)
            self.inside.add((member.pk, group.pk))
        return member

    def _make_member(self, key: str, called: str, at: datetime) -> Member:
        told = self.spool.find_person(key)
        if told is None:
            told = Person(key, called or (NOBODYS_NAME if key == NOBODY else f"Member {key}"))
        name = " ".join((told.name or told.username).split()) or f"Member {key}"
        # Nobody can sign in by an address that cannot exist; its owner may claim it by a person.
        digest = hashlib.sha256(f"{self.source.name}/{key}".encode()).hexdigest()
        base = handle_base(told.username or name)
        handle = base
        for length in range(4, 9):
            if not Member.objects.filter(handle=handle).exists():
                break
            handle = f"{base}-{digest[:length]}"
        names = [("user", key)]
        if told.username:
            names.append(("username", told.username.lower()[:80]))
        with transaction.atomic():
            member = Member.objects.create_user(
                handle,
                f"{digest[:24]}@imported.invalid",
                name=name[:NAME_MAX_CHARS].strip(),
                place=told.place[:80].strip(),
                bio=self._about(told.about),
                joined_at=told.joined or at,
            )
            self.known.add(member.pk, *names)
        self.counts.members += 1
        return member

    def _about(self, text: str) -> str:
        try:
            return self.source.about(text)[:BIO_MAX_CHARS].strip()
        except (RecursionError, ValueError):
            return ""

    def group_of(self, room_id: str) -> Group:
        """The group a room is here. Raises BadRecord where talk would become more public."""
        group = self.groups.get(room_id)
        if group is None:
            # Nobody said whether it was open to all: then a new group is not.
            told = Room(room_id, f"{self.source.name} {room_id}", private=self.into.group is None)
            room = self.spool.find_room(room_id) or told
            group = self._find_or_open(room)
            if room.private and group.join_mode != JoinMode.HIDDEN:
                raise BadRecord(f"{room.name} is private there, and {group.name} is not hidden")
            self.groups[room_id] = group
        return group

    def _find_or_open(self, room: Room) -> Group:
        if not room.id:
            if self.into.group is None:
                raise BadRecord("it stands in no category, and no group was named")
            return self.into.group
        known = self.known.get("room", room.id)
        if known is not None:
            return Group.objects.get(pk=known)
        group = self.into.group
        if group is not None:
            if not (room.private and group.join_mode != JoinMode.HIDDEN):
                self.known.add(group.pk, ("room", room.id))
            return group
        if self.into.owner is None:
            raise BadRecord("neither a group nor an owner of new groups was named")
        return self._open(room, self.into.owner)

    def _open(self, room: Room, owner: Member) -> Group:
        name = " ".join(room.name.split())[:60].strip() or f"Room {room.id}"
        digest = hashlib.sha256(f"{self.source.name}/{room.id}".encode()).hexdigest()
        slug = slugify(name)[:40].strip("-") or f"group-{digest[:6]}"
        if Group.objects.filter(slug=slug).exists():
            slug = f"{slug}-{digest[:6]}"
        hidden = self.into.hidden or room.private
        with transaction.atomic():
            group = create_group(
                owner=owner,
                slug=slug,
                name=name,
                template=self.into.template,
                join_mode=JoinMode.HIDDEN if hidden else JoinMode.OPEN,
                about=self._about(room.about),
                tint=int(digest[:6], 16) % TINTS,
            )
            self.known.add(group.pk, ("room", room.id))
        self.counts.groups += 1
        return group

    # -- talk ---------------------------------------------------------------------------------

    def bring_threads(self) -> None:
        for row in self.spool.openings():
            self.spool.progress("Threads")
            if self.known.get(row.kind, row.id) is not None:
                self.counts.known += 1
                continue
            with self._passing_over(row):
                group = self.group_of(row.room)
                body = self._body(row)
                title = " ".join(row.title.split())[:TITLE_MAX_CHARS].strip() or "Untitled"
                author = self.author_of(row, group)
                with transaction.atomic():
                    post = start_thread(
                        author=author, group=group, title=title, body=body, at=row.at
                    )
                    self._remember(post, row)
                self.counts.threads += 1

    def bring_replies(self) -> None:
        for row in self.spool.replies():
            self.spool.progress("Replies")
            if self.known.get(row.kind, row.id) is not None:
                self.counts.known += 1
                continue
            opening = self.known.get(*self.source.opening(row.thread))
            if opening is None:
                self.counts.orphans += 1
                continue
            with self._passing_over(row):
                body = self._body(row)
                thread = Thread.objects.select_related("group").get(posts=opening)
                author = self.author_of(row, thread.group)
                with transaction.atomic():
                    post = publish_post(
                        author=author,
                        thread=thread,
                        body=body,
                        reply_to=self._answered(row),
                        at=row.at,
                    )
                    self._remember(post, row)
                if row.kind == "comment":
                    self.counts.comments += 1
                else:
                    self.counts.replies += 1

    def _body(self, row: Row) -> str:
        body = self.source.markdown(row.kind, row.body) or EMPTY_BODY
        if len(body) > POST_MAX_CHARS:
            body = body[: POST_MAX_CHARS - len(CUT)]
            body = (body.rpartition(" ")[0] or body).rstrip() + CUT
        return body

    def _answered(self, row: Row) -> Post | None:
        for name in self.spool.ancestors(row.parent):
            if (known := self.known.get(*name)) is not None:
                return Post.objects.filter(pk=known).first()
        return None

    def _remember(self, post: Post, row: Row) -> None:
        self.known.add(post.pk, (row.kind, row.id), *row.also)

    def keep_answers(self) -> None:
        for thread, answer in self.spool.answers():
            opening, chosen = self.known.get(*self.source.opening(thread)), self.known.get(*answer)
            if opening is None or chosen is None or opening == chosen:
                continue
            # Once chosen here, the choice belongs to the thread's own people.
            self.counts.answers += Thread.objects.filter(
                posts=opening, answer=None, pk__in=Post.objects.filter(pk=chosen).values("thread")
            ).update(answer=chosen, version=F("version") + 1)

    def keep_polls(self) -> None:
        """Ask what was asked under a post. Closed: who voted there would vote a second time."""
        for poll in self.spool.polls():
            self.spool.progress("Polls")
            post = Post.objects.filter(pk=self.known.get(poll.kind, poll.id) or 0).first()
            if post is None or Poll.objects.filter(post=post).exists():
                continue
            options = fitting_options(poll.options)
            if len(options) < 2:
                self.spool.reject(poll.place, poll.id, "its poll has fewer than two answers")
                continue
            votes = [count for _text, count in options]
            question = " ".join(poll.question.split()) or post.thread.heading
            with transaction.atomic():
                bring_poll(
                    post=post,
                    question=question[:QUESTION_MAX_CHARS],
                    options=options,
                    choices_max=min(max(poll.choices_max, 1), len(options)),
                    voters=poll.voters or (sum(votes) if poll.choices_max <= 1 else max(votes)),
                )
            self.counts.polls += 1

    def keep_closed(self) -> None:
        """Lock what was closed there as the group's owner, unless it was opened again here."""
        for outside in self.spool.closed():
            self.spool.progress("Closed")
            opening = self.known.get(*self.source.opening(outside))
            thread = Thread.objects.filter(posts=opening or 0, locked_at=None).first()
            if thread is None or thread.entries.filter(verb=ThreadEntry.Verb.UNLOCK).exists():
                continue
            owner = Member.objects.filter(
                memberships__group=thread.group_id, memberships__role=Role.OWNER
            ).first()
            if owner is not None:
                reason = _("It was closed where it came from.")
                lock_thread(thread=thread, by=owner, reason=reason, at=thread.last_post_at)
                self.counts.closed += 1

    def weigh_authors(self) -> None:
        """Give authors the trust level that what they wrote there earns."""
        for ids in self.known.members():
            self.spool.progress("Levels")
            review_imported(ids, now=timezone.now())

    def keep_links(self) -> None:
        for first, second, kind in self.spool.linked():
            self.spool.progress("Links")
            ends = [self.known.get("post", end) or 0 for end in (first, second)]
            threads = dict(Post.objects.filter(pk__in=ends).values_list("pk", "thread_id"))
            pointing, pointed_at = (threads.get(end) for end in ends)
            if pointing is None or pointed_at is None:
                self.counts.orphans += 1
            elif pointing != pointed_at:
                _, made = ThreadLink.objects.get_or_create(
                    from_thread_id=pointing, to_thread_id=pointed_at, kind=kind
                )
                self.counts.links += made

    def relink_bodies(self) -> None:
        """Let addresses of the old site lead to what they meant, now that more is here.

        Asks posts of earlier runs too, which may have ended early or named what came later; not
        those somebody edited here.
        """
        named = Q(body__contains=f"{self.source.base}/")
        for host in self.source.hosts:
            named |= Q(body__icontains=f"//{host}/")
        for ids in self.known.posts():
            posts = Post.objects.filter(named, pk__in=ids, edited_at=None)
            for post in posts.order_by("pk"):
                self.spool.progress("Addresses")
                self._relink(post)

    def _relink(self, post: Post) -> None:
        body = addresses.relink(
            post.body,
            style=self.source.format,
            hosts=self.source.hosts,
            base=self.source.base,
            ours=self._ours,
        )
        if body == post.body or len(body) > POST_MAX_CHARS:
            return
        with transaction.atomic():
            Post.objects.filter(pk=post.pk).update(body=body)
            rerender_post(post.pk)
            if post.is_opening:
                excerpt = excerpt_of(plain_text(body))
                Thread.objects.filter(pk=post.thread_id).update(excerpt=excerpt)
        self.counts.relinked += 1

    def _ours(self, kind: str, external_id: str) -> str | None:
        """Our address of an outside thing; a member's is the handle after @."""
        known = self.known.get(kind, external_id)
        if known is None:
            return None
        if kind in addresses.PEOPLE:
            handle = Member.objects.filter(pk=known).values_list("handle", flat=True).first()
            return f"@{handle}" if handle else None
        if kind == "room":
            group = Group.objects.filter(pk=known).exclude(join_mode=JoinMode.HIDDEN).first()
            return group.get_absolute_url() if group else None
        return f"/p/{known}/"
