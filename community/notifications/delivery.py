"""Sendings on their way out: claimed, asked once more whether they should go, sent, written down.

A row is claimed in a transaction of its own before anything leaves. If its worker dies after that,
nobody knows whether the letter went, so it is not sent again: one event never tells twice. What
a server refuses for now is tried again, less and less often.
"""

from __future__ import annotations

import contextlib
import random
import smtplib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import requests
import structlog
from allauth.account.models import EmailAddress
from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError, transaction
from django.utils import timezone

from community.chat.here import is_here
from community.members.models import Member
from community.notifications import compose, push
from community.notifications.chat import is_muted
from community.notifications.context import unread_count
from community.notifications.digest import collect
from community.notifications.models import (
    CHAT_KINDS,
    NEW_POST_KINDS,
    ONE_A_ROOM,
    Channel,
    EmailWhen,
    Kind,
    Notification,
    PushSubscription,
    Sending,
    SendingState,
)
from community.notifications.recipients import has_muted
from community.notifications.services import Wishes, held_until, preferences_of
from community.notifications.words import excerpt, sentence
from config.languages import speaking
from config.logging import without_personal

log = structlog.stdlib.get_logger(__name__)

SECONDS: Final = 40.0  # of one task, which has 50
ROWS: Final = 500
TRIES_MAX: Final = 6
RETRY_SECONDS: Final = 60
RETRY_FACTOR: Final = 4
RETRY_SECONDS_MAX: Final = 6 * 3600
PUSH_AGAIN: Final = timedelta(minutes=1)  # whether who was here, and did not look, has gone
LOOK_AGAIN: Final = timedelta(minutes=10)  # whether a member who is here has gone
WAITS_MOST: Final = timedelta(hours=24)
LOST_AFTER: Final = timedelta(minutes=10)
PUSH_FAILURES_MAX: Final = 10
SILENCED_BY_MUTE: Final = frozenset({*NEW_POST_KINDS, Kind.REACTION, Kind.ANSWER})


class NotNow(Exception):
    """It was surely not sent, and may be later."""


class Never(Exception):
    """It was surely not sent, and will not be."""


@dataclass(frozen=True, slots=True)
class PushMessage:
    """What to push to which of a member's browsers."""

    data: bytes
    topic: str
    subscriptions: tuple[PushSubscription, ...]


Message = EmailMessage | PushMessage


def send_due(channel: str, *, rows: int = ROWS, seconds: float = SECONDS) -> int:
    """Send what is due by a channel, for about `seconds`; returns how many left the house.

    Any number of workers may do so at once.
    """
    forget_lost(channel)
    until = time.monotonic() + seconds
    sent = 0
    with _mailer(channel) as mailer:
        for _ in range(rows):
            if time.monotonic() > until:
                break
            found = _claim(channel)
            if found is None:
                break
            sending, message = found
            if message is not None:
                sent += _deliver(sending, message, mailer)
    return sent


def forget_lost(channel: str) -> int:
    """Give up rows whose worker ended while it sent them; returns how many."""
    return Sending.objects.filter(
        channel=channel,
        state=SendingState.CLAIMED,
        claimed_at__lt=timezone.now() - LOST_AFTER,
    ).update(state=SendingState.DROPPED, why="its worker ended while it was being sent")


# -- claiming ---------------------------------------------------------------------------------


@transaction.atomic
def _claim(channel: str) -> tuple[Sending, Message | None] | None:
    """Take the row that is due longest: claimed with its message, or dropped or put off without.

    None when nothing is due.
    """
    now = timezone.now()
    sending = (
        Sending.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(channel=channel, state=SendingState.DUE, due_at__lte=now)
        .select_related("member")
        .order_by("due_at", "pk")
        .first()
    )
    if sending is None:
        return None
    with speaking(sending.member):
        try:
            message = _message(sending, now)
        except Never as reason:
            sending.state, sending.why = SendingState.DROPPED, str(reason)
            message = None
        except _PutOff as put_off:
            sending.due_at, sending.why = put_off.until, str(put_off)
            message = None
        except (DatabaseError, SoftTimeLimitExceeded):
            raise
        except Exception as error:
            # It stands first: without this no other would leave any more.
            log.exception("sending not written", sending=sending.pk, channel=channel)
            sending.state = SendingState.DROPPED
            sending.why = f"it could not be written: {type(error).__name__}"
            message = None
        else:
            sending.state, sending.claimed_at, sending.why = SendingState.CLAIMED, now, ""
            sending.tries += 1
    sending.save(update_fields=["state", "why", "due_at", "claimed_at", "tries"])
    return sending, message


