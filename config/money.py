"""Money as people write and read it; everywhere else it is integer minor units and a currency."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from django.utils.formats import get_format, number_format
from django.utils.translation import get_language, gettext

# ISO 4217: how many digits follow the point. What is not named here has two.
_NO_DECIMALS: Final = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"),
        *("VND", "VUV", "XAF", "XOF", "XPF"),
    )
)
_EXPONENTS: Final = {
    **dict.fromkeys(_NO_DECIMALS, 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_SYMBOLS: Final = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "EUR": "€",
    "GBP": "£",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "PHP": "₱",
    "TRY": "₺",
    "UAH": "₴",
    "USD": "$",
    "VND": "₫",
}
# Where a language writes them otherwise (CLDR): the reader's own yen needs no country.
_SYMBOLS_IN: Final[dict[str, dict[str, str]]] = {
    "zh-hans": {"AUD": "AU$", "CNY": "¥", "JPY": "JP¥", "KRW": "￦", "USD": "US$"},
}
# What a form offers; a feed may bring any other code.
CURRENCIES: Final = (
    *("GBP", "EUR", "USD", "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "HUF", "INR"),
    *("JPY", "KRW", "KWD", "MXN", "NOK", "NZD", "PLN", "SEK", "TRY", "ZAR"),
)
PRICE_MAX_MINOR: Final = 10**12
_AMOUNT: Final = re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?", re.ASCII)


class NotAnAmount(ValueError):
    """The text is not an amount of that currency; the message says what to write instead."""


def exponent(currency: str) -> int:
    """Return how many decimals `currency` (ISO 4217) has: 0, 2, 3 or 4."""
    return _EXPONENTS.get(currency, 2)


def parse_minor(text: str, currency: str) -> int:
    """Return "1,250.5" as minor units of `currency`: 125050 for GBP. No float is involved.

    The point separates decimals; commas may group thousands. The currency's own symbol or code in
    front is accepted. Raises NotAnAmount for anything else, for more decimals than the currency
    has, and above PRICE_MAX_MINOR.
    """
    text = text.strip()
    for prefix in (symbol(currency), _SYMBOLS.get(currency, currency), currency):
        text = text.removeprefix(prefix).lstrip()
    digits = exponent(currency)
    found = _AMOUNT.fullmatch(text)
    if found is None:
        example = "12" if digits == 0 else f"12.{'5'.ljust(digits, '0')}"
        raise NotAnAmount(
            gettext("Write the amount in figures with a point, like %(example)s.")
            % {"example": example}
        )
    part = found["part"] or ""
    if len(part) > digits:
        if digits == 0:
            raise NotAnAmount(gettext("%(currency)s has no decimals.") % {"currency": currency})
        raise NotAnAmount(
            gettext("%(currency)s has at most %(count)s decimals.")
            % {"currency": currency, "count": digits}
        )
    figures = found["whole"].replace(",", "").lstrip("0") + part.ljust(digits, "0")
    # Before it is a number: thousands of digits are no number Python would make.
    if len(figures) > len(str(PRICE_MAX_MINOR)) or int(figures or "0") > PRICE_MAX_MINOR:
        raise NotAnAmount(gettext("That is more than can be asked here."))
    return int(figures or "0")


def in_words(minor: int, currency: str) -> str:
    """Return "£210", "£12.50", "¥900", "CHF 1,250": whole amounts carry no decimals.

    The figures are those of the active language, and so is the symbol.
    """
    digits = exponent(currency)
    whole, part = divmod(abs(minor), 10**digits)
    amount = number_format(whole, force_grouping=True)
    if part:
        amount += f"{get_format('DECIMAL_SEPARATOR')}{part:0{digits}d}"
    return f"{'−' if minor < 0 else ''}{symbol(currency)}{amount}"


def symbol(currency: str) -> str:
    """Return what stands before an amount in the active language: "£", "CN¥", "CHF" and a space."""
    home = _SYMBOLS_IN.get(get_language() or "", {})
    return home.get(currency) or _SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")


def typed(minor: int, currency: str) -> str:
    """Return minor units as they stand in an input: "12.50", "210.00", "900"."""
    digits = exponent(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"
