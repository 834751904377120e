"""The list, its badge, and the page where members choose what to hear of."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from community.chat.consumers import LiveConsumer
from community.chat.hub import Hub, hub
from community.groups.models import Group
from community.members.models import Member
from community.notifications.models import (
    Channel,
    ChannelChoice,
    Kind,
    Notification,
    Preferences,
)
from community.notifications.services import notify
from community.threads.models import Thread
from tests.factories import make_post
from tests.outbox import run_outbox
from tests.sockets import SocketClient, in_a_loop_of_its_own

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_earned")]


@pytest.fixture
def told(ada: Member, bo: Member, thread: Thread) -> Notification:
    """Ada was told of a reply."""
    make_post(bo, thread)
    run_outbox()
    return Notification.objects.get(member=ada)


def badge(page: str) -> str:
    """What the bell says, with the words for screen readers."""
    found = re.search(r"<notice-count[^>]*>(.*?)</notice-count>", page, re.S)
    assert found is not None
    return re.sub(r"<[^>]+>", "", found[1]).strip()


# -- the badge --------------------------------------------------------------------------------


def test_every_page_of_a_member_says_how_much_is_unread(as_ada: Client, told: Notification):
    assert badge(as_ada.get("/").content.decode()) == "1 unread"
    as_ada.post("/notifications/read")
    page = as_ada.get("/").content.decode()
    assert badge(page) == ""
    assert re.search(r"<notice-count[^>]* hidden>", page)


def test_a_guest_has_no_bell(guest: Client, thread: Thread):
    assert "<notice-count" not in guest.get("/").content.decode()
    assert guest.get("/notifications/").status_code == 302


def test_the_badge_costs_no_query_of_its_own(as_ada: Client, told: Notification):
    with CaptureQueriesContext(connection) as queries:
        as_ada.get("/nothing-here/")
    asking = [each["sql"] for each in queries if "community_notification" in each["sql"]]
    assert len(asking) == 1
    assert 'FROM "community_group"' in asking[0]


def test_who_is_in_no_group_has_a_badge_too(as_cy: Client, cy: Member):
    notify(member=cy, kind=Kind.BADGE, key="badge:1", details={"badge": "First steps"})
    assert badge(as_cy.get("/").content.decode()) == "1 unread"


def test_more_than_ninety_nine_are_not_counted_out(as_ada: Client, ada: Member):
    for number in range(101):
        notify(member=ada, kind=Kind.BADGE, key=f"badge:{number}")
    assert badge(as_ada.get("/").content.decode()) == "99+ unread"


def test_the_piece_a_live_page_asks_for_is_the_inside_of_the_badge(
    as_ada: Client, told: Notification
):
    piece = as_ada.get("/notifications/badge").content.decode()
    assert piece.strip() == '1<span class="vh"> unread</span>'


def test_news_reaches_the_members_own_sockets_alone(ada: Member, bo: Member):
    class Socket:
        language, closing = "en", False

        def __init__(self, member: Member) -> None:
            self.member, self.heard = member, []  # type: ignore[var-annotated]

        def offer(self, text: str) -> None:
            self.heard.append(json.loads(text))

    apart, adas, bos = Hub(), Socket(ada), Socket(bo)
    apart._ensure_listening = lambda: None  # type: ignore[method-assign]
    apart._ensure_guarded = lambda: None  # type: ignore[method-assign]
    apart.meet(adas)  # type: ignore[arg-type]
    apart.meet(bos)  # type: ignore[arg-type]
    apart.deliver(json.dumps({"type": "told", "members": [ada.pk, 987_654]}).encode())
    assert adas.heard == [{"type": "told", "of": "news"}]  # and not to whom else it was said
    assert bos.heard == []
    apart.part(adas)  # type: ignore[arg-type]
    apart.part(bos)  # type: ignore[arg-type]
    assert apart.members == {}


@pytest.mark.django_db(transaction=True)
@in_a_loop_of_its_own
async def test_an_open_page_hears_of_news_without_asking_for_a_room(
    ada: Member, bo: Member, thread: Thread
):
    socket = SocketClient(LiveConsumer.as_asgi(), ada)
    assert await socket.connect() is None
    for _ in range(100):
        if hub.live:
            break
        assert (await socket.hear())["type"] in ("live", "told")

    def reply() -> None:
        make_post(bo, thread)
        run_outbox()

    await database_sync_to_async(reply)()
    assert await socket.hear() == {"type": "told", "of": "news"}
    await socket.leave()


# -- the list ---------------------------------------------------------------------------------


def test_the_list_says_what_happened_latest_first(as_ada: Client, ada: Member, told: Notification):
    notify(member=ada, kind=Kind.BADGE, key="badge:1", details={"badge": "First steps"})
    page = as_ada.get("/notifications/").content.decode()
    assert page.index("You earned the badge “First steps”") < page.index("Bo Lind replied to you")
    assert "Yes, if the rangefinder patch is clean." in page
    assert page.count('<li class="notice" data-unread>') == 2


def test_the_list_costs_the_same_queries_however_long_it_is(
    as_ada: Client, ada: Member, bo: Member, thread: Thread
):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_ada.get("/notifications/").status_code == 200
        return len(queries)

    for number in range(2):
        make_post(bo, thread, f"Reply {number}")
    run_outbox()
    few = cost()
    for number in range(10):
        make_post(bo, thread, f"More {number}")
    run_outbox()
    assert cost() == few <= 6


def test_only_unread_are_listed_when_asked_for(as_ada: Client, ada: Member, told: Notification):
    notify(member=ada, kind=Kind.BADGE, key="badge:1", details={"badge": "First steps"})
    as_ada.get(told.get_absolute_url())
    page = as_ada.get("/notifications/?show=unread").content.decode()
    assert "First steps" in page
    assert "Bo Lind replied" not in page


def test_the_list_goes_on_page_by_page_without_leaving_one_out(as_ada: Client, ada: Member):
    for number in range(65):
        notify(
            member=ada, kind=Kind.BADGE, key=f"badge:{number}", details={"badge": f"No{number}."}
        )
    seen: list[str] = []
    address = "/notifications/"
    for _ in range(3):
        page = as_ada.get(address).content.decode()
        seen += re.findall(r"“(No\d+\.)”</a>", page)
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        address = f"/notifications/{onward[1]}" if onward else ""
    assert address == ""
    assert seen == [f"No{number}." for number in reversed(range(65))]


def test_following_one_marks_it_read_and_leads_to_its_post(as_ada: Client, told: Notification):
    response = as_ada.get(told.get_absolute_url())
    assert response.status_code == 302
    assert told.post is not None
    assert response["Location"] == told.post.get_absolute_url()
    told.refresh_from_db()
    assert told.read_at is not None


def test_a_browser_that_peeks_marks_nothing(as_ada: Client, told: Notification):
    as_ada.get(told.get_absolute_url(), headers={"Sec-Purpose": "prefetch;prerender"})
    told.refresh_from_db()
    assert told.read_at is None


@pytest.mark.parametrize("way", ["follow", "read", "unread"])
def test_anothers_notification_is_nobodys(
    as_bo: Client, as_cy: Client, told: Notification, way: str
):
    address = told.get_absolute_url()
    for client in (as_bo, as_cy):
        if way == "follow":
            answer = client.get(address)
        else:
            answer = client.post(f"{address}read", {"_method": "delete"} if way == "unread" else {})
        assert answer.status_code == 404
    told.refresh_from_db()
    assert told.read_at is None


def test_one_is_marked_read_and_unread_by_forms(as_ada: Client, told: Notification):
    back = {"next": "/notifications/?show=unread"}
    assert as_ada.post(f"{told.get_absolute_url()}read", back)["Location"] == back["next"]
    told.refresh_from_db()
    assert told.read_at is not None
    as_ada.post(f"{told.get_absolute_url()}read", {"_method": "delete"})
    told.refresh_from_db()
    assert told.read_at is None


def test_what_somebody_is_called_is_words_in_the_list(
    as_ada: Client, bo: Member, told: Notification
):
    Member.objects.filter(pk=bo.pk).update(name="<b>Bo</b>")
    assert "<b>Bo</b>" not in as_ada.get("/notifications/").content.decode()


# -- preferences ------------------------------------------------------------------------------


def chosen(**changes: Any) -> dict[str, Any]:
    boxes = {f"{kind}-{channel}": "on" for kind in Kind.values for channel in Channel.values}
    rest = {
        "email_when": "away",
        "digest": "never",
        "time_zone": "UTC",
        "quiet_from": "",
        "quiet_until": "",
    }
    return {
        name: value for name, value in {**boxes, **rest, **changes}.items() if value is not None
    }


def test_choices_are_kept_and_shown_again(as_ada: Client, ada: Member):
    response = as_ada.post(
        "/settings/notifications/",
        chosen(
            **{"mention-email": None, "reaction-push": None},
            email_when="always",
            digest="week",
            time_zone="Asia/Shanghai",
            quiet_from="22:00",
            quiet_until="07:30",
        ),
    )
    assert response.status_code == 302
    row = Preferences.objects.get(member=ada)
    assert (row.email_when, row.digest) == ("always", "week")
    assert str(row.quiet_from) == "22:00:00"
    assert row.digest_due_at is not None
    assert (row.digest_due_at.hour, row.digest_due_at.weekday()) == (0, 0)  # 8:00 in Shanghai
    kept = {
        (each.kind, each.channel): each.wanted for each in ChannelChoice.objects.filter(member=ada)
    }
    assert kept[("mention", "email")] is False
    assert ("reaction", "push") not in kept  # as by default
    assert kept[("reaction", "email")] is True
    page = as_ada.get("/settings/notifications/").content.decode()
    assert 'name="mention-push" id="id_mention-push" checked' in page
    assert 'name="mention-email" id="id_mention-email">' in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"quiet_from": "22:00"}, "Give both times, or none."),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "Quiet hours end at another time"),
        ({"quiet_from": "noon", "quiet_until": "07:00"}, "Enter a valid time."),
        ({"time_zone": "Mars/Base"}, "Select a valid choice."),
        ({"digest": "hourly"}, "Select a valid choice."),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(
    as_ada: Client, ada: Member, changes: dict[str, str], says: str
):
    response = as_ada.post("/settings/notifications/", chosen(**changes))
    assert response.status_code == 422
    assert says in response.content.decode()
    assert not Preferences.objects.filter(member=ada).exists()


def test_a_zone_somebody_kept_that_no_list_names_can_be_kept(as_ada: Client, ada: Member):
    Member.objects.filter(pk=ada.pk).update(time_zone="Etc/GMT+3")
    answer = as_ada.post("/settings/notifications/", chosen(time_zone="Etc/GMT+3"))
    assert answer.status_code == 302


def test_the_settings_lead_to_preferences(as_ada: Client, group: Group):
    assert "/settings/notifications/" in as_ada.get("/settings/").content.decode()


@pytest.mark.parametrize("address", ["/notifications/", "/settings/notifications/"])
def test_no_reader_of_these_pages_is_a_guest(guest: Client, address: str):
    assert guest.get(address)["Location"].startswith("/accounts/login/")
