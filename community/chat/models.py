from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from community.chat.kinds import KINDS, RoomKind, readable_by
from community.groups.models import Group
from community.hiding.models import Hideable
from community.members.models import Member, Viewer
from community.threads.models import Post, Thread
from community.uploads.models import Image

MESSAGE_MAX_CHARS = 4_000
ROOM_NAME_MAX_CHARS: Final = 60
TOPIC_MAX_CHARS: Final = 200
REASON_MAX_CHARS: Final = 200


class RoomQuerySet(models.QuerySet["Room"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Rooms `viewer` may read, as their kinds say: chat is for those inside."""
        if not viewer.is_authenticated:
            return self.none()
        return self.filter(readable_by(viewer))


class Room(models.Model):
    """Where members chat. `last_seq` numbers its messages, `last_change` what happens to them.

    A group has several rooms; the one without a slug is its first. `key` is what makes a room of
    another kind the only one of its sort: the people of a direct room, a listing and its asker.
    `subject_id` is the row of another domain that the room is about.
    """

    class Writers(models.TextChoices):
        EVERYBODY = "everybody", gettext_lazy("Everybody in it")
        MODERATORS = "moderators", gettext_lazy("Moderators")

    kind = models.CharField(max_length=20, default="group")
    key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="rooms")
    thread = models.OneToOneField(
        Thread, models.PROTECT, null=True, blank=True, related_name="room"
    )
    subject_id = models.PositiveBigIntegerField(null=True, blank=True)
    slug = models.SlugField(max_length=60, blank=True)
    name = models.CharField(max_length=ROOM_NAME_MAX_CHARS, blank=True)
    topic = models.CharField(max_length=TOPIC_MAX_CHARS, blank=True)
    writers = models.CharField(max_length=12, choices=Writers, default=Writers.EVERYBODY)
    slow_mode_seconds = models.PositiveIntegerField(default=0)
    paused_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    last_seq = models.PositiveBigIntegerField(default=0)
    last_change = models.PositiveBigIntegerField(default=0)
    last_message_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        Member, models.PROTECT, null=True, blank=True, related_name="opened_rooms"
    )

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("chat room")
        verbose_name_plural = gettext_lazy("chat rooms")
        constraints = [
            models.UniqueConstraint(
                fields=["group", "slug"], condition=Q(kind="group"), name="room_of_group_once"
            ),
            models.CheckConstraint(
                condition=~Q(kind="group") | Q(group__isnull=False), name="room_of_a_group_has_one"
            ),
            models.CheckConstraint(
                condition=Q(kind="thread", thread__isnull=False, group__isnull=False)
                | (~Q(kind="thread") & Q(thread__isnull=True)),
                name="room_beside_a_thread_has_one",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["group", "thread"]) | Q(key__isnull=False),
                name="room_of_people_has_a_key",
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind", "subject_id"],
                condition=Q(subject_id__isnull=False),
                name="room_by_subject",
            )
        ]

    def __str__(self) -> str:
        return f"# {self.name or self.key or self.group or self.pk}"

    def get_absolute_url(self) -> str:
        """A group's first room is at the group's word, the others at their number."""
        if self.kind == "group" and not self.slug and self.group is not None:
            return reverse("room", args=[self.group.slug])
        return reverse("room_by_id", args=[self.pk])

    @property
    def as_kind(self) -> RoomKind:
        return KINDS[self.kind]


class Place(models.Model):
    """A member's place in a room: how far they read, and for rooms of people, that they are in it.

    Rooms of groups need none to be read; theirs is made when somebody reads or sets a level.
    `read_seq` is the last message read. A stranger's first message makes the other's place `asked`:
    it waits in their requests and tells them nothing until they answer.
    """

    class State(models.TextChoices):
        IN = "in", gettext_lazy("In it")
        ASKED = "asked", gettext_lazy("Asked")
        REFUSED = "refused", gettext_lazy("Refused")
        LEFT = "left", gettext_lazy("Left")

    class Level(models.TextChoices):
        ALL = "all", gettext_lazy("Every message")
        MENTIONS = "mentions", gettext_lazy("Mentions and replies to you")
        MUTED = "muted", gettext_lazy("Nothing")

    room = models.ForeignKey(Room, models.CASCADE, related_name="places")
    member = models.ForeignKey(Member, models.CASCADE, related_name="places")
    state = models.CharField(max_length=8, choices=State, default=State.IN)
    is_moderator = models.BooleanField(default=False)
    level = models.CharField(max_length=8, choices=Level, default=Level.MENTIONS)
    read_seq = models.PositiveBigIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "member"], name="place_in_a_room_once")
        ]
        indexes = [models.Index(fields=["member", "state"], name="place_by_member")]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.room_id}"


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Messages of rooms `viewer` may read; hidden ones are left to their senders."""
        if not viewer.is_authenticated:
            return self.none()
        rooms = Room.objects.filter(readable_by(viewer), pk=OuterRef("room_id"))
        return self.filter(Exists(rooms), Q(hidden_at__isnull=True) | Q(sender_id=viewer.pk))


class Message(Hideable):
    """A chat message. `client_key` is the sender's own id, so a second send is the same one.

    `change` is the room's number of what last happened to it (an edit, a reaction, a pin, hiding),
    0 when nothing did: a page that was away asks for all changes after the last it has.
    """

    room = models.ForeignKey(Room, models.PROTECT, related_name="messages")
    seq = models.PositiveBigIntegerField()
    sender = models.ForeignKey(Member, models.PROTECT, related_name="messages")
    client_key = models.UUIDField(null=True, blank=True)
    reply_to = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="answers"
    )
    body = models.TextField(max_length=MESSAGE_MAX_CHARS)
    html = models.TextField()
    sent_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    pinned_at = models.DateTimeField(null=True, blank=True)
    pinned_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    change = models.PositiveBigIntegerField(default=0)
    # How often each reaction was given, by its name; owned by `chat.messages`.
    reactions = models.JSONField(default=dict, blank=True)

    objects = MessageQuerySet.as_manager()

    # Set by whoever lists messages (chat.pages): how a row stands in its list.
    continues = False
    viewer_is_sender = False
    is_folded = False  # the viewer muted its sender
    link_cards: Sequence[Sequence[Any]] = ()
    entries_after: Sequence[RoomEntry] = ()  # what was done between it and the next

    class Meta(Hideable.Meta):
        constraints = [
            *Hideable.Meta.constraints,
            models.UniqueConstraint(fields=["room", "seq"], name="message_seq_once"),
            models.UniqueConstraint(fields=["sender", "client_key"], name="message_sent_once"),
            models.CheckConstraint(condition=~Q(body=""), name="message_says_something"),
            models.CheckConstraint(
                condition=Q(pinned_at__isnull=True, pinned_by__isnull=True)
                | Q(pinned_at__isnull=False, pinned_by__isnull=False),
                name="message_pinned_by_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["room", "change"], condition=Q(change__gt=0), name="message_by_change"
            ),
            models.Index(
                fields=["room", "-pinned_at"],
                condition=Q(pinned_at__isnull=False),
                name="message_pinned",
            ),
            models.Index(fields=["room", "sent_at"], name="message_by_day"),
            models.Index(F("sender"), F("sent_at").desc(), name="message_by_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} in {self.room_id}"

    def get_absolute_url(self) -> str:
        """Where it stands among its neighbours."""
        return f"{self.room.get_absolute_url()}?at={self.seq}#m{self.seq}"

    @property
    def is_deleted(self) -> bool:
        """Hidden by its own sender."""
        return self.is_hidden and self.hidden_by_id == self.sender_id


class MessageRevision(models.Model):
    """What a message said before an edit."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="revisions")
    body = models.TextField(max_length=MESSAGE_MAX_CHARS)
    html = models.TextField()
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"revision of {self.message_id}"


class MessageImage(models.Model):
    """A picture that a message shows: who may read the message may see it."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="images")
    image = models.ForeignKey(Image, models.PROTECT, related_name="in_messages")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "image"], name="message_image_once")
        ]

    def __str__(self) -> str:
        return f"{self.image_id} in {self.message_id}"


