"""A thread's page for its reader: the overlay, the divider, ways to a post, what came since."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from community.bookmarks.models import Bookmark
from community.chat import consumers, guard
from community.chat.hub import Hub
from community.groups.services import leave_group
from community.members.blocking import block
from community.members.models import Member
from community.mine.overlay import overlay
from community.reactions.models import Reaction
from community.threads.following import follow
from community.threads.marks import FollowLevel, ReadMark
from community.threads.reading import read_up_to
from config.redis import client
from tests.community.test_reading_marks import hide
from tests.factories import join, make_group, make_member, make_post, make_thread
from tests.sockets import SocketClient, in_a_loop_of_its_own

pytestmark = pytest.mark.django_db


def text_of(response) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def carried(html: str) -> dict[str, Any]:
    """What the page carries for lib/mine.js."""
    found = re.search(r'<script id="mine" type="application/json">(.*?)</script>', html)
    assert found
    carries: dict[str, Any] = json.loads(found[1])
    return carries


def mark_of(member: Member) -> int:
    return ReadMark.objects.get(member=member).number


# -- the overlay ------------------------------------------------------------------------------


def test_a_page_carries_all_that_is_the_readers_and_nobody_elses(as_bo, ada, bo, cy, group):
    thread = make_thread(ada, group, replies=3)
    first, second, _third, fourth = thread.posts.order_by("number")
    read_up_to(member=bo, thread_id=thread.pk, number=2)
    follow(member=bo, what=thread, level=FollowLevel.WATCHING)
    block(by=bo, of=cy)
    Reaction.objects.create(post=second, member=bo, name="heart")
    Reaction.objects.create(post=second, member=bo, name="clap")
    Reaction.objects.create(post=first, member=ada, name="heart")
    Bookmark.objects.create(post=fourth, member=bo)
    Bookmark.objects.create(post=first, member=ada)
    assert carried(text_of(as_bo.get(thread.get_absolute_url()))) == {
        "member": bo.pk,
        "thread": thread.pk,
        "read": 2,
        "first": 3,
        "level": 3,
        "posts": {
            str(second.pk): {"reactions": ["clap", "heart"]},
            str(fourth.pk): {"bookmark": True},
        },
        "folded": [cy.pk],
    }


def test_the_overlay_is_one_query_and_a_guest_has_none(guest, bo, ada, group):
    thread = make_thread(ada, group, replies=30)
    posts = list(thread.posts.all()[:20])
    with CaptureQueriesContext(connection) as spent:
        mine = overlay(bo, thread, [post.pk for post in posts])
    assert len(spent) == 1
    assert (mine.read, mine.unread, mine.first, mine.level) == (0, 31, 1, FollowLevel.NORMAL)
    assert 'id="mine"' not in text_of(guest.get(thread.get_absolute_url()))


# -- where new begins -------------------------------------------------------------------------


def test_the_divider_stands_before_the_first_unread_post_and_not_on_a_first_visit(
    as_bo, ada, bo, group
):
    thread = make_thread(ada, group, replies=4)
    assert (
        'id="new"><span>New since'
        not in text_of(as_bo.get(thread.get_absolute_url())).split("<template")[0]
    )
    read_up_to(member=bo, thread_id=thread.pk, number=3)
    page = text_of(as_bo.get(thread.get_absolute_url())).split("<template")[0]
    assert page.index('id="p3"') < page.index('class="divider" id="new"') < page.index('id="p4"')
    assert re.search(r'href="#p4">.*?2 new</a>', page, re.DOTALL)
    read_up_to(member=bo, thread_id=thread.pk, number=5)
    page = text_of(as_bo.get(thread.get_absolute_url())).split("<template")[0]
    assert 'class="divider"' not in page.split('id="posts"')[1].split("</div>")[0]


def test_the_way_to_the_first_unread_finds_its_page(as_bo, bo, guest, ada, group):
    thread = make_thread(ada, group, replies=44)
    base = thread.get_absolute_url()
    read_up_to(member=bo, thread_id=thread.pk, number=21)
    hide(thread.posts.get(number=22))
    assert as_bo.get(f"/t/{thread.pk}/unread/")["Location"] == f"{base}?page=2#p23"
    assert f'href="/t/{thread.pk}/unread/"' in text_of(as_bo.get(base))
    read_up_to(member=bo, thread_id=thread.pk, number=45)
    assert as_bo.get(f"/t/{thread.pk}/unread/")["Location"] == f"{base}?page=3#p45"
    assert guest.get(f"/t/{thread.pk}/unread/")["Location"] == f"{base}?page=3#p45"


@pytest.mark.parametrize(
    ("number", "place"),
    [("12", "#p12"), ("21", "?page=2#p21"), ("9999", "?page=2#p25"), ("0", "#p1"), ("x", "#p1")],
)
def test_a_jump_lands_on_the_post_or_the_nearest_before_it(guest, ada, group, number, place):
    thread = make_thread(ada, group, replies=24)
    response = guest.get(f"/t/{thread.pk}/jump/", {"number": number})
    assert response["Location"] == thread.get_absolute_url() + place


# -- telling what was read --------------------------------------------------------------------


def test_a_page_tells_how_far_it_was_read_in_two_queries_of_ours(as_bo, bo, ada, group):
    thread = make_thread(ada, group, replies=4)
    as_bo.get("/settings/follows/")
    with CaptureQueriesContext(connection) as spent:
        response = as_bo.post(f"/t/{thread.pk}/read/", {"number": "4", "seen": "4", "seconds": "5"})
    assert (response.status_code, mark_of(bo)) == (204, 4)
    ours = [
        query["sql"]
        for query in spent
        if "django_session" not in query["sql"] and 'FROM "community_member"' not in query["sql"]
    ]
    assert len([sql for sql in ours if "SAVEPOINT" not in sql]) == 2


def test_without_scripts_a_button_marks_the_page_read(as_bo, bo, ada, group):
    thread = make_thread(ada, group, replies=24)
    page = text_of(as_bo.get(thread.get_absolute_url()))
    assert "<noscript>" in page
    assert 'name="number" value="20"' in page
    base = thread.get_absolute_url()
    response = as_bo.post(f"/t/{thread.pk}/read/", {"number": "20", "next": base})
    assert (response["Location"], mark_of(bo)) == (base, 20)


@pytest.mark.parametrize("number", ["-1", "1.5", "x", "1" * 10])
def test_a_broken_number_is_422(as_bo, thread, number):
    assert as_bo.post(f"/t/{thread.pk}/read/", {"number": number}).status_code == 422
    assert not ReadMark.objects.exclude(member=thread.author).exists()


def test_unread_from_here_asks_without_scripts_and_leaves_the_thread(as_bo, bo, ada, group):
    thread = make_thread(ada, group, replies=4)
    read_up_to(member=bo, thread_id=thread.pk, number=5)
    post = thread.posts.get(number=3)
    assert "Mark post 3" in text_of(as_bo.get(f"/p/{post.pk}/unread/"))
    assert as_bo.post(f"/p/{post.pk}/unread/")["Location"] == group.get_absolute_url()
    assert mark_of(bo) == 2


def test_all_read_by_the_form(as_bo, bo, ada, group):
    thread = make_thread(ada, group, replies=4)
    read_up_to(member=bo, thread_id=thread.pk, number=1)
    response = as_bo.post("/all-read/", {"group": group.slug, "at": "not-a-cursor"})
    assert response["Location"] == group.get_absolute_url()
    assert "New since" not in text_of(as_bo.get(thread.get_absolute_url())).split("<template")[0]
    assert as_bo.post("/all-read/")["Location"] == "/"


# -- what came since --------------------------------------------------------------------------


def test_new_posts_are_pieces_up_to_the_end_of_their_page(as_bo, ada, group):
    thread = make_thread(ada, group, replies=24)
    numbers = {
        after: re.findall(
            r'<article class="post" id="p(\d+)"',
            text_of(as_bo.get(f"/t/{thread.pk}/new-posts/?after={after}")),
        )
        for after in (18, 20, 25)
    }
    assert numbers == {18: ["19", "20"], 20: ["21", "22", "23", "24", "25"], 25: []}
    assert as_bo.get(f"/t/{thread.pk}/new-posts/").status_code == 404


def test_a_thread_one_may_not_see_is_404_by_every_address(as_bo, guest, ada, hidden_group):
    thread = make_thread(ada, hidden_group, replies=2)
    post = thread.posts.get(number=2)
    for way in ("unread/", "jump/?number=1", "new-posts/?after=0"):
        for client_ in (as_bo, guest):
            assert client_.get(f"/t/{thread.pk}/{way}").status_code == 404
    for address in (f"/t/{thread.pk}/read/", f"/t/{thread.pk}/typing/", f"/p/{post.pk}/unread/"):
        assert as_bo.post(address, {"number": "1"}).status_code == 404
    assert as_bo.post("/all-read/", {"group": hidden_group.slug}).status_code == 404


# -- hints ------------------------------------------------------------------------------------


@pytest.fixture
def told(monkeypatch) -> list[dict[str, Any]]:
    """What was announced of threads."""
    heard: list[dict[str, Any]] = []

    def announce(channel: str, payload: dict[str, Any]) -> bool:
        heard.append(payload)
        return True

    monkeypatch.setattr("community.threads.live.announce", announce)
    client().flushdb()
    return heard


def test_a_reply_is_announced_after_its_commit_and_talk_from_elsewhere_is_not(
    ada, bo, thread, told, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=False) as waiting:
        make_post(bo, thread)
        assert told == []
    for run in waiting:
        run()
    room = f"thread:{thread.pk}"
    assert told == [{"type": "posted", "room": room, "number": 2, "author": bo.pk}]
    with django_capture_on_commit_callbacks(execute=True):
        make_post(bo, thread, at=thread.created_at)
    assert len(told) == 1


def test_typing_is_told_once_in_three_seconds_and_only_by_those_who_may_write(
    as_ada, ada, as_cy, as_mo, thread, told
):
    address = f"/t/{thread.pk}/typing/"
    assert [as_ada.post(address).status_code for _ in range(3)] == [204, 204, 204]
    assert told == [
        {"type": "typing", "room": f"thread:{thread.pk}", "member": ada.pk, "name": "Ada"}
    ]
    assert as_cy.post(address).status_code == 403
    thread.lock_reason, thread.locked_by, thread.locked_at = "Done.", ada, thread.created_at
    thread.save()
    assert as_mo.post(address).status_code == 403
    assert len(told) == 1


@pytest.fixture
def quiet_hub(monkeypatch) -> Hub:
    """A hub that hears only what the test delivers."""
    hub = Hub()
    monkeypatch.setattr(hub, "_ensure_listening", lambda: None)
    monkeypatch.setattr(consumers, "hub", hub)
    return hub


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_a_socket_hears_of_a_thread_it_may_see_until_it_may_not(quiet_hub, monkeypatch):
    monkeypatch.setattr(guard, "ROUND_SECONDS", 0.2)
    owner, reader = await sync_to_async(make_member)("ada"), await sync_to_async(make_member)("bo")
    group = await sync_to_async(make_group)("cellar", owner=owner, join_mode="hidden")
    await sync_to_async(join)(reader, group)
    thread = await sync_to_async(make_thread)(owner, group, replies=2)
    room = f"thread:{thread.pk}"
    outsider = await sync_to_async(make_member)("cy")
    socket, other = (
        SocketClient(consumers.LiveConsumer.as_asgi(), one) for one in (reader, outsider)
    )
    for one in (socket, other):
        assert await one.connect() is None
        await one.say({"type": "subscribe", "room": room})
    heard = await socket.hear()
    assert (heard["type"], heard["name"], heard["seq"]) == ("subscribed", room, 3)
    assert (await other.hear())["type"] == "refused"
    hint = {"type": "posted", "room": room, "number": 4, "author": owner.pk}
    quiet_hub.deliver(json.dumps(hint).encode())
    assert await socket.hear() == hint
    assert await other.receive_nothing()
    await sync_to_async(leave_group)(member=reader, group=group)
    assert (await socket.hear())["why"] == "You left it."
    quiet_hub.deliver(json.dumps(hint).encode())
    assert await socket.receive_nothing()
    for one in (socket, other):
        await one.leave()


@pytest.mark.parametrize("room", ["thread:", "thread:x", "thread:1e9", "thread:" + "9" * 30])
@pytest.mark.django_db(transaction=True)
def test_a_thread_that_is_none_is_refused(quiet_hub, room):
    member = make_member("ada")

    @in_a_loop_of_its_own
    async def ask() -> None:
        socket = SocketClient(consumers.LiveConsumer.as_asgi(), member)
        await socket.connect()
        await socket.say({"type": "subscribe", "room": room})
        assert (await socket.hear())["type"] == "refused"
        await socket.leave()

    ask()
