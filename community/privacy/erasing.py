"""Taking a member out: asked for, waited for, then done in batches by a worker.

With the first batch the account is closed and has its neutral name; what follows empties the
tables (config/personal.py) and looks through texts. Each batch is a transaction that says in the
erasure's row how far it came, so a worker that dies leaves nothing half done, and nothing twice.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from community.events import ErasureAsked, MemberChanged
from community.members.models import NAME_MAX_CHARS, Member
from community.privacy.errors import ErasureAsked as AskedAlready
from community.privacy.errors import InTheWay, TooLate
from community.privacy.models import Erasure, ErasureState
from config import personal
from config.guest_pages import changed
from config.outbox import publish
from config.personal import Erasing

log = structlog.stdlib.get_logger(__name__)

RUN_SECONDS: Final = 25.0
TRIES_MAX: Final = 8
STOPPED_AFTER: Final = timedelta(hours=1)  # of a batch that failed TRIES_MAX times
OPEN: Final = (ErasureState.WAITING, ErasureState.WORKING)


# -- verbs ------------------------------------------------------------------------------------


@transaction.atomic
def ask_for_erasure(
    member: Member, *, by: Member | None = None, reason: str = "", at_once: bool = False
) -> Erasure:
    """Have the account erased after settings.ERASURE_WAIT_DAYS, or `at_once`; `by` staff or None.

    Raises ErasureAsked, or InTheWay with what has to be settled first. Announces ErasureAsked.
    """
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    if erasure_of(member) is not None:
        raise AskedAlready
    if obstacles := personal.obstacles_of(member.pk):
        raise InTheWay(obstacles)
    now = timezone.now()
    due_at = now if at_once else now + timedelta(days=settings.ERASURE_WAIT_DAYS)
    erasure = Erasure.objects.create(
        member=member,
        asked_by=by,
        reason=reason,
        asked_at=now,
        due_at=due_at,
        next_try_at=due_at,
    )
    publish(ErasureAsked(erasure_id=erasure.pk))
    return erasure


@transaction.atomic
def cancel_erasure(member: Member) -> bool:
    """Keep the account after all; False when nobody asked to erase it. Raises TooLate."""
    erasure = (
        Erasure.objects.select_for_update()
        .filter(member=member)
        .exclude(state=ErasureState.CANCELLED)
        .first()
    )
    if erasure is None:
        return False
    if erasure.state != ErasureState.WAITING:
        raise TooLate
    erasure.state, erasure.finished_at = ErasureState.CANCELLED, timezone.now()
    erasure.save(update_fields=["state", "finished_at"])
    return True


def erasure_of(member: Member) -> Erasure | None:
    """The erasure that was asked for, is under way or done. One query."""
    return Erasure.objects.filter(member=member).exclude(state=ErasureState.CANCELLED).first()


def due() -> list[int]:
    """Return the erasures that wait for a worker, longest waiting first."""
    waiting = Erasure.objects.filter(
        state__in=OPEN, due_at__lte=timezone.now(), next_try_at__lte=timezone.now()
    )
    return list(waiting.order_by("next_try_at").values_list("pk", flat=True)[:100])


def erase(erasure_id: int, *, seconds: float = RUN_SECONDS) -> bool:
    """Work on an erasure for about `seconds`; True when nothing is left to do on it now."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not _count_try(erasure_id):
            return True
        try:
            if not _batch(erasure_id):
                return True
        except Exception:
            log.exception("erasure failed", erasure=erasure_id)
            Erasure.objects.filter(pk=erasure_id).update(
                next_try_at=timezone.now() + timedelta(minutes=1)
            )
            return True
    return False


# -- inside -----------------------------------------------------------------------------------


@transaction.atomic
def _count_try(erasure_id: int) -> bool:
    """Count a try before it is made; after TRIES_MAX it waits for an hour and begins to count anew.

    An erasure is never given up: it was promised.
    """
    erasure = _locked(erasure_id)
    if erasure is None:
        return False
    erasure.tries += 1
    if erasure.tries > TRIES_MAX:
        erasure.tries, erasure.next_try_at = 0, timezone.now() + STOPPED_AFTER
    erasure.save(update_fields=["tries", "next_try_at"])
    return erasure.tries > 0