class MessageMention(models.Model):
    """Who is named in a message, or whose message it answers. Counted against Place.read_seq."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="mentions")
    member = models.ForeignKey(Member, models.CASCADE, related_name="message_mentions")
    room = models.ForeignKey(Room, models.CASCADE, related_name="+")
    seq = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "member"], name="message_names_once")
        ]
        indexes = [models.Index(fields=["member", "room", "seq"], name="mention_by_member_room")]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.message_id}"


class MessageReactionQuerySet(models.QuerySet["MessageReaction"]):
    def listed(self) -> Self:
        """Those the site still has."""
        return self.filter(name__in=list(settings.REACTIONS))


class MessageReaction(models.Model):
    """A member's sign under a message. `name` is a key of settings.REACTIONS."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="reaction_rows")
    member = models.ForeignKey(Member, models.CASCADE, related_name="message_reactions")
    name = models.CharField(max_length=20)
    given_at = models.DateTimeField(default=timezone.now)

    objects = MessageReactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "member", "name"], name="message_reacted_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} under {self.message_id}"


class LinkPreview(models.Model):
    """What a page says of itself, fetched once by a worker; shown under messages that link to it.

    `url` is normalised (scheme and host in lower case, no fragment) and unique by its hash, for
    addresses may be long. `due_at` is when a worker may next fetch it, none when nobody waits: a
    worker that takes it moves it ahead, so that another comes only if the first one died.
    """

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting")
        READY = "ready", gettext_lazy("Ready")
        NOTHING = "nothing", gettext_lazy("Nothing to show")
        REFUSED = "refused", gettext_lazy("Refused")

    url = models.URLField(max_length=2_000)
    url_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    title = models.CharField(max_length=200, blank=True)
    description = models.CharField(max_length=400, blank=True)
    site_name = models.CharField(max_length=80, blank=True)
    image = models.ForeignKey(Image, models.SET_NULL, null=True, blank=True, related_name="+")
    why = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    fetched_at = models.DateTimeField(null=True, blank=True)
    host = models.CharField(max_length=253, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="preview_by_due"
            ),
            models.Index(fields=["host", "asked_at"], name="preview_by_host"),
        ]

    def __str__(self) -> str:
        return self.url


