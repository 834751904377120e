"""The badges of every member's page. Their counts travel with the groups of the nav: one query."""

from __future__ import annotations

from typing import Final

from django.db.models import IntegerField, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from community.chat.unread import unread_chat
from community.groups.context import groups_of_nav
from community.groups.models import Group
from community.members.models import Member
from community.notifications.models import Notification
from config.written import Written

COUNTED: Final = 100  # more are "99+"


def badge(request: HttpRequest) -> dict[str, object]:
    """Give a member's `unread_notifications`, `unread_chat` and `nav_groups`, by one query."""
    viewer = getattr(request, "user", None)
    if not isinstance(viewer, Member):
        return {}
    asked: list[tuple[list[Group], int, int]] = []

    def ask() -> tuple[list[Group], int, int]:
        if not asked:
            groups = _GROUPS.rows(viewer.pk)
            if groups:
                asked.append((groups, groups[0].unread, groups[0].in_chat))  # type: ignore[attr-defined]
            else:
                asked.append((groups, *_unread(viewer)))
        return asked[0]

    return {
        "nav_groups": SimpleLazyObject(lambda: ask()[0]),
        "unread_notifications": SimpleLazyObject(lambda: ask()[1]),
        "unread_chat": SimpleLazyObject(lambda: ask()[2]),
    }


def unread_count(member: Member) -> int:
    """How many listed notifications are unread, COUNTED at most. One query."""
    return Notification.objects.listed_for(member).unread()[:COUNTED].count()


def _count(member: Member) -> RawSQL:
    rows = Notification.objects.listed_for(member).unread().values("pk")[:COUNTED]
    sql, parameters = rows.query.sql_with_params()
    # Django wrote it, and the member's number is a parameter.
    return RawSQL(  # noqa: S611
        f"(SELECT count(*) FROM ({sql}) AS unread)",  # noqa: S608
        parameters,
        output_field=IntegerField(),
    )


def _groups(member_pk: int) -> QuerySet[Group]:
    member = Member(pk=member_pk)
    return groups_of_nav(member, unread=_count(member), in_chat=unread_chat(member))


def _unread(member: Member) -> tuple[int, int]:
    """Both counts of somebody in no group. One query."""
    rows = Member.objects.filter(pk=member.pk)
    counts = rows.annotate(unread=_count(member), in_chat=unread_chat(member))
    found: tuple[int, int] = counts.values_list("unread", "in_chat").get()
    return found


_GROUPS: Final = Written(_groups)
