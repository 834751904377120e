"""Subreddits: submissions become threads, comments replies, each subreddit a group.

NDJSON as Pushshift and Arctic Shift wrote it, submissions and comments in any files and order:
`RS_…`, `RC_…`, `r_…_posts.jsonl`, `r_…_comments.jsonl`, decompressed. Text is Markdown with `&`,
`<` and `>` written as HTML does.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from community.importing import addresses, dumps
from community.importing.discourse import files_in, lines_in
from community.importing.dumps import BrokenDump, text_in
from community.importing.engine import Source
from community.importing.spool import BadRecord, Person, Room, Said, Spool, since_1970

HOSTS: Final = ("www.reddit.com", "reddit.com", "old.reddit.com", "np.reddit.com")
DELETED: Final = "[deleted]"
REMOVED: Final = frozenset({DELETED, "[removed]", "[removed by reddit]", "[ removed by reddit ]"})
PRIVATE: Final = frozenset({"private", "user", "employees_only"})
ID: Final = re.compile(r"[0-9a-z]{1,12}")
# u/name calls somebody, as @name does here.
CALLED: Final = re.compile(r"(?<![\w/\[.])/?u/([A-Za-z0-9_-]{3,20})(?![\w/-])")

Record = dict[str, Any]


class Reddit(Source):
    """A file of records, or a folder of such files (.ndjson, .jsonl, .json or no ending)."""

    format = addresses.REDDIT

    def __init__(self, path: Path, *, name: str = "", hosts: Collection[str] = ()) -> None:
        super().__init__(path, name=name, hosts=hosts)
        self.hosts = [*HOSTS, *(host for host in self.hosts if host not in HOSTS)]

    def markdown(self, kind: str, body: str) -> str:
        text = addresses.call_nobody(html.unescape(body).strip())
        text = addresses.absolute(text, self.base)
        linked = rf"[u/\1]({self.base}/user/\1)"
        return addresses.outside_code(text, lambda piece: CALLED.sub(linked, piece))

    def opening(self, thread: str) -> tuple[str, str]:
        return ("post", thread)

    def read(self, spool: Spool) -> None:
        files = files_in(self.path, ".ndjson", ".jsonl", ".json", "")
        if not files:
            raise BrokenDump(f"{self.path}: there are no files of records.")
        for path in files:
            for place, line in lines_in(path, spool):
                id_ = ""
                try:
                    record = dumps.json_object(line)
                    id_ = text_in(record, "id", "name")
                    self._keep(spool, record, place)
                except BadRecord as bad:
                    spool.reject(place, id_, bad)

    def _keep(self, spool: Spool, record: Record, place: str) -> None:
        id_ = bare(text_in(record, "id", "name"))
        author = text_in(record, "author")
        key = "" if author in ("", DELETED) else author.lower()
        if key:
            joined = text_in(record, "author_created_utc")
            spool.person(
                Person(key, author, username=author, joined=since_1970(joined) if joined else None)
            )
        if "title" in record:
            self._submission(spool, record, id_, key, place)
        elif "link_id" in record:
            self._comment(spool, record, id_, key, place)
        else:
            raise BadRecord("neither a submission nor a comment")

    def _submission(self, spool: Spool, record: Record, id_: str, author: str, place: str) -> None:
        name = text_in(record, "subreddit")
        private = text_in(record, "subreddit_type") in PRIVATE
        spool.room(Room(name.lower(), name, private=private))
        spool.thread(id_, html.unescape(text_in(record, "title")), room=name.lower())
        body, removed = spoken(record, "selftext")
        target = text_in(record, "url_overridden_by_dest", "url")
        linked = record.get("is_self") is not True and re.match(r"https?://", target)
        if linked and not removed and f"/comments/{id_}" not in target:
            address = html.unescape(target).replace(">", "%3E").replace("<", "%3C")
            body = f"<{''.join(address.split())}>\n\n{body}".strip()
        spool.say(
            Said(
                kind="post",
                id=id_,
                thread=id_,
                at=since_1970(text_in(record, "created_utc", "created")),
                author="" if removed else author,
                body=body,
                opening=True,
                order=int(id_, 36),
                removed=removed,
                votes=dumps.votes_in(record.get("score")),
            ),
            place,
        )

    def _comment(self, spool: Spool, record: Record, id_: str, author: str, place: str) -> None:
        body, removed = spoken(record, "body")
        parent = text_in(record, "parent_id")
        kind = "comment" if parent.startswith("t1_") else "post"
        spool.say(
            Said(
                kind="comment",
                id=id_,
                thread=bare(text_in(record, "link_id")),
                at=since_1970(text_in(record, "created_utc", "created")),
                author=author,
                body=body,
                parent=(kind, bare(parent)) if parent else ("", ""),
                order=int(id_, 36),
                removed=removed,
                votes=dumps.votes_in(record.get("score")),
            ),
            place,
        )


def spoken(record: Record, name: str) -> tuple[str, bool]:
    """Return the text, and whether it was taken away by its author or a moderator."""
    text = text_in(record, name)
    if text.strip().lower() in REMOVED or record.get("removed_by_category"):
        return "", True
    return text, False


def bare(id_: str) -> str:
    """Return an id without its `t3_`. Raises BadRecord for what is none."""
    found = id_.lower().rpartition("_")[2]
    if not ID.fullmatch(found):
        raise BadRecord("it has no id")
    return found
