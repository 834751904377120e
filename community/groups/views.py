"""Pages of groups: directory, opening one, about, members, joining, settings."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.events import GroupChanged
from community.groups import services
from community.groups.errors import GroupRefusal, NameTaken, NotAllowed
from community.groups.forms import DirectoryForm, GroupForm, JoinRequestForm
from community.groups.models import (
    Group,
    Interest,
    Invitation,
    JoinMode,
    JoinRequest,
    Membership,
    Role,
    Template,
)
from community.members.errors import MayNotWrite
from community.members.models import Member, Viewer
from community.members.sanctions import ensure_may_write
from community.members.web import MemberRequest, member_required, safe_next, wants_delete
from config.outbox import publish
from config.paging import whole_number

GROUPS_PER_PAGE = 24
MEMBERS_PER_PAGE = 40
_NOW = {
    Role.MEMBER: gettext_lazy("%(name)s is now a member."),
    Role.MODERATOR: gettext_lazy("%(name)s is now a moderator."),
    Role.OWNER: gettext_lazy("%(name)s is now an owner."),
}


def group_or_404(request: HttpRequest, slug: str) -> Group:
    return get_object_or_404(Group.objects.visible_to(request.user), slug=slug)


def my_membership(viewer: Viewer, group: Group) -> Membership | None:
    """The viewer's place in the group: as it came with the group, else one query."""
    if not isinstance(viewer, Member):
        return None
    if getattr(group, "noted_of", None) == viewer.pk:
        place: Membership | None = group.place  # type: ignore[attr-defined]
        return place
    return services.membership_of(viewer, group)


def group_context(request: HttpRequest, group: Group, tab: str) -> dict[str, object]:
    """What the head of every page of a group needs. Two queries for a member, none for a guest.

    One less where their place came with the group.
    """
    membership = my_membership(request.user, group)
    asked = (
        membership is None
        and isinstance(request.user, Member)
        and group.join_mode == JoinMode.REQUEST
        and JoinRequest.objects.filter(group=group, member=request.user, answered_at=None).exists()
    )
    return {"group": group, "membership": membership, "asked": asked, "tab": tab}


@require_GET
def directory(request: HttpRequest) -> HttpResponse:
    """Groups by size, keyset `after=<member_count>-<id>`, filtered by words, kind and interest.

    Counts are of the groups the reader may see.
    """
    form = DirectoryForm(request.GET)
    form.is_valid()
    groups: QuerySet[Group] = Group.objects.visible_to(request.user)
    if words := form.cleaned_data.get("q"):
        groups = groups.filter(Q(name__icontains=words) | Q(about__icontains=words))
    if kind := form.cleaned_data.get("template"):
        groups = groups.filter(template=kind)
    visible = Group.objects.visible_to(request.user).values("pk")
    interests = (
        Interest.objects.annotate(n=Count("groups", filter=Q(groups__in=visible)))
        .filter(n__gt=0)
        .order_by("-n", "name")
    )
    if interest := form.cleaned_data.get("interest"):
        groups = groups.filter(interests=interest)
    size_text, _dash, last_text = request.GET.get("after", "").partition("-")
    size, last = whole_number(size_text, digits=9), whole_number(last_text)
    if size is not None and last is not None:
        groups = groups.filter(Q(member_count__lt=size) | Q(member_count=size, pk__gt=last))
    groups = groups.prefetch_related("interests").order_by("-member_count", "pk")
    rows = list(groups[: GROUPS_PER_PAGE + 1])
    more = len(rows) > GROUPS_PER_PAGE
    rows = rows[:GROUPS_PER_PAGE]
    mine: set[int] = set()
    if isinstance(request.user, Member):
        mine = set(
            Membership.objects.filter(
                member=request.user, group__in=[group.pk for group in rows]
            ).values_list("group_id", flat=True)
        )
    return render(
        request,
        "community/groups/directory.html",
        {
            "groups": rows,
            "mine": mine,
            "form": form,
            "kinds": Template.choices,
            "kind": form.cleaned_data.get("template", ""),
            "words": form.cleaned_data.get("q", ""),
            "interests": interests,
            "interest": interest,
            "after": f"{rows[-1].member_count}-{rows[-1].pk}" if more else "",
            "is_first": "after" not in request.GET,
        },
    )


