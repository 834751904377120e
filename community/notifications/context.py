"""The badge of every member's page. Its count travels with the groups of the nav: one query."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from django.db.models import IntegerField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from community.groups.context import groups_of_nav
from community.groups.models import Group
from community.members.models import Member
from community.notifications.models import Notification

COUNTED: Final = 100  # more are "99+"
_SOMEBODY: Final = -987_654_321  # stands for the member in the query that is written down once


def badge(request: HttpRequest) -> dict[str, object]:
    """Give a member's `unread_notifications`, and `nav_groups` by the same query."""
    viewer = getattr(request, "user", None)
    if not isinstance(viewer, Member):
        return {}
    asked: list[tuple[list[Group], int]] = []

    def ask() -> tuple[list[Group], int]:
        if not asked:
            groups = list(groups_of_nav(viewer, unread=_count(viewer)))
            asked.append((groups, groups[0].unread if groups else unread_count(viewer)))  # type: ignore[attr-defined]
        return asked[0]

    return {
        "nav_groups": SimpleLazyObject(lambda: ask()[0]),
        "unread_notifications": SimpleLazyObject(lambda: ask()[1]),
    }


def unread_count(member: Member) -> int:
    """How many listed notifications are unread, COUNTED at most. One query."""
    return Notification.objects.listed_for(member).unread()[:COUNTED].count()


def _count(member: Member) -> RawSQL:
    sql, parameters = _written()
    # Django wrote it, and the member's number is a parameter.
    return RawSQL(  # noqa: S611
        f"(SELECT count(*) FROM ({sql}) AS unread)",  # noqa: S608
        [member.pk if value == _SOMEBODY else value for value in parameters],
        output_field=IntegerField(),
    )


@cache
def _written() -> tuple[str, tuple[Any, ...]]:
    """Write the query down once a process: putting it together costs more than running it."""
    rows = Notification.objects.listed_for(Member(pk=_SOMEBODY)).unread().values("pk")[:COUNTED]
    sql, parameters = rows.query.sql_with_params()
    return sql, tuple(parameters)
