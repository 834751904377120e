"""The demo's mailbox shows letters and runs nothing of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import NoReverseMatch, include, path, reverse

from config import mailbox

urlpatterns = [
    path("_mail/", mailbox.index, name="mailbox"),
    path("_mail/<str:name>/", mailbox.show, name="mailbox_letter"),
    path("_mail/<str:name>/page", mailbox.page, name="mailbox_page"),
    path("", include("config.urls")),
]


@pytest.fixture
def letter(db: None, settings: Any, tmp_path: Path) -> str:
    """The address of a letter that was sent."""
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.EMAIL_BACKEND = "config.mailbox.Backend"
    settings.ROOT_URLCONF = __name__
    message = EmailMultiAlternatives("Hello <b>", "In words <b>", to=["ada@shoal.example"])
    message.attach_alternative("<script>alert(1)</script><p style='color:red'>Hi</p>", "text/html")
    assert message.send() == 1
    [file] = tmp_path.glob("*.eml")
    return f"/_mail/{file.stem}/"


def test_a_letter_is_listed_and_shown(letter: str, guest: Client):
    assert "Hello &lt;b&gt;" in guest.get("/_mail/").content.decode()
    page = guest.get(letter).content.decode()
    assert "In words &lt;b&gt;" in page
    assert "<script>alert(1)" not in page
    assert "<iframe" in page
    assert f' sandbox title="The letter" src="{letter}page">' in page


def test_its_html_may_run_and_load_nothing(letter: str, guest: Client):
    response = guest.get(f"{letter}page")
    assert b"<script>alert(1)</script>" in response.content  # the bad twin: alone it would run
    policy = response.headers["Content-Security-Policy"]
    parts = {each.strip().partition(" ")[0] for each in policy.split(";")}
    assert {"sandbox", "default-src"} <= parts
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("name", ["..", "1234567890123-deadbeef", "..%2F..%2Fsecrets.json", "x"])
def test_nothing_but_letters_is_read(letter: str, guest: Client, name: str):
    assert guest.get(f"/_mail/{name}/").status_code == 404


def test_outside_the_demo_there_is_no_mailbox():
    with pytest.raises(NoReverseMatch):
        reverse("mailbox")
