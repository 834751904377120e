"""Pictures in chat: seen by those who may read a message that shows them, and by nobody else."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Q
from django.test import Client
from PIL import Image as PillowImage

from community.chat.messages import delete_message, edit_message, hide_message, restore_message
from community.chat.models import Message, MessageImage, Room
from community.chat.rooms import leave_room, room_of, room_with
from community.chat.services import send_message
from community.groups.models import Group
from community.members.models import Member
from community.uploads import models as uploads
from community.uploads.models import Image
from community.uploads.reencode import Encoded
from community.uploads.services import save_image, store
from tests.factories import make_thread

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def jpeg() -> bytes:
    out = io.BytesIO()
    PillowImage.new("RGB", (40, 30), "teal").save(out, "JPEG")
    return out.getvalue()


def file(name: str = "a.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, jpeg(), "image/jpeg")


def a_picture(owner: Member, *, is_confined: bool = True, group: Group | None = None) -> Image:
    encoded = Encoded(width=40, height=30, full=b"full", thumbnail=b"small")
    return store(owner=owner, group=group, encoded=encoded, is_confined=is_confined)


def say(room: Room, sender: Member, image: Image, words: str = "Look:") -> Message:
    return send_message(room=room, sender=sender, body=f"{words} {image.markdown}")


@pytest.fixture
def among_two(ada: Member, bo: Member) -> Room:
    return room_with([bo], by=ada)


def statuses(image: Image, *clients: Client) -> list[int]:
    return [client.get(image.thumbnail_url).status_code for client in clients]


def test_a_picture_among_two_is_seen_by_these_two(
    ada, among_two, as_ada, as_bo, as_cy, as_mo, guest
):
    image = a_picture(ada)
    say(among_two, ada, image)
    assert statuses(image, as_ada, as_bo, as_cy, as_mo, guest) == [200, 200, 404, 404, 404]
    for client in (as_cy, guest):
        assert client.get(image.get_absolute_url()).status_code == 404


def test_a_twin_without_the_rule_shows_it_to_everybody(ada, among_two, as_cy, guest):
    image = a_picture(ada, is_confined=False)
    say(among_two, ada, image)
    Image.objects.update(is_confined=False)  # as it would be without the rule
    assert statuses(image, as_cy, guest) == [200, 200]


def test_a_twin_whose_audience_asks_for_the_row_alone_shows_it_to_outsiders(
    ada, among_two, as_cy, monkeypatch
):
    image = a_picture(ada)
    say(among_two, ada, image)
    assert statuses(image, as_cy) == [404]
    monkeypatch.setattr(uploads, "AUDIENCES", [lambda _member: Q(in_messages__isnull=False)])
    assert statuses(image, as_cy) == [200]


def test_before_it_is_sent_it_is_its_owners_alone(ada, as_ada, as_bo):
    image = a_picture(ada)
    assert statuses(image, as_ada, as_bo) == [200, 404]


def test_a_hidden_messages_picture_is_its_senders_alone(ada, mo, group, as_ada, as_bo, as_mo):
    image = a_picture(ada)
    message = say(room_of(group), ada, image)
    assert statuses(image, as_bo, as_mo) == [200, 200]
    hide_message(message=message, by=mo, reason="Not here.")
    assert statuses(image, as_ada, as_bo, as_mo) == [200, 404, 404]
    restore_message(message=message, by=mo)
    assert statuses(image, as_bo) == [200]
    delete_message(message=message, by=ada)
    assert statuses(image, as_bo) == [404]


def test_a_picture_edited_out_of_a_message_is_no_longer_seen(ada, among_two, as_bo):
    image = a_picture(ada)
    message = say(among_two, ada, image)
    edit_message(message=message, body="Never mind.", by=ada)
    assert statuses(image, as_bo) == [404]


def test_whoever_left_the_room_sees_it_no_longer(ada, bo, cy, among_two, as_cy):
    room = room_with([bo, cy], by=ada)
    room.places.update(state="in")
    image = a_picture(ada)
    say(room, ada, image)
    assert statuses(image, as_cy) == [200]
    leave_room(room=room, member=cy)
    assert statuses(image, as_cy) == [404]


def test_a_picture_brought_for_everybody_is_confined_by_the_message(ada, among_two, guest):
    image = a_picture(ada, is_confined=False)
    assert statuses(image, guest) == [200]
    say(among_two, ada, image)
    assert statuses(image, guest) == [404]


def test_a_picture_that_a_post_shows_stays_as_open_as_the_post(ada, group, among_two, guest):
    image = a_picture(ada, is_confined=False, group=group)
    make_thread(ada, group, body=f"Here: {image.markdown}")
    say(among_two, ada, image)
    assert statuses(image, guest) == [200]


def test_a_post_that_shows_a_confined_picture_lets_it_out_to_its_group(
    ada, hidden_group, among_two, as_bo, as_cy
):
    image = a_picture(ada)
    make_thread(ada, hidden_group, body=f"Here: {image.markdown}")
    image.refresh_from_db()
    assert (image.is_confined, image.group) == (False, hidden_group)
    assert statuses(image, as_cy) == [404]


def test_somebody_elses_confined_picture_cannot_be_put_into_a_message(ada, bo, group, as_bo):
    image = a_picture(ada)
    message = say(room_of(group), bo, image)
    assert "<img" not in message.html
    assert not MessageImage.objects.exists()
    assert statuses(image, as_bo) == [404]


def test_caches_between_us_and_a_reader_do_not_keep_it(ada, among_two, as_bo, as_cy):
    image = a_picture(ada)
    say(among_two, ada, image)
    answer = as_bo.get(image.thumbnail_url)
    assert answer["Cache-Control"] == "private, max-age=600"
    stale = {"If-None-Match": answer["ETag"]}
    assert as_bo.get(image.thumbnail_url, headers=stale).status_code == 304
    assert as_cy.get(image.thumbnail_url, headers=stale).status_code == 404


def test_seeing_a_picture_of_a_message_takes_so_many_queries(
    ada, among_two, as_bo, django_assert_num_queries
):
    image = a_picture(ada)
    say(among_two, ada, image)
    with django_assert_num_queries(4):  # session, member, not everybody's, may they
        as_bo.get(image.thumbnail_url)


# -- sending ----------------------------------------------------------------------------------


def test_uploads_for_chat_are_confined(as_ada, group):
    told = as_ada.post(
        "/uploads/", {"picture": file(), "alt": "A boat", "for": "chat", "group": group.slug}
    )
    assert told.status_code == 201
    image = Image.objects.get(pk=told.json()["id"])
    assert (image.is_confined, image.group) == (True, None)


@pytest.mark.parametrize("words", ["Look at this", ""])
def test_a_form_sends_a_picture_with_or_without_words(words, ada, group, as_ada):
    room = room_of(group)
    answer = as_ada.post(
        f"/rooms/{room.pk}/messages/",
        {"body": words, "picture": file(), "picture_alt": "A boat"},
    )
    assert answer.status_code == 302
    message = Message.objects.get()
    image = Image.objects.get()
    assert (image.owner, image.is_confined) == (ada, True)
    assert message.body == (f"{words}\n\n" if words else "") + f"![A boat](image:{image.pk})"
    assert f'src="{image.thumbnail_url}"' in message.html


def test_a_script_gets_the_message_with_its_picture(group, as_ada):
    answer = as_ada.post(
        f"/rooms/{room_of(group).pk}/messages/",
        {"body": "", "picture": file(), "client_key": str(uuid4())},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 201
    assert "<img" in answer.json()["html"]


def test_neither_words_nor_a_picture_is_nothing_said(group, as_ada):
    room = room_of(group)
    answer = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": " "})
    assert answer.status_code == 422
    assert "Write something first." in answer.content.decode()


def test_what_is_no_picture_is_refused_and_the_words_stay(group, as_ada):
    room = room_of(group)
    svg = SimpleUploadedFile("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")
    answer = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "My words", "picture": svg})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Only JPEG, PNG, WEBP and GIF pictures are taken." in page
    assert "My words" in page
    assert not Message.objects.exists()


def test_who_may_not_write_there_brings_no_picture(mo, group, as_ada):
    room = room_of(group)
    Room.objects.filter(pk=room.pk).update(writers=Room.Writers.MODERATORS)
    answer = as_ada.post(f"/rooms/{room.pk}/messages/", {"body": "", "picture": file()})
    assert answer.status_code == 403
    assert not Image.objects.exists()


def test_newcomers_show_one_picture_in_a_message(newcomer, group, as_member):
    first, second = a_picture(newcomer), a_picture(newcomer)
    room, client = room_of(group), as_member(newcomer)
    body = f"{first.markdown} {second.markdown}"
    refused = client.post(f"/rooms/{room.pk}/messages/", {"body": body})
    assert refused.status_code == 422
    assert "at most 1 picture" in refused.content.decode()
    assert client.post(f"/rooms/{room.pk}/messages/", {"body": first.markdown}).status_code == 302


def test_a_confined_picture_counts_among_those_of_the_hour(ada, monkeypatch):
    monkeypatch.setattr("community.uploads.services.IMAGES_PER_HOUR", 1)
    save_image(owner=ada, group=None, file=io.BytesIO(jpeg()), is_confined=True)
    with pytest.raises(Exception, match="enough pictures"):
        save_image(owner=ada, group=None, file=io.BytesIO(jpeg()), is_confined=True)
