from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from community.members.models import Member
from community.threads.models import Post

NOTE_MAX_CHARS = 200


class Bookmark(models.Model):
    """A post a member keeps. Nobody else knows."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="bookmarks")
    post = models.ForeignKey(Post, models.CASCADE, related_name="bookmarks")
    note = models.CharField(max_length=NOTE_MAX_CHARS, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "post"], name="bookmarked_once"),
            models.CheckConstraint(
                condition=Q(reminded_at__isnull=True) | Q(remind_at__isnull=False),
                name="bookmark_reminded_of_a_time",
            ),
        ]
        indexes = [
            models.Index(F("member"), F("id").desc(), name="bookmark_of_member"),
            models.Index(
                "remind_at",
                condition=Q(remind_at__isnull=False, reminded_at__isnull=True),
                name="bookmark_to_remind",
            ),
        ]
