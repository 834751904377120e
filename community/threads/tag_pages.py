"""Pages of tags: all of them with their counts, suggestions while typing, keeping them in order."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from community.groups.models import Group
from community.groups.views import group_context, group_or_404
from community.members.web import MemberRequest, member_required
from community.tags.errors import MayNotKeepTags, TagRefusal
from community.tags.forms import NewTagForm
from community.tags.models import Tag
from community.tags.services import create_tag, ensure_keeps_tags, tag_slug
from community.threads.tagging import add_synonym, drop_tag, merge_tags, rename_tag
from config.paging import whole_number

TAGS_A_PAGE = 200
SUGGESTED_AT_MOST = 8


@require_GET
def site_tags(request: HttpRequest) -> HttpResponse:
    """All tags the viewer may know, those most used first, keyset `after=<count>-<id>`."""
    tags = Tag.objects.visible_to(request.user).filter(thread_count__gt=0, synonym_of__isnull=True)
    count_text, _dash, pk_text = request.GET.get("after", "").partition("-")
    count, pk = whole_number(count_text, digits=9), whole_number(pk_text)
    if count is not None and pk is not None:
        tags = tags.filter(thread_count=count, pk__gt=pk) | tags.filter(thread_count__lt=count)
    rows = list(tags.select_related("group").order_by("-thread_count", "pk")[: TAGS_A_PAGE + 1])
    last = rows[TAGS_A_PAGE - 1] if len(rows) > TAGS_A_PAGE else None
    return render(
        request,
        "community/tags/list.html",
        {
            "tags": rows[:TAGS_A_PAGE],
            "next": f"{last.thread_count}-{last.pk}" if last else "",
            "is_first": "after" not in request.GET,
        },
    )


@require_GET
def group_tags(request: HttpRequest, slug: str) -> HttpResponse:
    """The tags of a group with their counts; its moderators go on to keeping them."""
    group = group_or_404(request, slug)
    tags = Tag.objects.filter(group=group, synonym_of__isnull=True, thread_count__gt=0)
    return render(
        request,
        "community/tags/group.html",
        {
            **group_context(request, group, "tags"),
            "tags": tags.order_by("-thread_count", "pk")[:TAGS_A_PAGE],
        },
    )


@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """Options for a field of tags in `group`: what was typed before the last comma, and a tag."""
    group = group_or_404(request, request.GET.get("group", ""))
    typed = request.GET.get("tags", "")[:200]
    before, comma, last = typed.replace("，", ",").rpartition(",")
    begins = tag_slug(last)
    tags = Tag.objects.usable_in(group)
    if begins:
        tags = tags.filter(slug__startswith=begins)
    already = {tag_slug(name) for name in before.split(",")}
    found = tags.exclude(slug__in=already).order_by("-thread_count", "pk")[:SUGGESTED_AT_MOST]
    options = [f"{before.strip()}{comma} {tag.name}".strip() for tag in found]
    return render(request, "community/tags/_options.html", {"options": options})


@require_http_methods(["GET", "POST"])
@member_required
def keep(request: MemberRequest, slug: str = "") -> HttpResponse:
    """Where a group's moderators make, rename, merge and drop its tags; the staff the site's."""
    group: Group | None = group_or_404(request, slug) if slug else None
    try:
        ensure_keeps_tags(request.user, group)
    except MayNotKeepTags as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    form = NewTagForm(request.POST if "new" in request.POST else None)
    status = 200
    if request.method == "POST":
        try:
            if "new" in request.POST:
                if form.is_valid():
                    create_tag(group=group, by=request.user, **form.cleaned_data)
                    return _kept(request, slug)
                status = 422
            else:
                _change(request, group)
                return _kept(request, slug)
        except TagRefusal as refusal:
            if "new" in request.POST:
                form.add_error("name", refusal.reason)
            else:
                messages.error(request, refusal.reason)
            status = 422
    tags = Tag.objects.filter(group=group).order_by("name")
    context: dict[str, object] = {
        "form": form,
        "group": group,
        "tags": tags.filter(synonym_of__isnull=True).prefetch_related("synonyms")[:TAGS_A_PAGE],
        "keeping": True,
    }
    if group is not None:
        context = {**context, **group_context(request, group, "tags")}
    return render(request, "community/tags/keep.html", context, status=status)


def _change(request: MemberRequest, group: Group | None) -> None:
    """Do to the tag `tag` what the button said: `do` is rename, synonym, merge or drop."""
    wanted = whole_number(request.POST.get("tag")) or 0
    tag = get_object_or_404(Tag, pk=wanted, group=group)
    name = request.POST.get("name", "")
    act = request.POST.get("do")
    if act == "rename":
        rename_tag(tag=tag, name=name, about=request.POST.get("about", ""), by=request.user)
    elif act == "synonym":
        add_synonym(tag=tag, name=name, by=request.user)
    elif act == "merge":
        into = Tag.objects.filter(group=group, slug=tag_slug(name), synonym_of=None).first()
        if into is None or into == tag:
            raise TagRefusal(_("Name another tag to merge it into."))
        merge_tags(tag=tag, into=into, by=request.user)
    elif act == "drop":
        drop_tag(tag=tag, by=request.user)


def _kept(request: HttpRequest, slug: str) -> HttpResponse:
    messages.success(request, _("Saved."))
    return redirect("keep_group_tags", slug) if slug else redirect("keep_site_tags")
