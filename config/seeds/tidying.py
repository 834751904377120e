"""Tags, polls and their votes, and what moderators and authors tidied up afterwards.

Everything by the verbs of the site, dated back. Votes are written at once, with their counts.
"""

from __future__ import annotations

import random
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone

from community.polls.models import Poll, PollOption, PollVote
from community.polls.services import make_poll
from community.tags.models import Tag
from community.tags.services import create_tag
from community.threads import moderating
from community.threads.editing import edit_post, set_wiki
from community.threads.hiding import delete_post
from community.threads.models import Post, PostMove, Revision, Thread, ThreadEntry
from community.threads.tagging import add_synonym
from config.seeds.forum import ActText, DeletedText, PollText, TagText, WikiText
from config.seeds.people import STAFF
from config.seeds.stage import Stage

DELETED_AFTER = timedelta(minutes=9)


@transaction.atomic
def write_tags(stage: Stage) -> None:
    """Make the tags that were thought about, before any thread carries them."""
    for text in stage.script.forum.tags:
        _write_tag(stage, text)


def _write_tag(stage: Stage, text: TagText) -> None:
    group = stage.groups[text.group] if text.group else None
    owners = {each.slug: each.owner for each in stage.script.groups}
    by = stage.members[owners[text.group] if text.group else STAFF[0]]
    tag = create_tag(name=text.name, group=group, by=by, about=text.about)
    for name in text.synonyms:
        add_synonym(tag=tag, name=name, by=by)


def tidy(stage: Stage) -> None:
    """Write polls, then do what was done to threads and posts, the oldest first."""
    forum = stage.script.forum
    rng = random.Random("votes")  # noqa: S311 - variety, not secrets
    for poll in forum.polls:
        _write_poll(stage, poll, rng)
    for wiki in forum.wikis:
        _open_wiki(stage, wiki)
    for deleted in forum.deleted:
        _delete(stage, deleted)
    for act in sorted(forum.acts, key=lambda act: -act.hours_ago):
        _act(stage, act)
    # A tag is as old as its group, or as the first thread there was.
    Tag.objects.filter(group__isnull=False).update(created_at=stage.ago(days=120))
    Tag.objects.filter(group=None).update(created_at=stage.ago(days=200))


@transaction.atomic
def _write_poll(stage: Stage, text: PollText, rng: random.Random) -> None:
    post = stage.posts[text.group, text.thread, 1]
    poll = make_poll(
        post=post,
        question=text.question,
        options=text.options,
        choices_max=text.choices_max,
        results=text.results,
    )
    closed = None if text.closed_hours_ago is None else stage.ago(hours=text.closed_hours_ago)
    closes = None if text.closes_in_days is None else stage.ago(days=-text.closes_in_days)
    last = closed or stage.anchor
    options = list(PollOption.objects.filter(poll=poll))
    people = [
        stage.members[handle]
        for group in stage.script.groups
        if group.slug == text.group
        for handle in group.members
        if handle not in text.without
    ]
    rng.shuffle(people)
    votes = []
    # Round the table: with one choice each has one vote, with more some have several.
    places = 0
    for option, count in zip(options, text.votes, strict=True):
        for _ in range(count):
            votes.append(
                PollVote(
                    poll=poll,
                    option=option,
                    member=people[places % len(people)],
                    is_single=text.choices_max == 1,
                    voted_at=post.created_at + (last - post.created_at) * rng.betavariate(1, 4),
                )
            )
            places += 1
    PollVote.objects.bulk_create(votes)
    for row in PollVote.objects.filter(poll=poll).values("option").annotate(n=Count("pk")):
        PollOption.objects.filter(pk=row["option"]).update(votes=row["n"])
    Poll.objects.filter(pk=poll.pk).update(
        created_at=post.created_at,
        closes_at=closed or closes,
        voter_count=len({vote.member_id for vote in votes}),
    )
    Thread.objects.filter(pk=post.thread_id).update(version=F("version") + 1)


def _open_wiki(stage: Stage, text: WikiText) -> None:
    post = stage.posts[text.group, text.thread, text.number]
    set_wiki(post=post, by=stage.members[text.by], is_wiki=True)
    post.refresh_from_db(fields=["body"])
    edited = edit_post(
        post=post,
        editor=stage.members[text.editor],
        body=f"{post.body}\n\n{text.adds}",
        reason=text.reason,
    )
    at = stage.ago(hours=text.hours_ago)
    Post.objects.filter(pk=post.pk).update(edited_at=at)
    Revision.objects.filter(post=post, number=edited.revisions.count()).update(replaced_at=at)


def _delete(stage: Stage, text: DeletedText) -> None:
    post = stage.posts[text.group, text.thread, text.number]
    delete_post(post=post, by=post.author)
    Post.objects.filter(pk=post.pk).update(hidden_at=post.created_at + DELETED_AFTER)


@transaction.atomic
def _act(stage: Stage, act: ActText) -> None:
    thread = stage.threads[act.group, act.thread]
    by, at = stage.members[act.by], stage.ago(hours=act.hours_ago)
    before = timezone.now()
    if act.verb == "move":
        moderating.move_thread(thread=thread, to=stage.groups[act.to], by=by, reason=act.reason)
    elif act.verb == "split":
        moderating.split_thread(
            thread=thread,
            post_ids=[stage.posts[act.group, act.thread, number].pk for number in act.numbers],
            title=act.title,
            by=by,
            reason=act.reason,
        )
    elif act.verb == "merge":
        into = stage.threads[act.group, act.into]
        moderating.merge_threads(thread=thread, into=into, by=by, reason=act.reason)
    elif act.verb == "pin":
        until = stage.ago(days=-act.days)
        moderating.pin_thread(thread=thread, by=by, until=until, reason=act.reason)
        Thread.objects.filter(pk=thread.pk).update(pinned_at=at)
    elif act.verb == "slow":
        moderating.set_slow_mode(thread=thread, seconds=act.seconds, by=by, reason=act.reason)
    elif act.verb == "closing":
        moderating.close_after(thread=thread, days=int(act.days), by=by, reason=act.reason)
    elif act.verb == "retitle":
        moderating.retitle_thread(thread=thread, title=act.title, by=by, reason=act.reason)
    else:
        raise ValueError(f"Nobody can {act.verb!r} a thread.")
    ThreadEntry.objects.filter(by=by, at__gte=before).update(at=at)
    PostMove.objects.filter(moved_at__gte=before).update(moved_at=at)
