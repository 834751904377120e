"""The frame in a browser: theme, passkeys, questions, widths, and what axe says."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from community.members.models import Member
from tests.browser.conftest import DESKTOP, PHONE, OpenBrowser
from tests.factories import PASSWORD, make_member


@pytest.fixture
def ana(transactional_db: None) -> Member:
    return make_member("ana", name="Ana Brandt")


def sign_in(page: Page, name: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail or handle").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_a_chosen_theme_holds_on_the_next_page_before_it_is_drawn(
    open_browser: OpenBrowser, transactional_db: None
) -> None:
    page = open_browser(color_scheme="light").new_page()
    page.goto("/accounts/login/")
    light = background(page)
    page.get_by_role("button", name="Switch to dark").click()
    dark = background(page)
    assert dark != light
    page.goto("/accounts/signup/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert background(page) == dark
    page.get_by_role("button", name="Switch to light").click()
    # Back to what the system says, so the choice is forgotten and the system rules again.
    assert page.evaluate("localStorage.getItem('theme')") is None
    page.emulate_media(color_scheme="dark")
    assert background(page) == dark


def test_a_passkey_is_made_and_signs_in_alone(open_browser: OpenBrowser, ana: Member) -> None:
    context = open_browser()
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    sign_in(page, "ana")
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a passkey")
    page.get_by_label("Name").fill("Ana’s laptop")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    assert Authenticator.objects.filter(user=ana, type="webauthn").count() == 1

    page.goto("/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/?next=/accounts/2fa/webauthn/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Welcome, Ana.")).to_be_visible()
    page.goto("/accounts/2fa/webauthn/")
    expect(page.locator("b", has_text="Ana’s laptop")).to_be_visible()


def test_a_device_without_a_passkey_says_so_and_the_form_stays(
    open_browser: OpenBrowser, transactional_db: None
) -> None:
    context = open_browser()
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    page.goto("/accounts/login/")
    page.get_by_label("E-mail or handle").fill("ana")
    page.evaluate(
        """() => {
            const refuse = () => Promise.reject(new DOMException("", "NotAllowedError"));
            navigator.credentials.get = refuse;
        }"""
    )
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    expect(page.get_by_label("E-mail or handle")).to_have_value("ana")


def test_a_press_that_is_hard_to_undo_is_asked_about_first(
    open_browser: OpenBrowser, ana: Member
) -> None:
    ana.emailaddress_set.create(email="ana.two@shoal.example", verified=True)  # type: ignore[attr-defined]
    page = open_browser(ana).new_page()
    page.goto("/accounts/email/")
    page.get_by_label("ana.two@shoal.example").check()
    page.get_by_role("button", name="Remove").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Remove this address")
    question.get_by_role("button", name="Cancel").click()
    assert ana.emailaddress_set.count() == 2  # type: ignore[attr-defined]
    page.get_by_role("button", name="Remove").click()
    question.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("ana.two@shoal.example is removed.")).to_be_visible()
    assert ana.emailaddress_set.count() == 1  # type: ignore[attr-defined]


def test_the_account_menu_opens_and_closes_by_keyboard(
    open_browser: OpenBrowser, ana: Member
) -> None:
    page = open_browser(ana).new_page()
    page.goto("/components/")
    summary = page.locator("summary", has_text="Your account")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Your profile")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Your profile")).to_be_hidden()
    expect(summary).to_be_focused()


def test_times_are_told_in_the_readers_zone(
    open_browser: OpenBrowser, transactional_db: None
) -> None:
    page = open_browser(timezone_id="Asia/Tokyo").new_page()
    page.goto("/components/")
    expect(page.locator("#s-chat ~ .chat time").first).to_have_text("18:30")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("address", ["/components/", "/accounts/login/", "/accounts/signup/"])
def test_axe_finds_nothing(
    open_browser: OpenBrowser,
    transactional_db: None,
    address: str,
    size: tuple[int, int],
    theme: str,
) -> None:
    page = open_browser(size=size, color_scheme=theme).new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found] == []


@pytest.mark.parametrize("address", ["/components/", "/accounts/login/", "/accounts/signup/"])
@pytest.mark.parametrize(("width", "text"), [(320, "100%"), (1280, "200%")])
def test_nothing_slides_sideways(
    open_browser: OpenBrowser, transactional_db: None, address: str, width: int, text: str
) -> None:
    page = open_browser(size=(width, 800)).new_page()
    page.goto(address)
    page.evaluate("size => { document.documentElement.style.fontSize = size }", text)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_reads_and_its_forms_send_without_scripts(
    open_browser: OpenBrowser, ana: Member
) -> None:
    page = open_browser(java_script_enabled=False).new_page()
    sign_in(page, "ana")
    page.goto("/accounts/2fa/webauthn/add/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm it is you")
    expect(page.locator("theme-toggle")).to_be_hidden()
    page.goto("/components/")
    expect(page.locator("time").first).to_have_text(re.compile("22 Nov 2026"))
    page.locator("summary", has_text="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
