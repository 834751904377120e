from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from community.groups.models import Group, JoinMode, Membership
from community.members.models import Member, Viewer

ALT_MAX_CHARS = 300

# Each says which confined images a member may see, as a condition on Image: those of the messages
# they may read. Features above join.
AUDIENCES: Final[list[Callable[[Member], Q]]] = []


class ImageQuerySet(models.QuerySet["Image"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Images for everybody, those of groups `viewer` may read, and their own.

        A hidden one, whose post or listing a moderator hid, is its owner's alone. A confined one
        is seen by those who may read what shows it, as that says itself.
        """
        seen = _unconfined(viewer)
        if isinstance(viewer, Member):
            for audience in AUDIENCES:
                seen |= Q(is_confined=True, hidden_at__isnull=True) & audience(viewer)
        return self.filter(seen)

    def unconfined_to(self, viewer: Viewer) -> Self:
        """Those of them that posts and listings may show: lists of these need not ask the talk."""
        return self.filter(_unconfined(viewer))


def _unconfined(viewer: Viewer) -> Q:
    readable = Q(group__isnull=True) | ~Q(group__join_mode=JoinMode.HIDDEN)
    if not viewer.is_authenticated:
        return readable & Q(is_confined=False, hidden_at__isnull=True)
    inside = Membership.objects.filter(group=OuterRef("group_id"), member_id=viewer.pk)
    readable = (readable | Exists(inside)) & Q(is_confined=False, hidden_at__isnull=True)
    return readable | Q(owner_id=viewer.pk)


class Image(models.Model):
    """A picture as we re-encoded it: WEBP, at most 2,400 px a side, no metadata.

    `file` and `thumbnail` are storage names below MEDIA_ROOT; the thumbnail is at most 640 px.
    A confined one has no group: it was brought for a message, or is of a page that one links to.
    The latter has no owner.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="images")
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="images")
    is_confined = models.BooleanField(default=False)
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
