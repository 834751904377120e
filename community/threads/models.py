from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from community.groups.models import Group, GroupQuerySet, JoinMode, Membership, Role
from community.hiding.models import Hideable
from community.members.models import Member, Viewer
from community.tags.models import Tag
from community.uploads.models import Image
from config.guest_pages import changed

TITLE_MAX_CHARS = 150
POST_MAX_CHARS = 50_000
EXCERPT_MAX_CHARS = 240
EDIT_REASON_MAX_CHARS = 200
# Words that follow a thread's id in an address of their own: a thread called "Lock" is no lock.
RESERVED_SLUGS = frozenset(
    {
        *("lock", "replies", "move", "split", "merge", "pin", "slow-mode", "closing", "tags"),
        *("read", "unread", "follow", "typing", "new-posts", "jump", "share", "edit", "history"),
        *("poll", "draft", "close", "title", "kind", "moderate", "atom", "feed"),
    }
)


class ThreadKind(models.TextChoices):
    """What a thread is for. Which kinds a group offers, and their fields: `threads.kinds`."""

    TALK = "talk", pgettext_lazy("thread kind", "Discussion")
    QUESTION = "question", pgettext_lazy("thread kind", "Question")
    LOG = "log", pgettext_lazy("thread kind", "Training log")
    SHOWCASE = "showcase", pgettext_lazy("thread kind", "Show-off")
    WANTED = "wanted", pgettext_lazy("thread kind", "Wanted")
    REVIEW = "review", pgettext_lazy("thread kind", "Review")


