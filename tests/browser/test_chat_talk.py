"""Choosing messages on a phone, and the thread they become."""

from __future__ import annotations

from playwright.sync_api import expect

from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Thread
from tests.browser.one_port import Site


def test_a_moderator_chooses_messages_on_a_phone_and_makes_a_thread(
    site: Site, group: Group, ada: Member, bo: Member, mo: Member
):
    room = room_of(group)
    for sender, words in ((ada, "My shutter sticks"), (bo, "Use naphtha"), (ada, "Lunch anyone?")):
        send_message(room=room, sender=sender, body=words)
    page = site.visit(mo, viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto(f"/chat/{group.slug}/")
    expect(page.locator("chat-select:defined")).to_be_attached()
    expect(page.locator("chat-room[data-live]")).to_be_attached()
    page.locator(".chat > header summary").click()
    page.get_by_role("link", name="Make a thread of messages").click()
    bar = page.locator("#choosing")
    expect(bar).to_contain_text("Choose messages")
    expect(bar.get_by_role("button", name="Go on")).to_be_disabled()
    page.get_by_role("checkbox", name="My shutter sticks").check()
    page.get_by_role("checkbox", name="Use naphtha").check()
    expect(bar).to_contain_text("2 messages chosen")
    # What comes meanwhile can be chosen too, and what was chosen stays so.
    send_message(room=room, sender=bo, body="Said meanwhile")
    expect(page.get_by_role("checkbox", name="Said meanwhile")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Use naphtha")).to_be_checked()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    bar.get_by_role("button", name="Go on").click()
    page.get_by_label("Title").fill("Shutters that stick")
    page.get_by_role("button", name="Make the thread").click()
    expect(page.get_by_role("heading", name="Shutters that stick")).to_be_visible()
    thread = Thread.objects.get()
    assert list(thread.posts.order_by("number").values_list("author__handle", "body")) == [
        ("mo", "From our chat."),
        ("ada", "My shutter sticks"),
        ("bo", "Use naphtha"),
    ]
    assert site.complaints == []


def test_escape_ends_choosing_and_members_choose_their_own(
    site: Site, group: Group, ada: Member, bo: Member
):
    room = room_of(group)
    send_message(room=room, sender=bo, body="Not hers")
    send_message(room=room, sender=ada, body="Hers")
    page = site.visit(ada)
    page.goto(f"/chat/{group.slug}/")
    expect(page.locator("chat-select:defined")).to_be_attached()
    page.locator(".chat > header summary").click()
    page.get_by_role("link", name="Make a thread of messages").click()
    expect(page.get_by_role("checkbox")).to_have_count(1)
    expect(page.get_by_role("checkbox", name="Hers")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#choosing")).to_contain_text("1 message chosen")
    page.keyboard.press("Escape")
    expect(page.locator("#choosing")).to_have_count(0)
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.get_by_label("Message Film cameras")).to_be_visible()
