from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from community.members.models import Member
from community.threads.models import Post

QUESTION_MAX_CHARS = 200
OPTION_MAX_CHARS = 120
OPTIONS_MAX = 20


def open_now(prefix: str = "") -> Q:
    """Polls that take votes, by the database's clock. `prefix` leads to them: "poll__"."""
    closes = f"{prefix}closes_at"
    soon = Q(**{f"{closes}__isnull": True}) | Q(**{f"{closes}__gt": Now()})
    return Q(**{f"{prefix}closed_at__isnull": True}) & soon


class PollQuerySet(models.QuerySet["Poll"]):
    def open(self) -> Self:
        return self.filter(open_now())


class Poll(models.Model):
    """A question in a post. Counters are owned by `polls.services`."""

    class Results(models.TextChoices):
        ALWAYS = "always", pgettext_lazy("poll results", "Always shown")
        VOTED = "voted", pgettext_lazy("poll results", "Shown to who has voted, and at the end")
        CLOSED = "closed", pgettext_lazy("poll results", "Shown at the end")

    post = models.OneToOneField(Post, models.CASCADE, related_name="poll")
    question = models.CharField(max_length=QUESTION_MAX_CHARS)
    choices_max = models.PositiveSmallIntegerField(default=1)  # how many one member may choose
    results = models.CharField(max_length=6, choices=Results, default=Results.ALWAYS)
    closes_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # by its author or a moderator
    voter_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = PollQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(choices_max__gte=1), name="poll_has_a_choice"),
            models.CheckConstraint(
                condition=Q(closes_at__isnull=True) | Q(closes_at__gt=F("created_at")),
                name="poll_closes_after_it_opens",
            ),
        ]


class PollOption(models.Model):
    """One answer of a poll."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="options")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=OPTION_MAX_CHARS)
    votes = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["poll", "position"], name="poll_option_place_once"),
            models.UniqueConstraint(fields=["poll", "text"], name="poll_option_text_once"),
            models.CheckConstraint(
                condition=Q(position__lt=OPTIONS_MAX), name="poll_options_not_too_many"
            ),
        ]


class PollVote(models.Model):
    """A member's choice. Who chose what is nobody's to see but the member's."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="all_votes")
    option = models.ForeignKey(PollOption, models.CASCADE, related_name="vote_rows")
    member = models.ForeignKey(Member, models.CASCADE, related_name="poll_votes")
    is_single = models.BooleanField()  # of a poll with one choice
    voted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["option", "member"], name="vote_once_for_an_option"),
            models.UniqueConstraint(
                fields=["poll", "member"], condition=Q(is_single=True), name="single_vote_once"
            ),
        ]
