"""What views of every feature ask about the person in front of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from community.members.errors import MayNotWrite
from community.members.models import Member
from community.members.sanctions import ensure_may_write

P = ParamSpec("P")


# Asked in turn with a form that a guest sent, before they are sent to sign in: each keeps what is
# its own and returns where to come back to, or nothing. Features above join in their apps.py.
GUEST_FORMS: list[Callable[[HttpRequest], str]] = []


class MemberRequest(HttpRequest):
    """A request whose user is known to be a member."""

    user: Member


def member_required(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Send a guest to sign in and back again; htmx is told to go there with the whole page."""

    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)  # type: ignore[arg-type]
        # After a form the page it stood on is where to come back to, not the form's address.
        back = request.get_full_path()
        if request.method != "GET":
            back = "/"
            if referer := request.headers.get("HX-Current-URL") or request.headers.get("Referer"):
                parts = _split(referer)
                if parts.netloc == request.get_host():
                    back = parts.path + (f"?{parts.query}" if parts.query else "")
            back = next((place for keep in GUEST_FORMS if (place := keep(request))), back)
        if getattr(request, "htmx", False):
            address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return redirect_to_login(back)

    return wraps(view)(guarded)  # type: ignore[return-value]


def ensure_not_silenced(member: Member) -> None:
    """Answer 403 with the moderators' reason while `member` reads only. No query for others."""
    try:
        ensure_may_write(member)
    except MayNotWrite as refusal:
        raise PermissionDenied(refusal.reason) from refusal


def wants_delete(request: HttpRequest) -> bool:
    """Whether this is a DELETE, or a plain form's POST that says `_method=delete`."""
    return request.method == "DELETE" or request.POST.get("_method") == "delete"


def safe_next(request: HttpRequest) -> str:
    """The form's `next` when it is a page of ours, else an empty string."""
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # An address, not the name of a route, which `redirect` would look for.
    return back if ours and back.startswith(("/", "http://", "https://")) else ""


def from_our_pages(request: HttpRequest) -> bool:
    """Whether a form came from a page of ours, for the few that carry no token.

    Readers' pages carry none, so that they can be cached; where the form was sent from is checked
    instead.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    return origin is None or _split(origin).netloc == request.get_host()


def _split(address: str) -> SplitResult:
    """Split what a browser says of where it was, which may be anything."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
