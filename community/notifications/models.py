from __future__ import annotations

from datetime import time
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from community.chat.models import Message, Place, Room
from community.groups.models import Group
from community.members.models import Block, Member
from community.threads.marks import ReadMark
from community.threads.models import Post, Thread

KEY_MAX_CHARS = 120
ENDPOINT_MAX_CHARS = 1_000
REASON_MAX_CHARS = 300
MESSAGE_ID_MAX_CHARS = 300


class Kind(models.TextChoices):
    """Why a member is told. Of one post the first that applies is told, and no other."""

    MENTION = "mention", _("Somebody mentions you")
    REPLY = "reply", _("Somebody replies to you")
    QUOTE = "quote", _("Somebody quotes you")
    THREAD = "thread", _("A new thread in a group or tag you watch")
    WATCHED = "watched", _("A new reply in a thread you watch")
    REACTION = "reaction", _("Somebody reacts to your post")
    ANSWER = "answer", _("Your reply is chosen as the answer")
    INVITE = "invite", _("You are invited to a group")
    JOIN = "join", _("Your request to join a group is answered")
    DECISION = "decision", _("A moderator decides about something you wrote or reported")
    REMINDER = "reminder", _("A bookmark you wanted to be reminded of")
    NAMED = "named", _("Somebody mentions you or replies to you in chat")
    DIRECT = "direct", _("Somebody writes to you")
    REQUEST = "request", _("Somebody you share no group with wants to write to you")
    ROOM = "room", _("A message in a room of which you want to hear all")
    SEARCH = "search", _("Something new fits a search you saved")
    TRUST = "trust", _("You reach another trust level")
    BADGE = "badge", _("You earn a badge")
    EXPORT = "export", _("The copy of your data is ready")


# Told of a post that is new: reading the post is reading these.
NEW_POST_KINDS = (Kind.MENTION, Kind.REPLY, Kind.QUOTE, Kind.THREAD, Kind.WATCHED)

# Told of chat: reading the room that far is reading these. Of the latter two one row a room is
# unread at a time, and tells of its latest message.
CHAT_KINDS = (Kind.NAMED, Kind.DIRECT, Kind.REQUEST, Kind.ROOM)
ONE_A_ROOM = (Kind.DIRECT, Kind.ROOM)


class Channel(models.TextChoices):
    SITE = "site", pgettext_lazy("channel", "Here")
    EMAIL = "email", pgettext_lazy("channel", "E-mail")
    PUSH = "push", pgettext_lazy("channel", "Push")


# On which channels a kind is told unless the member chose otherwise.
EVERYWHERE: frozenset[str] = frozenset(Channel.values)
DEFAULTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(Kind.values, EVERYWHERE),
    Kind.THREAD: EVERYWHERE - {Channel.EMAIL},
    Kind.WATCHED: EVERYWHERE - {Channel.EMAIL},
    Kind.REACTION: frozenset({Channel.SITE}),
    Kind.REQUEST: frozenset({Channel.SITE}),
    Kind.ROOM: EVERYWHERE - {Channel.EMAIL},
    Kind.TRUST: frozenset({Channel.SITE}),
    Kind.BADGE: frozenset({Channel.SITE}),
}


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, member: Member) -> Self:
        """The member's own, of what they may still read, by people they have not shut out."""
        posts = Post.objects.visible_to(member).filter(pk=OuterRef("post"))
        groups = Group.objects.visible_to(member).filter(pk=OuterRef("group"))
        rooms = Room.objects.visible_to(member).filter(pk=OuterRef("room"))
        shut_out = Block.objects.filter(by=member, of=OuterRef("actor"))
        # Each asked for the few rows at hand, never for all posts there are.
        return self.filter(
            Q(post__isnull=True) | Exists(posts),
            # Who is invited to a hidden group may know of it.
            Q(group__isnull=True) | Q(kind=Kind.INVITE) | Exists(groups),
            Q(room__isnull=True) | (Exists(rooms) & Q(message__hidden_at=None)),
            ~Exists(shut_out),
            member=member,
        )

    def listed_for(self, member: Member) -> Self:
        return self.visible_to(member).filter(on_site=True)

    def unread(self) -> Self:
        """Not looked at, and not of a post or message the member has read since."""
        passed = ReadMark.objects.filter(
            member=OuterRef("member"),
            thread=OuterRef("post__thread"),
            number__gte=OuterRef("post__number"),
        )
        return self.filter(
            ~Q(kind__in=NEW_POST_KINDS) | ~Exists(passed),
            Q(message__isnull=True) | ~Exists(read_in_chat()),
            read_at__isnull=True,
        )

    def newest_first(self) -> Self:
        return self.order_by("-at", "-pk")

    def with_what_they_tell(self) -> Self:
        return self.select_related(
            *("actor", "group", "thread__group", "post__thread__group", "post__author"),
            *("room__group", "room__thread", "message"),
        ).defer("post__html", "message__html")


