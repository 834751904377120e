"""Telling members, and what they do with what they were told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from community.chat.models import Message
from community.groups.models import Group
from community.members.models import Member
from community.notifications import live
from community.notifications.models import (
    CHAT_KINDS,
    DEFAULTS,
    Channel,
    ChannelChoice,
    DigestEvery,
    EmailWhen,
    InboundEmail,
    Kind,
    Notification,
    Preferences,
    PushSubscription,
    Sending,
    Told,
)
from community.notifications.recipients import deaf_to
from community.notifications.times import next_digest, quiet_until
from community.threads.following import follow
from community.threads.marks import FollowLevel
from community.threads.models import Post, Thread

BATCH_ROWS: Final = 1_000
KEPT_DAYS: Final = 180
SUBSCRIPTIONS_MAX: Final = 20  # of one member


# -- telling ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Occasion:
    """What there is to tell one member. `kinds` are reasons, the strongest first."""

    member_id: int
    kinds: Sequence[Kind]
    key: str  # the same occasion is told a member once
    actor_id: int | None = None
    post: Post | None = None
    thread: Thread | None = None
    group: Group | None = None
    message: Message | None = None
    is_quiet: bool = False  # no page is told at once: they are likely looking at it
    details: Mapping[str, Any] = field(default_factory=dict)


def notify(
    *,
    member: Member,
    kind: Kind,
    key: str,
    actor: Member | None = None,
    post: Post | None = None,
    thread: Thread | None = None,
    group: Group | None = None,
    details: Mapping[str, Any] | None = None,
) -> Notification | None:
    """Tell a member of something, once for each `key`. None when they were told, or won't hear.

    Not of their own acts, nor of those whom they blocked or muted. `details` may hold `words`
    (one sentence to show beneath) and `address` (a path of ours to lead to, if it is not the
    post's, thread's or group's).
    """
    if actor is not None and (actor.pk == member.pk or deaf_to(actor.pk, [member.pk])):
        return None
    told = tell(
        [
            Occasion(
                member.pk,
                [kind],
                key,
                actor_id=actor.pk if actor else None,
                post=post,
                thread=thread,
                group=group,
                details=details or {},
            )
        ]
    )
    return told[0] if told else None


@transaction.atomic
def tell(occasions: Iterable[Occasion]) -> list[Notification]:
    """Write down what each member is told, and what goes out by e-mail and push, and when.

    Each is told as the first of the kinds they want to hear of on any channel. Whoever was told
    by this key before is not told again.
    """
    told: list[Notification] = []
    waiting = list(occasions)
    for start in range(0, len(waiting), BATCH_ROWS):
        told += _tell(waiting[start : start + BATCH_ROWS])
    return told


def _tell(occasions: Sequence[Occasion]) -> list[Notification]:
    now = timezone.now()
    wishes = Wishes([occasion.member_id for occasion in occasions])
    rows = []
    for occasion in occasions:
        kind = next((kind for kind in occasion.kinds if wishes.any(occasion.member_id, kind)), None)
        if kind is not None:
            rows.append(
                Notification(
                    member_id=occasion.member_id,
                    kind=kind,
                    key=occasion.key,
                    actor_id=occasion.actor_id,
                    post=occasion.post,
                    thread=occasion.thread,
                    group=occasion.group,
                    room_id=occasion.message.room_id if occasion.message else None,
                    message=occasion.message,
                    details=dict(occasion.details),
                    at=now,
                    on_site=wishes.wanted(occasion.member_id, kind, Channel.SITE),
                )
            )
    asked = {(row.member_id, row.key) for row in rows}
    before = set(
        Notification.objects.filter(
            member__in=[member for member, _ in asked], key__in={key for _, key in asked}
        ).values_list("member_id", "key")
    )
    fresh = [row for row in rows if (row.member_id, row.key) not in before]
    # Told meanwhile by another worker: its row stands, and ours has no number.
    Notification.objects.bulk_create(fresh, ignore_conflicts=True)
    numbers = {
        (member, key): pk
        for member, key, pk in Notification.objects.filter(
            member__in=[row.member_id for row in fresh], key__in={row.key for row in fresh}, at=now
        ).values_list("member_id", "key", "pk")
    }
    written = []
    for row in fresh:
        if pk := numbers.get((row.member_id, row.key)):
            row.pk = pk
            written.append(row)
    _send_later(written, wishes, now)
    quiet = {(one.member_id, one.key) for one in occasions if one.is_quiet}
    live.hint(
        row.member_id for row in written if row.on_site and (row.member_id, row.key) not in quiet
    )
    return written


def _send_later(rows: Sequence[Notification], wishes: Wishes, now: datetime) -> None:
    with_device = set(
        PushSubscription.objects.filter(member__in=[row.member_id for row in rows]).values_list(
            "member", flat=True
        )
    )
    Sending.objects.bulk_create(
        (
            Sending(
                member_id=row.member_id,
                what=Sending.What.NOTIFICATION,
                channel=channel,
                notification=row,
                key=f"notification:{row.pk}",
                due_at=now + timedelta(seconds=_delay(row.kind, channel)),
            )
            for row in rows
            for channel in (Channel.EMAIL, Channel.PUSH)
            if wishes.wanted(row.member_id, row.kind, channel)
            and (channel == Channel.EMAIL or row.member_id in with_device)
        ),
        ignore_conflicts=True,
    )


def _delay(kind: str, channel: str) -> int:
    """Seconds. Who is written to in chat mostly looks by themselves: letters are for the rest."""
    if kind in CHAT_KINDS and channel == Channel.EMAIL:
        return settings.NOTIFY_DELAY_SECONDS["chat_email"]
    return settings.NOTIFY_DELAY_SECONDS[channel]


@transaction.atomic
def tell_of_reaction(*, post: Post, actor: Member) -> Notification | None:
    """Tell the post's author that somebody reacted: on the unread row of the post, if there is one.

    The first reaction of each person to a post is told, whatever they take back and give again.
    """
    author = post.author
    if actor.pk == author.pk or deaf_to(actor.pk, [author.pk]):
        return None
    # Held till the end, so that two who react at once do not both open a row.
    Post.objects.select_for_update(no_key=True).only("pk").get(pk=post.pk)
    if Told.objects.filter(post=post, actor=actor).exists():
        return None
    row = Notification.objects.filter(
        member=author, post=post, kind=Kind.REACTION, read_at=None
    ).first()
    if row is None:
        told = tell(
            [
                Occasion(
                    author.pk,
                    [Kind.REACTION],
                    f"reaction:{post.pk}:{actor.pk}",
                    actor_id=actor.pk,
                    post=post,
                    thread=post.thread,
                )
            ]
        )
        if not told:
            return None
        row = told[0]
    else:
        Notification.objects.filter(pk=row.pk).update(
            actor=actor, actor_count=F("actor_count") + 1, at=timezone.now()
        )
        row.refresh_from_db()
        if row.on_site:
            live.hint([author.pk])
    Told.objects.create(notification=row, post=post, actor=actor)
    return row


# -- wishes -----------------------------------------------------------------------------------


class Wishes:
    """What each of `members` wants to hear of, and where. One query."""

    def __init__(self, members: Collection[int]) -> None:
        self.chosen = {
            (member_id, kind, channel): wanted
            for member_id, kind, channel, wanted in ChannelChoice.objects.filter(
                member__in=members
            ).values_list("member_id", "kind", "channel", "wanted")
        }

    def wanted(self, member_id: int, kind: str, channel: str) -> bool:
        return self.chosen.get((member_id, kind, channel), channel in DEFAULTS[kind])

    def any(self, member_id: int, kind: str) -> bool:
        return any(self.wanted(member_id, kind, channel) for channel in Channel.values)


def preferences_of(member: Member) -> Preferences:
    """The member's preferences; an unsaved row with the defaults when they have none."""
    return Preferences.objects.filter(member=member).first() or Preferences(member=member)


@transaction.atomic
def choose(
    *,
    member: Member,
    wanted: Mapping[tuple[str, str], bool],
    email_when: str,
    quiet: tuple[time, time] | None,
    digest: str,
    time_zone: str,
) -> Preferences:
    """Keep what a member wants to hear of: `wanted` by (kind, channel). Absent ones stay."""
    if time_zone != member.time_zone:
        Member.objects.filter(pk=member.pk).update(time_zone=time_zone)
        member.time_zone = time_zone
    for (kind, channel), yes in wanted.items():
        want(member, kind, channel, yes)
    row, _ = Preferences.objects.select_for_update().get_or_create(member=member)
    row.email_when = EmailWhen(email_when)
    row.quiet_from, row.quiet_until = quiet or (None, None)
    row.digest = DigestEvery(digest)
    row.digest_due_at = (
        None
        if row.digest == DigestEvery.NEVER
        else next_digest(timezone.now(), member.time_zone, row.digest)
    )
    row.save()
    return row


def want(member: Member, kind: str, channel: str, yes: bool) -> None:
    """Keep one choice; what is as by default needs no row."""
    if yes == (channel in DEFAULTS[kind]):
        ChannelChoice.objects.filter(member=member, kind=kind, channel=channel).delete()
    else:
        ChannelChoice.objects.update_or_create(
            member=member, kind=kind, channel=channel, defaults={"wanted": yes}
        )


def mute_thread(member: Member, thread: Thread) -> None:
    """Tell the member nothing more of the thread."""
    follow(member=member, what=thread, level=FollowLevel.MUTED)


@transaction.atomic
def stop_emails(member: Member, kind: str | None = None) -> None:
    """Write no more e-mails of one kind; of any, nor digests, when None."""
    if kind is not None:
        want(member, kind, Channel.EMAIL, False)
        return
    stop_digest(member)
    Preferences.objects.update_or_create(member=member, defaults={"email_when": EmailWhen.NEVER})


def stop_digest(member: Member) -> None:
    Preferences.objects.filter(member=member).update(digest=DigestEvery.NEVER, digest_due_at=None)


def held_until(member: Member, at: datetime) -> datetime | None:
    """When the member's quiet hours around `at` end; None when nothing holds a message."""
    return quiet_until(at, member.time_zone, preferences_of(member).quiet)


@transaction.atomic
def add_push_subscription(
    member: Member, *, endpoint: str, p256dh: str, auth: str
) -> PushSubscription:
    """Keep a browser to push to. Who signs in there last has it; a member keeps the newest few."""
    row, _ = PushSubscription.objects.update_or_create(
        endpoint=endpoint,
        defaults={
            "member": member,
            "p256dh": p256dh,
            "auth": auth,
            "created_at": timezone.now(),
            "failures": 0,
            "wait_until": None,
        },
    )
    kept = PushSubscription.objects.filter(member=member).order_by("-created_at", "-pk")
    old = list(kept.values_list("pk", flat=True)[SUBSCRIPTIONS_MAX:])
    PushSubscription.objects.filter(pk__in=old).delete()
    return row


# -- reading ----------------------------------------------------------------------------------


def mark_read(notification: Notification, *, read: bool = True) -> None:
    """Mark one row as read, or as not read. Tells the member's other pages."""
    if not read and notification.kind == Kind.REACTION:
        return  # Reactions since may have a row of their own, and there is one at a time.
    changed = Notification.objects.filter(pk=notification.pk, read_at__isnull=read).update(
        read_at=timezone.now() if read else None
    )
    if changed:
        live.hint([notification.member_id])


def mark_all_read(member: Member) -> int:
    """Mark all that is listed as read; returns how many were not."""
    count = Notification.objects.filter(member=member, read_at=None).update(read_at=timezone.now())
    if count:
        live.hint([member.pk])
    return count


def forget_old(*, now: datetime | None = None, days: int = KEPT_DAYS) -> int:
    """Delete what was read, sent or came in `days` ago or earlier; returns how many rows went."""
    before = (now or timezone.now()) - timedelta(days=days)
    gone, _ = Notification.objects.filter(read_at__lt=before).delete()
    sendings, _ = Sending.objects.filter(created_at__lt=before).exclude(state="due").delete()
    letters, _ = InboundEmail.objects.filter(received_at__lt=before).delete()
    return gone + sendings + letters
