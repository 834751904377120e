"""What a shop may post to the generic endpoint, read into plain values. Pure: bytes in, facts out.

docs/connectors.md is the shop's side of this file. Amounts are strings like "12.34", so that no
float is ever involved; times carry an offset. What is not known is ignored, what is missing or
wrong is refused with a sentence that names the place.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NoReturn

from commerce.connectors.errors import Refused
from commerce.connectors.models import EXTERNAL_ID_MAX_CHARS
from config.money import exponent

LINES_MAX: Final = 500
QUANTITY_MAX: Final = 1_000_000
AMOUNT_MAX_MINOR: Final = 10**13
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
# Clocks of shops run ahead; orders of next week do not exist.
AHEAD_MAX: Final = timedelta(days=1)

_AMOUNT: Final = re.compile(r"(\d{1,15})(?:\.(\d{1,4}))?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_MISSING: Final = object()


class Kind(StrEnum):
    ORDER_CREATED = "order.created"
    ORDER_UPDATED = "order.updated"
    ORDER_CANCELLED = "order.cancelled"
    REFUND_CREATED = "refund.created"


@dataclass(frozen=True)
class ReportedLine:
    """A line as the shop says it: net of line discounts, without tax and shipping."""

    external_id: str
    quantity: int
    net_minor: int
    listing_id: int | None = None
    sku: str = ""
    url: str = ""
    title: str = ""


@dataclass(frozen=True)
class ReportedOrder:
    """One version of an order, whole. `version_at` is when the shop last changed it."""

    external_id: str
    placed_at: datetime
    version_at: datetime
    currency: str
    lines: tuple[ReportedLine, ...]
    click_id: str = ""
    buyer_handle: str = ""
    buyer_email_sha256: str = ""
    test: bool = False
    cancelled_at: datetime | None = None

    @property
    def total_minor(self) -> int:
        return sum(line.net_minor for line in self.lines)


@dataclass(frozen=True)
class ReportedRefund:
    """Money given back: by line, or (`lines` empty) `amount_minor` over the whole order."""

    external_id: str
    order_external_id: str
    refunded_at: datetime
    currency: str
    amount_minor: int
    lines: tuple[tuple[str, int], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Parsed:
    kind: Kind
    report: ReportedOrder | ReportedRefund

    @property
    def order_external_id(self) -> str:
        """The shop's number of the order this is about."""
        if isinstance(self.report, ReportedRefund):
            return self.report.order_external_id
        return self.report.external_id


def parse(body: bytes, *, now: datetime) -> Parsed:
    """Read a delivery's body. Raises Refused: 400 when it is no JSON, 422 when it says too little
    or something impossible. `now` bounds the times (one day ahead at most)."""
    top = _Reader(_load(body), "", now)
    kind = top.kind()
    top.moment("timestamp")
    data = top.inner("data")
    if kind is Kind.REFUND_CREATED:
        return Parsed(kind, _refund(data))
    return Parsed(kind, _order(data, kind))


def _order(data: _Reader, kind: Kind) -> ReportedOrder:
    currency = data.currency()
    buyer = data.inner("buyer", required=False)
    lines = tuple(_line(line, currency) for line in data.rows("lines"))
    _once([line.external_id for line in lines], data.at("lines"), "id")
    order = ReportedOrder(
        external_id=data.identifier("id"),
        placed_at=data.moment("placed_at"),
        version_at=data.moment("updated_at"),
        currency=currency,
        lines=lines,
        click_id=data.text("click_id", 64),
        buyer_handle=buyer.text("member", 30) if buyer else "",
        buyer_email_sha256=buyer.fingerprint("email_sha256") if buyer else "",
        test=data.flag("test"),
        cancelled_at=data.optional_moment("cancelled_at"),
    )
    if kind is Kind.ORDER_CANCELLED and order.cancelled_at is None:
        data.refuse("cancelled_at", "is missing: when was the order cancelled?")
    if order.total_minor > AMOUNT_MAX_MINOR:
        data.refuse("lines", "add up to more than an order can be.")
    return order


def _line(line: _Reader, currency: str) -> ReportedLine:
    return ReportedLine(
        external_id=line.identifier("id"),
        quantity=line.whole("quantity", 1, QUANTITY_MAX),
        net_minor=line.amount("net", currency),
        listing_id=line.listing("listing"),
        sku=line.text("sku", 60),
        url=line.text("url", 500),
        title=line.text("title", 200),
    )


def _refund(data: _Reader) -> ReportedRefund:
    currency = data.currency()
    by_line = data.has("lines")
    if by_line == data.has("amount"):
        data.refuse("lines", 'or "amount": a refund has one of the two.')
    lines: tuple[tuple[str, int], ...] = ()
    if by_line:
        lines = tuple(
            (line.identifier("line_id"), line.positive("amount", currency))
            for line in data.rows("lines")
        )
        _once([line_id for line_id, _ in lines], data.at("lines"), "line_id")
    total = sum(amount for _, amount in lines) if by_line else data.positive("amount", currency)
    if total > AMOUNT_MAX_MINOR:
        data.refuse("lines", "add up to more than a refund can be.")
    return ReportedRefund(
        external_id=data.identifier("id"),
        order_external_id=data.identifier("order_id"),
        refunded_at=data.moment("refunded_at"),
        currency=currency,
        amount_minor=total,
        lines=lines,
        reason=data.text("reason", 300),
    )


