"""The page that finds chat messages."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django import forms
from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from psycopg.errors import QueryCanceled

from community.chat.pages import heading_of
from community.chat.views import room_or_404
from community.members.web import MemberRequest, member_required
from community.members.zones import zone_of
from community.search.message_finding import Wanted, messages_only
from community.search.message_pages import MessageResults, message_results
from community.search.queries import QUERY_MAX_CHARS, Filter, parse
from config.paging import whole_number


class MessageSearchForm(forms.Form):
    """What narrows a search down; the same can be said in the box."""

    by = forms.CharField(
        label=_("Written by"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        help_text=_("A handle, or: me"),
    )
    since = forms.DateField(
        label=_("From this day on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Write the day as 2026-11-22.")},
    )
    until = forms.DateField(
        label=_("Until this day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Write the day as 2026-11-22.")},
    )

    def clean_by(self) -> str:
        return str(self.cleaned_data["by"]).strip().lstrip("@").lower()


@require_GET
@member_required
def search_messages(request: MemberRequest) -> HttpResponse:
    """`q` the query, `room` the number of one, `all` for every room, `sort` best, `after` a cursor.

    `by`, `since` and `until` narrow it down, days in the reader's time zone. A search PostgreSQL
    did not finish in time is answered 503 with a way on.
    """
    said = request.GET
    written = said.get("q", "")[:QUERY_MAX_CHARS]
    number = whole_number(said.get("room"))
    room = room_or_404(request, number) if number is not None else None
    form = MessageSearchForm(said)
    query = messages_only(parse(written))
    best = said.get("sort") == "best" and query.has_words
    found, too_slow, narrowed = MessageResults(), False, False
    if form.is_valid():
        data, zone = form.cleaned_data, zone_of(request.user)
        narrowed = any(data.values())
        if data["by"]:
            query = query.with_filter(Filter("by", data["by"]))
        until: date | None = data["until"]
        wanted = Wanted(
            query,
            room if not said.get("all") else None,
            _begin_of(data["since"], zone),
            _begin_of(until + timedelta(days=1), zone) if until and until < date.max else None,
        )
        if not wanted.is_empty:
            try:
                found = message_results(wanted, request.user, best=best, after=said.get("after"))
            except OperationalError as error:
                if not isinstance(error.__cause__, QueryCanceled):
                    raise
                too_slow = True
    context: dict[str, Any] = {
        "searched": written,
        "form": form,
        "narrowed": narrowed or bool(form.errors),
        "room": room,
        "heading": heading_of(room, request.user) if room is not None else "",
        "in_all": room is None or bool(said.get("all")),
        "is_empty": query.is_empty,
        "nothing_said": bool(written.strip()) and query.is_empty,
        "has_words": query.has_words,
        "best": best,
        "results": found,
        "is_first": not said.get("after"),
        "too_slow": too_slow,
    }
    return render(
        request, "community/search/messages.html", context, status=503 if too_slow else 200
    )


def _begin_of(day: date | None, zone: tzinfo) -> datetime | None:
    return datetime.combine(day, time.min, zone) if day is not None else None
