"""Atom feeds: what they hold, for whom, and when nothing is sent again."""

from __future__ import annotations

import re
from datetime import datetime
from xml.etree import ElementTree

import pytest
from django.test import Client

from community.syndication import feeds
from community.tags.services import create_tag
from community.threads.editing import edit_post
from community.threads.hiding import hide_post
from community.threads.models import Post, Thread, ThreadTag
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db
SITE = "http://localhost:8000"
ATOM = "{http://www.w3.org/2005/Atom}"


def feed(client: Client, address: str) -> ElementTree.Element:
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)
    assert faults(root) == []
    return root


def faults(root: ElementTree.Element) -> list[str]:
    """What RFC 4287 asks for and is not there."""
    found = []
    for element in (root, *root.findall(f"{ATOM}entry")):
        found += [
            f"{element.tag}: {name}"
            for name in ("id", "title", "updated")
            if len(element.findall(f"{ATOM}{name}")) != 1
        ]
        for name in ("updated", "published"):
            for instant in element.findall(f"{ATOM}{name}"):
                assert datetime.fromisoformat(str(instant.text)).tzinfo
        links = [link.attrib["href"] for link in element.findall(f"{ATOM}link")]
        found += [address for address in links if not address.startswith(SITE)]
        if element is not root:
            found += [] if element.findtext(f"{ATOM}author/{ATOM}name") else ["author"]
    ids = [entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")]
    if len(set(ids)) != len(ids):
        found.append("an id twice")
    return found


def titles(root: ElementTree.Element) -> list[str | None]:
    return [entry.findtext(f"{ATOM}title") for entry in root.findall(f"{ATOM}entry")]


def test_the_sites_feed_holds_the_newest_threads_a_guest_may_read(
    guest, as_ada, ada, group, hidden_group
):
    for title in ("First", "Second & <third>"):
        make_thread(ada, group, title)
    make_thread(ada, hidden_group, "In the cellar")
    for client in (guest, as_ada):
        assert titles(feed(client, "/atom.xml")) == ["Second & <third>", "First"]


def test_an_entry_says_who_when_where_and_what(guest, ada, group, image=None):
    thread = make_thread(ada, group, "Worth it?", "See [this](/t/1/) and https://x.example/\n\n- a")
    root = feed(guest, "/g/film-cameras/atom.xml")
    entry = root.find(f"{ATOM}entry")
    assert entry is not None
    post = Post.objects.get(thread=thread)
    assert root.findtext(f"{ATOM}title") == "Film cameras · Shoal"
    assert entry.findtext(f"{ATOM}id") == f"{SITE}/p/{post.pk}/"
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.attrib["href"] == f"{SITE}{thread.get_absolute_url()}"
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Ada Quist"
    content = str(entry.findtext(f"{ATOM}content"))
    assert f'href="{SITE}/t/1/"' in content
    assert 'href="https://x.example/"' in content
    assert "<li>a</li>" in content


def test_what_xml_cannot_hold_does_not_break_a_feed(guest, ada, group):
    make_thread(ada, group, "A bell", "rings \x07 here \ufffe")
    Thread.objects.update(title="A \x0bbell")
    assert titles(feed(guest, "/atom.xml")) == ["A bell"]


def test_a_tags_feed_holds_what_carries_it_and_a_synonym_leads_there(
    guest, ada, group, hidden_group, keeper
):
    tag = create_tag(group=None, name="Film", by=keeper)
    for home in (group, hidden_group):
        thread = make_thread(ada, home, f"On film in {home.name}")
        ThreadTag.objects.create(thread=thread, tag=tag)
    make_thread(ada, group, "Something else")
    assert titles(feed(guest, "/tags/film/atom.xml")) == ["On film in Film cameras"]
    other = create_tag(group=None, name="Films", by=keeper)
    other.synonym_of = tag
    other.save()
    response = guest.get("/tags/films/atom.xml")
    assert (response.status_code, response["Location"]) == (301, "/tags/film/atom.xml")


def test_a_members_feed_holds_their_posts(guest, ada, bo, group, hidden_group):
    thread = make_thread(ada, group, "Worth it?")
    make_post(bo, thread, "Yes.")
    join(bo, hidden_group)
    make_post(bo, make_thread(ada, hidden_group, "In the cellar"), "Hush.")
    assert titles(feed(guest, "/members/bo/atom.xml")) == ["Re: Worth it?"]
    assert titles(feed(guest, "/members/ada/atom.xml")) == ["Worth it?"]
    assert guest.get("/members/BO/atom.xml")["Location"] == "/members/bo/atom.xml"


def test_hidden_groups_closed_accounts_and_unknown_names_have_none(guest, as_ada, cy, hidden_group):
    create_tag(group=hidden_group, name="Wine", by=hidden_group.memberships.get().member)
    cy.is_active = False
    cy.save()
    for path in ("/g/cellar", "/tags/wine", "/members/cy", "/g/no", "/tags/no", "/members/no"):
        for client in (guest, as_ada):
            assert client.get(f"{path}/atom.xml").status_code == 404


def test_what_is_hidden_leaves_the_feeds(guest, ada, bo, mo, group):
    thread = make_thread(ada, group, "Worth it?")
    hide_post(post=make_post(bo, thread, "Sells fakes."), by=mo, reason="Untrue")
    assert titles(feed(guest, "/members/bo/atom.xml")) == []
    hide_post(post=Post.objects.get(thread=thread, number=1), by=mo, reason="Spam")
    for path in ("/", "/g/film-cameras/", "/members/ada/"):
        assert titles(feed(guest, f"{path}atom.xml")) == []


def test_at_most_thirty_entries_in_a_fixed_number_of_queries(
    guest, db, django_assert_max_num_queries
):
    crowd = make_group("crowd")
    author = make_member("prolific")
    join(author, crowd)
    for number in range(33):
        make_thread(author, crowd, f"Thread {number}")
    with django_assert_max_num_queries(3):
        found = titles(feed(guest, "/g/crowd/atom.xml"))
    assert (len(found), found[0], found[-1]) == (30, "Thread 32", "Thread 3")


def test_who_has_it_already_is_sent_nothing(guest, ada, thread):
    first = guest.get("/atom.xml")
    again = guest.get("/atom.xml", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    since = guest.get("/atom.xml", headers={"If-Modified-Since": first["Last-Modified"]})
    assert since.status_code == 304
    edit_post(post=Post.objects.get(thread=thread), editor=ada, body="Other words")
    changed = guest.get("/atom.xml", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert b"Other words" in changed.content


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("/", "/atom.xml"),
        ("/g/film-cameras/", "/g/film-cameras/atom.xml"),
        ("/members/ada/", "/members/ada/atom.xml"),
    ],
)
def test_a_page_names_its_feed(guest, ada, page, address):
    html = guest.get(page).content.decode()
    named = re.findall(r'<link rel="alternate" type="application/atom\+xml"[^>]*href="(.*?)"', html)
    assert named == [address]
    assert guest.get(address).status_code == 200


# -- pages (RFC 5005) ---------------------------------------------------------------------------


def links(root: ElementTree.Element) -> dict[str, str]:
    found = {link.attrib["rel"]: link.attrib["href"] for link in root.findall(f"{ATOM}link")}
    return {rel: address.removeprefix(SITE) for rel, address in found.items()}


@pytest.mark.parametrize("path", ["/atom.xml", "/g/film-cameras/atom.xml", "/members/ada/atom.xml",
                                  "/tags/film/atom.xml"])  # fmt: skip
def test_a_feeds_pages_hold_each_entry_once_under_one_id(
    guest, ada, group, keeper, monkeypatch, path
):
    monkeypatch.setattr(feeds, "ENTRIES_MAX", 2)
    tag = create_tag(group=None, name="Film", by=keeper)
    for number in range(5):
        thread = make_thread(ada, group, f"Thread {number}")
        ThreadTag.objects.create(thread=thread, tag=tag)
    seen, address = [], path
    for at in range(3):
        root = feed(guest, address)
        said = links(root)
        seen += titles(root)
        assert root.findtext(f"{ATOM}id") == f"{SITE}{path}"
        assert said["self"] == address
        assert said.get("first") == (path if at else None)
        address = said.get("next", "")
    assert seen == [f"Thread {number}" for number in (4, 3, 2, 1, 0)]
    assert address == ""


def test_a_feed_of_exactly_a_page_has_no_next_one(guest, ada, group, monkeypatch):
    monkeypatch.setattr(feeds, "ENTRIES_MAX", 2)
    for number in range(2):
        make_thread(ada, group, f"Thread {number}")
    assert "next" not in links(feed(guest, "/atom.xml"))
    assert titles(feed(guest, "/atom.xml?before=nothing")) == ["Thread 1", "Thread 0"]
    assert titles(feed(guest, "/atom.xml?before=1")) == []
