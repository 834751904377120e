"""Verbs that write threads and posts; what a post says is changed by threads.editing.

Locks are taken in one order, post, thread, group, so that no two verbs wait for each other. All
that changes what a reader sees makes `Thread.version` grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Subquery
from django.utils import timezone

from community.events import AnswerChosen, PostHiddenChanged, PostPublished
from community.groups.models import Group, Membership
from community.groups.services import membership_of
from community.members.models import Member
from community.threads.entries import REASON_MAX_CHARS, clean_reason, leave_entry
from community.threads.errors import (
    BodyTooLong,
    MayNotChoose,
    MayNotLock,
    NotAMember,
    ReasonMissing,
    Refused,
    SlowMode,
    ThreadClosed,
    ThreadLocked,
)
from community.threads.following import wrote
from community.threads.kinds import clean_details, clean_kind
from community.threads.live import announce_post
from community.threads.locks import as_it_is_now, lock_thread_row
from community.threads.markup import MARKUP_VERSION, Rendered, SourceTooLong
from community.threads.models import (
    Post,
    PostImage,
    Thread,
    ThreadEntry,
    ThreadKind,
    ThreadQuerySet,
)
from community.threads.references import write_references
from community.threads.rendering import render_body
from community.threads.rights import ensure_not_silenced, moderates
from community.threads.tagging import first_tags, listing_changed
from community.threads.texts import clean_body, clean_title, excerpt_of
from community.uploads.models import Image
from community.uploads.services import let_out
from config.guest_pages import changed
from config.outbox import publish
from config.prepared import prepared_cursor
from config.written import Written

LOCK_REASON_MAX_CHARS: Final = REASON_MAX_CHARS


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody is about to write, for the gates. `thread` is None for a new one."""

    writer: Member
    group: Group
    thread: Thread | None
    edits: Post | None  # the post as it stands, when this is an edit
    title: str  # of a new thread, else empty
    body: str
    rendered: Rendered
    at: datetime


# Asked in order before anything is written. A gate raises errors.Refused with its reason, or
# returns. Domains above join in their apps.py.
Gate = Callable[[Attempt], None]
POST_GATES: list[Gate] = []

# Asked in order when a post was written or edited and all is saved, in its transaction: whoever
# wants people to look at it first hides it here. Domains above join in their apps.py.
Hold = Callable[[Attempt, Post], None]
POST_HOLDS: list[Hold] = []

# What features above write with a post, in its transaction: a poll.
Then = Callable[[Post], object]


# -- writing ----------------------------------------------------------------------------------


def start_thread(
    *,
    author: Member,
    group: Group,
    title: str,
    body: str,
    kind: str = ThreadKind.TALK,
    details: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    client_key: UUID | None = None,
    at: datetime | None = None,
    then: Then | None = None,
) -> Post:
    """Open a thread and return its opening post.

    `title` has 1 to TITLE_MAX_CHARS characters, `body` (Markdown) 1 to POST_MAX_CHARS. The same
    `client_key` again returns what it made before. `at` dates the post (now when None). `then` is
    called with the new post in its transaction. `kind` is one the group offers (threads.kinds),
    `details` what was typed into its form, `tags` at most 5 names.

    Raises NotAMember, TitleMissing, TitleTooLong, BodyMissing, BodyTooLong, KindUnknown,
    DetailsUnfit, TagsUnfit, or Refused by a gate. Announces PostPublished.
    """

    def write() -> Post:
        title_, body_ = clean_title(title), clean_body(body)
        _ensure_member(author, group)
        kind_ = clean_kind(kind, group)
        details_ = clean_details(kind_, details or {})
        rendered = render_for(body_, group, [author])
        moment = at or timezone.now()
        attempt = Attempt(author, group, None, None, title_, body_, rendered, moment)
        ask_gates(attempt)
        thread = Thread.objects.create(
            group=group,
            author=author,
            title=title_,
            excerpt=excerpt_of(rendered.text),
            created_at=moment,
            last_post_at=moment,
            last_post_by=author,
            last_number=1,
            kind=kind_,
            details=details_,
        )
        if tags:
            first_tags(thread, tags, by=author)
        post = _add_post(thread, author, 1, body_, rendered, None, client_key, moment)
        wrote(member=author, thread=thread, number=1, seen=0, at=moment)
        if then is not None:
            then(post)
        Group.objects.filter(pk=group.pk).update(thread_count=F("thread_count") + 1)
        _touch_group(group.pk, moment)
        ask_holds(attempt, post)
        return post

    return _once(author, client_key, write)