def read_in_chat() -> models.QuerySet[Place]:
    """Whether a notification's message was read, as a condition on notifications."""
    return Place.objects.filter(
        member=OuterRef("member"), room=OuterRef("room"), read_seq__gte=OuterRef("message__seq")
    )


class Notification(models.Model):
    """Something a member is told, once: `key` names the occasion.

    Reactions to one post share a row while it is unread; `actor` is then the latest of
    `actor_count` people. So do messages of one room (ONE_A_ROOM), and `message` is the latest. What
    may be read is asked again whenever a row is shown or sent.
    """

    member = models.ForeignKey(Member, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=KEY_MAX_CHARS)
    actor = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    actor_count = models.PositiveIntegerField(default=1)
    post = models.ForeignKey(Post, models.CASCADE, null=True, related_name="notifications")
    thread = models.ForeignKey(Thread, models.CASCADE, null=True, related_name="+")
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="+")
    room = models.ForeignKey(Room, models.CASCADE, null=True, related_name="+")
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="+")
    details = models.JSONField(default=dict)  # what the kind needs besides: words, ids, an address
    at = models.DateTimeField(default=timezone.now)  # of the latest it tells
    on_site = models.BooleanField(default=True)  # False: only sent, by the member's wish
    read_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "key"], name="told_once"),
            models.UniqueConstraint(
                fields=["member", "post"],
                condition=Q(kind="reaction", read_at__isnull=True),
                name="one_unread_row_of_reactions_a_post",
            ),
            models.UniqueConstraint(
                fields=["member", "room", "kind"],
                condition=Q(kind__in=("direct", "room"), read_at__isnull=True),
                name="one_unread_row_of_messages_a_room",
            ),
            models.CheckConstraint(
                condition=Q(room__isnull=True, message__isnull=True)
                | Q(room__isnull=False, message__isnull=False),
                name="notification_of_a_message_has_its_room",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=Kind.values), name="notification_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(actor_count__gte=1), name="notification_has_an_occasion"
            ),
        ]
        indexes = [
            models.Index(F("member"), F("at").desc(), F("id").desc(), name="notification_latest"),
            models.Index(
                "member",
                condition=Q(read_at__isnull=True, on_site=True),
                name="notification_unread",
            ),
            models.Index("read_at", name="notification_by_reading"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.member_id}"

    def get_absolute_url(self) -> str:
        """The address that marks it read and leads on."""
        return reverse("notification", args=[self.pk])


class Told(models.Model):
    """Whose reaction to which post was told: taken back and given again it is no news."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="told")
    post = models.ForeignKey(Post, models.CASCADE, related_name="+")
    actor = models.ForeignKey(Member, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "actor"], name="reaction_told_once")]


class EmailWhen(models.TextChoices):
    AWAY = "away", _("When I am not here")
    ALWAYS = "always", _("Always")
    NEVER = "never", _("Never")


class DigestEvery(models.TextChoices):
    NEVER = "never", pgettext_lazy("digest", "Never")
    DAY = "day", pgettext_lazy("digest", "Every day")
    WEEK = "week", pgettext_lazy("digest", "Every week, on Monday")


class Preferences(models.Model):
    """How a member wants to hear; without a row the defaults hold. Times are the member's own."""

    member = models.OneToOneField(
        Member, models.CASCADE, primary_key=True, related_name="preferences"
    )
    email_when = models.CharField(max_length=6, choices=EmailWhen.choices, default=EmailWhen.AWAY)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)  # before quiet_from: on the next day
    digest = models.CharField(max_length=5, choices=DigestEvery.choices, default=DigestEvery.NEVER)
    digest_due_at = models.DateTimeField(null=True, blank=True)
    digested_at = models.DateTimeField(null=True, blank=True)  # the end of the last one's period

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (
                    Q(quiet_from__isnull=False, quiet_until__isnull=False)
                    & ~Q(quiet_from=F("quiet_until"))
                ),
                name="quiet_hours_have_two_ends",
            ),
            models.CheckConstraint(
                condition=Q(email_when__in=EmailWhen.values), name="email_when_known"
            ),
            models.CheckConstraint(
                condition=Q(digest="never", digest_due_at__isnull=True)
                | Q(digest__in=("day", "week"), digest_due_at__isnull=False),
                name="digest_is_due_if_wanted",
            ),
        ]
        indexes = [
            models.Index(
                "digest_due_at", condition=Q(digest_due_at__isnull=False), name="digest_due"
            )
        ]

    @property
    def quiet(self) -> tuple[time, time] | None:
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return self.quiet_from, self.quiet_until


