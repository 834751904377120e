"""The reactions of a post as its bar shows them. No query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from community.threads.models import Post

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Shown:
    """One reaction: how often it was given, and whether the reader did."""

    name: str
    emoji: str
    label: StrOrPromise
    count: int
    mine: bool


def reaction_bar(
    post: Post, *, may_react: bool, mine: Collection[str] = (), everything: bool = False
) -> dict[str, Any]:
    """What `community/reactions/_bar.html` draws: those given, and for who may react the first.

    `everything`: all of the site's reactions, for the post's menu.
    """
    first = next(iter(settings.REACTIONS), None)
    shown = [
        Shown(name, emoji, label, int(post.reactions.get(name, 0)), name in mine)
        for name, (emoji, label) in settings.REACTIONS.items()
    ]
    if not everything:
        shown = [one for one in shown if one.count or (may_react and one.name == first)]
    return {"post": post, "reactions": shown, "may_react": may_react}
