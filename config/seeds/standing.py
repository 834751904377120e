"""What members read and thanked each other for, and what came of it: levels, badges, a silence."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from community.groups.models import Group, JoinMode
from community.members.models import FOREVER, Member, TrustLevel
from community.reactions.models import Reaction
from community.standing.activity import count_activity
from community.standing.badges import earners
from community.standing.models import Badge, BadgeGrant, LevelChange
from community.standing.records import site_figures
from community.standing.services import pin_level, review
from community.threads.marks import ReadingDay, ReadMark
from community.threads.models import Post, Thread
from config.seeds.script import SanctionText
from config.seeds.stage import Stage
from moderation.audit.services import record
from moderation.sanctions.models import Sanction
from moderation.sanctions.services import silence

READ_DAYS: Final = 60
INTERESTS_MAX: Final = 4


def write_standing(stage: Stage) -> None:
    """Let members have read and thanked, then look what each has earned by it."""
    rng = random.Random("standing")  # noqa: S311 - variety, not secrets
    _write_interests(stage)
    _write_reading(stage, rng)
    _write_reactions(stage, rng)
    _give_levels(stage)
    for text in stage.script.sanctions:
        _silence(stage, text)
    stage.run_jobs()
    _grant_badges(stage)
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


@transaction.atomic
def _write_reactions(stage: Stage, rng: random.Random) -> None:
    """Members thank each other: openings and answers most, and a few posts more than others.

    Written at once, counts and all: by the verb each would cost as much as a post.
    """
    names = list(settings.REACTIONS)
    posts = list(
        Post.objects.filter(hidden_at__isnull=True)
        .select_related("thread")
        .order_by("created_at", "thread__title", "number")
    )
    readers: dict[int, list[Member]] = {}
    for group in Group.objects.all():
        inside = sorted(group.memberships.values_list("member__handle", flat=True))
        readers[group.pk] = [stage.members[handle] for handle in inside]
    given, thanked, counted = [], [], Counter[int]()
    for post in stage.each("Reactions", posts):
        liked = 3.2 if post.is_opening or post.thread.answer_id == post.pk else 0.9
        count = min(int(rng.expovariate(1 / liked)), len(readers[post.thread.group_id]) // 2)
        if not count:
            continue
        weights = _moods(post, names)
        counts: Counter[str] = Counter()
        for member in rng.sample(readers[post.thread.group_id], count):
            name = rng.choices(names, weights)[0]
            at = post.created_at + timedelta(hours=rng.expovariate(1 / 14))
            if member.pk != post.author_id and at < stage.anchor:
                counts[name] += 1
                given.append(Reaction(post=post, member=member, name=name, given_at=at))
        if counts:
            post.reactions, post.reaction_count = dict(counts), counts.total()
            thanked.append(post)
            counted[post.thread_id] += 1
    Reaction.objects.bulk_create(given)
    Post.objects.bulk_update(thanked, ["reactions", "reaction_count"], batch_size=500)
    Thread.objects.filter(pk__in=counted).update(version=F("version") + 1)


def _moods(post: Post, names: list[str]) -> list[int]:
    """How likely each reaction is: by what the words sound like."""
    likely = dict.fromkeys(names, 1) | {"helpful": 5, "heart": 4}
    if "image:" in post.body:
        likely |= {"heart": 9, "want": 5}
    if "?" not in post.body and len(post.body) < 140:
        likely |= {"laugh": 7, "helpful": 2}
    if "**" in post.body or "\n- " in post.body or "1. " in post.body:
        likely |= {"helpful": 12}
    return [likely[name] for name in names]


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
def _grant_badges(stage: Stage) -> None:
    """Grant what was earned, as the nightly sweep does, at once: nobody is told of old ones.

    A badge is as old as the post that earned it, or came with time.
    """
    joined = {member.pk: member.joined_at for member in stage.members.values()}

    def earned_at(badge: Badge, member: int, post: Post | None) -> datetime:
        if post is not None:
            return post.created_at
        with_time = timedelta(days=20 + 15 * (badge.pk % 4))
        return min(joined[member] + with_time, stage.ago(days=1 + badge.pk % 9))

    # What was written in the last two days has earned its badges already, by the clock.
    dated = list(BadgeGrant.objects.select_related("badge", "post"))
    for grant in dated:
        grant.earned_at = earned_at(grant.badge, grant.member_id, grant.post)
    BadgeGrant.objects.bulk_update(dated, ["earned_at"])
    for badge in Badge.objects.active().exclude(rule=None):
        rule = badge.rule or {}
        found = earners(rule, without=badge)
        posts = Post.objects.in_bulk([post for _, post in found if post])
        BadgeGrant.objects.bulk_create(
            BadgeGrant(
                badge=badge,
                member_id=member,
                post_id=post,
                rule=rule,
                earned_at=earned_at(badge, member, posts[post] if post else None),
            )
            for member, post in found
        )
