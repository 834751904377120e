"""robots.txt and the sitemap: all a guest may read, nothing else, and when it last changed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from community.groups.models import JoinMode
from community.syndication import sitemaps
from community.tags.services import create_tag
from community.threads.hiding import hide_post
from community.threads.models import Post, Thread, ThreadEntry, ThreadTag
from tests.factories import make_post, make_thread

pytestmark = pytest.mark.django_db
SITE = "http://localhost:8000"
NAMES = {"s": sitemaps.NAMESPACE}


@pytest.fixture(autouse=True)
def nothing_kept():
    cache.clear()
    yield
    cache.clear()


def parts(client: Client) -> list[str]:
    root = ElementTree.fromstring(client.get("/sitemap.xml").content)
    return [str(one.text).removeprefix(SITE) for one in root.findall("s:sitemap/s:loc", NAMES)]


def addresses(client: Client) -> dict[str, str | None]:
    """Every address of the whole sitemap, with when it changed."""
    found: dict[str, str | None] = {}
    for part in parts(client):
        response = client.get(part)
        assert (response.status_code, response["Content-Type"]) == (
            200,
            "application/xml; charset=utf-8",
        )
        for url in ElementTree.fromstring(response.content).findall("s:url", NAMES):
            address = str(url.findtext("s:loc", namespaces=NAMES))
            assert address.startswith(f"{SITE}/")
            assert address not in found
            found[address.removeprefix(SITE)] = url.findtext("s:lastmod", namespaces=NAMES)
    return found


def test_it_names_what_a_guest_may_read_and_every_address_answers(
    guest, as_ada, ada, cy, group, hidden_group, keeper
):
    thread = make_thread(ada, group, "Worth it?")
    secret = make_thread(ada, hidden_group, "In the cellar")
    for name, home in (("Film", thread), ("Wine", secret)):
        ThreadTag.objects.create(thread=home, tag=create_tag(group=None, name=name, by=keeper))
    create_tag(group=None, name="Unused", by=keeper)
    for client in (guest, as_ada):
        found = set(addresses(client))
        assert found == {
            *("/", "/groups/", "/tags/", "/members/"),
            *("/g/film-cameras/", "/tags/film/", "/members/ada/", thread.get_absolute_url()),
        }
    assert {guest.get(address).status_code for address in found} == {200}


def test_hidden_threads_silent_members_and_closed_accounts_are_not_named(guest, ada, bo, mo, group):
    spam, kept = make_thread(bo, group, "Spam"), make_thread(ada, group, "Kept")
    hide_post(post=Post.objects.get(thread=spam), by=mo, reason="Spam")
    found = addresses(guest)
    assert kept.get_absolute_url() in found
    assert not {spam.get_absolute_url(), "/members/bo/", "/members/mo/"} & set(found)
    ada.is_active = False
    ada.save()
    cache.clear()
    assert "/members/ada/" not in addresses(guest)


def test_a_group_that_turns_hidden_leaves_at_once(guest, ada, thread, group):
    assert thread.get_absolute_url() in addresses(guest)
    group.join_mode = JoinMode.HIDDEN
    group.save()
    assert guest.get("/sitemaps/threads-0.xml").status_code == 404
    assert guest.get("/sitemaps/groups-0.xml").status_code == 404


def changed_at(client: Client, thread: Thread) -> datetime:
    said = addresses(client)[thread.get_absolute_url()]
    return datetime.fromisoformat(str(said))


def test_a_thread_changed_when_a_reader_could_last_see_it_change(guest, ada, bo, mo, group):
    long_ago = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
    thread = make_thread(ada, group, at=long_ago)
    untouched = make_thread(ada, group, "Untouched", at=long_ago)
    assert changed_at(guest, thread) == long_ago
    reply = make_post(bo, thread, at=long_ago + timedelta(days=1))
    assert changed_at(guest, thread) == long_ago + timedelta(days=1)
    Post.objects.filter(pk=reply.pk).update(edited_at=long_ago + timedelta(days=2))
    assert changed_at(guest, thread) == long_ago + timedelta(days=2)
    ThreadEntry.objects.create(
        thread=thread, verb="pin", by=mo, at=long_ago + timedelta(days=3), after_number=2
    )
    assert changed_at(guest, thread) == long_ago + timedelta(days=3)
    hide_post(post=reply, by=mo, reason="Untrue")
    assert timezone.now() - changed_at(guest, thread) < timedelta(minutes=1)
    assert changed_at(guest, untouched) == long_ago


def test_parts_are_ranges_of_ids_and_empty_ranges_have_none(
    guest, ada, mo, group, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(sitemaps, "PART_SIZE", 1)
    first, hidden, last = (make_thread(ada, group, title) for title in ("One", "Two", "Three"))
    hide_post(post=Post.objects.get(thread=hidden), by=mo, reason="Spam")
    assert [one for one in parts(guest) if "threads" in one] == [
        f"/sitemaps/threads-{thread.pk}.xml" for thread in (first, last)
    ]
    assert guest.get(f"/sitemaps/threads-{hidden.pk}.xml").status_code == 404
    with django_assert_max_num_queries(3):
        guest.get(f"/sitemaps/threads-{last.pk}.xml")


@pytest.mark.parametrize("name", ["threads-999999999999999999999", "secrets-0", "pages-1"])
def test_parts_that_there_are_not_are_not_found(guest, db, name):
    assert guest.get(f"/sitemaps/{name}.xml").status_code == 404


def test_robots_are_told_of_the_sitemap_and_kept_from_what_is_no_page(guest, db):
    text = guest.get("/robots.txt").content.decode()
    assert f"\nSitemap: {SITE}/sitemap.xml\n" in text
    closed = re.findall(r"^Disallow: (.+)$", text, re.MULTILINE)
    assert "/accounts/" in closed
    assert not [path for path in closed if "/t/1/x/".startswith(path) or "/g/x/".startswith(path)]


def test_asking_sets_no_cookie_and_costs_no_session(guest, db):
    for address in ("/robots.txt", "/sitemap.xml", "/atom.xml"):
        assert guest.get(address).cookies == {}
        assert "public" in guest.get(address)["Cache-Control"]
