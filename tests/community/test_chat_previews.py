"""Links in messages: which get a card, how pages are fetched for them, and who sees them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from community.chat.handlers import note_links_of_edit, note_links_of_sent
from community.chat.messages import delete_message, edit_message
from community.chat.models import LinkPreview, Message, MessageLink, Room
from community.chat.opengraph import Said, read_page, tidy
from community.chat.previews import claim_next, fetch_due, fetch_preview, links_in, normal
from community.chat.rooms import room_of, room_with
from community.chat.services import send_message
from community.chat.tasks import fetch_previews
from community.events import MessageEdited, MessageSent
from community.groups.models import Group
from community.members.models import Member
from community.uploads.models import Image
from config import outgoing
from config.outgoing import Fetched, Forbidden, Unreachable
from tests.factories import make_thread
from tests.outbox import run_outbox
from tests.webserver import PUBLIC, Web, web

pytestmark = pytest.mark.django_db

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>Not this</title>
<meta property="og:title" content="Rangefinders &amp; friends">
<meta name="description" content="How a patch is cleaned.">
<meta property="og:site_name" content="The Bench">
<meta property="og:image" content="/bench.jpg">
</head><body>Words</body></html>"""


def jpeg(size: tuple[int, int] = (320, 200)) -> bytes:
    out = io.BytesIO()
    PillowImage.new("RGB", size, "teal").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.SITE_URL = "https://shoal.example"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with web(monkeypatch) as served:
        served.page("bench.example/patch", PAGE)
        served.page("bench.example/bench.jpg", jpeg(), kind="image/jpeg")
        yield served


@pytest.fixture
def room(group: Group) -> Room:
    return room_of(group)


def say(room: Room, sender: Member, body: str) -> Message:
    message = send_message(room=room, sender=sender, body=body)
    note_links_of_sent(MessageSent(message_id=message.pk))
    message.refresh_from_db()
    return message


def fetch_all() -> int:
    return fetch_due(until=lambda: False)


def shown(client: Client, message: Message) -> str:
    address = f"/rooms/{message.room_id}/after/?only={message.seq}"
    return str(client.get(address).json()["messages"][0]["html"])


# -- the whole way ----------------------------------------------------------------------------


def test_a_link_gets_a_card_with_our_own_copy_of_the_picture(site, ada, room, as_bo):
    message = say(room, ada, "See http://bench.example/patch#top for it.")
    assert "link-card" not in shown(as_bo, message)
    assert fetch_all() == 1
    preview = LinkPreview.objects.get()
    assert (preview.state, preview.title) == ("ready", "Rangefinders & friends")
    assert (preview.description, preview.site_name) == ("How a patch is cleaned.", "The Bench")
    assert preview.image is not None
    assert (preview.image.owner, preview.image.is_confined) == (None, True)
    html = shown(as_bo, message)
    assert (
        '<a class="link-card" href="http://bench.example/patch" rel="nofollow ugc noopener">'
        in (html)
    )
    assert "Rangefinders &amp; friends" in html
    assert preview.image.thumbnail_url in html
    assert site.asked == ["bench.example/patch", "bench.example/bench.jpg"]


def test_open_pages_hear_of_the_card_by_the_messages_change(site, ada, room, as_bo):
    message = say(room, ada, "http://bench.example/patch")
    before = as_bo.get(f"/rooms/{room.pk}/after/?after={message.seq}&change=0").json()
    fetch_all()
    told = as_bo.get(f"/rooms/{room.pk}/after/?after={message.seq}&change={before['change']}")
    assert [one["seq"] for one in told.json()["changed"]] == [message.seq]
    assert "link-card" in told.json()["changed"][0]["html"]


def test_workers_note_the_links_and_fetch_what_is_due(site, ada, room):
    send_message(room=room, sender=ada, body="http://bench.example/patch")
    run_outbox()
    fetch_previews()
    assert LinkPreview.objects.get().state == "ready"


def test_a_preview_known_already_is_shown_with_the_next_message(site, ada, room, as_bo):
    say(room, ada, "http://bench.example/patch")
    fetch_all()
    second = say(room, ada, "Again: http://bench.example/patch")
    assert "link-card" in shown(as_bo, second)
    assert (fetch_all(), LinkPreview.objects.count()) == (0, 1)
    assert second.change > 0