class ThreadQuerySet(models.QuerySet["Thread"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Threads of the groups `viewer` may read."""
        # What Group's visible_to says, on the join that pages make anyway: half of what it costs
        # to write the query down.
        if not viewer.is_authenticated:
            return self.exclude(group__join_mode=JoinMode.HIDDEN)
        inside = Membership.objects.filter(group=OuterRef("group_id"), member_id=viewer.pk)
        return self.filter(~Q(group__join_mode=JoinMode.HIDDEN) | Exists(inside))

    def update(self, **values: Any) -> int:
        # Of which threads is not known here.
        changed("threads", "thread")
        return super().update(**values)

    def grow(self, pk: int) -> None:
        """Count a change of one thread that its readers see and lists do not."""
        changed(f"thread:{pk}")
        super(ThreadQuerySet, self.filter(pk=pk)).update(version=F("version") + 1)

    def in_groups_of(self, member: Member) -> Self:
        """Threads of the groups `member` is in."""
        return self.filter(group__memberships__member=member)

    def for_list(self) -> Self:
        """With what a row shows alone, in one query; not those whose opening post is hidden."""
        return (
            self.filter(is_listed=True)
            .select_related("group", "author")
            .only(
                *("title", "is_listed", "excerpt", "last_post_at", "reply_count", "kind"),
                *("pinned_at", "pinned_until", "locked_at", "answer"),
                *("group__name", "group__glyph", "group__tint"),
                *("author__name", "author__handle", "author__avatar"),
            )
        )

    def pinned(self, now: datetime | Now) -> Self:
        """Threads that stand first in their group's list at `now`."""
        return self.filter(
            Q(pinned_until__isnull=True) | Q(pinned_until__gt=now), pinned_at__isnull=False
        )

    def latest_first(self) -> Self:
        return self.order_by("-last_post_at", "-pk")

    # Marks and follows point at threads, so their rules are known only here inside.

    def unread_for(self, member: Member) -> Self:
        """Listed threads `member` opened or follows in which posts came that they have not read."""
        from community.threads import unread

        return unread.unread(self, member)

    def new_for(self, member: Member) -> Self:
        """Listed threads of their groups that `member` never opened, begun since all was read."""
        from community.threads import unread

        return unread.new(self, member)

    def not_muted_by(
        self, member: Member, *, within_group: bool = False, within_tag: bool = False
    ) -> Self:
        """Without threads `member` muted, by themselves, a tag or their group.

        `within_group`: for a group's own pages, where its own mute does not count. `within_tag`:
        for lists of one tag, where tags' mutes do not.
        """
        from community.threads import unread

        return unread.not_muted(self, member, within_group=within_group, within_tag=within_tag)


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
    kind = models.CharField(max_length=10, choices=ThreadKind, default=ThreadKind.TALK)
    # The answers to the form of its kind, checked by `threads.kinds`; keys are field names.
    details = models.JSONField(default=dict, blank=True)
    tags = models.ManyToManyField(
        Tag, through="community.ThreadTag", related_name="threads", blank=True
    )
    pinned_at = models.DateTimeField(null=True, blank=True)
    pinned_until = models.DateTimeField(null=True, blank=True)  # None while pinned: till unpinned
    slow_mode_seconds = models.PositiveIntegerField(default=0)  # between two posts of one member
    close_after_days = models.PositiveSmallIntegerField(null=True, blank=True)  # of silence
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_from"
    )
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
            models.CheckConstraint(
                condition=Q(kind__in=ThreadKind.values), name="thread_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(pinned_until__isnull=True) | Q(pinned_at__isnull=False),
                name="thread_pinned_till_a_date_is_pinned",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(is_listed=False),
                name="merged_thread_is_not_listed",
            ),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="thread_merges_elsewhere"
            ),
        ]
        indexes = [
            models.Index(
                F("group"), F("last_post_at").desc(), F("id").desc(), name="thread_latest_in_group"
            ),
            models.Index(F("last_post_at").desc(), F("id").desc(), name="thread_latest"),
            models.Index(F("author"), F("created_at").desc(), name="thread_of_author"),
            models.Index(F("group"), F("id").desc(), name="thread_newest_in_group"),
            models.Index(
                F("last_post_at").desc(),
                F("id").desc(),
                condition=Q(is_listed=True, reply_count=0),
                name="thread_unanswered",
            ),
            models.Index(
                F("kind"),
                F("last_post_at").desc(),
                F("id").desc(),
                condition=~Q(kind=ThreadKind.TALK),
                name="thread_latest_of_kind",
            ),
            models.Index(
                F("group"),
                F("kind"),
                F("last_post_at").desc(),
                F("id").desc(),
                condition=~Q(kind=ThreadKind.TALK),
                name="thread_kind_in_group",
            ),
            models.Index(
                "group", condition=Q(pinned_at__isnull=False), name="thread_pinned_in_group"
            ),
            models.Index(
                "pinned_until", condition=Q(pinned_until__isnull=False), name="thread_pin_ends"
            ),
            models.Index(
                "last_post_at",
                condition=Q(close_after_days__isnull=False, locked_at__isnull=True),
                name="thread_closes_by_itself",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and let go of pages that show the thread as it was."""
        super().save(*args, **kwargs)
        changed("threads", f"thread:{self.pk}")

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
        return self.title if self.is_listed else gettext("A hidden thread")

    @property
    def is_locked(self) -> bool:
        return self.locked_at is not None

    def is_silent_too_long(self, now: datetime) -> bool:
        """Whether nobody has written for as long as moderators said it may be silent."""
        days = self.close_after_days
        return days is not None and now - self.last_post_at >= timedelta(days=days)

    @property
    def takes_replies(self) -> bool:
        """Whether it is neither locked, nor silent for too long, nor merged into another."""
        closed = self.is_locked or self.merged_into_id is not None
        return not closed and not self.is_silent_too_long(timezone.now())

    def is_pinned(self, now: datetime) -> bool:
        """Whether it stands first in its group's list at `now`."""
        return self.pinned_at is not None and (self.pinned_until is None or self.pinned_until > now)

    @property
    def page_count(self) -> int:
        return max(1, -(-self.last_number // settings.POSTS_PER_PAGE))


# What the column says of a post its author took back at once: pages show nothing in its place.
TAKEN_BACK: Final = "Taken back by its author"


class PostQuerySet(models.QuerySet["Post"]):
    def in_their_places(self) -> Self:
        """Posts that pages have a place for: hidden ones too, but not those taken back."""
        return self.exclude(hidden_reason=TAKEN_BACK)

    def visible_to(self, viewer: Viewer) -> Self:
        """Posts of the groups `viewer` may read. Hidden ones are theirs to see only as authors."""
        shown = Q(hidden_at__isnull=True)
        if viewer.is_authenticated:
            shown |= Q(author_id=viewer.pk)
        return self.filter(shown, thread__group__in=GroupQuerySet(Group).visible_to(viewer))

    def in_care_of(self, member: Member) -> Self:
        """Posts that are theirs to take away or bring back, hidden ones too.

        Their own, and all of the groups they moderate.
        """
        moderated = Membership.objects.filter(
            member=member, role__in=(Role.MODERATOR, Role.OWNER)
        ).values("group")
        visible = GroupQuerySet(Group).visible_to(member)
        return self.filter(
            Q(author=member, thread__group__in=visible) | Q(thread__group__in=moderated)
        )


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
    is_wiki = models.BooleanField(default=False)  # members of the group may edit it
    # How often each reaction was given, by its name; owned by `reactions.services`.
    reactions = models.JSONField(default=dict, blank=True)
    reaction_count = models.PositiveIntegerField(default=0)  # their sum
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
            models.Index(F("author"), F("id").desc(), name="post_of_author"),
            models.Index("created_at", name="post_by_time"),
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
    def place(self) -> str:
        """Its address on its page."""
        page = f"?page={self.page}" if self.page > 1 else ""
        return f"{self.thread.get_absolute_url()}{page}#p{self.number}"

    @property
    def is_opening(self) -> bool:
        return self.number == 1

    @property
    def is_deleted(self) -> bool:
        """Whether its author took it away, rather than a moderator."""
        return self.is_hidden and self.hidden_by_id == self.author_id


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
    reason = models.CharField(max_length=EDIT_REASON_MAX_CHARS, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["post", "number"], name="revision_number_once")
        ]


class ThreadLink(models.Model):
    """One thread points at another: related, or asking the same again."""

    class Kind(models.TextChoices):
        RELATED = "related", gettext_lazy("Related")
        DUPLICATE = "duplicate", gettext_lazy("Asked before")

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


class ThreadTag(models.Model):
    """A tag on a thread."""

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="thread_tags")
    tag = models.ForeignKey(Tag, models.PROTECT, related_name="thread_tags")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "tag"], name="tag_once_on_a_thread")
        ]
        indexes = [models.Index(F("tag"), F("thread").desc(), name="thread_of_tag")]


