"""Being here and writing: who shows it, and that nobody outside learns of a room's life."""

from __future__ import annotations

import json
import time

import pytest
from django.db import transaction

from community.chat import here, unread
from community.chat.here import announce_writing, note_here, who_is_here
from community.chat.hub import Hub
from community.chat.models import Place, Room
from community.chat.places import set_level
from community.chat.rooms import open_room, room_beside, room_of, room_with
from community.chat.services import send_message
from community.groups.services import leave_group
from community.members.models import Block, Member
from config.redis import client as valkey
from tests.factories import join, make_group, make_thread

pytestmark = pytest.mark.django_db

FRAMES = (
    "community.chat.here.announce",
    "community.chat.hub.announce",
    "community.chat.unread.announce",
)


@pytest.fixture(autouse=True)
def nobody_here() -> None:
    here._noted.clear()
    valkey().flushdb()


@pytest.fixture
def room(group, ada, bo) -> Room:
    return room_of(group)


@pytest.fixture
def frames(monkeypatch) -> list[dict[str, object]]:
    """What is told to sockets."""
    heard: list[dict[str, object]] = []

    def hear(_channel: str, frame: dict[str, object]) -> bool:
        heard.append(frame)
        return True

    for place in FRAMES:
        monkeypatch.setattr(place, hear)
    return heard