def test_the_picture_of_a_preview_is_seen_by_who_may_read_the_message(
    site, ada, bo, as_bo, as_cy, guest
):
    say(room_with([bo], by=ada), ada, "Only you: http://bench.example/patch")
    fetch_all()
    image = Image.objects.get()
    assert as_bo.get(image.thumbnail_url).status_code == 200
    assert as_cy.get(image.thumbnail_url).status_code == 404
    assert guest.get(image.thumbnail_url).status_code == 404


def test_a_window_of_messages_takes_as_many_queries_with_cards_as_without(
    site, ada, group, room, as_bo, django_assert_num_queries
):
    say(room, ada, "Nothing.")
    as_bo.get(f"/rooms/{room.pk}/after/?after=0")
    with CaptureQueriesContext(connection) as bare:
        as_bo.get(f"/rooms/{room.pk}/after/?after=0")
    for _ in range(5):
        say(room, ada, "http://bench.example/patch")
    fetch_all()
    with django_assert_num_queries(len(bare)):
        html = str(as_bo.get(f"/rooms/{room.pk}/after/?after=0").json())
    assert html.count("link-card") == 5


# -- which links ------------------------------------------------------------------------------


def test_three_links_of_a_message_have_previews(ada, room):
    message = say(room, ada, " ".join(f"https://site-{n}.example/" for n in range(5)))
    assert list(message.links.values_list("preview__url", flat=True)) == [
        f"https://site-{n}.example/" for n in range(3)
    ]


def test_of_a_message_full_of_links_that_lead_nowhere_twenty_are_looked_up(
    ada, room, django_assert_max_num_queries
):
    text = " ".join(f"[x](/t/{n}/)" for n in range(900_000, 900_120))
    message = send_message(room=room, sender=ada, body=text)
    with django_assert_max_num_queries(20 + 10):
        note_links_of_sent(MessageSent(message_id=message.pk))
    assert not message.links.exists()


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("HTTPS://Shop.Example:443/a?b=C#d", "https://shop.example/a?b=C"),
        ("http://shop.example", "http://shop.example/"),
        ("http://shop.example:80/", "http://shop.example/"),
        ("http://shop.example:8080/", "http://shop.example:8080/"),
        ("http://shop.example./x", "http://shop.example/x"),
        ("http://[2001:DB8::1]/", "http://[2001:db8::1]/"),
        ("http://ada:secret@shop.example/", ""),
        ("mailto:ada@shop.example", ""),
        ("http://shop.example:99999/", ""),
        ("http://shop.example/" + "a" * 2_000, ""),
    ],
)
def test_one_page_is_one_address(written, stored):
    assert normal(written) == stored


@given(st.text(max_size=60))
def test_an_address_once_normal_stays_as_it_is(text):
    address = normal(f"http://{text}")
    assert address == "" or normal(address) == address


def test_links_are_read_from_what_was_rendered_and_mentions_are_none(ada, bo, room):
    message = send_message(
        room=room, sender=ada, body="@bo `https://a.example/` https://b.example/?x=1&y=2"
    )
    assert links_in(message.html) == ["/members/bo/", "https://b.example/?x=1&y=2"]


def test_links_of_newcomers_are_limited_in_chat_too(newcomer, room, as_member):
    answer = as_member(newcomer).post(
        f"/rooms/{room.pk}/messages/", {"body": "https://never-seen.example/"}
    )
    assert answer.status_code == 422
    assert not LinkPreview.objects.exists()


def test_noting_links_twice_changes_nothing(ada, room):
    message = say(room, ada, "https://a.example/ https://b.example/")
    rows = list(message.links.values_list("pk", "preview__due_at"))
    note_links_of_sent(MessageSent(message_id=message.pk))
    assert list(message.links.values_list("pk", "preview__due_at")) == rows


def test_an_edit_takes_links_away_and_brings_others(site, ada, room, as_bo):
    message = say(room, ada, "http://bench.example/patch")
    fetch_all()
    edit_message(message=message, body="https://b.example/", by=ada)
    note_links_of_edit(MessageEdited(message_id=message.pk))
    assert list(message.links.values_list("preview__url", flat=True)) == ["https://b.example/"]
    assert "link-card" not in shown(as_bo, message)


def test_a_deleted_message_shows_no_card(site, ada, room, as_bo):
    message = say(room, ada, "http://bench.example/patch")
    fetch_all()
    delete_message(message=message, by=ada)
    assert "link-card" not in shown(as_bo, message)


