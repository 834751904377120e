"""The admin site moderators and staff sign in to."""

from __future__ import annotations

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from csp.constants import SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class StaffSite(AdminSite):
    """Stock admin behind our own sign-in; a second factor where the settings ask for one."""

    site_title = _("Shoal staff")
    site_header = _("Shoal staff")
    index_title = _("What needs a look")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and self.has_second_factor(request)

    def has_second_factor(self, request: HttpRequest) -> bool:
        return not settings.STAFF_MFA_REQUIRED or bool(is_mfa_enabled(request.user))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the site's own sign-in, with its limits and its second factor."""
        wanted = request.GET.get("next") or reverse("admin:index")
        if not request.user.is_authenticated:
            return redirect_to_login(wanted)
        if self.has_permission(request):
            return redirect("admin:index")
        if super().has_permission(request):
            messages.warning(
                request, gettext("Staff sign in with a second factor. Add one here first.")
            )
            return redirect("mfa_index")
        return redirect("home")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        # The stock admin loads its scripts by plain addresses of our own host; no eval, no inline.
        allow_own_scripts = csp_replace({"script-src": [SELF]})
        return super().admin_view(allow_own_scripts(view), cacheable)
