"""Forms of members."""

from __future__ import annotations

from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.utils.translation import gettext_lazy as _

from community.members.models import NAME_MAX_CHARS


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    """allauth's sign-up with the name others read."""

    name = forms.CharField(max_length=NAME_MAX_CHARS, label=_("Your name"), required=False)
