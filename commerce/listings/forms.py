"""Forms of listings."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commerce.listings.addresses import ADDRESS_MAX_CHARS
from commerce.listings.errors import ListingRefusal
from commerce.listings.models import Condition, Listing, ListingKind
from commerce.listings.services import ListingFields
from commerce.listings.tokens import is_gtin
from commerce.merchants.models import Merchant, MerchantKind
from community.groups.models import Group
from community.members.models import Member
from config.money import CURRENCIES, NotAnAmount, parse_minor, typed

ONESELF: Final = "me"


class ListingForm(forms.Form):
    """What a listing says. `price` is typed as people write it, with a point for decimals."""

    merchant = forms.ChoiceField(label=_("Who sells"), widget=forms.RadioSelect)
    kind = forms.ChoiceField(
        label=_("What is it"),
        choices=[
            (ListingKind.SALE, _("For sale")),
            (ListingKind.WANTED, _("Wanted: I am looking for one")),
        ],
        initial=ListingKind.SALE,
        widget=forms.RadioSelect,
    )
    title = forms.CharField(
        label=_("Title"),
        max_length=120,
        help_text=_("Brand, model, and the one thing a buyer should know."),
    )
    price = forms.CharField(
        label=_("Price"),
        max_length=20,
        error_messages={"required": _("Something for sale needs a price. 0 means it is free.")},
        help_text=_("The full price, like 12.50. 0 means it is free."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(
        label=_("Currency"), choices=[(code, code) for code in CURRENCIES], initial="GBP"
    )
    condition = forms.ChoiceField(
        label=_("Condition"),
        choices=Condition.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say what state it is in.")},
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=5000,
        required=False,
        help_text=_("Say every fault, and show it in a photo."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    place = forms.CharField(
        label=_("Place"),
        max_length=80,
        required=False,
        help_text=_("A town or part of one, not your address."),
    )
    group = forms.ChoiceField(
        required=False, label=_("Group"), help_text=_("Its members see it among their listings.")
    )
    stock = forms.IntegerField(label=_("How many"), min_value=0, max_value=1_000_000, initial=1)
    brand = forms.CharField(label=_("Brand"), max_length=60, required=False)
    model = forms.CharField(
        label=_("Model"),
        max_length=60,
        required=False,
        help_text=_("Brand and model let posts that name them find this listing."),
    )
    sku = forms.CharField(max_length=60, required=False, label=_("SKU"))
    gtin = forms.CharField(
        max_length=14,
        required=False,
        label=_("GTIN"),
        help_text=_("The number under the bar code: 8, 12, 13 or 14 figures."),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    url = forms.CharField(
        max_length=ADDRESS_MAX_CHARS,
        required=False,
        label=_("Address in your shop"),
        help_text=_("Begins with https:// and is on your shop's own website."),
        widget=forms.URLInput,
    )

    def __init__(
        self, *args: Any, member: Member, listing: Listing | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.listing = listing
        # Who looks for something names neither, unless they want to.
        if self["kind"].value() == ListingKind.WANTED:
            self.fields["price"].required = self.fields["condition"].required = False
        if listing is not None:
            self.merchants = {listing.merchant.slug: listing.merchant}
        else:
            teams = Merchant.objects.run_by(member).order_by("kind", "name")
            self.merchants = {one.slug: one for one in teams}
        choices = [
            (slug, gettext("Myself, privately") if one.kind == MerchantKind.PERSON else one.name)
            for slug, one in self.merchants.items()
        ]
        if listing is None and not any(
            one.kind == MerchantKind.PERSON for one in self.merchants.values()
        ):
            choices.insert(0, (ONESELF, gettext("Myself, privately")))
        self._choose("merchant", choices)
        if listing is not None:
            del self.fields["merchant"]
        elif len(choices) == 1:
            self.fields["merchant"].widget = forms.HiddenInput()
        self.initial.setdefault("merchant", choices[0][0])
        self.groups = {group.slug: group for group in Group.objects.joined_by(member)}
        if listing is not None and listing.group is not None:
            self.groups.setdefault(listing.group.slug, listing.group)
        self._choose(
            "group",
            [
                ("", gettext("No group: for everybody")),
                *((group.slug, group.name) for group in self.groups.values()),
            ],
        )
        if not any(one.host for one in self.merchants.values()):
            del self.fields["url"]
        currencies = {one.currency for one in self.merchants.values()}
        if listing is not None:
            currencies.add(listing.currency)
        extra = sorted(currencies - set(CURRENCIES))
        self._choose("currency", [(code, code) for code in (*CURRENCIES, *extra)])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = choices

    @property
    def has_details(self) -> bool:
        """Whether something is said or wrong among what is folded away."""
        names = ("stock", "brand", "model", "sku", "gtin", "url")
        return any(
            self.errors.get(name) or (name != "stock" and self[name].value())
            for name in names
            if name in self.fields
        )

    def clean_gtin(self) -> str:
        gtin = str(self.cleaned_data["gtin"]).replace(" ", "").replace("-", "")
        if gtin and not is_gtin(gtin):
            raise forms.ValidationError(
                gettext("That is not a GTIN: count its figures, and look at the last one again.")
            )
        return gtin

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        text = str(cleaned.get("price", "")).strip()
        cleaned["price_minor"] = None
        if text and "currency" in cleaned:
            try:
                cleaned["price_minor"] = parse_minor(text, cleaned["currency"])
            except NotAnAmount as error:
                self.add_error("price", str(error))
        return cleaned

    def chosen_group(self) -> Group | None:
        return self.groups.get(self.cleaned_data["group"])

    def listing_fields(self) -> ListingFields:
        said = self.cleaned_data
        fields = ListingFields(
            kind=said["kind"],
            title=said["title"],
            description=said["description"],
            brand=said["brand"],
            model=said["model"],
            sku=said["sku"],
            gtin=said["gtin"],
            price_minor=said["price_minor"],
            currency=said["currency"],
            condition=said["condition"],
            place=said["place"],
            stock=said["stock"],
        )
        if "url" in said:
            fields["url"] = said["url"]
        return fields

    def refuse(self, refusal: ListingRefusal) -> None:
        """Put a verb's refusal beside its field."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, str(refusal))


def as_typed(listing: Listing) -> dict[str, Any]:
    """Return what the form shows of a listing that exists."""
    return {
        "kind": listing.kind,
        "title": listing.title,
        "price": ""
        if listing.price_minor is None
        else typed(listing.price_minor, listing.currency),
        "currency": listing.currency,
        "condition": listing.condition,
        "description": listing.description,
        "place": listing.place,
        "group": listing.group.slug if listing.group else "",
        "stock": listing.stock,
        "brand": listing.brand,
        "model": listing.model,
        "sku": listing.sku,
        "gtin": listing.gtin,
        "url": listing.url,
    }
