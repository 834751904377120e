"""Counters of what the demo writes at once, compared with the rows they count."""

from __future__ import annotations

from collections import Counter

from community.groups.models import Group
from community.polls.models import Poll, PollVote
from community.reactions.models import Reaction
from community.tags.models import Tag
from community.threads.models import Post


def ensure_counted() -> None:
    """Counters of what was written at once say what the rows say."""
    given: dict[int, Counter[str]] = {}
    for post_id, name in Reaction.objects.values_list("post", "name"):
        given.setdefault(post_id, Counter())[name] += 1
    for post in Post.objects.all():
        assert post.reactions == dict(given.get(post.pk, {})), post
        assert post.reaction_count == sum(post.reactions.values()), post
    for tag in Tag.objects.all():
        assert tag.thread_count == tag.threads.filter(is_listed=True).count(), tag
    for poll in Poll.objects.all():
        votes = PollVote.objects.filter(poll=poll)
        assert poll.voter_count == votes.values("member").distinct().count()
        for option in poll.options.all():
            assert option.votes == votes.filter(option=option).count()
    for group in Group.objects.all():
        assert group.thread_count == group.threads.filter(is_listed=True).count()
