"""Forms of merchants."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commerce.merchants.errors import MerchantRefusal, NameTaken
from commerce.merchants.models import Merchant
from commerce.merchants.services import RESERVED_SLUGS, slug_for

_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
CURRENCIES = ("GBP", "EUR", "USD", "AUD", "CAD", "CHF", "DKK", "JPY", "KWD", "NOK", "NZD", "SEK")


class ShopForm(forms.Form):
    """What a shop says of itself. The website is typed any way people type one."""

    name = forms.CharField(max_length=80, label=_("Name of the shop"))
    about = forms.CharField(
        label=_("About"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What you sell, and what you stand for."),
    )
    disclosure = forms.CharField(
        max_length=120,
        label=_("Disclosure"),
        help_text=_("Stands beside every post of your team, so that readers know: “I work at …”."),
    )
    host = forms.CharField(
        max_length=253,
        required=False,
        label=_("Website"),
        help_text=_(
            "Like shop.example.org. Your listings may lead there and nowhere else; it is set once."
        ),
    )
    currency = forms.ChoiceField(
        choices=[(code, code) for code in CURRENCIES], initial="GBP", label=_("Usual currency")
    )

    def __init__(self, *args: Any, merchant: Merchant | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merchant = merchant
        if merchant is not None:
            del self.fields["currency"]
            self.fields["host"].disabled = bool(merchant.host)
            self.fields["disclosure"].required = merchant.kind == "shop"

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if self.merchant is None:
            slug = slug_for(name)
            if not slug:
                raise forms.ValidationError(gettext("Use some letters or digits in the name."))
            if slug in RESERVED_SLUGS or Merchant.objects.filter(slug=slug).exists():
                raise forms.ValidationError(str(NameTaken.message))
        return name

    def clean_host(self) -> str:
        if self.merchant is not None and self.merchant.host:
            return self.merchant.host
        typed = str(self.cleaned_data["host"]).strip().lower()
        typed = re.sub(r"^https?://", "", typed).removeprefix("www.").rstrip("/.")
        if not typed:
            return ""
        try:
            host = typed.encode("idna").decode("ascii")
        except UnicodeError:
            host = ""
        if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
            raise forms.ValidationError(gettext("Write the host alone, like shop.example.org."))
        return host

    def refuse(self, refusal: MerchantRefusal) -> None:
        """Put a verb's refusal beside its field."""
        name = type(refusal).__name__
        field = {"NameTaken": "name", "HostTaken": "host", "HostFixed": "host"}.get(name)
        self.add_error(field, str(refusal))


class TeamInvitationForm(forms.Form):
    handle = forms.CharField(max_length=31, label=_("Their handle"), help_text=_("Like @noor."))

    def clean_handle(self) -> str:
        return str(self.cleaned_data["handle"]).strip().lstrip("@").lower()
