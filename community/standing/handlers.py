"""What standing does when something was written, thanked, answered or reached."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.utils import timezone

from community.events import (
    AnswerChosen,
    MemberChanged,
    PostEdited,
    PostPublished,
    ReactionGiven,
    TrustChanged,
)
from community.groups.models import JoinMode
from community.members.models import TrustLevel
from community.standing import badges
from community.standing.limits import hosts_in, learn_hosts
from community.threads.models import Post

# Talk brought in from elsewhere keeps its dates; its badges are the nightly sweep's.
NEWS_FOR: Final = timedelta(days=2)


def earn_by_post(event: PostPublished) -> None:
    post = _shown(event.post_id)
    if post is None or post.created_at < timezone.now() - NEWS_FOR:
        return
    badges.grant_due([post.author_id], subjects=badges.BY_POST)
    if not post.is_opening and post.thread.author_id != post.author_id:
        badges.grant_due([post.thread.author_id], subjects=badges.BY_REPLY)


def earn_by_reaction(event: ReactionGiven) -> None:
    post = _shown(event.post_id)
    if post is not None:
        badges.grant_due([event.member_id], subjects=badges.BY_REACTING)
        badges.grant_due([post.author_id], subjects=badges.BY_REACTION)


def earn_by_answer(event: AnswerChosen) -> None:
    if post := _shown(event.post_id):
        badges.grant_due([post.author_id], subjects=badges.BY_ANSWER)


def earn_by_trust(event: TrustChanged) -> None:
    badges.grant_due([event.member_id], subjects=badges.BY_TRUST)


def earn_by_profile(event: MemberChanged) -> None:
    badges.grant_due([event.member_id], subjects=badges.BY_PROFILE)


def learn_links_of_post(event: PostPublished) -> None:
    _learn(event.post_id)


def learn_links_of_edit(event: PostEdited) -> None:
    _learn(event.post_id)


def learn_links(posts: Iterable[Post]) -> None:
    """Note the hosts trusted members link to where everybody can read it."""
    hosts: set[str] = set()
    for post in posts:
        if post.author.trust_level > TrustLevel.NEW and (
            post.thread.group.join_mode != JoinMode.HIDDEN
        ):
            hosts |= hosts_in(post.html)
    if hosts:
        learn_hosts(hosts)


def _learn(post_id: int) -> None:
    if post := _shown(post_id):
        learn_links([post])


def _shown(post_id: int) -> Post | None:
    return (
        Post.objects.select_related("author", "thread__group")
        .filter(pk=post_id, hidden_at__isnull=True)
        .first()
    )
