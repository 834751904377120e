"""Signing in, joining, and minding one's account: allauth's pages as ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.core.context import request_context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from community.members.models import Member
from tests.community.test_moderating import after_it
from tests.factories import PASSWORD, make_member


class Page(HTMLParser):
    """What a test asks of a page: its elements, and the text of its headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "h1":
            self.headings.append("")

    def handle_data(self, data: str) -> None:
        if self.headings and self.get_starttag_text() == "<h1>" and not self.headings[-1]:
            self.headings[-1] = data.strip()


def sound(html: str) -> Page:
    """Read a page and check what every page of ours promises."""
    page = Page(html)
    assert len(page.headings) == 1, page.headings
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids)), "an id twice"
    for tag, attrs in page.elements:
        assert "style" not in attrs, (tag, attrs)
        assert not [name for name in attrs if re.match(r"on[a-z]", name)], (tag, attrs)
        if tag == "script":
            assert attrs.get("type") == "application/json" or attrs.get("nonce"), attrs
        if tag == "img":
            assert "alt" in attrs, attrs
            assert not (attrs["src"] or "").startswith("data:"), "our policy refuses data: images"
    labelled = {attrs.get("for") for tag, attrs in page.elements if tag == "label"}
    for tag, attrs in page.elements:
        if tag in ("input", "select", "textarea") and attrs.get("type") != "hidden":
            assert attrs.get("id") in labelled, (tag, attrs)
    return page


def sign_in_afresh(client: Client, member: Member) -> None:
    """Sign in by the form, and give the password again."""
    response = client.post("/accounts/login/", {"login": member.handle, "password": PASSWORD})
    assert response.status_code == 302, response.content.decode()
    # Pages that change how the account is protected ask for the password once more.
    response = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert response.status_code == 302, response.content.decode()


@pytest.fixture(autouse=True)
def no_limits_left_over() -> None:
    """allauth counts sign-ins by address, and all of these come from one."""
    cache.clear()


@pytest.fixture
def fresh_ada(ada: Member) -> Client:
    client = Client()
    sign_in_afresh(client, ada)
    return client


@pytest.fixture
def totp_secret(ada: Member) -> str:
    """Ada's second step: an authenticator app and recovery codes."""
    secret: str = generate_totp_secret()
    TOTP.activate(ada, secret)
    RecoveryCodes.activate(ada)
    return secret


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


@pytest.fixture
def passkey(ada: Member) -> Authenticator:
    """A passkey as a row; the ceremony itself is tested in the browser."""
    return Authenticator.objects.create(
        user=ada,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Ada’s phone", "passwordless": True, "credential": {}},
    )


# -- every page renders -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("/accounts/login/", "Sign in"),
        ("/accounts/signup/", "Join Shoal"),
        ("/accounts/password/reset/", "Reset your password"),
        ("/accounts/password/reset/done/", "Look in your e-mail"),
        ("/accounts/password/reset/key/1-wrong/", "This link no longer works"),
        ("/accounts/password/reset/key/done/", "Your password is changed"),
        ("/accounts/confirm-email/", "One step left: confirm your e-mail"),
        ("/accounts/confirm-email/wrong/", "This link no longer works"),
        ("/accounts/inactive/", "This account is closed"),
    ],
)
def test_a_guest_gets_the_page(guest: Client, db: None, address: str, heading: str) -> None:
    response = guest.get(address)
    assert response.status_code == 200
    assert sound(response.content.decode()).headings == [heading]


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("/accounts/email/", "E-mail addresses"),
        ("/accounts/password/change/", "Change your password"),
        ("/accounts/logout/", "Sign out?"),
        ("/accounts/reauthenticate/", "Confirm it is you"),
        ("/accounts/2fa/", "Sign-in security"),
        ("/accounts/2fa/totp/activate/", "Turn on the authenticator app"),
        ("/accounts/2fa/webauthn/", "Passkeys"),
        ("/accounts/2fa/webauthn/add/", "Add a passkey"),
    ],
)
def test_a_member_gets_the_page(fresh_ada: Client, address: str, heading: str) -> None:
    response = fresh_ada.get(address)
    assert response.status_code == 200
    assert sound(response.content.decode()).headings == [heading]


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("/accounts/2fa/", "Sign-in security"),
        ("/accounts/2fa/totp/deactivate/", "Turn off the authenticator app?"),
        ("/accounts/2fa/recovery-codes/", "Recovery codes"),
        ("/accounts/2fa/recovery-codes/generate/", "Make new recovery codes?"),
        ("/accounts/2fa/reauthenticate/", "Confirm it is you"),
    ],
)
def test_a_member_with_a_second_step_gets_the_page(
    fresh_ada: Client, totp_secret: str, address: str, heading: str
) -> None:
    response = fresh_ada.get(address)
    assert response.status_code == 200
    assert sound(response.content.decode()).headings == [heading]


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("mfa_list_webauthn", "Passkeys"),
        ("mfa_edit_webauthn", "Rename a passkey"),
        ("mfa_remove_webauthn", "Remove this passkey?"),
    ],
)
def test_a_member_with_a_passkey_gets_the_page(
    fresh_ada: Client, passkey: Authenticator, name: str, heading: str
) -> None:
    args = [] if name == "mfa_list_webauthn" else [passkey.pk]
    response = fresh_ada.get(reverse(name, args=args))
    assert response.status_code == 200
    page = response.content.decode()
    assert sound(page).headings == [heading]
    assert "Ada’s phone" in page


