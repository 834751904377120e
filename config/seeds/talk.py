"""Threads and posts in the order in which they were written, and what was said in the rooms.

A listing that is sold or withdrawn stops being linked from then on, so the linking job runs before
each such change over what was written so far, as it would have in life.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from commerce.placements.models import Placement
from commerce.placements.services import place_listing
from community.chat.models import Room
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.threads.editing import edit_post
from community.threads.models import Post, Revision, Thread
from community.threads.services import choose_answer, lock_thread, publish_post, start_thread
from community.uploads.models import Image
from community.uploads.services import store
from config.seeds.market import change_state, fill_in_addresses
from config.seeds.script import Edit, ListingText, RoomText, ThreadText
from config.seeds.stage import Stage, batched

_QUOTE: Final = re.compile(r"\{quote:(\d+) ([^}]*)\}")


@dataclass(frozen=True)
class _Act:
    """One thing that happens at a time: a post (by its number), an edit of it, a lock, or a
    listing that comes into another state."""

    at: datetime
    thread: ThreadText | None = None
    number: int = 0
    edit: Edit | None = None
    listing: ListingText | None = None

    @property
    def is_change(self) -> bool:
        return self.listing is not None


def write_threads(stage: Stage) -> None:
    """Write every thread: posts, edits, locks, answers, pins, and listings placed by hand."""
    pictures = _store_pictures(stage)
    acts = sorted(_acts(stage), key=lambda act: act.at)
    stage.progress("Posts", 0, stage.script.post_count)
    for is_change, run in itertools.groupby(acts, key=lambda act: act.is_change):
        for batch in batched(run):
            if is_change:
                stage.run_jobs()
            with transaction.atomic():
                for act in batch:
                    _perform(stage, act, pictures)
            stage.progress("Posts", len(stage.posts), stage.script.post_count)
    for texts in batched(stage.script.threads):
        with transaction.atomic():
            for text in texts:
                _finish_thread(stage, text)


def _acts(stage: Stage) -> Iterator[_Act]:
    for thread in stage.script.threads:
        began = stage.ago(days=thread.days_ago)
        for number, post in enumerate(thread.posts, start=1):
            yield _Act(began + timedelta(hours=post.hours), thread, number)
            for edit in post.edits:
                yield _Act(began + timedelta(hours=edit.hours), thread, number, edit)
        if thread.lock:
            yield _Act(began + timedelta(hours=thread.lock.hours), thread)
    for listing in stage.script.listings:
        if listing.changed_days_ago is not None:
            yield _Act(stage.ago(days=listing.changed_days_ago), listing=listing)


def _perform(stage: Stage, act: _Act, pictures: dict[tuple[str, str, int], list[Image]]) -> None:
    if act.listing is not None:
        change_state(stage, act.listing)
    elif act.thread is not None and act.edit is not None:
        _edit(stage, act.thread, act.number, act.edit, act.at)
    elif act.thread is not None and act.number:
        _write_post(stage, act.thread, act.number, act.at, pictures)
    elif act.thread is not None and act.thread.lock is not None:
        lock_thread(
            thread=stage.threads[act.thread.group, act.thread.title],
            by=stage.members[act.thread.lock.by],
            reason=act.thread.lock.reason,
            at=act.at,
        )


# -- posts ------------------------------------------------------------------------------------


def _store_pictures(stage: Stage) -> dict[tuple[str, str, int], list[Image]]:
    """Store the pictures posts show; by thread and number."""
    wanted = [
        (thread, number, picture)
        for thread in stage.script.threads
        for number, post in enumerate(thread.posts, start=1)
        for picture in post.pictures
    ]
    stored: dict[tuple[str, str, int], list[Image]] = {}
    for thread, number, picture in stage.each("Pictures of posts", wanted):
        post = thread.posts[number - 1]
        image = store(
            owner=stage.members[post.author],
            group=stage.groups[thread.group],
            encoded=stage.darkroom.take(picture),
            alt=picture.alt,
        )
        taken_at = stage.ago(days=thread.days_ago) + timedelta(hours=post.hours, minutes=-2)
        Image.objects.filter(pk=image.pk).update(created_at=taken_at)
        stored.setdefault((thread.group, thread.title, number), []).append(image)
    return stored


def _write_post(
    stage: Stage,
    thread: ThreadText,
    number: int,
    at: datetime,
    pictures: dict[tuple[str, str, int], list[Image]],
) -> None:
    text = thread.posts[number - 1]
    key = (thread.group, thread.title)
    author = stage.members[text.author]
    shown = [image.markdown for image in pictures.get((*key, number), ())]
    body = "\n\n".join([_fill_in_quotes(stage, key, text.body.strip()), *shown])
    if number == 1:
        post = start_thread(
            author=author,
            group=stage.groups[thread.group],
            title=thread.title,
            body=body,
            kind=thread.kind,
            details={**thread.details, "on": at.date()} if thread.kind == "log" else thread.details,
            tags=thread.tags,
            at=at,
        )
        stage.threads[key] = post.thread
    else:
        post = publish_post(
            author=author,
            thread=stage.threads[key],
            body=body,
            reply_to=stage.posts[(*key, text.reply_to)] if text.reply_to else None,
            at=at,
        )
    stage.posts[(*key, number)] = post
    if text.listing:
        placement = place_listing(
            listing=stage.listings[text.listing],
            thread=stage.threads[key],
            post=post,
            by=author,
        )
        Placement.objects.filter(pk=placement.pk).update(created_at=at)


def _fill_in_quotes(stage: Stage, thread: tuple[str, str], body: str) -> str:
    """Replace each {quote:2 words} by a quote of these words of the thread's second post."""

    def quote(found: re.Match[str]) -> str:
        post = stage.posts[(*thread, int(found[1]))]
        return f"> [{post.author.name}]({post.get_absolute_url()}):\n> {found[2]}"

    return _QUOTE.sub(quote, body)


