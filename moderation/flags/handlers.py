"""Telling members what moderators decided about what they wrote or reported."""

from __future__ import annotations

from django.urls import reverse

from community.notifications.models import Kind
from community.notifications.services import notify
from moderation.audit.models import AuditEntry
from moderation.events import ContentShownAgain, DecisionMade
from moderation.flags.holding import was_held
from moderation.flags.models import Case, Decision, Outcome


def tell_of_decision(event: DecisionMade) -> None:
    """Tell the author what was hidden and why, and those who flagged how it ended.

    Of what was kept the author hears nothing: nobody need know that they were reported. What was
    held for review they know of, so they are told that it is shown.
    """
    decision = Decision.objects.select_related("case__author").get(pk=event.decision_id)
    hidden = decision.outcome == Outcome.HIDE
    if hidden:
        notify(
            member=decision.case.author,
            kind=Kind.DECISION,
            key=f"decision:{decision.pk}",
            details={
                "about": "hidden",
                "words": decision.reason,
                "address": reverse("decisions"),
            },
        )
    elif was_held(decision.case):
        notify(
            member=decision.case.author,
            kind=Kind.DECISION,
            key=f"decision:{decision.pk}",
            details={"about": "shown"},
        )
    for flag in decision.case.flags.select_related("member").filter(member__is_active=True):
        notify(
            member=flag.member,
            kind=Kind.DECISION,
            key=f"decision:{decision.pk}",
            details={"about": "agreed" if hidden else "kept"},
        )


def tell_of_return(event: ContentShownAgain) -> None:
    """Tell the author that what was hidden can be read again."""
    case = Case.objects.select_related("author").get(pk=event.case_id)
    entry = AuditEntry.objects.get(pk=event.audit_entry_id)
    notify(
        member=case.author,
        kind=Kind.DECISION,
        key=f"shown:{entry.pk}",
        details={"about": "shown", "words": entry.reason, "address": reverse("decisions")},
    )
