"""The steps of a first visit, in order, and what each suggests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from community.groups.models import Group, Interest, JoinMode, Membership
from community.members.models import Member
from community.threads.models import Thread

STEPS: Final = (
    ("interests", _("Interests")),
    ("groups", _("Groups")),
    ("hello", _("Say hello")),
)
GROUPS_SUGGESTED: Final = 12
PLACES_OFFERED: Final = 8
# Tags of threads where people introduce themselves.
INTRODUCTIONS: Final = ("introductions", "introduce-yourself", "hello")


def next_step(member: Member) -> str:
    """Return the first step with nothing done yet, or the last. Two queries."""
    if not member.interests.exists():
        return "interests"
    if not Membership.objects.filter(member=member).exists():
        return "groups"
    return "hello"


def step_after(step: str) -> str:
    """Return the step that comes after `step`, or "" after the last."""
    names = [name for name, _label in STEPS]
    place = names.index(step) + 1
    return names[place] if place < len(names) else ""


def all_interests() -> QuerySet[Interest]:
    return Interest.objects.all()


def suggested_groups(member: Member) -> list[Group]:
    """Groups one can join, those that share most of the member's interests first. Two queries."""
    shared = Count("interests", filter=Q(interests__in=list(member.interests.all())))
    return list(
        Group.objects.visible_to(member)
        .filter(join_mode__in=(JoinMode.OPEN, JoinMode.REQUEST))
        .exclude(memberships__member=member)
        .annotate(shared=shared)
        .order_by("-shared", "-member_count", "pk")[:GROUPS_SUGGESTED]
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where one can say hello: a group's thread of introductions, else its chat."""

    group: Group
    thread: Thread | None

    @property
    def key(self) -> str:
        return str(self.group.pk)


def places(member: Member) -> list[Place]:
    """Return where the member can say hello, latest joined first. Two queries."""
    joined = Membership.objects.filter(member=member).select_related("group").order_by("-pk")
    groups = [one.group for one in joined[:PLACES_OFFERED]]
    threads: dict[int, Thread] = {}
    found = (
        Thread.objects.visible_to(member)
        .filter(
            group__in=groups,
            is_listed=True,
            locked_at__isnull=True,
            merged_into__isnull=True,
            tags__slug__in=INTRODUCTIONS,
        )
        .select_related("group")
        .order_by("pk")
    )
    for thread in found:
        threads.setdefault(thread.group_id, thread)
    return [Place(group, threads.get(group.pk)) for group in groups]