class MessageLink(models.Model):
    """A link in a message whose preview stands under it. At most 3 a message.

    A link to a thread of ours, or to a post in it, has no preview: the thread is drawn as it is.
    What its sender removed stays removed, whatever they edit.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="links")
    preview = models.ForeignKey(
        LinkPreview, models.CASCADE, null=True, blank=True, related_name="messages"
    )
    thread = models.ForeignKey(Thread, models.CASCADE, null=True, blank=True, related_name="+")
    position = models.PositiveSmallIntegerField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["message", "preview"], name="message_link_once"),
            models.UniqueConstraint(fields=["message", "thread"], name="message_thread_link_once"),
            models.CheckConstraint(
                condition=Q(preview__isnull=False, thread__isnull=True)
                | Q(preview__isnull=True, thread__isnull=False),
                name="message_link_leads_to_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.preview_id or self.thread_id} in {self.message_id}"


class MessagePost(models.Model):
    """A post made from messages, when talk became a thread. The messages stay where they are."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="made_posts")
    post = models.ForeignKey(Post, models.PROTECT, related_name="from_messages")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "post"], name="message_made_post_once")
        ]

    def __str__(self) -> str:
        return f"post {self.post_id} from message {self.message_id}"


class RoomEntry(models.Model):
    """What a moderator did in a room: who, when, why. Drawn among the messages at its place."""

    class Verb(models.TextChoices):
        PAUSE = "pause", gettext_lazy("paused the room")
        GO_ON = "go_on", gettext_lazy("let the room go on")
        SLOW = "slow", gettext_lazy("set slow mode")
        ARCHIVE = "archive", gettext_lazy("archived the room")
        REOPEN = "reopen", gettext_lazy("opened the room again")
        WRITERS = "writers", gettext_lazy("changed who writes")
        TOPIC = "topic", gettext_lazy("changed the topic")
        PIN = "pin", gettext_lazy("pinned a message")
        UNPIN = "unpin", gettext_lazy("unpinned a message")
        REMOVE = "remove", gettext_lazy("took somebody out")
        THREAD = "thread", gettext_lazy("made a thread from messages")

    room = models.ForeignKey(Room, models.CASCADE, related_name="entries")
    verb = models.CharField(max_length=8, choices=Verb)
    by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=REASON_MAX_CHARS, blank=True)
    details = models.JSONField(default=dict)
    after_seq = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    whom = ""  # the name of the member it is about (chat.entries)

    class Meta:
        indexes = [models.Index(fields=["room", "-at"], name="room_entry_by_time")]

    def __str__(self) -> str:
        return f"{self.verb} in {self.room_id}"
