"""Verbs of merchants: opening a shop, who speaks for it, what it says of itself.

Verbs that change a team lock the merchant's row first, so that its last owner is never raced.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from commerce.merchants.errors import (
    AlreadyOnTeam,
    HostFixed,
    HostTaken,
    LastOwner,
    NameTaken,
    NoInvitation,
    NotOnTeam,
    NotOwner,
    PersonalHasNoTeam,
    TeamFull,
)
from commerce.merchants.models import (
    Merchant,
    MerchantKind,
    TeamInvitation,
    TeamMember,
    TeamRole,
)
from community.members.models import Member, TrustLevel

TEAM_MAX: Final = 50
# Addresses below /merchants/ that are pages of ours.
RESERVED_SLUGS: Final = frozenset({"new"})


def slug_for(name: str) -> str:
    """Return the slug a merchant of this name has; empty when nothing of it is left."""
    return slugify(name)[:50].strip("-")


def shop_hosts(hosts: Collection[str]) -> set[str]:
    """Return those of `hosts` that are shops' websites, vouched for by a trusted member's team."""
    trusted = Merchant.objects.filter(
        host__in=[name for host in hosts for name in (host, f"www.{host}")],
        team__member__trust_level__gt=TrustLevel.NEW,
    )
    return {host.removeprefix("www.") for host in trusted.values_list("host", flat=True)}


def role_of(member: Member, merchant: Merchant) -> TeamRole | None:
    """The member's role on the team, or None for everybody else. One query."""
    role = (
        TeamMember.objects.filter(merchant=merchant, member_id=member.pk)
        .values_list("role", flat=True)
        .first()
    )
    return TeamRole(role) if role else None


def ensure_on_team(member: Member, merchant: Merchant) -> None:
    """Raise NotOnTeam unless `member` may act for the merchant."""
    if role_of(member, merchant) is None:
        raise NotOnTeam


def ensure_owns(member: Member, merchant: Merchant) -> None:
    """Raise NotOwner unless `member` owns the merchant."""
    if role_of(member, merchant) != TeamRole.OWNER:
        raise NotOwner


@transaction.atomic
def open_shop(
    *,
    owner: Member,
    name: str,
    about: str = "",
    disclosure: str = "",
    host: str = "",
    currency: str = "GBP",
    slug: str = "",
) -> Merchant:
    """Open a shop with `owner` as the first of its team.

    `slug` is made from the name unless given; `host` is a bare lower-case host name or empty.
    Raises NameTaken or HostTaken.
    """
    slug = slug or slug_for(name)
    if not slug or slug in RESERVED_SLUGS:
        raise NameTaken
    shop = Merchant(
        slug=slug, name=name, about=about, disclosure=disclosure, host=host, currency=currency
    )
    _save(shop)
    TeamMember.objects.create(merchant=shop, member=owner, role=TeamRole.OWNER)
    return shop


