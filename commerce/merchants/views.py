"""Pages of merchants: opening a shop, what it says of itself, its team.

What everybody sees of a shop is a page of listings (listings.views.shop).
"""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from commerce.merchants import services
from commerce.merchants.errors import MerchantRefusal, NotOwner
from commerce.merchants.forms import ShopForm, TeamInvitationForm
from commerce.merchants.models import Merchant, TeamInvitation, TeamMember, TeamRole
from community.members.models import Member
from community.members.web import MemberRequest, ensure_not_silenced, member_required, wants_delete


def _own_or_404(request: MemberRequest, slug: str) -> Merchant:
    return get_object_or_404(Merchant.objects.run_by(request.user), slug=slug)


@require_http_methods(["GET", "POST"])
@member_required
def open_shop(request: MemberRequest) -> HttpResponse:
    if request.method == "POST":
        ensure_not_silenced(request.user)
    form = ShopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            shop = services.open_shop(owner=request.user, **form.cleaned_data)
        except MerchantRefusal as refusal:
            form.refuse(refusal)
        else:
            messages.success(
                request, gettext("%(name)s is open. Write its first listing.") % {"name": shop.name}
            )
            return redirect("shop", slug=shop.slug)
    status = 422 if request.method == "POST" else 200
    return render(request, "commerce/merchants/new.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@member_required
def settings(request: MemberRequest, slug: str) -> HttpResponse:
    """What a merchant says of itself. Its team reads it, its owners change it."""
    merchant = _own_or_404(request, slug)
    if request.method == "POST":
        ensure_not_silenced(request.user)
    initial = {
        "name": merchant.name,
        "about": merchant.about,
        "disclosure": merchant.disclosure,
        "host": merchant.host,
    }
    form = ShopForm(request.POST or None, initial=initial, merchant=merchant)
    if request.method == "POST" and form.is_valid():
        try:
            services.describe_merchant(merchant=merchant, by=request.user, **form.cleaned_data)
        except NotOwner as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except MerchantRefusal as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, gettext("Saved."))
            return redirect("shop", slug=merchant.slug)
    return render(
        request,
        "commerce/merchants/settings.html",
        {
            "merchant": merchant,
            "form": form,
            "role": services.role_of(request.user, merchant),
            "tab": "settings",
        },
        status=422 if request.method == "POST" else 200,
    )


@require_http_methods(["GET", "POST"])
@member_required
def team(request: MemberRequest, slug: str) -> HttpResponse:
    """Who speaks for the merchant; an owner's POST invites somebody by handle."""
    merchant = _own_or_404(request, slug)
    form = TeamInvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        handle = form.cleaned_data["handle"]
        ensure_not_silenced(request.user)
        member = Member.objects.filter(handle=handle, is_active=True).first()
        if member is None:
            form.add_error("handle", gettext("There is no member of this handle."))
        else:
            try:
                services.invite_to_team(merchant=merchant, member=member, by=request.user)
            except NotOwner as refusal:
                raise PermissionDenied(str(refusal)) from refusal
            except MerchantRefusal as refusal:
                form.add_error("handle", str(refusal))
            else:
                messages.success(
                    request,
                    gettext("%(name)s is invited, and joins by saying yes under Selling.")
                    % {"name": member.name},
                )
                return redirect("merchant_team", slug=slug)
    return render(
        request,
        "commerce/merchants/team.html",
        {
            "merchant": merchant,
            "form": form,
            "role": services.role_of(request.user, merchant),
            "team": list(
                TeamMember.objects.filter(merchant=merchant)
                .select_related("member__avatar")
                .order_by("added_at", "pk")
            ),
            "invitations": list(
                TeamInvitation.objects.filter(merchant=merchant)
                .select_related("member__avatar")
                .order_by("invited_at", "pk")
            ),
            "tab": "team",
        },
        status=422 if request.method == "POST" else 200,
    )


@require_http_methods(["POST", "DELETE"])
@member_required
def team_member(request: MemberRequest, slug: str, handle: str) -> HttpResponse:
    """POST `role=owner|staff` changes a role; DELETE (or `_method=delete`) removes or withdraws."""
    merchant = _own_or_404(request, slug)
    member = get_object_or_404(Member, handle=handle)
    try:
        if wants_delete(request):
            services.remove_team_member(merchant=merchant, member=member, by=request.user)
            messages.success(
                request,
                gettext("%(member)s no longer speaks for %(merchant)s.")
                % {"member": member.name, "merchant": merchant.name},
            )
        elif request.POST.get("role") in TeamRole.values:
            ensure_not_silenced(request.user)
            services.set_team_role(
                merchant=merchant,
                member=member,
                role=TeamRole(request.POST["role"]),
                by=request.user,
            )
            messages.success(request, gettext("Saved."))
        else:
            messages.error(request, gettext("There is no such role."))
    except NotOwner as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except MerchantRefusal as refusal:
        messages.error(request, str(refusal))
    if member.pk == request.user.pk and services.role_of(request.user, merchant) is None:
        return redirect("my_listings")
    return redirect("merchant_team", slug=slug)


@require_POST
@member_required
def invitation(request: MemberRequest, slug: str) -> HttpResponse:
    """The invited member answers: `accept=yes`, or anything else for no."""
    merchant = get_object_or_404(Merchant, slug=slug, invitations__member=request.user)
    accept = request.POST.get("accept") == "yes"
    try:
        services.answer_team_invitation(merchant=merchant, member=request.user, accept=accept)
    except MerchantRefusal as refusal:
        messages.error(request, str(refusal))
        return redirect("my_listings")
    if accept:
        messages.success(
            request,
            gettext("You now speak for %(name)s; your posts say so.") % {"name": merchant.name},
        )
        return redirect("shop", slug=slug)
    messages.success(request, gettext("Declined."))
    return redirect("my_listings")
