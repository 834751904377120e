"""Taking a post away and bringing it back. Nothing is deleted: a hidden post is a placeholder.

Its author deletes it, a moderator of the group hides it for a reason that stands in the thread.
What the site's moderators hid in a case is theirs to show again (moderation.flags).
"""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone

from community.groups.services import membership_of
from community.members.models import Member
from community.threads.entries import clean_reason, leave_entry
from community.threads.errors import (
    MayNotDelete,
    MayNotHide,
    MayNotRestore,
    NotAMember,
    OpeningAnswered,
    PostHidden,
    ReasonMissing,
    ThreadLocked,
)
from community.threads.locks import lock_beside
from community.threads.models import TAKEN_BACK, Post, PostQuote, Thread, ThreadEntry
from community.threads.rights import ensure_not_silenced
from community.threads.services import post_hidden_changed

# What the column says of a post its author took away; pages say it in the reader's language.
DELETED: Final = "Deleted by its author"
HIDING: Final = (ThreadEntry.Verb.HIDE, ThreadEntry.Verb.RESTORE)


@transaction.atomic
def delete_post(*, post: Post, by: Member) -> Post:
    """Hide one's own post. A post deleted before stays as it is.

    Raises MayNotDelete, NotAMember, PostHidden (by a moderator), ThreadLocked, or OpeningAnswered
    for an opening post that others have replied to.
    """
    post = _lock(post)
    ensure_may_delete(post, by)
    if post.is_hidden:
        return post
    return _hide(post, by=by, reason=DELETED)


@transaction.atomic
def take_back_post(*, post: Post, by: Member) -> Post:
    """Hide one's own post as if it had never been: without a placeholder, its number stays taken.

    One that others answered or quoted is deleted. Raises what `delete_post` raises.
    """
    post = _lock(post)
    ensure_may_delete(post, by)
    if post.is_hidden:
        return post
    answered = Post.objects.filter(reply_to=post).exists()
    is_known = answered or PostQuote.objects.filter(quoted=post).exists()
    return _hide(post, by=by, reason=DELETED if is_known else TAKEN_BACK)


@transaction.atomic
def hide_post(*, post: Post, by: Member, reason: str) -> Post:
    """Hide another's post for a reason (1 to 300 characters) that stands in the thread.

    Raises MayNotHide unless `by` moderates the group, PostHidden, ReasonMissing.
    """
    post = _lock(post)
    ensure_may_hide(post, by)
    if not (reason := clean_reason(reason)):
        raise ReasonMissing
    _hide(post, by=by, reason=reason)
    _note(post, ThreadEntry.Verb.HIDE, by=by, reason=reason)
    return post


@transaction.atomic
def restore_post(*, post: Post, by: Member) -> Post:
    """Show a post again. One that is not hidden stays as it is.

    Its author brings back what they deleted; a moderator of the group that too, and what was
    hidden in the page. Raises MayNotRestore, NotAMember, ThreadLocked, or Refused to who is
    silenced.
    """
    post = _lock(post)
    if not post.is_hidden:
        return post
    ensure_may_restore(post, by)
    ensure_not_silenced(by)  # who may read what is hidden still reads it
    post.show()
    post.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
    post_hidden_changed(post)
    if by.pk != post.author_id:
        _note(post, ThreadEntry.Verb.RESTORE, by=by)
    return post


# -- asking -----------------------------------------------------------------------------------


def ensure_may_delete(post: Post, by: Member) -> None:
    """Raise what `delete_post` raises. One query."""
    if post.author_id != by.pk:
        raise MayNotDelete
    if post.is_hidden and not post.is_deleted:
        raise PostHidden
    _ensure_own_door_open(post, by)
    if post.is_opening and post.thread.reply_count:
        raise OpeningAnswered


def ensure_may_hide(post: Post, by: Member) -> None:
    """Raise MayNotHide, PostHidden, or Refused to who is silenced. One query."""
    membership = membership_of(by, post.thread.group)
    if membership is None or not membership.moderates:
        raise MayNotHide
    ensure_not_silenced(by)
    if post.is_hidden:
        raise PostHidden


def ensure_may_restore(post: Post, by: Member) -> None:
    """Raise MayNotRestore, NotAMember or ThreadLocked. Two queries at most."""
    membership = membership_of(by, post.thread.group)
    if membership is not None and membership.moderates:
        if post.is_deleted or hidden_in_the_page(post):
            return
        raise MayNotRestore
    if not post.is_deleted or post.author_id != by.pk:
        raise MayNotRestore
    _ensure_own_door_open(post, by)


def hidden_in_the_page(post: Post) -> bool:
    """Whether a moderator of the group hid the post, rather than the site's moderators."""
    latest = (
        ThreadEntry.objects.filter(verb__in=HIDING, details__post=post.pk).order_by("-pk").first()
    )
    return (
        latest is not None
        and latest.verb == ThreadEntry.Verb.HIDE
        and latest.by_id == post.hidden_by_id
    )


# -- inside -----------------------------------------------------------------------------------


def _lock(post: Post) -> Post:
    rows = Post.objects.select_for_update(no_key=True, of=("self",))
    return lock_beside(rows.select_related("thread__group"), post.pk)


def _hide(post: Post, *, by: Member, reason: str) -> Post:
    post.hide(by=by, reason=reason, at=timezone.now())
    post.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
    post_hidden_changed(post)
    return post


def _note(post: Post, verb: ThreadEntry.Verb, *, by: Member, reason: str = "") -> None:
    thread = Thread.objects.get(pk=post.thread_id)  # locked by `post_hidden_changed`
    leave_entry(thread, verb, by=by, reason=reason, post=post.pk, number=post.number)


def _ensure_own_door_open(post: Post, by: Member) -> None:
    membership = membership_of(by, post.thread.group)
    if membership is None:
        raise NotAMember
    if post.thread.is_locked and not membership.moderates:
        raise ThreadLocked
