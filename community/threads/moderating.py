"""Verbs that organise threads: move, split, merge, pin, slow mode, closing, title, kind.

Each is the moderators' of the group (of both groups, where there are two), leaves an entry with
who, when and why, and announces it. Posts keep their id, date and author wherever they go; the
number they had stays a gap in the thread they left, and `PostMove` leads from there to the post.

Locks: posts and threads all at once or none (threads.locks), then tags, then groups, by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone, translation
from django.utils.translation import ngettext

from community.events import ThreadChanged
from community.groups.models import Group, JoinMode
from community.members.models import Member, Viewer
from community.tags.models import Tag
from community.tags.services import TAGS_A_THREAD_MAX, known_tags
from community.threads import kinds
from community.threads.counting import COUNTED, groups_follow, recount
from community.threads.entries import clean_reason, leave_entry
from community.threads.errors import (
    GroupNotYours,
    MergedAway,
    NothingChosen,
    NotInFuture,
    NotThere,
    OpeningStays,
    OutOfRange,
    PinsFull,
    PostsMoved,
    SameGroup,
    SameThread,
    TooLateToRetitle,
    WhyMissing,
)
from community.threads.locks import lock_all, lock_thread_row
from community.threads.models import Post, PostImage, PostMove, Thread, ThreadEntry, ThreadKind
from community.threads.rights import ensure_keeps_head, ensure_organises, moderates
from community.threads.services import heirs_of
from community.threads.tagging import hold_tags, listing_changed, put_tags, shift_counts, tags_of
from community.threads.texts import clean_title, words_of
from community.uploads.models import Image
from config.outbox import publish

PINS_A_GROUP_MAX: Final = 5
SLOW_MODE_MAX_SECONDS: Final = 7 * 24 * 3600
CLOSE_AFTER_MAX_DAYS: Final = 730
RETITLE_WINDOW: Final = timedelta(days=1)
POSTS_A_SPLIT_MAX: Final = 500
TIDIED_AT_ONCE: Final = 200

Verb = ThreadEntry.Verb


# -- posts go elsewhere -----------------------------------------------------------------------


@transaction.atomic
def split_thread(
    *, thread: Thread, post_ids: Collection[int], title: str, by: Member, reason: str
) -> Thread:
    """Make a new thread of replies, in their order, in the same group, and return it.

    Its author is who wrote the first of them. Whoever had read the posts has read them there too.
    Raises TitleMissing, TitleTooLong, WhyMissing, NothingChosen, PostsMoved, OpeningStays,
    MayNotOrganise, MergedAway or Busy. Announces ThreadChanged for both threads.
    """
    title, reason = clean_title(title), _why(reason)
    wanted = set(post_ids)
    if not wanted or len(wanted) > POSTS_A_SPLIT_MAX:
        raise NothingChosen if not wanted else OutOfRange
    chosen = Post.objects.filter(pk__in=wanted, thread=thread.pk)
    source = lock_all([thread.pk], lambda: set(chosen.values_list("pk", flat=True)))[thread.pk]
    _ensure_alive(source)
    ensure_organises(by, source.group)
    posts = list(chosen.select_related("author").order_by("number"))
    if len(posts) != len(wanted):
        raise PostsMoved
    first = posts[0]
    if first.is_opening:
        raise OpeningStays
    new = Thread.objects.create(
        group=source.group,
        author=first.author,
        title=title,
        excerpt=words_of(first.html),
        created_at=first.created_at,
        last_post_at=first.created_at,
        last_post_by=first.author,
        last_number=len(posts),
        is_listed=False,  # until it is counted
    )
    numbers = {post.pk: number for number, post in enumerate(posts, 1)}
    _carry_posts(posts, source, numbers, new)
    _carry_marks(posts, source, numbers, new, read_to=0)
    listed = _settle(source) + _settle(new)
    leave_entry(
        *(source, Verb.SPLIT),
        by=by,
        reason=reason,
        other=new.pk,
        title=new.title,
        posts=len(posts),
        numbers=[post.number for post in posts],
    )
    leave_entry(
        *(new, Verb.SPLIT_OFF), by=by, reason=reason, after=0, other=source.pk, title=source.title
    )
    _announce(source, new)
    groups_follow({source.group_id: listed})
    return new


@transaction.atomic
def merge_threads(*, thread: Thread, into: Thread, by: Member, reason: str) -> Thread:
    """Append all posts of `thread` to `into`, in their order and with their dates; return `into`.

    What is left of `thread` only leads there. Its followers, its tags (as many as fit) and what
    members had read of it go along. `by` moderates both groups.

    Raises SameThread, WhyMissing, MayNotOrganise, NotThere, MergedAway or Busy. Announces
    ThreadChanged for both threads.
    """
    reason = _why(reason)
    if thread.pk == into.pk:
        raise SameThread
    all_posts = Post.objects.filter(thread=thread.pk)
    locked = lock_all([thread.pk, into.pk], lambda: set(all_posts.values_list("pk", flat=True)))
    source, target = locked[thread.pk], locked[into.pk]
    _ensure_alive(source)
    _ensure_alive(target)
    ensure_organises(by, source.group)
    if target.group_id != source.group_id and not moderates(by, target.group):
        raise NotThere
    posts = list(all_posts.select_related("author").order_by("number"))
    before = target.last_number
    numbers = {post.pk: before + place for place, post in enumerate(posts, 1)}
    shown = Post.objects.filter(thread=target, hidden_at__isnull=True).order_by("-number")
    read_to = shown.values_list("number", flat=True).first() or 0
    _carry_posts(posts, source, numbers, target)
    _carry_marks(posts, source, numbers, target, read_to=read_to)
    _carry_follows(source, target)
    target.last_number = before + len(posts)
    carried, source_tags = tags_of(target), tags_of(source)
    fitting = _fitting(source_tags, target.group)
    new_tags = [tag for tag in fitting if tag not in carried]
    new_tags = new_tags[: max(0, TAGS_A_THREAD_MAX - len(carried))]
    source.merged_into = target
    source.pinned_at = source.pinned_until = None
    hold_tags({tag.pk: tag for tag in (*source_tags, *new_tags)}.values())
    listed_source, listed_target = _settle(source), _settle(target)
    put_tags(target, new_tags)
    if target.is_listed:
        shift_counts({tag.pk: 1 for tag in new_tags})
    _images_follow(target, source.group, target.group)
    _cut_answers_between_groups(target)
    leave_entry(*(source, Verb.MERGED), by=by, reason=reason, other=target.pk, title=target.title)
    leave_entry(
        *(target, Verb.MERGE),
        by=by,
        reason=reason,
        after=before,
        other=source.pk,
        title=source.title
        if source.group_id == target.group_id or _public_name(source.group)
        else "",
        posts=len(posts),
        dropped_tags=[tag.name for tag in source_tags if tag not in (*carried, *new_tags)],
    )
    _announce(source, target)
    shifts = Counter({source.group_id: listed_source})
    shifts[target.group_id] += listed_target
    groups_follow(shifts)
    return target


@transaction.atomic
def move_thread(*, thread: Thread, to: Group, by: Member, reason: str) -> Thread:
    """Take the thread to another group; `by` moderates both.

    Tags of the old group are dropped unless the new one knows them; a kind that is not offered
    there becomes a discussion; a pinned thread is unpinned. The entry names what was lost.

    Raises WhyMissing, MayNotOrganise, GroupNotYours, SameGroup, MergedAway or Busy. Announces
    ThreadChanged.
    """
    reason = _why(reason)
    mine = Post.objects.filter(thread=thread.pk)
    elsewhere = Post.objects.filter(reply_to=OuterRef("pk")).exclude(thread=thread.pk)
    tied = mine.filter(Q(reply_to__isnull=False) & ~Q(reply_to__thread=thread.pk)) | mine.filter(
        Exists(elsewhere)
    )
    locked = lock_all([thread.pk], lambda: set(tied.values_list("pk", flat=True)))[thread.pk]
    _ensure_alive(locked)
    ensure_organises(by, locked.group)
    old = locked.group
    if to.pk == old.pk:
        raise SameGroup
    if not moderates(by, to):
        raise GroupNotYours
    carried = tags_of(locked)
    fitting = _fitting(carried, to)
    gone = [tag for tag in carried if tag not in fitting]
    new = [tag for tag in fitting if tag not in carried]
    hold_tags([*gone, *new])
    locked.thread_tags.filter(tag__in=gone).delete()
    put_tags(locked, new)
    if locked.is_listed:
        shift_counts({tag.pk: -1 for tag in gone} | {tag.pk: 1 for tag in new})
    details: dict[str, Any] = {"from": old.pk, "to": to.pk}
    details["from_name"], details["to_name"] = _public_name(old), _public_name(to)
    known = {tag.slug for tag in fitting}
    if dropped := [tag.name for tag in gone if tag.slug not in known]:
        details["dropped_tags"] = dropped
    locked.group = to
    if locked.kind not in kinds.kinds_of(to):
        details["dropped_kind"] = locked.kind
        locked.kind, locked.details = ThreadKind.TALK, {}
    locked.pinned_at = locked.pinned_until = None
    locked.version += 1
    locked.save(update_fields=["group", "kind", "details", "pinned_at", "pinned_until", "version"])
    _images_follow(locked, old, to)
    _cut_answers_between_groups(locked)
    leave_entry(locked, Verb.MOVE, by=by, reason=reason, **details)
    _announce(locked)
    listed = int(locked.is_listed)
    groups_follow({old.pk: -listed, to.pk: listed})
    return locked


def moved_post(thread: Thread, number: int, viewer: Viewer) -> Post | None:
    """Return the post that had this number in the thread and went elsewhere, for who may see it."""
    move = PostMove.objects.filter(from_thread=thread, number=number).values("post_id")
    return Post.objects.visible_to(viewer).filter(pk__in=move).first()


def heir_of(thread: Thread, page: int) -> tuple[Thread, Post | None]:
    """Return where a merged thread leads, in the end, and the first post of its `page` there."""
    heir = heirs_of([thread.pk]).get(thread.pk, thread.pk)
    target = Thread.objects.select_related("group").get(pk=heir)
    if page <= 1:
        return target, None
    from_number = (page - 1) * settings.POSTS_PER_PAGE
    moved = PostMove.objects.filter(from_thread=thread, number__gt=from_number, post__thread=target)
    first = moved.select_related("post").order_by("number").first()
    return target, first.post if first else None


# -- how a thread goes on ---------------------------------------------------------------------


@transaction.atomic
def pin_thread(
    *, thread: Thread, by: Member, until: datetime | None = None, reason: str = ""
) -> Thread:
    """Show the thread first in its group, till `until` or till it is unpinned.

    Pinning again sets the new date. Raises MayNotOrganise, MergedAway, NotInFuture or PinsFull.
    """
    thread = _locked_for(thread, by)
    now = timezone.now()
    if until is not None and until <= now:
        raise NotInFuture
    others = Thread.objects.pinned(now).filter(group=thread.group_id).exclude(pk=thread.pk)
    if others.count() >= PINS_A_GROUP_MAX:
        raise PinsFull
    if thread.pinned_at and thread.pinned_until == until:
        return thread
    thread.pinned_at, thread.pinned_until = thread.pinned_at or now, until
    details = {"until": until.isoformat()} if until else {}
    return _changed(
        thread, ["pinned_at", "pinned_until"], Verb.PIN, by=by, reason=reason, **details
    )


@transaction.atomic
def unpin_thread(*, thread: Thread, by: Member, reason: str = "") -> Thread:
    """Let the thread go down the list again. Raises MayNotOrganise or MergedAway."""
    thread = _locked_for(thread, by)
    if thread.pinned_at is None:
        return thread
    thread.pinned_at = thread.pinned_until = None
    return _changed(thread, ["pinned_at", "pinned_until"], Verb.UNPIN, by=by, reason=reason)


@transaction.atomic
def set_slow_mode(*, thread: Thread, seconds: int, by: Member, reason: str = "") -> Thread:
    """Let each member but the moderators post once in `seconds`; 0 ends it.

    Raises MayNotOrganise, MergedAway or OutOfRange (0 to SLOW_MODE_MAX_SECONDS).
    """
    if not 0 <= seconds <= SLOW_MODE_MAX_SECONDS:
        raise OutOfRange
    thread = _locked_for(thread, by)
    if thread.slow_mode_seconds == seconds:
        return thread
    thread.slow_mode_seconds = seconds
    return _changed(
        thread, ["slow_mode_seconds"], Verb.SLOW_MODE, by=by, reason=reason, seconds=seconds
    )


@transaction.atomic
def close_after(*, thread: Thread, days: int | None, by: Member, reason: str = "") -> Thread:
    """Take no more replies once nobody wrote for `days`; None: however long it is silent.

    Raises MayNotOrganise, MergedAway or OutOfRange (1 to CLOSE_AFTER_MAX_DAYS).
    """
    if days is not None and not 1 <= days <= CLOSE_AFTER_MAX_DAYS:
        raise OutOfRange
    thread = _locked_for(thread, by)
    if thread.close_after_days == days:
        return thread
    thread.close_after_days = days
    return _changed(
        thread, ["close_after_days"], Verb.CLOSING, by=by, reason=reason, days=days or 0
    )


# -- what a thread says of itself -------------------------------------------------------------


@transaction.atomic
def retitle_thread(*, thread: Thread, title: str, by: Member, reason: str = "") -> Thread:
    """Give the thread another title. Its author may for RETITLE_WINDOW, moderators for ever.

    Raises NotAMember, MayNotChangeHead, TooLateToRetitle, TitleMissing, TitleTooLong, MergedAway.
    Announces ThreadChanged.
    """
    title = clean_title(title)
    thread = lock_thread_row(thread.pk)
    _ensure_alive(thread)
    as_author = ensure_keeps_head(thread, by)
    if as_author and timezone.now() - thread.created_at > RETITLE_WINDOW:
        raise TooLateToRetitle
    if title == thread.title:
        return thread
    old, thread.title = thread.title, title
    publish(ThreadChanged(thread_id=thread.pk))
    details = {"old": old, "new": title, "as_author": as_author}
    return _changed(thread, ["title"], Verb.RETITLE, by=by, reason=reason, **details)


@transaction.atomic
def change_kind(
    *, thread: Thread, kind: str, details: Mapping[str, Any], by: Member, reason: str = ""
) -> Thread:
    """Make the thread one of another kind, or change the answers to the form of its kind.

    `details` are as typed into the form. A moderator's change of the kind leaves an entry. Raises
    NotAMember, MayNotChangeHead, MergedAway, KindUnknown or DetailsUnfit. Announces ThreadChanged.
    """
    thread = lock_thread_row(thread.pk)
    _ensure_alive(thread)
    as_author = ensure_keeps_head(thread, by)
    # One that came with the thread from elsewhere may stay.
    new = ThreadKind(kind) if kind == thread.kind else kinds.clean_kind(kind, thread.group)
    answers = kinds.clean_details(new, details)
    if (new, answers) == (thread.kind, thread.details):
        return thread
    old, thread.kind, thread.details = thread.kind, new, answers
    thread.version += 1
    thread.save(update_fields=["kind", "details", "version"])
    if new != old and not as_author:
        leave_entry(thread, Verb.RETAG, by=by, reason=reason, old_kind=old, new_kind=str(new))
    publish(ThreadChanged(thread_id=thread.pk))
    return thread


# -- by itself --------------------------------------------------------------------------------


def unpin_overdue(now: datetime | None = None) -> int:
    """Unpin the threads whose day has come; return how many. At most TIDIED_AT_ONCE."""
    now = now or timezone.now()
    due = Thread.objects.filter(pinned_until__lte=now).order_by("pinned_until")
    return sum(_unpin(pk, now) for pk in due.values_list("pk", flat=True)[:TIDIED_AT_ONCE])


@transaction.atomic
def _unpin(thread_id: int, now: datetime) -> int:
    thread = lock_thread_row(thread_id)
    if thread.pinned_until is None or thread.pinned_until > now:
        return 0
    thread.pinned_at = thread.pinned_until = None
    _changed(thread, ["pinned_at", "pinned_until"], Verb.UNPIN, by=None)
    return 1


def lock_silent(now: datetime | None = None) -> int:
    """Lock the threads that have been silent as long as they may be; return how many.

    At most TIDIED_AT_ONCE. Nobody could reply to them anyway (services.publish_post).
    """
    now = now or timezone.now()
    due = Thread.objects.filter(
        close_after_days__isnull=False,
        locked_at__isnull=True,
        merged_into__isnull=True,
        last_post_at__lte=now - F("close_after_days") * timedelta(days=1),
    ).order_by("last_post_at")
    return sum(_lock_silent(pk, now) for pk in due.values_list("pk", flat=True)[:TIDIED_AT_ONCE])


@transaction.atomic
def _lock_silent(thread_id: int, now: datetime) -> int:
    thread = lock_thread_row(thread_id)
    days = thread.close_after_days
    if thread.is_locked or days is None or not thread.is_silent_too_long(now):
        return 0
    asked = ThreadEntry.objects.filter(thread=thread, verb=Verb.CLOSING, by__isnull=False)
    last = asked.select_related("by").order_by("-pk").first()
    # Kept in the site's language: it stands there for all.
    with translation.override(settings.LANGUAGE_CODE):
        reason = ngettext(
            "Nobody had written for %(days)s day.", "Nobody had written for %(days)s days.", days
        ) % {"days": days}
    thread.locked_at, thread.lock_reason = now, reason
    thread.locked_by = last.by if last else thread.author
    _changed(*(thread, ["locked_at", "locked_by", "lock_reason"], Verb.LOCK), by=None, days=days)
    return 1


# -- inside -----------------------------------------------------------------------------------


def _why(reason: str) -> str:
    reason = clean_reason(reason)
    if not reason:
        raise WhyMissing
    return reason


def _public_name(group: Group) -> str:
    """What an entry may call a group: whoever reads it one day may not know of a hidden one."""
    return "" if group.join_mode == JoinMode.HIDDEN else group.name


def _ensure_alive(thread: Thread) -> None:
    if thread.merged_into_id is not None:
        raise MergedAway


def _locked_for(thread: Thread, by: Member) -> Thread:
    thread = lock_thread_row(thread.pk)
    _ensure_alive(thread)
    ensure_organises(by, thread.group)
    return thread


def _changed(
    thread: Thread,
    columns: Sequence[str],
    verb: ThreadEntry.Verb,
    *,
    by: Member | None,
    reason: str = "",
    **details: Any,
) -> Thread:
    thread.version += 1
    thread.save(update_fields=[*columns, "version"])
    leave_entry(thread, verb, by=by, reason=reason, **details)
    return thread


def _announce(*threads: Thread) -> None:
    for thread in threads:
        publish(ThreadChanged(thread_id=thread.pk))


def _settle(thread: Thread) -> int:
    """Count the thread again and save it; return by how much its group's threads change."""
    was_listed = thread.is_listed
    recount(thread)
    thread.version += 1
    thread.save(
        update_fields=[
            *(*COUNTED, "version", "last_number", "merged_into", "pinned_at", "pinned_until")
        ]
    )
    listing_changed(thread, was_listed=was_listed)
    return int(thread.is_listed) - int(was_listed)


