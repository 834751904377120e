"""What a notification says, in the language that is active: one sentence for every channel."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.members.models import TrustLevel
from community.notifications.models import Kind, Notification
from community.threads.markup import plain_text

EXCERPT_CHARS = 200
EXCERPT_SOURCE_CHARS = 1_000

ICONS = {
    Kind.MENTION: "at-sign",
    Kind.REPLY: "reply",
    Kind.QUOTE: "quote",
    Kind.THREAD: "message-square-plus",
    Kind.WATCHED: "eye",
    Kind.REACTION: "heart",
    Kind.ANSWER: "circle-check",
    Kind.INVITE: "user-plus",
    Kind.JOIN: "door-open",
    Kind.DECISION: "scale",
    Kind.REMINDER: "bookmark",
    Kind.NAMED: "at-sign",
    Kind.DIRECT: "message-circle",
    Kind.REQUEST: "message-circle",
    Kind.ROOM: "message-circle",
    Kind.SEARCH: "search",
    Kind.TRUST: "sprout",
    Kind.BADGE: "award",
    Kind.EXPORT: "download",
}


def sentence(notification: Notification) -> str:
    """Say what happened, as plain text without a full stop."""
    who = notification.actor.name if notification.actor else _("Somebody")
    thread = notification.post.thread if notification.post else notification.thread
    says = {
        "who": who,
        "thread": thread.heading if thread else "",
        "group": notification.group.name if notification.group else "",
        "room": _room(notification),
    }
    details = notification.details
    match notification.kind:
        case Kind.MENTION:
            return _("%(who)s mentioned you in “%(thread)s”") % says
        case Kind.REPLY:
            return _("%(who)s replied to you in “%(thread)s”") % says
        case Kind.QUOTE if details.get("about") == "talk":
            return _("%(who)s made a thread of what you said in chat: “%(thread)s”") % says
        case Kind.QUOTE:
            return _("%(who)s quoted you in “%(thread)s”") % says
        case Kind.THREAD:
            return _("%(who)s began “%(thread)s”") % says
        case Kind.WATCHED:
            return _("%(who)s wrote in “%(thread)s”") % says
        case Kind.REACTION:
            return _reactions(notification, says)
        case Kind.ANSWER:
            return _("%(who)s chose your reply as the answer to “%(thread)s”") % says
        case Kind.INVITE:
            return _("%(who)s invites you to join %(group)s") % says
        case Kind.JOIN if details.get("accepted"):
            return _("You are now a member of %(group)s") % says
        case Kind.JOIN:
            return _("Your request to join %(group)s was declined") % says
        case Kind.DECISION:
            return _decision(str(details.get("about", "")))
        case Kind.REMINDER:
            return _("You wanted to come back to “%(thread)s”") % says
        case Kind.NAMED if notification.details.get("is_reply"):
            return (
                _("%(who)s replied to you in %(room)s")
                if says["room"]
                else _("%(who)s replied to you")
            ) % says
        case Kind.NAMED:
            return (
                _("%(who)s mentioned you in %(room)s")
                if says["room"]
                else _("%(who)s mentioned you")
            ) % says
        case Kind.DIRECT:
            return _("%(who)s wrote to you") % says
        case Kind.REQUEST:
            return _("%(who)s would like to write to you") % says
        case Kind.ROOM:
            return _("%(who)s wrote in %(room)s") % says
        case Kind.SEARCH:
            return _("New for your search “%(search)s”") % {"search": details.get("search", "")}
        case Kind.TRUST:
            level = TrustLevel(details.get("level", TrustLevel.BASIC)).label
            return _("You reached the trust level “%(level)s”") % {"level": level}
        case Kind.EXPORT:
            return _("The copy of your data is ready: you can fetch it now")
        case _badge:
            name = str(details.get("badge", ""))
            return _("You earned the badge “%(badge)s”") % {"badge": _(name) if name else ""}


def _room(notification: Notification) -> str:
    """What the room is called, if it is not called by those in it. No query."""
    room = notification.room
    if room is None:
        return ""
    if room.name or room.group is None:
        return room.name
    return room.thread.title if room.thread is not None else room.group.name


def _reactions(notification: Notification, says: dict[str, str]) -> str:
    others = notification.actor_count - 1
    if not others:
        return _("%(who)s reacted to your post in “%(thread)s”") % says
    return ngettext(
        "%(who)s and %(others)s other reacted to your post in “%(thread)s”",
        "%(who)s and %(others)s others reacted to your post in “%(thread)s”",
        others,
    ) % {**says, "others": others}


def _decision(about: str) -> str:
    return {
        "hidden": _("A moderator hid something you wrote"),
        "shown": _("A moderator shows again what you wrote"),
        "kept": _("Moderators looked at what you reported and kept it"),
        "agreed": _("Moderators looked at what you reported and hid it"),
        "silence": _("A moderator silenced you: for now you can read but not write"),
        "silence_lifted": _("You can write again"),
        "suspend": _("A moderator suspended your account: for now you cannot sign in"),
        "suspend_lifted": _("You can sign in again"),
    }.get(about, _("A moderator decided about something you wrote"))


def excerpt(notification: Notification) -> str:
    """Say a little more: the first words of the post, or what `details` holds. May be empty."""
    if words := notification.details.get("words"):
        return str(words)[:EXCERPT_CHARS]
    if notification.message is not None:
        return _shortened(notification.message.body)
    post = notification.post
    if post is None or notification.kind in (Kind.REACTION, Kind.ANSWER):
        return ""
    return _shortened(post.body)


def _shortened(body: str) -> str:
    text = " ".join(plain_text(body[:EXCERPT_SOURCE_CHARS]).split())
    return text if len(text) <= EXCERPT_CHARS else text[: EXCERPT_CHARS - 1].rstrip() + "…"


def icon(notification: Notification) -> str:
    return ICONS[Kind(notification.kind)]


def address(notification: Notification) -> str:
    """Where it leads: a path of ours."""
    given = str(notification.details.get("address", ""))
    if given.startswith("/") and not given.startswith("//") and not urlsplit(given).netloc:
        return given
    if notification.room is not None and notification.message is not None:
        notification.message.room = notification.room
        return notification.message.get_absolute_url()
    if notification.post is not None:
        return notification.post.get_absolute_url()
    if notification.thread is not None:
        return notification.thread.get_absolute_url()
    if notification.group is not None:
        return notification.group.get_absolute_url()
    return reverse("notifications")


__all__ = ["address", "excerpt", "icon", "sentence"]
