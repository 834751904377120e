"""Verbs of placements: by hand, by the job, and what people decide about them.

A pair of post and listing has one row for ever, so what somebody removed stays removed: the job
finds the row and leaves it alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from commerce.listings.addresses import host_of
from commerce.listings.models import Listing
from commerce.merchants.services import role_of
from commerce.placements.errors import (
    NotASuggestion,
    NotForThisThread,
    NotInGroup,
    NotLive,
    NotYours,
    ThreadIsLocked,
    TooMany,
    WasRemoved,
)
from commerce.placements.linking import (
    LINKS_A_POST_MAX,
    SUGGESTIONS_A_POST_MAX,
    find_mentions,
    read_post,
    still_mentions,
)
from commerce.placements.lookup import candidate_of, look_up
from commerce.placements.models import Evidence, Placement, PlacementState
from community.groups.models import Membership
from community.groups.services import membership_of
from community.members.models import Member
from community.threads.models import Post, Thread

THREAD_PLACEMENTS_MAX: Final = 30
# A number of our own for PostgreSQL's advisory locks; the second key is the post.
_JOB_LOCK: Final = 0x11570


# -- by hand ----------------------------------------------------------------------------------


@transaction.atomic
def place_listing(
    *, listing: Listing, thread: Thread, post: Post | None = None, by: Member
) -> Placement:
    """Show a listing on the thread, or beside `post` of it. Showing it twice changes nothing.

    Any member of the group may on the thread; beside a post its author and the group's moderators
    may. A suggestion becomes confirmed. What was removed comes back only by whoever removed it or
    a moderator. Raises a PlacementRefusal; then nothing is written.
    """
    membership = membership_of(by, thread.group)
    if membership is None:
        raise NotInGroup
    if thread.is_locked and not membership.moderates:
        raise ThreadIsLocked
    if post is not None and (
        post.thread_id != thread.pk
        or post.is_hidden
        or not (post.author_id == by.pk or membership.moderates)
    ):
        raise NotYours
    _lock_pair(thread, post)
    there = Placement.objects.filter(thread=thread, post=post, listing=listing).first()
    if there is not None and there.state == PlacementState.PLACED:
        return there
    _ensure_may_be_shown(listing, thread, by)
    removed = there is not None and there.state == PlacementState.REMOVED
    if there and removed and not (membership.moderates or there.decided_by_id == by.pk):
        raise WasRemoved
    shown = Placement.objects.shown().filter(thread=thread, post=post).count()
    if shown >= (THREAD_PLACEMENTS_MAX if post is None else LINKS_A_POST_MAX):
        raise TooMany
    if there is None:
        return Placement.objects.create(
            thread=thread, post=post, listing=listing, evidence=Evidence.HAND, placed_by=by
        )
    if removed:
        there.evidence, there.matched, there.placed_by = Evidence.HAND, "", by
    _decide(there, PlacementState.PLACED, by)
    return there


@transaction.atomic
def confirm_suggestion(*, placement: Placement, by: Member) -> Placement:
    """Show what the job only suggested. Raises NotYours, NotASuggestion, NotLive, TooMany."""
    ensure_may_decide(placement, by)
    _lock_pair(placement.thread, placement.post)
    placement = _again(placement)
    if placement.state != PlacementState.SUGGESTED:
        raise NotASuggestion
    _ensure_may_be_shown(placement.listing, placement.thread, by)
    shown = Placement.objects.shown().filter(thread=placement.thread_id, post=placement.post_id)
    if shown.count() >= LINKS_A_POST_MAX:
        raise TooMany
    _decide(placement, PlacementState.PLACED, by)
    return placement


@transaction.atomic
def remove_placement(*, placement: Placement, by: Member) -> Placement:
    """Take a listing away from a post or thread, or reject a suggestion; for good.

    Whoever placed it, the author of the post (of the thread, for one on the thread), the seller's
    team and the group's moderators may. Removing twice changes nothing. Raises NotYours.
    """
    ensure_may_decide(placement, by)
    _lock_pair(placement.thread, placement.post)
    placement = _again(placement)
    if placement.state != PlacementState.REMOVED:
        _decide(placement, PlacementState.REMOVED, by)
    return placement


def ensure_may_decide(placement: Placement, by: Member) -> None:
    """Raise NotYours unless `by` has a say in what this placement shows. At most two queries."""
    author = placement.post.author_id if placement.post else placement.thread.author_id
    if by.pk in (author, placement.placed_by_id):
        return
    membership = membership_of(by, placement.thread.group)
    if membership is not None and membership.moderates:
        return
    if role_of(by, placement.listing.merchant) is None:
        raise NotYours


def _ensure_may_be_shown(listing: Listing, thread: Thread, by: Member) -> None:
    seen = Listing.objects.visible_to(by).shown_to_readers_of(thread.group)
    if not seen.filter(pk=listing.pk).exists():
        raise NotForThisThread
    if not Listing.objects.linkable().filter(pk=listing.pk).exists():
        raise NotLive


def _decide(placement: Placement, state: PlacementState, by: Member) -> None:
    placement.state, placement.decided_by, placement.decided_at = state, by, timezone.now()
    placement.save(
        update_fields=["state", "decided_by", "decided_at", "evidence", "matched", "placed_by"]
    )


def _again(placement: Placement) -> Placement:
    return Placement.objects.select_related("listing__merchant", "thread__group", "post").get(
        pk=placement.pk
    )


def _lock_pair(thread: Thread, post: Post | None) -> None:
    """One decision at a time about what stands beside a post, or on a thread."""
    # Not a row lock: editing a post locks it before its thread, and we need both.
    with connection.cursor() as cursor:
        key = post.pk if post is not None else -thread.pk
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [_JOB_LOCK, key])


# -- with their posts -------------------------------------------------------------------------


@transaction.atomic
def move_placements(thread_id: int) -> None:
    """Let placements stand in the thread their post is in now; a post may have gone elsewhere.

    What is shown on a thread as a whole goes along when that is merged into another, unless the
    other shows it already. Safe to run twice.
    """
    carried = Placement.objects.filter(post__thread=thread_id).exclude(thread=thread_id)
    Placement.objects.filter(pk__in=list(carried.values_list("pk", flat=True))).update(
        thread=thread_id
    )
    thread = Thread.objects.select_related("merged_into").filter(pk=thread_id).first()
    if thread is None or thread.merged_into is None:
        return
    there = Placement.objects.filter(thread=thread.merged_into, post__isnull=True)
    Placement.objects.filter(thread=thread, post__isnull=True).exclude(
        listing__in=list(there.values_list("listing_id", flat=True))
    ).update(thread=thread.merged_into)


# -- by the job -------------------------------------------------------------------------------


@dataclass
class LinkOutcome:
    """What stands beside a post after the job looked: counts of listings by evidence."""

    linked: Counter[str] = field(default_factory=Counter)
    suggested: int = 0
    changed: int = 0  # rows written or taken back by this run


@transaction.atomic
def link_post(post: Post) -> LinkOutcome:
    """Show the listings a post speaks of, and suggest those it may speak of.

    Running it again changes nothing. After an edit, what the post no longer says is taken back
    unless somebody decided it. Decided rows, and those placed by hand, are never touched. At most
    LINKS_A_POST_MAX links and SUGGESTIONS_A_POST_MAX suggestions a post, removed ones included.
    A hidden post is left as it is.
    """
    outcome = LinkOutcome()
    if post.is_hidden:
        return outcome
    _lock_pair(post.thread, post)
    rows = list(Placement.objects.filter(post=post).select_related("listing"))
    reading = read_post(
        post.html,
        title=post.thread.title if post.is_opening else "",
        site_host=host_of(settings.SITE_URL),
    )
    kept: dict[int, Placement] = {}
    for row in rows:
        undecided = row.evidence != Evidence.HAND and row.decided_by_id is None
        if undecided and not still_mentions(reading, candidate_of(row.listing)):
            # The row says only what the job once read; there is nothing in it to keep.
            row.delete()
            outcome.changed += 1
        else:
            kept[row.listing_id] = row
    by_job = [row for row in kept.values() if row.evidence != Evidence.HAND]
    room = {
        False: SUGGESTIONS_A_POST_MAX
        - sum(row.state == PlacementState.SUGGESTED for row in by_job),
        True: LINKS_A_POST_MAX
        - sum(row.state != PlacementState.SUGGESTED for row in kept.values()),
    }
    for mention in find_mentions(reading, look_up(reading, post.thread.group)):
        row_ = kept.get(mention.listing_id)
        if row_ is not None:
            stronger = row_.state == PlacementState.SUGGESTED and mention.sure
            if row_.decided_by_id is None and stronger and room[True] > 0:
                row_.state = PlacementState.PLACED
                row_.evidence, row_.matched = mention.evidence, mention.matched
                row_.save(update_fields=["state", "evidence", "matched"])
                room[True] -= 1
                outcome.changed += 1
            continue
        if room[mention.sure] <= 0:
            continue
        room[mention.sure] -= 1
        kept[mention.listing_id] = Placement.objects.create(
            thread=post.thread,
            post=post,
            listing_id=mention.listing_id,
            evidence=mention.evidence,
            matched=mention.matched,
            state=PlacementState.PLACED if mention.sure else PlacementState.SUGGESTED,
        )
        outcome.changed += 1
    for row in kept.values():
        if row.state == PlacementState.PLACED:
            outcome.linked[row.evidence] += 1
        elif row.state == PlacementState.SUGGESTED:
            outcome.suggested += 1
    return outcome


def may_link(membership: Membership | None, thread: Thread) -> bool:
    """Whether whoever has this place in the group may link listings on the thread."""
    return membership is not None and (not thread.is_locked or membership.moderates)
