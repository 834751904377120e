"""Pages of the verbs that organise a thread. Each is a page with a form, so all work as links.

GET asks, POST does, DELETE (or `_method=delete`) takes back where there is something to take back.
Whoever may not is told so (403); a thread they may not see does not exist (404).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from community.groups.models import Group, Role
from community.members.web import MemberRequest, member_required, wants_delete
from community.threads import moderating
from community.threads.entries import REASON_MAX_CHARS
from community.threads.errors import NotThere, Refused, Unfit, WhyMissing
from community.threads.heads import HeadForm
from community.threads.models import TITLE_MAX_CHARS, Post, Thread
from community.threads.rights import ensure_keeps_head, ensure_organises
from community.threads.tagging import set_tags, tags_of
from community.threads.texts import words_of
from community.threads.views import thread_or_404
from config.paging import whole_number

NUMBER_MAX: Final = 999_999_999
CHOICES_A_PAGE: Final = 100  # posts to choose from when splitting
SLOW_MODES: Final = (
    (0, gettext_lazy("Off")),
    (30, gettext_lazy("30 seconds")),
    (60, gettext_lazy("1 minute")),
    (300, gettext_lazy("5 minutes")),
    (900, gettext_lazy("15 minutes")),
    (3600, gettext_lazy("1 hour")),
    (4 * 3600, gettext_lazy("4 hours")),
    (24 * 3600, gettext_lazy("1 day")),
)


class ReasonForm(forms.Form):
    """Why, where what is done may speak for itself."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        help_text=gettext_lazy("Shown in the thread, beside your name."),
        widget=forms.TextInput(attrs={"maxlength": REASON_MAX_CHARS, "autocomplete": "off"}),
    )
    use_required_attribute = False

    def refuse(self, refusal: Refused) -> None:
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, refusal.reason)


