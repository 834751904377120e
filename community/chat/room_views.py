"""Pages of rooms themselves: opening one, its settings, who is in it, requests, one's own level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from community.chat import keeping
from community.chat.entries import latest_entries
from community.chat.errors import MessageRefused, NotInRoom
from community.chat.models import ROOM_NAME_MAX_CHARS, TOPIC_MAX_CHARS, Place, Room
from community.chat.pages import group_rooms, heading_of
from community.chat.people import people_for
from community.chat.places import place_in, set_level
from community.chat.rooms import (
    DIRECT,
    PEOPLE_MAX,
    answer_request,
    leave_room,
    moderates_its_group,
    open_room,
    room_beside,
    room_with,
)
from community.chat.views import room_or_404
from community.groups.models import Group
from community.members.errors import MayNotWrite
from community.members.models import Member
from community.members.sanctions import ensure_may_write as ensure_not_silenced
from community.members.web import MemberRequest, member_required
from community.threads.models import Thread

SLOW_MODES: Final = (
    (0, gettext_lazy("Off")),
    (10, gettext_lazy("10 seconds")),
    (30, gettext_lazy("30 seconds")),
    (60, gettext_lazy("1 minute")),
    (300, gettext_lazy("5 minutes")),
    (3600, gettext_lazy("1 hour")),
)


class RoomForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=ROOM_NAME_MAX_CHARS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    topic = forms.CharField(
        label=gettext_lazy("Topic"),
        required=False,
        max_length=TOPIC_MAX_CHARS,
        help_text=gettext_lazy("What it is for, in a sentence."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    use_required_attribute = False


class SettingsForm(RoomForm):
    writers = forms.ChoiceField(label=gettext_lazy("Who writes"), choices=Room.Writers.choices)
    slow_mode = forms.TypedChoiceField(
        label=gettext_lazy("Slow mode: between two messages of a member"),
        coerce=int,
        choices=SLOW_MODES,
    )

    def __init__(self, *args: Any, room: Room, **options: Any) -> None:
        super().__init__(*args, **options)
        if not (room.kind == "group" and room.slug):
            # It is called what its group, its thread or its people are called.
            self.fields["name"].required = False
            self.fields["name"].widget = forms.HiddenInput()
        if (seconds := room.slow_mode_seconds) not in dict(SLOW_MODES):
            # /slow sets any time; who changes the topic does not change it.
            known = ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
            slow_mode: Any = self.fields["slow_mode"]
            slow_mode.choices = [*SLOW_MODES, (seconds, known)]


class PeopleForm(forms.Form):
    """Names with which to open a room; `people` is set once they are known."""

    names = forms.CharField(
        label=gettext_lazy("To"),
        max_length=400,
        help_text=gettext_lazy("Begin with a name or a handle; several share one room."),
        error_messages={"required": gettext_lazy("Name at least one other member.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    use_required_attribute = False
    people: list[Member]

    def __init__(self, *args: Any, viewer: Member, **options: Any) -> None:
        super().__init__(*args, **options)
        self.viewer = viewer

    def clean_names(self) -> str:
        text = str(self.cleaned_data["names"])
        handles = list(dict.fromkeys(text.replace(",", " ").replace("@", " ").lower().split()))
        if len(handles) >= PEOPLE_MAX + 1:
            raise forms.ValidationError(_("At most 12 people share a room."))
        found = {
            one.handle: one for one in Member.objects.filter(handle__in=handles, erased_at=None)
        }
        unknown = [handle for handle in handles if handle not in found]
        if unknown:
            refusal = _("There is no member called %(handle)s.") % {"handle": unknown[0]}
            if near := people_for(self.viewer, beginning=unknown[0])[:3]:
                names = ", ".join(f"{one.handle} ({one.name})" for one in near)
                refusal += " " + _("Is it one of these? %(names)s") % {"names": names}
            raise forms.ValidationError(refusal)
        self.people = [found[handle] for handle in handles]
        return text


# -- opening ----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def new_in_group(request: MemberRequest, slug: str) -> HttpResponse:
    """Another room of a group; its moderators open it."""
    group = get_object_or_404(Group.objects.joined_by(request.user), slug=slug)
    if not moderates_its_group(request.user, Room(group=group)):
        raise PermissionDenied(_("Only moderators of this group open rooms."))
    form = RoomForm(request.POST or None)

    def act(data: dict[str, Any]) -> Room:
        return open_room(group=group, name=data["name"], topic=data["topic"], by=request.user)

    return _ask(request, form, act, title=_("Open a room"), submit=_("Open the room"), group=group)


@require_http_methods(["GET", "POST"])
@member_required
def new_of_people(request: MemberRequest) -> HttpResponse:
    """A room of people: `to` fills in the names."""
    form = PeopleForm(
        request.POST or None,
        initial={"names": request.GET.get("to", "")[:400]},
        viewer=request.user,
    )

    def act(_data: dict[str, Any]) -> Room:
        return room_with(form.people, by=request.user)

    return _ask(
        request,
        form,
        act,
        title=_("Write to somebody"),
        submit=_("Go on"),
        about=_(
            "Whom you share no group with is asked first: they read one message and say yes or no."
        ),
    )


@require_POST
@member_required
def beside_thread(request: MemberRequest, thread_id: int) -> HttpResponse:
    """The room beside a thread, opened when it is not there yet."""
    thread = get_object_or_404(Thread.objects.visible_to(request.user), pk=thread_id)
    try:
        room = room_beside(thread, by=request.user)
    except MessageRefused as refusal:
        raise PermissionDenied(refusal.reason) from refusal
    return redirect(room)


# -- settings ---------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_required
def settings(request: MemberRequest, room_id: int) -> HttpResponse:
    """What moderators set, and what was done; `do` is pause, go_on, archive or reopen."""
    room = room_or_404(request, room_id)
    if not room.as_kind.keeps_order(request.user, room):
        raise PermissionDenied(_("Only moderators of this room may do that."))
    do = request.POST.get("do", "")
    reason = request.POST.get("reason", "")
    acts: dict[str, Callable[[], Room]] = {
        "pause": lambda: keeping.pause_room(room=room, by=request.user, reason=reason),
        "go_on": lambda: keeping.go_on(room=room, by=request.user),
        "archive": lambda: keeping.archive_room(room=room, by=request.user, reason=reason),
        "reopen": lambda: keeping.reopen_room(room=room, by=request.user),
    }
    if do in acts:
        try:
            acts[do]()
        except MessageRefused as refusal:
            notices.error(request, refusal.reason)
        else:
            notices.success(request, _("Done."))
        return redirect("room_settings", room.pk)
    initial = {
        "name": room.name,
        "topic": room.topic,
        "writers": room.writers,
        "slow_mode": room.slow_mode_seconds,
    }
    form = SettingsForm(request.POST or None, room=room, initial=initial)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                keeping.set_all(room=room, by=request.user, **form.cleaned_data)
            except MessageRefused as refusal:
                form.add_error(None, refusal.reason)
                status = refusal.status
            else:
                notices.success(request, _("Saved."))
                return redirect(room)
    context = {
        "room": room,
        "heading": heading_of(room, request.user),
        "form": form,
        "entries": latest_entries(room),
        "may_archive": room.kind != "group" or bool(room.slug),
    }
    return render(request, "community/chat/settings.html", context, status=status)


# -- being in it ------------------------------------------------------------------------------


@require_GET
@member_required
def about(request: MemberRequest, room_id: int) -> HttpResponse:
    """Who is in it, what the member is told of it, leaving; of a group's, its other rooms."""
    room = room_or_404(request, room_id)
    people = Place.objects.filter(room=room).exclude(state=Place.State.LEFT)
    context = {
        "room": room,
        "heading": heading_of(room, request.user),
        "people": list(people.select_related("member__avatar").order_by("pk")[:PEOPLE_MAX])
        if room.group is None
        else [],
        "rooms": group_rooms(room.group) if room.group is not None else [],
        "place": place_in(room, request.user),
        "levels": Place.Level.choices,
        "keeps_order": room.as_kind.keeps_order(request.user, room),
    }
    return render(request, "community/chat/about.html", context)


