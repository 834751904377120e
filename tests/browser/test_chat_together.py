"""Two and three people in a room, each in a window of their own: what one does the others see."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from community.chat.keeping import go_on, pause_room
from community.chat.messages import hide_message, pin_message, toggle_message_reaction
from community.chat.models import Message, Place, Room
from community.chat.places import read_to
from community.chat.rooms import room_of, room_with
from community.chat.services import send_message
from community.groups.models import Group
from community.members.models import Member
from tests.browser.one_port import Site, served

ROOM = "/chat/film-cameras/"


@pytest.fixture(scope="module")
def address(django_db_setup: None) -> Iterator[str]:
    """One site for all tests of this file: it takes some seconds to start."""
    with served(str(settings.REDIS_URL)) as url:
        yield url


@pytest.fixture
def site(transactional_db: None, address: str, chromium: Browser) -> Iterator[Site]:
    opened = Site(address, chromium)
    yield opened
    for context in opened.contexts:
        context.close()
    wait_until_nobody_asks()


def wait_until_nobody_asks(within_seconds: float = 10.0) -> None:
    """What closed windows asked for last is answered: it would be in the way of the emptying."""
    until = time.monotonic() + within_seconds
    others = """
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
    """
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(others)
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)


@pytest.fixture
def room(site: Site, group: Group) -> Room:
    return room_of(group)


def enter(site: Site, member: Member, address: str = ROOM) -> Page:
    """Open a room as `member` and wait until it is live."""
    page = site.visit(member, service_workers="block")
    page.goto(address)
    expect(page.locator("chat-room[data-live]")).to_be_attached()
    return page


def say(page: Page, words: str) -> None:
    page.locator("#chat-body").fill(words)
    page.locator("#chat-body").press("Enter")


def row(page: Page, words: str) -> Locator:
    return page.locator(".msg[data-seq]", has_text=words)


def seqs(page: Page) -> list[int]:
    found: list[int] = page.locator(".msg[data-seq]").evaluate_all(
        "all => all.map(m => Number(m.dataset.seq))"
    )
    return found


def open_menu(page: Page, words: str) -> Locator:
    row(page, words).first.hover()
    row(page, words).first.locator("[data-more]").click()
    dialog = page.locator("dialog.sheet")
    expect(dialog).to_be_visible()
    return dialog


def turn_away(page: Page, away: bool = True) -> None:
    """What the browser tells a page that stands behind another one, or is looked at again."""
    page.evaluate(
        """away => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => away });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        away,
    )


def test_what_is_done_to_a_message_the_others_see_at_once(
    site: Site, room: Room, ada: Member, bo: Member, mo: Member
):
    send_message(room=room, sender=bo, body="Meet at seven?")
    adas, bos, mos = (enter(site, member) for member in (ada, bo, mo))

    open_menu(adas, "Meet at seven?").get_by_role("link", name="Reply").click()
    expect(adas.locator("[data-answering]")).to_contain_text("Reply to Bo Lind")
    say(adas, "Half past")
    expect(row(bos, "Half past").locator(".answers")).to_contain_text("Bo Lind")
    expect(adas.locator("[data-answering]")).to_be_hidden()

    open_menu(bos, "Half past").locator(".react").first.click()
    expect(row(adas, "Half past").locator(".react", has_text="1")).to_be_visible()
    expect(row(bos, "Half past").locator(".react")).to_have_attribute("aria-pressed", "true")
    row(mos, "Half past").locator(".react").click()
    expect(row(adas, "Half past").locator(".react", has_text="2")).to_be_visible()

    adas.locator("#chat-body").press("ArrowUp")
    expect(adas.locator("#chat-body")).to_have_value("Half past")
    adas.locator("#chat-body").press("Escape")
    expect(adas.locator("#chat-body")).to_have_value("")
    adas.locator("#chat-body").press("ArrowUp")
    expect(adas.locator("#chat-body")).to_have_value("Half past")
    say(adas, "Half past eight")
    expect(row(bos, "Half past eight").locator(".edited")).to_be_visible()
    expect(row(mos, "Half past eight").locator(".react", has_text="2")).to_be_visible()

    open_menu(mos, "Half past eight").get_by_role("link", name="Hide").click()
    mos.get_by_label("Why").fill("Not here")
    mos.get_by_role("button", name="Hide it").click()
    for page in (adas, bos):
        expect(page.locator(".msg[data-removed]")).to_contain_text("Hidden by a moderator")
    assert site.complaints == []


