from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy
from pgvector.django import HalfVectorField, SparseVectorField

from community.chat.models import Message, Room
from community.groups.models import Group, JoinMode, Membership
from community.members.models import Block, Member, Viewer
from community.search.queries import QUERY_MAX_CHARS
from community.search.weights import DIMENSIONS
from community.threads.models import Thread

SAVED_NAME_MAX_CHARS = 80


class SearchDocumentQuerySet(models.QuerySet["SearchDocument"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Documents `viewer` may read, the groups they are in asked for as they are now."""
        hidden = Group.objects.filter(join_mode=JoinMode.HIDDEN)
        if viewer.is_authenticated:
            own = Membership.objects.filter(member_id=viewer.pk).values("group_id")
            hidden = hidden.exclude(pk__in=own)
        # Not by a join: PostgreSQL asks the few hidden groups once, whatever it goes through.
        return self.filter(Q(group__isnull=True) | ~Q(group_id__in=hidden.values("pk")))

    def public(self) -> Self:
        """What everybody may read: only of this are words counted."""
        hidden = Group.objects.filter(join_mode=JoinMode.HIDDEN)
        return self.filter(Q(group__isnull=True) | ~Q(group_id__in=hidden.values("pk")))

    def not_blocked_by(self, viewer: Viewer) -> Self:
        """Without what members wrote whom `viewer` muted or blocked."""
        if not viewer.is_authenticated:
            return self
        blocked = Block.objects.filter(by_id=viewer.pk).values("of_id")
        return self.filter(Q(author__isnull=True) | ~Q(author_id__in=blocked))


class SearchDocument(models.Model):
    """What search knows of one post, member or group. Written by `search.services` alone.

    Things that may not be found (hidden, merged away, erased) have none. Where a thing is and who
    made it is copied, so that one WHERE asks for all before its LIMIT.
    """

    class Kind(models.TextChoices):
        POST = "post"
        MEMBER = "member"
        GROUP = "group"

    kind = models.CharField(max_length=10, choices=Kind)
    object_id = models.BigIntegerField()
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="+", db_index=False)
    thread = models.ForeignKey(Thread, models.CASCADE, null=True, related_name="+")
    author = models.ForeignKey(Member, models.CASCADE, null=True, related_name="+", db_index=False)
    is_opening = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    title = models.CharField(max_length=300, blank=True)
    tags = models.CharField(max_length=1000, blank=True)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=20)
    length = models.PositiveIntegerField()  # lexemes
    is_counted = models.BooleanField()  # its words are in Lexeme, Word and SearchFigures
    version = models.PositiveSmallIntegerField()  # of the code that wrote it
    indexed_at = models.DateTimeField(default=timezone.now)
    tsv = SearchVectorField()
    names = SearchVectorField(null=True)  # unstemmed words of the title: for typing ahead
    sv = SparseVectorField(dimensions=DIMENSIONS)
    embedding = HalfVectorField(null=True)

    objects = SearchDocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "object_id"], name="search_document_once"),
        ]
        indexes = [
            GinIndex(fields=["tsv"], name="search_by_words", fastupdate=False),
            GinIndex(
                fields=["names"],
                name="search_by_names",
                fastupdate=False,
                condition=Q(names__isnull=False),
            ),
            models.Index(F("created_at").desc(), F("id").desc(), name="search_newest"),
            models.Index(F("author"), F("created_at").desc(), name="search_of_author"),
            models.Index(F("group"), F("created_at").desc(), name="search_in_group"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class MessageDocumentQuerySet(models.QuerySet["MessageDocument"]):
    def visible_to(self, viewer: Viewer) -> Self:
        """Documents of the rooms `viewer` may read, asked for as they are now."""
        return self.filter(room_id__in=Room.objects.visible_to(viewer).values("pk"))

    def not_blocked_by(self, viewer: Viewer) -> Self:
        """Without what members wrote whom `viewer` muted or blocked."""
        return self.exclude(sender_id__in=Block.objects.filter(by_id=viewer.pk).values("of_id"))


class MessageDocument(models.Model):
    """What search knows of one chat message that is not hidden. Written by `search.messages` alone.

    `tsv` holds its words and lexemes of where it stands: the room, the sender, the day, the month
    (search.messages.room_mark and others). One index intersects them, so a word that half of a room
    says is looked up in a few days of it, and a search of one room never goes through another.
    """

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="+")
    room = models.ForeignKey(Room, models.CASCADE, related_name="+", db_index=False)
    sender = models.ForeignKey(Member, models.CASCADE, related_name="+", db_index=False)
    sent_at = models.DateTimeField()
    language = models.CharField(max_length=20)
    version = models.PositiveSmallIntegerField()  # of the code that wrote it
    tsv = SearchVectorField()

    objects = MessageDocumentQuerySet.as_manager()

    class Meta:
        indexes = [GinIndex(fields=["tsv"], name="message_by_words", fastupdate=False)]

    def __str__(self) -> str:
        return f"message {self.message_id}"


class Lexeme(models.Model):
    """In how many public documents a lexeme is. Hidden groups count nowhere: nothing can leak."""

    word = models.CharField(max_length=80, primary_key=True)
    documents = models.PositiveIntegerField(default=0)


class Word(models.Model):
    """In how many public documents a word stands as people write it: what typos are mended to."""

    word = models.CharField(max_length=80, primary_key=True)
    documents = models.PositiveIntegerField(default=0)
    # search.spelling.keys; None until it is counted.
    leavings = ArrayField(models.IntegerField(), null=True)

    class Meta:
        indexes = [GinIndex(fields=["leavings"], name="word_by_leavings", fastupdate=False)]


class SearchFigures(models.Model):
    """One row: how many public documents there are, and their lexemes together."""

    documents = models.PositiveIntegerField(default=0)
    lexemes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="search_figures_one_row"),
        ]


class SavedSearch(models.Model):
    """A query a member keeps, told of what is new if they want it."""

    class Alert(models.TextChoices):
        NONE = "none", pgettext_lazy("alert of a saved search", "Never")
        AT_ONCE = "at_once", pgettext_lazy("alert of a saved search", "At once")
        DAILY = "daily", pgettext_lazy("alert of a saved search", "Once a day")

    member = models.ForeignKey(Member, models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=SAVED_NAME_MAX_CHARS)
    query = models.CharField(max_length=QUERY_MAX_CHARS)
    alert = models.CharField(max_length=10, choices=Alert, default=Alert.AT_ONCE)
    # Documents up to this one are old news.
    last_document_id = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["member", "query"], name="search_saved_once"),
            models.CheckConstraint(
                condition=Q(alert__in=("none", "at_once", "daily")), name="search_alert_known"
            ),
        ]
        indexes = [
            models.Index(fields=["looked_at"], condition=~Q(alert="none"), name="saved_search_due")
        ]

    def __str__(self) -> str:
        return self.name