@require_http_methods(["GET", "POST"])
@member_required
def new_group(request: MemberRequest) -> HttpResponse:
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ensure_may_write(request.user)
            # `template` and the others are plain strings here, checked by the form.
            fields = {**form.cleaned_data}
            interests = fields.pop("interests")
            with transaction.atomic():
                group = services.create_group(owner=request.user, **fields)
                group.interests.set(interests)
        except MayNotWrite as refusal:
            form.add_error(None, refusal.reason)
        except ValidationError:
            # Somebody else took the name between our look and our write.
            form.add_error("name", str(NameTaken.message))
        else:
            messages.success(
                request, _("%(name)s is open. Write its first thread.") % {"name": group.name}
            )
            return redirect(group)
    return render(
        request,
        "community/groups/new.html",
        {"form": form},
        status=422 if request.method == "POST" else 200,
    )


@require_GET
def about(request: HttpRequest, slug: str) -> HttpResponse:
    group = group_or_404(request, slug)
    keepers = (
        Membership.objects.filter(group=group)
        .exclude(role=Role.MEMBER)
        .select_related("member__avatar")
        .order_by("joined_at", "pk")
    )
    return render(
        request,
        "community/groups/about.html",
        {**group_context(request, group, "about"), "keepers": keepers},
    )


@require_GET
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """Who is in the group, newest last, keyset `after=<membership id>`."""
    group = group_or_404(request, slug)
    rows = Membership.objects.filter(group=group).select_related("member__avatar").order_by("pk")
    after = whole_number(request.GET.get("after"))
    if after is not None:
        rows = rows.filter(pk__gt=after)
    page = list(rows[: MEMBERS_PER_PAGE + 1])
    more = len(page) > MEMBERS_PER_PAGE
    page = page[:MEMBERS_PER_PAGE]
    context = group_context(request, group, "members")
    membership = context["membership"]
    moderates = isinstance(membership, Membership) and membership.moderates
    return render(
        request,
        "community/groups/members.html",
        {
            **context,
            "rows": page,
            "after": page[-1].pk if more else "",
            "is_first": after is None,
            "moderates": moderates,
            "roles": Role.choices,
            "join_requests": (
                JoinRequest.objects.filter(group=group, answered_at=None)
                .select_related("member__avatar")
                .order_by("asked_at")[:50]
                if moderates
                else []
            ),
            "invitations": (
                [
                    (one, request.build_absolute_uri(reverse("invitation", args=[one.token])))
                    for one in Invitation.objects.filter(
                        group=group, used_at=None, expires_at__gt=timezone.now()
                    ).order_by("-created_at")[:20]
                ]
                if moderates
                else []
            ),
        },
    )


@require_http_methods(["POST", "DELETE"])
@member_required
def membership(request: MemberRequest, slug: str) -> HttpResponse:
    """POST joins or asks to join; DELETE (or `_method=delete`) leaves."""
    group = group_or_404(request, slug)
    leaving = wants_delete(request)
    try:
        if leaving:
            services.leave_group(member=request.user, group=group)
            messages.success(request, _("You have left %(name)s.") % {"name": group.name})
            if group.is_hidden_from_outsiders:
                return redirect("groups")
        else:
            form = JoinRequestForm(request.POST)
            form.is_valid()
            result = services.join_group(
                member=request.user, group=group, message=form.cleaned_data.get("message", "")
            )
            if isinstance(result, JoinRequest):
                messages.success(request, _("Asked. A moderator will answer."))
            else:
                messages.success(request, _("Welcome to %(name)s.") % {"name": group.name})
    except GroupRefusal as refusal:
        messages.error(request, str(refusal))
    return redirect(safe_next(request) or group)


