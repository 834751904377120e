"""Pages of listings: one listing, selling, one's own, a group's, a shop's."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from commerce.listings import services
from commerce.listings.errors import ListingRefusal, SoldIsFinal
from commerce.listings.forms import ONESELF, ListingForm, as_typed
from commerce.listings.models import Listing, ListingKind, ListingQuerySet, ListingState
from commerce.listings.photos import Photos, read_photos
from commerce.merchants.errors import MerchantRefusal
from commerce.merchants.models import Merchant, TeamInvitation, TeamMember
from commerce.merchants.services import personal_merchant, role_of
from community.groups.models import Group, JoinMode, JoinRequest
from community.groups.services import membership_of
from community.members.models import Member
from community.members.web import (
    MemberRequest,
    ensure_not_silenced,
    member_required,
    safe_next,
)
from config.paging import EPOCH, read_time_cursor, time_cursor, whole_number

LISTINGS_PER_PAGE: Final = 24


# -- one listing ------------------------------------------------------------------------------


@require_GET
def listing(request: HttpRequest, listing_id: int) -> HttpResponse:
    """A listing for whoever may see it; its team also gets what may be done with it."""
    found = get_object_or_404(
        Listing.objects.visible_to(request.user).select_related("merchant", "group"),
        pk=listing_id,
    )
    role = role_of(request.user, found.merchant) if isinstance(request.user, Member) else None
    group = found.group
    if group is not None and group.is_hidden_from_outsiders:
        # The merchant's team sees the listing; the group it is in is another matter.
        group = Group.objects.visible_to(request.user).filter(pk=group.pk).first()
    return render(
        request,
        "commerce/listings/show.html",
        {
            "listing": found,
            "shown_group": group,
            "photos": [
                photo.image for photo in found.photos.select_related("image").order_by("position")
            ],
            "role": role,
        },
    )


@require_POST
@member_required
def state(request: MemberRequest, listing_id: int) -> HttpResponse:
    """Take a listing to the state `to`. Only its team finds it here."""
    found = _own_or_404(request, listing_id)
    wanted = request.POST.get("to", "")
    if wanted not in ListingState.values:
        messages.error(request, gettext("There is no such state."))
        return redirect(found)
    try:
        services.move_listing(listing=found, to=ListingState(wanted), by=request.user)
        messages.success(
            request,
            gettext("%(title)s is now %(state)s.")
            % {"title": found.title, "state": found.get_state_display().lower()},
        )
    except ListingRefusal as refusal:
        messages.error(request, str(refusal))
    return redirect(safe_next(request) or found)


def _own_or_404(request: MemberRequest, listing_id: int) -> Listing:
    return get_object_or_404(
        Listing.objects.filter(merchant__in=Merchant.objects.run_by(request.user)).select_related(
            "merchant", "group"
        ),
        pk=listing_id,
    )


# -- selling ----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def sell(request: MemberRequest) -> HttpResponse:
    """Write a listing: `action=publish` puts it live at once, anything else keeps a draft."""
    if request.method == "GET":
        form = ListingForm(
            member=request.user,
            initial={
                name: request.GET[name]
                for name in ("merchant", "group", "kind", "title")
                if name in request.GET
            },
        )
        return _listing_page(request, form, Photos())
    ensure_not_silenced(request.user)
    form = ListingForm(request.POST, member=request.user)
    photos = read_photos(request, owner=request.user)
    if form.is_valid() and not photos.errors:
        try:
            made = _write_new(request.user, form, photos, request.POST.get("action") == "publish")
        except ListingRefusal as refusal:
            form.refuse(refusal)
        except MerchantRefusal as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        else:
            live = made.state == ListingState.LIVE
            said = (
                gettext("%(title)s is live.") if live else gettext("%(title)s is kept as a draft.")
            )
            messages.success(request, said % {"title": made.title})
            return redirect(made)
    return _listing_page(request, form, photos, status=422)


@transaction.atomic
def _write_new(member: Member, form: ListingForm, photos: Photos, publish: bool) -> Listing:
    slug = form.cleaned_data["merchant"]
    merchant = personal_merchant(member) if slug == ONESELF else form.merchants[slug]
    made = services.create_listing(
        merchant=merchant,
        by=member,
        group=form.chosen_group(),
        photos=photos.chosen,
        **form.listing_fields(),
    )
    if publish:
        services.move_listing(listing=made, to=ListingState.LIVE, by=member)
    return made


@require_http_methods(["GET", "POST"])
@member_required
def edit(request: MemberRequest, listing_id: int) -> HttpResponse:
    found = _own_or_404(request, listing_id)
    current = [photo.image for photo in found.photos.select_related("image").order_by("position")]
    if found.state == ListingState.SOLD:
        messages.error(request, str(SoldIsFinal.message))
        return redirect(found)
    if request.method == "GET":
        form = ListingForm(member=request.user, listing=found, initial=as_typed(found))
        return _listing_page(request, form, Photos(current), listing=found)
    ensure_not_silenced(request.user)
    form = ListingForm(request.POST, member=request.user, listing=found)
    photos = read_photos(request, owner=request.user, current=current)
    if form.is_valid() and not photos.errors:
        try:
            services.update_listing(
                listing=found,
                by=request.user,
                group=form.chosen_group(),
                photos=photos.chosen,
                **form.listing_fields(),
            )
        except ListingRefusal as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, gettext("Saved."))
            return redirect(found)
    return _listing_page(request, form, photos, listing=found, status=422)


def _listing_page(
    request: MemberRequest,
    form: ListingForm,
    photos: Photos,
    *,
    listing: Listing | None = None,
    status: int = 200,
) -> HttpResponse:
    return render(
        request,
        "commerce/listings/edit.html",
        {"form": form, "photos": photos, "listing": listing},
        status=status,
    )


# -- lists ------------------------------------------------------------------------------------


@require_GET
@member_required
def mine(request: MemberRequest) -> HttpResponse:
    """The listings of all merchants the member acts for, newest first, keyset `after=<id>`."""
    teams = list(
        TeamMember.objects.filter(member=request.user)
        .select_related("merchant")
        .order_by("-merchant__kind", "merchant__name")
    )
    rows = Listing.objects.filter(merchant__in=[team.merchant_id for team in teams])
    chosen = request.GET.get("state", "")
    if chosen in ListingState.values:
        rows = rows.filter(state=chosen)
    after = whole_number(request.GET.get("after"))
    if after is not None:
        rows = rows.filter(pk__lt=after)
    page = list(rows.with_card().order_by("-pk")[: LISTINGS_PER_PAGE + 1])
    more = len(page) > LISTINGS_PER_PAGE
    page = page[:LISTINGS_PER_PAGE]
    return render(
        request,
        "commerce/listings/mine.html",
        {
            "listings": page,
            "teams": teams,
            "invitations": list(
                TeamInvitation.objects.filter(member=request.user).select_related(
                    "merchant", "invited_by"
                )
            ),
            "states": ListingState.choices,
            "chosen": chosen,
            "after": page[-1].pk if more else "",
            "is_first": after is None,
        },
    )


@require_GET
def group_listings(request: HttpRequest, slug: str) -> HttpResponse:
    """What a group's members sell: `show=wanted` or `sold`, words `q`, keyset `after`."""
    group = get_object_or_404(Group.objects.visible_to(request.user), slug=slug)
    viewer = request.user
    membership = membership_of(viewer, group) if isinstance(viewer, Member) else None
    asked = (
        isinstance(viewer, Member)
        and membership is None
        and group.join_mode == JoinMode.REQUEST
        and JoinRequest.objects.filter(group=group, member=viewer, answered_at=None).exists()
    )
    shelf = _shelf(request, Listing.objects.visible_to(viewer).filter(group=group))
    return render(
        request,
        "commerce/listings/group.html",
        {"group": group, "membership": membership, "asked": asked, "tab": "listings", **shelf},
    )


