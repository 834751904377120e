"""Linking listings on a thread, and deciding about what is shown."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from commerce.listings.addresses import host_of
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from commerce.merchants.services import role_of
from commerce.placements import services
from commerce.placements.errors import NotYours, PlacementRefusal
from commerce.placements.forms import FindListingForm
from commerce.placements.linking import read_addresses
from commerce.placements.models import Placement, PlacementState
from community.groups.services import membership_of
from community.members.models import Member
from community.members.web import MemberRequest, ensure_not_silenced, member_required
from community.threads.models import Post, Thread
from config.paging import whole_number

FOUND_MAX: Final = 20


@require_http_methods(["GET", "POST"])
@member_required
def thread_listings(request: MemberRequest, thread_id: int) -> HttpResponse:
    """Find a listing (`q`) and show it on the thread, or beside the post `post` of it.

    POST takes `listing`, an id. What may be found: one's own, the group's, and any by address.
    """
    thread = get_object_or_404(
        Thread.objects.visible_to(request.user).select_related("group"), pk=thread_id
    )
    post = _post_of(request, thread)
    membership = membership_of(request.user, thread.group)
    if not services.may_link(membership, thread):
        raise PermissionDenied(gettext("Only members of the group link listings in its threads."))
    if request.method == "POST":
        ensure_not_silenced(request.user)
        return _place(request, thread, post)
    form = FindListingForm(request.GET)
    words = form.cleaned_data["q"].strip() if form.is_valid() else ""
    return _find_page(request, thread, post, form, words)


def _place(request: MemberRequest, thread: Thread, post: Post | None) -> HttpResponse:
    wanted = request.POST.get("listing", "")
    pk = whole_number(wanted) or 0
    listing = get_object_or_404(Listing.objects.visible_to(request.user), pk=pk)
    try:
        services.place_listing(listing=listing, thread=thread, post=post, by=request.user)
    except PlacementRefusal as refusal:
        form = FindListingForm({"q": request.POST.get("q", "")})
        form.is_valid()
        words = form.cleaned_data.get("q", "").strip()
        return _find_page(request, thread, post, form, words, refusal=refusal, status=422)
    messages.success(request, gettext("%(title)s is linked.") % {"title": listing.title})
    return redirect(post or thread)


def _find_page(
    request: MemberRequest,
    thread: Thread,
    post: Post | None,
    form: FindListingForm,
    words: str,
    *,
    refusal: PlacementRefusal | None = None,
    status: int = 200,
) -> HttpResponse:
    shown = Placement.objects.filter(thread=thread, post=post, state=PlacementState.PLACED)
    return render(
        request,
        "commerce/placements/_found.html"
        if getattr(request, "htmx", False) and request.method == "GET"
        else "commerce/placements/find.html",
        {
            "thread": thread,
            "post": post,
            "form": form,
            "words": words,
            "found": _find(request.user, thread, words),
            "already": set(shown.values_list("listing_id", flat=True)),
            "refusal": refusal,
        },
        status=status,
    )


def _find(member: Member, thread: Thread, words: str) -> list[Listing]:
    """Return listings to link: one's own and the group's by words, or any by its address."""
    rows = Listing.objects.visible_to(member).linkable().shown_to_readers_of(thread.group)
    keys, own_pages = read_addresses(words, site_host=host_of(settings.SITE_URL))
    if keys or own_pages:
        rows = rows.filter(Q(url_key__in=list(keys)) | Q(pk__in=list(own_pages)))
    else:
        own = Q(merchant__in=Merchant.objects.run_by(member))
        rows = rows.filter(own | Q(group=thread.group))
        for word in words.split()[:8]:
            rows = rows.filter(
                Q(title__icontains=word) | Q(brand__icontains=word) | Q(model__icontains=word)
            )
    return list(rows.with_card().order_by("-published_at", "-pk")[:FOUND_MAX])


def _post_of(request: MemberRequest, thread: Thread) -> Post | None:
    wanted = request.POST.get("post", "") or request.GET.get("post", "")
    if not wanted:
        return None
    pk = whole_number(wanted) or 0
    return get_object_or_404(Post.objects.visible_to(request.user), pk=pk, thread=thread)


@require_POST
@member_required
def removal(request: MemberRequest, placement_id: int) -> HttpResponse:
    """Take a listing away from where it is shown, or say no to a suggestion."""
    placement = _placement_or_404(request, placement_id)
    was = placement.state
    if role_of(request.user, placement.listing.merchant) is None:
        ensure_not_silenced(request.user)  # the seller takes their own listing away at any time
    try:
        services.remove_placement(placement=placement, by=request.user)
    except NotYours as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    if was == PlacementState.SUGGESTED:
        messages.success(request, gettext("Noted: that listing is not suggested here again."))
    else:
        messages.success(
            request,
            gettext("%(title)s is no longer shown here.") % {"title": placement.listing.title},
        )
    return _back(placement)


@require_POST
@member_required
def confirmation(request: MemberRequest, placement_id: int) -> HttpResponse:
    """Show what the job only suggested."""
    placement = _placement_or_404(request, placement_id)
    ensure_not_silenced(request.user)
    try:
        services.confirm_suggestion(placement=placement, by=request.user)
    except NotYours as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except PlacementRefusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            gettext("%(title)s is shown beside the post.") % {"title": placement.listing.title},
        )
    return _back(placement)


def _placement_or_404(request: MemberRequest, placement_id: int) -> Placement:
    """A placement in a thread the member may read, of a listing they may see."""
    return get_object_or_404(
        Placement.objects.filter(
            thread__in=Thread.objects.visible_to(request.user),
            listing__in=Listing.objects.visible_to(request.user),
        ).select_related("listing__merchant", "thread__group", "post"),
        pk=placement_id,
    )


def _back(placement: Placement) -> HttpResponse:
    if placement.post_id:
        return redirect(reverse("post", args=[placement.post_id]))
    return redirect(placement.thread)
