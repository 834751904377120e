"""Choosing messages of a room, and making a thread of them. Works without scripts, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from community.chat.errors import MessageRefused, NothingChosen, TooManyChosen
from community.chat.models import Message, Room
from community.chat.pages import (
    MESSAGES_PER_PAGE,
    Window,
    from_number,
    heading_of,
    messages_of,
    newest,
)
from community.chat.rooms import ensure_not_silenced
from community.chat.talk import (
    MESSAGES_A_THREAD_MAX,
    make_thread_of,
    may_take,
    needs_lead,
    threads_of,
)
from community.chat.views import room_or_404
from community.groups.models import Group
from community.members.models import Member
from community.members.web import MemberRequest, member_required
from community.threads.errors import Refused, TitleMissing
from community.threads.forms import KeyField
from community.threads.heads import HeadForm
from community.threads.models import TITLE_MAX_CHARS, Thread
from config.paging import whole_number


class TalkForm(forms.Form):
    """What the thread is called, and the first words of whoever makes it of others' messages."""

    title = forms.CharField(
        label=gettext_lazy("Title"),
        error_messages={"required": TitleMissing.says},
        help_text=gettext_lazy(
            "A question or a sentence: people decide by it whether to open the thread."
        ),
        widget=forms.TextInput(attrs={"maxlength": TITLE_MAX_CHARS, "autocomplete": "off"}),
    )
    body = forms.CharField(
        label=gettext_lazy("Your first words"),
        required=False,
        strip=False,
        help_text=gettext_lazy(
            "They open the thread under your name; the messages follow under their senders' names."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    client_key = KeyField(required=False)
    use_required_attribute = False

    def __init__(self, *args: Any, with_lead: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not with_lead:
            del self.fields["body"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A message that may be chosen, or why it may not."""

    message: Message
    may_take: bool
    is_chosen: bool
    thread: Thread | None


@require_http_methods(["GET", "POST"])
@member_required
def into_thread(request: MemberRequest, room_id: int) -> HttpResponse:
    """Choose messages (`seq`, many), with `go` give them a title; POST makes the thread.

    `from` and `to` choose all between two numbers; `before` and `after` lead through the room with
    what was chosen so far.
    """
    room = room_or_404(request, room_id)
    if room.group is None:
        raise Http404
    try:
        ensure_not_silenced(request.user)
    except MessageRefused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    said = request.POST if request.method == "POST" else request.GET
    seqs = _chosen(room, said)
    if request.method == "POST" or "go" in said:
        if not 0 < len(seqs) <= MESSAGES_A_THREAD_MAX:
            error = TooManyChosen.says if seqs else NothingChosen.says
            return _choose(request, room, seqs, error=str(error), status=422)
        return _name(request, room, room.group, seqs)
    return _choose(request, room, seqs)


def _choose(
    request: MemberRequest, room: Room, seqs: set[int], *, error: str = "", status: int = 200
) -> HttpResponse:
    window = _window(room, request.GET)
    keeps_order = room.as_kind.keeps_order(request.user, room)
    there = threads_of(window.messages)
    # One may have gone to a group that is hidden from who chooses; its address says its title.
    shown = _readable(there.values(), request.user)
    choices = [
        Choice(
            message,
            may_take(message, request.user, keeps_order=keeps_order) and message.pk not in there,
            message.seq in seqs,
            shown.get(there[message.pk].pk) if message.pk in there else None,
        )
        for message in window.messages
        if not message.is_hidden
    ]
    on_page = {choice.message.seq for choice in choices if choice.may_take}
    context = {
        **_context(room, request),
        "choices": choices,
        "elsewhere": sorted(seqs - on_page),
        "window": window,
        "keeps_order": keeps_order,
        "error": error,
        "most": MESSAGES_A_THREAD_MAX,
    }
    return render(request, "community/chat/choose.html", context, status=status)


def _name(request: MemberRequest, room: Room, group: Group, seqs: set[int]) -> HttpResponse:
    messages = list(messages_of(room).filter(seq__in=seqs, hidden_at=None).order_by("seq"))
    with_lead = needs_lead(messages, request.user)
    posted = request.POST if request.method == "POST" else None
    initial = {"body": _("From our chat.")}
    form = TalkForm(posted, with_lead=with_lead, initial=initial)
    head = HeadForm(group, posted)
    status, refused = 200, ""
    if posted is not None:
        status = 422
        ours, theirs = form.is_valid(), head.is_complete()
        if ours and theirs:
            try:
                thread = make_thread_of(
                    room=room,
                    seqs=seqs,
                    title=form.cleaned_data["title"],
                    lead=form.cleaned_data.get("body", ""),
                    by=request.user,
                    kind=head.chosen,
                    details=head.typed,
                    tags=head.names,
                    client_key=form.cleaned_data["client_key"],
                )
            except Refused as refusal:
                form.add_error(
                    refusal.field if refusal.field in form.fields else None, refusal.reason
                )
                status = refusal.status
            except MessageRefused as refusal:
                refused, status = refusal.reason, refusal.status
            else:
                return redirect(thread)
    context = {
        **_context(room, request),
        "form": form,
        "head": head,
        "messages_chosen": messages,
        "refused": refused,
        "key": str(form["client_key"].value() or uuid4()),
        "seqs": sorted(seqs),
    }
    return render(request, "community/chat/into_thread.html", context, status=status)


def _chosen(room: Room, said: QueryDict) -> set[int]:
    """The numbers that were chosen, at most one too many; a span only at first."""
    numbers = said.getlist("seq")[: MESSAGES_A_THREAD_MAX + 1]
    seqs = {seq for text in numbers if (seq := whole_number(text))}
    first, last = whole_number(said.get("from")), whole_number(said.get("to"))
    if first is not None and last is not None:
        between = messages_of(room).filter(seq__gte=first, seq__lte=last, hidden_at=None)
        numbered = between.order_by("seq").values_list("seq", flat=True)
        seqs |= set(numbered[: MESSAGES_A_THREAD_MAX + 1])
    return seqs


def _window(room: Room, said: QueryDict) -> Window:
    if (before := whole_number(said.get("before"))) is not None:
        return newest(room, before=before)
    after = whole_number(said.get("after"))
    if after is None and (first := whole_number(said.get("from"))) is not None:
        after = first
    if after is None and (chosen := _least(said.getlist("seq"))) is not None:
        after = max(1, chosen - MESSAGES_PER_PAGE // 5)
    return newest(room) if after is None else from_number(room, after)


def _readable(threads: Iterable[Thread], member: Member) -> dict[int, Thread]:
    """One query, none for no threads."""
    wanted = {thread.pk for thread in threads}
    return Thread.objects.visible_to(member).in_bulk(wanted) if wanted else {}


def _least(numbers: Sequence[str]) -> int | None:
    return min((seq for text in numbers if (seq := whole_number(text))), default=None)


def _context(room: Room, request: MemberRequest) -> dict[str, Any]:
    return {"room": room, "group": room.group, "heading": heading_of(room, request.user)}
