"""Holding a post for review: written, hidden at once, and a case in the queue that says why.

Keeping the case shows the post and tells whom it concerns, as if it were new; hiding it leaves it
hidden for the moderator's reason.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from community.events import PostPublished
from community.hiding.models import HIDING_REASON_MAX_CHARS
from community.members.system import SYSTEM_EMAIL, system_member
from community.standing.limits import hosts_in, learn_hosts, why_hold
from community.threads.models import Post
from community.threads.services import Attempt, post_hidden_changed
from config.outbox import publish
from moderation.audit.services import record
from moderation.flags.models import NOTE_MAX_CHARS, Case, Flag, FlagReason, TargetKind
from moderation.flags.targets import Target


def hold_unknown_links(attempt: Attempt, post: Post) -> None:
    """Hold a newcomer's post that links where nobody trusted has linked to."""
    if reason := why_hold(attempt):
        hold_post(post=post, reason=reason)


@transaction.atomic
def hold_post(*, post: Post, reason: str) -> Case:
    """Hide the post until a moderator decides its case. `reason` is read by the author and them.

    Writes an audit entry in the name of the site itself.
    """
    site = system_member()
    now = timezone.now()
    post.hide(by=site, reason=reason[:HIDING_REASON_MAX_CHARS], at=now)
    post.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
    post_hidden_changed(post)
    case, _made = Case.objects.get_or_create(
        kind=TargetKind.POST,
        target_id=post.pk,
        closed_at=None,
        defaults={"author": post.author, "group": post.thread.group},
    )
    _flag, is_new = Flag.objects.get_or_create(
        case=case,
        member=site,
        defaults={"reason": FlagReason.SPAM, "note": reason[:NOTE_MAX_CHARS]},
    )
    if is_new:
        Case.objects.filter(pk=case.pk).update(flag_count=F("flag_count") + 1, last_flag_at=now)
    record(
        actor=site,
        action="content.held",
        target=case.target,
        subject=post.author,
        reason=reason[:HIDING_REASON_MAX_CHARS],
        case=case.pk,
    )
    return case


def is_held(target: Target) -> bool:
    """Whether the site itself hid it, till somebody decides."""
    return target.hidden_by is not None and target.hidden_by.email == SYSTEM_EMAIL


def was_held(case: Case) -> bool:
    return case.flags.filter(member__email=SYSTEM_EMAIL).exists()


def released(target: Target) -> None:
    """A held post is shown: where it links to is known now, and it is news to whom it concerns."""
    if isinstance(target, Post):
        learn_hosts(hosts_in(target.html))
        publish(PostPublished(post_id=target.pk))
