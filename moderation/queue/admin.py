"""Cases and audit entries in the Django admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from community.chat.models import Message
from community.members.models import Member
from moderation.audit.models import AuditEntry
from moderation.flags.context import look_around
from moderation.flags.errors import FlagRefused
from moderation.flags.forms import DecisionForm, ShowAgainForm
from moderation.flags.models import Case, FlagReason, Outcome, TargetKind
from moderation.flags.services import decide, show_again
from moderation.flags.targets import KINDS, Target, load_targets, visible_target

HISTORY_SHOWN = 10

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = admin.ModelAdmin


class ReadOnlyAdmin(AnyAdmin):
    """Rows that are read here and changed by verbs alone."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django's own title asks to "select" one, which is not all there is to do with a list.
        title = str(self.opts.verbose_name_plural).capitalize()
        answer: HttpResponse = super().changelist_view(
            request, {"title": title, **(extra_context or {})}
        )
        return answer

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OpenFilter(admin.SimpleListFilter):
    """Open cases unless asked for others: that is the work."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [
            ("closed", pgettext("cases", "Closed")),
            ("all", pgettext("cases", "All")),
        ]

    def choices(self, changelist: Any) -> Any:
        chosen = self.value()
        yield {
            "selected": chosen is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": pgettext("cases", "Open"),
        }
        for value, label in self.lookup_choices:
            yield {
                "selected": chosen == str(value),
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        if self.value() == "all":
            return queryset
        return queryset.filter(closed_at__isnull=self.value() != "closed")


class CaseList(ChangeList):
    """The list with what each case is about, loaded in a query a kind."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        targets = load_targets((case.kind, case.target_id) for case in self.result_list)
        for case in self.result_list:
            case.loaded = targets.get((case.kind, case.target_id))


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    list_display = ("words", "kind", "reasons", "flag_total", "author", "group", "last_flag")
    list_filter: ClassVar[Any] = (OpenFilter, "kind", ("group", admin.RelatedOnlyFieldListFilter))
    search_fields = ("author__handle", "author__name")
    search_help_text = _("The author's handle or name")
    list_select_related = ("author", "group")
    ordering = ("-last_flag_at",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        found: QuerySet[Case] = super().get_queryset(request)
        return found.annotate(flag_reasons=ArrayAgg("flags__reason", distinct=True, default=[]))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CaseList

    @admin.display(description=_("What was said"))
    def words(self, case: Any) -> str:
        if case.loaded is None:
            return gettext("No longer there")
        said = KINDS[case.kind].words_of(case.loaded).strip()
        return Truncator(said or gettext("(a picture)")).chars(90)

    @admin.display(description=_("Flagged as"))
    def reasons(self, case: Any) -> str:
        names = dict(FlagReason.choices)
        return ", ".join(str(names[reason]) for reason in case.flag_reasons if reason)

    @admin.display(description=_("Flags"), ordering="flag_count")
    def flag_total(self, case: Any) -> int:
        return int(case.flag_count)

    @admin.display(description=_("Last flag"), ordering="last_flag_at")
    def last_flag(self, case: Any) -> str:
        # As everywhere else here: the day first, and 24 hours.
        return date_format(timezone.localtime(case.last_flag_at), gettext("j M, H:i"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One case with all one needs to decide it, and the decision."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = Case.objects.select_related("author", "group", "decision__decided_by")
        case = found.filter(pk=object_id).first() if object_id.isdecimal() else None
        if case is None:
            raise Http404
        kind = KINDS[case.kind]
        target = kind.rows().filter(pk=case.target_id).first()
        may_decide = request.user.has_perm("moderation.add_decision")
        form = DecisionForm(request.POST if "decide" in request.POST else None)
        show_form = ShowAgainForm(request.POST if "show_again" in request.POST else None)
        if request.method == "POST":
            if not may_decide or not isinstance(request.user, Member):
                raise PermissionDenied
            if answer := self._act(request, request.user, case, form, show_form):
                return answer
        around: list[Message] = []
        if request.method == "GET" and isinstance(request.user, Member):
            around = look_around(case=case, target=target, by=request.user)
        flags = case.flags.select_related("member").order_by("flagged_at", "pk")
        context = {
            **self.admin_site.each_context(request),
            "title": f"{kind.place_of(target)}" if target else gettext("Case"),
            "opts": self.opts,
            "case": case,
            "decision": getattr(case, "decision", None),
            "target": target,
            "words": kind.words_of(target) if target else "",
            "address": self._address(target, case, request),
            "around": around,
            "flags": flags,
            "history": Case.objects.filter(author=case.author)
            .exclude(pk=case.pk)
            .select_related("decision")
            .order_by("-opened_at")[:HISTORY_SHOWN],
            "acts": AuditEntry.objects.filter(target=case.target)
            .select_related("actor")
            .order_by("-acted_at")[:HISTORY_SHOWN],
            "form": form,
            "show_form": show_form,
            "may_decide": may_decide,
        }
        failed = request.method == "POST"
        return TemplateResponse(
            request, "admin/moderation/case/show.html", context, status=422 if failed else 200
        )

    def _address(self, target: Target | None, case: Case, request: HttpRequest) -> str:
        """Where it is read; of a message only for those in its room."""
        if target is None:
            return ""
        is_shown = case.kind != TargetKind.MESSAGE or (
            isinstance(request.user, Member)
            and visible_target(case.kind, target.pk, request.user) is not None
        )
        return target.get_absolute_url() if is_shown else ""

    def _act(
        self,
        request: HttpRequest,
        by: Member,
        case: Case,
        form: DecisionForm,
        show_form: ShowAgainForm,
    ) -> HttpResponse | None:
        """Carry out what was posted; None when the page has to say what is missing."""
        try:
            if "decide" in request.POST and form.is_valid():
                decide(
                    case=case,
                    by=by,
                    outcome=Outcome(form.cleaned_data["outcome"]),
                    reason=form.cleaned_data["reason"],
                )
                self.message_user(request, gettext("Decided."), messages.SUCCESS)
                return redirect("admin:moderation_case_changelist")
            if "show_again" in request.POST and show_form.is_valid():
                show_again(case=case, by=by, reason=show_form.cleaned_data["reason"])
                self.message_user(request, gettext("It is shown again."), messages.SUCCESS)
                return redirect("admin:moderation_case_change", case.pk)
        except FlagRefused as refused:
            form.add_error(None, str(refused)) if "decide" in request.POST else (
                show_form.add_error(None, str(refused))
            )
        return None


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("acted_at", "actor", "action", "target", "subject", "reason")
    list_filter = ("action",)
    search_fields = ("target", "actor__handle", "subject__handle", "reason")
    search_help_text = _("Target, handle or reason")
    list_select_related = ("actor", "subject")
    ordering = ("-acted_at", "-pk")
    list_per_page = 100
