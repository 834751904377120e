from __future__ import annotations

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseForbidden,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from commerce.listings.models import Listing, ListingState
from commerce.placements.models import Placement
from commerce.touchpoints.consent import (
    Choice,
    choice_of,
    cookie_visitor_id,
    forget_visitor_cookie,
    read_choice,
    remember_choice,
    remember_visitor,
    visitor_id_of,
)
from commerce.touchpoints.errors import TokenExpired, TokenForged
from commerce.touchpoints.filters import why_not_counted
from commerce.touchpoints.limits import may_store
from commerce.touchpoints.links import GoLink, read_token, with_click
from commerce.touchpoints.models import NotCounted, Touchpoint
from commerce.touchpoints.services import Recorded, Surface, forget_visitor, record_click
from community.chat.models import Message
from community.members.models import Viewer
from community.members.web import from_our_pages, safe_next
from community.threads.models import Post, Thread

log = structlog.stdlib.get_logger(__name__)


class NotHere(Exception):
    """The link leads nowhere for this reader; `why` picks the words on the page."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@require_safe
def go(request: HttpRequest, token: str) -> HttpResponse:
    """Follow a card's link: store the click and send the reader on to the listing."""
    try:
        link = read_token(token, today=timezone.now().date())
        listing = _listing(link, request.user)
        surface = _surface(link, request.user)
    except TokenExpired:
        return _not_here(request, "expired")
    except TokenForged:
        return _not_here(request, "unknown")
    except NotHere as error:
        return _not_here(request, error.why)

    not_counted = _why_not_counted(request)
    recorded = _record(request, listing, surface, not_counted)
    response: HttpResponse
    if not_counted is NotCounted.PREFETCH:
        # Refused, so that the browser asks again when the reader really clicks.
        response = HttpResponse(status=503)
        # Django would log an error for every page a browser looks ahead at.
        response._has_been_logged = True  # type: ignore[attr-defined]
    else:
        response = HttpResponseRedirect(_target(listing, recorded))
    if recorded and recorded.touchpoint.visitor_id:
        _keep_visitor(request, response, recorded.touchpoint)
    response.headers["Cache-Control"] = "no-store"
    # The shop learns that we sent them, not which page of ours they read.
    response.headers["Referrer-Policy"] = "origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _listing(link: GoLink, viewer: Viewer) -> Listing:
    listing = (
        Listing.objects.visible_to(viewer)
        .select_related("merchant")
        .filter(pk=link.listing)
        .exclude(state=ListingState.DRAFT)
        .first()
    )
    if listing is None:
        raise NotHere("unknown")
    if listing.state == ListingState.WITHDRAWN:
        raise NotHere("withdrawn")
    return listing


def _surface(link: GoLink, viewer: Viewer) -> Surface:
    """Return where the card stood. Raises NotHere when the reader may not see that place."""
    placement = (
        Placement.objects.select_related("placed_by").filter(pk=link.placement).first()
        if link.placement
        else None
    )
    post_id = link.post or (placement.post_id if placement else None)
    thread_id = link.thread or (placement.thread_id if placement else None)
    if link.message:
        message = (
            Message.objects.visible_to(viewer)
            .select_related("room__group", "sender")
            .filter(pk=link.message)
            .first()
        )
        if message is None:
            raise NotHere("unknown")
        return Surface(group=message.room.group, message=message, author=message.sender)
    if post_id:
        post = (
            Post.objects.visible_to(viewer)
            .select_related("thread__group", "author")
            .filter(pk=post_id)
            .first()
        )
        if post is None:
            raise NotHere("unknown")
        return Surface(group=post.thread.group, thread=post.thread, post=post, author=post.author)
    if thread_id:
        thread = (
            Thread.objects.visible_to(viewer)
            .select_related("group", "author")
            .filter(pk=thread_id)
            .first()
        )
        if thread is None:
            raise NotHere("unknown")
        # Placed on the thread as a whole: whoever placed it there brought the listing in.
        author = placement.placed_by if placement and placement.placed_by else thread.author
        return Surface(group=thread.group, thread=thread, author=author)
    return Surface()


def _why_not_counted(request: HttpRequest) -> NotCounted:
    try:
        return why_not_counted(request.method or "", request.headers)
    except Exception:
        # Most requests are readers': a fault of ours must not cost an author their click.
        log.exception("click not classified")
        return NotCounted.NO


def _record(
    request: HttpRequest, listing: Listing, surface: Surface, not_counted: NotCounted
) -> Recorded | None:
    if not may_store(request):
        return None
    try:
        return record_click(
            listing=listing,
            surface=surface,
            at=timezone.now(),
            not_counted=not_counted,
            consent=choice_of(request) is Choice.YES,
            visitor_id=visitor_id_of(request),
            member=request.user if request.user.is_authenticated else None,
        )
    except DatabaseError:
        # A lock that took too long, say: the reader wants the listing, not our bookkeeping.
        log.exception("click not stored", listing=listing.pk)
        return None


def _target(listing: Listing, recorded: Recorded | None) -> str:
    """The listing's own address; its page here when it has none, or when it is sold."""
    if not listing.url or listing.state == ListingState.SOLD:
        return listing.get_absolute_url()
    return with_click(listing.url, recorded.click_id) if recorded else listing.url


def _keep_visitor(request: HttpRequest, response: HttpResponse, touch: Touchpoint) -> None:
    # Set once and not renewed: the cookie ends when it was said to end.
    if touch.visitor_id is not None and touch.visitor_id != visitor_id_of(request):
        remember_visitor(response, touch.visitor_id)


def _not_here(request: HttpRequest, why: str) -> HttpResponse:
    response = render(request, "commerce/touchpoints/gone.html", {"why": why}, status=404)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@never_cache
@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept about readers, in plain words, and the place to change one's choice."""
    context = {
        "choice": choice_of(request),
        "asks_consent": True,
        "window_days": settings.CLICK_WINDOW_SECONDS // 86_400,
    }
    return render(request, "commerce/touchpoints/privacy.html", context)


# Readers' pages carry no token of their own, so that they can be cached; where the form was sent
# from is checked instead.
@csrf_exempt
@require_http_methods(["GET", "POST"])
def consent(request: HttpRequest) -> HttpResponse:
    """Keep the reader's choice; saying no also forgets the visitor this browser was.

    A plain visit leads to the privacy page, where the choice is explained and made.
    """
    if request.method == "GET":
        return redirect(f"{reverse('privacy')}#choice")
    if not from_our_pages(request):
        return HttpResponseForbidden(gettext("This form is only for our own pages."))
    choice = read_choice(request.POST.get("choice", ""))
    if choice is None:
        return HttpResponseBadRequest(gettext("Choose yes or no."))
    swapped: bool = request.htmx  # type: ignore[attr-defined]
    # By htmx the bar is swapped for nothing.
    response = HttpResponse() if swapped else redirect(safe_next(request) or "privacy")
    remember_choice(response, choice)
    if choice is Choice.NO:
        if visitor_id := cookie_visitor_id(request):
            forget_visitor(visitor_id)
        forget_visitor_cookie(response)
    return response
