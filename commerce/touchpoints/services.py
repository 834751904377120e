from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from commerce.listings.models import Listing
from commerce.touchpoints.models import NotCounted, TouchKind, Touchpoint, Visitor
from community.chat.models import Message
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Post, Thread

# 13 months, as long as the cookie lives.
KEEP_TIES: Final = timedelta(days=395)
FORGET_STEP: Final = 2_000


@dataclass(frozen=True)
class Surface:
    """Where a listing was shown: a post, a thread as a whole, a message, or nowhere in a talk."""

    group: Group | None = None
    thread: Thread | None = None
    post: Post | None = None
    message: Message | None = None
    author: Member | None = None


@dataclass(frozen=True)
class Recorded:
    """A stored click. `click_id` is what the shop gets: a repeat carries the kept click's."""

    touchpoint: Touchpoint
    click_id: str


@transaction.atomic
def record_click(
    *,
    listing: Listing,
    surface: Surface,
    at: datetime,
    not_counted: NotCounted = NotCounted.NO,
    consent: bool = False,
    visitor_id: UUID | None = None,
    member: Member | None = None,
) -> Recorded:
    """Store a click on `listing` at `at`.

    With consent it has a visitor (a new one when `visitor_id` is unknown or another's) and the
    signed-in member; without, or for a bot, neither. The same visitor's click on the same listing
    at the same place within CLICK_DEDUPE_SECONDS of a kept one is stored as a repeat.
    """
    remembered = consent and not not_counted
    visitor = _visitor(visitor_id, member, at) if remembered else None
    touch = Touchpoint(
        kind=TouchKind.CHAT_CLICK if surface.message else TouchKind.CLICK,
        visitor=visitor,
        member=member if remembered else None,
        consent=remembered,
        not_counted=not_counted,
        occurred_at=at,
        listing=listing,
        merchant_id=listing.merchant_id,
        group=surface.group,
        thread=surface.thread,
        post=surface.post,
        message=surface.message,
        author=surface.author,
    )
    kept = _kept_before(touch) if visitor else None
    if kept:
        touch.not_counted = NotCounted.REPEAT
    touch.save(force_insert=True)
    return Recorded(touch, kept.click_id if kept else touch.click_id)


def _visitor(visitor_id: UUID | None, member: Member | None, at: datetime) -> Visitor:
    """Return the row of the browser, locked, so that two clicks at once see each other.

    A visitor belongs to the first member who signs in on it. Who signs in after them, or goes on
    as a guest, becomes another visitor: nothing is ever joined across a sign-out.
    """
    visitor = (
        Visitor.objects.select_for_update().filter(pk=visitor_id).first() if visitor_id else None
    )
    member_id = member.pk if member else None
    if visitor and visitor.member_id is None and member_id is not None:
        visitor.member_id = member_id
        visitor.save(update_fields=["member"])
    if visitor is None or visitor.member_id != member_id:
        return Visitor.objects.create(member_id=member_id, first_seen_at=at)
    return visitor


def _kept_before(touch: Touchpoint) -> Touchpoint | None:
    return (
        Touchpoint.objects.counted()
        .filter(
            visitor=touch.visitor,
            kind=touch.kind,
            listing=touch.listing,
            thread=touch.thread,
            post=touch.post,
            message=touch.message,
            occurred_at__gt=touch.occurred_at - timedelta(seconds=settings.CLICK_DEDUPE_SECONDS),
            occurred_at__lte=touch.occurred_at,
        )
        .order_by("-occurred_at")
        .first()
    )


@transaction.atomic
def forget_visitor(visitor_id: UUID) -> int:
    """Cut what is stored about a browser from it and from its member; return how many touches.

    The touches stay as clicks of nobody: a sale that brings back their click id is still found.
    """
    cut = Touchpoint.objects.filter(visitor=visitor_id).update(visitor=None, member=None)
    Visitor.objects.filter(pk=visitor_id).delete()
    return cut


def forget_old_ties(at: datetime) -> int:
    """Cut clicks older than KEEP_TIES from their visitors and members; return how many were cut.

    Visitors with no click left, whose cookie has ended by itself, go. In steps, each its own
    transaction, so that no reader waits for it.
    """
    ended = at - KEEP_TIES
    tied = Touchpoint.objects.filter(occurred_at__lt=ended).exclude(visitor=None, member=None)
    gone = 0
    while step := list(tied.values_list("pk", flat=True)[:FORGET_STEP]):
        gone += Touchpoint.objects.filter(pk__in=step).update(visitor=None, member=None)
    Visitor.objects.filter(first_seen_at__lt=ended, touchpoints=None).delete()
    return gone
