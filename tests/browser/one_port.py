"""The site as the demo runs it, in a process of its own: pages and sockets on one port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from community.members.models import Member
from config.sockets import UVICORN

START_SECONDS = 60
# Generous: a page under test shares two cores with the whole suite.
expect.set_options(timeout=20_000)


class Site:
    """The running site: its `url`, and windows for people."""

    def __init__(self, url: str, browser: Browser) -> None:
        self.url = url
        self.browser = browser
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []  # of every window's console

    def visit(self, member: Member | None = None, **context: Any) -> Page:
        """Open a window as `member`, or as a guest. `context` is Playwright's."""
        context.setdefault("viewport", {"width": 1280, "height": 900})
        opened = self.browser.new_context(base_url=self.url, **context)
        opened.set_default_timeout(20_000)
        self.contexts.append(opened)
        if member is not None:
            client = Client()
            client.force_login(member)
            name = settings.SESSION_COOKIE_NAME
            opened.add_cookies(
                [{"name": name, "value": client.cookies[name].value, "url": self.url}]
            )
        page = opened.new_page()
        page.on("pageerror", lambda error: self._hear(str(error)))
        page.on(
            "console",
            lambda line: self.complaints.append(line.text) if line.type == "error" else None,
        )
        return page

    def _hear(self, error: str) -> None:
        # Chromium says so where a test clicks on before a page has faded in.
        if not error.startswith("Transition was "):
            self.complaints.append(error)


@pytest.fixture
def site_redis_url() -> str:
    """Where the site of a test looks for Valkey; a test that stops one has its own."""
    return str(settings.REDIS_URL)


@pytest.fixture
def site(transactional_db: None, chromium: Browser, site_redis_url: str) -> Iterator[Site]:
    """Uvicorn with the one-port application on this test's database."""
    with served(site_redis_url) as url:
        opened = Site(url, chromium)
        try:
            yield opened
        finally:
            for context in opened.contexts:
                context.close()


@contextlib.contextmanager
def served(redis_url: str) -> Iterator[str]:
    """The site in a process of its own, at the address given; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "config.one_port:application"),
            *("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning", *UVICORN),
        ],
        env={
            **os.environ,
            "SHOAL_MODE": "test",
            "DATABASE_URL": database_url(),
            "DATABASE_CONN_MAX_AGE": "0",
            "REDIS_URL": redis_url,
            "SITE_URL": f"http://127.0.0.1:{port}",
        },
        cwd=settings.BASE_DIR,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/healthz", server)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        connection.close()


def database_url() -> str:
    """DATABASE_URL with the name of the database this worker tests on."""
    head, _, query = os.environ["DATABASE_URL"].partition("?")
    base = head.rsplit("/", 1)[0]
    return f"{base}/{connection.settings_dict['NAME']}" + (f"?{query}" if query else "")


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        assert server.poll() is None, "the site ended while it started"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer within {START_SECONDS} s")
