from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin as Permissions
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

HANDLE_MAX_CHARS = 30
NAME_MAX_CHARS = 60
BIO_MAX_CHARS = 500
FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)  # a sanction without an end

# allauth looks this list up by its path (settings.ACCOUNT_USERNAME_VALIDATORS).
handle_validators = [
    RegexValidator(
        r"^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?\Z",
        _("Use lower-case letters, digits, - and _, beginning and ending with a letter or digit."),
    )
]


class TrustLevel(models.IntegerChoices):
    """What Discourse calls trust levels; community.standing says how each is earned."""

    NEW = 0, pgettext_lazy("trust level", "New")
    BASIC = 1, pgettext_lazy("trust level", "Basic")
    MEMBER = 2, pgettext_lazy("trust level", "Member")
    REGULAR = 3, pgettext_lazy("trust level", "Regular")
    LEADER = 4, pgettext_lazy("trust level", "Leader")


class MemberManager(BaseUserManager["Member"]):
    def create_user(
        self, handle: str, email: str, password: str | None = None, **fields: Any
    ) -> Member:
        """Create a member; without a password the account cannot sign in by one."""
        fields.setdefault("name", handle)
        member = self.model(handle=handle, email=self.normalize_email(email), **fields)
        member.set_password(password)
        member.full_clean(exclude=["password"])
        member.save(using=self._db)
        return member

    def create_superuser(
        self, handle: str, email: str, password: str | None = None, **fields: Any
    ) -> Member:
        return self.create_user(handle, email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> Member:
        return self.get(handle=username)


class Member(AbstractBaseUser, Permissions):
    """A person with an account. `handle` is unique for ever; `name` is what others read."""

    handle = models.CharField(
        _("handle"), max_length=HANDLE_MAX_CHARS, unique=True, validators=handle_validators
    )
    name = models.CharField(_("name"), max_length=NAME_MAX_CHARS)
    email = models.EmailField(_("e-mail"), unique=True)
    bio = models.TextField(max_length=BIO_MAX_CHARS, blank=True)
    place = models.CharField(max_length=80, blank=True)
    avatar = models.ForeignKey(
        "community.Image", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    # How far the community trusts a member, earned by reading and being read (community.standing).
    trust_level = models.PositiveSmallIntegerField(
        _("trust level"), default=TrustLevel.NEW, choices=TrustLevel
    )
    # Set by staff: not earned, not lost.
    trust_pinned = models.BooleanField(_("trust level set by hand"), default=False)
    language = models.CharField(max_length=10, blank=True)  # empty: what the browser asks for
    time_zone = models.CharField(max_length=64, default="UTC")  # an IANA name
    # Threads whose last post is not after this are read, whatever their marks say.
    all_read_at = models.DateTimeField(default=timezone.now)
    onboarded_at = models.DateTimeField(null=True, blank=True)  # done with the first visit, or past
    is_listed = models.BooleanField(default=True)  # in the member directory
    # Whether others see that they are here and that they are writing.
    shows_presence = models.BooleanField(default=True)
    activity = models.PositiveIntegerField(default=0)  # what it is ordered by (community.standing)
    erased_at = models.DateTimeField(null=True, blank=True)
    # Kept by moderation.sanctions, so that asking costs no query: until then the member reads
    # only, or cannot sign in. FOREVER has no end; why and by whom is said there.
    silenced_until = models.DateTimeField(null=True, blank=True)
    suspended_until = models.DateTimeField(null=True, blank=True)
    interests = models.ManyToManyField("community.Interest", blank=True, related_name="members")

    objects = MemberManager()

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(Lower("handle"), name="handle_unique_in_any_case"),
            models.UniqueConstraint(Lower("email"), name="email_unique_in_any_case"),
            models.CheckConstraint(
                condition=models.Q(handle__regex=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$"),
                name="handle_is_plain",
            ),
            models.CheckConstraint(
                condition=models.Q(trust_level__in=TrustLevel.values), name="trust_level_known"
            ),
        ]
        indexes = [
            models.Index(
                models.F("activity").desc(),
                models.F("id").desc(),
                condition=models.Q(is_listed=True, is_active=True),
                name="member_by_activity",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("member", args=[self.handle])

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]

    def is_silenced(self, now: datetime) -> bool:
        return self.silenced_until is not None and self.silenced_until > now

    def is_suspended(self, now: datetime) -> bool:
        return self.suspended_until is not None and self.suspended_until > now

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """As Django's, but that a suspension ends the sessions there are."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        proof = self.password
        if self.suspended_until is not None:
            proof = f"{proof} {self.suspended_until.isoformat()}"
        return salted_hmac(salt, proof, secret=secret, algorithm="sha256").hexdigest()

    @property
    def initials(self) -> str:
        """One or two letters for the drawn avatar."""
        words = self.name.split()
        letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
        return letters.upper()


# Whoever looks at a page. `visible_to` takes one everywhere.
Viewer = Member | AnonymousUser


class Block(models.Model):
    """A member who no longer wants to read another, everywhere: posts, chat, notifications.

    MUTE folds what the other writes. BLOCK also keeps the other from writing to or naming the
    blocker: no mention, reply or reaction of theirs notifies, no direct message arrives.
    """

    class Kind(models.TextChoices):
        MUTE = "mute", pgettext_lazy("a member", "Muted")
        BLOCK = "block", pgettext_lazy("a member", "Blocked")

    by = models.ForeignKey(Member, models.CASCADE, related_name="blocks")
    of = models.ForeignKey(Member, models.CASCADE, related_name="blocked_by")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["by", "of"], name="blocked_once"),
            models.CheckConstraint(
                condition=~models.Q(by=models.F("of")), name="nobody_blocks_themselves"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=("mute", "block")), name="block_kind_known"
            ),
        ]
