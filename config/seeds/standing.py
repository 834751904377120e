"""What members read and thanked each other for, and what came of it: levels, badges, a silence."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from community.groups.models import Group, JoinMode
from community.members.models import FOREVER, Member, TrustLevel
from community.reactions.models import Reaction
from community.reactions.services import toggle_reaction
from community.standing.activity import count_activity
from community.standing.badges import sweep
from community.standing.models import BadgeGrant, LevelChange
from community.standing.records import site_figures
from community.standing.services import pin_level, review
from community.threads.marks import ReadingDay, ReadMark
from community.threads.models import Post, Thread
from config.seeds.script import SanctionText
from config.seeds.stage import Stage, batched
from moderation.audit.services import record
from moderation.sanctions.models import Sanction
from moderation.sanctions.services import silence

READ_DAYS: Final = 60
REACTIONS: Final = 260
INTERESTS_MAX: Final = 4


def write_standing(stage: Stage) -> None:
    """Let members have read and thanked, then look what each has earned by it."""
    rng = random.Random("standing")  # noqa: S311 - variety, not secrets
    _write_interests(stage)
    _write_reading(stage, rng)
    _write_reactions(stage, rng)
    stage.run_jobs()
    _give_levels(stage)
    for text in stage.script.sanctions:
        _silence(stage, text)
    stage.run_jobs()
    sweep()
    stage.run_jobs()
    _date_grants(stage)
    count_activity()


@transaction.atomic
def _write_interests(stage: Stage) -> None:
    """Members like what their groups are about."""
    for member in stage.members.values():
        groups = Group.objects.joined_by(member).exclude(join_mode=JoinMode.HIDDEN)
        liked = dict.fromkeys(
            interest.pk
            for group in groups.order_by("slug").prefetch_related("interests")
            for interest in group.interests.all()
        )
        member.interests.set(list(liked)[:INTERESTS_MAX])


@transaction.atomic
def _write_reading(stage: Stage, rng: random.Random) -> None:
    """Days on which members read, and how far they are in the threads of their groups."""
    days, marks = [], []
    for handle in sorted(stage.members):
        member = stage.members[handle]
        keen = rng.uniform(0.2, 0.95)
        for ago in range(READ_DAYS):
            at = stage.ago(days=ago)
            if at >= member.joined_at and rng.random() < keen:
                posts = rng.randint(2, 14)
                days.append(
                    ReadingDay(
                        member=member,
                        on=at.date(),
                        posts=posts,
                        threads=1 + posts // 4,
                        seconds=posts * rng.randint(20, 50),
                    )
                )
        groups = Group.objects.joined_by(member)
        for thread in Thread.objects.filter(group__in=groups).order_by("created_at", "title"):
            if rng.random() < keen:
                number = max(1, round(thread.last_number * rng.uniform(0.5, 1.1)))
                marks.append(
                    ReadMark(
                        member=member,
                        thread=thread,
                        number=min(number, thread.last_number),
                        read_at=max(thread.created_at, stage.ago(hours=rng.uniform(1, 300))),
                    )
                )
    ReadingDay.objects.bulk_create(days, ignore_conflicts=True)
    ReadMark.objects.bulk_create(marks, ignore_conflicts=True)


def _write_reactions(stage: Stage, rng: random.Random) -> None:
    """Members thank each other, some posts more than others."""
    names = list(settings.REACTIONS)
    posts = list(
        Post.objects.filter(hidden_at__isnull=True)
        .select_related("thread__group")
        .order_by("created_at", "thread__title", "number")
    )
    readers = {
        group.pk: sorted(group.memberships.values_list("member__handle", flat=True))
        for group in Group.objects.all()
    }
    given: set[tuple[int, str]] = set()
    wanted = []
    for _ in range(REACTIONS):
        # The square lets a few posts have most of it.
        post = posts[int(len(posts) * rng.random() ** 2)]
        handle = rng.choice(readers[post.thread.group_id])
        name = rng.choices(names, weights=range(len(names), 0, -1))[0]
        if stage.members[handle].pk != post.author_id and (post.pk, handle) not in given:
            given.add((post.pk, handle))
            wanted.append((post, handle, name, rng.uniform(0.2, 30.0)))
    for batch in batched(stage.each("Reactions", wanted)):
        with transaction.atomic():
            for post, handle, name, hours in batch:
                member = stage.members[handle]
                toggle_reaction(post=post, member=member, name=name)
                at = min(post.created_at + timedelta(hours=hours), stage.anchor)
                Reaction.objects.filter(post=post, member=member).update(given_at=at)


def _give_levels(stage: Stage) -> None:
    review(
        Member.objects.filter(pk__in=[one.pk for one in stage.members.values()]).order_by("pk"),
        site=site_figures(stage.anchor),
        now=stage.anchor,
    )
    for text in stage.script.pins:
        member, by = stage.members[text.member], stage.members[text.by]
        with transaction.atomic():
            pin_level(member=member, level=TrustLevel(text.level), by=by, reason=text.reason)
            record(
                actor=by,
                action="member.level_pinned",
                target=f"member:{member.pk}",
                subject=member,
                reason=text.reason,
                level=text.level,
            )
    LevelChange.objects.update(at=stage.ago(days=9))


@transaction.atomic
def _silence(stage: Stage, text: SanctionText) -> None:
    made = silence(member=stage.members[text.member], by=stage.members[text.by], reason=text.reason)
    ends = stage.ago(days=-text.days)
    Sanction.objects.filter(pk=made.pk).update(
        starts_at=stage.ago(hours=text.hours_ago), ends_at=ends
    )
    Member.objects.filter(pk=made.member_id, silenced_until=FOREVER).update(silenced_until=ends)


@transaction.atomic
def _date_grants(stage: Stage) -> None:
    """A badge is as old as the post that earned it."""
    for grant in BadgeGrant.objects.select_related("post", "member"):
        at = grant.post.created_at if grant.post else stage.ago(days=grant.badge_id % 30 + 1)
        grant.earned_at = min(max(at, grant.member.joined_at), stage.anchor)
        grant.save(update_fields=["earned_at"])
