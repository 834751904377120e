from __future__ import annotations

import secrets
from typing import Any, Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.members.models import Member, Viewer
from config.guest_pages import changed

TINTS = 12  # palette entries of static/css, chosen by `data-tint`


class JoinMode(models.TextChoices):
    OPEN = "open", _("Open: anyone joins at once")
    REQUEST = "request", _("On request: a moderator lets people in")
    INVITE = "invite", _("By invitation: anyone reads, only the invited join")
    HIDDEN = "hidden", _("Hidden: only members know it exists")


class Template(models.TextChoices):
    SECOND_HAND = "second_hand", _("Second-hand")
    FITNESS = "fitness", _("Fitness")
    COLLECTIBLES = "collectibles", _("Collectibles")
    SERVICES = "services", _("Services")


class Role(models.TextChoices):
    MEMBER = "member", _("Member")
    MODERATOR = "moderator", _("Moderator")
    OWNER = "owner", _("Owner")


class Interest(models.Model):
    """Something people gather around; members and groups name theirs."""

    slug = models.SlugField(_("short name in addresses"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=40, unique=True)
    glyph = models.CharField(_("emoji"), max_length=8, blank=True)

    class Meta:
        verbose_name = _("interest")
        verbose_name_plural = _("interests")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """Its name in the active language, if the site began with it."""
        return gettext(self.name)


class GroupQuerySet(models.QuerySet["Group"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """All but the hidden groups `viewer` is not in."""
        if not viewer.is_authenticated:
            return self.exclude(join_mode=JoinMode.HIDDEN)
        inside = Membership.objects.filter(group=OuterRef("pk"), member_id=viewer.pk)
        return self.filter(~Q(join_mode=JoinMode.HIDDEN) | Exists(inside))

    def joined_by(self, member: Member) -> Self:
        return self.filter(memberships__member=member)


class Group(models.Model):
    """An interest group. Counters are owned by `groups.services` and `threads.services`."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=60)
    glyph = models.CharField(max_length=8, default="🐟", help_text=_("One emoji."))
    tint = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(TINTS - 1)])
    template = models.CharField(max_length=16, choices=Template.choices)
    join_mode = models.CharField(max_length=8, choices=JoinMode.choices, default=JoinMode.OPEN)
    about = models.TextField(max_length=1000, blank=True)
    rules = models.TextField(max_length=2000, blank=True, help_text=_("One rule a line."))
    created_at = models.DateTimeField(default=timezone.now)
    member_count = models.PositiveIntegerField(default=0)
    thread_count = models.PositiveIntegerField(default=0)
    last_post_at = models.DateTimeField(null=True, blank=True)
    interests = models.ManyToManyField(Interest, blank=True, related_name="groups")

    objects = GroupQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(join_mode__in=JoinMode.values), name="group_join_mode_known"
            ),
            models.CheckConstraint(
                condition=Q(template__in=Template.values), name="group_template_known"
            ),
            models.CheckConstraint(condition=Q(tint__lt=TINTS), name="group_tint_in_palette"),
        ]
        indexes = [
            models.Index(fields=["-member_count", "id"], name="group_by_size"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and let go of what guests read: it may be hidden from them now."""
        super().save(*args, **kwargs)
        changed("threads", "thread")

    def get_absolute_url(self) -> str:
        return reverse("group", args=[self.slug])

    @property
    def rule_lines(self) -> list[str]:
        return [line.strip() for line in self.rules.splitlines() if line.strip()]

    @property
    def is_hidden_from_outsiders(self) -> bool:
        return self.join_mode == JoinMode.HIDDEN


class Membership(models.Model):
    """A member's place in a group."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Member, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=timezone.now)
    # As Member.all_read_at, for this group alone; None: only the member's own counts.
    all_read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "member"], name="member_once_in_a_group"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]
        indexes = [models.Index(fields=["member", "group"], name="membership_of_member")]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.group_id} as {self.role}"

    @property
    def moderates(self) -> bool:
        return self.role in (Role.MODERATOR, Role.OWNER)


class JoinRequest(models.Model):
    """A member asks to join a group on request. Answered requests are kept."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="join_requests")
    member = models.ForeignKey(Member, models.CASCADE, related_name="join_requests")
    message = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    accepted = models.BooleanField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "member"],
                condition=Q(answered_at__isnull=True),
                name="one_open_join_request",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, accepted=None)
                | Q(answered_at__isnull=False, answered_by__isnull=False, accepted__isnull=False),
                name="join_request_answered_whole",
            ),
        ]


def invitation_token() -> str:
    return secrets.token_urlsafe(24)


class Invitation(models.Model):
    """A link that lets whoever holds it join a group, once, until it expires."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(Member, models.CASCADE, related_name="+")
    token = models.CharField(max_length=40, unique=True, default=invitation_token)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(Member, models.SET_NULL, null=True, blank=True, related_name="+")

    @property
    def is_open(self) -> bool:
        return self.used_at is None and self.expires_at > timezone.now()
