"""Verbs that change what a post says, and who may: edits, wikis, a newer renderer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from community.events import PostEdited
from community.groups.services import membership_of
from community.members.models import Member, TrustLevel
from community.threads.errors import (
    EditedMeanwhile,
    MayNotEdit,
    MayNotMakeWiki,
    NotAMember,
    PostHidden,
)
from community.threads.locks import lock_thread_row
from community.threads.markup import MARKUP_VERSION
from community.threads.models import EDIT_REASON_MAX_CHARS, Post, Revision, Thread
from community.threads.references import write_references
from community.threads.rendering import render_body
from community.threads.rights import ensure_not_silenced
from community.threads.services import (
    Attempt,
    Then,
    add_images,
    ask_gates,
    ask_holds,
    ensure_open,
    render_for,
)
from community.threads.texts import clean_body, excerpt_of, storable
from config.outbox import publish


@transaction.atomic
def edit_post(
    *,
    post: Post,
    editor: Member,
    body: str,
    reason: str = "",
    based_on: int | None = None,
    then: Then | None = None,
) -> Post:
    """Replace what a post says and keep a revision of what it said. No change writes nothing.

    For settings.EDIT_GRACE_SECONDS after publishing, or after a revision of theirs, the same hand
    changes it for free: no revision, unless a `reason` is given (cut to 200 characters).
    `based_on` is the number of revisions there were when the editor began (None does not ask).
    `then` is called with the post in this transaction, also when nothing changed.

    Raises MayNotEdit, NotAMember, ThreadLocked, PostHidden, EditedMeanwhile, BodyMissing,
    BodyTooLong, or Refused by a gate. Moderators of the group edit in locked threads too, and
    members at trust level 1 or more whatever is a wiki.
    Announces PostEdited.
    """
    body = clean_body(body)
    post = Post.objects.select_for_update(no_key=True).get(pk=post.pk)
    thread = lock_thread_row(post.thread_id)
    ensure_may_edit(post, editor, thread)
    if then is not None:
        then(post)
    if body == post.body:
        return post
    last = post.revisions.order_by("-number").first()
    so_far = last.number if last else 0
    if based_on is not None and based_on != so_far:
        raise EditedMeanwhile
    kept = list(post.post_images.values_list("image_id", flat=True))
    rendered = render_for(body, thread.group, [post.author, editor], kept)
    now = timezone.now()
    attempt = Attempt(editor, thread.group, thread, post, "", body, rendered, now)
    ask_gates(attempt)
    reason = " ".join(storable(reason).split())[:EDIT_REASON_MAX_CHARS]
    if reason or not _is_free(post, editor, last, now):
        Revision.objects.create(
            post=post,
            number=so_far + 1,
            body=post.body,
            replaced_at=now,
            replaced_by=editor,
            reason=reason,
        )
        post.edited_at = now
    post.body, post.html, post.markup_version = body, rendered.html, MARKUP_VERSION
    post.save(update_fields=["body", "html", "markup_version", "edited_at"])
    post.post_images.all().delete()
    add_images(post, rendered.image_ids)
    write_references(post, rendered)
    if post.is_opening:
        thread.excerpt = excerpt_of(rendered.text)
    thread.version += 1
    thread.save(update_fields=["excerpt", "version"])
    publish(PostEdited(post_id=post.pk))
    ask_holds(attempt, post)
    return post


def _is_free(post: Post, editor: Member, last: Revision | None, now: datetime) -> bool:
    """Whether this edit is one with what its editor wrote a moment ago."""
    grace = timedelta(seconds=settings.EDIT_GRACE_SECONDS)
    if last is None:
        return post.author_id == editor.pk and now - post.created_at < grace
    return last.replaced_by_id == editor.pk and now - last.replaced_at < grace


@transaction.atomic
def set_wiki(*, post: Post, by: Member, is_wiki: bool) -> Post:
    """Open a post to every member of the group at trust level 1 or more, or close it again.

    Raises MayNotMakeWiki unless `by` moderates the group or wrote the post and is at trust level 3
    or more; PostHidden, ThreadLocked, or Refused to who is silenced.
    """
    post = Post.objects.select_for_update(no_key=True).get(pk=post.pk)
    thread = lock_thread_row(post.thread_id)
    ensure_may_make_wiki(post, by, thread)
    ensure_not_silenced(by)
    if post.is_wiki != is_wiki:
        post.is_wiki = is_wiki
        post.save(update_fields=["is_wiki"])
        thread.version += 1
        thread.save(update_fields=["version"])
    return post


@transaction.atomic
def rerender_post(post_id: int) -> bool:
    """Render a post's text by the renderer of now. True when readers see something else.

    What it says stays, so there is no revision and nothing is announced.
    """
    post = Post.objects.select_for_update(of=("self",)).select_related("author").get(pk=post_id)
    thread = lock_thread_row(post.thread_id)
    kept = post.post_images.values_list("image_id", flat=True)
    rendered = render_body(post.body, group=thread.group, writers=[post.author], kept=list(kept))
    changed = rendered.html != post.html
    post.html, post.markup_version = rendered.html, MARKUP_VERSION
    post.save(update_fields=["html", "markup_version"])
    write_references(post, rendered)
    if changed:
        thread.version += 1
        thread.save(update_fields=["version"])
    return changed


# -- asking -----------------------------------------------------------------------------------


def ensure_may_edit(post: Post, editor: Member, thread: Thread) -> None:
    """Raise NotAMember, MayNotEdit, PostHidden or ThreadLocked. One query."""
    membership = membership_of(editor, thread.group)
    if membership is None:
        raise NotAMember
    if membership.moderates:
        return
    open_to_all = post.is_wiki and editor.trust_level >= TrustLevel.BASIC
    if post.author_id != editor.pk and not open_to_all:
        raise MayNotEdit
    if post.is_hidden:
        raise PostHidden
    ensure_open(thread)


def ensure_may_make_wiki(post: Post, by: Member, thread: Thread) -> None:
    """Raise MayNotMakeWiki, PostHidden or ThreadLocked. One query."""
    membership = membership_of(by, thread.group)
    if post.is_hidden:
        raise PostHidden
    if membership is not None and membership.moderates:
        return
    if membership is None or post.author_id != by.pk or by.trust_level < TrustLevel.REGULAR:
        raise MayNotMakeWiki
    ensure_open(thread)
