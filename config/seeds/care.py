"""What moderators and authors looked after: flags, decisions, suggestions of the linking job."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from commerce.placements.models import Placement
from commerce.placements.services import confirm_suggestion, remove_placement
from community.chat.models import Message
from config.seeds.script import CaseText, SuggestionText
from config.seeds.stage import Stage
from moderation.flags.models import Case, Decision, Flag, Outcome
from moderation.flags.services import decide, flag
from moderation.flags.targets import Target

DECIDED_AFTER = timedelta(hours=3)


def look_after(stage: Stage) -> None:
    """Decide about suggestions as the script says, then flag and decide cases."""
    for suggestion in stage.script.suggestions:
        _decide_suggestion(stage, suggestion)
    for case in stage.script.cases:
        _write_case(stage, case)


@transaction.atomic
def _decide_suggestion(stage: Stage, text: SuggestionText) -> None:
    placement = Placement.objects.select_related(
        "listing__merchant", "thread__group", "thread__author", "post"
    ).get(
        post=stage.posts[text.group, text.thread, text.number],
        listing=stage.listings[text.listing],
    )
    verb = confirm_suggestion if text.accept else remove_placement
    verb(placement=placement, by=stage.members[text.by])
    Placement.objects.filter(pk=placement.pk).update(
        decided_at=placement.created_at + DECIDED_AFTER
    )


@transaction.atomic
def _write_case(stage: Stage, text: CaseText) -> None:
    target = _target(stage, text)
    flags = []
    for each in text.flags:
        made = flag(
            kind=text.kind,
            target=target,
            member=stage.members[each.member],
            reason=each.reason,
            note=each.note,
        )
        Flag.objects.filter(pk=made.pk).update(flagged_at=stage.ago(hours=each.hours_ago))
        flags.append(made)
    case = Case.objects.get(pk=flags[0].case_id)
    # The audit entry keeps the time of the clock: nothing changes an entry, not even this.
    if text.decision:
        made_decision = decide(
            case=case,
            by=stage.members[text.decision.by],
            outcome=Outcome(text.decision.outcome),
            reason=text.decision.reason,
        )
        at = stage.ago(hours=text.decision.hours_ago)
        Decision.objects.filter(pk=made_decision.pk).update(decided_at=at)
        Case.objects.filter(pk=case.pk).update(closed_at=at)
        if text.decision.outcome == Outcome.HIDE:
            type(target).objects.filter(pk=target.pk).update(hidden_at=at)
    Case.objects.filter(pk=case.pk).update(
        opened_at=stage.ago(hours=max(each.hours_ago for each in text.flags)),
        last_flag_at=stage.ago(hours=min(each.hours_ago for each in text.flags)),
    )


def _target(stage: Stage, text: CaseText) -> Target:
    if text.listing:
        return stage.listings[text.listing]
    if text.says:
        return Message.objects.get(room__group=stage.groups[text.group], body__startswith=text.says)
    return stage.posts[text.group, text.thread, text.number]
