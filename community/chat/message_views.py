"""Pages of one message: what may be done to it, editing, hiding; and reactions and pins.

Every act is a form that works without scripts and leads back to the message in its room. Scripts
(Accept: application/json) get the message as it is now.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.chat import messages as verbs
from community.chat.errors import MessageRefused
from community.chat.models import MESSAGE_MAX_CHARS, Message
from community.chat.pages import MessageMenu, heading_of, menu_of
from community.chat.previews import remove_links
from community.chat.views import answer_with, refused, room_or_404, wants_json
from community.members.errors import MayNotWrite
from community.members.web import MemberRequest, member_required, wants_delete
from community.threads.diffs import diff

REVISIONS_SHOWN = 50


class EditForm(forms.Form):
    body = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=MESSAGE_MAX_CHARS,
        error_messages={"required": gettext_lazy("Write something first.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    use_required_attribute = False


class HideForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why, in a few words: its sender reads it.")},
        help_text=gettext_lazy("Its sender reads it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    use_required_attribute = False


def message_or_404(request: MemberRequest, room_id: int, seq: int) -> Message:
    """The message, for those who read its room. Of a hidden one its row shows no words."""
    room = room_or_404(request, room_id)
    rows = Message.objects.select_related("sender__avatar", "reply_to__sender", "hidden_by")
    message = get_object_or_404(rows, room=room, seq=seq)
    message.room = room
    return message


@require_GET
@member_required
def message(request: MemberRequest, room_id: int, seq: int) -> HttpResponse:
    """What the member may do to a message: a page, or its menu for htmx."""
    found = message_or_404(request, room_id, seq)
    context = _context(found, menu_of(found, request.user), request)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "community/chat/_menu.html", {**context, "piece": True})
    return render(request, "community/chat/menu.html", context)


@require_POST
@member_required
def react(request: MemberRequest, room_id: int, seq: int) -> HttpResponse:
    """Give the reaction `name`, or take it back."""
    found = message_or_404(request, room_id, seq)
    try:
        verbs.toggle_message_reaction(
            message=found, by=request.user, name=request.POST.get("name", "")
        )
    except (MessageRefused, MayNotWrite) as refusal:
        return refused(request, refusal, found.get_absolute_url())
    return answer_with(request, found)


@require_http_methods(["GET", "POST"])
@member_required
def edit(request: MemberRequest, room_id: int, seq: int) -> HttpResponse:
    """Scripts are told why not; what a message says is in the form for who may change it alone."""
    found = message_or_404(request, room_id, seq)
    may_edit = menu_of(found, request.user).may_edit
    if not may_edit and not (request.method == "POST" and wants_json(request)):
        return redirect(found)
    form = EditForm(request.POST or None, initial={"body": found.body if may_edit else ""})
    return _act(
        request,
        found,
        form,
        lambda data: verbs.edit_message(message=found, body=data["body"], by=request.user),
        field="body",
        title=_("Change your message"),
        submit=_("Save"),
    )


@require_http_methods(["GET", "POST", "DELETE"])
@member_required
def hide(request: MemberRequest, room_id: int, seq: int) -> HttpResponse:
    """GET asks why, POST hides; one's own message needs no why. DELETE shows it again."""
    found = message_or_404(request, room_id, seq)
    menu = menu_of(found, request.user)
    if wants_delete(request) or (menu.may_delete and request.method == "POST"):
        act = verbs.restore_message if wants_delete(request) else verbs.delete_message
        try:
            act(message=found, by=request.user)
        except MessageRefused as refusal:
            return refused(request, refusal, found.get_absolute_url())
        return answer_with(request, found)
    if request.method == "GET" and not menu.may_hide:
        return redirect(found)
    form = HideForm(request.POST or None)
    return _act(
        request,
        found,
        form,
        lambda data: verbs.hide_message(message=found, by=request.user, reason=data["reason"]),
        field="reason",
        title=_("Hide this message"),
        submit=_("Hide it"),
    )


@require_http_methods(["POST", "DELETE"])
@member_required
def pin(request: MemberRequest, room_id: int, seq: int) -> HttpResponse:
    """POST pins, DELETE unpins."""
    found = message_or_404(request, room_id, seq)
    act = verbs.unpin_message if wants_delete(request) else verbs.pin_message
    try:
        act(message=found, by=request.user)
    except MessageRefused as refusal:
        return refused(request, refusal, found.get_absolute_url())
    return answer_with(request, found)


@require_POST
@member_required
def remove_previews(request: MemberRequest, room_id: int, seq: int) -> HttpResponse:
    """Take away what is drawn under one's own message because of its links."""
    found = message_or_404(request, room_id, seq)
    if found.sender_id != request.user.pk:
        raise PermissionDenied(_("Only whoever sent a message may change it."))
    remove_links(found)
    return answer_with(request, found)


@require_GET
@member_required
def revisions(request: MemberRequest, room_id: int, seq: int) -> HttpResponse:
    """What each edit changed, the newest first. Not of a hidden message."""
    found = message_or_404(request, room_id, seq)
    if found.is_hidden:
        return redirect(found)
    kept = list(found.revisions.order_by("-pk")[:REVISIONS_SHOWN])
    texts = [found.body, *(revision.body for revision in kept)]
    changes = [
        {"revision": revision, "pieces": diff(revision.body, texts[index])}
        for index, revision in enumerate(kept)
    ]
    context = {**_context(found, None, request), "changes": changes}
    return render(request, "community/chat/revisions.html", context)


@require_GET
@member_required
def pins(request: MemberRequest, room_id: int) -> HttpResponse:
    """The room's pinned messages, the newest pin first; at most PINS_A_ROOM_MAX."""
    room = room_or_404(request, room_id)
    pinned = (
        Message.objects.filter(room=room, pinned_at__isnull=False, hidden_at=None)
        .select_related("sender__avatar", "pinned_by", "room__group", "reply_to__sender")
        .order_by("-pinned_at")
    )
    context = {
        "room": room,
        "heading": heading_of(room, request.user),
        "pinned": list(pinned[: verbs.PINS_A_ROOM_MAX]),
    }
    return render(request, "community/chat/pins.html", context)


def _context(found: Message, menu: MessageMenu | None, request: MemberRequest) -> dict[str, Any]:
    return {
        "message": found,
        "room": found.room,
        "heading": heading_of(found.room, request.user),
        "place": found.get_absolute_url(),
        "menu": menu,
    }


def _act(
    request: MemberRequest,
    found: Message,
    form: forms.Form,
    act: Any,
    *,
    field: str,
    **words: str,
) -> HttpResponse:
    """Show the form, or do what it asks for and go to the message."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                act(form.cleaned_data)
            except MessageRefused as refusal:
                if wants_json(request):
                    return refused(request, refusal, "")
                form.add_error(field, refusal.reason)
                status = refusal.status
            else:
                return answer_with(request, found)
        elif wants_json(request):
            why = next(iter(form.errors.values()), [_("This could not be sent.")])[0]
            return JsonResponse({"error": str(why)}, status=status)
    context = {**_context(found, None, request), "form": form, **words}
    return render(request, "community/chat/act.html", context, status=status)
