"""How allauth makes and addresses our members."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from community.members.models import Member


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    # The form asks for "E-mail or handle"; allauth's own words speak of a username.
    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("The e-mail, handle or password is not right."),
        "email_password_mismatch": _("The e-mail, handle or password is not right."),
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Handles are lower case, so that one person cannot pose as another by capitals."""
        cleaned: str = super().clean_username(username.lower(), shallow=shallow)
        return cleaned

    def save_user(
        self, request: HttpRequest, user: Member, form: Any, commit: bool = True
    ) -> Member:
        user.name = form.cleaned_data.get("name") or form.cleaned_data["username"]
        saved: Member = super().save_user(request, user, form, commit=commit)
        return saved
