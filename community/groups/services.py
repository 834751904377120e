"""Verbs that change who is in a group and in what role.

Each locks the group's row first, so that its counter and its last owner are never raced.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from community.events import JoinRequestAnswered, MemberInvited, MemberJoined
from community.groups.errors import (
    AlreadyAsked,
    InvitationSpent,
    LastOwner,
    NameTaken,
    NotAllowed,
    NotInvited,
)
from community.groups.models import Group, Invitation, JoinMode, JoinRequest, Membership, Role
from community.members.models import Member
from community.members.sanctions import ensure_may_write
from config.outbox import publish
from config.written import Written

INVITATION_LIFETIME: Final = timedelta(days=14)


def membership_of(member: Member, group: Group) -> Membership | None:
    """The member's place in the group, or None for an outsider. One query."""
    return next(iter(_PLACE.rows(group.pk, member.pk)), None)


_PLACE: Final = Written(
    lambda group_pk, member_pk: Membership.objects.filter(group=group_pk, member=member_pk)
)


def ensure_moderates(member: Member, group: Group) -> None:
    """Raise NotAllowed unless `member` moderates or owns the group, MayNotWrite to who is silenced.

    One query.
    """
    membership = membership_of(member, group)
    if membership is None or not membership.moderates:
        raise NotAllowed
    ensure_may_write(member)


@transaction.atomic
def create_group(
    *,
    owner: Member,
    slug: str,
    name: str,
    template: str,
    join_mode: str = JoinMode.OPEN,
    about: str = "",
    rules: str = "",
    glyph: str = "🐟",
    tint: int = 0,
) -> Group:
    """Open a group with `owner` as its first member. Raises ValidationError on bad fields."""
    group = Group(
        slug=slug,
        name=name,
        template=template,
        join_mode=join_mode,
        about=about,
        rules=rules,
        glyph=glyph,
        tint=tint,
    )
    group.full_clean()
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError:
        # Somebody else took the name between our look and our write.
        raise ValidationError({"slug": str(NameTaken.message)}) from None
    _admit(owner, group, Role.OWNER)
    return group


@transaction.atomic
def join_group(*, member: Member, group: Group, message: str = "") -> Membership | JoinRequest:
    """Join an open group at once, or ask to join one on request.

    Joining twice changes nothing. Raises NotInvited or AlreadyAsked. Announces MemberJoined.
    """
    group = Group.objects.select_for_update().get(pk=group.pk)
    if existing := membership_of(member, group):
        return existing
    if group.join_mode == JoinMode.OPEN:
        return _admit(member, group)
    if group.join_mode == JoinMode.REQUEST:
        request, made = JoinRequest.objects.get_or_create(
            group=group, member=member, answered_at=None, defaults={"message": message}
        )
        if not made:
            raise AlreadyAsked
        return request
    raise NotInvited


@transaction.atomic
def answer_join_request(*, request: JoinRequest, by: Member, accept: bool) -> None:
    """Let somebody in, or not. Raises NotAllowed or MayNotWrite. An answered request stays.

    Announces JoinRequestAnswered.
    """
    ensure_moderates(by, request.group)
    request = JoinRequest.objects.select_for_update().select_related("group").get(pk=request.pk)
    if request.answered_at is not None:
        return
    request.answered_at, request.answered_by, request.accepted = timezone.now(), by, accept
    request.save(update_fields=["answered_at", "answered_by", "accepted"])
    publish(JoinRequestAnswered(join_request_id=request.pk))
    if accept:
        _admit(request.member, Group.objects.select_for_update().get(pk=request.group_id))


def invite(*, group: Group, by: Member) -> Invitation:
    """Make a link that lets one person in. Raises NotAllowed or MayNotWrite."""
    ensure_moderates(by, group)
    return Invitation.objects.create(
        group=group, invited_by=by, expires_at=timezone.now() + INVITATION_LIFETIME
    )


@transaction.atomic
def invite_member(*, group: Group, member: Member, by: Member) -> None:
    """Invite a member by name. Raises NotAllowed or MayNotWrite. Announces MemberInvited.

    They are sent a link of their own; whoever is in the group already hears nothing.
    """
    ensure_moderates(by, group)
    if membership_of(member, group) is None:
        publish(MemberInvited(group_id=group.pk, member_id=member.pk, by_id=by.pk))


@transaction.atomic
def accept_invitation(*, token: str, member: Member) -> Group:
    """Join by a link. Raises InvitationSpent when it was used, has expired or never was."""
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("group")
        .filter(token=token, used_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if invitation is None:
        raise InvitationSpent
    group = Group.objects.select_for_update().get(pk=invitation.group_id)
    if membership_of(member, group) is None:
        _admit(member, group)
        invitation.used_at, invitation.used_by = timezone.now(), member
        invitation.save(update_fields=["used_at", "used_by"])
    return group


@transaction.atomic
def admit(*, member: Member, group: Group, at: datetime | None = None) -> Membership:
    """Let somebody in whatever the join mode: for talk brought in from elsewhere. `at` dates it."""
    membership = _admit(member, Group.objects.select_for_update().get(pk=group.pk))
    if at is not None and at < membership.joined_at:
        membership.joined_at = at
        membership.save(update_fields=["joined_at"])
    return membership


@transaction.atomic
def leave_group(*, member: Member, group: Group) -> None:
    """Leave; leaving a group one is not in changes nothing. Raises LastOwner."""
    group = Group.objects.select_for_update().get(pk=group.pk)
    membership = membership_of(member, group)
    if membership is None:
        return
    _ensure_another_owner(membership)
    membership.delete()
    Group.objects.filter(pk=group.pk).update(member_count=F("member_count") - 1)


@transaction.atomic
def remove_member(*, group: Group, member: Member, by: Member) -> None:
    """Take somebody out of the group. Raises NotAllowed, MayNotWrite or LastOwner.

    A moderator removes members; only an owner removes a moderator or an owner.
    """
    ensure_moderates(by, group)
    group = Group.objects.select_for_update().get(pk=group.pk)
    membership = membership_of(member, group)
    if membership is None:
        return
    acting = membership_of(by, group)
    if membership.moderates and (acting is None or acting.role != Role.OWNER):
        raise NotAllowed
    leave_group(member=member, group=group)


@transaction.atomic
def set_role(*, group: Group, member: Member, role: Role, by: Member) -> None:
    """Give a member another role. Only owners may. Raises NotAllowed, MayNotWrite or LastOwner."""
    group = Group.objects.select_for_update().get(pk=group.pk)
    acting = membership_of(by, group)
    membership = membership_of(member, group)
    if acting is None or acting.role != Role.OWNER or membership is None:
        raise NotAllowed
    ensure_may_write(by)
    if role != Role.OWNER:
        _ensure_another_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])


def _ensure_another_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER:
        return
    others = Membership.objects.filter(group=membership.group_id, role=Role.OWNER)
    if not others.exclude(pk=membership.pk).exists():
        raise LastOwner


def _admit(member: Member, group: Group, role: Role = Role.MEMBER) -> Membership:
    membership, made = Membership.objects.get_or_create(
        group=group, member=member, defaults={"role": role}
    )
    if made:
        Group.objects.filter(pk=group.pk).update(member_count=F("member_count") + 1)
        JoinRequest.objects.filter(group=group, member=member, answered_at=None).update(
            answered_at=timezone.now(), answered_by=member, accepted=True
        )
        publish(MemberJoined(group_id=group.pk, member_id=member.pk))
    return membership
