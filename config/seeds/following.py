"""What follows from many posts at once: what the workers do for each, done for all together.

A year of talk is written within seconds here; taken one by one its jobs would read every post, its
author and its group five times over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from django.utils import timezone

from commerce.placements.handlers import link_published_post
from commerce.placements.services import link_post
from community.events import MessageSent, PostPublished
from community.notifications import handlers as notifications
from community.search.documents import Kind
from community.search.handlers import index_published_post, index_sent_message
from community.search.messages import write_messages
from community.search.services import write_documents
from community.standing import handlers as standing
from community.threads.models import Post
from config.outbox import run_together

# What neither tells anybody of a post nor lets it earn: it is older than both care for.
OLD: Final = max(notifications.NEWS_FOR, standing.NEWS_FOR)


def _index_messages(events: Sequence[MessageSent]) -> None:
    write_messages([event.message_id for event in events])


def follow_posts() -> int:
    """Do what waits for published posts; return how many of these jobs there were.

    Posts of the last two days earn badges and tell people in their order, one by one. Messages are
    written for search, too.
    """
    run_together(
        MessageSent,
        index_sent_message,
        _index_messages,
    )
    return sum(
        run_together(PostPublished, handler, do)
        for handler, do in (
            (index_published_post, _index),
            (standing.learn_links_of_post, _learn),
            (link_published_post, _link),
            (notifications.tell_of_post, _for_news(notifications.tell_of_post)),
            (standing.earn_by_post, _for_news(standing.earn_by_post)),
        )
    )


def _index(events: Sequence[PostPublished]) -> None:
    write_documents(Kind.POST, [event.post_id for event in events])


def _learn(events: Sequence[PostPublished]) -> None:
    standing.learn_links(post for post in _posts(events) if not post.is_hidden)


def _link(events: Sequence[PostPublished]) -> None:
    for post in _posts(events):
        link_post(post)


def _for_news(
    handler: Callable[[PostPublished], None],
) -> Callable[[Sequence[PostPublished]], None]:
    def do(events: Sequence[PostPublished]) -> None:
        news = Post.objects.filter(
            pk__in=[event.post_id for event in events], created_at__gt=timezone.now() - OLD
        )
        new = set(news.values_list("pk", flat=True))
        for event in events:
            if event.post_id in new:
                handler(event)

    return do


def _posts(events: Sequence[PostPublished]) -> Iterable[Post]:
    return (
        Post.objects.filter(pk__in=[event.post_id for event in events])
        .select_related("author", "thread__group")
        .order_by("pk")
    )
