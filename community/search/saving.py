"""Verbs of saved searches, and the look for what is new."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from community.events import SavedSearchMatched
from community.members.models import Member
from community.search.documents import Kind
from community.search.errors import NothingToSave, TooManySaved
from community.search.finding import newest
from community.search.models import SAVED_NAME_MAX_CHARS, SavedSearch, SearchDocument
from community.search.queries import QUERY_MAX_CHARS, parse
from config.outbox import publish

Alert = SavedSearch.Alert

# A search is looked at this long after the last time.
EVERY: Final = {Alert.AT_ONCE: timedelta(seconds=60), Alert.DAILY: timedelta(days=1)}
# Documents get their ids before they can be seen; so long after, no lower id appears any more.
SETTLED: Final = timedelta(seconds=10)
LOOK_SECONDS: Final = 40.0


@transaction.atomic
def save_search(
    *, member: Member, query: str, name: str = "", alert: str = Alert.AT_ONCE
) -> SavedSearch:
    """Keep a search; the same query again changes its name and alert. News begin now.

    `name` is the query itself when empty. Raises NothingToSave or TooManySaved.
    """
    asked = parse(query)
    if asked.is_empty:
        raise NothingToSave
    written = str(asked)[:QUERY_MAX_CHARS]
    # The member's row, so that two requests do not both find room.
    Member.objects.select_for_update(no_key=True).only("pk").get(pk=member.pk)
    others = SavedSearch.objects.filter(member=member).exclude(query=written)
    if others.count() >= settings.SAVED_SEARCHES_MAX:
        raise TooManySaved
    saved, _ = SavedSearch.objects.update_or_create(
        member=member,
        query=written,
        defaults={"name": clean_name(name, written), "alert": alert},
        create_defaults={
            "name": clean_name(name, written),
            "alert": alert,
            "last_document_id": SearchDocument.objects.aggregate(last=Max("pk"))["last"] or 0,
        },
    )
    return saved


def clean_name(name: str, query: str) -> str:
    return (" ".join(name.split()) or query)[:SAVED_NAME_MAX_CHARS]


def look_for_news(*, at: datetime | None = None, seconds: float = LOOK_SECONDS) -> int:
    """Look at each saved search that is due, the one that waited longest first.

    Announces SavedSearchMatched once for a search, with the newest of what is new. Returns how
    many had news. Ends after about `seconds`; the rest stays due.
    """
    at = at or timezone.now()
    until = time.monotonic() + seconds
    due = Q()
    for alert, every in EVERY.items():
        due |= Q(alert=alert, looked_at__lte=at - every)
    with_news = 0
    for pk in SavedSearch.objects.filter(due).order_by("looked_at").values_list("pk", flat=True):
        if time.monotonic() > until:
            break
        with_news += _look(pk, due, at)
    return with_news


@transaction.atomic
def _look(pk: int, due: Q, at: datetime) -> bool:
    saved = (
        SavedSearch.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("member")
        .filter(due, pk=pk)
        .first()
    )
    if saved is None:
        return False
    settled = SearchDocument.objects.filter(indexed_at__lte=at - SETTLED).aggregate(last=Max("pk"))
    upto = settled["last"] or 0
    news = [
        hit
        for hit in newest(parse(saved.query), saved.member, after_id=saved.last_document_id).hits
        if hit.pk <= upto
    ]
    own = set(
        SearchDocument.objects.filter(
            pk__in=[hit.pk for hit in news], author=saved.member
        ).values_list("pk", flat=True)
    )
    others = [hit for hit in news if hit.pk not in own and hit.kind == Kind.POST]
    saved.looked_at = at
    saved.last_document_id = max(saved.last_document_id, upto)
    saved.save(update_fields=["looked_at", "last_document_id"])
    if not others or not saved.member.is_active:
        return False
    publish(
        SavedSearchMatched(
            saved_search_id=saved.pk, document_id=max(others, key=lambda hit: hit.pk).pk
        )
    )
    return True
