"""What becomes of a member's places in groups."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from community.groups.models import Group, Membership, Role
from config.personal import (
    BATCH,
    Erasing,
    Exported,
    NotExported,
    Obstacle,
    also_erase,
    declare,
    deletes,
    keeps,
    keys,
    refuse_while,
    runs,
    sets_null,
    sweeps,
)

GROUP = ("group__slug", gettext_lazy("the group's short name, as in its address"))


def register() -> None:
    declare(
        "community.Membership.member",
        Exported(
            "groups",
            gettext_lazy("The groups you are in."),
            keys(
                group=GROUP,
                role=gettext_lazy("member, moderator or owner"),
                joined_at=gettext_lazy("when you joined"),
            ),
        ),
        runs("deletes", leave_groups, "A former member is nowhere; groups count those inside."),
    )
    declare(
        "community.JoinRequest.member",
        Exported(
            "join_requests",
            gettext_lazy("Where you asked to be let in."),
            keys(
                group=GROUP,
                message=gettext_lazy("what you wrote"),
                asked_at=gettext_lazy("when you asked"),
                answered_at=gettext_lazy("when you were answered"),
                accepted=gettext_lazy("what the answer was"),
            ),
        ),
        deletes("They hold the member's own words to a few people."),
    )
    declare(
        "community.JoinRequest.answered_by",
        NotExported(gettext_lazy("The requests are those of other members.")),
        keeps("The group's record of who was let in."),
    )
    declare(
        "community.Invitation.invited_by",
        Exported(
            "invitations",
            gettext_lazy(
                "Links you made to let somebody into a group; the links themselves are secret."
            ),
            keys(
                group=GROUP,
                created_at=gettext_lazy("when you made it"),
                expires_at=gettext_lazy("until when it could be used"),
                used_at=gettext_lazy("when it was used"),
            ),
        ),
        deletes("Open links close with who gave them."),
    )
    declare(
        "community.Invitation.used_by",
        Exported(
            "invitations_used",
            gettext_lazy("Invitations you followed."),
            keys(group=GROUP, used_at=gettext_lazy("when you joined by it")),
        ),
        sets_null("The invitation is another's."),
    )
    also_erase(
        "texts of groups",
        sweeps("community.Group", "about", "rules"),
        "A group's text may name the member by handle.",
    )
    refuse_while(groups_without_another_owner)


def groups_without_another_owner(member_id: int) -> Iterator[Obstacle]:
    """A group with others in it needs an owner; one with nobody else in it does not."""
    others = Membership.objects.filter(group=OuterRef("pk")).exclude(member_id=member_id)
    owned = Group.objects.filter(memberships__member=member_id, memberships__role=Role.OWNER)
    stuck = owned.filter(Exists(others), ~Exists(others.filter(role=Role.OWNER)))
    for group in stuck.order_by("name"):
        yield Obstacle(
            _("You are the only owner of the group “%(group)s”. Make somebody else an owner.")
            % {"group": group.name},
            reverse("group_members", args=[group.slug]),
            holds=False,  # see hand_over
        )


def leave_groups(erasing: Erasing, after: str) -> str | None:
    """Leave groups a batch at a time; who owns one last is let go, asked before or alone in it."""
    some = list(
        Membership.objects.filter(member=erasing.member_id)
        .order_by("group_id")
        .values_list("group_id", flat=True)[:BATCH]
    )
    for group_id in some:
        group = Group.objects.select_for_update().get(pk=group_id)
        hand_over(group, erasing.member_id)
        gone, _rows = Membership.objects.filter(group=group, member=erasing.member_id).delete()
        if gone:
            Group.objects.filter(pk=group.pk).update(member_count=F("member_count") - 1)
    return after if len(some) == BATCH else None


def hand_over(group: Group, member_id: int) -> None:
    """Make the moderator there longest the owner, else the member there longest, if need be.

    For what came up after the member was asked: somebody joined, the other owner left.
    """
    inside = Membership.objects.filter(group=group)
    own = inside.filter(member=member_id, role=Role.OWNER)
    others = inside.exclude(member=member_id)
    if not own.exists() or others.filter(role=Role.OWNER).exists():
        return
    oldest = others.order_by("joined_at", "pk")
    heir = oldest.filter(role=Role.MODERATOR).first() or oldest.first()
    if heir is not None:
        heir.role = Role.OWNER
        heir.save(update_fields=["role"])
