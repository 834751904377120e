"""The search page, suggestions while typing, and saved searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.db import OperationalError
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods
from psycopg.errors import QueryCanceled

from community.groups.models import Group
from community.members.models import Member
from community.members.web import MemberRequest, member_required, wants_delete
from community.search.documents import Kind
from community.search.errors import NotSaved
from community.search.forms import SavedForm, SaveForm
from community.search.models import SavedSearch
from community.search.pages import Results, results, suggestions
from community.search.queries import QUERY_MAX_CHARS, Filter, Query, parse
from community.search.saving import clean_name, save_search
from community.search.similar import similar_threads
from community.threads.models import TITLE_MAX_CHARS
from config import skeletons
from config.paging import whole_number
from config.written import Written

KINDS: Final = {
    "": pgettext_lazy("what to search", "Posts"),
    Kind.GROUP.value: pgettext_lazy("what to search", "Groups"),
    Kind.MEMBER.value: pgettext_lazy("what to search", "Members"),
}
OFFERED: Final = (
    (Filter("is", "answered"), gettext_lazy("Answered")),
    (Filter("is", "unanswered"), gettext_lazy("Without replies")),
    (Filter("is", "question"), gettext_lazy("Questions")),
    (Filter("is", "thread"), gettext_lazy("First posts only")),
    (Filter("is", "mine"), gettext_lazy("By me")),
)

# A member's search of these words, if they keep it.
_SAVED: Final = Written(
    lambda member, query: SavedSearch.objects.filter(
        RawSQL('"community_savedsearch"."query" = %s', (query,), BooleanField()), member=member
    )
)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter as a link: to the search without it, or with it."""

    words: str
    address: str


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """`q` the query, `kind` group or member, `sort` new, `exact` to mend nothing, `after` a cursor.

    A search PostgreSQL did not finish in time is answered 503 with a way on.
    """
    written = request.GET.get("q", "")[:QUERY_MAX_CHARS]
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    by_time = request.GET.get("sort") == "new"
    query = parse(written)
    found, too_slow = Results(query), False
    if not query.is_empty:
        try:
            found = results(
                query,
                request.user,
                kind=kind or Kind.POST,
                by_time=by_time,
                after=request.GET.get("after"),
                correcting=not request.GET.get("exact"),
            )
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
            too_slow = True
    saved = None
    if isinstance(request.user, Member):
        mine = SavedSearch.objects.filter(member=request.user)
        same = [] if query.is_empty else _SAVED.rows(request.user.pk, str(query))
        saved = list(mine) if query.is_empty else next(iter(same), None)
    return skeletons.page(
        request,
        "community/search/show.html",
        {
            "searched": written,
            "query": query,
            "results": found,
            "kind": kind,
            "kinds": KINDS.items(),
            "by_time": by_time or not query.has_words,
            "chosen": [
                Chip(str(one), _address(query.without_filter(one), kind, by_time))
                for one in query.filters
            ],
            "offered": _offered(request, query, kind, by_time),
            "is_first": not request.GET.get("after"),
            "nothing_said": bool(written.strip()) and query.is_empty,
            "too_slow": too_slow,
            "saved": saved,
            "may_save": isinstance(request.user, Member) and not query.is_empty and not kind,
        },
        status=503 if too_slow else 200,
    )


@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """Suggest threads, groups and members for what stands in the box so far; 204 for none."""
    query = parse(request.GET.get("q", ""))
    found = suggestions(query, request.user)
    if found.is_empty:
        return HttpResponse(status=204)
    return render(
        request, "community/search/_suggestions.html", {"found": found, "written": str(query)}
    )


@require_GET
@member_required
def similar(request: MemberRequest) -> HttpResponse:
    """Threads of `group` (an id) like `title`, while it is typed; 204 for none."""
    groups = Group.objects.visible_to(request.user)
    group = get_object_or_404(groups, pk=whole_number(request.GET.get("group")) or 0)
    title = request.GET.get("title", "").replace("\x00", "")[:TITLE_MAX_CHARS]
    threads = similar_threads(title, group, request.user)
    if not threads:
        return HttpResponse(status=204)
    return render(request, "community/search/_similar.html", {"threads": threads})


@require_http_methods(["GET", "POST"])
@member_required
def saved_searches(request: MemberRequest) -> HttpResponse:
    """The searches one keeps; POST keeps another."""
    form = SaveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            save_search(
                member=request.user,
                query=form.cleaned_data["q"],
                name=form.cleaned_data["name"],
                alert=form.cleaned_data["alert"] or SavedSearch.Alert.AT_ONCE,
            )
        except NotSaved as refused:
            form.add_error(None, refused.reason)
        else:
            messages.success(request, _("Saved. You will be told of new posts."))
            return redirect("saved_searches")
    return render(
        request,
        "community/search/saved.html",
        {
            "saved": SavedSearch.objects.filter(member=request.user),
            "alerts": SavedSearch.Alert.choices,
            "form": form,
        },
        status=422 if request.method == "POST" else 200,
    )


@require_http_methods(["POST", "DELETE"])
@member_required
def saved_search(request: MemberRequest, pk: int) -> HttpResponse:
    """Rename a saved search or change its alert; DELETE (or `_method=delete`) forgets it."""
    saved = get_object_or_404(SavedSearch, pk=pk, member=request.user)
    if wants_delete(request):
        saved.delete()
        messages.success(request, _("Forgotten."))
        return redirect("saved_searches")
    form = SavedForm(request.POST)
    if form.is_valid():
        saved.name = clean_name(form.cleaned_data["name"], saved.query)
        saved.alert = form.cleaned_data["alert"]
        saved.save(update_fields=["name", "alert"])
        messages.success(request, _("Changed."))
        return redirect("saved_searches")
    return render(
        request,
        "community/search/saved.html",
        {
            "saved": SavedSearch.objects.filter(member=request.user),
            "alerts": SavedSearch.Alert.choices,
            "form": form,
        },
        status=422,
    )


def _address(query: Query, kind: str = "", by_time: bool = False) -> str:
    said = {"q": str(query), "kind": kind, "sort": "new" if by_time else ""}
    return f"{reverse('search')}?{urlencode({k: v for k, v in said.items() if v})}"


def _offered(request: HttpRequest, query: Query, kind: str, by_time: bool) -> list[Chip]:
    """Filters not chosen yet, for posts."""
    if kind or query.is_empty:
        return []
    return [
        Chip(str(words), _address(query.with_filter(one), kind, by_time))
        for one, words in OFFERED
        if one not in query.filters and (one.value != "mine" or request.user.is_authenticated)
    ]