def publish_post(
    *,
    author: Member,
    thread: Thread,
    body: str,
    reply_to: Post | None = None,
    seen: int = 0,
    client_key: UUID | None = None,
    at: datetime | None = None,
    then: Then | None = None,
) -> Post:
    """Add a reply. `reply_to` is a post of the same thread; one of another thread is left out.

    `seen` is the number of the last post in front of the author: up to it all is read. Who writes
    in a thread tracks it from then on, unless they chose otherwise.

    `body` (Markdown) has 1 to POST_MAX_CHARS characters. The same `client_key` again returns the
    post it made before. `at` dates the post (now when None). `then` is called with the new post in
    its transaction.

    A thread that was merged meanwhile takes the reply in the thread it is part of now.

    Raises NotAMember, ThreadLocked, ThreadClosed, SlowMode, BodyMissing, BodyTooLong, or Refused
    by a gate. Announces PostPublished.
    """

    def write() -> Post:
        body_ = clean_body(body)
        rendered = render_for(body_, thread.group, [author])
        locked, role = _lock_for(author, thread.pk)
        while locked.merged_into_id is not None:
            locked, role = _lock_for(author, locked.merged_into_id)
        if role is None:
            raise NotAMember
        if locked.group_id != thread.group_id:
            rendered = render_for(body_, locked.group, [author])
        ensure_open(locked)
        # After the lock: numbers and dates grow together.
        moment = at or timezone.now()
        if not Membership(role=role).moderates:
            _ensure_in_time(locked, author, moment)
        attempt = Attempt(author, locked.group, locked, None, "", body_, rendered, moment)
        ask_gates(attempt)
        locked.last_number += 1
        locked.reply_count += 1
        locked.version += 1
        if moment >= locked.last_post_at:
            locked.last_post_at, locked.last_post_by = moment, author
        answered = reply_to
        if answered and locked.pk != thread.pk:
            answered = Post.objects.filter(pk=answered.pk).first()  # it came along
        if answered and answered.thread_id != locked.pk:
            answered = None
        post = _add_post(
            locked, author, locked.last_number, body_, rendered, answered, client_key, moment
        )
        wrote(member=author, thread=locked, number=locked.last_number, seen=seen, at=moment)
        if at is None:
            transaction.on_commit(lambda: _announce(post), robust=True)
        if then is not None:
            then(post)
        _answered(locked, moment)
        ask_holds(attempt, post)
        return post

    return _once(author, client_key, write)


@transaction.atomic
def lock_thread(*, thread: Thread, by: Member, reason: str, at: datetime | None = None) -> Thread:
    """Take no more replies, and say why (1 to 300 characters). A locked thread stays as it is.

    Raises MayNotLock unless `by` moderates the group, ReasonMissing.
    """
    thread = lock_thread_row(thread.pk)
    ensure_may_lock(thread, by)
    reason = clean_reason(reason)
    if not reason:
        raise ReasonMissing
    if not thread.is_locked:
        thread.locked_at, thread.locked_by, thread.lock_reason = at or timezone.now(), by, reason
        thread.version += 1
        thread.save(update_fields=["locked_at", "locked_by", "lock_reason", "version"])
        leave_entry(thread, ThreadEntry.Verb.LOCK, by=by, reason=reason, at=thread.locked_at)
    return thread


@transaction.atomic
def unlock_thread(*, thread: Thread, by: Member) -> Thread:
    """Take replies again. Raises MayNotLock unless `by` moderates the group."""
    thread = lock_thread_row(thread.pk)
    ensure_may_lock(thread, by)
    if thread.is_locked:
        thread.locked_at, thread.locked_by, thread.lock_reason = None, None, ""
        if thread.is_silent_too_long(timezone.now()):
            thread.close_after_days = None  # else it would close again at once
        thread.version += 1
        thread.save(
            update_fields=[
                *("locked_at", "locked_by", "lock_reason", "close_after_days", "version")
            ]
        )
        leave_entry(thread, ThreadEntry.Verb.UNLOCK, by=by)
    return thread


@transaction.atomic
def choose_answer(*, thread: Thread, post: Post | None, by: Member) -> Thread:
    """Mark a post of the thread as its answer, or none.

    Raises MayNotChoose unless `by` opened the thread or moderates the group, or when the post is
    another thread's or hidden; Refused to who is silenced. Announces AnswerChosen.
    """
    thread = lock_thread_row(thread.pk)
    if by.pk != thread.author_id and not moderates(by, thread.group):
        raise MayNotChoose
    ensure_not_silenced(by)
    if post is not None and (post.thread_id != thread.pk or post.is_hidden or post.is_opening):
        raise MayNotChoose
    if thread.answer_id != (post.pk if post else None):
        thread.answer = post
        thread.version += 1
        thread.save(update_fields=["answer", "version"])
        if post is not None:
            publish(AnswerChosen(thread_id=thread.pk, post_id=post.pk, member_id=by.pk))
    return thread


