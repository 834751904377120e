"""The composer in a real browser, with and without scripts, and hostile text without our policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from PIL import Image as Picture
from playwright.sync_api import Browser, Page, Route, expect

from community.groups.models import Group
from community.members.models import Member
from community.threads.markup import render
from community.threads.models import Post, Thread
from community.uploads.models import Image
from tests.browser.conftest import PHONE, OpenBrowser
from tests.community.markup_corpus import payloads
from tests.factories import make_post, make_thread


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Picture.new("RGB", (64, 48), "orange").save(path)
    return path


def open_thread(open_browser: OpenBrowser, member: Member, thread: Thread) -> Page:
    page = open_browser(member).new_page()
    page.goto(thread.get_absolute_url())
    expect(page.locator("composer-box:defined")).to_be_visible()
    return page


def test_a_reply_is_posted_in_place_and_the_composer_is_fresh(open_browser, ada, bo, thread):
    page = open_thread(open_browser, bo, thread)
    make_post(ada, thread, "Meanwhile.")
    page.get_by_role("textbox", name="Your reply").fill("Yes, **if** it is clean.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#p3 strong")).to_have_text("if")
    expect(page.locator("#p2")).to_contain_text("Meanwhile.")
    expect(page.get_by_role("textbox", name="Your reply")).to_have_value("")
    expect(page.locator("#reply-count")).to_have_text("2 replies")
    page.reload()
    expect(page.get_by_role("textbox", name="Your reply")).to_have_value("")
    assert thread.posts.filter(author=bo).count() == 1


def test_what_is_refused_stays_in_the_box(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box = page.get_by_role("textbox", name="Your reply")
    box.fill("x" * 50_001)
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator(".composer .errors")).to_contain_text("at most 50,000 characters")
    assert len(box.input_value()) == 50_001
    page.context.complaints.clear()  # type: ignore[attr-defined]  # the browser notes the 422
    box.fill("short enough")
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator("#p2")).to_contain_text("short enough")


def test_a_draft_outlives_the_page_and_ends_with_its_post(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    page.get_by_role("textbox", name="Your reply").fill("Half a thou")
    expect(page.locator("[data-status]")).to_have_text("Draft saved")
    page.goto("/groups/")
    page.goto(thread.get_absolute_url())
    expect(page.get_by_role("textbox", name="Your reply")).to_have_value("Half a thou")
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator("#p2")).to_contain_text("Half a thou")
    page.goto(thread.get_absolute_url())
    expect(page.locator("composer-box:defined")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your reply")).to_have_value("")


def test_a_new_threads_draft_ends_when_the_thread_stands(open_browser, ada, group):
    page = open_browser(ada).new_page()
    address = f"/g/{group.slug}/new/"
    page.goto(address)
    page.get_by_label("Title").fill("Light seals")
    page.get_by_role("textbox", name="What it is about").fill("Foam or wool?")
    expect(page.locator("[data-status]")).to_have_text("Draft saved")
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Light seals")
    page.get_by_role("button", name="Start thread").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Light seals")
    page.goto(address)
    expect(page.locator("composer-box:defined")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("")


def test_what_is_typed_before_the_script_is_there_becomes_a_draft_too(open_browser, ada, group):
    page = open_browser(ada).new_page()
    waiting: list[Route] = []
    page.route("**/composer/box*.js", lambda route: waiting.append(route))
    page.goto(f"/g/{group.slug}/new/")
    page.get_by_label("Title").fill("Light seals")
    page.get_by_role("textbox", name="What it is about").fill("Foam or wool?")
    expect(page.locator("[data-status]")).to_be_empty()
    with page.expect_response("**/composer/box*.js"):
        while not waiting:
            page.wait_for_timeout(50)
        waiting[0].continue_()
    expect(page.locator("[data-status]")).to_have_text("Draft saved")


def test_a_preview_asked_for_before_the_script_is_there_is_shown_with_it(open_browser, ada, group):
    page = open_browser(ada).new_page()
    waiting: list[Route] = []
    page.route("**/composer/box*.js", lambda route: waiting.append(route))
    page.goto(f"/g/{group.slug}/new/")
    page.get_by_role("textbox", name="What it is about").fill("Foam or *wool*?")
    with page.expect_response("**/preview/"):
        page.get_by_role("button", name="Preview").click()
    while not waiting:
        page.wait_for_timeout(50)
    waiting[0].continue_()
    expect(page.locator(".preview em")).to_be_visible()


def test_the_preview_stands_in_place_of_the_box(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box = page.get_by_role("textbox", name="Your reply")
    box.fill("**bold** words")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview strong")).to_have_text("bold")
    expect(box).to_be_hidden()
    page.get_by_role("button", name="Write").click()
    expect(box).to_have_value("**bold** words")
    expect(page.locator(".preview")).to_be_hidden()
    assert Post.objects.count() == 1


def test_a_reply_link_names_its_post_and_keeps_what_is_typed(open_browser, ada, bo, thread):
    page = open_thread(open_browser, bo, thread)
    page.get_by_role("textbox", name="Your reply").fill("About that:")
    page.get_by_role("link", name="Reply to Ada Quist, post 1").click()
    expect(page.locator(".replying")).to_contain_text("Ada Quist, #1")
    expect(page.get_by_role("textbox", name="Your reply")).to_have_value("About that:")
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator("#p2 .answers")).to_contain_text("Ada Quist, #1")
    assert thread.posts.get(number=2).reply_to == thread.posts.get(number=1)


def test_a_picture_is_put_into_the_text_with_its_words(open_browser, bo, thread, photo):
    page = open_thread(open_browser, bo, thread)
    page.get_by_role("textbox", name="Your reply").fill("Mine:")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("form", name="Reply").get_by_role("button", name="Picture").click()
    chooser.value.set_files(photo)
    page.locator(".uploads").get_by_label("What the picture shows").fill("An orange square")
    page.get_by_role("button", name="Put it in the text").click()
    expect(page.get_by_role("textbox", name="Your reply")).to_have_value(re.compile("image:"))
    image = Image.objects.get()
    expect(page.get_by_role("textbox", name="Your reply")).to_have_value(
        re.compile(rf"^Mine:\n\n!\[An orange square\]\(image:{image.pk}\)\s*$")
    )
    page.get_by_role("button", name="Post reply").click()
    expect(page.get_by_role("img", name="An orange square")).to_be_visible()
    assert (image.owner, image.group) == (bo, thread.group)


def test_the_tools_mark_what_is_selected(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box = page.get_by_role("textbox", name="Your reply")
    box.fill("clean patch")
    box.select_text()
    page.get_by_role("button", name="Bold").click()
    expect(box).to_have_value("**clean patch**")
    page.keyboard.press("Control+z")
    expect(box).to_have_value("clean patch")


def test_all_of_it_works_without_scripts(open_browser, ada, bo, group: Group, photo):
    page = open_browser(bo, java_script_enabled=False).new_page()
    page.goto(f"/g/{group.slug}/new/")
    page.get_by_label("Title").fill("Light seals")
    page.get_by_role("textbox", name="What it is about").fill("Foam or **wool**?")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview strong")).to_have_text("wool")
    page.get_by_role("button", name="Start thread").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Light seals")
    thread = Thread.objects.get()
    make_post(ada, thread, "Wool.")
    page.reload()
    page.get_by_role("link", name="Reply to Ada Quist, post 2").click()
    expect(page.locator(".replying")).to_contain_text("Ada Quist, #2")
    page.get_by_role("textbox", name="Your reply").fill("Why?")
    page.locator('input[name="picture"]').set_input_files(photo)
    page.get_by_label("What the picture shows").fill("An orange square")
    page.get_by_role("button", name="Post reply").click()
    expect(page.get_by_role("img", name="An orange square")).to_be_visible()
    expect(page.locator("#p3 .answers")).to_contain_text("Ada Quist, #2")
    page.get_by_role("link", name="More on post 3").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_role("textbox", name="The post").fill("Why not foam?")
    page.get_by_label("Why", exact=False).last.fill("To be clear")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("#p3")).to_contain_text("Why not foam?")
    page.locator("#p3 .edited").click()
    expect(page.locator("ins").first).to_contain_text("not foam")


@pytest.mark.parametrize("size", [PHONE, (320, 640), (1280, 900)])
def test_nothing_a_member_writes_makes_the_page_scroll_sideways(open_browser, ada, group, size):
    wide = "W" * 200
    body = (
        f"{wide}\n\n`{wide}`\n\n```\n{wide}\n```\n\nhttps://a.example/{wide}\n\n"
        f"|{'a|' * 30}\n|{'-|' * 30}\n|{'word |' * 30}\n\n> > > {wide}\n\n- - - {wide}"
    )
    thread = make_thread(ada, group, wide[:150], body)
    page = open_browser(ada, size=size).new_page()
    page.goto(thread.get_absolute_url())
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def executed(chromium: Browser, htmls: list[str]) -> int:
    """Show `htmls` without any policy, touch all that is in them, and count what ran."""
    ran = 0
    context = chromium.new_context(bypass_csp=True, offline=True)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    for start in range(0, len(htmls), 100):
        page.goto("about:blank")
        page.evaluate("() => { window.ran = 0; window.alert = () => { window.ran += 1; }; }")
        for html in htmls[start : start + 100]:
            page.evaluate(
                """html => {
                    const box = document.createElement("div");
                    document.body.replaceChildren(box);
                    box.append(document.createRange().createContextualFragment(html));
                    for (const element of box.querySelectorAll("*")) {
                        for (const type of ["mouseover", "focus", "load", "error", "toggle"])
                            element.dispatchEvent(new Event(type));
                        if (/^\\s*javascript:/i.test(element.href ?? "")) element.click();
                    }
                }""",
                html,
            )
        page.wait_for_timeout(50)
        ran += int(page.evaluate("window.ran ?? 0"))
    context.close()
    return ran


def test_hostile_text_runs_nothing_even_without_our_policy(chromium: Browser):
    texts = list(payloads())[::3]
    careless = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    careless.validateLink = lambda url: True  # type: ignore[method-assign]
    assert len(texts) > 1_000
    assert executed(chromium, [render(text).html for text in texts]) == 0
    # The bad twin: the same texts by a renderer that trusts them.
    assert executed(chromium, [careless.render(text) for text in texts]) > 20
