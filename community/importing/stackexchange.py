"""A Stack Exchange site: questions become threads, answers and comments replies in the order they
were written, accepted answers and links between posts are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from community.importing import addresses, dumps
from community.importing.dumps import BrokenDump
from community.importing.engine import Source
from community.importing.spool import BadRecord, Person, Said, Spool, iso_instant
from community.threads.models import ThreadLink

QUESTION, ANSWER = "1", "2"
DUPLICATE: Final = "3"
SITE_ITSELF: Final = "-1"

Row = dict[str, str]


class StackExchange(Source):
    """A folder with Posts.xml; Users, Comments and PostLinks are read if there."""

    format = addresses.STACKEXCHANGE
    comments = True

    def markdown(self, kind: str, body: str) -> str:
        if kind == "comment":
            return addresses.absolute(addresses.call_nobody(body.strip()), self.base)
        return dumps.markdown(body, base=self.base)

    def opening(self, thread: str) -> tuple[str, str]:
        return ("post", thread)

    def read(self, spool: Spool) -> None:
        if not (self.path / "Posts.xml").is_file():
            raise BrokenDump(f"{self.path}: there is no Posts.xml.")
        self._each(spool, "Posts.xml", self._post)
        if self.comments:
            self._each(spool, "Comments.xml", self._comment)
        self._each(spool, "Users.xml", self._user)
        self._each(spool, "PostLinks.xml", self._link)

    def _each(self, spool: Spool, name: str, keep: Callable[[Spool, Row, str], None]) -> None:
        path = self.path / name
        if not path.is_file():
            return
        stage = f"Reading {path.stem}"
        for number, row in enumerate(dumps.rows(path), 1):
            spool.progress(stage)
            place = f"{name} row {number}"
            try:
                keep(spool, row, place)
            except BadRecord as bad:
                spool.reject(place, row.get("Id", ""), bad)

    def _post(self, spool: Spool, row: Row, place: str) -> None:
        kind = needed(row, "PostTypeId")
        if kind not in (QUESTION, ANSWER):
            spool.passed_over += 1
            return
        id_ = needed(row, "Id")
        thread = id_ if kind == QUESTION else row.get("ParentId", "")
        spool.say(
            Said(
                kind="post",
                id=id_,
                thread=thread,
                at=iso_instant(needed(row, "CreationDate")),
                author=row.get("OwnerUserId", ""),
                author_name=row.get("OwnerDisplayName", ""),
                body=row.get("Body", ""),
                opening=kind == QUESTION,
                votes=dumps.votes_in(row.get("Score", 0)),
            ),
            place,
        )
        if kind == QUESTION:
            spool.thread(id_, row.get("Title", ""))
            if accepted := row.get("AcceptedAnswerId"):
                spool.answer(id_, ("post", accepted))

    def _comment(self, spool: Spool, row: Row, place: str) -> None:
        below = needed(row, "PostId")
        spool.say(
            Said(
                kind="comment",
                id=needed(row, "Id"),
                thread=spool.thread_of("post", below),
                at=iso_instant(needed(row, "CreationDate")),
                author=row.get("UserId", ""),
                author_name=row.get("UserDisplayName", ""),
                body=row.get("Text", ""),
                parent=("post", below),
                votes=dumps.votes_in(row.get("Score", 0)),
            ),
            place,
        )

    def _user(self, spool: Spool, row: Row, place: str) -> None:
        key = needed(row, "Id")
        if key == SITE_ITSELF:
            spool.person(Person(key, row.get("DisplayName", "Community")))
            return
        spool.person(
            Person(
                key,
                needed(row, "DisplayName"),
                joined=iso_instant(needed(row, "CreationDate")),
                place=row.get("Location", ""),
                about=row.get("AboutMe", ""),
            )
        )

    def _link(self, spool: Spool, row: Row, place: str) -> None:
        kind = ThreadLink.Kind.RELATED
        if needed(row, "LinkTypeId") == DUPLICATE:
            kind = ThreadLink.Kind.DUPLICATE
        spool.link(needed(row, "PostId"), needed(row, "RelatedPostId"), kind)


def needed(row: Row, name: str) -> str:
    """Return an attribute no row may lack. Raises BadRecord."""
    if not row.get(name):
        raise BadRecord(f"it has no {name}")
    return row[name]
