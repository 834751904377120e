"""A member's own data: a copy of it, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.members.web import MemberRequest, member_required, wants_delete
from community.privacy.erasing import ask_for_erasure, cancel_erasure, erasure_of
from community.privacy.errors import ErasureAsked, InTheWay, PrivacyRefusal
from community.privacy.exporting import ask_for_export, path_of
from community.privacy.forms import ErasureForm
from community.privacy.models import Export
from config.personal import obstacles_of

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


def confirmed(view: Callable[P, R]) -> Callable[P, R]:
    """Ask who is signed in to show again that it is them, unless they did a moment ago."""
    return cast(Callable[P, R], reauthentication_required(view))


@require_GET
@never_cache
@member_required
def data(request: MemberRequest) -> HttpResponse:
    """What one can do with one's data, and how far it is. Three queries beside the frame's."""
    return _data(request)


def _data(request: MemberRequest, *, refusal: str = "", status: int = 200) -> HttpResponse:
    context = {
        "export": _latest(request),
        "erasure": erasure_of(request.user),
        "refusal": refusal,
        "days": settings.EXPORT_DAYS,
    }
    return render(request, "community/privacy/show.html", context, status=status)


@require_POST
@member_required
@confirmed
def ask(request: MemberRequest) -> HttpResponse:
    """Begin a copy; who is signed in shows again that it is them."""
    try:
        ask_for_export(request.user)
    except PrivacyRefusal as refused:
        return _data(request, refusal=str(refused), status=409)
    return redirect("my_data")


@require_GET
@never_cache
@member_required
def progress(request: MemberRequest) -> HttpResponse:
    """How far the copy is, asked every other second while it is being made."""
    context = {"export": _latest(request), "days": settings.EXPORT_DAYS}
    return render(request, "community/privacy/_export.html", context)


@require_GET
@never_cache
@confirmed
def fetch(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The archive, to its member alone; 404 to everybody else, and after its week."""
    found = Export.objects.visible_to(request.user).downloadable()
    export = get_object_or_404(found.select_related("member"), pk=export_id)
    try:
        archive = path_of(export).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    name = f"{slugify(settings.SITE_NAME)}-{export.member.handle}-{export.asked_at:%Y-%m-%d}.zip"
    return FileResponse(
        archive,
        as_attachment=True,
        filename=name,
        content_type="application/zip",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


@require_http_methods(["GET", "POST", "DELETE"])
@never_cache
@member_required
def erasure(request: MemberRequest) -> HttpResponse:
    """GET: what erasing means. POST asks for it. DELETE takes it back while it waits."""
    if wants_delete(request):
        try:
            cancel_erasure(request.user)
        except PrivacyRefusal as refused:
            return _data(request, refusal=str(refused), status=409)
        return redirect("my_data")
    if request.method == "POST":
        return _ask_for_erasure(request)
    return _erasure(request, ErasureForm())


@confirmed
def _ask_for_erasure(request: MemberRequest) -> HttpResponse:
    form = ErasureForm(request.POST)
    if not form.is_valid():
        return _erasure(request, form, status=422)
    try:
        ask_for_erasure(request.user)
    except InTheWay:
        return _erasure(request, form, status=409)
    except ErasureAsked:
        pass  # pressed twice
    return redirect("my_data")


def _erasure(request: MemberRequest, form: ErasureForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "erasure": erasure_of(request.user),
        "obstacles": obstacles_of(request.user.pk),
        "days": settings.ERASURE_WAIT_DAYS,
    }
    return render(request, "community/privacy/erasure.html", context, status=status)


def _latest(request: MemberRequest) -> Export | None:
    return Export.objects.visible_to(request.user).order_by("-asked_at").first()
