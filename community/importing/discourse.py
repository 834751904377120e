"""A Discourse site: topics become threads, each category a group; replies keep what they answered.

Files as the API gives them, one JSON object each (`*.json`) or one a line (`*.ndjson`, `*.jsonl`),
in any order: `/t/ID.json`, `/t/ID/posts.json?post_ids[]=…` for what the first page leaves out,
`/categories.json` or `/site.json`, and `/u/NAME.json` where somebody's own words are wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from community.importing import addresses, dumps
from community.importing.dumps import BrokenDump, dict_in, dicts_in, text_in
from community.importing.engine import Source
from community.importing.spool import Asked, BadRecord, Person, Room, Said, Spool, iso_instant

REGULAR, BY_MODERATOR = "1", "2"  # post_type; 3 are notes of what was done, 4 are whispers
LIKE: Final = "2"  # of actions_summary
FILE_MAX_BYTES: Final = 64 * 1024 * 1024
ATTACHED: Final = re.compile(r'<a class="attachment"[^>]*>(.{0,400}?)</a>', re.S)
DEPTH_MAX: Final = 5  # categories in categories

Record = dict[str, Any]


class Discourse(Source):
    """A folder of files, or one."""

    format = addresses.DISCOURSE

    def markdown(self, kind: str, body: str) -> str:
        return dumps.markdown(body, base=self.base)

    def opening(self, thread: str) -> tuple[str, str]:
        return ("place", f"{thread}/1")

    def read(self, spool: Spool) -> None:
        seen = False
        for place, text in self._texts(spool):
            seen = True
            try:
                self._keep(spool, dumps.json_object(text), place)
            except BadRecord as bad:
                spool.reject(place, "", bad)
        if not seen:
            raise BrokenDump(f"{self.path}: there are no JSON files.")

    def _texts(self, spool: Spool) -> Iterator[tuple[str, str]]:
        for path in files_in(self.path, ".json", ".ndjson", ".jsonl"):
            name = path.name if path == self.path else str(path.relative_to(self.path))
            if path.suffix != ".json":
                yield from lines_in(path, spool)
            elif path.stat().st_size > FILE_MAX_BYTES:
                spool.progress("Reading files")
                spool.reject(name, "", "the file is too large for one topic")
            else:
                spool.progress("Reading files")
                yield name, path.read_text(encoding="utf-8-sig", errors="replace")

    def _keep(self, spool: Spool, record: Record, place: str) -> None:
        if "post_stream" in record:
            self._topic(spool, record, place)
        elif "category_list" in record:
            self._categories(spool, dicts_in(dict_in(record, "category_list"), "categories"))
        elif "categories" in record:
            self._categories(spool, dicts_in(record, "categories"))
        elif "user" in record:
            self._user(spool, dict_in(record, "user"))
        else:
            raise BadRecord("neither a topic, nor posts, categories or a user")

    def _categories(self, spool: Spool, categories: list[Record], depth: int = 0) -> None:
        for category in categories:
            spool.room(
                Room(
                    text_in(category, "id"),
                    text_in(category, "name", "slug"),
                    text_in(category, "description"),
                    private=category.get("read_restricted") is True,
                )
            )
            if depth < DEPTH_MAX:
                self._categories(spool, dicts_in(category, "subcategory_list"), depth + 1)

    def _user(self, spool: Spool, user: Record) -> None:
        joined = text_in(user, "created_at")
        spool.person(
            Person(
                text_in(user, "id"),
                text_in(user, "name", "username"),
                username=text_in(user, "username"),
                joined=iso_instant(joined) if joined else None,
                place=text_in(user, "location"),
                about=text_in(user, "bio_cooked"),
            )
        )

    def _topic(self, spool: Spool, record: Record, place: str) -> None:
        posts = dicts_in(dict_in(record, "post_stream"), "posts")
        topic = text_in(record, "id")
        regular = text_in(record, "archetype") in ("", "regular")
        if not regular or record.get("deleted_at") or record.get("visible") is False:
            # Letters between members, what was taken down, what was in no list.
            spool.passed_over += len(posts)
            return
        if "title" in record:
            if not topic:
                raise BadRecord("the topic has no id")
            spool.thread(topic, text_in(record, "title"), room=text_in(record, "category_id"))
            accepted = dict_in(record, "accepted_answer") or next(
                iter(dicts_in(record, "accepted_answers")), {}
            )
            if record.get("closed") is True or record.get("archived") is True:
                spool.lock(topic)
            if number := text_in(accepted, "post_number"):
                spool.answer(topic, ("place", f"{topic}/{number}"))
        for post in posts:
            where = f"{place} post {text_in(post, 'post_number')}"
            try:
                self._post(spool, post, topic, where)
            except BadRecord as bad:
                spool.reject(where, text_in(post, "id"), bad)

    def _post(self, spool: Spool, post: Record, topic: str, place: str) -> None:
        id_, number = text_in(post, "id"), text_in(post, "post_number")
        topic = text_in(post, "topic_id") or topic
        if not (id_.isdecimal() and number.isdecimal() and topic.isdecimal()):
            raise BadRecord("it lacks an id, a number or a topic")
        author, username = text_in(post, "user_id"), text_in(post, "username")
        gone = bool(post.get("deleted_at") or post.get("user_deleted") or post.get("hidden"))
        talk = text_in(post, "post_type") in ("", REGULAR, BY_MODERATOR)
        answered = text_in(post, "reply_to_post_number")
        likes = [
            text_in(act, "count")
            for act in dicts_in(post, "actions_summary")
            if text_in(act, "id") == LIKE
        ]
        if not username:
            author = ""
        cooked = "" if gone else text_in(post, "cooked")
        polls = [] if gone or not talk else dicts_in(post, "polls")
        if len(polls) == 1:
            self._poll(spool, polls[0], id_, place)
        else:
            # Several stand under one post there; here their words stay in it.
            cooked = cooked.replace('<div class="poll"', "<div")
        spool.say(
            Said(
                kind="post",
                id=id_,
                thread=topic,
                at=iso_instant(text_in(post, "created_at")),
                author=author,
                author_name=username,
                body=cooked,
                opening=number == "1",
                parent=("place", f"{topic}/{answered}") if answered else ("", ""),
                order=int(number[:9]),
                also=(("place", f"{topic}/{number}"),),
                removed=gone or not talk,
                votes=sum(map(dumps.votes_in, likes)),
            ),
            place,
        )
        for name in ATTACHED.findall(cooked):
            spool.leave_file(place, id_, dumps.words_of(name))
        if author:
            name = text_in(post, "name", "username")
            spool.person(Person(author, name, username=username))
        if post.get("accepted_answer") is True:
            spool.answer(topic, ("place", f"{topic}/{number}"))

    def _poll(self, spool: Spool, poll: Record, post: str, place: str) -> None:
        options = tuple(
            (dumps.words_of(text_in(option, "html")), dumps.votes_in(option.get("votes")))
            for option in dicts_in(poll, "options")
        )
        many = text_in(poll, "type") == "multiple"
        most = dumps.votes_in(poll.get("max")) or len(options)
        spool.ask(
            Asked(
                kind="post",
                id=post,
                question=dumps.words_of(text_in(poll, "title")),
                options=options,
                choices_max=most if many else 1,
                voters=dumps.votes_in(poll.get("voters")),
                place=place,
            )
        )


def files_in(path: Path, *suffixes: str) -> list[Path]:
    """Return the file itself, or those of a folder with these endings, by name."""
    if path.is_file():
        return [path]
    return sorted(each for each in path.rglob("*") if each.is_file() and each.suffix in suffixes)


def lines_in(path: Path, spool: Spool) -> Iterator[tuple[str, str]]:
    """Yield (place, line) of a file with an object a line; lines too long are rejected."""
    for number, line in dumps.json_lines(path):
        spool.progress(f"Reading {path.name}")
        place = f"{path.name} line {number}"
        if line is None:
            spool.reject(place, "", "the line is too long")
        else:
            yield place, line
