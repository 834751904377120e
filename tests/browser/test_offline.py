"""Without a network: threads read last and drafts are there, for their reader alone."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from community.threads.models import Post
from tests.browser.conftest import PHONE, OpenBrowser
from tests.factories import make_thread


@pytest.fixture(autouse=True)
def tables_are_emptied(transactional_db):
    """The live server reads what was committed."""


def under_the_worker(context: BrowserContext) -> Page:
    """A page whose requests go through the service worker."""
    page = context.new_page()
    page.goto("/groups/")
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    return page


def read_last(page: Page) -> list[str]:
    """The addresses of the threads kept."""
    kept: list[str] = page.evaluate(
        """async () => (await (await caches.open("threads read last")).keys())
            .map((one) => new URL(one.url).pathname)"""
    )
    return kept


def wait_until_kept(page: Page, addresses: list[str]) -> None:
    page.wait_for_function(
        """async (wanted) => JSON.stringify(
            (await (await caches.open("threads read last")).keys())
                .map((one) => new URL(one.url).pathname)
        ) === wanted""",
        arg=json.dumps(addresses, separators=(",", ":")),
    )


def offline(context: BrowserContext, page: Page, address: str) -> None:
    context.set_offline(True)
    page.goto(address)


def heard_offline(context: BrowserContext) -> None:
    """What a page says of requests that failed is what is asked for here."""
    context.complaints[:] = [  # type: ignore[attr-defined]
        one
        for one in context.complaints  # type: ignore[attr-defined]
        if "Failed to load resource: net::ERR_" not in one and "Failed to fetch" not in one
    ]


def test_threads_read_last_and_drafts_are_there_offline(open_browser: OpenBrowser, ada, group):
    first, second = (make_thread(ada, group, title) for title in ("Film & grain", "Light meters"))
    context = open_browser(ada, size=PHONE, service_workers="allow")
    page = under_the_worker(context)
    page.goto(second.get_absolute_url())
    page.goto(f"{first.get_absolute_url()}?via=bo")
    wait_until_kept(page, [second.get_absolute_url(), first.get_absolute_url()])
    box = page.locator("#reply textarea[name=body]")
    box.fill("Grain is a matter of taste.")
    page.wait_for_function(
        "() => Object.keys(localStorage).some((name) => name.startsWith('draft:'))", timeout=5_000
    )
    offline(context, page, "/notifications/")
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    shelf = page.locator("offline-shelf")
    expect(shelf.locator("[data-read] a")).to_have_text(["Film & grain", "Light meters"])
    expect(shelf.locator("[data-drafts]")).to_contain_text("Grain is a matter of taste.")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    shelf.locator("[data-read]").get_by_role("link", name="Film & grain").click()
    expect(page.get_by_role("heading", level=1, name="Film & grain")).to_be_visible()
    expect(page.locator("article.post")).to_contain_text("Prices have nearly doubled")
    expect(page.locator("#reply textarea[name=body]")).to_have_value("Grain is a matter of taste.")
    heard_offline(context)


def test_being_online_again_sends_nothing_by_itself(open_browser: OpenBrowser, ada, thread):
    context = open_browser(ada, service_workers="allow")
    page = under_the_worker(context)
    page.goto(thread.get_absolute_url())
    wait_until_kept(page, [thread.get_absolute_url()])
    context.set_offline(True)
    form = "fetch('/').catch(() => 0).then(() => document.querySelector('#act').submit())"
    page.evaluate(f"document.querySelector('#act').action = '/t/{thread.pk}/replies/'; {form}")
    expect(page.get_by_role("link", name=thread.title)).to_be_visible()  # its script runs
    context.set_offline(False)
    expect(page.get_by_text("You seem to be online again.")).to_be_visible()
    page.wait_for_timeout(500)
    page.reload()
    assert Post.objects.filter(thread=thread).count() == 1
    heard_offline(context)


def test_signing_out_takes_what_was_read_and_so_does_another_reader(
    open_browser: OpenBrowser, ada, hidden_group
):
    thread = make_thread(ada, hidden_group, "In the cellar")
    context = open_browser(ada, service_workers="allow")
    page = under_the_worker(context)
    page.goto(thread.get_absolute_url())
    wait_until_kept(page, [thread.get_absolute_url()])
    page.locator(".bar details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    wait_until_kept(page, [])
    offline(context, page, thread.get_absolute_url())
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    assert "In the cellar" not in page.content()
    heard_offline(context)


def test_a_session_that_ended_takes_what_was_read(open_browser: OpenBrowser, ada, hidden_group):
    thread = make_thread(ada, hidden_group, "In the cellar")
    context = open_browser(ada, service_workers="allow")
    page = under_the_worker(context)
    page.goto(thread.get_absolute_url())
    wait_until_kept(page, [thread.get_absolute_url()])
    context.clear_cookies()
    page.goto("/")
    wait_until_kept(page, [])


def test_at_most_twenty_are_kept(open_browser: OpenBrowser, ada, group):
    threads = [make_thread(ada, group, f"Number {number}") for number in range(3)]
    page = under_the_worker(open_browser(service_workers="allow"))
    page.goto("/g/film-cameras/")
    page.evaluate(
        """async () => {
            const kept = await caches.open("threads read last");
            for (let n = 0; n < 20; n++) await kept.put(`/t/9${n}/old/`, new Response("old"));
        }"""
    )
    for thread in threads:
        page.goto(thread.get_absolute_url())
    page.wait_for_function(
        """async (last) =>
            (await (await caches.open('threads read last')).keys()).at(-1)?.url.endsWith(last)""",
        arg=threads[-1].get_absolute_url(),
    )
    kept = read_last(page)
    assert len(kept) == 20
    assert kept[:2] == ["/t/93/old/", "/t/94/old/"]
    assert kept[-3:] == [thread.get_absolute_url() for thread in threads]


def test_the_site_can_be_installed(open_browser: OpenBrowser, db):
    page = open_browser().new_page()
    page.goto("/")
    address = page.locator("link[rel=manifest]").get_attribute("href")
    said = page.request.get(str(address)).json()
    sizes = {(icon["sizes"], icon["purpose"]) for icon in said["icons"]}
    assert sizes >= {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}
    for icon in said["icons"]:
        answer = page.request.get(icon["src"])
        assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    devtools = page.context.new_cdp_session(page)
    read = devtools.send("Page.getAppManifest")
    assert read["errors"] == []
    assert said["display"] == "standalone"


def test_a_page_that_runs_from_right_to_left_does_not_scroll_sideways(
    open_browser: OpenBrowser, ada, bo, group
):
    thread = make_thread(
        ada, group, "من أين أبدأ؟", "> اقتباس\n\n- أولا\n\n`code` and more", replies=3
    )
    page = open_browser(bo, size=PHONE).new_page()
    for address in ("/", thread.get_absolute_url()):
        page.goto(address)
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        sides = page.locator("main h1").first.evaluate(
            "(one) => getComputedStyle(one).textAlign + ' ' + getComputedStyle(one).direction"
        )
        assert re.fullmatch(r"(start|right|-webkit-auto) rtl", sides)
