"""Quoting a whole post without scripts: its Markdown behind "> ", and whose words they are."""

from __future__ import annotations

import re

from community.members.models import Member
from community.threads.models import Post

_BRACKETS = re.compile(r"([\\\[\]])")


def quote_of(post_id: int, member: Member) -> str:
    """Return the quote of a post that `member` may read, ready to write below; else nothing."""
    posts = Post.objects.visible_to(member).filter(hidden_at__isnull=True)
    post = posts.select_related("author").filter(pk=post_id).first()
    if post is None:
        return ""
    # Quotes within are left out: who quotes a post means what its author says.
    said = [line for line in post.body.splitlines() if not line.startswith(">")]
    lines = "\n".join(said).strip().splitlines() or post.body.splitlines()
    name = _BRACKETS.sub(r"\\\1", post.author.name)
    quoted = "\n".join(f"> {line}".rstrip() for line in lines)
    return f"> [{name}]({post.get_absolute_url()}):\n{quoted}\n\n"
