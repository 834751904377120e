"""Making a poll, voting in it, closing it.

Whoever changes a poll or its votes holds the poll's row, so its counters are exact. Locks are taken
poll first, then thread. Whether a poll is still open is for the database's clock to say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from community.groups.services import membership_of
from community.members.models import Member
from community.polls.errors import (
    ChoiceMissing,
    MayNotManage,
    MayNotVote,
    PollClosed,
    TooManyChoices,
    UnknownChoice,
    VotesCast,
)
from community.polls.models import Poll, PollOption, PollVote
from community.threads.errors import PostHidden
from community.threads.locks import lock_beside
from community.threads.models import Post, Thread
from community.threads.rights import ensure_not_silenced


@transaction.atomic
def make_poll(
    *,
    post: Post,
    question: str,
    options: Sequence[str],
    choices_max: int = 1,
    results: str = Poll.Results.ALWAYS,
    closes_at: datetime | None = None,
) -> Poll:
    """Ask under a post. The form has checked the texts; `options` are 2 to OPTIONS_MAX."""
    poll = Poll.objects.create(
        post=post,
        question=question,
        choices_max=choices_max,
        results=results,
        closes_at=closes_at,
    )
    _write_options(poll, options)
    return poll


@transaction.atomic
def bring_poll(
    *,
    post: Post,
    question: str,
    options: Sequence[tuple[str, int]],
    choices_max: int,
    voters: int,
) -> Poll:
    """Keep a poll of another site as it ended: closed, each answer with how often it was chosen.

    Who voted is not known here.
    """
    poll = Poll.objects.create(
        post=post,
        question=question,
        choices_max=choices_max,
        created_at=post.created_at,
        closed_at=timezone.now(),
        voter_count=voters,
    )
    PollOption.objects.bulk_create(
        PollOption(poll=poll, position=position, text=text, votes=votes)
        for position, (text, votes) in enumerate(options)
    )
    _seen(poll)
    return poll


@transaction.atomic
def change_poll(
    *,
    poll: Poll,
    by: Member,
    question: str,
    options: Sequence[str],
    choices_max: int,
    results: str,
    closes_at: datetime | None,
) -> Poll:
    """Say it otherwise; after the first vote only `closes_at` may change.

    Raises MayNotManage, PollClosed, VotesCast, or Refused to who is silenced.
    """
    poll = _lock(poll)
    ensure_may_manage(poll, by)
    ensure_not_silenced(by)
    _ensure_open(poll)
    before = list(poll.options.values_list("text", flat=True))
    now_says = (question, list(options), choices_max, results)
    if now_says != (poll.question, before, poll.choices_max, poll.results):
        if poll.voter_count:
            raise VotesCast
        poll.question, poll.choices_max, poll.results = question, choices_max, results
        if before != list(options):
            poll.options.all().delete()
            _write_options(poll, options)
    poll.closes_at = closes_at
    poll.save(update_fields=["question", "choices_max", "results", "closes_at"])
    _seen(poll)
    return poll


@transaction.atomic
def vote(*, poll: Poll, member: Member, option_ids: Collection[int]) -> None:
    """Choose one or more answers, in place of those chosen before.

    The caller has checked that `member` may see the post. Raises MayNotVote, PostHidden,
    PollClosed, ChoiceMissing, TooManyChoices, UnknownChoice.
    """
    wanted = set(option_ids)
    poll = _lock(poll)
    _ensure_may_vote(poll, member)
    if not wanted:
        raise ChoiceMissing
    if len(wanted) > poll.choices_max:
        raise TooManyChoices
    if poll.options.filter(pk__in=wanted).count() != len(wanted):
        raise UnknownChoice
    before = _take_votes(poll, member)
    PollVote.objects.bulk_create(
        PollVote(poll=poll, option_id=pk, member=member, is_single=poll.choices_max == 1)
        for pk in sorted(wanted)
    )
    poll.options.filter(pk__in=wanted).update(votes=F("votes") + 1)
    if not before:
        Poll.objects.filter(pk=poll.pk).update(voter_count=F("voter_count") + 1)
    _seen(poll)


@transaction.atomic
def take_vote_back(*, poll: Poll, member: Member) -> None:
    """Be one who has not voted. Raises MayNotVote, PostHidden, PollClosed."""
    poll = _lock(poll)
    _ensure_may_vote(poll, member)
    if _take_votes(poll, member):
        Poll.objects.filter(pk=poll.pk).update(voter_count=F("voter_count") - 1)
        _seen(poll)


@transaction.atomic
def close_poll(*, poll: Poll, by: Member) -> None:
    """Take no more votes. A closed poll stays closed.

    Raises MayNotManage, or Refused to who is silenced.
    """
    poll = _lock(poll)
    ensure_may_manage(poll, by)
    ensure_not_silenced(by)
    if Poll.objects.filter(pk=poll.pk, closed_at__isnull=True).update(closed_at=Now()):
        _seen(poll)


# -- asking -----------------------------------------------------------------------------------


def ensure_may_manage(poll: Poll, by: Member) -> None:
    """Raise MayNotManage unless `by` wrote the post or moderates the group. One query."""
    membership = membership_of(by, poll.post.thread.group)
    if membership is None or not (membership.moderates or poll.post.author_id == by.pk):
        raise MayNotManage


# -- inside -----------------------------------------------------------------------------------


def _lock(poll: Poll) -> Poll:
    rows = Poll.objects.select_for_update(no_key=True, of=("self",))
    return lock_beside(rows.select_related("post__thread__group"), poll.pk)


def _ensure_open(poll: Poll) -> None:
    # After the lock, and by the database's clock: a vote that waited may have come too late.
    if not Poll.objects.open().filter(pk=poll.pk).exists():
        raise PollClosed


def _ensure_may_vote(poll: Poll, member: Member) -> None:
    if membership_of(member, poll.post.thread.group) is None:
        raise MayNotVote
    if poll.post.is_hidden:
        raise PostHidden
    ensure_not_silenced(member)
    _ensure_open(poll)


def _take_votes(poll: Poll, member: Member) -> bool:
    """Take the member's votes away; False when there were none."""
    chosen = PollVote.objects.filter(poll=poll, member=member)
    ids = list(chosen.values_list("option_id", flat=True))
    if ids:
        chosen.delete()
        poll.options.filter(pk__in=ids).update(votes=F("votes") - 1)
    return bool(ids)


def _write_options(poll: Poll, options: Sequence[str]) -> None:
    PollOption.objects.bulk_create(
        PollOption(poll=poll, position=position, text=text) for position, text in enumerate(options)
    )


def _seen(poll: Poll) -> None:
    Thread.objects.filter(pk=poll.post.thread_id).update(version=F("version") + 1)
