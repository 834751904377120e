"""Whom and which posts a post names: the rows behind mentions and quotes.

They say what stands in the text, no more. Whether somebody is told of it is decided later, by
what they may read and whom they have blocked.
"""

from __future__ import annotations

from community.members.models import Member
from community.threads.markup import Rendered
from community.threads.models import Post, PostMention, PostQuote


def write_references(post: Post, rendered: Rendered, *, is_new: bool = False) -> None:
    """Let the rows follow the text: what it no longer names goes, what stays keeps its row.

    Authors do not mention themselves, and quote what they may read. No query for a new post that
    names nobody, two for each kind of thing it names.
    """
    members: set[int] = set()
    if rendered.mentions:
        named = Member.objects.filter(handle__in=rendered.mentions).exclude(pk=post.author_id)
        members = set(named.values_list("pk", flat=True))
    quoted: set[int] = set()
    if rendered.quotes:
        readable = Post.objects.visible_to(post.author).filter(hidden_at__isnull=True)
        quoted = set(
            readable.filter(pk__in=rendered.quotes).exclude(pk=post.pk).values_list("pk", flat=True)
        )
    if not is_new:
        post.mentions.exclude(member__in=members).delete()
        post.quotes.exclude(quoted__in=quoted).delete()
    if members:
        PostMention.objects.bulk_create(
            (PostMention(post=post, member_id=pk) for pk in sorted(members)), ignore_conflicts=True
        )
    if quoted:
        PostQuote.objects.bulk_create(
            (PostQuote(post=post, quoted_id=pk) for pk in sorted(quoted)), ignore_conflicts=True
        )