def _edit(stage: Stage, thread: ThreadText, number: int, edit: Edit, at: datetime) -> None:
    post = stage.posts[thread.group, thread.title, number]
    post.refresh_from_db(fields=["body"])
    body = post.body.replace(edit.old, edit.new)
    edited = edit_post(post=post, editor=post.author, body=body, reason=edit.reason)
    Post.objects.filter(pk=post.pk).update(edited_at=at)
    Revision.objects.filter(post=post, number=edited.revisions.count()).update(replaced_at=at)


def _finish_thread(stage: Stage, text: ThreadText) -> None:
    thread = stage.threads[text.group, text.title]
    if text.answer:
        post = stage.posts[text.group, text.title, text.answer]
        choose_answer(thread=thread, post=post, by=thread.author)
    if text.pinned:
        Thread.objects.filter(pk=thread.pk).update(pinned_at=thread.created_at)
    for placed in text.placed:
        placement = place_listing(
            listing=stage.listings[placed.listing], thread=thread, by=stage.members[placed.by]
        )
        at = thread.created_at + timedelta(hours=placed.hours)
        Placement.objects.filter(pk=placement.pk).update(created_at=at)


# -- rooms ------------------------------------------------------------------------------------


def write_rooms(stage: Stage) -> None:
    """Write what was said in each group's room."""
    for text in stage.each("Rooms", stage.script.rooms):
        _write_room(stage, text)


@transaction.atomic
def _write_room(stage: Stage, text: RoomText) -> None:
    group = stage.groups[text.group]
    room = room_of(group)
    Room.objects.filter(pk=room.pk).update(created_at=group.created_at)
    for message in sorted(text.messages, key=lambda one: -one.hours_ago):
        send_message(
            room=room,
            sender=stage.members[message.author],
            body=fill_in_addresses(stage, message.body),
            at=stage.ago(hours=message.hours_ago),
        )
