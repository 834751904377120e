"""The composer by keyboard, by mouse and by an unlucky connection."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image as Picture
from playwright.sync_api import Page, expect

from community.drafts.models import Draft
from community.drafts.services import save_draft
from community.members.models import Member
from community.search.models import SearchDocument
from community.search.services import write_documents
from community.threads.models import Post, PostMention, PostQuote, Thread
from community.uploads.models import Image
from tests.browser.conftest import PHONE, OpenBrowser
from tests.factories import join, make_member, make_post, make_thread


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def open_thread(open_browser: OpenBrowser, member: Member, thread: Thread, **options) -> Page:
    page = open_browser(member, **options).new_page()
    page.goto(thread.get_absolute_url())
    expect(page.locator("composer-box:defined")).to_be_visible()
    return page


def box_of(page: Page):
    return page.locator('composer-box textarea[name="body"]')


def tools_of(page: Page):
    """Those of the reply: the chat beside the thread has some of its own."""
    return page.locator("composer-box")


def png(colour: str) -> bytes:
    raw = io.BytesIO()
    Picture.new("RGB", (64, 48), colour).save(raw, "PNG")
    return raw.getvalue()


# -- marks ------------------------------------------------------------------------------------


def test_marks_go_round_the_selection_and_off_again(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box = box_of(page)
    box.fill("clean patch")
    box.select_text()
    page.keyboard.press("Control+b")
    expect(box).to_have_value("**clean patch**")
    page.keyboard.press("Control+b")
    expect(box).to_have_value("clean patch")
    page.keyboard.press("Control+i")
    expect(box).to_have_value("*clean patch*")
    box.fill("one\ntwo")
    box.select_text()
    page.get_by_role("button", name="List").click()
    expect(box).to_have_value("- one\n- two")
    box.select_text()
    page.get_by_role("button", name="List").click()
    expect(box).to_have_value("one\ntwo")
    box.select_text()
    page.get_by_role("button", name="Code").click()
    expect(box).to_have_value("```\none\ntwo\n```\n")


def test_the_tools_are_one_stop_of_tab(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    page.get_by_role("button", name="Preview").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Bold")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Italic")).to_be_focused()
    page.keyboard.press("End")
    expect(tools_of(page).get_by_role("button", name="Emoji")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("toolbar")).not_to_contain_text("nothing")
    assert page.evaluate("!document.activeElement.closest('[role=toolbar]')")


# -- people and emoji -------------------------------------------------------------------------


def test_somebody_is_mentioned_by_keyboard_alone(open_browser, bo, ada, group, thread):
    join(make_member("adam", name="Adam Farr"), group)
    page = open_thread(open_browser, bo, thread)
    box = box_of(page)
    box.press_sequentially("Ask @ad")
    listbox = page.get_by_role("listbox", name="Members")
    expect(listbox.get_by_role("option")).to_have_count(2)
    expect(box).to_have_attribute("role", "combobox")
    first = listbox.get_by_role("option").first
    expect(first).to_contain_text("Ada Quist")
    expect(first).to_contain_text("in this thread")
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    chosen = listbox.locator('[aria-selected="true"]')
    expect(chosen).to_contain_text("Adam Farr")
    expect(box).to_have_attribute("aria-activedescendant", str(chosen.get_attribute("id")))
    page.keyboard.press("Escape")
    expect(listbox).to_be_hidden()
    expect(box).not_to_have_attribute("role", "combobox")
    box.press_sequentially("a")  # refused for this word
    page.wait_for_timeout(300)
    expect(listbox).to_be_hidden()
    box.press_sequentially(" or @ad")
    expect(listbox).to_be_visible()
    page.keyboard.press("Enter")
    expect(box).to_have_value("Ask @ada or @ada ")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#p2 .mention").first).to_have_text("@ada")
    assert PostMention.objects.get().member == ada


def test_emoji_by_their_names_and_by_the_button(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box = box_of(page)
    box.press_sequentially("Nice :fish")
    expect(page.get_by_role("listbox", name="Emoji").get_by_role("option").first).to_contain_text(
        "fish"
    )
    page.keyboard.press("Tab")
    expect(box).to_have_value("Nice 🐟 ")
    tools_of(page).get_by_role("button", name="Emoji").click()
    page.get_by_role("option", name="+1").click()
    expect(box).to_have_value("Nice 🐟 👍 ")
    expect(box).to_be_focused()
    box.press_sequentially("at 12:30")
    expect(page.get_by_role("listbox")).to_be_hidden()


# -- drafts -----------------------------------------------------------------------------------


def test_a_draft_outlives_a_reload_and_follows_to_another_device(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box_of(page).fill("Half a thou")
    expect(page.locator("[data-status]")).to_have_text("Draft saved")
    page.reload()  # before the two seconds are over: it goes with the page
    expect(box_of(page)).to_have_value("Half a thou")
    box_of(page).press_sequentially("ght")
    with page.expect_response(lambda answer: answer.request.method == "PUT") as answered:
        pass
    assert answered.value.status == 200
    assert Draft.objects.get(member=bo).body in ("Half a thought", "ghtHalf a thou")
    phone = open_thread(open_browser, bo, thread, size=PHONE)
    box_of(phone).focus()
    expect(box_of(phone)).to_have_value(Draft.objects.get(member=bo).body)
    expect(phone.locator("[data-status]")).to_have_text("Draft restored")


def test_of_two_devices_the_one_behind_is_asked(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box_of(page).focus()
    page.wait_for_load_state("networkidle")
    save_draft(member=bo, target=f"thread:{thread.pk}", body="From the phone", sequence=3)
    box_of(page).fill("From the desk")
    expect(page.locator("[data-status]")).to_contain_text("A newer text", timeout=15_000)
    page.context.complaints.clear()  # type: ignore[attr-defined]  # the browser notes the 409
    expect(box_of(page)).to_have_value("From the desk")
    page.get_by_role("button", name="Show it").click()
    expect(box_of(page)).to_have_value("From the phone")
    page.keyboard.press("Control+z")
    expect(box_of(page)).to_have_value("From the desk")


def test_a_draft_is_discarded_and_that_is_undone(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box_of(page).fill("Never mind")
    expect(page.locator("[data-status]")).to_have_text("Draft saved")
    page.get_by_role("button", name="Discard draft").click()
    expect(box_of(page)).to_have_value("")
    page.get_by_role("button", name="Undo").click()
    expect(box_of(page)).to_have_value("Never mind")


def test_an_expired_session_loses_nothing(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box_of(page).fill("Typed for half an hour")
    cookie = settings.SESSION_COOKIE_NAME
    page.context.clear_cookies(name=cookie)
    page.get_by_role("button", name="Post reply").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("E-mail or handle").fill("bo")
    page.get_by_label("Password").fill("a long enough secret")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(box_of(page)).to_have_value("Typed for half an hour")
    page.context.complaints.clear()  # type: ignore[attr-defined]  # a draft it could not save
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator("#p2")).to_contain_text("Typed for half an hour")


def test_what_a_guest_typed_is_theirs_once_they_are_a_member(open_browser, bo, thread):
    page = open_browser().new_page()
    page.goto(thread.get_absolute_url())
    box = page.get_by_label("Members of Film cameras reply here")
    box.fill("I own two of them.")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("E-mail or handle").fill("bo")
    page.get_by_label("Password").fill("a long enough secret")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Post reply")).to_be_visible()
    expect(box_of(page)).to_have_value("I own two of them.")


# -- pictures ---------------------------------------------------------------------------------

PASTE = """(box, [one, two]) => {
  const files = new DataTransfer();
  for (const [name, code] of [["one.png", one], ["two.png", two]]) {
    const bytes = Uint8Array.from(atob(code), (letter) => letter.charCodeAt(0));
    files.items.add(new File([bytes], name, { type: "image/png" }));
  }
  const options = { clipboardData: files, bubbles: true, cancelable: true };
  box.dispatchEvent(new ClipboardEvent("paste", options));
}"""


def test_pasted_pictures_are_described_and_put_into_the_text(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box_of(page).fill("Mine:")
    codes = [base64.b64encode(png(colour)).decode() for colour in ("orange", "navy")]
    box_of(page).evaluate(PASTE, codes)
    rows = page.locator(".uploads > li")
    expect(rows).to_have_count(2)
    expect(rows.first.get_by_label("What the picture shows")).to_be_focused()
    rows.first.get_by_label("What the picture shows").fill("An [orange] square")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(box_of(page)).to_have_value(
        re.compile(r"^Mine:\n\n!\[An \(orange\) square\]\(image:[0-9a-f-]{36}\)\n\n$")
    )
    rows.first.get_by_role("button", name="Leave out two.png").click()
    expect(rows).to_have_count(0)
    page.get_by_role("button", name="Post reply").click()
    expect(page.get_by_role("img", name="An (orange) square")).to_be_visible()
    assert Image.objects.first().group == thread.group  # type: ignore[union-attr]


def test_a_file_that_is_no_picture_is_refused_in_words(open_browser, bo, thread, tmp_path):
    wrong = tmp_path / "wrong.png"
    wrong.write_bytes(b"no picture at all")
    page = open_thread(open_browser, bo, thread)
    with page.expect_file_chooser() as chooser:
        tools_of(page).get_by_role("button", name="Picture").click()
    chooser.value.set_files(wrong)
    expect(page.locator(".uploads [role=alert]")).to_contain_text("pictures are taken")
    page.context.complaints.clear()  # type: ignore[attr-defined]  # the browser notes the 422
    expect(box_of(page)).to_have_value("")


# -- quoting ----------------------------------------------------------------------------------


def test_selected_words_are_quoted_with_their_author(open_browser, ada, bo, thread):
    make_post(ada, thread, "The **rangefinder** patch [matters](https://shoal.example) most.")
    post = thread.posts.get(number=2)
    page = open_thread(open_browser, bo, thread)
    page.locator("#p2 > .prose p").select_text()
    page.locator(".post").get_by_role("button", name="Quote").click()
    expect(box_of(page)).to_have_value(
        f"> [Ada Quist](/p/{post.pk}/):\n> The rangefinder patch matters most.\n\n"
    )
    box_of(page).press_sequentially("It does.")
    page.keyboard.press("Control+Enter")
    quote = page.locator("#p3 blockquote.quote")
    expect(quote).to_contain_text("The rangefinder patch matters most.")
    expect(quote.get_by_role("link", name="Ada Quist")).to_have_attribute("href", f"/p/{post.pk}/")
    assert PostQuote.objects.get().quoted == post


def test_a_whole_post_is_quoted_by_its_menu(open_browser, ada, bo, thread):
    page = open_thread(open_browser, bo, thread)
    page.get_by_role("link", name="More on post 1").click()
    page.get_by_role("link", name="Quote in a reply").click()
    expect(box_of(page)).to_have_value(re.compile(r"^> \[Ada Quist\]\(/p/\d+/\):\n> Prices have"))
    expect(box_of(page)).to_be_focused()


# -- undo, and threads like this one ----------------------------------------------------------


def test_a_reply_is_undone_and_mended(open_browser, bo, thread):
    page = open_thread(open_browser, bo, thread)
    box_of(page).fill("Oops, teh patch")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#p2")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(box_of(page)).to_have_value("Oops, teh patch")
    expect(page.locator("#p2")).to_have_count(0)
    assert Post.objects.get(thread=thread, number=2).is_deleted
    box_of(page).fill("The patch")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#p3")).to_contain_text("The patch")


def test_a_new_thread_is_undone_into_its_form(open_browser, bo, group):
    page = open_browser(bo).new_page()
    page.goto(f"/g/{group.slug}/new/")
    page.get_by_label("Title").fill("Light seals")
    box_of(page).fill("Foam or wool?")
    page.get_by_role("button", name="Start thread").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Title")).to_have_value("Light seals")
    expect(box_of(page)).to_have_value("Foam or wool?")
    assert not Thread.objects.get().is_listed


def test_similar_threads_stand_below_the_title(open_browser, ada, bo, group):
    seals = make_thread(ada, group, title="Light seals for the Optra", body="Foam or wool?")
    pier = make_thread(ada, group, title="Where to meet in May", body="The pier?")
    write_documents(SearchDocument.Kind.POST, [seals.posts.get().pk, pier.posts.get().pk])
    page = open_browser(bo).new_page()
    page.goto(f"/g/{group.slug}/new/")
    page.get_by_label("Title").press_sequentially("Which light seals")
    expect(page.get_by_role("link", name=re.compile("Light seals for the Optra"))).to_be_visible()