def test_the_sender_removes_previews_for_good(site, ada, room, as_ada, as_bo):
    message = say(room, ada, "http://bench.example/patch")
    fetch_all()
    address = f"/rooms/{room.pk}/{message.seq}/previews/"
    assert address in as_ada.get(f"/rooms/{room.pk}/{message.seq}/").content.decode()
    assert as_bo.post(address).status_code == 403
    assert "link-card" in shown(as_bo, message)
    assert as_ada.post(address).status_code == 302
    assert "link-card" not in shown(as_bo, message)
    edit_message(message=message, body="Still http://bench.example/patch", by=ada)
    note_links_of_edit(MessageEdited(message_id=message.pk))
    assert "link-card" not in shown(as_bo, message)
    image = Image.objects.get()
    assert as_bo.get(image.thumbnail_url).status_code == 404


# -- threads of ours --------------------------------------------------------------------------


def test_a_thread_of_ours_has_a_card_without_a_request(site, ada, room, group, as_bo):
    thread = make_thread(ada, group, title="Which film?", replies=2)
    post = thread.posts.get(number=2)
    message = say(room, ada, f"https://shoal.example/p/{post.pk}/")
    html = shown(as_bo, message)
    assert f'href="/t/{thread.pk}/"' in html
    assert "Which film?" in html
    assert "Film cameras · 2 replies" in html
    assert (fetch_all(), site.reached, LinkPreview.objects.count()) == (0, [], 0)
    other = say(
        room, ada, f"https://shoal.example{thread.get_absolute_url()} and [it](/t/{thread.pk}/)"
    )
    assert shown(as_bo, other).count("link-card") == 1


def test_a_hidden_groups_thread_has_a_card_in_its_own_rooms_alone(
    ada, bo, room, hidden_group, as_ada, as_bo
):
    thread = make_thread(ada, hidden_group, title="In the cellar")
    inside = say(room_of(hidden_group), ada, f"https://shoal.example/t/{thread.pk}/")
    assert "In the cellar" in shown(as_ada, inside)
    outside = say(room, ada, f"https://shoal.example/t/{thread.pk}/")
    assert "In the cellar" not in shown(as_bo, outside)
    among_two = say(room_with([bo], by=ada), ada, f"https://shoal.example/t/{thread.pk}/")
    assert "In the cellar" not in shown(as_bo, among_two)


def test_a_thread_hidden_afterwards_loses_its_card(ada, room, thread, as_bo):
    message = say(room, ada, f"https://shoal.example/t/{thread.pk}/")
    assert "link-card" in shown(as_bo, message)
    thread.is_listed = False
    thread.save()
    assert "link-card" not in shown(as_bo, message)


def test_other_pages_of_ours_are_not_asked_for(site, ada, room, settings):
    settings.OLD_HOSTS = ["old.example"]
    say(room, ada, "https://shoal.example/settings/ https://old.example/x /members/bo/ /nowhere")
    assert (LinkPreview.objects.count(), MessageLink.objects.count()) == (0, 0)


# -- fetching ---------------------------------------------------------------------------------


def preview_of(url: str = "http://bench.example/patch", **fields: object) -> LinkPreview:
    fields.setdefault("due_at", timezone.now() - timedelta(seconds=1))
    fields.setdefault("asked_at", timezone.now() - timedelta(days=1))
    return LinkPreview.objects.create(url=url, url_hash=url[-64:], host="bench.example", **fields)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://inside.example/",
        "http://bench.example:8000/",
        "http://turning.example/",
    ],
)
def test_a_forbidden_address_is_refused_with_its_reason_and_shows_nothing(
    site, ada, room, as_bo, url
):
    site.name("inside.example", "10.0.0.7")
    site.page("turning.example/", status=301, headers={"Location": "http://169.254.169.254/"})
    message = say(room, ada, url)
    fetch_all()
    preview = LinkPreview.objects.get()
    assert preview.state == "refused"
    assert preview.why in ("That is not a public address.", "Only the usual ports are reached.")
    assert set(site.reached) <= {PUBLIC}
    assert "link-card" not in shown(as_bo, message)


def test_a_picture_at_a_forbidden_address_is_left_out(site, ada, room):
    site.page("bench.example/p", PAGE.replace("/bench.jpg", "http://169.254.169.254/a.jpg"))
    say(room, ada, "http://bench.example/p")
    fetch_all()
    preview = LinkPreview.objects.get()
    assert (preview.state, preview.image) == ("ready", None)
    assert site.reached == [PUBLIC]


