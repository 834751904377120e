"""Reading a merchant's feed: one JSON object a line. Pure, except for the file.

Known names, each optional but the first two: `id` (or `post_id`, `external_id`), `title`, `price`
(a number or text in whole units of the currency, "12.50"), `currency`, `description` (text or
paragraphs), `condition` (or `item`), `brand`, `model`, `sku`, `gtin`, `url`, `place`, `stock`,
`kind`. `item` that is no condition is a brand when the title says it too.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from commerce.listings.models import Condition, ListingKind
from commerce.listings.services import ListingFields
from commerce.listings.tokens import is_gtin, is_model_token, names, phrase, words
from config.money import NotAnAmount, parse_minor

LINE_MAX_BYTES: Final = 1024 * 1024
TITLE_MAX_CHARS: Final = 120
DESCRIPTION_MAX_CHARS: Final = 5000
# A word in `item` names a brand when as many rows use it; one alone may be anything.
BRAND_MIN_ROWS: Final = 2

_CONDITIONS: Final = {
    "new": Condition.NEW,
    "like new": Condition.LIKE_NEW,
    "excellent": Condition.GOOD,
    "good": Condition.GOOD,
    "fair": Condition.FAIR,
    "used": Condition.FAIR,
    "salvage": Condition.FOR_PARTS,
    "for parts": Condition.FOR_PARTS,
    **{condition.value.replace("_", " "): condition for condition in Condition},
}


class BadLine(ValueError):
    """A line that cannot be read; the message says why, `number` is its number from 1."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(why)
        self.number = number


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Stream the lines that say something, with their numbers from 1."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_MAX_BYTES + 1):
            number += 1
            if len(line) > LINE_MAX_BYTES:
                raise BadLine(number, f"is longer than {LINE_MAX_BYTES:,} bytes")
            if line.strip():
                yield number, line


def read_row(number: int, line: bytes) -> dict[str, Any]:
    """Return the object on a line. Raises BadLine. Numbers stay exact: no float is made."""
    try:
        row = json.loads(line, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise BadLine(number, f"is no JSON: {error}") from error
    if not isinstance(row, dict):
        raise BadLine(number, "is no JSON object")
    return row


def brands_in(path: Path) -> frozenset[str]:
    """Return, folded, what `brand` and `item` of the whole file name as brands."""
    told: Counter[str] = Counter()
    guessed: Counter[str] = Counter()
    for number, line in lines(path):
        try:
            row = read_row(number, line)
        except BadLine:
            continue  # said with its number when its turn comes
        if brand := _text(row, "brand"):
            told[phrase(brand)] += 1
        item = _text(row, "item")
        if item and _condition_of(item) is None and not any(sign.isdigit() for sign in item):
            guessed[phrase(item)] += 1
    often = {brand for brand, rows in guessed.items() if rows >= BRAND_MIN_ROWS}
    return frozenset((often | set(told)) - {"  "})


def listing_fields(
    number: int, row: dict[str, Any], *, currency: str, brands: frozenset[str] = frozenset()
) -> ListingFields:
    """Return what a row says, for `take_in`. Raises BadLine with what is wrong.

    Brand and model, where the row does not name them, are guessed from the title only if it has a
    word of letters and digits (CX-315), and a brand the feed knows.
    """
    external_id = _text(row, "id") or _text(row, "external_id") or _text(row, "post_id")
    if not external_id:
        raise BadLine(number, "has no id")
    if len(external_id) > 80:
        raise BadLine(number, "has an id longer than 80 characters")
    title = " ".join(_text(row, "title").split())
    if not title:
        raise BadLine(number, "has no title")
    currency = (_text(row, "currency") or currency).upper()
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise BadLine(number, f"has a currency that is none: {currency!r}")
    kind = _text(row, "kind") or ListingKind.SALE.value
    if kind not in ListingKind.values:
        raise BadLine(number, f"has a kind that is none: {kind!r}")
    price = _price(number, row, currency)
    if price is None and kind == ListingKind.SALE:
        raise BadLine(number, "has no price")
    said, item = _text(row, "condition"), _text(row, "item")
    condition = _condition_of(said) or _condition_of(item)
    brand, model = _text(row, "brand"), _text(row, "model")
    if not brand:
        brand = _brand_of(title, item if _condition_of(item) is None else "", brands)
    if not model:
        model = _model_of(title)
    gtin = re.sub(r"[ -]", "", _text(row, "gtin"))
    if gtin and not is_gtin(gtin):
        raise BadLine(number, f"has a GTIN that is none: {gtin!r}")
    return ListingFields(
        external_id=external_id,
        kind=kind,
        title=_cut(title, TITLE_MAX_CHARS),
        description=_cut(_description(number, row), DESCRIPTION_MAX_CHARS),
        price_minor=price,
        currency=currency,
        condition=condition.value if condition else "",
        brand=brand[:60],
        model=model[:60],
        sku=_text(row, "sku")[:60],
        gtin=gtin,
        url=_text(row, "url"),
        place=_text(row, "place")[:80],
        stock=_stock(number, row),
    )


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None or isinstance(value, bool | list | dict):
        return ""
    return str(value).replace("\x00", "").encode("utf-8", "ignore").decode().strip()


def _price(number: int, row: dict[str, Any], currency: str) -> int | None:
    price = row.get("price")
    if price is None or price == "":
        return None
    if isinstance(price, bool | list | dict):
        raise BadLine(number, f"has a price that is no amount: {price!r}")
    # A number like 1e999999999 is short in the file and must not become a billion digits.
    long = isinstance(price, Decimal) and abs(price.adjusted()) > 20
    text = format(price, "f") if isinstance(price, Decimal) and not long else str(price)
    if isinstance(price, Decimal) and "." in text and not long:
        text = text.rstrip("0").rstrip(".")
    try:
        return parse_minor(text, currency)
    except NotAnAmount as error:
        raise BadLine(number, f"has a price that is no amount: {text!r}. {error}") from error


def _stock(number: int, row: dict[str, Any]) -> int:
    stock = row.get("stock", 1)
    if not isinstance(stock, int) or isinstance(stock, bool) or not 0 <= stock < 2**31:
        raise BadLine(number, f"has a stock that is no count: {stock!r}")
    return stock


def _description(number: int, row: dict[str, Any]) -> str:
    said = row.get("description", "")
    if isinstance(said, list):
        said = "\n\n".join(str(part) for part in said)
    if said is not None and not isinstance(said, str):
        raise BadLine(number, "has a description that is no text")
    return (said or "").replace("\x00", "").encode("utf-8", "ignore").decode().strip()


def _condition_of(said: str) -> Condition | None:
    return _CONDITIONS.get(" ".join(said.lower().replace("_", " ").split()))


def _brand_of(title: str, item: str, brands: frozenset[str]) -> str:
    """Return the brand as the title writes it, or nothing."""
    phrased = phrase(title)
    known = [brand for brand in brands if brand in phrased]
    if item and phrase(item) in brands and names(phrased, item):
        known.append(phrase(item))
    if not known:
        return ""
    wanted = max(known, key=lambda brand: (len(brand), brand)).split()
    in_title = list(words(title))
    for start in range(len(in_title) - len(wanted) + 1):
        part = in_title[start : start + len(wanted)]
        if [word.folded for word in part] == wanted:
            return title[part[0].start : part[-1].end]
    return ""


def _model_of(title: str) -> str:
    """Return the one word of the title that can only be a model, or nothing when there are two."""
    found = {word.folded: word.written for word in words(title) if is_model_token(word)}
    return next(iter(found.values())) if len(found) == 1 else ""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