def _carry_posts(
    posts: Sequence[Post], source: Thread, numbers: Mapping[int, int], target: Thread
) -> None:
    """Give each post its thread and number there, and leave word in the thread it left."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE community_post SET thread_id = %s, number = carried.number
            FROM unnest(%s::bigint[], %s::int[]) AS carried (id, number)
            WHERE community_post.id = carried.id
            """,
            [target.pk, list(numbers), list(numbers.values())],
        )
    PostMove.objects.bulk_create(
        PostMove(from_thread=source, number=post.number, post=post) for post in posts
    )


def _carry_marks(
    posts: Sequence[Post], source: Thread, numbers: Mapping[int, int], target: Thread, read_to: int
) -> None:
    """Let whoever had read carried posts have read them in `target`.

    A mark there moves on only if it covers all that was there, up to number `read_to`: a mark says
    how far somebody read, so posts beyond a gap cannot be told read.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO community_readmark (member_id, thread_id, number, read_at)
            SELECT mark.member_id, %s, max(carried.new), mark.read_at
            FROM community_readmark AS mark
            JOIN unnest(%s::int[], %s::int[]) AS carried (old, new) ON carried.old <= mark.number
            WHERE mark.thread_id = %s
            GROUP BY mark.member_id, mark.read_at
            ON CONFLICT (member_id, thread_id) DO UPDATE SET number = excluded.number
            WHERE community_readmark.number >= %s AND community_readmark.number < excluded.number
            """,
            [
                target.pk,
                [post.number for post in posts],
                [numbers[post.pk] for post in posts],
                source.pk,
                read_to,
            ],
        )


