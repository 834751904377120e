"""Which language a page speaks: chosen in the footer, kept by the member, or asked for."""

from __future__ import annotations

import gettext as stdlib
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.test import Client
from django.utils import translation
from django.utils.translation import get_language, trans_real

from community.chat.hub import Hub
from community.groups.models import Group
from community.members.models import Member
from community.templatetags.frame import written
from community.uploads.reencode import Encoded
from community.uploads.services import store
from config.languages import language_of_socket, speaking
from config.pieces import Pieces, pieces
from tests.factories import make_thread

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CHINESE = {"Home": "首页", "Pinned": "置顶", "Latest": "最新"}


class Words(stdlib.NullTranslations):
    """A catalogue of our own, so that these tests hold whatever the real one says."""

    def gettext(self, message: str) -> str:
        return CHINESE.get(message, message)

    def ngettext(self, one: str, many: str, n: int) -> str:
        return one if n == 1 else many

    def pgettext(self, context: str, message: str) -> str:
        return message


@pytest.fixture
def in_chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = trans_real.translation
    catalogue = real("zh-hans")
    monkeypatch.setattr(catalogue, "gettext", Words().gettext)
    yield


def language(html: bytes) -> str:
    found = re.search(rb'<html lang="([^"]*)" dir="([^"]*)"[^>]*>', html)
    assert found is not None
    return f"{found[1].decode()} {found[2].decode()}"


def choose(client: Client, code: str, **more: str):
    return client.post("/language/", {"language": code, "next": "/groups/?q=film", **more})


# -- which language ------------------------------------------------------------------------------


def test_without_a_wish_pages_are_in_british_english(guest: Client) -> None:
    assert language(guest.get("/").content) == "en-GB ltr"


@pytest.mark.parametrize("asked", ["zh-CN,zh;q=0.9,en;q=0.5", "zh-Hans", "zh"])
def test_a_browser_that_asks_for_chinese_gets_it(guest: Client, asked: str, in_chinese) -> None:
    response = guest.get("/", headers={"accept-language": asked})
    assert language(response.content) == "zh-Hans ltr"
    assert response.headers["Content-Language"] == "zh-hans"
    assert "首页" in response.content.decode()


def test_a_language_we_do_not_speak_is_answered_in_english(guest: Client) -> None:
    response = guest.get("/", headers={"accept-language": "fr-FR,fr;q=0.9"})
    assert language(response.content) == "en-GB ltr"


def test_the_footer_switches_keeps_the_page_and_beats_the_browsers_wish(guest: Client) -> None:
    response = choose(guest, "zh-hans")
    assert (response.status_code, response.headers["Location"]) == (302, "/groups/?q=film")
    cookie = response.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie.value, cookie["max-age"], cookie["samesite"]) == ("zh-hans", 31_536_000, "Lax")
    page = guest.get("/groups/?q=film", headers={"accept-language": "en"}).content
    assert language(page) == "zh-Hans ltr"
    choose(guest, "en")
    page = guest.get("/", headers={"accept-language": "zh-CN"}).content
    assert language(page) == "en-GB ltr"


def test_the_form_in_the_footer_says_what_the_switch_needs(guest: Client) -> None:
    page = guest.get("/groups/?q=film").content.decode()
    form = page[page.index('<form action="/language/"') :]
    form = form[: form.index("</form>")]
    assert 'name="next" value="/groups/?q=film"' in form
    assert 'name="language" value="en" lang="en-GB" aria-current="true">English<' in form
    assert 'name="language" value="zh-hans" lang="zh-Hans">简体中文<' in form


@pytest.mark.parametrize("code", ["fr", "", "zh-hans; path=/"])
def test_an_unknown_choice_changes_nothing(as_ada: Client, ada: Member, code: str) -> None:
    choose(as_ada, code)
    ada.refresh_from_db()
    assert ada.language == ""
    assert language(as_ada.get("/").content) == "en-GB ltr"


def test_a_choice_leads_to_no_other_site(guest: Client) -> None:
    response = guest.post("/language/", {"language": "en", "next": "https://evil.example/"})
    assert response.headers["Location"] == "/"


def test_a_form_on_another_site_chooses_nothing(as_ada: Client, ada: Member) -> None:
    response = as_ada.post(
        "/language/", {"language": "zh-hans"}, headers={"origin": "https://evil.example"}
    )
    assert response.status_code == 403
    ada.refresh_from_db()
    assert ada.language == ""
    assert as_ada.get("/language/").status_code == 405


