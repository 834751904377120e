"""Bookmarks: keeping a post, and the list of what one keeps."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import trigger_client_event

from community.bookmarks.forms import BookmarkForm
from community.bookmarks.models import Bookmark
from community.bookmarks.services import keep_bookmark
from community.members.web import MemberRequest, member_required, safe_next, wants_delete
from community.threads.markup import plain_text
from community.threads.models import Post
from community.threads.texts import excerpt_of
from config.paging import whole_number

BOOKMARKS_PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A bookmark of the list; `post` is None when the member may no longer read it."""

    bookmark: Bookmark
    post: Post | None

    @property
    def words(self) -> str:
        return excerpt_of(plain_text(self.post.body)) if self.post else ""


@require_GET
@member_required
def mine(request: MemberRequest) -> HttpResponse:
    """The member's bookmarks, newest first, keyset `before=<id>`; `q` looks in their notes."""
    found = Bookmark.objects.filter(member=request.user).order_by("-pk")
    wanted = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:100]
    if wanted:
        found = found.filter(note__icontains=wanted)
    before = whole_number(request.GET.get("before"))
    if before is not None:
        found = found.filter(pk__lt=before)
    kept = list(found[: BOOKMARKS_PER_PAGE + 1])
    more = len(kept) > BOOKMARKS_PER_PAGE
    kept = kept[:BOOKMARKS_PER_PAGE]
    readable = Post.objects.visible_to(request.user).select_related("thread__group", "author")
    posts = readable.in_bulk([one.post_id for one in kept]) if kept else {}
    context = {
        "rows": [Row(one, posts.get(one.post_id)) for one in kept],
        "before": kept[-1].pk if more else None,
        "is_first": before is None,
        "wanted": wanted,
    }
    return render(request, "community/bookmarks/mine.html", context)


@require_http_methods(["GET", "POST", "DELETE"])
@member_required
def bookmark(request: MemberRequest, post_id: int) -> HttpResponse:
    """GET: its form. POST keeps the post, with what the form holds. DELETE lets it go.

    A post that is gone can still be let go.
    """
    kept = Bookmark.objects.filter(member=request.user, post=post_id).first()
    readable = Post.objects.visible_to(request.user).select_related("thread__group", "author")
    post = readable.filter(pk=post_id).first()
    if wants_delete(request):
        if kept is None and post is None:
            raise Http404
        if kept is not None:
            kept.delete()
        return _answered(request, post, None, _("Bookmark removed."))
    if post is None:
        raise Http404
    if request.method == "GET":
        return _form(request, post, kept, BookmarkForm(member=request.user, kept=kept))
    form = BookmarkForm(request.POST, member=request.user, kept=kept)
    if not form.is_valid():
        return _form(request, post, kept, form, status=422)
    kept = keep_bookmark(member=request.user, post=post, **form.changes)
    return _answered(request, post, kept, _("Bookmarked."))


def _form(
    request: MemberRequest, post: Post, kept: Bookmark | None, form: BookmarkForm, status: int = 200
) -> HttpResponse:
    back = request.POST.get("next") or request.GET.get("next", "")
    context = {"post": post, "thread": post.thread, "kept": kept, "form": form, "next": back}
    return render(request, "community/bookmarks/edit.html", context, status=status)


def _answered(
    request: MemberRequest, post: Post | None, kept: Bookmark | None, said: str
) -> HttpResponse:
    if request.htmx and post is not None:  # type: ignore[attr-defined]
        context = {"post": post, "kept": kept}
        response = render(request, "community/bookmarks/_act.html", context)
        told = {"post": post.pk, "kept": kept is not None}
        return trigger_client_event(response, "bookmarked", told)
    messages.success(request, said)
    return redirect(safe_next(request) or (post.place if post else "bookmarks"))
