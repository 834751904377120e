"""Members in the Django admin: who they are, their standing, and what was taken from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.members.models import Member, TrustLevel
from community.standing.badges import give_badge
from community.standing.errors import StandingRefused
from community.standing.models import BadgeGrant, LevelChange
from community.standing.services import pin_level, unpin_level
from moderation.audit.models import AuditEntry
from moderation.audit.services import record
from moderation.flags.models import Case
from moderation.queue.admin import HISTORY_SHOWN, ReadOnlyAdmin
from moderation.sanctions.errors import SanctionRefused
from moderation.sanctions.forms import BadgeForm, LevelForm, LiftForm, SanctionForm
from moderation.sanctions.models import Sanction
from moderation.sanctions.services import PERMISSION, days_from_now, impose, lift


class SanctionedFilter(admin.SimpleListFilter):
    """Those who are silenced or suspended now."""

    title = _("sanctions")
    parameter_name = "sanction"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("silenced", _("Silenced now")), ("suspended", _("Suspended now"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in ("silenced", "suspended"):
            return queryset.filter(**{f"{self.value()}_until__gt": timezone.now()})
        return queryset


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ("handle", "name", "trust_level", "joined_at", "silenced", "suspended")
    list_filter: ClassVar[Any] = (SanctionedFilter, "trust_level", "trust_pinned", "is_staff")
    search_fields = ("handle", "name", "email")
    search_help_text = _("Handle, name or e-mail")
    ordering = ("-pk",)
    list_per_page = 50

    @admin.display(description=_("Silenced"), boolean=True)
    def silenced(self, member: Member) -> bool:
        return member.is_silenced(timezone.now())

    @admin.display(description=_("Suspended"), boolean=True)
    def suspended(self, member: Member) -> bool:
        return member.is_suspended(timezone.now())

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One member: standing, sanctions, cases, and the forms that change them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = Member.objects.filter(pk=object_id) if object_id.isdecimal() else None
        member = found.first() if found is not None else None
        if member is None:
            raise Http404
        may_act = request.user.has_perm(PERMISSION)
        asked = {name: name in request.POST for name in _VERBS}
        forms_: dict[str, forms.Form] = {
            name: form(request.POST if asked[name] else None)
            for name, (form, _verb) in _VERBS.items()
        }
        if request.method == "POST":
            if not may_act or not isinstance(request.user, Member):
                raise PermissionDenied
            if self._act(request, request.user, member, forms_):
                return redirect("admin:community_member_change", member.pk)
        now = timezone.now()
        sanctions = list(
            Sanction.objects.filter(member=member)
            .select_related("by", "lifted_by")
            .order_by("-starts_at", "-pk")[:HISTORY_SHOWN]
        )
        context = {
            **self.admin_site.each_context(request),
            "title": member.name,
            "opts": self.opts,
            "member": member,
            "sanctions": [(one, one.is_in_force(now)) for one in sanctions],
            "changes": LevelChange.objects.filter(member=member)
            .select_related("by")
            .order_by("-at")[:HISTORY_SHOWN],
            "grants": BadgeGrant.objects.filter(member=member).select_related("badge"),
            "cases": Case.objects.filter(author=member)
            .select_related("decision")
            .order_by("-opened_at")[:HISTORY_SHOWN],
            "acts": AuditEntry.objects.filter(target=f"member:{member.pk}")
            .select_related("actor")
            .order_by("-acted_at")[:HISTORY_SHOWN],
            "forms": forms_,
            "may_act": may_act,
        }
        failed = request.method == "POST"
        return TemplateResponse(
            request, "admin/community/member/show.html", context, status=422 if failed else 200
        )

    def _act(
        self, request: HttpRequest, by: Member, member: Member, asked: dict[str, forms.Form]
    ) -> bool:
        """Carry out what was posted; False when the page has to say what is missing."""
        for name, form in asked.items():
            if not form.is_bound or not form.is_valid():
                continue
            try:
                said = _VERBS[name][1](member, by, form.cleaned_data)
            except (SanctionRefused, StandingRefused) as refused:
                form.add_error(None, str(refused))
            else:
                self.message_user(request, said, messages.SUCCESS)
                return True
        return False


def _sanction(member: Member, by: Member, said: dict[str, Any]) -> str:
    until = days_from_now(said["days"])
    impose(kind=said["kind"], member=member, by=by, reason=said["reason"], until=until)
    return gettext("Done. The member is told why.")


def _lift(member: Member, by: Member, said: dict[str, Any]) -> str:
    sanction = Sanction.objects.filter(pk=said["sanction"], member=member).first()
    if sanction is None:
        raise Http404
    lift(sanction=sanction, by=by, reason=said["reason"])
    return gettext("It is lifted.")


@transaction.atomic
def _set_level(member: Member, by: Member, said: dict[str, Any]) -> str:
    level, before = said["level"], member.trust_level
    if level is None:
        unpin_level(member=member)
    else:
        pin_level(member=member, level=TrustLevel(level), by=by, reason=said["reason"])
    record(
        actor=by,
        action="member.level_unpinned" if level is None else "member.level_pinned",
        target=f"member:{member.pk}",
        subject=member,
        reason=said["reason"],
        before=before,
        level=level,
    )
    return gettext("The trust level is set.") if level is not None else gettext("It is earned.")


@transaction.atomic
def _give_badge(member: Member, by: Member, said: dict[str, Any]) -> str:
    grant = give_badge(badge=said["badge"], member=member, by=by, reason=said["reason"])
    record(
        actor=by,
        action="member.badge_given",
        target=f"member:{member.pk}",
        subject=member,
        reason=said["reason"],
        badge=grant.badge.slug,
    )
    return gettext("The badge is given.")


Verb = Callable[[Member, Member, dict[str, Any]], str]
# By the name of the button: its form, and what it does.
_VERBS: dict[str, tuple[type[forms.Form], Verb]] = {
    "impose": (SanctionForm, _sanction),
    "lift": (LiftForm, _lift),
    "set_level": (LevelForm, _set_level),
    "give_badge": (BadgeForm, _give_badge),
}