def hide(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(shows_presence=False)
    member.refresh_from_db()


# -- the choice -------------------------------------------------------------------------------


def test_a_member_says_in_their_settings_whether_they_show_it(as_ada, ada):
    page = as_ada.get("/settings/").content.decode()
    assert "Show in chat that I am here and that I am writing" in page
    assert 'name="shows_presence"' in page
    said = {"name": "Ada Quist", "bio": "", "language": "", "time_zone": "UTC"}
    assert as_ada.post("/settings/", said).status_code == 302
    ada.refresh_from_db()
    assert ada.shows_presence is False
    assert as_ada.post("/settings/", {**said, "shows_presence": "on"}).status_code == 302
    ada.refresh_from_db()
    assert ada.shows_presence is True


def test_who_hides_it_is_not_here_and_not_counted(as_bo, room, ada, bo):
    note_here(ada.pk)
    note_here(bo.pk)
    seen = f"/rooms/{room.pk}/here/"
    assert as_bo.get(seen).json() == {"names": ["Ada Quist", "Bo Lind"], "count": 2}
    hide(ada)
    assert as_bo.get(seen).json() == {"names": ["Bo Lind"], "count": 1}


def test_who_hides_it_is_not_seen_writing(as_ada, room, ada, frames):
    assert as_ada.post(f"/rooms/{room.pk}/writing/").status_code == 204
    assert [frame["type"] for frame in frames] == ["writing"]
    valkey().flushdb()
    hide(ada)
    assert as_ada.post(f"/rooms/{room.pk}/writing/").status_code == 204
    assert announce_writing(ada, room) is False
    assert len(frames) == 1


def test_whom_one_blocked_does_not_see_one_write_nor_that_they_were_left_out(
    room, ada, bo, cy, frames
):
    class Socket:
        language = "en"

        def __init__(self, member: Member) -> None:
            self.member, self.heard = member, list[dict[str, object]]()

        def offer(self, text: str) -> None:
            self.heard.append(json.loads(text))

    Block.objects.create(by=ada, of=bo, kind=Block.Kind.BLOCK)
    assert announce_writing(ada, room)
    hub, bos, cys = Hub(), Socket(bo), Socket(cy)
    hub.rooms[room.pk] = {bos, cys}  # type: ignore[arg-type]
    hub.confirmed_at = time.monotonic()
    hub.deliver(json.dumps(frames[-1]).encode())
    assert bos.heard == []
    assert cys.heard == [
        {"type": "writing", "room": room.pk, "member": ada.pk, "name": ada.get_short_name()}
    ]


def test_writing_is_told_once_in_three_seconds_and_only_by_who_may_write(
    as_member, silenced, as_ada, room, frames
):
    for _ in range(5):
        as_ada.post(f"/rooms/{room.pk}/writing/")
    assert len(frames) == 1
    assert as_member(silenced).post(f"/rooms/{room.pk}/writing/").status_code == 204
    assert len(frames) == 1


def test_whoever_blocked_somebody_is_not_here_for_them(room, ada, bo, mo):
    note_here(ada.pk)
    Block.objects.create(by=ada, of=bo, kind=Block.Kind.BLOCK)
    assert who_is_here(room, bo) == []
    assert who_is_here(room, mo) == [ada]


def test_who_was_asked_is_not_here_before_they_answer(ada, cy):
    pair = room_with([cy], by=ada)
    note_here(cy.pk)
    assert who_is_here(pair, ada) == []
    Place.objects.filter(room=pair, member=cy).update(state=Place.State.IN)
    assert who_is_here(pair, ada) == [cy]


# -- nobody outside ---------------------------------------------------------------------------


@pytest.fixture
def talk(ada, bo) -> Room:
    """A room of an open group, full of life."""
    group = make_group("lenses", name="Lenses", owner=ada)
    join(bo, group)
    room = open_room(group=group, name="Backroom", by=ada)
    for number in range(7):
        send_message(room=room, sender=bo, body=f"marrowstone {number}")
    note_here(ada.pk)
    room.refresh_from_db()
    return room


@pytest.mark.parametrize("who", ["guest", "outsider"])
def test_pages_tell_nobody_outside_that_a_room_is_busy(who, talk, ada, guest, as_cy):
    client = guest if who == "guest" else as_cy
    thread = make_thread(ada, talk.group)
    beside = room_beside(thread, by=ada)
    send_message(room=beside, sender=ada, body="marrowstone beside")

    for address in (
        *("/", "/groups/", "/g/lenses/", "/g/lenses/about/", "/g/lenses/members/"),
        *(thread.get_absolute_url(), "/members/ada/", "/members/"),
    ):
        page = client.get(address).content.decode()
        assert "marrowstone" not in page, address
        assert "Backroom" not in page, address
        assert f"/rooms/{talk.pk}/" not in page, address


@pytest.mark.parametrize(
    ("verb", "path"),
    [("get", "here/"), ("get", "after/?after=0"), ("get", "commands/"), ("get", "1/"),
     ("post", "writing/"), ("post", "read/"), ("get", ""), ("get", "about/")],
)  # fmt: skip
def test_addresses_of_a_room_tell_nobody_outside_that_it_is_there(verb, path, talk, as_cy):
    answer = getattr(as_cy, verb)(
        f"/rooms/{talk.pk}/{path}", {"seq": "1"} if verb == "post" else {}
    )
    nothing = getattr(as_cy, verb)(f"/rooms/{talk.pk + 999}/{path}")
    assert (answer.status_code, nothing.status_code) == (404, 404)
    assert "marrowstone" not in answer.content.decode()


def test_lists_of_rooms_know_nothing_of_rooms_one_left(as_bo, talk, bo):
    Place.objects.update_or_create(room=talk, member=bo, defaults={"level": "all", "read_seq": 0})
    assert "Backroom" in as_bo.get("/chat/").content.decode()
    leave_group(member=bo, group=talk.group)
    for address in ("/chat/", "/rooms/unread/", "/rooms/list/"):
        page = as_bo.get(address).content.decode()
        assert "Backroom" not in page
        assert "marrowstone" not in page
    assert unread.unread_in_chat(bo) == 0


def test_sockets_of_who_left_or_never_was_inside_are_told_nothing(
    talk, ada, bo, cy, frames, django_capture_on_commit_callbacks
):
    set_level(room=talk, member=bo, level="all")
    leave_group(member=bo, group=talk.group)
    frames.clear()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        send_message(room=talk, sender=ada, body="@bo and @cy, are you there?")
    told = {member for frame in frames for member in frame.get("members", ())}
    assert told == set()
    assert [frame["room"] for frame in frames if frame["type"] == "message"] == [talk.pk]
    assert "cy" not in json.dumps([frame for frame in frames if frame["type"] == "told"])