class _PutOff(Exception):
    def __init__(self, until: datetime, why: str) -> None:
        self.until = until
        super().__init__(why)


def _message(sending: Sending, now: datetime) -> Message:
    """Write what is to be sent, if it still is. Raises Never or _PutOff."""
    member = sending.member
    if not member.is_active or member.erased_at is not None:
        raise Never("the account is closed")
    if sending.channel == Channel.EMAIL and not _has_confirmed(member):
        raise Never("the address is not confirmed")
    if sending.what == Sending.What.REFUSAL:
        return compose.of_refusal(
            member,
            reason=str(sending.details.get("reason", "")),
            answers=str(sending.details.get("answers", "")),
            subject=str(sending.details.get("subject", "")),
            number=sending.pk,
        )
    if sending.what == Sending.What.DIGEST:
        _ensure_not_quiet(member, now)
        unread, best = collect(member, datetime.fromisoformat(str(sending.details["since"])))
        if not unread and not best:
            raise Never("there is nothing to tell")
        return compose.of_digest(member, unread, best, sending.pk)
    row = _still_to_tell(sending)
    _ensure_wanted_now(sending, row, now)
    _ensure_not_quiet(member, now)
    if sending.channel == Channel.EMAIL:
        return compose.of_notification(row, member)
    return _push_message(sending, row)


def _still_to_tell(sending: Sending) -> Notification:
    """The notification, if it is unread and its member may read it and wants to hear of it."""
    member = sending.member
    row = (
        Notification.objects.visible_to(member)
        .unread()
        .filter(sendings=sending)
        .with_what_they_tell()
        .first()
    )
    if row is None:
        raise Never("read meanwhile, or not to be read any more")
    if not Wishes([member.pk]).wanted(member.pk, row.kind, sending.channel):
        raise Never("no longer wanted")
    if row.room is not None and is_muted(member, row.room):
        raise Never("the room is muted")
    thread = row.post.thread if row.post else row.thread
    if thread is not None and row.kind in SILENCED_BY_MUTE and has_muted(member, thread):
        raise Never("the thread is muted")
    return row


def _ensure_wanted_now(sending: Sending, row: Notification, now: datetime) -> None:
    if sending.channel != Channel.EMAIL:
        if row.kind in CHAT_KINDS and is_here(sending.member_id):
            # A page of ours is open and says so by itself.
            if now - sending.created_at > WAITS_MOST:
                raise Never("the member was here all the time")
            raise _PutOff(now + PUSH_AGAIN, "the member is here")
        return
    when = preferences_of(sending.member).email_when
    if when == EmailWhen.NEVER:
        raise Never("no e-mails are wanted")
    if when == EmailWhen.AWAY and is_here(sending.member_id):
        if now - sending.created_at > WAITS_MOST:
            raise Never("the member was here all the time")
        raise _PutOff(now + LOOK_AGAIN, "the member is here")


def _ensure_not_quiet(member: Member, now: datetime) -> None:
    if (until := held_until(member, now)) is not None:
        raise _PutOff(until, "quiet hours")


def _has_confirmed(member: Member) -> bool:
    kept = EmailAddress.objects.filter(user=member, email__iexact=member.email, verified=True)
    return bool(kept.exists())


def _push_message(sending: Sending, row: Notification) -> PushMessage:
    reached = sending.details.get("reached", [])
    subscriptions = PushSubscription.objects.filter(member=sending.member).exclude(pk__in=reached)
    waiting = [each for each in subscriptions if not _must_wait(each)]
    if not waiting:
        if subscriptions:
            raise _PutOff(
                min(each.wait_until or timezone.now() for each in subscriptions),
                "the push service asked for patience",
            )
        raise Never("no device")
    topic = f"post-{row.post_id}" if row.kind == Kind.REACTION else f"notification-{row.pk}"
    if row.kind in ONE_A_ROOM:
        topic = f"room-{row.room_id}"
    return PushMessage(
        data=push.payload(
            title=sentence(row),
            body=excerpt(row),
            address=row.get_absolute_url(),
            tag=topic,
            count=unread_count(sending.member),
        ),
        topic=topic,
        subscriptions=tuple(waiting),
    )


def _must_wait(subscription: PushSubscription) -> bool:
    return subscription.wait_until is not None and subscription.wait_until > timezone.now()


# -- sending ----------------------------------------------------------------------------------


