"""Members with confirmed addresses, groups, and who is in them in what role."""

from __future__ import annotations

import random
from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from community.groups.models import Group, Interest, Membership, Role
from community.groups.services import admit, create_group, set_role
from community.members.models import Member, TrustLevel
from community.standing.given import ensure_given
from community.standing.models import Badge
from config.seeds import DEMO_PASSWORD
from config.seeds.script import GroupText, Script
from config.seeds.stage import Stage
from moderation.queue.roles import ensure_moderator_role

STAFF = ("mo",)


@transaction.atomic
def write_members(stage: Stage) -> None:
    """Write every member of the script; STAFF get the moderator role."""
    # Hashed once: it is the same password, and a hash is meant to be slow.
    password = make_password(DEMO_PASSWORD)
    members = [
        Member(
            handle=person.handle,
            name=person.name,
            email=f"{person.handle}@shoal.example",
            bio=person.bio,
            place=person.place,
            password=password,
            joined_at=stage.ago(days=person.joined_days_ago),
            is_staff=person.handle in STAFF,
            # So far that nothing they say counts as a newcomer's; the rest is earned.
            trust_level=TrustLevel.BASIC,
            onboarded_at=stage.ago(days=person.joined_days_ago),
        )
        for person in sorted(stage.script.people, key=lambda one: -one.joined_days_ago)
    ]
    for member in members:
        member.clean_fields()
    Member.objects.bulk_create(members)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=member, email=member.email, verified=True, primary=True)
        for member in members
    )
    stage.members = {member.handle: member for member in members}
    role = ensure_moderator_role()
    for handle in STAFF:
        stage.members[handle].groups.add(role)


def write_groups(stage: Stage) -> None:
    """Open the groups, let their members in when they came, and give them their roles."""
    ensure_given(Interest, Badge)
    rng = random.Random("memberships")  # noqa: S311 - variety, not secrets
    for text in stage.each("Groups", stage.script.groups):
        stage.groups[text.slug] = _write_group(stage, text, rng)


@transaction.atomic
def _write_group(stage: Stage, text: GroupText, rng: random.Random) -> Group:
    owner = stage.members[text.owner]
    group = create_group(
        owner=owner,
        slug=text.slug,
        name=text.name,
        template=text.template,
        join_mode=text.join_mode,
        about=text.about,
        rules="\n".join(text.rules),
        glyph=text.glyph,
        tint=text.tint,
    )
    spoke = first_words(stage.script, text.slug)
    opened = min([owner.joined_at, *(stage.ago(days=days) for days in spoke.values())])
    Group.objects.filter(pk=group.pk).update(created_at=opened)
    group.interests.set(Interest.objects.filter(slug__in=text.interests))
    Membership.objects.filter(group=group, member=owner).update(joined_at=opened)
    for handle in text.members:
        member = stage.members[handle]
        if handle != text.owner:
            latest = stage.ago(days=spoke.get(handle, 20.0))
            admit(member=member, group=group, at=_between(member.joined_at, latest, opened, rng))
        if handle in text.moderators:
            set_role(group=group, member=member, role=Role.MODERATOR, by=owner)
    group.refresh_from_db()
    return group


def _between(joined: datetime, latest: datetime, opened: datetime, rng: random.Random) -> datetime:
    """A time after both the member and the group were there, before the member spoke in it."""
    earliest = min(max(joined, opened), latest)
    return earliest + (latest - earliest) * rng.betavariate(1.2, 3.0)


def first_words(script: Script, slug: str) -> dict[str, float]:
    """How many days ago each member first wrote in the group or listed something there."""
    said: dict[str, float] = {}

    def note(handle: str, days_ago: float) -> None:
        said[handle] = max(days_ago, said.get(handle, 0.0))

    for thread in script.threads:
        if thread.group == slug:
            for post in thread.posts:
                note(post.author, thread.days_ago - post.hours / 24)
    for room in script.rooms:
        if room.group == slug:
            for message in room.messages:
                note(message.author, message.hours_ago / 24)
    teams = {merchant.slug: merchant.team[0] for merchant in script.merchants}
    for listing in script.listings:
        if listing.group == slug:
            note(listing.seller or teams[listing.merchant], listing.listed_days_ago)
    return said
