"""Polls as a page shows them: all of a page's in one query, the reader's own votes in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Value

from community.groups.models import Membership
from community.members.models import Viewer
from community.polls.models import Poll, PollOption, PollVote, open_now
from community.threads.models import Post
from config.pieces import Key, told


@dataclass(frozen=True, slots=True)
class ShownOption:
    option: PollOption
    mine: bool


@dataclass(frozen=True, slots=True)
class ShownPoll:
    """A poll as `viewer` sees it, for `community/polls/_poll.html`."""

    post: Post
    poll: Poll
    options: list[ShownOption]
    is_open: bool
    is_member: bool  # of the group: only they vote
    may_manage: bool
    problem: str = ""  # why a vote was not taken

    @property
    def has_voted(self) -> bool:
        return any(one.mine for one in self.options)

    @property
    def may_vote(self) -> bool:
        return self.is_open and self.is_member and not self.post.is_hidden

    @property
    def is_asking(self) -> bool:
        """Whether answers stand there to be chosen."""
        return self.may_vote and not self.has_voted

    @property
    def shows_results(self) -> bool:
        if not self.is_open or self.poll.results == Poll.Results.ALWAYS:
            return True
        return self.poll.results == Poll.Results.VOTED and self.has_voted

    @property
    def told(self) -> Key:
        """All a piece for somebody who cannot vote draws."""
        options = tuple(told(one.option) for one in self.options)
        return "poll", told(self.poll), options, self.is_open


def shown_polls(
    posts: Iterable[Post], viewer: Viewer, membership: Membership | None
) -> dict[int, ShownPoll]:
    """The polls of posts of one thread by the post's id. One query, none without posts."""
    by_id = {post.pk: post for post in posts}
    if not by_id:
        return {}
    mine: Exists | Value = Value(False)
    if viewer.is_authenticated:
        mine = Exists(PollVote.objects.filter(option=OuterRef("pk"), member_id=viewer.pk))
    rows = (
        PollOption.objects.filter(poll__post__in=by_id)
        .select_related("poll")
        .annotate(
            is_mine=ExpressionWrapper(mine, output_field=BooleanField()),
            is_open=ExpressionWrapper(open_now("poll__"), output_field=BooleanField()),
        )
        .order_by("poll", "position")
    )
    found: dict[int, ShownPoll] = {}
    for row in rows:
        post = by_id[row.poll.post_id]
        shown = found.get(post.pk)
        if shown is None:
            own = viewer.is_authenticated and post.author_id == viewer.pk
            manages = membership is not None and (own or membership.moderates)
            manages = manages and not post.is_hidden
            shown = found[post.pk] = ShownPoll(
                post, row.poll, [], row.is_open, membership is not None, manages
            )
        shown.options.append(ShownOption(row, row.is_mine))
    return found
