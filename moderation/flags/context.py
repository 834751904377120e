"""What stands around a flagged message: staff read it with few neighbours, and each look is noted.

Chat is for those inside; whoever flags a message asks for help with it, and shows it. See
docs/decisions/reading-chat.md.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction

from community.chat.models import Message
from community.members.models import Member
from moderation.audit.services import record
from moderation.flags.models import Case, TargetKind

BEFORE: Final = 5
AFTER: Final = 2


@transaction.atomic
def look_around(*, case: Case, target: object, by: Member) -> list[Message]:
    """The flagged message with its neighbours, in their order, while the case is open.

    Nothing for a closed case or another kind of target. Writes an audit entry, each time.
    """
    if not case.is_open or case.kind != TargetKind.MESSAGE or not isinstance(target, Message):
        return []
    rows = Message.objects.filter(room=target.room_id).select_related("sender")
    before = list(rows.filter(seq__lt=target.seq).order_by("-seq")[:BEFORE])
    after = list(rows.filter(seq__gt=target.seq).order_by("seq")[:AFTER])
    found = [*reversed(before), target, *after]
    record(
        actor=by,
        action="case.messages_read",
        target=case.target,
        subject=case.author,
        case=case.pk,
        room=target.room_id,
        seqs=[message.seq for message in found],
    )
    return found
