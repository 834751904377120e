"""Forms of members."""

from __future__ import annotations

from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.views import signup
from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from community.members.models import NAME_MAX_CHARS, Member


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    """allauth's sign-up with the name others read."""

    name = forms.CharField(max_length=NAME_MAX_CHARS, label=_("Your name"), required=False)

    def try_save(self, request: HttpRequest) -> tuple[Member | None, HttpResponse | None]:
        """Sign up. Who lost a race for a handle or an address is answered as one who came later."""
        try:
            with transaction.atomic():
                return super().try_save(request)  # type: ignore[no-any-return]
        except IntegrityError:
            if getattr(request, "looked_again", False):
                raise
            request.looked_again = True  # type: ignore[attr-defined]
            return None, signup(request)
