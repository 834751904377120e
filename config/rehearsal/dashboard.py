"""A merchant's figures read off its pages, as its team sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from django.urls import reverse

from commerce.merchants.models import Merchant, TeamMember
from config.rehearsal.sums import Sold, Sums

_AMOUNT: Final = re.compile(r"(−?)\$([\d,]+)(?:\.(\d\d))?")
_PAGES_MAX: Final = 100


class UnreadablePage(Exception):
    """A page did not come, or a figure is not where it was; the message says which."""


@dataclass
class _Cell:
    text: str = ""
    hrefs: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    """The figures of a page (terms with what follows them), its table rows and its links on."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.terms: dict[str, list[str]] = {}
        self.rows: list[list[_Cell]] = []
        self.next = ""
        self._open = ""
        self._term = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("dt", "dd", "th", "td"):
            self._open = tag
        if tag == "dt":
            self._term = ""
        elif tag == "dd":
            self.terms.setdefault(self._term, []).append("")
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td") and self.rows:
            self.rows[-1].append(_Cell())
        elif tag == "a" and values.get("href"):
            if self._open in ("th", "td") and self.rows:
                self.rows[-1][-1].hrefs.append(values["href"] or "")
            if values.get("rel") == "next":
                self.next = values["href"] or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = ""

    def handle_data(self, data: str) -> None:
        if not data.strip():
            return
        if self._open == "dt" and not self._term:
            # What follows the first words of a term explains it.
            self._term = data.strip()
            self.terms.setdefault(self._term, [])
        elif self._open == "dd":
            self.terms[self._term][-1] += data
        elif self._open in ("th", "td") and self.rows:
            # Apart, or "$1,720" and "46%" would read as one figure.
            self.rows[-1][-1].text += f"{data}\n"


def read_dashboard(merchant: Merchant) -> Sums:
    """Return what "What your threads sold" and "Threads that sold" show of the last 30 days.

    As the first of its team sees it, in dollars. Raises UnreadablePage.
    """
    team = TeamMember.objects.filter(merchant=merchant).select_related("member").order_by("pk")
    client = Client()
    client.force_login(team[0].member)
    page = _get(client, merchant.get_absolute_url())
    shown = Sums(
        gmv=_money(_term(page, "GMV")),
        net_gmv=_money(_term(page, "Net GMV")),
        direct=_money(_term(page, "Direct")),
        halo=_money(_term(page, "Halo")),
        unattributed=_money(_term(page, "Unattributed")),
        orders=_whole(_term(page, "Orders")),
        # "17.2", the change, "31 orders, 180 clicks", the shape
        credited_orders=_whole(_term(page, "Orders per 100 clicks", 2).split(" orders")[0]),
        clicks=_whole(page.rows[-1][1].text),
    )
    address = reverse("merchant_threads", args=[merchant.slug])
    for _ in range(_PAGES_MAX):
        page = _get(client, address)
        for row in page.rows:
            href = next((each for each in row[-1].hrefs if "kind=direct" in each), "")
            if href:
                thread = parse_qs(urlsplit(href).query)["thread"][0]
                shown.places[None if thread == "none" else int(thread)] = _sold(row)
        if not page.next:
            return shown
        address = f"{urlsplit(address).path}{page.next}"
    raise UnreadablePage(f"{address}: the pages of threads do not end.")


def _get(client: Client, address: str) -> _Page:
    response = client.get(address)
    if response.status_code != 200:
        raise UnreadablePage(f"{address} answers {response.status_code}.")
    return _Page(response.content.decode())


def _term(page: _Page, name: str, place: int = 0) -> str:
    try:
        return page.terms[name][place].strip()
    except (KeyError, IndexError):
        raise UnreadablePage(f"The merchant's page has no figure {name!r}.") from None


def _sold(row: list[_Cell]) -> Sold:
    amounts = [_minor(found) for found in _AMOUNT.finditer(row[3].text)]
    # The net stands there only where it is another.
    return Sold(
        clicks=_whole(row[1].text),
        orders=_whole(row[2].text),
        gross=amounts[0],
        net=amounts[-1],
    )


def _money(text: str) -> int:
    found = _AMOUNT.search(text)
    if found is None:
        raise UnreadablePage(f"{text!r} is no amount in dollars.")
    return _minor(found)


def _minor(found: re.Match[str]) -> int:
    minor = int(found[2].replace(",", "")) * 100 + int(found[3] or 0)
    return -minor if found[1] else minor


def _whole(text: str) -> int:
    digits = text.strip().replace(",", "")
    if not digits.isdigit():
        raise UnreadablePage(f"{text!r} is no count.")
    return int(digits)