class PostMention(models.Model):
    """A member named with @ in a post."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="mentions")
    member = models.ForeignKey(Member, models.CASCADE, related_name="mentioned_in")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "member"], name="mentioned_once_in_a_post")
        ]


class PostQuote(models.Model):
    """A post that quotes another one."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="quotes")
    quoted = models.ForeignKey(Post, models.CASCADE, related_name="quoted_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "quoted"], name="quoted_once_in_a_post"),
            models.CheckConstraint(condition=~Q(post=F("quoted")), name="post_quotes_another"),
        ]


class PostMove(models.Model):
    """Where a post went that had `number` in `from_thread`: old addresses lead there."""

    from_thread = models.ForeignKey(Thread, models.CASCADE, related_name="moved_posts")
    number = models.PositiveIntegerField()
    post = models.ForeignKey(Post, models.CASCADE, related_name="moves")
    moved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["from_thread", "number"], name="post_moved_once")
        ]


class ThreadEntry(models.Model):
    """Something a moderator did to a thread, shown between its posts. Never changed or deleted."""

    class Verb(models.TextChoices):
        LOCK = "lock", "locked"
        UNLOCK = "unlock", "unlocked"
        MOVE = "move", "moved to another group"
        SPLIT = "split", "split"
        SPLIT_OFF = "split_off", "split off"
        MERGE = "merge", "merged"
        MERGED = "merged", "merged into another"
        PIN = "pin", "pinned"
        UNPIN = "unpin", "unpinned"
        SLOW_MODE = "slow_mode", "slow mode"
        CLOSING = "closing", "closes by itself"
        RETITLE = "retitle", "renamed"
        RETAG = "retag", "retagged"
        RESTORE = "restore", "post restored"
        HIDE = "hide", "post hidden"

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="entries")
    verb = models.CharField(max_length=10, choices=Verb.choices)
    by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")  # None: by itself
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=300, blank=True)
    after_number = models.PositiveIntegerField()  # the thread's last number then
    details = models.JSONField(default=dict, blank=True)  # ids and values, by verb

    class Meta:
        indexes = [models.Index(fields=["thread", "after_number"], name="entry_of_thread")]


class ThreadScore(models.Model):
    """How much a thread moved people in a period; kept by `threads.tasks` for the top lists."""

    class Period(models.TextChoices):
        DAY = "day", pgettext_lazy("period", "Day")
        WEEK = "week", pgettext_lazy("period", "Week")
        MONTH = "month", pgettext_lazy("period", "Month")
        YEAR = "year", pgettext_lazy("period", "Year")

    thread = models.ForeignKey(Thread, models.CASCADE, related_name="scores")
    period = models.CharField(max_length=5, choices=Period)
    score = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["thread", "period"], name="thread_score_once")
        ]
        indexes = [
            models.Index(
                F("period"), F("score").desc(), F("thread").desc(), name="thread_top_of_period"
            )
        ]
