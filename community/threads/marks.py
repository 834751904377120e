"""What a member has read of threads, and how closely they follow them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from community.groups.models import Group
from community.members.models import Member
from community.tags.models import Tag
from community.threads.models import Thread

# The `read_at` of a mark set back by hand: what "all read" says of old posts does not hold there,
# until the thread is read to its end or all is marked read anew.
BY_HAND: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ReadMark(models.Model):
    """How far a member has read a thread: all posts up to `number`."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="read_marks")
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="read_marks")
    number = models.PositiveIntegerField()  # 0: opened, nothing read, or marked unread
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "thread"], name="read_mark_once")]


class FollowLevel(models.IntegerChoices):
    """As Discourse: watching notifies of every post, tracking counts them, muted leaves lists."""

    MUTED = 0, pgettext_lazy("follow level", "Muted")
    NORMAL = 1, pgettext_lazy("follow level", "Normal")
    TRACKING = 2, pgettext_lazy("follow level", "Tracking")
    WATCHING = 3, pgettext_lazy("follow level", "Watching")


class Follow(models.Model):
    """How closely a member follows one thread, one tag or one group. No row is NORMAL."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="follows")
    thread = models.ForeignKey(
        Thread, models.CASCADE, null=True, blank=True, related_name="follows"
    )
    tag = models.ForeignKey(Tag, models.CASCADE, null=True, blank=True, related_name="follows")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="follows")
    level = models.PositiveSmallIntegerField(choices=FollowLevel)
    is_chosen = models.BooleanField(default=True)  # False: set by itself, by writing in the thread
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "thread"], condition=Q(thread__isnull=False), name="follow_thread"
            ),
            models.UniqueConstraint(
                fields=["member", "tag"], condition=Q(tag__isnull=False), name="follow_tag"
            ),
            models.UniqueConstraint(
                fields=["member", "group"], condition=Q(group__isnull=False), name="follow_group"
            ),
            models.CheckConstraint(
                condition=Q(thread__isnull=False, tag__isnull=True, group__isnull=True)
                | Q(thread__isnull=True, tag__isnull=False, group__isnull=True)
                | Q(thread__isnull=True, tag__isnull=True, group__isnull=False),
                name="follow_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(level__in=FollowLevel.values), name="follow_level_known"
            ),
        ]
        indexes = [
            models.Index(
                F("thread"), F("level"), condition=Q(thread__isnull=False), name="followers_thread"
            ),
            models.Index(
                F("tag"), F("level"), condition=Q(tag__isnull=False), name="followers_tag"
            ),
            models.Index(
                F("group"), F("level"), condition=Q(group__isnull=False), name="followers_group"
            ),
        ]


class ReadingDay(models.Model):
    """What a member read on one day (UTC): trust is earned by it."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="reading_days")
    on = models.DateField()
    posts = models.PositiveIntegerField(default=0)
    threads = models.PositiveIntegerField(default=0)  # opened, each once a day
    seconds = models.PositiveIntegerField(default=0)  # with a thread in front, at most 86,400

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "on"], name="reading_day_once"),
            models.CheckConstraint(condition=Q(seconds__lte=86_400), name="a_day_has_its_seconds"),
        ]