def test_a_guest_asking_for_an_account_page_is_sent_to_sign_in(guest: Client, db: None) -> None:
    for name in ("account_email", "account_change_password", "mfa_index", "mfa_list_webauthn"):
        response = guest.get(reverse(name))
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/accounts/login/?next=")


def test_another_members_passkey_is_404(
    cy: Member, passkey: Authenticator, as_member: Callable[[Member], Client]
) -> None:
    client = Client()
    sign_in_afresh(client, cy)
    assert client.get(reverse("mfa_edit_webauthn", args=[passkey.pk])).status_code == 404
    assert client.post(reverse("mfa_remove_webauthn", args=[passkey.pk])).status_code == 404
    assert Authenticator.objects.filter(pk=passkey.pk).exists()


# -- joining ------------------------------------------------------------------------------------


def test_joining_sends_one_message_whose_link_confirms_and_signs_in(
    guest: Client, db: None
) -> None:
    response = guest.post(
        "/accounts/signup/",
        {
            "email": "dee@shoal.example",
            "username": "Dee",
            "name": "Dee Marsh",
            "password1": PASSWORD,
        },
    )
    assert response.status_code == 302
    member = Member.objects.get()
    assert (member.handle, member.name) == ("dee", "Dee Marsh")
    assert [message.subject for message in mail.outbox] == ["Welcome to Shoal: one step left"]
    body = str(mail.outbox[0].body)
    assert body.startswith("Hello Dee,\n")
    link = re.search(r"http://[^/]+(/accounts/confirm-email/\S+)", body)
    assert link is not None
    html = page_of(mail.outbox[0])
    assert re.search(
        rf'<a class="button" href="{link[0]}" style="[^"]+">Confirm your e-mail</a>', html
    )

    page = guest.get(link[1]).content.decode()
    assert sound(page).headings == ["Is this your address?"]
    assert "dee@shoal.example" in page
    assert guest.post(link[1]).status_code == 302
    assert EmailAddress.objects.get().verified
    assert guest.get("/accounts/email/").status_code == 200


def test_a_form_that_cannot_be_taken_keeps_what_was_typed_but_no_password(
    guest: Client, db: None
) -> None:
    response = guest.post(
        "/accounts/signup/",
        {
            "email": "dee@shoal.example",
            "username": "no spaces!",
            "name": "Dee <Marsh>",
            "password1": "short",
        },
    )
    assert response.status_code in (200, 422)
    page = response.content.decode()
    sound(page)
    assert 'value="dee@shoal.example"' in page
    assert 'value="no spaces!"' in page
    assert 'value="Dee &lt;Marsh&gt;"' in page
    assert "short" not in re.findall(r'value="([^"]*)"', page)
    assert page.count('aria-invalid="true"') == 2
    assert not Member.objects.exists()
    assert mail.outbox == []


