"""A moderator keeps order by / commands, and whoever has the room open sees it done."""

from __future__ import annotations

from playwright.sync_api import expect

from community.chat.models import Message, Room
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.models import Group
from community.members.models import Member
from tests.browser.one_port import Site


def test_a_moderator_pauses_a_room_while_a_member_looks_on(
    site: Site, group: Group, ada: Member, mo: Member
):
    room = room_of(group)
    send_message(room=room, sender=ada, body="Too hot in here")
    keeper, member = site.visit(mo), site.visit(ada)
    for page in (keeper, member):
        page.goto(f"/chat/{group.slug}/")
        expect(page.locator("chat-room[data-live]")).to_be_attached()
    box = keeper.locator("#chat-body")
    options = keeper.get_by_role("listbox").get_by_role("option")
    box.press_sequentially("/")
    expect(options.first).to_contain_text("/pause")
    box.press_sequentially("slo")
    expect(options).to_have_count(1)
    box.press("Enter")
    expect(box).to_have_value("/slow ")
    expect(options).to_have_count(0)
    box.press_sequentially("30s One at a time")
    box.press("Enter")
    done = "set slow mode to one message in 30 seconds: One at a time"
    for page in (keeper, member):
        expect(page.locator(".entry", has_text=done)).to_be_visible()
    # What is unknown is refused, and its words are back to be changed.
    box.fill("/nonsense here")
    box.press("Enter")
    expect(keeper.get_by_text("There is no command /nonsense")).to_be_visible()
    expect(box).to_have_value("/nonsense here")
    assert Room.objects.get(pk=room.pk).slow_mode_seconds == 30
    assert Message.objects.count() == 1
