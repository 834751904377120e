"""Outgoing requests: which addresses are reached, how long and how much is read."""

from __future__ import annotations

import gzip
import socket
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from config import outgoing
from config.outgoing import Forbidden, Unreachable, fetch
from tests.webserver import PUBLIC, Web, answer, web

PAGE = "<html><head><title>A page</title></head><body>Words</body></html>"

FORBIDDEN = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2001:db8::1",
    "2001::1",
    "2001:20::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "fec0:0:0:1::9",
    "ff02::1",
    "5f00::1",
    "3fff::1",
]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with web(monkeypatch) as served:
        served.page("site.example/", PAGE)
        yield served


def get(url: str = "http://site.example/", **options: object) -> outgoing.Fetched:
    return fetch(url, kinds=outgoing.HTML | outgoing.PICTURES, **options)  # type: ignore[arg-type]


def test_a_page_is_fetched(site):
    page = get()
    assert (page.kind, page.charset, page.body) == ("text/html", "utf-8", PAGE.encode())
    assert site.reached == [PUBLIC]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_name_with_a_forbidden_address_is_not_reached(site, address):
    site.name("inside.example", address)
    with pytest.raises(Forbidden, match="not a public address"):
        get("http://inside.example/")
    assert site.reached == []


@pytest.mark.parametrize("address", FORBIDDEN)
def test_nor_is_the_address_written_as_it_is(site, address):
    with pytest.raises(Forbidden, match="not a public address"):
        get(f"http://[{address}]/" if ":" in address else f"http://{address}/")
    assert site.reached == []


def test_a_twin_with_plain_requests_reaches_them(site):
    for address in FORBIDDEN:
        site.name("inside.example", address)
        requests.get("http://inside.example/", timeout=5)
    assert len(site.reached) == len(FORBIDDEN)


def test_a_name_that_answers_differently_the_second_time_gains_nothing(site):
    site.page("rebound.example/", PAGE)
    site.name("rebound.example", PUBLIC, "169.254.169.254")
    assert get("http://rebound.example/").kind == "text/html"
    assert site.reached == [PUBLIC]  # what was looked at is what was reached
    with pytest.raises(Forbidden, match="not a public address"):
        get("http://rebound.example/")
    assert site.reached == [PUBLIC]


def test_a_twin_that_looks_the_name_up_before_it_goes_there_is_turned(site):
    site.name("rebound.example", PUBLIC, "169.254.169.254")
    assert socket.getaddrinfo("rebound.example", 80)[0][4][0] == PUBLIC
    requests.get("http://rebound.example/", timeout=5)
    assert site.reached == ["169.254.169.254"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://site.example/", "no web address"),
        ("file:///etc/passwd", "no web address"),
        ("gopher://site.example/", "no web address"),
        ("//site.example/", "no web address"),
        ("http:///nowhere", "no web address"),
        ("http://site.example:8080/", "usual ports"),
        ("https://site.example:80/", "usual ports"),
        ("http://site.example:22/", "usual ports"),
        ("http://ada:secret@site.example/", "login"),
        ("http://site.example@inside.example/", "login"),
        ("http://site.example:99999/", "no address"),
        ("http://site.example/" + "a" * 2_000, "no web address"),
    ],
)
def test_an_address_that_is_none_of_the_web_is_refused(site, url, why):
    with pytest.raises(Forbidden, match=why):
        get(url)
    assert site.reached == []


def redirect(to: str) -> dict[str, object]:
    return {"status": 302, "headers": {"Location": to}}


def test_three_redirects_are_followed_and_a_fourth_is_not(site):
    for number in range(4):
        site.page(f"hop-{number}.example/", **redirect(f"http://hop-{number + 1}.example/"))
    site.page("hop-4.example/", PAGE)
    assert get("http://hop-1.example/").url == "http://hop-4.example/"
    with pytest.raises(Forbidden, match="on and on"):
        get("http://hop-0.example/")


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "not a public address"),
        ("http://[::ffff:127.0.0.1]/", "not a public address"),
        ("http://[fec0::1]/", "not a public address"),
        ("http://inside.example/", "not a public address"),
        ("http://site.example:6379/", "usual ports"),
        ("file:///etc/passwd", "no web address"),
        ("http://a:b@site.example/", "login"),
    ],
)
def test_where_a_redirect_leads_is_looked_at_as_well(site, to, why):
    site.name("inside.example", "10.0.0.7")
    site.page("turning.example/", **redirect(to))
    with pytest.raises(Forbidden, match=why):
        get("http://turning.example/")
    assert site.reached == [PUBLIC]


def test_a_twin_that_follows_redirects_by_itself_ends_inside(site):
    site.page("turning.example/", **redirect("http://169.254.169.254/latest/meta-data/"))
    requests.get("http://turning.example/", timeout=5)
    assert site.reached == [PUBLIC, "169.254.169.254"]