def test_who_is_here_and_who_writes_is_seen_of_those_who_show_it(
    site: Site, room: Room, ada: Member, bo: Member, mo: Member
):
    Member.objects.filter(pk=mo.pk).update(shows_presence=False)
    bos, mos, adas = (enter(site, member) for member in (bo, mo, ada))
    line = adas.locator("[data-writing][data-on]")
    mos.locator("#chat-body").press_sequentially("Not seen")
    bos.locator("#chat-body").press_sequentially("Seen")
    expect(line).to_have_text("Bo is writing")
    say(bos, "I am done")
    expect(row(adas, "I am done")).to_be_visible()
    expect(line).to_have_count(0)
    adas.reload()
    here = adas.locator("a[data-here]")
    expect(here).to_have_text(re.compile(r"^\d here$"))
    expect(here).to_have_attribute("title", re.compile("Bo Lind"))
    expect(here).not_to_have_attribute("title", re.compile("Mo Adler"))


def test_the_count_grows_on_another_page_and_goes_when_the_room_is_read(
    site: Site, ada: Member, bo: Member
):
    pair = room_with([bo], by=ada)
    elsewhere, listed = site.visit(bo), site.visit(bo)
    elsewhere.goto("/")
    listed.goto("/chat/")
    count = elsewhere.locator('.nav notice-count[data-of="chat"]')
    of_row = listed.locator("room-list a", has_text="Ada Quist").locator(".count")
    expect(count).to_be_hidden()
    adas = enter(site, ada, f"/rooms/{pair.pk}/")
    for number, words in enumerate(("One", "Two", "Three"), start=1):
        say(adas, words)
        expect(count).to_have_text(re.compile(f"^{number}"))
    expect(of_row).to_have_text(re.compile("^3"))
    bos = enter(site, bo, f"/rooms/{pair.pk}/")
    expect(bos.locator("#new")).to_have_text("3 new while you were away")
    expect(count).to_be_hidden()
    expect(of_row).to_have_count(0)
    beside = bos.locator("room-list.side a", has_text="Ada Quist")
    expect(beside).to_have_attribute("aria-current", "page")
    assert site.complaints == []


def test_a_page_looked_at_again_shows_where_the_new_begins(
    site: Site, room: Room, ada: Member, bo: Member
):
    send_message(room=room, sender=bo, body="Read before")
    adas = enter(site, ada)
    turn_away(adas)
    for number in range(2):
        send_message(room=room, sender=bo, body=f"Unseen {number}")
    expect(adas).to_have_title(re.compile(r"^\(2\) "))
    turn_away(adas, False)
    expect(adas.locator("#new")).to_have_text("2 new while you were away")
    expect(adas.locator("#new + .msg")).to_contain_text("Unseen 0")
    expect(adas).not_to_have_title(re.compile(r"^\("))


def test_a_room_with_more_unread_than_a_page_opens_at_the_first_of_it(
    site: Site, room: Room, ada: Member, bo: Member
):
    Message.objects.bulk_create(
        Message(room=room, seq=number, sender=bo, body=f"No {number}.", html=f"<p>No {number}.</p>")
        for number in range(1, 121)
    )
    Room.objects.filter(pk=room.pk).update(last_seq=120)
    room.refresh_from_db()
    read_to(room=room, member=ada, seq=20)
    page = site.visit(ada)
    page.goto(ROOM)
    expect(page.locator("#new")).to_have_text("100 new while you were away")
    expect(page.locator("#new")).to_be_in_viewport()
    expect(page.locator("#new + .msg")).to_contain_text("No 21.")
    page.get_by_role("link", name="To the newest messages").click()
    expect(row(page, "No 120.")).to_be_in_viewport()
    expect(page.locator("chat-room[data-live]")).to_be_attached()
    # Back into the past, without leaving the page and without a jump.
    page.locator(".log").evaluate("log => { log.scrollTop = 0 }")
    expect(row(page, "No 21.")).to_be_attached()
    expect(row(page, "No 71.")).to_be_in_viewport()
    assert seqs(page)[-100:] == list(range(21, 121))


def test_unread_from_here_stays_till_the_room_is_opened_anew(
    site: Site, room: Room, ada: Member, bo: Member
):
    for number in range(1, 5):
        send_message(room=room, sender=bo, body=f"No {number}.")
    adas = enter(site, ada)
    open_menu(adas, "No 3.").get_by_role("button", name="Unread from here").click()
    expect(adas.locator("#new + .msg")).to_contain_text("No 3.")
    turn_away(adas)
    turn_away(adas, False)
    elsewhere = site.visit(ada)
    elsewhere.goto("/chat/")
    expect(elsewhere.locator(".rooms .count")).to_have_text(re.compile("^2"))
    assert Place.objects.get(member=ada).read_seq == 2


