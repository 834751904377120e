"""What one does to a post, with a script in place and without any by forms and pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from community.bookmarks.models import Bookmark
from community.members.models import Member
from community.polls.models import Poll
from community.polls.services import make_poll
from community.reactions.models import Reaction
from community.threads.models import Post, Thread
from tests.browser.conftest import PHONE, OpenBrowser
from tests.factories import make_post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def post(ada: Member, thread: Thread) -> Post:
    return make_post(ada, thread, "Wool, in two thin layers.")


@pytest.mark.parametrize("size", [(1280, 900), PHONE])
def test_reacting_keeping_and_voting_happen_in_place(
    open_browser: OpenBrowser, bo: Member, thread: Thread, post: Post, size: tuple[int, int]
) -> None:
    make_poll(post=post, question="Foam or wool?", options=["Foam", "Wool"])
    page = open_browser(bo, size=size).new_page()
    page.goto(thread.get_absolute_url())
    # Before its script is there a press is a plain form's.
    page.evaluate("customElements.whenDefined('post-acts').then(() => 0)")
    shown = page.locator("#p2")

    heart = shown.get_by_role("button", name=re.compile("Love it"))
    expect(heart).to_have_attribute("aria-pressed", "false")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(heart).to_have_text(re.compile("1"))
    expect(heart).to_be_focused()

    more = shown.get_by_role("link", name="More on post 2")
    more.click()
    menu = page.get_by_role("dialog")
    menu.get_by_role("button", name=re.compile("Want it")).click()
    expect(shown.get_by_role("button", name="Want it, 1 member")).to_be_visible()
    more.click()
    menu.get_by_role("button", name="Bookmark", exact=True).click()
    menu.get_by_role("button", name="Tomorrow").click()
    expect(menu.get_by_text("Reminds you")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(more).to_be_focused()
    expect(shown).to_have_attribute("data-bookmarked", "")

    shown.get_by_role("radio", name="Wool").check()
    shown.get_by_role("button", name="Vote").click()
    expect(shown.get_by_text("Your choice:")).to_be_attached()
    assert page.url.endswith(thread.get_absolute_url())
    page.reload()
    expect(heart).to_have_attribute("aria-pressed", "true")
    assert sorted(Reaction.objects.values_list("name", flat=True)) == ["heart", "want"]
    assert Bookmark.objects.get().remind_at is not None
    assert Poll.objects.get().voter_count == 1


def test_all_of_it_works_without_scripts(
    open_browser: OpenBrowser, bo: Member, thread: Thread, post: Post
) -> None:
    page = open_browser(bo, java_script_enabled=False).new_page()
    page.goto(thread.get_absolute_url())
    page.locator("#p2").get_by_role("button", name=re.compile("Love it")).click()
    expect(page.get_by_text("Reaction given.")).to_be_visible()
    page.get_by_role("link", name="More on post 2").click()
    expect(page.get_by_label("A link to this post")).to_have_value(re.compile(r"\?via=bo$"))
    page.get_by_role("button", name=re.compile("Want it")).click()
    page.get_by_role("link", name="More on post 2").click()
    page.get_by_role("button", name="Bookmark", exact=True).click()
    assert sorted(Reaction.objects.values_list("name", flat=True)) == ["heart", "want"]
    assert Bookmark.objects.get().post == post

    page.get_by_label("Your reply").fill("Which do you take?")
    page.get_by_role("button", name="Add a poll").click()
    expect(page.get_by_label("Your reply")).to_have_value("Which do you take?")
    page.get_by_label("Question").fill("Foam or wool?")
    page.get_by_role("button", name="Post reply").click()
    expect(page.get_by_text("Give at least two different answers.")).to_be_visible()
    page.context.complaints.clear()  # type: ignore[attr-defined]  # the browser notes the 422
    page.get_by_label("Answers, one a line").fill("Foam\nWool")
    page.get_by_role("button", name="Post reply").click()
    mine = page.locator("#p3")
    mine.get_by_role("radio", name="Wool").check()
    mine.get_by_role("button", name="Vote").click()
    expect(page.get_by_text("Your vote is counted.")).to_be_visible()

    page.get_by_role("link", name="More on post 3").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete the post").click()
    expect(mine.get_by_text("You deleted this post.")).to_be_visible()
    mine.get_by_role("link", name="Restore it").click()
    page.get_by_role("button", name="Bring it back").click()
    expect(mine.get_by_text("Which do you take?")).to_be_visible()