@pytest.mark.parametrize(
    "body",
    [b"\xff\xd8\xff" + b"\0" * 500, b"<svg xmlns='http://www.w3.org/2000/svg'/>", jpeg((1, 1))],
    ids=["broken", "svg", "counts visits"],
)
def test_a_picture_that_is_none_is_left_out(site, ada, room, body):
    site.page("bench.example/bench.jpg", body, kind="image/jpeg")
    say(room, ada, "http://bench.example/patch")
    fetch_all()
    assert (LinkPreview.objects.get().state, Image.objects.count()) == ("ready", 0)


def test_a_link_to_a_picture_shows_it_under_its_name(site, ada, room):
    say(room, ada, "http://bench.example/bench.jpg")
    fetch_all()
    preview = LinkPreview.objects.get()
    assert (preview.title, preview.site_name) == ("bench.jpg", "bench.example")
    assert preview.image is not None


@pytest.mark.parametrize(
    ("state", "age", "fetched"),
    [
        ("ready", timedelta(days=6), 0),
        ("ready", timedelta(days=8), 1),
        ("nothing", timedelta(hours=23), 0),
        ("nothing", timedelta(hours=25), 1),
        ("refused", timedelta(hours=23), 0),
        ("refused", timedelta(hours=25), 1),
    ],
)
def test_what_is_known_is_asked_for_again_after_a_week_and_what_is_not_after_a_day(
    site, ada, room, state, age, fetched
):
    say(room, ada, "http://bench.example/patch")
    LinkPreview.objects.update(state=state, due_at=None, fetched_at=timezone.now() - age)
    say(room, ada, "http://bench.example/patch")
    assert fetch_all() == fetched


def test_a_site_that_is_away_keeps_what_it_said(site, ada, room):
    say(room, ada, "http://bench.example/patch")
    fetch_all()
    site.page("bench.example/patch", status=503)
    old = timezone.now() - timedelta(days=8)
    LinkPreview.objects.update(fetched_at=old, due_at=timezone.now(), asked_at=old)
    fetch_all()
    preview = LinkPreview.objects.get()
    assert (preview.state, preview.title) == ("ready", "Rangefinders & friends")
    assert preview.due_at is None
    assert preview.fetched_at is not None
    # Stale by then, so that the next link asks again, but not before tomorrow.
    assert (
        timedelta(days=5, hours=23)
        < timezone.now() - preview.fetched_at
        < timedelta(days=6, hours=1)
    )


def test_the_same_picture_again_is_kept_once(site, ada, room, tmp_path):
    say(room, ada, "http://bench.example/patch")
    fetch_all()
    image, change = Image.objects.get(), Message.objects.get().change
    LinkPreview.objects.update(due_at=timezone.now(), asked_at=timezone.now() - timedelta(days=8))
    fetch_all()
    assert Image.objects.get() == image
    assert Message.objects.get().change == change  # nothing to draw anew


def test_one_worker_takes_an_address_and_another_only_after_its_lease():
    preview = preview_of()
    assert claim_next() == preview
    assert claim_next() is None
    LinkPreview.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert claim_next() is None  # the same host was asked a moment ago
    LinkPreview.objects.update(asked_at=timezone.now() - timedelta(seconds=3))
    taken = claim_next()
    assert taken is not None
    assert taken.tries == 2


def test_a_host_is_asked_once_in_two_seconds():
    first = preview_of("http://bench.example/1")
    second = preview_of("http://bench.example/2")
    assert [claim_next(), claim_next()] == [first, None]
    LinkPreview.objects.filter(pk=first.pk).update(asked_at=timezone.now() - timedelta(seconds=3))
    assert claim_next() == second


@pytest.mark.django_db(transaction=True)
def test_workers_that_race_take_an_address_once_and_a_host_one_at_a_time():
    for number in range(6):
        url = f"http://host-{number % 2}.example/{number}"
        preview_of(url)
        LinkPreview.objects.filter(url=url).update(host=f"host-{number % 2}.example")

    def take(_: int) -> LinkPreview | None:
        try:
            return claim_next()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = [one for one in pool.map(take, range(16)) if one is not None]
    # A machine that is slow enough lets a host be asked again after its two seconds.
    assert len({one.pk for one in taken}) == len(taken) >= 2
    at = sorted((one.host, one.asked_at) for one in taken)
    waits = [b - a for (host, a), (same, b) in pairwise(at) if host == same]
    assert all(wait > timedelta(seconds=2) for wait in waits)


def test_a_page_that_kills_its_worker_is_given_up_after_three_tries(monkeypatch):
    preview = preview_of(tries=4)
    monkeypatch.setattr(outgoing, "fetch", lambda *_args, **_options: pytest.fail("asked again"))
    fetch_preview(preview)
    preview.refresh_from_db()
    assert (preview.state, preview.due_at) == ("nothing", None)
    assert preview.why == "It could not be read in three tries."