@require_GET
def shop(request: HttpRequest, slug: str) -> HttpResponse:
    """A merchant for everybody: what they say of themselves, and what they have."""
    merchant = get_object_or_404(Merchant, slug=slug)
    viewer = request.user
    role = role_of(viewer, merchant) if isinstance(viewer, Member) else None
    rows = Listing.objects.visible_to(viewer).exclude(state=ListingState.DRAFT)
    shelf = _shelf(request, rows.filter(merchant=merchant))
    return render(
        request,
        "commerce/listings/shop.html",
        {
            "merchant": merchant,
            "team": list(
                TeamMember.objects.filter(merchant=merchant)
                .select_related("member__avatar")
                .order_by("added_at", "pk")[:12]
            ),
            "role": role,
            **shelf,
        },
    )


def _shelf(request: HttpRequest, rows: ListingQuerySet) -> dict[str, object]:
    """One page of `rows` as the address asks, latest first. Two queries."""
    show = request.GET.get("show", "")
    words = " ".join(request.GET.get("q", "").split())[:80]
    if show == "sold":
        rows = rows.filter(state=ListingState.SOLD)
    else:
        wanted = ListingKind.WANTED if show == "wanted" else ListingKind.SALE
        rows = rows.filter(
            state__in=[ListingState.LIVE, ListingState.RESERVED],
            hidden_at__isnull=True,
            kind=wanted,
        )
    for word in words.split():
        rows = rows.filter(Q(title__icontains=word) | Q(brand__icontains=word))
    rows = rows.filter(published_at__isnull=False)
    after = request.GET.get("after", "")
    if place := read_time_cursor(after):
        at, pk = place
        rows = rows.filter(Q(published_at__lt=at) | Q(pk__lt=pk), published_at__lte=at)
    page = list(rows.with_card().order_by("-published_at", "-pk")[: LISTINGS_PER_PAGE + 1])
    more = len(page) > LISTINGS_PER_PAGE
    page = page[:LISTINGS_PER_PAGE]
    return {
        "listings": page,
        "show": show if show in ("sold", "wanted") else "",
        "words": words,
        "after": time_cursor(page[-1].published_at or EPOCH, page[-1].pk) if more else "",
        "is_first": not after,
    }
