"""Pages of threads: reading, starting, replying, editing, what an edit changed, locking.

A form that is refused comes back as a page with all that was typed; to htmx as the composer alone,
with 422, the one refusal that htmx shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from community.groups.models import Group
from community.groups.services import membership_of
from community.groups.views import group_or_404
from community.members.models import Member, Viewer
from community.members.web import MemberRequest, member_required, wants_delete
from community.threads.diffs import Piece, diff
from community.threads.editing import edit_post, ensure_may_edit
from community.threads.errors import BodyTooLong, NotAMember, Refused
from community.threads.forms import EditForm, LockForm, NewThreadForm, PostForm, ReplyForm
from community.threads.heads import HeadForm
from community.threads.markup import SourceTooLong
from community.threads.models import Post, Revision, Thread
from community.threads.moderating import heir_of
from community.threads.pages import (
    ThreadPage,
    page_number,
    place_in,
    posts_for_page,
    related_threads,
    shown_posts,
    thread_for_page,
    thread_page,
)
from community.threads.rendering import render_body
from community.threads.services import (
    ensure_may_lock,
    lock_thread,
    publish_post,
    start_thread,
    submitted,
    unlock_thread,
)
from community.threads.shared import begin
from config import skeletons
from config.guest_pages import keep, source_of
from config.paging import whole_number

REVISIONS_PER_PAGE = 10
VIA = re.compile(r"[a-z0-9_-]{1,30}")  # a handle


# -- reading ----------------------------------------------------------------------------------


@require_GET
def show(request: HttpRequest, thread_id: int, slug: str) -> HttpResponse:
    """A thread, by page of post numbers; `?reply_to=2#reply` opens the composer on post 2."""
    began = begin()
    thread = thread_or_404(request, thread_id)
    if thread.merged_into_id is not None:
        return _to_heir(request, thread)
    if slug != thread.slug:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(thread.get_absolute_url() + query)
    number = page_number(request.GET.get("page"), thread)
    if number is None:
        raise Http404
    page = thread_page(thread, number, request.user, began=began)
    if not thread.is_listed and not page.posts and page.nearest == (None, None):
        raise Http404  # its opening post was taken back
    answered = _answered(thread, request.GET.get("reply_to"), request.user)
    form = ReplyForm(initial={"reply_to": answered.number if answered else None})
    response = _thread(request, page, form, answered)
    page.keep()
    return keep(response, "thread", f"thread:{thread.pk}")


@require_GET
def permalink(request: HttpRequest, post_id: int) -> HttpResponse:
    """To the page the post is on, however posts per page may change.

    A link that was shared says by `?via=` who passed it on; the thread's address keeps it.
    """
    place = post_or_404(request, post_id).place
    via = source_of(request)
    if VIA.fullmatch(via):
        page, _hash, number = place.partition("#")
        place = f"{page}{'&' if '?' in page else '?'}via={via}#{number}"
    return HttpResponseRedirect(place)


@require_GET
def revisions(request: HttpRequest, post_id: int) -> HttpResponse:
    """What each edit of a post changed, newest first, keyset `before=<revision number>`."""
    post = post_or_404(request, post_id)
    found = Revision.objects.filter(post=post).select_related("replaced_by").order_by("-number")
    before = request.GET.get("before", "")
    after_body = post.body
    if (from_number := whole_number(before, digits=9)) is not None:
        following = found.filter(number=from_number).first()
        if following is None:
            raise Http404
        found, after_body = found.filter(number__lt=from_number), following.body
    rows = list(found[: REVISIONS_PER_PAGE + 1])
    more = len(rows) > REVISIONS_PER_PAGE
    changes: list[Change] = []
    for revision in rows[:REVISIONS_PER_PAGE]:
        changes.append(Change(revision, diff(revision.body, after_body)))
        after_body = revision.body
    return render(
        request,
        "community/threads/revisions.html",
        {
            "post": post,
            "thread": post.thread,
            "place": post.place,
            "changes": changes,
            "before": rows[REVISIONS_PER_PAGE - 1].number if more else None,
            "is_first": not before,
        },
    )


@dataclass(frozen=True, slots=True)
class Change:
    """An edit: the revision it made, and how it went from there."""

    revision: Revision
    pieces: list[Piece]


# -- writing ----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def new(request: MemberRequest, slug: str) -> HttpResponse:
    """Start a thread in a group; an outsider is told how to get in."""
    group = group_or_404(request, slug)
    if membership_of(request.user, group) is None:
        return _new(request, group, None, status=NotAMember.status)
    if request.method == "GET":
        form = NewThreadForm()
        form.head = HeadForm(group, initial={"kind": request.GET.get("kind", "")})
        return _new(request, group, form)
    form = NewThreadForm(request.POST, request.FILES)
    form.is_valid()
    form.head = HeadForm(group, request.POST)
    key = form.cleaned_data.get("client_key")
    if key and (earlier := submitted(request.user, key)):
        return _go_to(request, earlier)
    form.take_picture(owner=request.user, group=group)
    form.take_parts(request.user)
    if form.is_unfinished:
        form.errors.pop("title", None)  # may come later than a look at the body
        return _new(request, group, form, status=422 if form.errors else 200)
    if not form.head.is_complete() or form.errors:
        return _new(request, group, form, status=422)
    try:
        post = start_thread(
            author=request.user,
            group=group,
            title=form.cleaned_data["title"],
            body=form.cleaned_data["body"],
            kind=form.head.chosen,
            details=form.head.typed,
            tags=form.head.names,
            client_key=key,
            then=form.write_parts,
        )
    except Refused as refusal:
        form.refuse(refusal)
        return _new(request, group, form, status=refusal.status)
    return _go_to(request, post)


@require_POST
@member_required
def reply(request: MemberRequest, thread_id: int) -> HttpResponse:
    """Add a post. Plain: to the page it is on. htmx: it, and those that came meanwhile."""
    thread = thread_or_404(request, thread_id)
    form = ReplyForm(request.POST, request.FILES)
    form.is_valid()
    key = form.cleaned_data.get("client_key")
    if key and (earlier := submitted(request.user, key)):
        return _replied(request, thread, earlier, form)
    answered = _answered(thread, form.cleaned_data.get("reply_to"), request.user)
    member = place_in(thread, request.user)
    if member is not None and not thread.is_locked:
        form.take_picture(owner=request.user, group=thread.group)
    form.take_parts(request.user)
    if form.is_unfinished or form.errors:
        return _refused(request, thread, form, answered, 422 if form.errors else 200)
    try:
        post = publish_post(
            author=request.user,
            thread=thread,
            body=form.cleaned_data["body"],
            reply_to=answered,
            seen=form.cleaned_data.get("seen") or 0,
            client_key=key,
            then=form.write_parts,
        )
    except Refused as refusal:
        form.refuse(refusal)
        return _refused(request, thread, form, answered, refusal.status)
    return _replied(request, thread, post, form)


@require_http_methods(["GET", "POST"])
@member_required
def edit(request: MemberRequest, post_id: int) -> HttpResponse:
    """Change a post: its author, the moderators of its group, and members when it is a wiki."""
    post = post_or_404(request, post_id)
    try:
        ensure_may_edit(post, request.user, post.thread)
    except Refused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    if request.method == "GET":
        now = post.revisions.count()
        return _edit(request, post, EditForm(initial={"body": post.body, "based_on": now}))
    form = EditForm(request.POST, request.FILES)
    form.is_valid()
    form.take_picture(owner=request.user, group=post.thread.group)
    form.take_parts(request.user, editing=True)
    if "preview" in request.POST or form.errors:
        return _edit(request, post, form, status=422 if form.errors else 200)
    try:
        edit_post(
            post=post,
            editor=request.user,
            body=form.cleaned_data["body"],
            reason=form.cleaned_data["reason"],
            based_on=form.cleaned_data["based_on"],
            then=form.write_parts,
        )
    except Refused as refusal:
        form.refuse(refusal)
        # Whoever saves again after reading this has seen that somebody else wrote.
        form.retype(based_on=str(post.revisions.count()))
        return _edit(request, post, form, status=refusal.status)
    return HttpResponseRedirect(post.place)


@require_POST
@member_required
def preview(request: MemberRequest) -> HttpResponse:
    """What `body` would look like in `group` (a slug of the member's, or empty)."""
    group: Group | None = None
    if slug := request.POST.get("group"):
        group = get_object_or_404(Group.objects.joined_by(request.user), slug=slug)
    html, refusal = _previewed(request.POST.get("body", ""), group, [request.user])
    return render(
        request,
        "community/threads/_preview.html",
        {"preview": html, "refusal": refusal},
        status=422 if refusal else 200,
    )


@require_http_methods(["GET", "POST", "DELETE"])
@member_required
def lock(request: MemberRequest, thread_id: int) -> HttpResponse:
    """GET asks for the reason, POST locks, DELETE (or `_method=delete`) opens the thread again."""
    thread = thread_or_404(request, thread_id)
    form = LockForm(request.POST or None)
    try:
        if wants_delete(request):
            unlock_thread(thread=thread, by=request.user)
        elif request.method == "POST":
            ensure_may_lock(thread, request.user)
            if not form.is_valid():
                context = {"thread": thread, "form": form}
                return render(request, "community/threads/lock.html", context, status=422)
            lock_thread(thread=thread, by=request.user, reason=form.cleaned_data["reason"])
        else:
            ensure_may_lock(thread, request.user)
            return render(request, "community/threads/lock.html", {"thread": thread, "form": form})
    except Refused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(thread.get_absolute_url())
    return redirect(thread)


def _to_heir(request: HttpRequest, thread: Thread) -> HttpResponse:
    """To where the posts of a merged thread are now, if the viewer may read them there."""
    target, post = heir_of(thread, whole_number(request.GET.get("page"), digits=6) or 1)
    if not Thread.objects.visible_to(request.user).filter(pk=target.pk).exists():
        raise Http404
    return redirect(post or target, permanent=True)


# -- looking up -------------------------------------------------------------------------------


def thread_or_404(request: HttpRequest, thread_id: int) -> Thread:
    found = thread_for_page(thread_id, request.user)
    if found is None:
        raise Http404
    return found


def post_or_404(request: HttpRequest, post_id: int) -> Post:
    """A post that the viewer may read: not one hidden from them."""
    posts = Post.objects.visible_to(request.user).select_related("thread__group", "author")
    return get_object_or_404(posts, pk=post_id)


def _answered(thread: Thread, number: int | str | None, viewer: Viewer) -> Post | None:
    """The post of the thread that is being answered; a wrong number answers none."""
    wanted = whole_number(str(number or ""), digits=9)
    if wanted is None:
        return None
    return (
        Post.objects.filter(hidden_at__isnull=True, thread=thread, number=wanted)
        .select_related("author")
        .first()
    )


def _previewed(
    body: str, group: Group | None, writers: list[Member], post: Post | None = None
) -> tuple[str, str]:
    """Return the HTML and, when there is none, why."""
    kept = list(post.post_images.values_list("image_id", flat=True)) if post else []
    try:
        rendered = render_body(body.replace("\r\n", "\n"), group=group, writers=writers, kept=kept)
    except SourceTooLong:
        return "", str(BodyTooLong.says)
    return rendered.html, ""


# -- answering --------------------------------------------------------------------------------


def _thread(
    request: HttpRequest,
    page: ThreadPage,
    form: ReplyForm,
    answered: Post | None,
    *,
    preview: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        **_reply_context(page.thread, form, answered, page.last_number),
        "page": page,
        "group": page.thread.group,
        "membership": page.membership,
        "preview": preview,
        "related": related_threads(page.thread, request.user),
    }
    return skeletons.page(
        request,
        "community/threads/show.html",
        context,
        status=status,
        heading=page.thread.heading,
        excerpt=page.thread.excerpt,
        address=page.thread.get_absolute_url(),
        is_listed=page.thread.is_listed,
        number=page.number,
        last=page.last,
    )


def _reply_context(
    thread: Thread, form: ReplyForm, answered: Post | None, seen: int
) -> dict[str, Any]:
    return {
        "thread": thread,
        "form": form,
        "answered": answered,
        "seen": seen,
        "composer_action": reverse("reply", args=[thread.pk]),
        "composer_group": thread.group,
        "composer_draft": f"thread:{thread.pk}",
        "composer_submit": _("Post reply"),
        "composer_placeholder": _("Reply to the thread. Paste a photo, or @mention someone."),
    }


def _refused(
    request: MemberRequest, thread: Thread, form: ReplyForm, answered: Post | None, status: int
) -> HttpResponse:
    """The composer again with what was typed: alone to htmx, else on the page it stood on."""
    seen = form.cleaned_data.get("seen") or thread.last_number
    html = ""
    if "preview" in request.POST:
        html, _why = _previewed(form["body"].value() or "", thread.group, [request.user])
    if request.htmx:  # type: ignore[attr-defined]
        context = {**_reply_context(thread, form, answered, seen), "preview": html}
        response = render(request, "community/threads/_composer.html", context, status=422)
        return retarget(reswap(response, "outerHTML"), "#reply")
    number = min(Post(number=seen).page, thread.page_count)
    page = thread_page(thread, number, request.user)
    return _thread(request, page, form, answered, preview=html, status=status)


def _replied(request: MemberRequest, thread: Thread, post: Post, form: ReplyForm) -> HttpResponse:
    seen = form.cleaned_data.get("seen")
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(post.place)
    if not seen or Post(number=seen).page != post.page or post.thread_id != thread.pk:
        return HttpResponseClientRedirect(post.place)
    thread = thread_or_404(request, thread.pk)
    since = posts_for_page(thread, after=seen, last=post.number)
    membership = place_in(thread, request.user)
    context = {
        **_reply_context(thread, ReplyForm(), None, post.number),
        "posts": shown_posts(since, thread, request.user, membership),
    }
    # That it was posted the composer says itself, with a way to undo it.
    return render(request, "community/threads/_replied.html", context, status=201)


def _go_to(request: MemberRequest, post: Post) -> HttpResponse:
    return HttpResponseRedirect(post.place)


def _new(
    request: MemberRequest, group: Group, form: NewThreadForm | None, status: int = 200
) -> HttpResponse:
    html = ""
    if form is not None and "preview" in request.POST:
        html, _why = _previewed(form["body"].value() or "", group, [request.user])
    context = {
        "group": group,
        "form": form,
        "preview": html,
        "composer_action": reverse("new_thread", args=[group.slug]),
        "composer_group": group,
        "composer_draft": f"group:{group.pk}",
        "composer_submit": _("Start thread"),
        "composer_placeholder": _("Say what you know, ask what you don't. Photos help."),
    }
    return render(request, "community/threads/new.html", context, status=status)


def _edit(request: MemberRequest, post: Post, form: PostForm, status: int = 200) -> HttpResponse:
    html = ""
    if "preview" in request.POST:
        html, _why = _previewed(
            form["body"].value() or "", post.thread.group, [request.user, post.author], post
        )
    context = {
        "post": post,
        "thread": post.thread,
        "group": post.thread.group,
        "form": form,
        "preview": html,
        "place": post.place,
        "composer_action": reverse("edit_post", args=[post.pk]),
        "composer_group": post.thread.group,
        "composer_draft": f"post:{post.pk}",
        "composer_submit": _("Save changes"),
    }
    return render(request, "community/threads/edit.html", context, status=status)