class ChannelChoice(models.Model):
    """A member's word on one kind and one channel, where it differs from DEFAULTS."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="channel_choices")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    wanted = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "kind", "channel"], name="channel_chosen_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="choice_kind_known"),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values), name="choice_channel_known"
            ),
        ]


class SendingState(models.TextChoices):
    DUE = "due", "Due"
    CLAIMED = "claimed", "Claimed"  # a worker is at it, or died at it
    SENT = "sent", "Sent"
    DROPPED = "dropped", "Dropped"  # `why` says it


class Sending(models.Model):
    """A letter or push to go out, claimed by one worker before anything leaves the house.

    A row that was claimed and not finished is never sent again: a letter too few is better than
    one told twice, and what it tells stays in the list. See docs/mail-and-push.md.
    """

    class What(models.TextChoices):
        NOTIFICATION = "notification", "Notification"
        DIGEST = "digest", "Digest"
        REFUSAL = "refusal", "Answer to a refused letter"

    member = models.ForeignKey(Member, models.CASCADE, related_name="sendings")
    what = models.CharField(max_length=12, choices=What.choices)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    notification = models.ForeignKey(
        Notification, models.CASCADE, null=True, related_name="sendings"
    )
    key = models.CharField(max_length=KEY_MAX_CHARS)
    details = models.JSONField(default=dict)
    state = models.CharField(max_length=7, choices=SendingState.choices, default=SendingState.DUE)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=REASON_MAX_CHARS, blank=True)  # dropped, or put off

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "channel", "key"], name="sent_once"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="sending_sent_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=SendingState.values), name="sending_state_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=("email", "push")), name="sending_leaves_the_site"
            ),
            models.CheckConstraint(
                condition=Q(what="notification", notification__isnull=False)
                | (~Q(what="notification") & Q(notification__isnull=True)),
                name="sending_of_a_notification",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "due_at", "id"], condition=Q(state="due"), name="sending_due"
            ),
            models.Index("claimed_at", condition=Q(state="claimed"), name="sending_claimed"),
            models.Index("created_at", name="sending_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.what} by {self.channel} to {self.member_id}"


class PushSubscription(models.Model):
    """A browser that shows what is pushed. Its keys encrypt for it alone (RFC 8291)."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="push_subscriptions")
    endpoint = models.CharField(max_length=ENDPOINT_MAX_CHARS, unique=True)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)
    wait_until = models.DateTimeField(null=True, blank=True)  # its service asked for patience
    failures = models.PositiveSmallIntegerField(default=0)  # in a row

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(endpoint__startswith="https://"), name="push_by_https"
            )
        ]


class InboundEmail(models.Model):
    """A letter that came in. Stored, answered, then read from the row; `raw` goes when it is."""

    class State(models.TextChoices):
        DUE = "due", "Due"
        POSTED = "posted", "Posted"
        REFUSED = "refused", "Refused"

    class Format(models.TextChoices):
        POSTMARK = "postmark", "Postmark's JSON"
        MIME = "mime", "MIME"

    message_id = models.CharField(max_length=MESSAGE_ID_MAX_CHARS, unique=True)
    format = models.CharField(max_length=8, choices=Format.choices)
    raw = models.BinaryField(null=True)
    received_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=7, choices=State.choices, default=State.DUE)
    reason = models.CharField(max_length=REASON_MAX_CHARS, blank=True)
    member = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="inbound_emails")
    post = models.ForeignKey(Post, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="refused") & ~Q(reason="")
                | Q(state__in=("due", "posted"), reason=""),
                name="inbound_refused_for_a_reason",
            )
        ]
        indexes = [models.Index("received_at", name="inbound_by_time")]

    def __str__(self) -> str:
        return self.message_id
