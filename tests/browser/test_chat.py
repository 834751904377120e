"""Two members in two browsers, and one without scripts."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from community.chat.models import Message
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.models import Group
from community.members.models import Member
from tests.browser.one_port import Site
from tests.factories import make_thread


def say(page: Page, words: str) -> None:
    page.get_by_label("Message Film cameras").fill(words)
    page.keyboard.press("Enter")


def test_two_members_see_each_others_messages(site: Site, group: Group, ada: Member, bo: Member):
    room_of(group)
    first, second = site.visit(ada), site.visit(bo)
    for page in (first, second):
        page.goto(f"/chat/{group.slug}/")
        # The banner is gone and the element says it hears the room.
        expect(page.locator("chat-room[data-live]")).to_be_attached()
    say(first, "Anyone near Leith this weekend?")
    expect(second.locator(".msg .body", has_text="Anyone near Leith")).to_be_visible()
    say(second, "At the Shore market until three.")
    expect(first.locator(".msg .body", has_text="Shore market")).to_be_visible()
    say(second, "Bring the R2.")
    for page in (first, second):
        expect(page.locator(".msg[data-seq]")).to_have_count(3)
        expect(page.locator(".msg[data-pending]")).to_have_count(0)
        assert page.locator(".msg[data-seq]").evaluate_all(
            "all => all.map(m => m.dataset.seq)"
        ) == [
            "1",
            "2",
            "3",
        ]
    assert Message.objects.count() == 3
    assert site.complaints == []


def test_what_was_said_while_away_is_there_on_return(
    site: Site, group: Group, ada: Member, bo: Member
):
    room = room_of(group)
    page = site.visit(ada)
    page.goto(f"/chat/{group.slug}/")
    expect(page.locator("chat-room[data-live]")).to_be_attached()
    page.context.set_offline(True)
    for number in range(1, 4):
        send_message(room=room, sender=bo, body=f"Said while you were gone {number}")
    say(page, "Typed on the train")
    expect(page.locator(".msg[data-failed]")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".msg[data-seq]")).to_have_count(4)
    expect(page.locator(".msg[data-failed]")).to_have_count(0)
    assert Message.objects.filter(body="Typed on the train").count() == 1


def test_chat_is_a_page_and_a_form_without_scripts(
    site: Site, group: Group, ada: Member, bo: Member
):
    page = site.visit(ada, java_script_enabled=False)
    page.goto(f"/chat/{group.slug}/")
    page.get_by_label("Message Film cameras").fill("By hand")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".msg .body", has_text="By hand")).to_be_visible()


def test_the_chat_comes_beside_a_thread_where_there_is_room(
    site: Site, group: Group, ada: Member, bo: Member
):
    thread = make_thread(bo, group)
    send_message(room=room_of(group), sender=bo, body="Said before.")
    page = site.visit(ada)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(thread.get_absolute_url())
    beside = page.locator(".rail chat-room[data-live]")
    expect(beside.locator(".msg .body", has_text="Said before.")).to_be_visible()
    say(page, "Beside the thread.")
    expect(beside.locator(".msg .body", has_text="Beside the thread.")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    page.reload()
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("chat-room")).to_have_count(0)
    assert site.complaints == []