def test_a_member_keeps_the_choice_on_every_device(
    as_ada: Client, ada: Member, as_member: Callable[[Member], Client]
) -> None:
    choose(as_ada, "zh-hans")
    ada.refresh_from_db()
    assert ada.language == "zh-hans"
    elsewhere = as_member(ada)
    elsewhere.cookies.pop(settings.LANGUAGE_COOKIE_NAME, None)
    page = elsewhere.get("/", headers={"accept-language": "en"}).content
    assert language(page) == "zh-Hans ltr"
    # What was chosen in a browser holds there, whatever was chosen in another one.
    elsewhere.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert language(elsewhere.get("/").content) == "en-GB ltr"


def test_one_request_leaves_no_language_to_the_next(guest: Client) -> None:
    guest.get("/", headers={"accept-language": "zh-CN"})
    assert language(guest.get("/").content) == "en-GB ltr"


# -- caches --------------------------------------------------------------------------------------


def test_pages_say_what_they_depend_on_and_pictures_do_not(
    as_ada: Client, ada: Member, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    varies = {name.strip() for name in as_ada.get("/").headers["Vary"].split(",")}
    assert {"Accept-Language", "Cookie"} <= varies
    Member.objects.update(language="zh-hans")
    image = store(owner=ada, group=None, encoded=Encoded(1, 1, b"full", b"small"))
    picture = as_ada.get(image.get_absolute_url())
    assert picture.status_code == 200
    assert "Vary" not in picture.headers
    assert "Content-Language" not in picture.headers


def test_a_piece_drawn_in_one_language_is_not_shown_in_another() -> None:
    kept = Pieces()
    for code in ("en", "zh-hans", "en"):
        with translation.override(code):
            assert kept.get(("row", 1), lambda: str(get_language())) == code
    assert len(kept) == 2
    with translation.override("fr"):
        assert ("row", 1) not in kept


def test_a_list_read_in_english_first_is_chinese_for_those_who_ask(
    guest: Client, ada: Member, group: Group, in_chinese
) -> None:
    pieces.clear()
    thread = make_thread(ada, group)
    type(thread).objects.filter(pk=thread.pk).update(pinned_at=NOON)
    address = group.get_absolute_url()
    assert "Pinned" in guest.get(address).content.decode()
    page = guest.get(address, headers={"accept-language": "zh-CN"}).content.decode()
    assert "置顶" in page and "Pinned" not in page
    assert "置顶" not in guest.get(address).content.decode()


# -- sockets and letters -------------------------------------------------------------------------


class Socket:
    def __init__(self, code: str) -> None:
        self.language, self.told = code, list[str]()

    def offer(self, text: str) -> None:
        self.told.append(json.loads(text).get("html"))


def test_a_live_message_comes_in_the_language_of_each_page() -> None:
    hub, ada, bo = Hub(), Socket("en"), Socket("zh-hans")
    hub.rooms[1] = {ada, bo}  # type: ignore[arg-type]
    hub.confirmed_at = time.monotonic()  # rights were asked just now
    hub.deliver(
        json.dumps(
            {"type": "message", "room": 1, "html": {"en": "<p>Flag", "zh-hans": "<p>举报"}}
        ).encode()
    )
    hub.deliver(b'{"type":"changed","room":1,"seq":2}')
    assert (ada.told, bo.told) == (["<p>Flag", None], ["<p>举报", None])


def test_a_socket_speaks_the_language_of_the_page_that_opened_it(ada: Member) -> None:
    asks = [(b"accept-language", b"zh-CN,zh;q=0.9")]
    cookie = {settings.LANGUAGE_COOKIE_NAME: "en"}
    assert language_of_socket({"headers": [], "user": ada}) == "en"
    assert language_of_socket({"headers": asks, "user": ada}) == "zh-hans"
    assert language_of_socket({"headers": asks, "user": ada, "cookies": cookie}) == "en"
    ada.language = "zh-hans"
    assert language_of_socket({"headers": [], "user": ada}) == "zh-hans"


def test_what_is_written_to_a_member_later_speaks_the_language_they_keep(ada: Member) -> None:
    with translation.override("zh-hans"):
        with speaking(ada):
            assert get_language() == "en"
        ada.language = "zh-hans"
        with translation.override("en"), speaking(ada):
            assert get_language() == "zh-hans"
        assert get_language() == "zh-hans"


# -- dates and numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "day", "moment", "number"),
    [
        ("en", "22 Nov 2026", "22 Nov 2026, 12:00 UTC", "1,234,567"),
        ("zh-hans", "2026年11月22日", "2026年11月22日 12:00 UTC", "1,234,567"),
    ],
)
def test_dates_and_numbers_follow_the_language(
    code: str, day: str, moment: str, number: str
) -> None:
    with translation.override(code):
        assert written(NOON, "date") == day
        assert written(NOON, "full") == moment
        assert written(NOON, "clock") == "12:00"
        assert intcomma(1_234_567) == number
