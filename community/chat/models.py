from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from community.groups.models import Group, Membership
from community.hiding.models import Hideable
from community.members.models import Member, Viewer

MESSAGE_MAX_CHARS = 4_000


class RoomQuerySet(models.QuerySet["Room"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Rooms of the groups `viewer` is a member of: chat is for those inside."""
        if not viewer.is_authenticated:
            return self.none()
        inside = Membership.objects.filter(group=OuterRef("group_id"), member_id=viewer.pk)
        return self.filter(Exists(inside))


class Room(models.Model):
    """Where a group chats. `last_seq` is the number of the newest message."""

    group = models.OneToOneField(Group, models.PROTECT, related_name="room")
    last_seq = models.PositiveBigIntegerField(default=0)
    last_message_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = RoomQuerySet.as_manager()

    def __str__(self) -> str:
        return f"# {self.group.slug}"

    def get_absolute_url(self) -> str:
        return reverse("room", args=[self.group.slug])


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Messages of rooms `viewer` may read; hidden ones are left to their senders."""
        if not viewer.is_authenticated:
            return self.none()
        inside = Membership.objects.filter(group=OuterRef("room__group_id"), member_id=viewer.pk)
        return self.filter(Exists(inside), Q(hidden_at__isnull=True) | Q(sender_id=viewer.pk))


class Message(Hideable):
    """A chat message. `client_key` is the sender's own id, so a second send is the same one."""

    room = models.ForeignKey(Room, models.PROTECT, related_name="messages")
    seq = models.PositiveBigIntegerField()
    sender = models.ForeignKey(Member, models.PROTECT, related_name="messages")
    client_key = models.UUIDField(null=True, blank=True)
    body = models.TextField(max_length=MESSAGE_MAX_CHARS)
    html = models.TextField()
    sent_at = models.DateTimeField(default=timezone.now)

    objects = MessageQuerySet.as_manager()

    # Set by whoever lists messages (chat.views.mark_runs): how a row stands in its list.
    continues = False
    viewer_is_sender = False
    is_folded = False  # the viewer muted its sender

    class Meta(Hideable.Meta):
        constraints = [
            *Hideable.Meta.constraints,
            models.UniqueConstraint(fields=["room", "seq"], name="message_seq_once"),
            models.UniqueConstraint(fields=["sender", "client_key"], name="message_sent_once"),
            models.CheckConstraint(condition=~Q(body=""), name="message_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} in {self.room_id}"
