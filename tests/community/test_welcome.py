"""The first visit: three steps one can skip, leave and come back to, offered once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from community.chat.models import Message
from community.groups.models import Group, Interest, JoinMode, JoinRequest, Membership
from community.members.models import Member
from community.tags.models import Tag
from community.threads.models import Post, Thread, ThreadTag
from moderation.sanctions.services import silence
from tests.factories import join, make_group, make_member, make_thread

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_limits() -> None:
    """Sign-ups of other tests are not counted against these."""
    cache.clear()


@pytest.fixture
def nina(db: None) -> Member:
    return make_member("nina", name="Nina New", trust_level=0, onboarded_at=None)


@pytest.fixture
def as_nina(nina: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(nina)


@pytest.fixture
def repair(db: None) -> Interest:
    return Interest.objects.get_or_create(
        slug="repair", defaults={"name": "Repairing things", "glyph": "🔧"}
    )[0]


def sign_up(client: Client, next_page: str = "") -> str:
    """Sign up, confirm the address, and return where that leads."""
    client.post(
        "/accounts/signup/",
        {
            "email": "new@shoal.example",
            "username": "newbie",
            "password1": "a very long word",
            **({"next": next_page} if next_page else {}),
        },
    )
    link = re.search(r"/accounts/confirm-email/[^\s]+", str(mail.outbox[-1].body))
    assert link is not None
    return str(client.post(link[0])["Location"])


def test_signing_up_leads_to_the_first_step_once(guest: Client, group: Group):
    assert sign_up(guest) == "/welcome/"
    assert guest.get("/welcome/")["Location"] == "/welcome/interests/"
    again = Client()
    answer = again.post("/accounts/login/", {"login": "newbie", "password": "a very long word"})
    assert answer["Location"] == "/"


def test_who_signs_up_from_a_thread_comes_back_to_it_and_is_offered_the_rest(
    guest: Client, thread: Thread
):
    address = thread.get_absolute_url()
    assert sign_up(guest, address) == address
    page = guest.get(address).content.decode()
    assert "in three short steps" in page
    guest.post("/welcome/done/", {"next": address})
    assert "in three short steps" not in guest.get(address).content.decode()


def test_interests_are_kept_and_lead_to_groups(as_nina: Client, nina: Member, repair: Interest):
    page = as_nina.get("/welcome/interests/").content.decode()
    assert "Repairing things" in page
    answer = as_nina.post("/welcome/interests/", {"interest": ["repair", "never-was"]})
    assert answer["Location"] == "/welcome/groups/"
    assert list(nina.interests.all()) == [repair]
    assert as_nina.get("/welcome/")["Location"] == "/welcome/groups/"


def test_groups_that_share_interests_come_first(as_nina: Client, nina: Member, repair: Interest):
    small, large = make_group("small"), make_group("large")
    for _ in range(3):
        join(make_member(), large)
    small.interests.add(repair)
    nina.interests.add(repair)
    offered = as_nina.get("/welcome/groups/").context["groups"]
    assert [one.slug for one in offered] == ["small", "large"]
    assert [one.shared for one in offered] == [1, 0]


def test_what_cannot_be_joined_is_not_offered(as_nina: Client, hidden_group: Group, group: Group):
    make_group("invited", join_mode=JoinMode.INVITE)
    offered = [one.slug for one in as_nina.get("/welcome/groups/").context["groups"]]
    assert offered == ["film-cameras"]
    as_nina.post("/welcome/groups/", {"group": ["cellar", "invited"]})
    assert not Membership.objects.filter(member__handle="nina").exists()


def test_groups_are_joined_or_asked(as_nina: Client, nina: Member, group: Group):
    make_group("asked", join_mode=JoinMode.REQUEST)
    answer = as_nina.post("/welcome/groups/", {"group": ["film-cameras", "asked"]})
    assert answer["Location"] == "/welcome/hello/"
    assert list(nina.memberships.values_list("group__slug", flat=True)) == ["film-cameras"]
    assert JoinRequest.objects.get().group.slug == "asked"


def test_hello_goes_to_the_chat_of_a_group(as_nina: Client, nina: Member, group: Group):
    join(nina, group)
    answer = as_nina.post("/welcome/hello/", {"place": group.pk, "body": "Hello, I am Nina."})
    assert answer["Location"] == f"/chat/{group.slug}/"
    assert Message.objects.get().body == "Hello, I am Nina."
    nina.refresh_from_db()
    assert nina.onboarded_at is not None


def test_hello_goes_to_the_thread_of_introductions_where_there_is_one(
    as_nina: Client, nina: Member, ada: Member, group: Group
):
    join(nina, group)
    thread = make_thread(ada, group, title="Who are you?")
    tag = Tag.objects.create(slug="introductions", name="introductions")
    ThreadTag.objects.create(thread=thread, tag=tag)
    assert "In “Who are you?” of Film cameras" in as_nina.get("/welcome/hello/").content.decode()
    answer = as_nina.post("/welcome/hello/", {"place": group.pk, "body": "Nina, with an Optra."})
    post = Post.objects.get(author=nina)
    assert post.thread == thread
    assert answer["Location"] == post.place


def test_a_refused_hello_keeps_its_words(
    as_nina: Client, nina: Member, group: Group, keeper: Member
):
    join(nina, group)
    silence(member=nina, by=keeper, reason="Spam.")
    answer = as_nina.post("/welcome/hello/", {"place": group.pk, "body": "My first words"})
    assert answer.status_code == 403
    assert "My first words" in answer.content.decode()
    assert "Spam." in answer.content.decode()
    assert as_nina.post("/welcome/hello/", {"place": group.pk, "body": ""}).status_code == 422


def test_hello_is_not_said_where_one_is_not(as_nina: Client, nina: Member, group: Group):
    answer = as_nina.post("/welcome/hello/", {"place": group.pk, "body": "Hello"})
    assert answer.status_code == 422
    assert not Message.objects.exists()


def test_every_step_can_be_skipped(as_nina: Client, nina: Member, group: Group):
    for step, after in (("interests", "groups"), ("groups", "hello")):
        assert f'href="/welcome/{after}/"' in as_nina.get(f"/welcome/{step}/").content.decode()
    assert as_nina.post("/welcome/done/")["Location"] == "/"
    nina.refresh_from_db()
    first = nina.onboarded_at
    assert first is not None
    assert as_nina.get("/welcome/")["Location"] == "/"
    as_nina.post("/welcome/done/")
    nina.refresh_from_db()
    assert nina.onboarded_at == first


def test_it_is_over_by_a_form_only_and_leads_nowhere_else(as_nina: Client, nina: Member):
    assert as_nina.get("/welcome/done/").status_code == 405
    answer = as_nina.post("/welcome/done/", {"next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_a_guest_is_sent_to_sign_in(guest: Client):
    for step in ("", "interests/", "groups/", "hello/"):
        assert guest.get(f"/welcome/{step}")["Location"].startswith("/accounts/login/")


def test_who_was_here_before_is_offered_nothing(as_ada: Client):
    assert "in three short steps" not in as_ada.get("/").content.decode()