def takes_answer(thread: Thread) -> bool:
    """Whether a reply can be chosen as the thread's answer in the page."""
    return thread.kind == ThreadKind.QUESTION or thread.answer_id is not None


@transaction.atomic
def post_hidden_changed(post: Post) -> None:
    """Let counters and lists follow after a post was hidden or shown. Safe to call twice.

    The caller has saved the post in this transaction. A thread whose opening post is hidden
    leaves the lists, its last post is the last one that can be read. Announces PostHiddenChanged.
    """
    thread = lock_thread_row(post.thread_id)
    shown = Post.objects.filter(thread=thread, hidden_at__isnull=True)
    opening = shown.filter(number=1).first()
    last = shown.order_by("-created_at", "-number").select_related("author").first()
    was_listed = thread.is_listed
    thread.reply_count = shown.filter(number__gt=1).count()
    thread.is_listed = opening is not None
    if last is not None:
        thread.last_post_at, thread.last_post_by = last.created_at, last.author
    if thread.answer_id == post.pk and post.is_hidden:
        thread.answer = None
    thread.version += 1
    thread.save(
        update_fields=[
            *("reply_count", "is_listed", "last_post_at", "last_post_by", "answer", "version")
        ]
    )
    _images_follow(post)
    listing_changed(thread, was_listed=was_listed)
    listed = Thread.objects.filter(group=thread.group_id, is_listed=True)
    Group.objects.filter(pk=thread.group_id).update(
        thread_count=F("thread_count") + int(thread.is_listed) - int(was_listed),
        last_post_at=listed.aggregate(latest=Max("last_post_at"))["latest"],
    )
    publish(PostHiddenChanged(post_id=post.pk))


def _images_follow(post: Post) -> None:
    """Hide the post's images that no post shows any more, and show again those that one does."""
    shown = PostImage.objects.filter(image=OuterRef("pk"), post__hidden_at__isnull=True)
    images = Image.objects.filter(post_images__post=post)
    images.filter(~Exists(shown), hidden_at=None).update(hidden_at=timezone.now())
    images.filter(Exists(shown)).update(hidden_at=None)


# -- asking -----------------------------------------------------------------------------------


def ensure_may_lock(thread: Thread, by: Member) -> None:
    """Raise MayNotLock unless `by` moderates the thread's group, Refused to who is silenced.

    One query.
    """
    if not moderates(by, thread.group):
        raise MayNotLock
    ensure_not_silenced(by)


def heirs_of(thread_ids: Iterable[int]) -> dict[int, int]:
    """Return which thread each merged one is part of now, by id; none of those not merged.

    One query for each time that what somebody merged into was merged in its turn, and one more.
    """
    heirs = {pk: pk for pk in thread_ids}
    while True:
        merged = Thread.objects.filter(pk__in=set(heirs.values()), merged_into__isnull=False)
        further = dict(merged.values_list("pk", "merged_into_id"))
        if not further:
            return {pk: heir for pk, heir in heirs.items() if heir != pk}
        heirs = {pk: further.get(heir) or heir for pk, heir in heirs.items()}


def submitted(author: Member, client_key: UUID) -> Post | None:
    """Return the post the author made with this key, if any. One query when there is none."""
    with prepared_cursor() as cursor:
        cursor.execute(_SUBMITTED, [author.pk, client_key])
        found = cursor.fetchone()
    if found is None:
        return None
    return Post.objects.select_related("thread__group", "author").get(pk=found[0])


_SUBMITTED = "SELECT id FROM community_post WHERE author_id = %s AND client_key = %s"


# -- what writing and editing share (threads.editing) ------------------------------------------


def render_for(
    body: str, group: Group, writers: Sequence[Member], kept: Sequence[UUID] = ()
) -> Rendered:
    """Render as `render_body` does. Raises BodyTooLong where the renderer finds it too long."""
    try:
        return render_body(body, group=group, writers=writers, kept=kept)
    except SourceTooLong:
        raise BodyTooLong from None


def ask_gates(attempt: Attempt) -> None:
    """Ask all gates, before anything is written. Raises Refused."""
    for gate in POST_GATES:
        gate(attempt)


def ask_holds(attempt: Attempt, post: Post) -> None:
    """Let all holds look at the post as it was saved."""
    for hold in POST_HOLDS:
        hold(attempt, post)


