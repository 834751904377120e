from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from community.members.models import Member
from community.threads.models import Post


class ReactionQuerySet(models.QuerySet["Reaction"]):
    def listed(self) -> Self:
        """Those the site still has."""
        return self.filter(name__in=list(settings.REACTIONS))


class Reaction(models.Model):
    """A member's sign under a post. `name` is a key of settings.REACTIONS."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="reaction_rows")
    member = models.ForeignKey(Member, models.CASCADE, related_name="reactions")
    name = models.CharField(max_length=20)
    given_at = models.DateTimeField(default=timezone.now)

    objects = ReactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "member", "name"], name="reacted_once")
        ]
        indexes = [
            models.Index(F("member"), F("given_at").desc(), name="reaction_of_member"),
            models.Index("given_at", name="reaction_by_time"),
        ]

    @property
    def emoji(self) -> str:
        return str(settings.REACTIONS[self.name][0])

    @property
    def label(self) -> str:
        return str(settings.REACTIONS[self.name][1])
