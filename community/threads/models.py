from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from community.groups.models import Group, GroupQuerySet, JoinMode, Membership
from community.hiding.models import Hideable
from community.members.models import Member, Viewer
from community.uploads.models import Image

TITLE_MAX_CHARS = 150
POST_MAX_CHARS = 50_000
EXCERPT_MAX_CHARS = 240
# Words that follow a thread's id in an address of their own: a thread called "Lock" is no lock.
RESERVED_SLUGS = frozenset({"lock", "replies"})


class ThreadQuerySet(models.QuerySet["Thread"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Threads of the groups `viewer` may read."""
        # What Group's visible_to says, on the join that pages make anyway: half of what it costs
        # to write the query down.
        if not viewer.is_authenticated:
            return self.exclude(group__join_mode=JoinMode.HIDDEN)
        inside = Membership.objects.filter(group=OuterRef("group_id"), member_id=viewer.pk)
        return self.filter(~Q(group__join_mode=JoinMode.HIDDEN) | Exists(inside))

    def for_list(self) -> Self:
        """With what a row shows alone, in one query; not those whose opening post is hidden."""
        return (
            self.filter(is_listed=True)
            .select_related("group", "author")
            .only(
                *("title", "is_listed", "excerpt", "last_post_at", "reply_count"),
                *("pinned_at", "locked_at", "answer"),
                *("group__name", "group__glyph", "group__tint"),
                *("author__name", "author__handle", "author__avatar"),
            )
        )

    def latest_first(self) -> Self:
        return self.order_by("-last_post_at", "-pk")


class Thread(models.Model):
    """A conversation in a group. Counters and numbers are owned by `threads.services`."""

    group = models.ForeignKey(Group, models.PROTECT, related_name="threads")
    author = models.ForeignKey(Member, models.PROTECT, related_name="threads")
    title = models.CharField(max_length=TITLE_MAX_CHARS)
    excerpt = models.CharField(max_length=EXCERPT_MAX_CHARS, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_post_at = models.DateTimeField(default=timezone.now)
    last_post_by = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="+"
    )
    last_number = models.PositiveIntegerField(default=0)  # the highest post number ever taken
    reply_count = models.PositiveIntegerField(default=0)  # replies that are not hidden
    version = models.PositiveIntegerField(default=1)  # grows with every change a reader can see
    is_listed = models.BooleanField(default=True)  # follows the opening post: not hidden
    answer = models.ForeignKey(
        "community.Post", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    pinned_at = models.DateTimeField(null=True, blank=True)
    locked_at = models.DateTimeField(null=True, blank=True)
    locked_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    lock_reason = models.CharField(max_length=300, blank=True)

    objects = ThreadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(locked_at__isnull=True, locked_by__isnull=True, lock_reason="")
                | Q(locked_at__isnull=False, locked_by__isnull=False),
                name="thread_locked_whole",
            ),
            models.CheckConstraint(
                condition=Q(last_number=0) | Q(reply_count__lt=F("last_number")),
                name="thread_replies_below_numbers",
            ),
        ]
        indexes = [
            models.Index(
                F("group"), F("last_post_at").desc(), F("id").desc(), name="thread_latest_in_group"
            ),
            models.Index(F("last_post_at").desc(), F("id").desc(), name="thread_latest"),
            models.Index(F("author"), F("created_at").desc(), name="thread_of_author"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("thread", args=[self.pk, self.slug])

    @property
    def slug(self) -> str:
        """For people reading an address; look-ups go by id alone."""
        slug = slugify(self.title if self.is_listed else "")[:60].strip("-") or "thread"
        return f"{slug}-thread" if slug in RESERVED_SLUGS else slug

    @property
    def heading(self) -> str:
        """The title, unless a moderator hid the opening post it belongs to."""
        return self.title if self.is_listed else "A hidden thread"

    @property
    def is_locked(self) -> bool:
        return self.locked_at is not None

    @property
    def page_count(self) -> int:
        return max(1, -(-self.last_number // settings.POSTS_PER_PAGE))


class PostQuerySet(models.QuerySet["Post"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Posts of the groups `viewer` may read. Hidden ones are theirs to see only as authors."""
        shown = Q(hidden_at__isnull=True)
        if viewer.is_authenticated:
            shown |= Q(author_id=viewer.pk)
        return self.filter(shown, thread__group__in=GroupQuerySet(Group).visible_to(viewer))


class Post(Hideable):
    """A post: Markdown in `body`, rendered once into `html` by the renderer `markup_version`."""

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="posts")
    number = models.PositiveIntegerField()
    author = models.ForeignKey(Member, models.PROTECT, related_name="posts")
    body = models.TextField(max_length=POST_MAX_CHARS)
    html = models.TextField()
    markup_version = models.PositiveSmallIntegerField()
    reply_to = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="answers"
    )
    client_key = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    images = models.ManyToManyField(Image, through="community.PostImage", related_name="posts")

    objects = PostQuerySet.as_manager()

    class Meta(Hideable.Meta):
        constraints = [
            *Hideable.Meta.constraints,
            models.UniqueConstraint(fields=["thread", "number"], name="post_number_once"),
            models.UniqueConstraint(fields=["author", "client_key"], name="post_submitted_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="post_number_from_one"),
            models.CheckConstraint(condition=~Q(body=""), name="post_says_something"),
        ]
        indexes = [
            models.Index(F("author"), F("created_at").desc(), name="post_of_author"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} in {self.thread_id}"

    @property
    def page(self) -> int:
        return (self.number - 1) // settings.POSTS_PER_PAGE + 1

    def get_absolute_url(self) -> str:
        """The permalink: finds the page the post is on, however posts per page may change."""
        return reverse("post", args=[self.pk])

    @property
    def is_opening(self) -> bool:
        return self.number == 1


class PostImage(models.Model):
    """An image a post shows, in the order of the text."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="post_images")
    image = models.ForeignKey(Image, models.PROTECT, related_name="post_images")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["post", "image"], name="image_once_in_a_post")
        ]


class Revision(models.Model):
    """What a post said before an edit."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    body = models.TextField()
    replaced_at = models.DateTimeField(default=timezone.now)
    replaced_by = models.ForeignKey(Member, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["post", "number"], name="revision_number_once")
        ]


class ThreadLink(models.Model):
    """One thread points at another: related, or asking the same again."""

    class Kind(models.TextChoices):
        RELATED = "related", "Related"
        DUPLICATE = "duplicate", "Asked before"

    from_thread = models.ForeignKey(Thread, models.CASCADE, related_name="links_out")
    to_thread = models.ForeignKey(Thread, models.CASCADE, related_name="links_in")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.RELATED)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["from_thread", "to_thread", "kind"], name="thread_link_once"
            ),
            models.CheckConstraint(
                condition=~Q(from_thread=F("to_thread")), name="thread_links_elsewhere"
            ),
        ]
