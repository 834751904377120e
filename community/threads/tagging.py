"""Which tags threads carry: set by their authors and moderators, counted, merged.

`Tag.thread_count` counts listed threads. It grows and shrinks with them, under the lock of the
thread and then of the tag; tags are locked by id, after threads and before groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import F

from community.events import ThreadChanged
from community.members.models import Member
from community.tags import services as tags
from community.tags.errors import NotOfOnePlace, TagInUse, TagRefusal
from community.tags.models import Tag
from community.threads.entries import leave_entry
from community.threads.errors import Busy, MergedAway, TagsUnfit
from community.threads.locks import lock_thread_row
from community.threads.models import Thread, ThreadEntry, ThreadTag
from community.threads.rights import ensure_keeps_head
from config.guest_pages import changed
from config.outbox import publish


@transaction.atomic
def set_tags(*, thread: Thread, names: Sequence[str], by: Member, reason: str = "") -> Thread:
    """Let the thread carry the tags of these names and no others; at most 5.

    Its author and the moderators may; a moderator's change leaves an entry. The same tags again
    write nothing. Raises NotAMember, MayNotChangeHead, MergedAway, TagsUnfit or Busy. Announces
    ThreadChanged.
    """
    thread = lock_thread_row(thread.pk)
    if thread.merged_into_id is not None:
        raise MergedAway
    as_author = ensure_keeps_head(thread, by)
    wanted = chosen_tags(names, thread, by)
    before = tags_of(thread)
    gone = [tag for tag in before if tag not in wanted]
    new = [tag for tag in wanted if tag not in before]
    if not gone and not new:
        return thread
    hold_tags([*gone, *new])
    ThreadTag.objects.filter(thread=thread, tag__in=gone).delete()
    put_tags(thread, new)
    if thread.is_listed:
        shift_counts({tag.pk: 1 for tag in new} | {tag.pk: -1 for tag in gone})
    thread.version += 1
    thread.save(update_fields=["version"])
    if not as_author:
        leave_entry(
            thread,
            ThreadEntry.Verb.RETAG,
            by=by,
            reason=reason,
            added=[tag.name for tag in new],
            removed=[tag.name for tag in gone],
        )
    publish(ThreadChanged(thread_id=thread.pk))
    return thread


def first_tags(thread: Thread, names: Sequence[str], *, by: Member) -> None:
    """Let a thread that is just being opened carry the tags of these names. Raises TagsUnfit."""
    wanted = chosen_tags(names, thread, by)
    hold_tags(wanted)
    put_tags(thread, wanted)
    shift_counts({tag.pk: 1 for tag in wanted})


def chosen_tags(names: Sequence[str], thread: Thread, by: Member) -> list[Tag]:
    """Return the tags of these names in the thread's group. Raises TagsUnfit."""
    try:
        return tags.tags_named(names, group=thread.group, by=by)
    except TagRefusal as refusal:
        raise TagsUnfit(refusal.reason) from refusal


def tags_of(thread: Thread) -> list[Tag]:
    """Return the tags a thread carries, by name. One query."""
    return list(Tag.objects.filter(thread_tags__thread=thread).order_by("name"))


def hold_tags(wanted: Iterable[Tag]) -> None:
    """Lock tags that a thread is about to carry or drop. Raises Busy if one was merged away."""
    ids = [tag.pk for tag in wanted if tag.synonym_of_id is None]
    held = Tag.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    if len([tag for tag in held if tag.synonym_of_id is None]) != len(ids):
        raise Busy


def put_tags(thread: Thread, new: Iterable[Tag]) -> None:
    """Write that the thread carries these too; the caller has held and counts them."""
    ThreadTag.objects.bulk_create(ThreadTag(thread=thread, tag=tag) for tag in new)


def shift_counts(by_how_many: Mapping[int, int]) -> None:
    """Add to the thread counts of tags, by id; in that order, so that none waits crosswise."""
    for pk, shift in sorted(by_how_many.items()):
        if shift:
            Tag.objects.filter(pk=pk).update(thread_count=F("thread_count") + shift)