def _deliver(sending: Sending, message: Message, mailer: BaseEmailBackend | None) -> int:
    """Let a claimed message go and write down how it went; 1 if it left the house."""
    try:
        if isinstance(message, PushMessage):
            _push(sending, message)
        elif mailer is not None:
            _mail(message, mailer)
    except NotNow as error:
        _try_again(sending, str(error))
        return 0
    except Never as error:
        _finish(sending, SendingState.DROPPED, str(error))
        return 0
    except Exception as error:
        # Whether it went is not known; it is not sent twice.
        log.exception("sending failed", sending=sending.pk, channel=sending.channel)
        _finish(sending, SendingState.DROPPED, f"it is not known whether it went: {error!r}")
        return 0
    _finish(sending, SendingState.SENT)
    return 1


def _finish(sending: Sending, state: SendingState, why: str = "") -> None:
    Sending.objects.filter(pk=sending.pk, state=SendingState.CLAIMED).update(
        state=state,
        why=without_personal(why)[:300],
        sent_at=timezone.now() if state == SendingState.SENT else None,
        details=sending.details,
    )


def _try_again(sending: Sending, why: str) -> None:
    if sending.tries >= TRIES_MAX:
        _finish(sending, SendingState.DROPPED, f"given up: {why}")
        return
    seconds = min(RETRY_SECONDS * RETRY_FACTOR ** (sending.tries - 1), RETRY_SECONDS_MAX)
    # Jitter: what failed together must not come back together.
    seconds *= random.uniform(0.75, 1.25)  # noqa: S311
    Sending.objects.filter(pk=sending.pk, state=SendingState.CLAIMED).update(
        state=SendingState.DUE,
        due_at=timezone.now() + timedelta(seconds=seconds),
        why=without_personal(why)[:300],
        details=sending.details,
    )


@contextlib.contextmanager
def _mailer(channel: str) -> Iterator[BaseEmailBackend | None]:
    """One connection for a batch of letters, closed at its end."""
    if channel != Channel.EMAIL:
        yield None
        return
    mailer = get_connection(fail_silently=False)
    try:
        yield mailer
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            mailer.close()


def _mail(message: EmailMessage, mailer: BaseEmailBackend) -> None:
    try:
        mailer.open()
    except (OSError, smtplib.SMTPException) as error:
        raise NotNow(f"no mail server: {type(error).__name__}") from error
    try:
        mailer.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise (Never if all(code >= 500 for code in codes) else NotNow)(
            f"the address was refused: {codes}"
        ) from error
    except (smtplib.SMTPSenderRefused, smtplib.SMTPAuthenticationError) as error:
        mailer.close()
        raise NotNow(f"we were refused: {error.smtp_code}") from error
    except smtplib.SMTPResponseException as error:
        raise (Never if error.smtp_code >= 500 else NotNow)(
            f"the letter was refused: {error.smtp_code}"
        ) from error
    except BaseException:
        mailer.close()
        raise


def _push(sending: Sending, message: PushMessage) -> None:
    """Push to each browser that was not reached yet. Raises NotNow while one of them may be."""
    reached = list(sending.details.get("reached", []))
    waiting = False
    for subscription in message.subscriptions:
        try:
            answer = push.send(subscription, message.data, topic=message.topic)
        except push.Forbidden:
            subscription.delete()
            continue
        except (requests.RequestException, OSError) as error:
            log.info("push failed", subscription=subscription.pk, error=type(error).__name__)
            waiting |= _failed(subscription)
            continue
        if answer.is_taken:
            reached.append(subscription.pk)
            PushSubscription.objects.filter(pk=subscription.pk).update(failures=0, wait_until=None)
        elif answer.is_gone:
            subscription.delete()
        elif answer.status in (400, 401, 403, 413):
            _failed(subscription)  # it will say the same of the same message
        else:
            waiting |= _failed(subscription, wait_seconds=answer.wait_seconds)
    sending.details = {**sending.details, "reached": reached}
    if waiting:
        raise NotNow("a push service could not be reached")
    if not reached:
        raise Never("no device took it")


def _failed(subscription: PushSubscription, *, wait_seconds: int = 0) -> bool:
    """Count a failure; forget a browser that fails again and again. True while it is kept."""
    if subscription.failures + 1 >= PUSH_FAILURES_MAX:
        subscription.delete()
        return False
    subscription.failures += 1
    if wait_seconds:
        subscription.wait_until = timezone.now() + timedelta(seconds=wait_seconds)
    subscription.save(update_fields=["failures", "wait_until"])
    return True
