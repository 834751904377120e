"""What newcomers may not do yet: the gates that posts and messages of trust level 0 pass.

Nothing typed is lost: a refusal comes back with the form. A link to a host that nobody trusted has
linked to is no refusal; moderation takes such a post for a look (`why_hold`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.chat.errors import MessageRefused
from community.chat.models import Room
from community.groups.models import Group
from community.groups.services import membership_of
from community.members.models import Member, TrustLevel
from community.standing.models import KnownDomain
from community.threads.errors import Refused
from community.threads.markup import Rendered
from community.threads.models import Post
from community.threads.rendering import render_message
from community.threads.services import Attempt

FIRST_DAY: Final = timedelta(days=1)
# Talk brought in from elsewhere keeps its dates: who writes now, writes at most so long ago.
NOW_WITHIN: Final = timedelta(hours=1)
HREF: Final = re.compile(r'href="(https?://[^"]+)"')

# Each is told hosts and returns those it vouches for: merchants' own shops. Domains above join.
VOUCHERS: list[Callable[[Collection[str]], set[str]]] = []


# -- gates ------------------------------------------------------------------------------------


def limit_post(attempt: Attempt) -> None:
    """Raise Refused for what a newcomer may not post yet. No query for anybody else."""
    if not _is_newcomer(attempt.writer, attempt.group) or _is_brought_in(attempt.at):
        return
    if refusal := _too_much(attempt.rendered):
        raise LimitReached(refusal)
    if attempt.edits is None and (refusal := _first_day(attempt)):
        raise TooManyToday(refusal)


def limit_message(sender: Member, room: Room, body: str) -> None:
    """Raise MessageRefused for what a newcomer may not say in chat yet."""
    if not _is_newcomer(sender, room.group):
        return
    rendered = render_message(body, author=sender, group=room.group)
    if refusal := _too_much(rendered):
        raise MessageRefused(refusal)
    if hosts := unknown_hosts(rendered.links):
        raise MessageRefused(
            _(
                "Nobody here has linked to %(host)s before, so it needs a look first. Put the link "
                "into a thread, where a moderator looks at it."
            )
            % {"host": sorted(hosts)[0]}
        )


class LimitReached(Refused):
    """A newcomer's post holds more than it may."""

    field = "body"
    status = 422


class TooManyToday(Refused):
    """A newcomer wrote as much as the first day allows."""

    status = 429


# -- holding ----------------------------------------------------------------------------------


def why_hold(attempt: Attempt) -> str:
    """Say why moderators should look at what was written before others do, or nothing."""
    if not _is_newcomer(attempt.writer, attempt.group) or _is_brought_in(attempt.at):
        return ""
    hosts = unknown_hosts(attempt.rendered.links)
    if not hosts:
        return ""
    return _(
        "Held for review: a new member links to %(host)s, which nobody here has linked to before. "
        "A moderator looks at it soon."
    ) % {"host": ", ".join(sorted(hosts))}


def unknown_hosts(links: Iterable[str]) -> set[str]:
    """Return the hosts among `links` that nobody trusted has linked to. One query if there are."""
    hosts = hosts_of(links)
    if hosts:
        hosts -= set(KnownDomain.objects.filter(host__in=hosts).values_list("host", flat=True))
    for vouch in VOUCHERS:
        if hosts:
            hosts -= vouch(hosts)
    return hosts


def learn_hosts(hosts: Collection[str]) -> None:
    KnownDomain.objects.bulk_create(
        (KnownDomain(host=host) for host in sorted(hosts)), ignore_conflicts=True
    )


def hosts_of(links: Iterable[str]) -> set[str]:
    """Return the hosts of web addresses, but ours."""
    own = {_host(settings.SITE_URL), *(host.lower() for host in settings.OLD_HOSTS)}
    return {host for link in links if (host := _host(link))} - own


def hosts_in(html: str) -> set[str]:
    """Return the hosts a rendered post links to."""
    return hosts_of(HREF.findall(html))


def _host(link: str) -> str:
    try:
        host = urlsplit(link).hostname or ""
    except ValueError:
        return ""
    return host.lower().removeprefix("www.").rstrip(".")[:253]


# -- inside -----------------------------------------------------------------------------------


def _is_newcomer(member: Member, group: Group | None) -> bool:
    if member.trust_level > TrustLevel.NEW or member.is_staff:
        return False
    membership = membership_of(member, group) if group is not None else None
    return membership is None or not membership.moderates


def _is_brought_in(at: datetime) -> bool:
    return at < timezone.now() - NOW_WITHIN


def _too_much(rendered: Rendered) -> str:
    """Say what of a text is more than a newcomer may write, or nothing."""
    limits = settings.NEWCOMER_LIMITS
    links = [link for link in rendered.links if hosts_of([link])]
    if len(links) > (most := limits["links"]):
        return ngettext(
            "New members put at most %(n)s link into a post. Take some out.",
            "New members put at most %(n)s links into a post. Take some out.",
            most,
        ) % {"n": most}
    if len(rendered.image_ids) > (most := limits["images"]):
        return ngettext(
            "New members put at most %(n)s picture into a post. Take some out.",
            "New members put at most %(n)s pictures into a post. Take some out.",
            most,
        ) % {"n": most}
    if len(rendered.mentions) > (most := limits["mentions"]):
        return ngettext(
            "New members name at most %(n)s person in a post. Take some out.",
            "New members name at most %(n)s people in a post. Take some out.",
            most,
        ) % {"n": most}
    return ""


def _first_day(attempt: Attempt) -> str:
    """Say when to come back if the first day is full. It begins with the first post. One query."""
    written = Post.objects.filter(author=attempt.writer).aggregate(
        first=Min("created_at"),
        threads=Count("pk", filter=Q(number=1)),
        replies=Count("pk", filter=Q(number__gt=1)),
    )
    first = written["first"]
    if first is None or attempt.at >= first + FIRST_DAY:
        return ""
    again = timeuntil(first + FIRST_DAY, attempt.at, depth=1)
    limits = settings.NEWCOMER_LIMITS
    if attempt.thread is None:
        most = limits["threads"]
        if written["threads"] < most:
            return ""
        return ngettext(
            "New members open at most %(n)s thread on their first day. Come back in %(time)s.",
            "New members open at most %(n)s threads on their first day. Come back in %(time)s.",
            most,
        ) % {"n": most, "time": again}
    most = limits["replies"]
    if written["replies"] < most:
        return ""
    return ngettext(
        "New members write at most %(n)s reply on their first day. Come back in %(time)s.",
        "New members write at most %(n)s replies on their first day. Come back in %(time)s.",
        most,
    ) % {"n": most, "time": again}
