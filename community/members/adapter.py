"""How allauth makes and addresses our members."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.members.errors import MayNotSignIn
from community.members.models import Member
from community.members.sanctions import ensure_may_sign_in
from config.languages import language_tag
from config.letters import inlined

# What erased accounts are called from then on (community.privacy).
FORMER = re.compile(r"former-\d+(-\d+)?\Z")


BACK = "back"  # in a link that confirms an address: where to go then
# What a letter can lead to, by its name in allauth's context.
ACTIONS: Final = {
    "activate_url": _("Confirm your e-mail"),
    "password_reset_url": _("Choose a new password"),
    "signup_url": _("Join"),
}


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
        if FORMER.match(cleaned):
            raise ValidationError(gettext("That handle is kept for members who left."))
        return cleaned

    def pre_login(self, request: HttpRequest, user: Member, **more: Any) -> HttpResponseBase | None:
        """Turn away who is suspended, by whatever door they come, and say why and until when."""
        try:
            ensure_may_sign_in(user)
        except MayNotSignIn as refusal:
            clear_login(request)
            context = {"refusal": refusal.reason}
            return render(request, "account/suspended.html", context, status=refusal.status)
        answer: HttpResponseBase | None = super().pre_login(request, user, **more)
        return answer

    def login(self, request: HttpRequest, user: Member) -> None:
        is_first = user.last_login is None
        super().login(request, user)
        if is_first and user.onboarded_at is None:
            request.is_first_visit = True  # type: ignore[attr-defined]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """To the first steps once, right after signing up, unless a page was waiting (`next`)."""
        if getattr(request, "is_first_visit", False):
            return reverse("welcome")
        address: str = super().get_login_redirect_url(request)
        return address

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return reverse("welcome")

    def get_email_confirmation_url(
        self, request: HttpRequest | None, emailconfirmation: Any
    ) -> str:
        """The link of the message, with where the person was: they may open it elsewhere."""
        link: str = super().get_email_confirmation_url(request, emailconfirmation)
        back = get_next_redirect_url(request) if request is not None else None
        return f"{link}?{urlencode({BACK: back})}" if back else link

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        """Back to where they were; in another browser by way of signing in."""
        back: str = self.request.GET.get(BACK, "")
        if not back or not self.is_safe_url(back):
            address: str = super().get_email_verification_redirect_url(email_address)
            return address
        if self.request.user.is_authenticated:
            return back
        return f"{reverse('account_login')}?{urlencode({'next': back})}"

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMultiAlternatives:
        """The letter in text, and the same words in HTML with a button for what they lead to."""
        letter: EmailMultiAlternatives = super().render_mail(
            template_prefix, email, context, headers
        )
        links = {str(context[key]): says for key, says in ACTIONS.items() if context.get(key)}
        links[f"{settings.SITE_URL}{reverse('mfa_index')}"] = _("Sign-in security")
        # The last paragraph signs the text; the HTML has its head and foot instead.
        paragraphs = re.split(r"\n\s*\n", letter.body.strip())[:-1]
        page = render_to_string(
            "account/email/letter.html",
            {
                "member": context.get("user"),
                "site_name": settings.SITE_NAME,
                "site_url": settings.SITE_URL,
                "subject": letter.subject,
                "language": language_tag(),
                "parts": [_part(paragraph, links) for paragraph in paragraphs],
            },
        )
        letter.attach_alternative(inlined(page), "text/html")
        return letter

    def save_user(
        self, request: HttpRequest, user: Member, form: Any, commit: bool = True
    ) -> Member:
        user.name = form.cleaned_data.get("name") or form.cleaned_data["username"]
        saved: Member = super().save_user(request, user, form, commit=commit)
        return saved


def _part(paragraph: str, links: dict[str, Any]) -> tuple[str, str, Any]:
    """Split a paragraph of a letter: its words, and the address of `links` they end in, if any."""
    for address, says in links.items():
        if paragraph.endswith(address):
            return paragraph.removesuffix(address).rstrip(), address, says
    return paragraph, "", ""