def _carry_follows(source: Thread, target: Thread) -> None:
    """Let who followed `source` follow `target`; a level somebody has there already stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO community_follow (member_id, thread_id, level, is_chosen, changed_at)
            SELECT member_id, %s, level, is_chosen, changed_at
            FROM community_follow WHERE thread_id = %s
            ON CONFLICT (member_id, thread_id) WHERE thread_id IS NOT NULL DO NOTHING
            """,
            [target.pk, source.pk],
        )
        cursor.execute("DELETE FROM community_follow WHERE thread_id = %s", [source.pk])


def _fitting(carried: Sequence[Tag], group: Group) -> list[Tag]:
    """Return which tags of the group say what these tags say, each once."""
    known = known_tags([tag.name for tag in carried], group)
    found = {tag.pk: tag for one in carried if (tag := known.get(one.slug))}
    return list(found.values())


def _images_follow(thread: Thread, old: Group, new: Group) -> None:
    """Let pictures of the thread be read where it is now.

    One that another thread of the old group shows as well stays there, unless the new group is
    open to more people.
    """
    if old.pk == new.pk:
        return
    images = Image.objects.filter(post_images__post__thread=thread, group=old)
    if new.join_mode == JoinMode.HIDDEN:
        elsewhere = PostImage.objects.filter(image=OuterRef("pk")).exclude(post__thread=thread)
        images = images.filter(~Exists(elsewhere))
    Image.objects.filter(pk__in=list(images.values_list("pk", flat=True))).update(group=new)


def _cut_answers_between_groups(thread: Thread) -> None:
    """Let no post name the author of one that its readers may not be allowed to see."""
    crossing = (
        Post.objects.filter(Q(thread=thread) | Q(reply_to__thread=thread), reply_to__isnull=False)
        .exclude(reply_to__thread__group=F("thread__group"))
        .values_list("pk", flat=True)
    )
    Post.objects.filter(pk__in=list(crossing)).update(reply_to=None)