def test_a_socket_that_breaks_in_flight_loses_and_doubles_nothing(
    site: Site, room: Room, ada: Member, bo: Member
):
    page = site.visit(ada)
    open_ones: list[WebSocketRoute] = []
    broken = [False]

    def connect(socket: WebSocketRoute) -> None:
        if broken[0]:
            socket.close(code=1012)
        else:
            socket.connect_to_server()
            open_ones.append(socket)

    page.route_web_socket("**/ws/", connect)
    page.goto(ROOM)
    expect(page.locator("chat-room[data-live]")).to_be_attached()
    send_message(room=room, sender=bo, body="Before")
    expect(row(page, "Before")).to_be_visible()
    broken[0] = True
    open_ones[-1].close(code=1012)
    said = ["Before"]
    for number in range(3):
        send_message(room=room, sender=bo, body=f"Unheard {number}")
        say(page, f"Mine {number}")
        expect(page.locator(".msg .body", has_text=f"Mine {number}")).to_be_visible()
        said += [f"Unheard {number}", f"Mine {number}"]
    broken[0] = False
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("chat-room[data-live]")).to_be_attached()
    send_message(room=room, sender=bo, body="After")
    expect(row(page, "After")).to_be_visible()
    expect(page.locator(".msg:not([data-seq])")).to_have_count(0)
    assert seqs(page) == list(range(1, 9))
    assert sorted(Message.objects.values_list("body", flat=True)) == sorted([*said, "After"])


def test_where_sockets_are_refused_the_room_asks_by_itself(
    site: Site, room: Room, ada: Member, bo: Member
):
    page = site.visit(ada)
    tries: list[WebSocketRoute] = []

    def refuse(socket: WebSocketRoute) -> None:
        tries.append(socket)
        socket.close(code=1008)

    page.route_web_socket("**/ws/", refuse)
    page.goto(ROOM)
    expect(page.locator("[data-slow]")).to_be_visible()
    expect(page.locator("[data-away]")).to_be_hidden()
    send_message(room=room, sender=bo, body="Heard by asking")
    expect(row(page, "Heard by asking")).to_be_visible()
    say(page, "Said all the same")
    expect(row(page, "Said all the same")).to_be_visible()
    assert len(tries) <= 2  # it is not knocked at again and again

    out = site.visit(bo)
    out.route_web_socket("**/ws/", lambda socket: socket.close(code=4401))
    out.goto(ROOM)
    expect(out.get_by_text("You are signed out.")).to_be_visible()
    assert out.locator("[data-out] a").get_attribute("href") == f"/accounts/login/?next={ROOM}"


def test_a_pause_and_its_end_are_seen_without_a_socket_and_stand_where_they_were(
    site: Site, room: Room, ada: Member, bo: Member, mo: Member
):
    send_message(room=room, sender=bo, body="Before")
    page = site.visit(ada)
    page.route_web_socket("**/ws/", lambda socket: socket.close(code=1008))
    page.goto(ROOM)
    expect(page.locator("#say")).to_be_visible()
    pause_room(room=room, by=mo, reason="Fire drill")
    expect(page.locator("[data-why]")).to_be_visible()
    go_on(room=room, by=mo)
    expect(page.locator("#say")).to_be_visible()
    say(page, "After")
    expect(row(page, "After")).to_be_visible()
    rows = page.locator(".log > :is(.msg, .entry)").all_inner_texts()
    said = [word for text in rows for word in ("Before", "drill", "go on", "After") if word in text]
    assert said == ["Before", "drill", "go on", "After"]

    open_menu(page, "After").get_by_role("link", name="Edit").click()
    expect(page.locator("#chat-body")).to_have_value("After")
    say(page, "After all")
    expect(row(page, "After all").locator(".edited")).to_be_visible()


def test_a_draft_and_what_nobody_heard_survive_the_page(site: Site, room: Room, ada: Member):
    page = enter(site, ada)
    page.route("**/messages/", lambda route: route.abort())
    say(page, "Said in a tunnel")
    expect(page.locator(".msg[data-unheard]")).to_be_visible()
    page.locator("#chat-body").fill("Half a sen")
    page.unroute("**/messages/")
    page.goto("/chat/")
    page.goto(ROOM)
    expect(row(page, "Said in a tunnel")).to_be_visible()
    expect(page.locator("#chat-body")).to_have_value("Half a sen")
    assert Message.objects.filter(body="Said in a tunnel").count() == 1


