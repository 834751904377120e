"""Whoever begins a reply as a guest finds it in the thread once they are a member."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from community.drafts.models import Draft
from community.members.models import Member
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_limits_from_before():
    """One message an address and some minutes is sent; here each test joins anew."""
    cache.clear()


def next_in(form: str) -> str:
    """Where a form of the page's main part leads to: the first one."""
    found = re.search(r'<input type="hidden" name="next" value="([^"]+)"', form)
    assert found is not None
    return found[1]


def sign_up(client: Client, thread, words: str = "I own two of them.") -> str:
    """Begin a reply, join, and return the link in the message."""
    sent = client.post("/drafts/typed/", {"target": f"thread:{thread.pk}", "body": words})
    address = sent["Location"]
    form = unescape(client.get(address).content.decode())
    back = next_in(form)
    said = {"email": "dee@shoal.example", "username": "dee", "name": "Dee", "password1": PASSWORD}
    assert client.post("/accounts/signup/", {**said, "next": back}).status_code == 302
    link = re.search(r"http://[^/]+(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    return link[1]


def confirm(client: Client, link: str) -> str:
    """Press the button the link leads to; return where it goes."""
    page = unescape(client.get(link).content.decode())
    (action,) = re.findall(r'action="(/accounts/confirm-email/[^"]+)"', page)
    response = client.post(action)
    assert response.status_code == 302
    return str(response["Location"])


def test_in_the_same_browser_they_are_signed_in_and_back_with_their_words(guest, thread):
    place = confirm(guest, sign_up(guest, thread))
    assert place.startswith(f"/t/{thread.pk}/")
    assert Draft.objects.get().body == "I own two of them."
    assert guest.get(place, follow=True).status_code == 200


def test_in_another_browser_they_sign_in_and_are_back_with_their_words(guest, thread):
    link = sign_up(guest, thread)
    elsewhere = Client()
    place = confirm(elsewhere, link)
    assert place.startswith("/accounts/login/?next=%2Ft%2F")
    said = {"login": "dee", "password": PASSWORD}
    form = unescape(elsewhere.get(place).content.decode())
    back = next_in(form)
    response = elsewhere.post("/accounts/login/", {**said, "next": back})
    assert response["Location"].startswith(f"/t/{thread.pk}/")
    assert Draft.objects.get(member=Member.objects.get(handle="dee")).body == "I own two of them."


@pytest.mark.parametrize("bad", ["https://elsewhere.example/", "//elsewhere.example/"])
def test_a_link_leads_to_no_other_site(guest, thread, bad):
    link = sign_up(guest, thread).partition("?")[0]
    elsewhere = Client()
    assert "elsewhere" not in confirm(elsewhere, f"{link}?back={bad}")


def test_every_page_of_reading_needs_no_account(guest, ada, thread, group):
    for path in (
        *("/", "/groups/", "/tags/", "/members/", "/badges/", "/search/?q=optra"),
        *(group.get_absolute_url(), f"/g/{group.slug}/about/", f"/g/{group.slug}/members/"),
        *(f"/g/{group.slug}/tags/", f"/g/{group.slug}/listings/", thread.get_absolute_url()),
        *("/members/ada/", "/members/ada/posts/", "/members/ada/threads/", "/members/ada/groups/"),
        *(f"/p/{thread.posts.get().pk}/revisions/", f"/p/{thread.posts.get().pk}/reactions/"),
    ):
        assert guest.get(path).status_code == 200, path


def test_a_form_with_what_postgresql_cannot_hold_keeps_nobody_from_signing_in(guest, thread, ada):
    said = {"target": f"thread:{thread.pk}", "body": "a\x00b", "reply_to": "1\x00"}
    guest.post("/drafts/typed/", said)
    answer = guest.post("/accounts/login/", {"login": ada.handle, "password": PASSWORD})
    assert answer.status_code == 302
    kept = Draft.objects.get()
    assert (kept.body, kept.extra) == ("a\ufffdb", {"reply_to": "1\ufffd"})


def test_a_script_cannot_break_on_it_either(as_ada: Client, thread):
    said = {"body": "x", "sequence": 1, "extra": {"a\x00": ["\x00", "\ud800"], "b": "\ud800"}}
    answer = as_ada.put(f"/drafts/thread:{thread.pk}/", said, content_type="application/json")
    assert answer.status_code == 200
    assert Draft.objects.get().extra == {"a\ufffd": ["\ufffd", "?"], "b": "?"}


def test_who_must_still_join_the_group_is_told_that_their_words_are_kept(guest, thread):
    place = confirm(guest, sign_up(guest, thread))
    page = guest.get(place, follow=True).content.decode()
    assert "Your words are kept." in page
    assert "Join the group" in page
    plain = guest.get(thread.get_absolute_url()).content.decode()
    assert "Your words are kept." not in plain
