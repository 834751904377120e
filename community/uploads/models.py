from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from community.groups.models import Group, JoinMode, Membership
from community.members.models import Member, Viewer

ALT_MAX_CHARS = 300


class ImageQuerySet(models.QuerySet["Image"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Images for everybody, those of groups `viewer` may read, and their own.

        A hidden one, whose post or listing a moderator hid, is its owner's alone.
        """
        readable = Q(group__isnull=True) | ~Q(group__join_mode=JoinMode.HIDDEN)
        if viewer.is_authenticated:
            inside = Membership.objects.filter(group=OuterRef("group_id"), member_id=viewer.pk)
            readable = (readable | Exists(inside)) & Q(hidden_at__isnull=True)
            return self.filter(readable | Q(owner_id=viewer.pk))
        return self.filter(readable, hidden_at__isnull=True)


class Image(models.Model):
    """A picture as we re-encoded it: WEBP, at most 2,400 px a side, no metadata.

    `file` and `thumbnail` are storage names below MEDIA_ROOT; the thumbnail is at most 640 px.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Member, models.PROTECT, related_name="images")
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="images")
    alt = models.CharField(max_length=ALT_MAX_CHARS, blank=True)
    file = models.FileField(upload_to="images/")
    thumbnail = models.FileField(upload_to="thumbnails/")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    # Follows what shows it; who hid that and why stands there.
    hidden_at = models.DateTimeField(null=True, blank=True)

    objects = ImageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at"], name="images_of_owner")]

    def __str__(self) -> str:
        return self.alt or str(self.id)

    def get_absolute_url(self) -> str:
        return reverse("image", args=[self.id])

    @property
    def thumbnail_url(self) -> str:
        return reverse("thumbnail", args=[self.id])

    @property
    def markdown(self) -> str:
        """How a post shows this image. Brackets and line ends would end the alt text early."""
        return f"![{self.alt.replace('[', '(').replace(']', ')')}](image:{self.pk})"