class WhyForm(ReasonForm):
    """Why, which must be said."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        error_messages={"required": WhyMissing.says},
        help_text=gettext_lazy("Shown in the thread, beside your name."),
        widget=forms.TextInput(attrs={"maxlength": REASON_MAX_CHARS, "autocomplete": "off"}),
    )


class MoveForm(WhyForm):
    to = forms.ModelChoiceField(
        queryset=Group.objects.none(),
        label=gettext_lazy("To which group"),
        help_text=gettext_lazy("Groups that you moderate."),
        to_field_name="slug",
    )
    field_order = ["to", "reason"]

    def __init__(self, *args: Any, groups: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        to: Any = self.fields["to"]
        to.queryset = groups


class MergeForm(WhyForm):
    into = forms.CharField(
        label=gettext_lazy("Into which thread"),
        max_length=400,
        help_text=gettext_lazy("Its address, or the number in it. You moderate its group as well."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    field_order = ["into", "reason"]


class SplitForm(WhyForm):
    title = forms.CharField(
        label=gettext_lazy("Title of the new thread"),
        widget=forms.TextInput(attrs={"maxlength": TITLE_MAX_CHARS, "autocomplete": "off"}),
    )
    first = forms.IntegerField(
        label=gettext_lazy("All replies from number"),
        required=False,
        min_value=2,
        max_value=NUMBER_MAX,
        help_text=gettext_lazy("As many as you like, beside those you tick below."),
    )
    last = forms.IntegerField(
        label=gettext_lazy("to number"),
        required=False,
        min_value=2,
        max_value=NUMBER_MAX,
        help_text=gettext_lazy("Empty: to the end of the thread."),
    )
    field_order = ["title", "reason", "first", "last"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if last is not None and (first is None or last < first):
            self.add_error("first", _("Say from which number on, up to a later one."))
        return cleaned

    def replies_of(self, thread: Thread) -> set[int]:
        """The ids of the replies between the two numbers. One query, or none."""
        first, last = self.cleaned_data["first"], self.cleaned_data["last"]
        if first is None:
            return set()
        found = Post.objects.filter(thread=thread, number__gte=first, hidden_at__isnull=True)
        if last is not None:
            found = found.filter(number__lte=last)
        # One more than a split takes is refused, however many there are.
        numbers = found.order_by("number").values_list("pk", flat=True)
        return set(numbers[: moderating.POSTS_A_SPLIT_MAX + 1])


class PinForm(ReasonForm):
    until = forms.DateField(
        label=gettext_lazy("Until the end of"),
        required=False,
        help_text=gettext_lazy("Empty: until somebody unpins it."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )
    field_order = ["until", "reason"]


class SlowModeForm(ReasonForm):
    seconds = forms.TypedChoiceField(
        label=gettext_lazy("Between two posts of a member"), coerce=int, choices=SLOW_MODES
    )
    field_order = ["seconds", "reason"]


class ClosingForm(ReasonForm):
    days = forms.IntegerField(
        label=gettext_lazy("Days of silence"),
        required=False,
        min_value=1,
        max_value=moderating.CLOSE_AFTER_MAX_DAYS,
        help_text=gettext_lazy("Empty: it stays open however long it is silent."),
    )
    field_order = ["days", "reason"]


class TitleForm(ReasonForm):
    title = forms.CharField(
        label=gettext_lazy("Title"),
        widget=forms.TextInput(attrs={"maxlength": TITLE_MAX_CHARS, "autocomplete": "off"}),
    )
    field_order = ["title", "reason"]


# -- posts go elsewhere -----------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def move(request: MemberRequest, thread_id: int) -> HttpResponse:
    thread = _organised(request, thread_id)
    mine = Group.objects.filter(
        memberships__member=request.user,
        memberships__role__in=(Role.MODERATOR, Role.OWNER),
    )
    groups = mine.exclude(pk=thread.group_id).order_by("name")
    form = MoveForm(request.POST or None, groups=groups)

    def act() -> Thread:
        data = form.cleaned_data
        return moderating.move_thread(
            thread=thread, to=data["to"], by=request.user, reason=data["reason"]
        )

    return _ask(
        request,
        thread,
        form,
        act,
        title=_("Move to another group"),
        about=_("Its posts, dates and addresses stay. Tags of this group alone are dropped."),
        submit=_("Move the thread"),
        done=_("Moved."),
    )


@require_http_methods(["GET", "POST"])
@member_required
def merge(request: MemberRequest, thread_id: int) -> HttpResponse:
    thread = _organised(request, thread_id)
    form = MergeForm(request.POST or None)

    def act() -> Thread:
        target = _named_thread(request, form.cleaned_data["into"])
        if target is None:
            raise NotThere
        return moderating.merge_threads(
            thread=thread, into=target, by=request.user, reason=form.cleaned_data["reason"]
        )

    return _ask(
        request,
        thread,
        form,
        act,
        title=_("Merge into another thread"),
        about=_(
            "All its posts are put at the end of the other thread, with their dates. This address"
            " leads there from then on. A merge cannot be taken back."
        ),
        submit=_("Merge the threads"),
        done=_("Merged."),
    )


@require_http_methods(["GET", "POST"])
@member_required
def split(request: MemberRequest, thread_id: int) -> HttpResponse:
    """Choose replies by their numbers from and to, or by their boxes, CHOICES_A_PAGE at a time.

    The boxes begin at number `from`.
    """
    thread = _organised(request, thread_id)
    form = SplitForm(request.POST or None)
    chosen = {pk for text in request.POST.getlist("posts") if (pk := whole_number(text))}
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                new = moderating.split_thread(
                    thread=thread,
                    post_ids=chosen | form.replies_of(thread),
                    title=form.cleaned_data["title"],
                    by=request.user,
                    reason=form.cleaned_data["reason"],
                )
            except Refused as refusal:
                form.refuse(refusal)
                status = refusal.status if isinstance(refusal, Unfit) else 409
            else:
                messages.success(request, _("Split off."))
                return redirect(new)
    start = max(2, whole_number(request.GET.get("from"), digits=9) or 2)
    rows = list(
        Post.objects.filter(thread=thread, number__gte=start, hidden_at__isnull=True)
        .select_related("author")
        .only("thread", "number", "html", "created_at", "author__name")
        .order_by("number")[: CHOICES_A_PAGE + 1]
    )
    more = rows[CHOICES_A_PAGE].number if len(rows) > CHOICES_A_PAGE else None
    context = {
        "thread": thread,
        "form": form,
        "posts": [(post, words_of(post.html)) for post in rows[:CHOICES_A_PAGE]],
        "chosen": chosen,
        "more": more,
        "is_first": start == 2,
    }
    return render(request, "community/threads/split.html", context, status=status)


# -- how it goes on ---------------------------------------------------------------------------


@require_http_methods(["GET", "POST", "DELETE"])
@member_required
def pin(request: MemberRequest, thread_id: int) -> HttpResponse:
    thread = _organised(request, thread_id)
    if wants_delete(request):
        return _done(moderating.unpin_thread(thread=thread, by=request.user))
    until = thread.pinned_until
    # Kept as the first moment after the last day.
    last_day = (until - timedelta(seconds=1)).date() if until else None
    form = PinForm(request.POST or None, initial={"until": last_day})

    def act() -> Thread:
        day = form.cleaned_data["until"]
        after = datetime.combine(day, time.min, UTC) + timedelta(days=1) if day else None
        return moderating.pin_thread(
            thread=thread, by=request.user, until=after, reason=form.cleaned_data["reason"]
        )

    return _ask(
        request,
        thread,
        form,
        act,
        title=_("Pin this thread"),
        about=_("It stands first in its group's list."),
        submit=_("Pin the thread"),
        done=_("Pinned."),
        undo=_("Unpin the thread") if thread.pinned_at else "",
    )


@require_http_methods(["GET", "POST"])
@member_required
def slow_mode(request: MemberRequest, thread_id: int) -> HttpResponse:
    thread = _organised(request, thread_id)
    form = SlowModeForm(request.POST or None, initial={"seconds": thread.slow_mode_seconds})

    def act() -> Thread:
        data = form.cleaned_data
        return moderating.set_slow_mode(
            thread=thread, seconds=data["seconds"], by=request.user, reason=data["reason"]
        )

    return _ask(
        request,
        thread,
        form,
        act,
        title=_("Slow mode"),
        about=_("Everybody but the moderators waits between two posts. Heated threads cool off."),
        submit=_("Save"),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
@member_required
def closing(request: MemberRequest, thread_id: int) -> HttpResponse:
    thread = _organised(request, thread_id)
    form = ClosingForm(request.POST or None, initial={"days": thread.close_after_days})

    def act() -> Thread:
        data = form.cleaned_data
        return moderating.close_after(
            thread=thread, days=data["days"], by=request.user, reason=data["reason"]
        )

    return _ask(
        request,
        thread,
        form,
        act,
        title=_("Close by itself"),
        about=_("Once nobody has written for so many days, it takes no more replies."),
        submit=_("Save"),
        done=_("Saved."),
    )


# -- what it says of itself -------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def title(request: MemberRequest, thread_id: int) -> HttpResponse:
    thread = _organised(request, thread_id, as_author=True)
    form = TitleForm(request.POST or None, initial={"title": thread.title})

    def act() -> Thread:
        return moderating.retitle_thread(thread=thread, by=request.user, **form.cleaned_data)

    return _ask(
        request,
        thread,
        form,
        act,
        title=_("Change the title"),
        about=_("Links to the thread go on working. What it was called stays in its record."),
        submit=_("Save"),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
@member_required
def head(request: MemberRequest, thread_id: int) -> HttpResponse:
    """Kind, what it asks for, and tags: one form, two verbs."""
    thread = _organised(request, thread_id, as_author=True)
    names = [tag.name for tag in tags_of(thread)]
    form = HeadForm(
        thread.group,
        request.POST if request.method == "POST" else None,
        thread=thread,
        initial={"kind": thread.kind, "tags": names},
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_complete():
            try:
                with transaction.atomic():  # both or neither
                    set_tags(thread=thread, names=form.names, by=request.user)
                    moderating.change_kind(
                        thread=thread, kind=form.chosen, details=form.typed, by=request.user
                    )
            except Refused as refusal:
                field = refusal.field if refusal.field in form.fields else None
                form.add_error(field, refusal.reason)
                status = refusal.status
            else:
                messages.success(request, _("Saved."))
                return redirect(thread)
    context = {"thread": thread, "group": thread.group, "head": form}
    return render(request, "community/threads/head.html", context, status=status)


# -- inside -----------------------------------------------------------------------------------


def _organised(request: MemberRequest, thread_id: int, *, as_author: bool = False) -> Thread:
    """The thread, if the member may do this to it; with `as_author` whoever opened it may too."""
    thread = thread_or_404(request, thread_id)
    try:
        if as_author:
            ensure_keeps_head(thread, request.user)
        else:
            ensure_organises(request.user, thread.group)
    except Refused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    if thread.merged_into_id is not None:
        raise Http404
    return thread


def _ask(
    request: MemberRequest,
    thread: Thread,
    form: ReasonForm,
    act: Callable[[], Thread],
    *,
    done: str,
    **words: str,
) -> HttpResponse:
    """Show the form, or do what it asks for and go to the thread."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                result = act()
            except Refused as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                messages.success(request, done)
                return redirect(result)
    context = {"thread": thread, "form": form, **words}
    return render(request, "community/threads/organise.html", context, status=status)


def _done(thread: Thread) -> HttpResponse:
    return redirect(thread)


def _named_thread(request: MemberRequest, text: str) -> Thread | None:
    """The thread of an address such as /t/12/slug/ or of a number, if the member may read it."""
    text = text.strip()
    _site, found, rest = text.partition("/t/")
    number = (rest if found else text).partition("/")[0].partition("?")[0].partition("#")[0]
    pk = whole_number(number)
    return Thread.objects.visible_to(request.user).filter(pk=pk).first() if pk else None
