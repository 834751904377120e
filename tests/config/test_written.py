"""Queries put into SQL once a process (config/written.py)."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from community.groups.models import Group, JoinMode
from config.written import Written
from tests.factories import make_group


def test_only_what_is_asked_is_a_parameter_and_all_else_stands_in_the_text(db):
    group = make_group("darkroom", name="100% darkroom's \\ %s")
    make_group("pinhole", name="100 pinholes")
    known = Written(
        lambda pk: Group.objects.exclude(join_mode=JoinMode.HIDDEN).filter(
            pk__gte=pk, name__startswith="100% darkroom's \\ %s"
        )
    )
    with CaptureQueriesContext(connection) as spent:
        assert known.rows(1) == [group]
        assert known.rows(group.pk + 1) == []
    for query in spent.captured_queries:
        assert "'hidden'" in query["sql"]
