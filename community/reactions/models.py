from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils import timezone

from community.members.models import Member
from community.threads.models import Post


class Reaction(models.Model):
    """A member's sign under a post. `name` is a key of settings.REACTIONS."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="reaction_rows")
    member = models.ForeignKey(Member, models.CASCADE, related_name="reactions")
    name = models.CharField(max_length=20)
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "member", "name"], name="reacted_once")
        ]
        indexes = [
            models.Index(F("member"), F("given_at").desc(), name="reaction_of_member"),
            models.Index("given_at", name="reaction_by_time"),
        ]
