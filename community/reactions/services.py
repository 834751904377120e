"""Giving a reaction and taking it back."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from community.events import ReactionGiven
from community.members.models import Member
from community.members.sanctions import ensure_may_write
from community.reactions.errors import OwnPost, PostIsHidden, UnknownReaction
from community.reactions.models import Reaction
from community.threads.models import Post, Thread
from config.outbox import publish


@transaction.atomic
def toggle_reaction(*, post: Post, member: Member, name: str) -> bool:
    """Give the reaction `name`, or take it back; True when it was given. A member may give several.

    The caller has checked that `member` may see the post. Raises UnknownReaction, OwnPost,
    PostIsHidden or MayNotWrite. Announces ReactionGiven. Five statements and the event's.
    """
    if name not in settings.REACTIONS:
        raise UnknownReaction
    # The counts stand in the row, so whoever counts next waits for whoever counts now.
    post = Post.objects.select_for_update(no_key=True).get(pk=post.pk)
    if post.author_id == member.pk:
        raise OwnPost
    if post.is_hidden:
        raise PostIsHidden
    ensure_may_write(member)
    taken, _rows = Reaction.objects.filter(post=post, member=member, name=name).delete()
    given = not taken
    if given:
        Reaction.objects.create(post=post, member=member, name=name)
    count = int(post.reactions.get(name, 0)) + (1 if given else -1)
    counts = {**post.reactions, name: count}
    post.reactions = {each: number for each, number in counts.items() if number > 0}
    post.reaction_count = sum(post.reactions.values())
    post.save(update_fields=["reactions", "reaction_count"])
    Thread.objects.grow(post.thread_id)
    if given:
        publish(ReactionGiven(post_id=post.pk, member_id=member.pk, name=name))
    return given