def _once(ids: list[str], where: str, name: str) -> None:
    twice = {each for each in ids if ids.count(each) > 1} if len(set(ids)) < len(ids) else set()
    if twice:
        raise Refused(422, f"{where}: the {name} {min(twice)!r} is there twice.")


# -- JSON -------------------------------------------------------------------------------------


def _load(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode(),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_no_doubles,
        )
    except UnicodeDecodeError:
        raise Refused(400, "The body is not UTF-8.") from None
    except (ValueError, RecursionError):
        # Also numbers of thousands of digits, and nesting deeper than anybody means.
        raise Refused(400, "The body is not JSON that can be read.") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("A name is there twice.")
    return found


class _Reader:
    """An object of the body that knows where it stands, for sentences that name the place."""

    def __init__(self, value: Any, where: str, now: datetime) -> None:
        self._where = where
        self._now = now
        if not isinstance(value, dict):
            raise Refused(422, f"{where or 'The body'} must be an object.")
        self._value: dict[str, Any] = value

    def at(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def refuse(self, name: str, why: str) -> NoReturn:
        raise Refused(422, f"{self.at(name)} {why}")

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def _get(self, name: str) -> Any:
        value = self._value.get(name)
        if value is None:
            self.refuse(name, "is missing.")
        return value

    def kind(self) -> Kind:
        try:
            return Kind(self._get("type"))
        except ValueError:
            self.refuse("type", f"must be one of {', '.join(Kind)}.")

    def inner(self, name: str, required: bool = True) -> _Reader:
        value = self._get(name) if required else (self._value.get(name) or {})
        return _Reader(value, self.at(name), self._now)

    def rows(self, name: str) -> list[_Reader]:
        value = self._get(name)
        if not isinstance(value, list) or not 1 <= len(value) <= LINES_MAX:
            self.refuse(name, f"must be a list of 1 to {LINES_MAX}.")
        return [
            _Reader(each, f"{self.at(name)}[{number}]", self._now)
            for number, each in enumerate(value)
        ]

    def text(self, name: str, most: int) -> str:
        """An optional text; what PostgreSQL cannot hold (NUL, half a character) is refused."""
        value = self._value.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > most:
            self.refuse(name, f"must be text of at most {most} characters.")
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            self.refuse(name, "has a character that is none.")
        return value.strip()

    def identifier(self, name: str) -> str:
        """A required id: text, or a whole number as many shops have them."""
        value = self._get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**18:
            return str(value)
        found = self.text(name, EXTERNAL_ID_MAX_CHARS)
        if not found:
            self.refuse(name, "must not be empty.")
        return found

    def listing(self, name: str) -> int | None:
        value = self._value.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
            self.refuse(name, "must be the number of a listing here.")
        return value

    def whole(self, name: str, least: int, most: int) -> int:
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.refuse(name, f"must be a whole number from {least} to {most}.")
        return value

    def flag(self, name: str) -> bool:
        value = self._value.get(name, False)
        if not isinstance(value, bool):
            self.refuse(name, "must be true or false.")
        return value

    def currency(self) -> str:
        value = self._get("currency")
        if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
            self.refuse("currency", "must be three capital letters of ISO 4217, like EUR.")
        return value

    def amount(self, name: str, currency: str) -> int:
        """A string like "12.34" as minor units of `currency`, exactly; 0 to AMOUNT_MAX_MINOR."""
        value = self._get(name)
        found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
        digits = exponent(currency)
        if found is None:
            example = "12" if digits == 0 else f"12.{'34'.ljust(digits, '0')[:digits]}"
            self.refuse(name, f'must be a string like "{example}", not negative.')
        whole, part = found[1], found[2] or ""
        if len(part) > digits:
            self.refuse(name, f"has too many decimals: {currency} has {digits or 'none'}.")
        minor = int(whole + part.ljust(digits, "0"))
        if minor > AMOUNT_MAX_MINOR:
            self.refuse(name, "is more than an order can be.")
        return minor

    def positive(self, name: str, currency: str) -> int:
        minor = self.amount(name, currency)
        if minor == 0:
            self.refuse(name, "must be more than nothing.")
        return minor

    def fingerprint(self, name: str) -> str:
        value = self.text(name, 64)
        if value and not _SHA256.fullmatch(value):
            self.refuse(name, "must be 64 hexadecimal digits: SHA-256 of the address, lower case.")
        return value.lower()

    def moment(self, name: str) -> datetime:
        """A required ISO 8601 time with an offset, in UTC."""
        value = self._get(name)
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else None
            moment = found.astimezone(UTC) if found and found.tzinfo else None
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            self.refuse(name, 'must be a time with its offset, like "2026-11-22T09:30:00Z".')
        if not EARLIEST <= moment <= self._now + AHEAD_MAX:
            self.refuse(name, "is not a time an order can have: look at the shop's clock.")
        return moment

    def optional_moment(self, name: str) -> datetime | None:
        return self.moment(name) if self.has(name) else None