# -- how much ---------------------------------------------------------------------------------

TEN_MB = b"a" * 10_000_000


def test_a_picture_of_ten_megabytes_is_refused_by_what_it_says_of_its_length(site):
    site.page("site.example/large", TEN_MB, kind="image/jpeg")
    with pytest.raises(Forbidden, match="larger than we read"):
        get("http://site.example/large")


def test_and_by_what_is_read_when_it_says_nothing(site):
    site.page("site.example/large", TEN_MB, kind="image/jpeg", has_length=False)
    with pytest.raises(Forbidden, match="larger than we read"):
        get("http://site.example/large")


def test_a_page_is_read_to_the_end_of_its_head(site):
    site.page("site.example/long", PAGE.encode() + TEN_MB)
    page = get("http://site.example/long", until=b"</head")
    assert b"<title>A page</title></head" in page.body
    assert len(page.body) <= outgoing.CHUNK_BYTES


def test_a_head_of_ten_megabytes_is_refused(site):
    site.page("site.example/headless", TEN_MB)
    with pytest.raises(Forbidden, match="larger than we read"):
        get("http://site.example/headless", until=b"</head")


def test_a_bomb_is_not_unpacked_further_than_we_read(site):
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    assert len(bomb) < 250_000
    site.page("site.example/bomb", bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(Forbidden, match="larger than we read"):
        get("http://site.example/bomb")


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", lambda body: body)],
)
def test_a_packed_page_is_unpacked(site, encoding, pack):
    site.page("site.example/p", pack(PAGE.encode()), headers={"Content-Encoding": encoding})
    assert get("http://site.example/p").body == PAGE.encode()


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"kind": "application/pdf"}, Forbidden, "neither a page nor a picture"),
        ({"kind": "image/svg+xml"}, Forbidden, "neither a page nor a picture"),
        ({"kind": "application/json"}, Forbidden, "neither a page nor a picture"),
        ({"kind": ""}, Forbidden, "neither a page nor a picture"),
        ({"headers": {"Content-Encoding": "br"}}, Forbidden, "packed in a way"),
        ({"headers": {"Content-Encoding": "gzip"}}, Unreachable, "packed wrongly"),
        ({"status": 404}, Unreachable, "answered 404"),
        ({"status": 500}, Unreachable, "answered 500"),
        ({"status": 304}, Unreachable, "answered 304"),
    ],
)
def test_what_is_no_page_is_refused_and_says_why(site, options, error, why):
    site.page("site.example/odd", "not packed", **options)
    with pytest.raises(error, match=why):
        get("http://site.example/odd")


# -- how long ---------------------------------------------------------------------------------


def drips_its_body(site: Web, handler: BaseHTTPRequestHandler) -> None:
    answer(handler, b"", has_length=False)
    while not site.stop.wait(0.05):
        handler.wfile.write(b"a")
        handler.wfile.flush()


def drips_its_head(site: Web, handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not site.stop.wait(0.05):
        handler.wfile.write(b"a")
        handler.wfile.flush()


@pytest.mark.parametrize("drip", [drips_its_body, drips_its_head])
def test_a_page_that_comes_byte_by_byte_ends_when_the_time_does(site, drip):
    site.pages["slow.example/"] = lambda handler: drip(site, handler)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="took too long"):
        get("http://slow.example/", seconds=0.5)
    # Without a deadline it would go on as long as the server does. Loaded machines are slow too.
    assert time.monotonic() - began < 20


def test_redirects_share_one_deadline(site):
    def waits(handler: BaseHTTPRequestHandler) -> None:
        site.stop.wait(0.4)
        answer(handler, b"", status=302, headers={"Location": "http://late.example/"})

    site.pages["late.example/"] = waits
    with pytest.raises(Unreachable, match="took too long"):
        get("http://late.example/", seconds=0.6)


def test_nobody_there_is_no_error_of_ours(monkeypatch):
    def nobody(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(Unreachable):
        get("http://nobody.example/")


def test_what_a_site_sets_is_sent_to_nobody(site):
    seen: list[str | None] = []

    def sets(handler: BaseHTTPRequestHandler) -> None:
        headers = {"Location": "http://site.example/second", "Set-Cookie": "a=b"}
        answer(handler, b"", status=302, headers=headers)

    def second(handler: BaseHTTPRequestHandler) -> None:
        seen.extend((handler.headers.get("Cookie"), handler.headers.get("Referer")))
        answer(handler, PAGE.encode())

    site.pages["site.example/first"] = sets
    site.pages["site.example/second"] = second
    assert get("http://site.example/first").body == PAGE.encode()
    assert seen == [None, None]
