"""A member's page, and their settings."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from community.events import MemberChanged
from community.groups.models import Group
from community.members.models import Member
from community.members.web import MemberRequest, member_required
from community.profiles.forms import ProfileForm
from community.threads.markup import plain_text
from community.threads.models import Post
from community.uploads.errors import ImageRefused
from community.uploads.services import save_image
from config.outbox import publish
from config.paging import whole_number

POSTS_PER_PAGE = 15
GROUPS_SHOWN = 12
EXCERPT_SOURCE_CHARS = 1_000


@require_GET
def profile(request: HttpRequest, handle: str) -> HttpResponse:
    """Who somebody is and what they wrote where the reader may read; keyset `before=<post id>`.

    A closed account is 404 like one that never was. Handles are lower case; others redirect.
    """
    member = get_object_or_404(
        Member.objects.select_related("avatar"), handle=handle.lower(), is_active=True
    )
    if member.handle != handle:
        return redirect(member)
    posts = (
        Post.objects.visible_to(request.user)
        .filter(author=member, hidden_at=None)
        .select_related("thread__group")
        .defer("html")
        .order_by("-pk")
    )
    before = whole_number(request.GET.get("before"))
    if before is not None:
        posts = posts.filter(pk__lt=before)
    page = list(posts[: POSTS_PER_PAGE + 1])
    more = len(page) > POSTS_PER_PAGE
    page = page[:POSTS_PER_PAGE]
    return render(
        request,
        "community/profiles/show.html",
        {
            "member": member,
            "posts": [(post, plain_text(post.body[:EXCERPT_SOURCE_CHARS])) for post in page],
            "before": page[-1].pk if more else "",
            "is_first": before is None,
            "is_me": request.user == member,
            "groups": Group.objects.visible_to(request.user)
            .filter(memberships__member=member)
            .order_by("-member_count", "pk")[:GROUPS_SHOWN],
        },
    )


@require_http_methods(["GET", "POST"])
@member_required
def edit(request: MemberRequest) -> HttpResponse:
    """Change what others read about oneself."""
    # The form writes into its instance while it looks; the page's own member stays as it was.
    member = Member.objects.select_related("avatar").get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, request.FILES or None, instance=member)
    if request.method == "POST" and form.is_valid():
        try:
            if picture := form.cleaned_data["picture"]:
                member.avatar = save_image(owner=request.user, group=None, file=picture)
            elif form.cleaned_data.get("remove_picture"):
                member.avatar = None
        except ImageRefused as refused:
            form.add_error("picture", str(refused))
        else:
            with transaction.atomic():
                form.save()
                publish(MemberChanged(member_id=member.pk))
            messages.success(request, _("Saved."))
            return redirect(member)
    return render(
        request,
        "community/profiles/edit.html",
        {"form": form},
        status=422 if request.method == "POST" else 200,
    )