def test_joining_with_a_taken_address_tells_only_its_owner(guest: Client, ada: Member) -> None:
    response = guest.post(
        "/accounts/signup/",
        {"email": ada.email, "username": "other", "name": "O", "password1": PASSWORD},
    )
    assert response.headers["Location"] == "/accounts/confirm-email/"
    assert not Member.objects.filter(handle="other").exists()
    assert [(m.to, m.subject) for m in mail.outbox] == [
        ([ada.email], "You already have an account")
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("handle", "address", "status"),
    [("dee", "another@shoal.example", 200), ("another", "dee@shoal.example", 302)],
)
def test_who_loses_a_race_for_a_handle_or_an_address_is_answered_as_one_who_came_later(
    guest: Client, handle: str, address: str, status: int
) -> None:
    answers = []

    def join() -> None:
        said = {"email": address, "username": handle, "name": "D", "password1": PASSWORD}
        answers.append(guest.post("/accounts/signup/", said))

    first = after_it(lambda: make_member("dee", email="dee@shoal.example"), join)
    assert first == []
    assert [answer.status_code for answer in answers] == [status]
    assert Member.objects.get().handle == "dee"


# -- signing in and out -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ada", "ADA", "ada@shoal.example"])
def test_a_member_signs_in_by_handle_or_address(guest: Client, ada: Member, name: str) -> None:
    response = guest.post(
        "/accounts/login/?next=/components/",
        {"login": name, "password": PASSWORD, "next": "/components/"},
    )
    assert response.headers["Location"] == "/components/"
    assert "Welcome, Ada." in guest.get("/components/").content.decode()


def test_a_wrong_password_says_so_and_keeps_the_name(guest: Client, ada: Member) -> None:
    response = guest.post("/accounts/login/", {"login": "ada", "password": "not this one"})
    assert response.status_code in (200, 422)
    page = response.content.decode()
    sound(page)
    assert 'value="ada"' in page
    assert 'role="alert"' in page
    assert "sessionid" not in response.cookies and "session" not in response.cookies


def test_signing_in_never_leads_to_another_site(guest: Client, ada: Member) -> None:
    response = guest.post(
        "/accounts/login/",
        {"login": "ada", "password": PASSWORD, "next": "https://evil.example/"},
    )
    assert response.headers["Location"] == "/"


def test_signing_out_takes_a_press_not_a_link(fresh_ada: Client) -> None:
    assert fresh_ada.get("/accounts/logout/").status_code == 200
    assert fresh_ada.get("/accounts/email/").status_code == 200
    assert fresh_ada.post("/accounts/logout/").status_code == 302
    assert fresh_ada.get("/accounts/email/").status_code == 302


def test_a_second_step_stands_between_password_and_session(
    guest: Client, ada: Member, totp_secret: str
) -> None:
    response = guest.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert response.headers["Location"] == "/accounts/2fa/authenticate/"
    page = guest.get("/accounts/2fa/authenticate/").content.decode()
    assert sound(page).headings == ["Second step"]
    assert guest.get("/accounts/email/").status_code == 302

    wrong = guest.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code in (200, 422)
    assert 'aria-invalid="true"' in wrong.content.decode()
    right = guest.post("/accounts/2fa/authenticate/", {"code": code_of(totp_secret)})
    assert right.status_code == 302
    assert guest.get("/accounts/email/").status_code == 200


def test_too_many_tries_are_asked_to_wait(guest: Client, ada: Member) -> None:
    for _ in range(5):
        guest.post("/accounts/login/", {"login": "ada", "password": "not this one"})
    response = guest.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert response.status_code in (200, 422, 429)
    sound(response.content.decode())
    assert guest.get("/accounts/email/").status_code == 302


# -- passwords ----------------------------------------------------------------------------------


def test_a_forgotten_password_is_replaced_by_the_link_once(guest: Client, ada: Member) -> None:
    response = guest.post("/accounts/password/reset/", {"email": ada.email})
    assert response.headers["Location"] == "/accounts/password/reset/done/"
    assert [message.subject for message in mail.outbox] == ["Choose a new password"]
    link = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None

    form = guest.get(link[1], follow=True)
    page = form.content.decode()
    assert sound(page).headings == ["Choose a new password"]
    address = form.request["PATH_INFO"]
    short = guest.post(address, {"password1": "short", "password2": "short"})
    assert "at least 10 characters" in short.content.decode()
    new = "another long secret"
    assert guest.post(address, {"password1": new, "password2": new}).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(new)
    assert mail.outbox[-1].subject == "Your password was reset"
    again = Client().get(link[1], follow=True).content.decode()
    assert sound(again).headings == ["This link no longer works"]