def add_images(post: Post, image_ids: Sequence[UUID]) -> None:
    """Note which images the post shows, in their order. No query without one."""
    if image_ids:
        PostImage.objects.bulk_create(
            PostImage(post=post, image_id=image_id, position=position)
            for position, image_id in enumerate(image_ids)
        )
        let_out(image_ids, group=post.thread.group)


def ensure_open(thread: Thread) -> None:
    """Raise ThreadLocked. No query."""
    if thread.is_locked:
        raise ThreadLocked


# -- inside -----------------------------------------------------------------------------------


def _once(author: Member, client_key: UUID | None, write: Callable[[], Post]) -> Post:
    """Run `write` in a transaction, unless the author's `client_key` made a post before.

    Of two requests at the same time the second waits for the first, at the thread's lock or at the
    unique constraint, and is then in the way of itself: refused by slow mode, or by the constraint.
    """
    try:
        with transaction.atomic():
            return write()
    except (IntegrityError, Refused):
        if client_key is not None and (earlier := submitted(author, client_key)):
            return earlier
        raise


def _lock_for(writer: Member, thread_id: int) -> tuple[Thread, str | None]:
    """Lock the thread; return it and the writer's role in its group, None for an outsider."""

    def look() -> Thread | None:
        return next(iter(_LOCKED.rows(thread_id, writer.pk)), None)

    found = as_it_is_now(Thread, thread_id, look)
    return found, found.writer_role  # type: ignore[attr-defined]


def _locked(thread_pk: int, writer_pk: int) -> ThreadQuerySet:
    places = Membership.objects.filter(group=OuterRef("group_id"), member_id=writer_pk)
    return (
        Thread.objects.select_for_update(no_key=True, of=("self",))
        .select_related("group")
        .annotate(writer_role=Subquery(places.values("role")))
        .filter(pk=thread_pk)
    )


_LOCKED: Final = Written(_locked)


def _announce(post: Post) -> None:
    if not post.is_hidden:
        announce_post(post)


def _add_post(
    thread: Thread,
    author: Member,
    number: int,
    body: str,
    rendered: Rendered,
    reply_to: Post | None,
    client_key: UUID | None,
    at: datetime,
) -> Post:
    post = Post.objects.create(
        thread=thread,
        number=number,
        author=author,
        body=body,
        html=rendered.html,
        markup_version=MARKUP_VERSION,
        reply_to=reply_to,
        client_key=client_key,
        created_at=at,
    )
    add_images(post, rendered.image_ids)
    write_references(post, rendered, is_new=True)
    publish(PostPublished(post_id=post.pk))
    return post


def _touch_group(group_id: int, at: datetime) -> None:
    """Last of all: many threads share this row, so its lock is held for the commit only."""
    Group.objects.filter(Q(last_post_at__lt=at) | Q(last_post_at__isnull=True), pk=group_id).update(
        last_post_at=at
    )


def _answered(thread: Thread, at: datetime) -> None:
    """Save the counters of a thread that was answered, and let its group's last post follow.

    One statement, last of all: many threads share the group's row, so its lock is held for the
    commit only.
    """
    with prepared_cursor() as cursor:
        cursor.execute(
            _ANSWERED,
            {
                "thread": thread.pk,
                "number": thread.last_number,
                "replies": thread.reply_count,
                "version": thread.version,
                "last_at": thread.last_post_at,
                "last_by": thread.last_post_by_id,
                "group": thread.group_id if thread.is_listed else None,
                "at": at,
            },
        )
    changed("threads", f"thread:{thread.pk}")


_ANSWERED = """
    WITH answered AS (
        UPDATE community_thread SET
            last_number = %(number)s, reply_count = %(replies)s, version = %(version)s,
            last_post_at = %(last_at)s, last_post_by_id = %(last_by)s
        WHERE id = %(thread)s
    )
    UPDATE community_group SET last_post_at = %(at)s
    WHERE id = %(group)s AND (last_post_at < %(at)s OR last_post_at IS NULL)
"""


def _ensure_member(member: Member, group: Group) -> Membership:
    membership = membership_of(member, group)
    if membership is None:
        raise NotAMember
    return membership


def _ensure_in_time(thread: Thread, author: Member, moment: datetime) -> None:
    """Raise ThreadClosed after too long a silence, SlowMode too soon after the author's last post.

    Moderators are asked neither. No query unless the thread is in slow mode.
    """
    if thread.is_silent_too_long(moment):
        raise ThreadClosed
    if not thread.slow_mode_seconds:
        return
    pause = timedelta(seconds=thread.slow_mode_seconds)
    own = Post.objects.filter(thread=thread, author=author, created_at__gt=moment - pause)
    if last := own.aggregate(last=Max("created_at"))["last"]:
        raise SlowMode.until(last + pause, moment)
