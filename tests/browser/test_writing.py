"""Reading and posting, with scripts and without."""

from __future__ import annotations

from playwright.sync_api import expect

from community.members.models import Member
from community.threads.models import Post, Thread
from tests.browser.one_port import Site


def test_posting_works_without_scripts(site: Site, thread: Thread, bo: Member):
    page = site.visit(bo, java_script_enabled=False)
    page.goto(thread.get_absolute_url())
    page.get_by_label("Your reply").fill("Yes, if the **patch** is clean.")
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator(".post strong", has_text="patch")).to_be_visible()
    assert Post.objects.filter(thread=thread).count() == 2


def test_posting_twice_by_an_impatient_finger_is_one_post(site: Site, thread: Thread, bo: Member):
    page = site.visit(bo)
    page.goto(thread.get_absolute_url())
    page.get_by_label("Your reply").fill("Once.")
    page.get_by_role("button", name="Post reply").dblclick()
    expect(page.locator(".post", has_text="Once.")).to_have_count(1)
    page.wait_for_timeout(500)
    assert Post.objects.filter(body="Once.").count() == 1


def test_preview_is_what_will_be_posted(site: Site, thread: Thread, bo: Member):
    page = site.visit(bo)
    page.goto(thread.get_absolute_url())
    page.get_by_label("Your reply").fill("A *word* and <b>a tag</b>")
    page.get_by_role("button", name="Preview").click()
    shown = page.locator("form .prose").first
    expect(shown.locator("em", has_text="word")).to_be_visible()
    assert shown.locator("b").count() == 0
    assert Post.objects.filter(thread=thread).count() == 1