def test_asking_for_an_unknown_address_looks_the_same(guest: Client, db: None) -> None:
    response = guest.post("/accounts/password/reset/", {"email": "nobody@shoal.example"})
    assert response.headers["Location"] == "/accounts/password/reset/done/"
    assert [message.subject for message in mail.outbox] == ["No account with this address"]


def test_a_changed_password_is_told_by_mail(fresh_ada: Client, ada: Member) -> None:
    new = "another long secret"
    response = fresh_ada.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    assert response.status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(new)
    message = mail.outbox[-1]
    assert message.subject == "Your password was changed"
    assert "/accounts/2fa/" in message.body
    assert "127.0.0.1" in message.body


# -- addresses ----------------------------------------------------------------------------------


def test_an_address_is_added_confirmed_made_main_and_the_old_one_removed(
    fresh_ada: Client, ada: Member
) -> None:
    second = "ada.two@shoal.example"
    fresh_ada.post("/accounts/email/", {"action_add": "", "email": second})
    assert [message.to for message in mail.outbox] == [[second]]
    page = fresh_ada.get("/accounts/email/").content.decode()
    sound(page)
    assert "Not confirmed" in page
    key = EmailConfirmationHMAC(EmailAddress.objects.get(email=second)).key
    fresh_ada.post(reverse("account_confirm_email", args=[key]))
    fresh_ada.post("/accounts/email/", {"action_primary": "", "email": second})
    fresh_ada.post("/accounts/email/", {"action_remove": "", "email": "ada@shoal.example"})
    assert list(EmailAddress.objects.filter(user=ada).values_list("email", "primary")) == [
        (second, True)
    ]
    ada.refresh_from_db()
    assert ada.email == second


def test_the_main_address_cannot_be_removed(fresh_ada: Client, ada: Member) -> None:
    fresh_ada.post("/accounts/email/", {"action_add": "", "email": "ada.two@shoal.example"})
    response = fresh_ada.post(
        "/accounts/email/", {"action_remove": "", "email": ada.email}, follow=True
    )
    page = response.content.decode()
    assert "is your main address; make another one main first." in page
    assert 'role="alert"' in page
    assert EmailAddress.objects.filter(user=ada).count() == 2


# -- the second step ----------------------------------------------------------------------------


def test_an_authenticator_app_is_turned_on_by_its_code_and_brings_recovery_codes(
    fresh_ada: Client, ada: Member
) -> None:
    page = fresh_ada.get("/accounts/2fa/totp/activate/").content.decode()
    assert re.search(r'<div class="qr"[^>]*>\s*<svg', page), "the code is part of the page"
    secret = re.search(r'id="secret"[^>]*value="([A-Z2-7]+)"', page)
    assert secret is not None
    wrong = fresh_ada.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert 'aria-invalid="true"' in wrong.content.decode()
    assert not Authenticator.objects.exists()
    secret = re.search(r'id="secret"[^>]*value="([A-Z2-7]+)"', wrong.content.decode())
    assert secret is not None
    right = fresh_ada.post(
        "/accounts/2fa/totp/activate/", {"code": code_of(secret[1])}, follow=True
    )
    codes = re.findall(r"<li>(\d{8})</li>", right.content.decode())
    assert len(codes) == 10
    assert {a.type for a in Authenticator.objects.filter(user=ada)} == {"totp", "recovery_codes"}
    download = fresh_ada.get("/accounts/2fa/recovery-codes/download/")
    assert download.content.decode().split() == codes
    assert get_adapter().is_mfa_enabled(ada)


def test_turning_the_app_off_takes_the_second_step_away(
    fresh_ada: Client, ada: Member, totp_secret: str
) -> None:
    assert fresh_ada.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(user=ada).exists()
    assert mail.outbox[-1].subject == "Authenticator app turned off"


def test_a_passkey_page_hands_its_options_over_as_data(fresh_ada: Client) -> None:
    page = fresh_ada.get("/accounts/2fa/webauthn/add/").content.decode()
    assert '<script id="passkey-options" type="application/json">' in page
    assert '<passkey-form data-act="create" data-options="passkey-options">' in page
    assert "allauth-onload" not in page


# -- mail ---------------------------------------------------------------------------------------


def page_of(letter: EmailMessage) -> str:
    """The HTML of a letter that was sent."""
    assert isinstance(letter, EmailMultiAlternatives)
    [(page, kind)] = letter.alternatives
    assert kind == "text/html"
    return str(page)


