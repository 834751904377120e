"""Where a touch happened, in words: only as much of it as the viewer may read.

A merchant's listing may stand in a group its team is not in. Its sales are the merchant's to
count; the thread's title, its group and its author are not theirs to learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commerce.attribution.facts import Place
from community.chat.models import Message
from community.groups.models import Group
from community.members.models import Viewer
from community.threads.models import Post, Thread
from community.threads.services import heirs_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class ShownPlace:
    """`title` is a thread's title, or what else it is; `detail` whose words they were.

    `href` is empty where the viewer may not go, `group` None where they may not know.
    """

    title: StrOrPromise
    detail: StrOrPromise = ""
    href: str = ""
    group: Group | None = None
    is_thread: bool = False
    inside: StrOrPromise = ""

    def __str__(self) -> str:
        """Where it was, inside a sentence: "in “Is it worth it?”", "on the listing's page here"."""
        if self.is_thread:
            return gettext("in “%(title)s”") % {"title": self.title}
        return str(self.inside or self.title)


CLOSED_THREAD: Final = ShownPlace(
    _("A thread you cannot open"), inside=_("in a thread you cannot open")
)
CLOSED_CHAT: Final = ShownPlace(_("A chat you are not in"), inside=_("in a chat you are not in"))
CHAT_OF_PEOPLE: Final = ShownPlace(_("A chat among people"), inside=_("in a chat among people"))
LISTING_PAGE: Final = ShownPlace(
    _("The listing's page here"), inside=_("on the listing's page here")
)
WITHHELD: Final = ShownPlace(_("Not shown"), _("to keep the buyer's name here private"))
ELSEWHERE: Final = ShownPlace(_("Another shop's listing"))


def show_places(places: Iterable[Place], viewer: Viewer) -> Mapping[Place, ShownPlace]:
    """Return each place as `viewer` may see it; four queries at most."""
    wanted = set(places)
    thread_ids = {place.thread_id for place in wanted if place.thread_id}
    post_ids = {place.post_id for place in wanted if place.post_id}
    message_ids = {place.message_id for place in wanted if place.message_id}
    group_ids = {place.group_id for place in wanted if place.message_id and place.group_id}
    threads = show_threads(thread_ids, viewer)
    posts = (
        Post.objects.visible_to(viewer)
        .filter(pk__in=post_ids)
        .select_related("author")
        .only("number", "author__name")
        .in_bulk()
        if post_ids
        else {}
    )
    messages = (
        Message.objects.visible_to(viewer)
        .filter(pk__in=message_ids)
        .select_related("sender")
        .only("sender__name")
        .in_bulk()
        if message_ids
        else {}
    )
    chats = show_chats(group_ids, viewer)

    def show(place: Place) -> ShownPlace:
        if place.thread_id:
            shown = threads.get(place.thread_id, CLOSED_THREAD)
            post = posts.get(place.post_id) if place.post_id else None
            if not shown.href or post is None:
                return shown
            by = {"number": post.number, "author": post.author.name}
            first = post.number == 1
            return ShownPlace(
                title=shown.title,
                detail=(
                    gettext("opening post by %(author)s")
                    if first
                    else gettext("post %(number)s by %(author)s")
                )
                % by,
                href=reverse("post", args=[post.pk]),
                group=shown.group,
                is_thread=True,
            )
        if place.message_id:
            shown = chats.get(place.group_id, CLOSED_CHAT) if place.group_id else CHAT_OF_PEOPLE
            message = messages.get(place.message_id)
            if message is None:
                return shown
            by = {"author": message.sender.name}
            return replace(shown, detail=gettext("message by %(author)s") % by)
        return LISTING_PAGE

    return {place: show(place) for place in wanted}


def show_threads(thread_ids: Iterable[int], viewer: Viewer) -> dict[int, ShownPlace]:
    """Return the threads `viewer` may read, by id; one query, none for none.

    One that was merged into another is shown as that one: two queries more.
    """
    wanted = set(thread_ids)
    if not wanted:
        return {}
    shown = _listed(wanted, viewer)
    heirs = heirs_of(missing) if (missing := wanted - shown.keys()) else {}
    if heirs:
        there = _listed(set(heirs.values()), viewer)
        shown |= {pk: there[heir] for pk, heir in heirs.items() if heir in there}
    return shown


def _listed(thread_ids: set[int], viewer: Viewer) -> dict[int, ShownPlace]:
    threads = (
        Thread.objects.visible_to(viewer)
        .filter(pk__in=thread_ids, is_listed=True)
        .select_related("group")
        .only("title", "is_listed", "group__slug", "group__name", "group__glyph", "group__tint")
    )
    return {
        thread.pk: ShownPlace(
            title=thread.title,
            href=thread.get_absolute_url(),
            group=thread.group,
            is_thread=True,
        )
        for thread in threads
    }


def show_chats(group_ids: Iterable[int], viewer: Viewer) -> dict[int, ShownPlace]:
    """Return the chats of groups `viewer` may know of, by the group's id; one query at most."""
    wanted = set(group_ids)
    if not wanted:
        return {}
    groups = Group.objects.visible_to(viewer).filter(pk__in=wanted)
    return {
        group.pk: ShownPlace(
            title=gettext("Chat of %(group)s") % {"group": group.name},
            href=reverse("room", args=[group.slug]),
            group=group,
            inside=gettext("in chat of %(group)s") % {"group": group.name},
        )
        for group in groups.only("slug", "name", "glyph", "tint")
    }
