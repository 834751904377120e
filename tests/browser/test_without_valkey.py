"""Valkey stops and comes back: members sign in, read, post and chat all the while."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from community.chat.models import Message
from community.chat.rooms import room_of
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Post, Thread
from config.embedded.valkey import find_binary
from tests.browser.one_port import Site
from tests.factories import PASSWORD


class Valkey:
    """One that can be stopped and started again at the same address."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [str(find_binary()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("valkey did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def site_redis_url(valkey: Valkey) -> str:
    return valkey.url


def test_the_site_goes_on_without_valkey_and_catches_up(
    site: Site, valkey: Valkey, group: Group, ada: Member, bo: Member, thread: Thread
):
    room_of(group)
    chat = site.visit(ada)
    chat.goto(f"/chat/{group.slug}/")
    expect(chat.locator("chat-room[data-live]")).to_be_attached()
    banner = chat.get_by_text("Live updates are away")
    expect(banner).to_be_hidden()

    valkey.stop()
    expect(banner).to_be_visible()
    by_form = site.visit(java_script_enabled=False)
    by_form.goto("/accounts/login/")
    by_form.get_by_label("E-mail or handle").fill("bo")
    by_form.get_by_label("Password").fill(PASSWORD)
    by_form.get_by_role("button", name="Sign in", exact=True).click()
    by_form.goto(thread.get_absolute_url())
    by_form.get_by_label("Your reply").fill("Posted without Valkey.")
    by_form.get_by_role("button", name="Post reply").click()
    expect(by_form.locator(".post", has_text="Posted without Valkey.")).to_be_visible()
    by_form.goto(f"/chat/{group.slug}/")
    by_form.get_by_label("Message Film cameras").fill("Said without Valkey.")
    by_form.get_by_role("button", name="Send").click()
    expect(by_form.locator(".msg .body", has_text="Said without Valkey.")).to_be_visible()
    # The open page asks for what it cannot hear.
    expect(chat.locator(".msg .body", has_text="Said without Valkey.")).to_be_visible()

    valkey.start()
    expect(banner).to_be_hidden()
    by_form.get_by_label("Message Film cameras").fill("And we are back.")
    by_form.get_by_role("button", name="Send").click()
    # By a hint, or at the latest when the page asks by itself, every 30 s.
    expect(chat.locator(".msg .body", has_text="And we are back.")).to_be_visible(timeout=45_000)
    assert Post.objects.filter(thread=thread).count() == 2
    assert list(Message.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]
    chat_seqs = chat.locator(".msg[data-seq]").evaluate_all("all => all.map(m => m.dataset.seq)")
    assert chat_seqs == ["1", "2"]
