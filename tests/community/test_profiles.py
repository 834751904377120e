"""Profiles: what others read about a member, and changing it."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as PillowImage

from commerce.merchants.services import open_shop
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Thread
from tests.factories import make_thread

pytestmark = pytest.mark.django_db


def photo() -> SimpleUploadedFile:
    out = io.BytesIO()
    PillowImage.new("RGB", (300, 200), "teal").save(out, "PNG")
    return SimpleUploadedFile("me.png", out.getvalue(), "image/png")


def test_a_profile_shows_posts_and_groups_to_a_guest(ada: Member, thread: Thread, guest: Client):
    page = guest.get("/members/ada/").content.decode()
    assert "Ada Quist" in page
    assert thread.title in page
    assert "Film cameras" in page
    assert ada.email not in page


def test_what_was_said_in_a_hidden_group_stays_there(
    ada: Member, hidden_group: Group, guest: Client, as_ada: Client
):
    make_thread(ada, hidden_group, title="Down in the cellar")
    for word in ("Down in the cellar", "Cellar"):
        assert word not in guest.get("/members/ada/").content.decode()
        assert word in as_ada.get("/members/ada/").content.decode()


def test_a_profile_says_whom_its_member_sells_for(ada: Member, bo: Member, guest: Client):
    open_shop(owner=ada, name="Shore Optical", disclosure="sells cameras.")
    page = guest.get("/members/ada/").content.decode()
    assert "/merchants/shore-optical/shop/" in page
    assert "sells cameras." in page
    assert "Shore Optical" not in guest.get("/members/bo/").content.decode()


def test_a_handle_in_capitals_leads_to_its_member(ada: Member, guest: Client):
    assert guest.get("/members/ADA/")["Location"] == "/members/ada/"
    assert guest.get("/members/nobody/").status_code == 404


def test_a_closed_account_has_no_page(ada: Member, guest: Client):
    Member.objects.filter(pk=ada.pk).update(is_active=False)
    assert guest.get("/members/ada/").status_code == 404


def test_posts_page_by_their_ids(ada: Member, group: Group, guest: Client):
    make_thread(ada, group, replies=19)
    first = guest.get("/members/ada/")
    second = guest.get(f"/members/ada/?before={first.context['before']}")
    rows = [*first.context["posts"], *second.context["posts"]]
    numbers = [post.number for post, _ in rows]
    assert numbers == list(range(20, 0, -1))
    assert second.context["before"] == ""


def test_settings_change_the_name_and_the_picture(as_ada: Client, ada: Member):
    answer = as_ada.post(
        "/settings/", {"name": "Ada  Q.", "place": "Leith", "bio": "Lenses.", "picture": photo()}
    )
    assert answer.status_code == 302
    ada.refresh_from_db()
    assert (ada.name, ada.place, ada.bio) == ("Ada Q.", "Leith", "Lenses.")
    assert ada.avatar is not None
    assert as_ada.get(ada.avatar.get_absolute_url()).status_code == 200


def test_bad_settings_keep_what_was_typed(as_ada: Client, ada: Member):
    broken = SimpleUploadedFile("me.png", b"not a picture", "image/png")
    answer = as_ada.post("/settings/", {"name": "Ada", "bio": "Typed.", "picture": broken})
    assert answer.status_code == 422
    assert "Typed." in answer.content.decode()
    assert "Only JPEG, PNG, WEBP and GIF" in answer.content.decode()
    ada.refresh_from_db()
    assert ada.bio == ""


def test_a_guest_has_no_settings(guest: Client):
    assert guest.get("/settings/")["Location"] == "/accounts/login/?next=/settings/"