@require_POST
@member_required
def level(request: MemberRequest, room_id: int) -> HttpResponse:
    room = room_or_404(request, room_id)
    wanted = request.POST.get("level", "")
    if wanted not in Place.Level.values:
        return HttpResponse(status=422)
    set_level(room=room, member=request.user, level=wanted)
    notices.success(request, _("Saved."))
    return redirect("about_room", room.pk)


@require_POST
@member_required
def answer(request: MemberRequest, room_id: int) -> HttpResponse:
    """Say yes or no (`accept` is 1 or empty) to a request."""
    room = room_or_404(request, room_id)
    accept = request.POST.get("accept") == "1"
    try:
        answer_request(room=room, member=request.user, accept=accept)
    except NotInRoom as refusal:
        notices.error(request, refusal.reason)
        return redirect("chat")
    return redirect(room) if accept else redirect("chat")


@require_POST
@member_required
def leave(request: MemberRequest, room_id: int) -> HttpResponse:
    room = room_or_404(request, room_id)
    if room.kind != DIRECT:
        raise PermissionDenied(_("A group's room is left with the group."))
    try:
        leave_room(room=room, member=request.user)
    except NotInRoom as refusal:
        notices.error(request, refusal.reason)
    else:
        notices.success(request, _("Done."))
    return redirect("chat")


def _ask(
    request: MemberRequest,
    form: forms.Form,
    act: Callable[[dict[str, Any]], Room],
    **context: Any,
) -> HttpResponse:
    """Show the form, or do what it asks for and go to the room."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                ensure_not_silenced(request.user)
                room = act(form.cleaned_data)
            except (MessageRefused, MayNotWrite) as refusal:
                form.add_error(None, refusal.reason)
                status = refusal.status
            else:
                return redirect(room)
    return render(request, "community/chat/new.html", {"form": form, **context}, status=status)
