"""What one does to a post that stands: its menu, sharing, taking away, opening it, answering.

Every act is a form of its own address, so that the pieces of a thread's page carry no rights and
no token: a post's menu asks here what this reader may do.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from community.groups.models import Membership
from community.groups.services import membership_of
from community.members.models import Member, TrustLevel, Viewer
from community.members.web import MemberRequest, member_required, wants_delete
from community.threads.editing import set_wiki
from community.threads.errors import NoQuestion, Refused
from community.threads.forms import HideForm
from community.threads.hiding import (
    delete_post,
    ensure_may_delete,
    ensure_may_hide,
    ensure_may_restore,
    hide_post,
    restore_post,
)
from community.threads.models import Post
from community.threads.services import choose_answer, takes_answer


@dataclass(frozen=True, slots=True)
class PostMenu:
    """What `viewer` may do to a post, for its menu. `membership` is theirs in its group."""

    post: Post
    viewer: Viewer
    membership: Membership | None

    @property
    def is_mine(self) -> bool:
        return self.viewer.is_authenticated and self.post.author_id == self.viewer.pk

    @property
    def moderates(self) -> bool:
        return self.membership is not None and self.membership.moderates

    @property
    def _may_change(self) -> bool:
        """In the group, and the thread is open to them."""
        return self.membership is not None and (self.moderates or not self.post.thread.is_locked)

    @property
    def may_edit(self) -> bool:
        open_to_them = self.post.is_wiki and _trust(self.viewer) >= TrustLevel.BASIC
        return self._may_change and (self.moderates or self.is_mine or open_to_them)

    @property
    def may_quote(self) -> bool:
        return self._may_change and self.post.thread.takes_replies

    @property
    def may_make_wiki(self) -> bool:
        trusted = self.is_mine and _trust(self.viewer) >= TrustLevel.REGULAR
        return self._may_change and (self.moderates or trusted)

    @property
    def may_delete(self) -> bool:
        answered = self.post.is_opening and self.post.thread.reply_count > 0
        return self.is_mine and self._may_change and not answered

    @property
    def may_hide(self) -> bool:
        return self.moderates and not self.is_mine

    @property
    def may_flag(self) -> bool:
        return self.viewer.is_authenticated and not self.is_mine

    @property
    def is_answer(self) -> bool:
        return self.post.pk == self.post.thread.answer_id

    @property
    def may_choose(self) -> bool:
        asked = self.viewer.is_authenticated and self.post.thread.author_id == self.viewer.pk
        takes = takes_answer(self.post.thread) and not self.post.is_opening
        return takes and self._may_change and (asked or self.moderates)


def _trust(viewer: Viewer) -> int:
    return viewer.trust_level if isinstance(viewer, Member) else TrustLevel.NEW


@require_GET
def more(request: HttpRequest, post_id: int) -> HttpResponse:
    """All one may do to a post: a page of its own, and to htmx what stands in the post's menu."""
    post = _shown_post_or_404(request, post_id)
    viewer = request.user
    membership = membership_of(viewer, post.thread.group) if isinstance(viewer, Member) else None
    menu = PostMenu(post, viewer, membership)
    context = {"menu": menu, "post": post, "thread": post.thread, "share": share_link(post, viewer)}
    piece = bool(request.htmx)  # type: ignore[attr-defined]
    return render(
        request,
        f"community/threads/{'_more' if piece else 'more'}.html",
        {**context, "piece": piece},
    )


def share_link(post: Post, viewer: Viewer) -> str:
    """The address to pass on. It keeps who passed it on, if a member, and nothing else."""
    source = f"?via={viewer.handle}" if isinstance(viewer, Member) else ""
    return f"{settings.SITE_URL}{post.get_absolute_url()}{source}"


@require_http_methods(["GET", "POST", "DELETE"])
@member_required
def hiding(request: MemberRequest, post_id: int) -> HttpResponse:
    """GET asks, POST takes a post away, DELETE (or `_method=delete`) brings it back.

    Authors delete, moderators of the group hide for a reason. A moderator reads here what the
    placeholder stands for.
    """
    post = get_object_or_404(_all_of(Post.objects.in_care_of(request.user)), pk=post_id)
    own = post.author_id == request.user.pk
    form = HideForm(request.POST or None) if not own and not post.is_hidden else None
    status = 200
    try:
        if wants_delete(request):
            restore_post(post=post, by=request.user)
            return _done(request, post, _("The post is back."))
        if request.method == "POST" and own:
            delete_post(post=post, by=request.user)
            return _done(request, post, _("Deleted. You can restore it from its place."))
        if request.method == "POST" and form is not None:
            ensure_may_hide(post, request.user)
            if form.is_valid():
                hide_post(post=post, by=request.user, reason=form.cleaned_data["reason"])
                return _done(request, post, _("The post is hidden."))
            status = 422
        elif post.is_hidden:
            ensure_may_restore(post, request.user)
        elif own:
            ensure_may_delete(post, request.user)
        else:
            ensure_may_hide(post, request.user)
    except Refused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    context = {"post": post, "thread": post.thread, "form": form, "own": own}
    return render(request, "community/threads/hiding.html", context, status=status)


@require_http_methods(["POST", "DELETE"])
@member_required
def wiki(request: MemberRequest, post_id: int) -> HttpResponse:
    """POST opens a post to all members of the group, DELETE closes it again."""
    post = _shown_post_or_404(request, post_id)
    closing = wants_delete(request)
    try:
        set_wiki(post=post, by=request.user, is_wiki=not closing)
    except Refused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    said = _("Only its author edits it now.") if closing else _("Members can edit this post now.")
    return _done(request, post, said)


@require_http_methods(["POST", "DELETE"])
@member_required
def answer(request: MemberRequest, post_id: int) -> HttpResponse:
    """POST makes a reply the answer of its thread's question, DELETE takes that back."""
    post = _shown_post_or_404(request, post_id)
    undone = wants_delete(request)
    try:
        if not takes_answer(post.thread):
            raise NoQuestion
        if not undone or post.thread.answer_id == post.pk:
            choose_answer(thread=post.thread, post=None if undone else post, by=request.user)
    except Refused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    return _done(request, post, _("No answer is chosen.") if undone else _("That is the answer."))


# -- inside -----------------------------------------------------------------------------------


def _all_of(posts: QuerySet[Post]) -> QuerySet[Post]:
    return posts.select_related("thread__group", "author")


def _shown_post_or_404(request: HttpRequest, post_id: int) -> Post:
    """A post that anybody may read who may read its group: its author's hidden ones are not."""
    posts = Post.objects.visible_to(request.user).filter(hidden_at__isnull=True)
    return get_object_or_404(_all_of(posts), pk=post_id)


def _done(request: MemberRequest, post: Post, said: str) -> HttpResponse:
    """Back to the post, or where it stood, with a word on what was done."""
    messages.success(request, said)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(post.place)
    return HttpResponseRedirect(post.place)
