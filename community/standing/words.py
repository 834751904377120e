"""What each thing a trust level takes is called, and what levels are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from community.members.models import TrustLevel
from community.standing.levels import Need

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

FACTS: Final[dict[str, StrOrPromise]] = {
    "account_minutes": gettext_lazy("Minutes since you signed up"),
    "days_visited": gettext_lazy("Days on which you read here"),
    "threads_opened": gettext_lazy("Threads you opened to read"),
    "posts_read": gettext_lazy("Posts you read"),
    "minutes_read": gettext_lazy("Minutes you read"),
    "reactions_given": gettext_lazy("Reactions you gave"),
    "reactions_received": gettext_lazy("Reactions you received"),
    "threads_replied": gettext_lazy("Threads of others you replied in"),
    "recent_days_visited": gettext_lazy("Days on which you read here, lately"),
    "recent_threads_opened": gettext_lazy("Threads you opened to read, lately"),
    "recent_posts_read": gettext_lazy("Posts you read, lately"),
    "recent_threads_replied": gettext_lazy("Threads of others you replied in, lately"),
    "recent_reactions_given": gettext_lazy("Reactions you gave, lately"),
    "recent_reactions_received": gettext_lazy("Reactions you received, lately"),
    "recent_reaction_people": gettext_lazy("People who reacted to you, lately"),
    "recent_reaction_days": gettext_lazy("Days on which somebody reacted to you, lately"),
    "recent_posts_hidden": gettext_lazy("Posts of yours that moderators hid, lately"),
    "is_penalised": gettext_lazy("Not silenced or suspended lately"),
}

# What a member may do from each level on.
OPENS: Final[dict[int, tuple[StrOrPromise, ...]]] = {
    TrustLevel.NEW: (
        gettext_lazy("Read, reply, open threads and chat, within limits for new members."),
    ),
    TrustLevel.BASIC: (
        gettext_lazy("Links, pictures and mentions without the limits for new members."),
        gettext_lazy("Edit posts that are opened to all, and make up tags."),
    ),
    TrustLevel.MEMBER: (gettext_lazy("Known here: others see it beside your name."),),
    TrustLevel.REGULAR: (gettext_lazy("Open your own posts for all to edit."),),
    TrustLevel.LEADER: (gettext_lazy("Given by hand, to those who look after the place."),),
}


def says(need: Need) -> str:
    """Say how far a need is: "12 of 15", "at most 5", "yes"."""
    if need.fact == "is_penalised":
        return _("yes") if need.is_met else _("no")
    if need.at_most:
        return _("%(have)s, at most %(wanted)s") % {"have": need.have, "wanted": need.wanted}
    return _("%(have)s of %(wanted)s") % {"have": need.shown, "wanted": need.wanted}


def lately() -> str:
    """Say how long "lately" is."""
    n = settings.TRUST_RECENT_DAYS
    return ngettext("“Lately” is the last %(n)s day.", "“Lately” is the last %(n)s days.", n) % {
        "n": n
    }
