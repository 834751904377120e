"""Asking the seller, and what a merchant was asked."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from commerce.asking import services
from commerce.asking.errors import OwnListing
from commerce.asking.rooms import key_of
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant
from commerce.merchants.services import role_of
from community.chat.errors import MessageRefused
from community.chat.models import Room
from community.chat.pages import rows_of
from community.members.web import MemberRequest, ensure_not_silenced, member_required


@require_POST
@member_required
def ask(request: MemberRequest, listing_id: int) -> HttpResponse:
    """Go to the room about a listing, opened when it is not there yet."""
    asked = Room.objects.filter(key=key_of(listing_id, request.user.pk)).first()
    if asked is not None:
        return redirect(asked)
    listing = get_object_or_404(
        Listing.objects.visible_to(request.user).select_related("merchant"), pk=listing_id
    )
    ensure_not_silenced(request.user)
    try:
        return redirect(services.ask_about(listing, by=request.user))
    except OwnListing:
        return redirect("merchant_questions", listing.merchant.slug)
    except MessageRefused as refusal:
        messages.error(request, refusal.reason)
        return redirect(listing)


@require_GET
@member_required
def questions(request: MemberRequest, slug: str) -> HttpResponse:
    """What a merchant was asked about their listings, for their team: the latest first."""
    merchant = get_object_or_404(Merchant.objects.run_by(request.user), slug=slug)
    context = {
        "merchant": merchant,
        "role": role_of(request.user, merchant),
        "rows": rows_of(services.questions_to(merchant), request.user),
        "most": services.QUESTIONS_SHOWN,
    }
    return render(request, "commerce/asking/questions.html", context)