@require_POST
@member_required
def answer(request: MemberRequest, slug: str, request_id: int) -> HttpResponse:
    """A moderator answers a request to join: `accept=yes` or anything else."""
    group = group_or_404(request, slug)
    join_request = get_object_or_404(JoinRequest, pk=request_id, group=group)
    accept = request.POST.get("accept") == "yes"
    try:
        services.answer_join_request(request=join_request, by=request.user, accept=accept)
    except (NotAllowed, MayNotWrite) as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    said = _("%(name)s is in.") if accept else _("%(name)s was not let in.")
    messages.success(request, said % {"name": join_request.member.name})
    return redirect("group_members", slug=slug)


@require_POST
@member_required
def invitations(request: MemberRequest, slug: str) -> HttpResponse:
    """Invite the member `handle`, or without one make a link for anybody.

    Links that are open are listed on the members page.
    """
    group = group_or_404(request, slug)
    handle = request.POST.get("handle", "").strip().removeprefix("@").lower()
    member = Member.objects.filter(handle=handle, is_active=True).first()
    try:
        services.ensure_moderates(request.user, group)
        if not handle:
            services.invite(group=group, by=request.user)
            messages.success(request, _("The invitation is ready. Send its link to one person."))
        elif member is None:
            messages.error(request, _("Nobody here has that handle."))
        else:
            services.invite_member(group=group, member=member, by=request.user)
            messages.success(request, _("%(name)s is told.") % {"name": member.name})
    except (NotAllowed, MayNotWrite) as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    return redirect("group_members", slug=slug)


@require_http_methods(["GET", "POST"])
@member_required
def invitation(request: MemberRequest, token: str) -> HttpResponse:
    """What the holder of a link sees, and taking it up. A spent link is a page that says so."""
    found = Invitation.objects.select_related("group", "invited_by").filter(token=token).first()
    if request.method == "POST":
        try:
            group = services.accept_invitation(token=token, member=request.user)
        except GroupRefusal as refusal:
            return render(
                request, "community/groups/invitation.html", {"refusal": refusal}, status=410
            )
        messages.success(request, _("Welcome to %(name)s.") % {"name": group.name})
        return redirect(group)
    if found is None or not found.is_open:
        return render(request, "community/groups/invitation.html", {"refusal": True}, status=410)
    return render(request, "community/groups/invitation.html", {"invitation": found})


@require_POST
@member_required
def role(request: MemberRequest, slug: str, handle: str) -> HttpResponse:
    """Give a member a role, or take them out with `role=none`."""
    group = group_or_404(request, slug)
    member = get_object_or_404(Member, handle=handle, memberships__group=group)
    wanted = request.POST.get("role", "")
    try:
        if wanted == "none":
            services.remove_member(group=group, member=member, by=request.user)
            messages.success(
                request, _("%(name)s is no longer in the group.") % {"name": member.name}
            )
        elif wanted in Role.values:
            services.set_role(group=group, member=member, role=Role(wanted), by=request.user)
            messages.success(request, _NOW[Role(wanted)] % {"name": member.name})
        else:
            messages.error(request, _("There is no such role."))
    except (NotAllowed, MayNotWrite) as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except GroupRefusal as refusal:
        messages.error(request, str(refusal))
    return redirect("group_members", slug=slug)


@require_http_methods(["GET", "POST"])
@member_required
def edit(request: MemberRequest, slug: str) -> HttpResponse:
    """What the group says of itself. Owners only; others get 404, as there is nothing for them."""
    group = get_object_or_404(
        Group.objects.filter(memberships__member=request.user, memberships__role=Role.OWNER),
        slug=slug,
    )
    form = GroupForm(request.POST or None, instance=group)
    if request.method == "POST" and form.is_valid():
        try:
            ensure_may_write(request.user)
        except MayNotWrite as refusal:
            form.add_error(None, refusal.reason)
        else:
            with transaction.atomic():
                form.save()
                publish(GroupChanged(group_id=group.pk))
            messages.success(request, _("Saved."))
            return redirect("group_about", slug=slug)
    return render(
        request,
        "community/groups/edit.html",
        {"form": form, **group_context(request, Group.objects.get(pk=group.pk), "about")},
        status=422 if request.method == "POST" else 200,
    )
