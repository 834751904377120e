"""A member's own copy: what is in it and what is not, who gets it, and a worker that dies."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client, TestCase
from django.utils import timezone, translation
from django.utils.translation import gettext

from commerce.orders.models import Order
from community.bookmarks.services import keep_bookmark
from community.chat.keeping import describe_room
from community.chat.messages import edit_message, toggle_message_reaction
from community.chat.models import Room
from community.chat.places import read_to
from community.chat.rooms import leave_room, open_room, room_of, room_with
from community.chat.services import send_message
from community.drafts.services import save_draft
from community.events import ExportReady
from community.groups.models import Group
from community.groups.services import leave_group
from community.members.models import Member
from community.notifications.context import unread_count
from community.notifications.delivery import send_due
from community.notifications.models import Channel, Kind, Notification, PushSubscription
from community.notifications.services import mark_read
from community.privacy import exporting
from community.privacy.archives import Place, adding_to
from community.privacy.errors import BeingMade, TooSoon
from community.privacy.exporting import (
    ask_for_export,
    forget_expired,
    forget_export,
    make,
    path_of,
)
from community.privacy.handlers import tell_of_export
from community.privacy.models import Export, ExportState
from community.privacy.tasks import make_export
from community.reactions.services import toggle_reaction
from community.threads.editing import edit_post
from community.threads.models import Post, Thread
from config.models import OutboxEvent
from tests.factories import PASSWORD, make_post, make_thread
from tests.factories_commerce import make_image, make_merchant
from tests.outbox import run_outbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PRIVATE_ROOT = tmp_path / "private"


def made_for(member: Member) -> Export:
    export = ask_for_export(member)
    assert make(export.pk)
    export.refresh_from_db()
    assert export.state == ExportState.READY
    return export


def opened(export: Export) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(path_of(export))
    assert archive.testzip() is None
    return archive


def chat_of(ada: Member, bo: Member, group: Group) -> None:
    """Two people among themselves, and signs given."""
    pair = room_with([bo], by=ada)
    asked = send_message(room=pair, sender=bo, body="When, in secret?")
    toggle_message_reaction(message=asked, by=ada, name="heart")
    said = send_message(room=pair, sender=ada, body="Half past sven", reply_to=asked)
    edit_message(message=said, body="Half past seven", by=ada)


def rows(export: Export, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(opened(export).read(f"{name}.json"))
    return found


def confirmed(client: Client) -> Client:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


# -- what is in it ----------------------------------------------------------------------------


def test_the_copy_holds_what_the_member_wrote_and_did(ada: Member, bo: Member, group: Group):
    thread = make_thread(ada, group, "Grüße", "Größe — 大小")
    theirs = make_post(bo, thread, "Secret words of Bo")
    mine = make_post(ada, thread, "First words", reply_to=theirs)
    # Others read the first words: they are kept.
    edit_post(post=mine, editor=ada, body="Second words", reason="Better")
    send_message(room=room_of(group), sender=ada, body="Said in chat")
    send_message(room=room_of(group), sender=bo, body="Bo said in chat")
    chat_of(ada, bo, group)
    toggle_reaction(post=theirs, member=ada, name="heart")
    keep_bookmark(member=ada, post=theirs, note="read again")
    save_draft(member=ada, target=f"thread:{thread.pk}", body="Unfinished", sequence=1)
    image = make_image(ada)
    now = timezone.now()
    order = Order.objects.create(
        merchant=make_merchant(),
        external_id="A-1",
        placed_at=now,
        version_at=now,
        currency="GBP",
        total_minor=900,
        buyer_member=ada,
    )
    export = made_for(ada)
    assert [row["body"] for row in rows(export, "posts")] == ["Größe — 大小", "Second words"]
    assert rows(export, "posts")[1]["in_reply_to"] == theirs.pk
    assert [row["body"] for row in rows(export, "revisions")] == ["First words"]
    assert [row["reason"] for row in rows(export, "edits")] == ["Better"]
    assert [row["title"] for row in rows(export, "threads")] == ["Grüße"]
    ours = Room.objects.get(kind="direct")
    assert [row["body"] for row in rows(export, "messages")] == ["Said in chat", "Half past seven"]
    said = rows(export, "messages")[1]
    assert (said["group"], said["room"], said["number"]) == (None, ours.pk, 2)
    assert (said["answers"], said["edited_at"] is None) == (1, False)
    assert [row["body"] for row in rows(export, "message_revisions")] == ["Half past sven"]
    assert [(row["room"], row["people"]) for row in rows(export, "rooms")] == [(ours.pk, ["bo"])]
    assert [row["name"] for row in rows(export, "message_reactions")] == ["heart"]
    assert [row["room"] for row in rows(export, "rooms_opened")] == [ours.pk]
    assert [row["name"] for row in rows(export, "reactions")] == ["heart"]
    assert [row["note"] for row in rows(export, "bookmarks")] == ["read again"]
    assert [row["body"] for row in rows(export, "drafts")] == ["Unfinished"]
    assert [row["group"] for row in rows(export, "groups")] == [group.slug]
    assert [row["email"] for row in rows(export, "email_addresses")] == [ada.email]
    (bought,) = rows(export, "orders")
    assert (bought["number"], bought["total_minor"]) == (order.external_id, 900)
    assert bought["placed_at"] == now.isoformat().replace("+00:00", "Z")
    (picture,) = rows(export, "pictures")
    assert opened(export).read(picture["file"]) == image.file.read() == b"full"
    assert rows(export, "votes") == []


def test_what_a_room_is_called_is_for_those_who_are_in_it(
    ada: Member, bo: Member, mo: Member, group: Group
):
    people, swaps = room_with([bo, ada], by=mo), open_room(group=group, name="Swaps", by=mo)
    describe_room(room=people, name="The three", topic="", by=mo)
    for room in (people, swaps):
        read_to(room=room, member=ada, seq=0)
        read_to(room=room, member=bo, seq=0)
    leave_room(room=people, member=bo)
    leave_group(group=group, member=bo)
    describe_room(room=people, name="What became of bo", topic="", by=mo)
    assert [row["name"] for row in rows(made_for(ada), "rooms")] == ["What became of bo", "Swaps"]
    assert [row["name"] for row in rows(made_for(bo), "rooms")] == ["", ""]


def test_others_and_secrets_are_left_out(ada: Member, bo: Member, group: Group):
    thread = make_thread(bo, group, "Bo's thread", "Words of Bo")
    make_post(ada, thread, "Hello @bo", reply_to=thread.posts.get())
    PushSubscription.objects.create(
        member=ada, endpoint="https://push.example/capability", p256dh="key-p", auth="key-a"
    )
    archive = opened(made_for(ada))
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for word in ("Words of Bo", bo.email, "capability", "key-p", "key-a", ada.password):
        assert word not in everything, word
    assert "push.example" in everything


def test_words_somebody_else_put_into_a_wiki_post_are_theirs(
    ada: Member, bo: Member, mo: Member, group: Group
):
    post = make_post(ada, make_thread(ada, group), "Mine")
    Post.objects.filter(pk=post.pk).update(is_wiki=True)
    for editor, body in ((bo, "Bo's words"), (ada, "Mine again"), (bo, "Bo's again")):
        post.refresh_from_db()
        edit_post(post=post, editor=editor, body=body, reason="so")
    assert [row["body"] for row in rows(made_for(ada), "revisions")] == ["Mine", "Mine again"]


def test_keys_are_described_in_the_archive(ada: Member):
    archive = opened(made_for(ada))
    about = json.loads(archive.read("about.json"))
    described = set(about["files"])
    assert described == {
        name for name in archive.namelist() if name.endswith(".json") and name != "about.json"
    }
    for name in described:
        for row in json.loads(archive.read(name)):
            assert set(row) == set(about["files"][name]["keys"])
    assert about["left_out"]["moderation.AuditEntry.actor"]
    assert "@ada" in archive.read("README.txt").decode()


def test_the_readme_speaks_the_members_language(ada: Member):
    Member.objects.filter(pk=ada.pk).update(language="zh-hans")
    says = opened(made_for(ada)).read("README.txt").decode()
    assert "@ada" in says and "about.json" in says
    assert "This is what" not in says


# -- how it is made ---------------------------------------------------------------------------


def test_many_posts_are_written_in_parts(
    ada: Member, thread: Thread, monkeypatch: pytest.MonkeyPatch
):
    for number in range(12):
        make_post(ada, thread, f"Number {number} " + "x" * 400)
    monkeypatch.setattr(exporting, "SLICE_BYTES", 2_000)
    export = made_for(ada)
    names = [name for name in opened(export).namelist() if name.startswith("posts")]
    assert names == ["posts.json", "posts-2.json", "posts-3.json", "posts-4.json"]
    parts = [json.loads(opened(export).read(name)) for name in names]
    written = [row["id"] for part in parts for row in part]
    assert written == list(
        Post.objects.filter(author=ada).order_by("pk").values_list("pk", flat=True)
    )
    assert export.done == export.total


def test_a_worker_that_dies_at_any_slice_leaves_the_rest_to_the_next(
    ada: Member, thread: Thread, monkeypatch: pytest.MonkeyPatch
):
    make_image(ada)
    whole = made_for(ada)
    expected = {name: opened(whole).getinfo(name).CRC for name in opened(whole).namelist()}
    Export.objects.all().delete()
    export = ask_for_export(ada)
    real_save, slices = Export.save, 0

    def dying(self: Export, **kwargs: Any) -> None:
        nonlocal slices
        real_save(self, **kwargs)
        if "update_fields" not in kwargs:
            slices += 1
            if slices % 2:
                raise RuntimeError("It died with its part on disk and nothing committed.")

    monkeypatch.setattr(Export, "save", dying)
    for turn in range(200):
        with time_machine.travel(timezone.now() + timedelta(minutes=2 * turn), tick=True):
            make(export.pk)
        export.refresh_from_db()
        if export.state == ExportState.READY:
            break
    assert slices > 80
    archive = opened(export)
    assert len(archive.namelist()) == len(set(archive.namelist()))
    found = {name: archive.getinfo(name).CRC for name in archive.namelist()}
    changing = {"about.json", "exports.json"}
    assert {n: c for n, c in found.items() if n not in changing} == {
        n: c for n, c in expected.items() if n not in changing
    }


@pytest.mark.parametrize("torn", [1, 30, 90, 200])
def test_an_archive_torn_at_any_byte_is_mended(tmp_path: Path, torn: int):
    path, place = tmp_path / "export.zip", Place()
    with adding_to(path, place) as archive:
        archive.writestr("a.txt", b"a" * 300)
    known = Place(place.size, place.index_at)
    with adding_to(path, Place(known.size, known.index_at)) as archive:
        archive.writestr("b.txt", b"b" * 500)
    with path.open("rb+") as file:  # the second slice was never committed, and half of it lost
        file.truncate(known.index_at + torn)
    with adding_to(path, known) as archive:
        archive.writestr("c.txt", b"c")
    with zipfile.ZipFile(path) as whole:
        assert whole.namelist() == ["a.txt", "c.txt"]
        assert whole.testzip() is None
    assert len(list(tmp_path.iterdir())) == 2


def test_a_slice_that_always_fails_ends_the_export(ada: Member, monkeypatch: pytest.MonkeyPatch):
    export = ask_for_export(ada)
    monkeypatch.setattr(exporting, "_add", lambda *args: 1 / 0)
    for turn in range(6):
        with time_machine.travel(timezone.now() + timedelta(minutes=2 * turn), tick=True):
            make(export.pk)
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    ask_for_export(ada)


def test_one_copy_at_a_time_and_not_too_often(ada: Member):
    export = ask_for_export(ada)
    with pytest.raises(BeingMade):
        ask_for_export(ada)
    make(export.pk)
    with pytest.raises(TooSoon):
        ask_for_export(ada)
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        second = ask_for_export(ada)
    assert list(Export.objects.values_list("pk", flat=True)) == [second.pk]


def test_the_member_is_told_once_on_the_site_and_by_letter_when_the_copy_is_ready(
    as_ada: Client, ada: Member
):
    export = made_for(ada)
    told = OutboxEvent.objects.get(kind=ExportReady.kind)
    assert told.payload == {"export_id": str(export.pk)}
    run_outbox()
    tell_of_export(ExportReady(export_id=str(export.pk)))
    row = Notification.objects.get(member=ada)
    assert (row.kind, unread_count(ada)) == (Kind.EXPORT, 1)
    says = "The copy of your data is ready: you can fetch it now"
    assert says in as_ada.get("/notifications/").content.decode()
    assert as_ada.get(row.get_absolute_url())["Location"] == "/settings/data/"
    mark_read(row, read=False)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert send_due(Channel.EMAIL) == 1
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == ([ada.email], says)
    assert f"/notifications/{row.pk}/" in letter.body


def test_what_files_and_keys_mean_is_said_in_the_members_language(ada: Member):
    Member.objects.filter(pk=ada.pk).update(language="zh-hans")
    about = json.loads(opened(made_for(ada)).read("about.json"))
    with translation.override("zh-hans"):
        assert about["files"]["trust_levels.json"] == {
            "about": gettext("How your trust level changed."),
            "keys": {
                "before": gettext("from"),
                "after": gettext("to"),
                "at": gettext("when"),
                "reason": gettext("why"),
            },
        }
    assert about["files"]["trust_levels.json"]["about"] != "How your trust level changed."


def test_of_a_copy_that_is_gone_nobody_is_told(ada: Member):
    export = made_for(ada)
    forget_export(export)
    run_outbox()
    assert not Notification.objects.filter(kind=Kind.EXPORT).exists()


# -- who gets it ------------------------------------------------------------------------------


def test_the_member_fetches_it_as_an_attachment(as_ada: Client, ada: Member):
    export = made_for(ada)
    answer = confirmed(as_ada).get(f"/settings/data/copy/{export.pk}/")
    assert answer.status_code == 200
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "application/zip"
    day = export.asked_at.date().isoformat()
    assert answer["Content-Disposition"] == f'attachment; filename="shoal-ada-{day}.zip"'
    assert "no-store" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
    body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert "posts.json" in zipfile.ZipFile(io.BytesIO(body)).namelist()


def test_nobody_else_gets_it(ada: Member, as_bo: Client, as_ada: Client, guest: Client):
    path = f"/settings/data/copy/{made_for(ada).pk}/"
    assert confirmed(as_bo).get(path).status_code == 404
    assert guest.get(path).status_code == 302
    assert as_ada.get(path)["Location"].startswith("/accounts/reauthenticate/")


def test_after_its_week_it_is_gone(as_ada: Client, ada: Member):
    export = made_for(ada)
    path = path_of(export)
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        assert confirmed(as_ada).get(f"/settings/data/copy/{export.pk}/").status_code in (302, 404)
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert forget_expired() == 1
    assert not path.parent.exists()
    assert not Export.objects.exists()


def test_folders_without_a_row_go(ada: Member, settings: Any):
    export = made_for(ada)
    stray = Path(settings.PRIVATE_ROOT) / "exports" / "stray"
    stray.mkdir()
    assert forget_expired() == 0
    assert not stray.exists()
    assert path_of(export).exists()


def test_the_page_says_how_far_it_is(as_ada: Client, ada: Member):
    confirmed(as_ada)
    assert as_ada.post("/settings/data/copy/")["Location"] == "/settings/data/"
    page = as_ada.get("/settings/data/").content.decode()
    assert 'hx-trigger="every 2s"' in page
    export = Export.objects.get()
    Export.objects.filter(pk=export.pk).update(done=3, total=12)
    piece = as_ada.get("/settings/data/copy/progress/").content.decode()
    assert "3 of 12 things so far" in piece
    assert as_ada.post("/settings/data/copy/").status_code == 409
    make(export.pk)
    piece = as_ada.get("/settings/data/copy/progress/").content.decode()
    assert "Your copy is ready" in piece
    assert "hx-get" not in piece


def test_asking_hands_it_to_a_worker(ada: Member, monkeypatch: pytest.MonkeyPatch):
    sent: list[str] = []
    monkeypatch.setattr(make_export, "delay", sent.append)
    export = ask_for_export(ada)
    run_outbox()
    assert sent == [str(export.pk)]
    assert exporting.due() == [export.pk]


def test_a_copy_whose_file_is_lost_is_not_found(as_ada: Client, ada: Member):
    export = made_for(ada)
    shutil.rmtree(path_of(export).parent)
    assert confirmed(as_ada).get(f"/settings/data/copy/{export.pk}/").status_code == 404
