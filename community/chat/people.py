"""Whom one may write to, or name in a room of people."""

from __future__ import annotations

from typing import Final

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When

from community.chat.models import Place, Room
from community.groups.models import Membership
from community.members.models import Block, Member

OFFERED_MAX: Final = 8
IN_A_GROUP, ELSEWHERE = 1, 2  # as the template of mentions has it


def people_for(viewer: Member, *, beginning: str, room: Room | None = None) -> list[Member]:
    """At most OFFERED_MAX members to name in `room` of people, else whom one may write to.

    Their handle, or a word of their name, begins so. Who shares a group with the viewer comes
    first; others only when they are listed and something was typed. Neither the viewer nor who is
    blocked by or has blocked them. One query.
    """
    found = Member.objects.filter(is_active=True, erased_at=None).exclude(pk=viewer.pk)
    if beginning:
        said = Q(handle__startswith=beginning.lower()) | Q(name__istartswith=beginning)
        found = found.filter(said | Q(name__icontains=f" {beginning}"))
    near = Exists(
        Membership.objects.filter(member=OuterRef("pk"), group__memberships__member=viewer)
    )
    if room is not None:
        found = found.filter(places__room=room, places__state=Place.State.IN)
    elif beginning:
        found = found.filter(near | Q(is_listed=True))
    else:
        found = found.filter(near)
    apart = Block.objects.filter(
        Q(by=viewer, of=OuterRef("pk"), kind=Block.Kind.BLOCK)
        | Q(by=OuterRef("pk"), of=viewer, kind=Block.Kind.BLOCK)
    )
    nearness = Case(
        When(near, then=Value(IN_A_GROUP)),
        default=Value(ELSEWHERE),
        output_field=IntegerField(),
    )
    found = found.exclude(Exists(apart)).annotate(nearness=nearness)
    return list(found.order_by("nearness", "-activity", "handle")[:OFFERED_MAX])
