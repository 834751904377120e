"""What can be flagged: how each kind is found, read and hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext

from commerce.listings.models import Listing
from commerce.merchants.models import TeamRole
from community.chat.messages import message_hidden_changed
from community.chat.models import Message
from community.groups.models import Group
from community.members.models import Member, Viewer
from community.threads.models import Post
from community.threads.services import post_hidden_changed
from community.uploads.models import Image
from moderation.flags.models import TargetKind

Target = Post | Message | Listing


@dataclass(frozen=True)
class Kind:
    """One kind of target. Functions take a target of that kind."""

    rows: Callable[[], QuerySet[Any]]
    author_of: Callable[[Any], Member]
    group_of: Callable[[Any], Group | None]
    words_of: Callable[[Any], str]
    place_of: Callable[[Any], str]
    changed: Callable[[Any], object]


def _listing_owner(listing: Listing) -> Member:
    return (
        listing.merchant.team.filter(role=TeamRole.OWNER)
        .select_related("member")
        .order_by("added_at", "pk")[0]
        .member
    )


def _place_of_message(message: Message) -> str:
    group = message.room.group
    if group is None:
        return gettext("A message among people")
    return gettext("Chat of %(group)s") % {"group": group.name}


KINDS: dict[str, Kind] = {
    TargetKind.POST: Kind(
        rows=lambda: Post.objects.select_related("author", "thread__group"),
        author_of=lambda post: post.author,
        group_of=lambda post: post.thread.group,
        words_of=lambda post: post.body,
        place_of=lambda post: (
            gettext("Post %(number)s in “%(title)s”")
            % {"number": post.number, "title": post.thread.title}
        ),
        changed=post_hidden_changed,
    ),
    TargetKind.MESSAGE: Kind(
        rows=lambda: Message.objects.select_related("sender", "room__group"),
        author_of=lambda message: message.sender,
        group_of=lambda message: message.room.group,
        words_of=lambda message: message.body,
        place_of=_place_of_message,
        changed=message_hidden_changed,
    ),
    TargetKind.LISTING: Kind(
        rows=lambda: Listing.objects.select_related("merchant", "group"),
        author_of=_listing_owner,
        group_of=lambda listing: listing.group,
        words_of=lambda listing: f"{listing.title}\n{listing.description}".strip(),
        place_of=lambda listing: gettext("Listing of %(name)s") % {"name": listing.merchant.name},
        changed=lambda listing: Image.objects.filter(listing_photos__listing=listing).update(
            hidden_at=listing.hidden_at
        ),
    ),
}


def visible_target(kind: str, target_id: int, viewer: Viewer) -> Target | None:
    """The target if `viewer` may see it, else None: what one may not see one cannot flag."""
    if kind not in KINDS:
        return None
    rows: Any = KINDS[kind].rows()
    found: Target | None = rows.visible_to(viewer).filter(pk=target_id).first()
    return found


def load_targets(pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Target]:
    """Every target named, whoever may see it, in a query a kind: for moderators' lists."""
    wanted: dict[str, list[int]] = {}
    for kind, target_id in pairs:
        wanted.setdefault(kind, []).append(target_id)
    return {
        (kind, target.pk): target
        for kind, ids in wanted.items()
        for target in KINDS[kind].rows().filter(pk__in=ids)
    }
