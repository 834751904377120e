from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from community.groups.models import Group, GroupQuerySet
from community.members.models import Member, Viewer

TAG_MAX_CHARS = 30


class TagQuerySet(models.QuerySet["Tag"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Tags of the site, and of the groups `viewer` may read."""
        return self.filter(
            Q(group__isnull=True) | Q(group__in=GroupQuerySet(Group).visible_to(viewer))
        )

    def of(self, group: Group) -> Self:
        """The group's own tags and the site's, synonyms too."""
        return self.filter(Q(group=group) | Q(group__isnull=True))

    def usable_in(self, group: Group) -> Self:
        """What threads of the group may carry: its own tags and the site's, no synonyms."""
        return self.of(group).filter(synonym_of__isnull=True)


class Tag(models.Model):
    """A word threads are found by. `group` None: for the whole site."""

    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="tags")
    slug = models.SlugField(max_length=TAG_MAX_CHARS, allow_unicode=True)
    name = models.CharField(max_length=TAG_MAX_CHARS)
    about = models.CharField(max_length=200, blank=True)
    synonym_of = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="synonyms"
    )
    thread_count = models.PositiveIntegerField(default=0)  # listed threads that carry it
    created_by = models.ForeignKey(Member, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TagQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["slug"], condition=Q(group__isnull=True), name="site_tag_once"
            ),
            models.UniqueConstraint(
                fields=["group", "slug"],
                condition=Q(group__isnull=False),
                name="group_tag_once",
            ),
            models.CheckConstraint(
                condition=~Q(synonym_of=F("id")), name="tag_is_no_synonym_of_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.name
