from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from community.members.models import Member
from community.threads.models import POST_MAX_CHARS

TARGET_MAX_CHARS = 40


class Draft(models.Model):
    """What a member has typed for one place, kept by the server 2 s after the last key.

    `target` is `thread:12` (a reply), `group:7` (a new thread), `post:55` (an edit).
    """

    member = models.ForeignKey(Member, models.CASCADE, related_name="drafts")
    target = models.CharField(max_length=TARGET_MAX_CHARS)
    title = models.CharField(max_length=300, blank=True)
    body = models.TextField(max_length=POST_MAX_CHARS, blank=True)
    extra = models.JSONField(default=dict, blank=True)  # other fields of the form, by name
    sequence = models.PositiveIntegerField(default=1)  # grows with each save: the later one wins
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "target"], name="draft_once_for_a_place"),
            models.CheckConstraint(
                condition=Q(target__regex=r"^(thread|group|post):[0-9]+$"),
                name="draft_target_known",
            ),
        ]
        indexes = [models.Index(F("member"), F("changed_at").desc(), name="draft_of_member")]
