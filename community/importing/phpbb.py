"""A phpBB board: topics become threads, each forum a group, a quote of a post answers it.

Read from a MySQL dump with phpbb_users, phpbb_forums, phpbb_topics and phpbb_posts of phpBB 3.0 or
later, phpbb_poll_options and phpbb_attachments if they are there. Private messages and the board's
own permissions are not read: only a forum with a password counts as private.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from community.importing import addresses, bbcodes, sql
from community.importing.dumps import BrokenDump, votes_in
from community.importing.engine import Source
from community.importing.spool import Asked, BadRecord, Person, Room, Said, Spool, since_1970

ANONYMOUS: Final = "1"
BOT: Final = "2"  # user_type of bots and of Anonymous
LOCKED: Final = "1"  # topic_status
MOVED: Final = "2"  # topic_status of the shadow a moved topic leaves
APPROVED: Final = "1"
QUOTED: Final = re.compile(r"\[quote=[^\]]{0,200}?\bpost_id=(\d{1,18})", re.I)

Row = dict[str, str]


class PhpBB(Source):
    """A dump, decompressed. `prefix` is that of the board's tables."""

    format = addresses.PHPBB
    prefix = "phpbb_"

    def markdown(self, kind: str, body: str) -> str:
        return bbcodes.markdown(body, base=self.base)

    def opening(self, thread: str) -> tuple[str, str]:
        return ("thread", thread)

    def read(self, spool: Spool) -> None:
        keepers: dict[str, Callable[[Spool, Row, str], None]] = {
            f"{self.prefix}users": self._user,
            f"{self.prefix}forums": self._forum,
            f"{self.prefix}topics": self._topic,
            f"{self.prefix}posts": self._post,
            f"{self.prefix}poll_options": self._option,
            f"{self.prefix}attachments": self._attachment,
        }
        posts = 0
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as dump:
            for row in sql.rows(dump, keepers):
                spool.progress(f"Reading {row.table}")
                place = f"{self.path.name} line {row.line}"
                posts += row.table == f"{self.prefix}posts"
                values = {name: value for name, value in row.values.items() if value is not None}
                try:
                    if row.fault:
                        raise BadRecord(row.fault)
                    keepers[row.table](spool, values, place)
                except BadRecord as bad:
                    id_ = next(iter(values.values()), "")
                    spool.reject(place, f"{row.table} {id_[:40]}", bad)
        if not posts:
            raise BrokenDump(f"{self.path}: it inserts nothing into {self.prefix}posts.")
        spool.earliest_open("thread")

    def _user(self, spool: Spool, row: Row, place: str) -> None:
        if row.get("user_type") == BOT:
            return
        name = bbcodes.unescaped(needed(row, "username"))
        spool.person(
            Person(
                number(row, "user_id"),
                name,
                username=name,
                joined=since_1970(needed(row, "user_regdate")),
                place=bbcodes.unescaped(row.get("user_from", "")),
                about=bbcodes.source_of(
                    row.get("user_sig", ""), uid=row.get("user_sig_bbcode_uid", "")
                ),
            )
        )

    def _forum(self, spool: Spool, row: Row, place: str) -> None:
        spool.room(
            Room(
                number(row, "forum_id"),
                bbcodes.unescaped(needed(row, "forum_name")),
                bbcodes.source_of(row.get("forum_desc", ""), uid=row.get("forum_desc_uid", "")),
                private=bool(row.get("forum_password")),
            )
        )

    def _topic(self, spool: Spool, row: Row, place: str) -> None:
        id_ = number(row, "topic_id")
        if row.get("topic_status") == MOVED or not is_shown(row, "topic"):
            spool.passed_over += 1
            return
        title = bbcodes.unescaped(needed(row, "topic_title"))
        spool.thread(id_, title, room=number(row, "forum_id"))
        if row.get("topic_status") == LOCKED:
            spool.lock(id_)
        if question := row.get("poll_title"):
            most = votes_in(row.get("poll_max_options"))
            words = bbcodes.unescaped(bbcodes.source_of(question))
            spool.ask(Asked("thread", id_, words, (), choices_max=most, place=place))

    def _option(self, spool: Spool, row: Row, place: str) -> None:
        order, votes = number(row, "poll_option_id"), votes_in(row.get("poll_option_total"))
        text = bbcodes.unescaped(bbcodes.source_of(row.get("poll_option_text", "")))
        spool.option("thread", number(row, "topic_id"), int(order), text, votes)

    def _attachment(self, spool: Spool, row: Row, place: str) -> None:
        if row.get("in_message") == "1" or row.get("is_orphan") == "1":
            spool.passed_over += 1  # of a letter between members, or of nothing
            return
        post = number(row, "post_msg_id")
        spool.leave_file(place, post, bbcodes.unescaped(row.get("real_filename", "")))

    def _post(self, spool: Spool, row: Row, place: str) -> None:
        id_, poster = number(row, "post_id"), row.get("poster_id", ANONYMOUS)
        text = bbcodes.source_of(row.get("post_text", ""), uid=row.get("bbcode_uid", ""))
        quoted = QUOTED.search(text)
        spool.say(
            Said(
                kind="post",
                id=id_,
                thread=number(row, "topic_id"),
                at=since_1970(needed(row, "post_time")),
                author="" if poster == ANONYMOUS else poster,
                author_name=bbcodes.unescaped(row.get("post_username", "")),
                body=text,
                parent=("post", quoted[1]) if quoted else ("", ""),
                order=int(id_),
                removed=not is_shown(row, "post"),
            ),
            place,
        )


def is_shown(row: Row, what: str) -> bool:
    """Whether readers saw it: `…_visibility` since 3.1, `…_approved` before."""
    return row.get(f"{what}_visibility", row.get(f"{what}_approved", APPROVED)) == APPROVED


def needed(row: Row, name: str) -> str:
    """Return a column no row may lack. Raises BadRecord."""
    if not row.get(name):
        raise BadRecord(f"it has no {name}")
    return row[name]


def number(row: Row, name: str) -> str:
    """Return an id. Raises BadRecord."""
    found = needed(row, name)
    if not (found.isascii() and found.isdecimal() and len(found) <= 18):
        raise BadRecord(f"its {name} is no number")
    return str(int(found))