def listing_changed(thread: Thread, *, was_listed: bool) -> None:
    """Let the counts of a thread's tags follow when it enters or leaves the lists."""
    shift = int(thread.is_listed) - int(was_listed)
    if shift:
        carried = ThreadTag.objects.filter(thread=thread).values_list("tag_id", flat=True)
        shift_counts(dict.fromkeys(carried, shift))


@transaction.atomic
def merge_tags(*, tag: Tag, into: Tag, by: Member) -> Tag:
    """Let `into` stand for `tag`: threads carry it instead, and `tag` stays as its synonym.

    Both belong to one group, or to the site. Raises MayNotKeepTags or NotOfOnePlace. Announces
    ThreadChanged for each thread that carried `tag`.
    """
    tags.ensure_keeps_tags(by, tag.group)
    locked = {
        one.pk: one
        for one in Tag.objects.select_for_update(no_key=True)
        .filter(pk__in=[tag.pk, into.pk])
        .order_by("pk")
    }
    if len(locked) < 2 or tag.group_id != into.group_id or locked[into.pk].synonym_of_id:
        raise NotOfOnePlace
    tag, into = locked[tag.pk], locked[into.pk]
    carrying = list(
        ThreadTag.objects.filter(tag=tag).order_by("thread_id").values_list("thread_id", flat=True)
    )
    both = set(ThreadTag.objects.filter(tag=into).values_list("thread_id", flat=True))
    ThreadTag.objects.filter(tag=tag, thread__in=both.intersection(carrying)).delete()
    ThreadTag.objects.filter(tag=tag).update(tag=into)
    # Under the locks of both tags nobody else counts.
    into.thread_count = ThreadTag.objects.filter(tag=into, thread__is_listed=True).count()
    tag.thread_count = 0
    tag.synonym_of = into
    Tag.objects.filter(synonym_of=tag).update(synonym_of=into)
    tag.save(update_fields=["synonym_of", "thread_count"])
    into.save(update_fields=["thread_count"])
    _announce(carrying)
    return into


@transaction.atomic
def add_synonym(*, tag: Tag, name: str, by: Member) -> Tag:
    """Let `tag` stand for `name` as well; a tag of that name is merged into it.

    Raises MayNotKeepTags, NotOfOnePlace, NotATag or TagTooLong.
    """
    tags.ensure_keeps_tags(by, tag.group)
    there = Tag.objects.filter(group=tag.group_id, slug=tags.tag_slug(name)).first()
    if there is not None:
        return merge_tags(tag=there, into=tag, by=by)
    synonym = tags.create_tag(name=name, group=tag.group, by=by)
    return merge_tags(tag=synonym, into=tag, by=by)


@transaction.atomic
def rename_tag(*, tag: Tag, name: str, by: Member, about: str | None = None) -> Tag:
    """Call a tag something else, as `tags.services.rename_tag`; its threads are found by it."""
    before = tag.name
    tag = tags.rename_tag(tag=tag, name=name, by=by, about=about)
    if tag.name != before:
        _announce(
            ThreadTag.objects.filter(tag=tag)
            .order_by("thread_id")
            .values_list("thread_id", flat=True)
        )
    return tag


@transaction.atomic
def drop_tag(*, tag: Tag, by: Member) -> None:
    """Delete a tag that no thread carries, or a synonym. Raises MayNotKeepTags or TagInUse."""
    tags.ensure_keeps_tags(by, tag.group)
    tag = Tag.objects.select_for_update().get(pk=tag.pk)
    if ThreadTag.objects.filter(tag=tag).exists():
        raise TagInUse
    tag.delete()


def _announce(thread_ids: Iterable[int]) -> None:
    """Say of each thread that it is found by other words now."""
    changed("threads", "thread")
    for thread_id in thread_ids:
        publish(ThreadChanged(thread_id=thread_id))
