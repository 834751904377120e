"""A real browser against the live server. Without one these tests skip, unless SHOAL_BROWSER
says `required`."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from community.members.models import Member
from tests.browser.one_port import site, site_redis_url

__all__ = ["site", "site_redis_url"]

# Playwright's synchronous calls run on an event loop of this thread; the ORM is used beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESKTOP = (390, 844), (1280, 900)

OpenBrowser = Callable[..., BrowserContext]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))  # docs/decisions/tests-run-again.md


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, or Playwright's own."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except Error as error:
            if os.environ.get("SHOAL_BROWSER") == "required":
                raise
            pytest.skip(f"no Chromium here: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def open_browser(chromium: Browser, live_server: LiveServer) -> Iterator[OpenBrowser]:
    """Open a browser of its own, signed in as `member` when given.

    What its console calls an error, a refusal of our policy among them, fails the test at its
    end; `context.complaints` holds them.
    """
    opened: list[tuple[BrowserContext, list[str]]] = []

    def open_one(member: Member | None = None, **options: Any) -> BrowserContext:
        width, height = options.pop("size", DESKTOP)
        # What tests answer in a server's place would not reach pages that a worker loads.
        options.setdefault("service_workers", "block")
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            **options,
        )
        if member is not None:
            client = Client()
            client.force_login(member)
            context.add_cookies(
                [
                    {"name": name, "value": morsel.value, "url": live_server.url}
                    for name, morsel in client.cookies.items()
                ]
            )
        complaints: list[str] = []
        context.on("page", lambda page: listen(page, complaints))
        context.complaints = complaints  # type: ignore[attr-defined]
        opened.append((context, complaints))
        return context

    yield open_one
    complained = [complaint for _, complaints in opened for complaint in complaints]
    for context, _ in opened:
        # A draft goes to the server with its page; here it would come while tables are emptied.
        context.set_offline(True)
        context.close()
    wait_until_all_is_answered()
    assert complained == []


def wait_until_all_is_answered(within_seconds: float = 10.0) -> None:
    """Wait for requests that closed pages left: they write while the tables are emptied."""
    until = time.monotonic() + within_seconds
    while time.monotonic() < until:
        # What socketserver.ThreadingMixIn runs, a thread a connection.
        if not any("process_request_thread" in one.name for one in threading.enumerate()):
            return
        time.sleep(0.01)


def listen(page: Page, complaints: list[str]) -> None:
    def heard(message: ConsoleMessage) -> None:
        # The live server serves pages only; sockets are tried on the one-port site.
        if message.type == "error" and "/ws/" not in message.text:
            complaints.append(f"{page.url}: {message.text}")

    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("console", heard)