def test_a_stranger_is_asked_and_says_yes(site: Site, ada: Member, cy: Member, group: Group):
    adas = site.visit(ada)
    adas.goto("/rooms/new/")
    adas.get_by_role("combobox", name="To").press_sequentially("tra")
    option = adas.get_by_role("option", name="Cy Tran")
    expect(option).to_be_visible()
    adas.keyboard.press("Enter")
    expect(adas.get_by_role("combobox", name="To")).to_have_value("cy ")
    adas.get_by_role("button", name="Go on").click()
    expect(adas.locator("chat-room[data-live]")).to_be_attached()
    say(adas, "Is the lens still there?")
    expect(row(adas, "Is the lens")).to_be_visible()
    cys = site.visit(cy)
    cys.goto("/chat/")
    cys.locator("section", has_text="Requests").get_by_role("link", name="Ada Quist").click()
    cys.get_by_role("button", name="Accept").click()
    expect(cys.locator("chat-room[data-live]")).to_be_attached()
    say(cys, "It is")
    expect(row(adas, "It is").last).to_be_visible()


def test_by_keys_alone_and_read_aloud_only_what_others_say(
    site: Site, room: Room, ada: Member, bo: Member
):
    for number in range(1, 4):
        send_message(room=room, sender=bo, body=f"No {number}.")
    page = enter(site, ada)
    page.evaluate(
        """() => {
            const log = document.querySelector(".log");
            window.aloud = [];
            new MutationObserver((all) => all.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
                if (node.matches?.(".msg")) aloud.push([node.querySelector(".body").innerText, log.ariaLive ?? "log"]);
            }))).observe(log, { childList: true });
        }"""  # noqa: E501
    )
    say(page, "Mine")
    expect(row(page, "Mine")).to_be_visible()
    expect(page.locator(".log")).not_to_have_attribute("aria-live", "off")
    send_message(room=room, sender=bo, body="Not mine")
    expect(row(page, "Not mine")).to_be_visible()
    assert {tuple(one) for one in page.evaluate("aloud")} == {("Mine", "off"), ("Not mine", "log")}

    page.locator(".log").focus()
    page.keyboard.press("ArrowUp")
    expect(row(page, "Not mine")).to_be_focused()
    page.keyboard.press("Home")
    expect(row(page, "No 1.")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog.sheet")
    expect(dialog).to_be_visible()
    dialog.locator(".react").first.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(row(page, "No 1.").locator(".react")).to_be_visible()
    expect(page.locator(".msg[data-seq] [data-more][tabindex='0']")).to_have_count(1)
    page.locator(".log").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#chat-body")).to_be_focused()


def test_without_scripts_it_is_pages_and_forms(site: Site, room: Room, ada: Member, bo: Member):
    for number in range(1, 61):
        Message.objects.create(room=room, seq=number, sender=bo, body=f"No {number}.", html="<p>x")
    Room.objects.filter(pk=room.pk).update(last_seq=60)
    page = site.visit(ada, java_script_enabled=False)
    page.goto(ROOM)
    page.locator("#chat-body").fill("By hand")
    page.get_by_role("button", name="Send").click()
    expect(row(page, "By hand")).to_be_visible()
    row(page, "By hand").locator("[data-more]").click()
    page.locator(".react").first.click()
    expect(row(page, "By hand").locator(".react")).to_be_visible()
    row(page, "By hand").locator("[data-more]").click()
    page.get_by_role("link", name="Edit").click()
    page.locator('textarea[name="body"]').fill("By hand, twice")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "By hand, twice").locator(".edited")).to_be_visible()
    row(page, "By hand, twice").locator("[data-more]").click()
    page.get_by_role("link", name="Reply").click()
    page.locator("#chat-body").fill("And an answer")
    page.get_by_role("button", name="Send").click()
    expect(row(page, "And an answer").locator(".answers")).to_be_visible()
    page.goto(ROOM)
    page.get_by_role("link", name="Earlier messages").click()
    expect(page.locator("#m1")).to_be_attached()
    expect(page.locator("#m62")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_room_and_nothing_scrolls_sideways(
    site: Site, room: Room, ada: Member, bo: Member, mo: Member, scheme: str
):
    first = send_message(
        room=room, sender=bo, body="The first with a `word` and https://example.org/a"
    )
    send_message(room=room, sender=ada, body="An answer", reply_to=first)
    send_message(room=room, sender=bo, body="A" * 400)
    toggle_message_reaction(message=first, by=mo, name=next(iter(settings.REACTIONS)))
    pin_message(message=first, by=mo)
    gone = send_message(room=room, sender=bo, body="Gone")
    hide_message(message=gone, by=mo, reason="Advert")
    axe = Axe()
    for width in (320, 1280):
        page = site.visit(ada, color_scheme=scheme, viewport={"width": width, "height": 800})
        for address in (ROOM, "/chat/", "/rooms/new/"):
            page.goto(address)
            if address == ROOM:
                expect(page.locator("chat-room[data-live]")).to_be_attached()
                open_menu(page, "The first")
            found = axe.run(page).response["violations"]
            assert [(one["id"], [n["html"][:120] for n in one["nodes"]]) for one in found] == []
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, address
