"""How far one has read: what pages tell, ways to a post, what came since, who is writing."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from community.groups.models import Group, Membership
from community.groups.services import membership_of
from community.members.blocking import folded_for
from community.members.models import Member
from community.members.web import MemberRequest, ensure_not_silenced, member_required, safe_next
from community.threads.live import announce_typing
from community.threads.models import Post, Thread
from community.threads.moderating import moved_post
from community.threads.pages import for_page, last_of_page, posts_for_page, shown_posts
from community.threads.reading import mark_all_read, mark_unread, read_up_to
from community.threads.unread import first_unread
from config.paging import read_time_cursor, whole_number

NUMBER_DIGITS = 9  # of a post's number, a count, seconds


@require_POST
@member_required
def read(request: MemberRequest, thread_id: int) -> HttpResponse:
    """Note `number`, the highest post read, `seen` posts and `seconds` since the page told last.

    A script gets 204; a plain form, for pages without scripts, goes back. Two queries.
    """
    number, seen, seconds = (
        whole_number(request.POST.get(name) or "0", digits=NUMBER_DIGITS)
        for name in ("number", "seen", "seconds")
    )
    if number is None or seen is None or seconds is None:
        return HttpResponse(status=422)
    if not Thread.objects.visible_to(request.user).filter(pk=thread_id).exists():
        raise Http404
    read_up_to(member=request.user, thread_id=thread_id, number=number, seen=seen, seconds=seconds)
    if back := safe_next(request):
        return HttpResponseRedirect(back)
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
@member_required
def unread(request: MemberRequest, post_id: int) -> HttpResponse:
    """GET asks, POST makes the post and all after it unread again and leaves the thread."""
    posts = Post.objects.visible_to(request.user).select_related("thread__group", "author")
    post = get_object_or_404(posts, pk=post_id)
    if request.method == "GET":
        context = {"post": post, "thread": post.thread}
        return render(request, "community/threads/unread.html", context)
    mark_unread(member=request.user, post=post)
    messages.success(request, _("Unread again from post %(number)d on.") % {"number": post.number})
    # Staying would read it at once.
    address = post.thread.group.get_absolute_url()
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


@require_POST
@member_required
def all_read(request: MemberRequest) -> HttpResponse:
    """Mark all read: of the site, or of `group` (a slug), up to `at`, when its list was drawn."""
    group: Group | None = None
    if slug := request.POST.get("group"):
        group = get_object_or_404(Group.objects.visible_to(request.user), slug=slug)
    drawn = read_time_cursor(request.POST.get("at"))
    mark_all_read(member=request.user, group=group, up_to=drawn[0] if drawn else None)
    messages.success(request, _("All is read."))
    return redirect(safe_next(request) or (group.get_absolute_url() if group else "home"))


@require_GET
def to_unread(request: HttpRequest, thread_id: int) -> HttpResponse:
    """To the first unread post; when all is read, and for a guest, to the last one."""
    thread = _thread_or_404(request, thread_id)
    number = None
    if isinstance(request.user, Member):
        number = first_unread(request.user, thread)
    return HttpResponseRedirect(_place_near(thread, number or thread.last_number))


@require_GET
def jump(request: HttpRequest, thread_id: int) -> HttpResponse:
    """To post `number`, also where it went to another thread; else to the nearest before it."""
    thread = _thread_or_404(request, thread_id)
    number = whole_number(request.GET.get("number"), digits=NUMBER_DIGITS)
    if number is not None and (moved := moved_post(thread, number, request.user)):
        return HttpResponseRedirect(moved.get_absolute_url())
    return HttpResponseRedirect(_place_near(thread, number or 1))


@require_GET
def new_posts(request: HttpRequest, thread_id: int) -> HttpResponse:
    """The posts after number `after` as pieces, to the end of the page that the next one is on."""
    thread = _thread_or_404(request, thread_id)
    after = whole_number(request.GET.get("after"), digits=NUMBER_DIGITS)
    if after is None:
        raise Http404
    posts = posts_for_page(thread, after=after, last=last_of_page(after + 1))
    place: Membership | None = None
    if isinstance(request.user, Member):
        place = membership_of(request.user, thread.group)
    context = {
        "thread": thread,
        "posts": shown_posts(posts, thread, request.user, place),
        "folded": folded_for(request.user),
    }
    response = render(request, "community/threads/_posts.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@member_required
def typing(request: MemberRequest, thread_id: int) -> HttpResponse:
    """Say on open pages of the thread that the member is writing. Nothing is stored."""
    thread = _thread_or_404(request, thread_id)
    if thread.is_locked or membership_of(request.user, thread.group) is None:
        raise PermissionDenied
    ensure_not_silenced(request.user)
    announce_typing(request.user, thread)
    return HttpResponse(status=204)


def _thread_or_404(request: HttpRequest, thread_id: int) -> Thread:
    return get_object_or_404(for_page(Thread.objects.visible_to(request.user)), pk=thread_id)


def _place_near(thread: Thread, number: int) -> str:
    """The address of the last post up to `number`, hidden ones too: they keep their place."""
    posts = Post.objects.in_their_places().filter(thread=thread)
    post = (
        posts.filter(number__lte=number).order_by("-number").only("number").first()
        or posts.order_by("number").only("number").first()
    )
    if post is None:
        return thread.get_absolute_url()
    page = f"?page={post.page}" if post.page > 1 else ""
    return f"{thread.get_absolute_url()}{page}#p{post.number}"
