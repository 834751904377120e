"""Web push in a browser: offered once and calmly, kept by the site, shown by the service worker.

The browser's maker is not reached: what its push service would answer is put in its place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Page, expect

from community.notifications import push
from community.notifications.models import PushSubscription
from tests.browser.conftest import PHONE, OpenBrowser
from tests.factories import make_thread

# A browser nobody asked, whose push service says yes. What was asked of it stands in `asked`.
STAND_IN = """
    window.asked = [];
    let leave = "default", kept = null;
    Object.defineProperty(Notification, "permission", { get: () => leave });
    Notification.requestPermission = async () => (asked.push("leave"), (leave = "granted"));
    const bytes = (length) => Uint8Array.from({ length }, (_, at) => (at ? at : 4)).buffer;
    PushManager.prototype.getSubscription = async () => kept;
    PushManager.prototype.subscribe = async (options) => {
        asked.push(options.applicationServerKey.length);
        return (kept = {
            endpoint: "https://push.example/send/one",
            getKey: (name) => bytes(name === "auth" ? 16 : 65),
            unsubscribe: async () => (kept = null),
        });
    };
"""


@pytest.fixture(autouse=True)
def keys(transactional_db: None, settings: Any) -> Iterator[None]:
    settings.VAPID_PRIVATE_KEY = push.new_private_key()
    yield


def watching(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.add_init_script(STAND_IN)
    page.goto(address)
    watch(page)
    return page


def watch(page: Page) -> None:
    """Press "Watching" and wait for the page that answers."""
    page.locator("details.follow").first.locator("summary").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Watching").first.click()


def test_push_is_offered_after_watching_asked_by_a_press_and_never_offered_again(
    open_browser: OpenBrowser, bo, ada, group
):
    first, second = (make_thread(ada, group, title) for title in ("Film & grain", "Light meters"))
    context = open_browser(bo, size=PHONE, service_workers="allow")
    page = watching(context, first.get_absolute_url())
    offer = page.locator("[data-offer]")
    expect(offer).to_contain_text("Shall this device tell you at once")
    assert page.evaluate("asked") == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    offer.get_by_role("button", name="Tell this device").click()
    expect(offer).to_contain_text("This device is told as soon as something happens.")
    expect(offer.get_by_role("button")).to_have_count(0)
    assert page.evaluate("asked") == ["leave", 65]
    kept = PushSubscription.objects.get()
    assert (kept.member, kept.endpoint) == (bo, "https://push.example/send/one")
    assert (len(kept.p256dh), len(kept.auth)) == (87, 22)
    page.goto(second.get_absolute_url())
    watch(page)
    page.wait_for_function(
        "() => localStorage['push-offered'] && customElements.get('push-switch')"
    )
    expect(page.locator("[data-offer]")).to_be_hidden()


def test_not_now_is_remembered(open_browser: OpenBrowser, bo, ada, group):
    first, second = (make_thread(ada, group, title) for title in ("Film & grain", "Light meters"))
    context = open_browser(bo, service_workers="allow")
    page = watching(context, first.get_absolute_url())
    page.locator("[data-offer]").get_by_role("button", name="Not now").click()
    expect(page.locator("push-switch")).to_have_count(0)
    page.goto(second.get_absolute_url())
    watch(page)
    page.wait_for_function("() => customElements.get('push-switch')")
    # By now it has found out that there is nothing to offer.
    page.evaluate(
        "navigator.serviceWorker.ready.then((worker) => worker.pushManager.getSubscription())"
    )
    expect(page.locator("[data-offer]")).to_be_hidden()
    assert page.evaluate("asked") == []
    assert not PushSubscription.objects.exists()


def registration(devtools: CDPSession, page: Page) -> str:
    """The id by which the browser knows the site's worker, once it is active."""
    found: list[str] = []

    def heard(event: dict[str, Any]) -> None:
        found.extend(
            one["registrationId"] for one in event["versions"] if one["status"] == "activated"
        )

    devtools.on("ServiceWorker.workerVersionUpdated", heard)
    devtools.send("ServiceWorker.enable")
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    until = time.monotonic() + 30
    while not found and time.monotonic() < until:
        page.wait_for_function("() => 1")  # lets what the browser says come in
    return found[-1]


def test_the_worker_shows_what_is_pushed(open_browser: OpenBrowser, bo, group):
    context = open_browser(bo, service_workers="allow")
    page = context.new_page()
    page.goto("/groups/")
    context.grant_permissions(["notifications"], origin=page.evaluate("location.origin"))
    devtools = context.new_cdp_session(page)
    told = {"title": "Ada replied", "body": "Yes", "address": "/n/1/", "tag": "t", "count": 1}
    number = registration(devtools, page)
    for data in (json.dumps(told), "no JSON at all"):
        devtools.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": page.evaluate("location.origin"),
                "registrationId": number,
                "data": data,
            },
        )
    shown = """() => navigator.serviceWorker.ready
        .then((worker) => worker.getNotifications())
        .then((all) => all.map((one) => [one.title, one.body, one.tag, one.data.address]).sort())"""
    page.wait_for_function(f"async () => (await ({shown})()).length === 2")
    assert page.evaluate(shown) == [
        ["Ada replied", "Yes", "t", "/n/1/"],
        ["Shoal", "", "shoal", "/notifications/"],
    ]