@pytest.mark.parametrize(
    ("language", "tag", "says", "action"),
    [
        ("en", "en-GB", "asked for a new password", "Choose a new password"),
        ("zh-hans", "zh-Hans", "申请设置新密码", "设置新密码"),
    ],
)
def test_a_letter_of_an_account_says_the_same_in_html_with_a_button_in_its_language(
    guest: Client, ada: Member, language: str, tag: str, says: str, action: str
) -> None:
    guest.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    guest.post("/accounts/password/reset/", {"email": ada.email})
    [letter] = mail.outbox
    link = re.search(r"http\S+/accounts/password/reset/key/\S+", str(letter.body))
    assert link is not None and says in letter.body
    page = page_of(letter)
    assert f'<html lang="{tag}">' in page
    assert says in page and page.count(f'href="{link[0]}"') == 1
    assert re.search(rf'<a class="button" href="{link[0]}" style="[^"]+">{action}</a>', page)
    assert '<div class="paper" style="background: #ffffff' in page
    assert "prefers-color-scheme: dark" in page
    assert "<img" not in page and "<script" not in page


def test_what_a_browser_calls_itself_is_only_text_in_a_letter(
    fresh_ada: Client, ada: Member
) -> None:
    fresh_ada.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "low tide at 5", "password2": "low tide at 5"},
        HTTP_USER_AGENT="<a href='http://bad.example'>Look</a>",
    )
    page = page_of(mail.outbox[-1])
    assert "&lt;a href=" in page and 'href="http://bad.example' not in page
    assert re.search(r'href="[^"]+/accounts/2fa/" style="[^"]+">Sign-in security</a>', page)


@pytest.mark.parametrize(
    "prefix",
    [
        "account/email/email_confirmation",
        "account/email/email_changed",
        "account/email/email_confirm",
        "account/email/email_deleted",
        "account/email/password_set",
        "mfa/email/recovery_codes_generated",
        "mfa/email/totp_activated",
        "mfa/email/webauthn_added",
        "mfa/email/webauthn_removed",
    ],
)
def test_a_message_greets_by_name_escapes_nothing_and_ends_with_the_site(
    prefix: str, rf: RequestFactory
) -> None:
    member = Member(handle="ada", name="Ada O'Quist", email="ada@shoal.example")
    context = {
        "user": member,
        "activate_url": "http://testserver/x?a=1&b=2",
        "from_email": "a@shoal.example",
        "to_email": "b@shoal.example",
        "deleted_email": "c@shoal.example",
        "ip": "203.0.113.9",
        "user_agent": "A browser's name",
    }
    with request_context(rf.get("/")):
        message = get_account_adapter().render_mail(prefix, member.email, context)
    assert "\n" not in message.subject
    assert message.body.startswith("Hello Ada,\n")
    assert "&#" not in message.body and "&amp;" not in message.body
    assert message.body.rstrip().endswith("\nShoal\nhttp://localhost:8000")


def test_behind_our_proxy_limits_count_the_visitor_and_not_the_proxy():
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from config import settings as s; print(s.ALLAUTH_TRUSTED_PROXY_COUNT)",
        ],
        env={**os.environ, "SHOAL_MODE": "test", "TRUSTED_PROXIES": "2"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told == "2\n"
    request = RequestFactory().get(
        "/", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 10.0.0.2"}
    )
    assert get_account_adapter().get_client_ip(request) == "127.0.0.1"
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=2):
        assert get_account_adapter().get_client_ip(request) == "198.51.100.7"


@pytest.mark.parametrize("said", ["http://[bad", "http://testserver:x/", "//", "\x00"])
def test_whatever_a_browser_says_of_where_it_was_a_guest_is_sent_to_sign_in(guest, group, said):
    for header in ("Referer", "HX-Current-URL"):
        answer = guest.post(f"/g/{group.slug}/follow/", {"level": "3"}, headers={header: said})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")
    said_by = {"Origin": said}
    assert guest.post("/language/", {"language": "en"}, headers=said_by).status_code == 403


@pytest.mark.parametrize("back", ["home", "- -", "//evil.example/", "http://evil.example/", "\\"])
def test_a_form_leads_back_only_to_an_address_of_ours(as_ada, back):
    answer = as_ada.post("/all-read/", {"next": back})
    assert (answer.status_code, answer["Location"]) == (302, "/")