def _locked(erasure_id: int) -> Erasure | None:
    """The row if it is due and no other worker is at it."""
    now = timezone.now()
    return (
        Erasure.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("member")
        .filter(pk=erasure_id, state__in=OPEN, due_at__lte=now, next_try_at__lte=now)
        .first()
    )


@transaction.atomic
def _batch(erasure_id: int) -> bool:
    """Do the next batch; False when another worker is at it or nothing is left."""
    erasure = _locked(erasure_id)
    if erasure is None:
        return False
    if erasure.state == ErasureState.WAITING:
        return _begin(erasure)
    steps = personal.steps()
    names = [name for name, _step in steps]
    # A step that is no longer there: all of them again, each finds what is left.
    at = names.index(erasure.step) if erasure.step in names else 0
    after = erasure.after if erasure.step in names else ""
    go_on = steps[at][1](_erasing(erasure), after)
    if go_on is not None:
        erasure.step, erasure.after = names[at], go_on
    elif at + 1 < len(names):
        erasure.step, erasure.after = names[at + 1], ""
    else:
        erasure.state, erasure.finished_at = ErasureState.DONE, timezone.now()
        erasure.was, erasure.step, erasure.after = {}, "", ""
    erasure.batches, erasure.tries = erasure.batches + 1, 0
    erasure.save()
    return erasure.state == ErasureState.WORKING


def _begin(erasure: Erasure) -> bool:
    """Close the account and give it its neutral name; put it off while something is in the way."""
    member = Member.objects.select_for_update().get(pk=erasure.member_id)
    if any(obstacle.holds for obstacle in personal.obstacles_of(member.pk)):
        # It came up since. The page says so; the account is as it was until it is settled.
        erasure.tries, erasure.next_try_at = 0, timezone.now() + STOPPED_AFTER
        erasure.save(update_fields=["tries", "next_try_at"])
        return False
    addresses = {member.email.lower()} | set(_confirmed_and_not(member))
    erasure.was = {"handle": member.handle, "name": member.name, "emails": sorted(addresses)}
    erasure.state, erasure.tries = ErasureState.WORKING, 0
    erasure.step, erasure.after = "", ""
    erasure.reason = personal.neutral(erasure.reason, _erasing(erasure))
    erasure.save()
    close(member)
    return True


def _confirmed_and_not(member: Member) -> list[str]:
    from allauth.account.models import EmailAddress

    return [
        address.lower()
        for address in EmailAddress.objects.filter(user=member).values_list("email", flat=True)
    ]


def close(member: Member) -> None:
    """Blank what the member's row says of them; the password goes, and with it every session.

    Announces MemberChanged.
    """
    member.handle, member.name = neutral_handle(member.pk), neutral_name(member.pk)
    member.email = f"{member.handle}@erased.invalid"
    member.bio = member.place = member.language = ""
    member.time_zone = "UTC"
    member.avatar = None
    member.last_login = None
    member.is_active = member.is_staff = member.is_superuser = member.is_listed = False
    member.erased_at = timezone.now()
    member.set_unusable_password()
    member.save()
    changed("threads", "thread")
    publish(MemberChanged(member_id=member.pk))


def neutral_name(member_id: int) -> str:
    """What readers see from now on; the number stays, so that a talk can still be followed."""
    with translation.override(settings.LANGUAGE_CODE):
        return (_("Former member %(number)d") % {"number": member_id})[:NAME_MAX_CHARS]


def neutral_handle(member_id: int) -> str:
    """`former-12`; nobody can sign up as that, and who could before got no mail for it."""
    handle, tried = f"former-{member_id}", 1
    while Member.objects.filter(handle=handle).exclude(pk=member_id).exists():
        tried += 1
        handle = f"former-{member_id}-{tried}"
    return handle


def _erasing(erasure: Erasure) -> Erasing:
    was: dict[str, Any] = erasure.was
    return Erasing(
        member_id=erasure.member_id,
        handle=was["handle"],
        name=was["name"],
        emails=tuple(was["emails"]),
        new_handle=neutral_handle(erasure.member_id),
        new_name=neutral_name(erasure.member_id),
    )
