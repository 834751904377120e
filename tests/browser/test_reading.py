"""Reading with a browser: where new begins, marks, replies that announce themselves, keys."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from community.groups.models import Group
from community.members.blocking import block
from community.members.models import Member
from community.threads.marks import ReadMark
from community.threads.reading import read_up_to
from community.threads.services import publish_post
from tests.browser.conftest import PHONE, OpenBrowser
from tests.browser.one_port import Site
from tests.factories import make_post, make_thread

LONG = "\n\n".join(
    f"Paragraph {number} of many, so that a post fills a window." for number in range(12)
)


def top_of(page: Page) -> float:
    top: float = page.evaluate("scrollY")
    return top


def test_new_begins_at_a_divider_and_reading_moves_it_on(
    open_browser: OpenBrowser, group: Group, ada: Member, bo: Member
):
    thread = make_thread(ada, group, replies=2)
    read_up_to(member=bo, thread_id=thread.pk, number=2)
    for _ in range(2):
        make_post(ada, thread, LONG)
    page = open_browser(bo, size=PHONE).new_page()
    page.goto(thread.get_absolute_url())
    divider = page.locator(".divider", has_text="New since your last visit")
    expect(divider).to_have_count(1)
    assert divider.evaluate("line => line.nextElementSibling.id") == "p3"
    page.get_by_role("link", name="3 new").click()
    assert page.url.endswith("#p3")
    for number in (4, 5):
        page.locator(f"#p{number}").scroll_into_view_if_needed()
        page.locator(f"#p{number} p").last.scroll_into_view_if_needed()
    expect(page.locator(".jump input")).to_have_value("5")
    page.wait_for_timeout(1_300)  # in view for a second
    page.goto(group.get_absolute_url())  # what the page has not told yet it tells on its way out
    for _ in range(50):
        if ReadMark.objects.get(member=bo).number == 5:
            break
        page.wait_for_timeout(100)
    page.goto(thread.get_absolute_url())
    expect(page.locator("#posts .divider")).to_have_count(0)
    assert ReadMark.objects.get(member=bo).number == 5


def test_a_reply_of_another_member_announces_itself_and_moves_nothing(
    site: Site, group: Group, ada: Member, bo: Member
):
    thread = make_thread(ada, group, body=LONG, replies=2)
    reading, writing = site.visit(bo), site.visit(ada)
    for page in (reading, writing):
        page.goto(thread.get_absolute_url())
    reading.mouse.wheel(0, 300)
    reading.wait_for_timeout(300)
    before = top_of(reading)
    writing.locator("#reply textarea").press_sequentially("Just")
    expect(reading.locator(".writing")).to_have_text("Ada is replying")
    for words in ("One more thing.", "And another."):
        publish_post(author=ada, thread=thread, body=words)
    button = reading.get_by_role("button", name="2 new replies")
    expect(button).to_be_visible()
    expect(reading.locator(".writing")).to_be_hidden()
    expect(reading.locator("#posts .post")).to_have_count(3)
    assert top_of(reading) == before
    button.click()
    expect(reading.locator("#posts .post")).to_have_count(5)
    expect(reading.locator("#p4")).to_be_focused()
    expect(button).to_be_hidden()
    expect(reading.locator('#reply input[name="seen"]')).to_have_value("5")
    assert site.complaints == []


def test_what_a_kept_page_leaves_out_is_marked_by_the_browser(
    open_browser: OpenBrowser, group: Group, ada: Member, bo: Member, cy: Member
):
    thread = make_thread(ada, group, replies=1)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    block(by=bo, of=ada, kind="mute")
    page = open_browser(bo).new_page()
    page.goto(thread.get_absolute_url())
    expect(page.locator("#posts > .folded > .post")).to_have_count(2)
    # As a page drawn once for everybody would have them.
    page.evaluate(
        """() => {
            const posts = document.getElementById("posts");
            posts.replaceChildren(...posts.querySelectorAll(".post"));
        }"""
    )
    expect(page.locator("#posts > .folded > .post")).to_have_count(2)
    expect(page.locator("#p2")).to_be_hidden()
    page.locator("#posts summary").last.click()
    expect(page.locator("#p2")).to_be_visible()


def test_keys_go_from_post_to_post_and_can_be_turned_off(
    open_browser: OpenBrowser, group: Group, ada: Member, bo: Member
):
    thread = make_thread(ada, group, body=LONG, replies=3)
    page = open_browser(bo).new_page()
    page.goto(thread.get_absolute_url())
    expect(page.locator("thread-reader:defined")).to_be_attached()
    for key, focused in (("j", "#p1"), ("j", "#p2"), ("j", "#p3"), ("k", "#p2")):
        page.keyboard.press(key)
        expect(page.locator(focused)).to_be_focused()
    page.locator("#reply textarea").fill("")
    page.locator("#reply textarea").press("j")
    expect(page.locator("#reply textarea")).to_have_value("j")
    page.locator("#p2").evaluate("post => post.focus()")
    page.keyboard.press("?")
    page.get_by_label("Use these keys on this device").uncheck()
    page.keyboard.press("Escape")
    page.locator("#p2").evaluate("post => post.focus()")
    page.keyboard.press("j")
    expect(page.locator("#p2")).to_be_focused()
    page.reload()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()


def test_back_returns_to_the_exact_place(
    open_browser: OpenBrowser, group: Group, ada: Member, bo: Member
):
    thread = make_thread(ada, group, body=LONG, replies=18)
    page = open_browser(bo).new_page()
    page.goto(thread.get_absolute_url())
    page.locator("#p14").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    before = top_of(page)
    assert before > 400
    page.locator("#p14 .who").click()
    page.wait_for_url("**/members/ada/")
    page.go_back()
    expect(page.locator("#p14")).to_be_in_viewport()
    assert abs(top_of(page) - before) <= 2


def test_the_search_box_suggests_once_somebody_is_in_it(
    open_browser: OpenBrowser, group: Group, ada: Member
):
    page = open_browser(ada).new_page()
    said = '<div role="listbox"><a role="option" href="/groups/">Film</a></div>'
    page.route("**/search/suggest/*", lambda route: route.fulfill(body=said))
    page.goto("/groups/")
    box = page.locator("#bar-search")
    expect(box).not_to_have_attribute("role", "combobox")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    box.fill("fil")  # before or after the box's script came
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("option")).to_have_text("Film")
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_be_hidden()
