"""Erasing an account on its member's request, for those who can no longer sign in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from community.members.models import Member
from community.privacy.erasing import ask_for_erasure, cancel_erasure, erasure_of
from community.privacy.errors import ErasureAsked, PrivacyRefusal
from community.privacy.models import Erasure, ErasureState
from config.personal import obstacles_of
from moderation.audit.services import record

if TYPE_CHECKING:
    ErasureModelForm = forms.ModelForm[Erasure]
    ErasureModelAdmin = admin.ModelAdmin[Erasure]
else:
    ErasureModelForm = forms.ModelForm
    ErasureModelAdmin = admin.ModelAdmin


class ErasureForm(ErasureModelForm):
    """Whose account, and how the request came."""

    handle = forms.CharField(label=_("Handle"))
    at_once = forms.BooleanField(
        label=_("Without waiting"),
        required=False,
        help_text=_("Else the member can take it back for a week."),
    )

    class Meta:
        model = Erasure
        fields = ("reason",)
        labels = {"reason": _("How the request came")}
        help_texts = {
            "reason": _(
                "For the audit trail, for good: no name, handle or address. A ticket number."
            )
        }

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"].strip()
        if not reason:
            raise ValidationError(gettext("Say how the request came."))
        return reason

    def clean_handle(self) -> str:
        handle: str = self.cleaned_data["handle"].strip().removeprefix("@").lower()
        member = Member.objects.filter(handle=handle, erased_at=None).first()
        if member is None:
            raise ValidationError(gettext("There is no account of this handle."))
        if erasure_of(member) is not None:
            raise ValidationError(str(ErasureAsked()))
        if obstacles := obstacles_of(member.pk):
            raise ValidationError([str(obstacle.text) for obstacle in obstacles])
        self.member = member
        return handle

    def clean(self) -> dict[str, Any] | None:
        found = super().clean()
        member: Member | None = getattr(self, "member", None)
        said = str(self.cleaned_data.get("reason", "")).lower()
        # An entry of the audit trail is never changed, by an erasure neither.
        names = (member.handle, member.name, member.email) if member else ()
        if any(re.search(rf"\b{re.escape(name.lower())}\b", said) for name in names):
            self.add_error("reason", gettext("The reason names the member."))
        return found


def acting(request: HttpRequest) -> Member:
    """The member of staff in front of the admin. Raises PermissionDenied."""
    if not isinstance(request.user, Member):
        raise PermissionDenied
    return request.user


class ErasureAdmin(ErasureModelAdmin):
    """Erasures that were asked for; staff add one, or take back one that waits."""

    form = ErasureForm
    fields = ("handle", "reason", "at_once")
    list_display = ("asked_at", "member", "state", "due_at", "asked_by", "finished_at")
    list_filter = ("state",)
    list_select_related = ("member", "asked_by")
    ordering = ("-asked_at",)
    list_per_page = 50
    actions = ("take_back",)

    def has_change_permission(self, request: HttpRequest, obj: Erasure | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Erasure | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Erasure | None = None) -> Any:
        shown = ("member", "state", "reason", "asked_by", "asked_at", "due_at", "finished_at")
        return shown if obj else self.fields

    def save_model(
        self, request: HttpRequest, obj: Erasure, form: ErasureForm, change: bool
    ) -> None:
        by = acting(request)
        at_once = form.cleaned_data["at_once"]
        with transaction.atomic():
            made = ask_for_erasure(
                form.member, by=by, reason=form.cleaned_data["reason"], at_once=at_once
            )
            record(
                actor=by,
                action="member.erase",
                target=f"member:{made.member_id}",
                subject=form.member,
                reason=made.reason,
                at_once=at_once,
            )
        obj.__dict__.update(made.__dict__)

    @admin.action(description=_("Take back the selected erasures that wait"), permissions=["add"])
    def take_back(self, request: HttpRequest, erasures: QuerySet[Erasure]) -> None:
        by = acting(request)
        taken = 0
        for erasure in erasures.filter(state=ErasureState.WAITING).select_related("member"):
            with transaction.atomic():
                try:
                    done = cancel_erasure(erasure.member)
                except PrivacyRefusal:
                    continue
                if done:
                    record(
                        actor=by,
                        action="member.keep",
                        target=f"member:{erasure.member_id}",
                        subject=erasure.member,
                    )
                    taken += 1
        said = ngettext("%(n)d taken back.", "%(n)d taken back.", taken) % {"n": taken}
        self.message_user(request, said, messages.SUCCESS)


admin.site.register(Erasure, ErasureAdmin)