@transaction.atomic
def personal_merchant(member: Member) -> Merchant:
    """Return the merchant `member` sells as in person, made on the first sale."""
    # The member's row is the lock: two first sales at once make one merchant.
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    own = Merchant.objects.filter(kind=MerchantKind.PERSON).run_by(member).first()
    if own is not None:
        return own
    stem = member.handle.replace("_", "-")[:44].strip("-") or "seller"
    taken = (
        set(Merchant.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
        | RESERVED_SLUGS
    )
    number, slug = 1, stem
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    own = Merchant(slug=slug, name=member.name, kind=MerchantKind.PERSON)
    _save(own)
    TeamMember.objects.create(merchant=own, member=member, role=TeamRole.OWNER)
    return own


@transaction.atomic
def describe_merchant(
    *, merchant: Merchant, by: Member, name: str, about: str, disclosure: str, host: str
) -> Merchant:
    """Change what a merchant says of itself; its address stays.

    `host` may be set once. Raises NotOwner, HostFixed or HostTaken.
    """
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    ensure_owns(by, merchant)
    if merchant.host and host != merchant.host:
        raise HostFixed
    merchant.name, merchant.about, merchant.disclosure = name, about, disclosure
    merchant.host = host
    _save(merchant)
    return merchant


def _save(merchant: Merchant) -> None:
    try:
        with transaction.atomic():
            merchant.save()
    except IntegrityError as error:
        raise (HostTaken if "merchant_host_once" in str(error) else NameTaken) from error


@transaction.atomic
def add_team_member(
    *, merchant: Merchant, member: Member, by: Member, role: TeamRole = TeamRole.STAFF
) -> TeamMember:
    """Put `member` on the team at once: for those whose yes is known. Pages invite instead.

    Raises NotOwner, PersonalHasNoTeam, AlreadyOnTeam or TeamFull.
    """
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    ensure_owns(by, merchant)
    return _admit(merchant, member, role)


@transaction.atomic
def invite_to_team(*, merchant: Merchant, member: Member, by: Member) -> TeamInvitation:
    """Offer `member` a place on the team; inviting twice changes nothing.

    Raises NotOwner, PersonalHasNoTeam, AlreadyOnTeam or TeamFull.
    """
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    ensure_owns(by, merchant)
    _ensure_room(merchant, member)
    invitation, _ = TeamInvitation.objects.get_or_create(
        merchant=merchant, member=member, defaults={"invited_by": by}
    )
    return invitation


@transaction.atomic
def answer_team_invitation(*, merchant: Merchant, member: Member, accept: bool) -> None:
    """Say yes or no to an open invitation. Raises NoInvitation, AlreadyOnTeam or TeamFull."""
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    gone, _ = TeamInvitation.objects.filter(merchant=merchant, member=member).delete()
    if not gone:
        raise NoInvitation
    if accept:
        _admit(merchant, member, TeamRole.STAFF)


@transaction.atomic
def remove_team_member(*, merchant: Merchant, member: Member, by: Member) -> None:
    """Take `member` off the team, or withdraw their invitation. Anyone may leave by themselves.

    Raises NotOwner or LastOwner. Removing somebody who is not there changes nothing.
    """
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    if member.pk != by.pk:
        ensure_owns(by, merchant)
    TeamInvitation.objects.filter(merchant=merchant, member=member).delete()
    place = TeamMember.objects.filter(merchant=merchant, member=member).first()
    if place is None:
        return
    others = TeamMember.objects.filter(merchant=merchant, role=TeamRole.OWNER).exclude(pk=place.pk)
    if place.role == TeamRole.OWNER and not others.exists():
        raise LastOwner
    place.delete()


@transaction.atomic
def set_team_role(*, merchant: Merchant, member: Member, role: TeamRole, by: Member) -> None:
    """Make a team member owner or staff. Raises NotOwner, NotOnTeam or LastOwner."""
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    ensure_owns(by, merchant)
    owners = TeamMember.objects.filter(merchant=merchant, role=TeamRole.OWNER)
    if role != TeamRole.OWNER and not owners.exclude(member=member).exists():
        raise LastOwner
    if not TeamMember.objects.filter(merchant=merchant, member=member).update(role=role):
        raise NotOnTeam


def _admit(merchant: Merchant, member: Member, role: TeamRole) -> TeamMember:
    _ensure_room(merchant, member)
    TeamInvitation.objects.filter(merchant=merchant, member=member).delete()
    return TeamMember.objects.create(merchant=merchant, member=member, role=role)


def _ensure_room(merchant: Merchant, member: Member) -> None:
    if merchant.kind == MerchantKind.PERSON:
        raise PersonalHasNoTeam
    if TeamMember.objects.filter(merchant=merchant, member=member).exists():
        raise AlreadyOnTeam
    asked = TeamInvitation.objects.filter(merchant=merchant).exclude(member=member).count()
    if TeamMember.objects.filter(merchant=merchant).count() + asked >= TEAM_MAX:
        raise TeamFull
