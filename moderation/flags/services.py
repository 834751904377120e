"""Flagging, and deciding what was flagged."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from community.hiding.models import HIDING_REASON_MAX_CHARS
from community.members.models import Member
from config.outbox import publish
from moderation.audit.services import record
from moderation.events import ContentShownAgain, DecisionMade
from moderation.flags.errors import (
    AlreadyHidden,
    CaseClosed,
    MayNotDecide,
    OwnCase,
    OwnContent,
    ReasonMissing,
    TooManyFlags,
)
from moderation.flags.holding import is_held, released
from moderation.flags.models import Case, Decision, Flag, Outcome
from moderation.flags.targets import KINDS, Target

FLAGS_PER_DAY: Final = 30
DECIDE: Final = "moderation.add_decision"


@transaction.atomic
def flag(*, kind: str, target: Target, member: Member, reason: str, note: str = "") -> Flag:
    """Point out a target; the first flag opens its case. A second by the same member is the first.

    The caller has checked that `member` may see the target. Raises OwnContent, AlreadyHidden or
    TooManyFlags.
    """
    author = KINDS[kind].author_of(target)
    if author.pk == member.pk:
        raise OwnContent
    if target.is_hidden:
        raise AlreadyHidden
    since = timezone.now() - timedelta(days=1)
    if Flag.objects.filter(member=member, flagged_at__gt=since).count() >= FLAGS_PER_DAY:
        raise TooManyFlags
    case, _ = Case.objects.get_or_create(
        kind=kind,
        target_id=target.pk,
        closed_at=None,
        defaults={"author": author, "group": KINDS[kind].group_of(target)},
    )
    made, is_new = Flag.objects.get_or_create(
        case=case, member=member, defaults={"reason": reason, "note": note}
    )
    if is_new:
        Case.objects.filter(pk=case.pk).update(
            flag_count=F("flag_count") + 1, last_flag_at=timezone.now()
        )
    return made


@transaction.atomic
def decide(*, case: Case, by: Member, outcome: Outcome, reason: str) -> Decision:
    """Close a case: keep its target, or hide it for a reason its author reads.

    What the site itself held (flags.holding) is shown when it is kept.

    Raises MayNotDecide, OwnCase, CaseClosed or ReasonMissing. Writes an audit entry. Announces
    DecisionMade.
    """
    _ensure_may_decide(by)
    reason = _clean(reason)
    case = Case.objects.select_for_update().select_related("author").get(pk=case.pk)
    if not case.is_open:
        raise CaseClosed
    if case.author_id == by.pk:
        raise OwnCase
    at = timezone.now()
    decision = Decision.objects.create(
        case=case, outcome=outcome, reason=reason, decided_by=by, decided_at=at
    )
    case.closed_at = at
    case.save(update_fields=["closed_at"])
    if outcome == Outcome.HIDE:
        _set_hidden(case, by=by, reason=reason, hidden=True)
    else:
        _release(case)
    record(
        actor=by,
        action=f"case.{outcome}",
        target=case.target,
        subject=case.author,
        reason=reason,
        case=case.pk,
        flags=case.flag_count,
    )
    publish(DecisionMade(decision_id=decision.pk))
    return decision


@transaction.atomic
def show_again(*, case: Case, by: Member, reason: str) -> None:
    """Take a hiding back. Raises MayNotDecide or ReasonMissing. Writes an audit entry.

    The decision stays as it was made; the entry says that it no longer holds and why. Announces
    ContentShownAgain.
    """
    _ensure_may_decide(by)
    reason = _clean(reason)
    case = Case.objects.select_for_update().select_related("author").get(pk=case.pk)
    if not _set_hidden(case, by=by, reason=reason, hidden=False):
        return
    entry = record(
        actor=by,
        action="content.shown_again",
        target=case.target,
        subject=case.author,
        reason=reason,
        case=case.pk,
    )
    publish(ContentShownAgain(case_id=case.pk, audit_entry_id=entry.pk))


def _release(case: Case) -> None:
    """Show the case's target if the site itself held it."""
    kind = KINDS[case.kind]
    target: Target = kind.rows().select_for_update(of=("self",)).get(pk=case.target_id)
    if target.is_hidden and is_held(target):
        target.show()
        target.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
        kind.changed(target)
        released(target)


def _ensure_may_decide(member: Member) -> None:
    if not (member.is_active and member.is_staff and member.has_perm(DECIDE)):
        raise MayNotDecide


def _clean(reason: str) -> str:
    reason = " ".join(reason.split())[:HIDING_REASON_MAX_CHARS]
    if not reason:
        raise ReasonMissing
    return reason


def _set_hidden(case: Case, *, by: Member, reason: str, hidden: bool) -> bool:
    """Hide or show the case's target; False when it was so already."""
    kind = KINDS[case.kind]
    target: Target = kind.rows().select_for_update(of=("self",)).get(pk=case.target_id)
    if target.is_hidden == hidden and not (hidden and is_held(target)):
        return False
    if hidden:
        target.hide(by=by, reason=reason, at=timezone.now())
    else:
        target.show()
    target.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
    kind.changed(target)
    return True
