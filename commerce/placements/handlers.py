"""What placements do when a post appears, changes or goes to another thread."""

from __future__ import annotations

from commerce.placements.in_messages import link_message
from commerce.placements.services import link_post, move_placements
from community.events import MessageEdited, MessageSent, PostEdited, PostPublished, ThreadChanged
from community.threads.models import Post


def link_published_post(event: PostPublished) -> None:
    _link(event.post_id)


def link_edited_post(event: PostEdited) -> None:
    _link(event.post_id)


def _link(post_id: int) -> None:
    post = Post.objects.select_related("thread__group").filter(pk=post_id).first()
    if post is not None:
        link_post(post)


def link_sent_message(event: MessageSent) -> None:
    link_message(event.message_id)


def link_edited_message(event: MessageEdited) -> None:
    link_message(event.message_id)


def follow_moved_posts(event: ThreadChanged) -> None:
    move_placements(event.thread_id)