@pytest.mark.parametrize(
    ("error", "state"), [(Forbidden("Not that."), "refused"), (Unreachable("Away."), "nothing")]
)
def test_why_nothing_is_shown_is_kept(monkeypatch, error, state):
    def fails(*_args: object, **_options: object) -> Fetched:
        raise error

    monkeypatch.setattr(outgoing, "fetch", fails)
    preview = preview_of()
    fetch_preview(preview)
    preview.refresh_from_db()
    assert (preview.state, preview.why) == (state, str(error))


# -- reading a page ---------------------------------------------------------------------------


def read(text: str, charset: str = "") -> Said:
    return read_page(text.encode(), url="https://bench.example/a/b", charset=charset)


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("<title> A\n page </title>", "A page"),
        ("<meta content='Turned round' property=og:title>", "Turned round"),
        ('<meta name="twitter:title" content="Short"><title>Long</title>', "Short"),
        ('<meta property="og:title" content=""><title>Other</title>', "Other"),
        ('<META PROPERTY="OG:TITLE" CONTENT="Loud">', "Loud"),
        ('<meta property="og:title" content="a > b">', "a > b"),
        ("<body><title>Too late</title>", ""),
        ("", ""),
        ("<title>" + "a" * 500, "a" * 199 + "…"),
    ],
)
def test_the_title_of_a_page(head, title):
    assert read(head).title == title


def test_letters_that_turn_the_text_round_are_left_out():
    assert tidy("safe\u202egpj.exe\x00\u2066!", 80) == "safe gpj.exe !"
    assert tidy("&lt;b&gt; &amp;amp;", 80) == "<b> &amp;"


def test_a_title_is_text_and_never_markup(site, ada, room, as_bo):
    site.page("bench.example/x", "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>")
    message = say(room, ada, "http://bench.example/x")
    fetch_all()
    html = shown(as_bo, message)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize(
    ("image", "address"),
    [
        ("/x.jpg", "https://bench.example/x.jpg"),
        ("x.jpg?a=1&amp;b=2", "https://bench.example/a/x.jpg?a=1&b=2"),
        ("//cdn.example/x.jpg", "https://cdn.example/x.jpg"),
        ("data:image/png;base64,AAAA", ""),
        ("javascript:alert(1)", ""),
        ("http://[broken", ""),
    ],
)
def test_the_picture_of_a_page(image, address):
    assert read(f'<meta property="og:image" content="{image}">').image == address


@pytest.mark.parametrize(
    ("body", "said", "title"),
    [
        ("<title>Größe</title>".encode("latin-1"), "iso-8859-1", "Größe"),
        ('<meta charset="latin-1"><title>Größe</title>'.encode("latin-1"), "", "Größe"),
        ("<title>Größe</title>".encode(), "no-such-charset", "Größe"),
        (b"<title>\xff\xfe</title>", "utf-8", "��"),
    ],
)
def test_pages_in_other_charsets(body, said, title):
    assert read_page(body, url="https://a.example/", charset=said).title == title


def test_a_charset_that_is_none_of_the_web_is_not_tried():
    """Python decodes punycode in a time that grows with the square: a megabyte held a worker."""
    page = b"<title>Patch</title>-" + b"a" * 900_000
    for said in ("punycode", "idna", "unicode_escape", "undefined"):
        assert read_page(page, url="https://a.example/", charset=said).title == "Patch"


@pytest.mark.parametrize(
    "piece",
    [
        "<meta ",
        '<meta "',
        "<meta a='",
        "<title>",
        "<title ",
        "<!--",
        "<![CDATA[",
        '<meta content="',
    ],
)
def test_reading_takes_time_with_the_length_alone(piece):
    """Counted in doublings: quadratic work would take 16 times as long for 4 times the text."""
    import time

    def seconds(size: int) -> float:
        text = (piece * (size // len(piece))).encode()
        best = 60.0
        for _ in range(3):
            began = time.process_time()
            read_page(text, url="https://a.example/")
            best = min(best, time.process_time() - began)
        return best

    assert seconds(400_000) < 9 * seconds(100_000) + 0.05


@given(st.text(max_size=300))
def test_reading_never_fails(text):
    said = read(f"<head><meta property='og:image' content='{text}'><title>{text}</title>")
    assert len(said.title) <= 200
