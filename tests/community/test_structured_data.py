"""Pages as search engines read them: thread pages as data, canonical addresses, what is listed."""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from community.templatetags.findable import FOUND
from community.threads.editing import edit_post
from community.threads.hiding import hide_post
from community.threads.models import Post
from community.threads.services import lock_thread
from tests.factories import make_post, make_thread

pytestmark = pytest.mark.django_db
SITE = "http://localhost:8000"

BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


def data_of(client: Client, address: str) -> dict[str, dict[str, Any]]:
    """What the page says of itself, by type."""
    html = client.get(address).content.decode()
    return {
        said["@type"]: said for text in BLOCK.findall(html) for said in json.loads(text)["@graph"]
    }


def faults(said: dict[str, Any], where: str = "posting") -> list[str]:
    """What Google's rules for forum postings and comments find wrong."""
    found = []
    author = said.get("author", {})
    if author.get("@type") not in ("Person", "Organization") or not author.get("name"):
        found.append(f"{where}: author")
    addresses = [author.get("url"), said.get("url"), *said.get("image", [])]
    found += [f"{where}: {one}" for one in addresses if not str(one).startswith("http")]
    for name in ("datePublished", "dateModified"):
        if name == "datePublished" or name in said:
            try:
                assert datetime.fromisoformat(said[name]).tzinfo
            except (AssertionError, KeyError, ValueError):
                found.append(f"{where}: {name}")
    if not any(said.get(name) for name in ("text", "image", "video")):
        found.append(f"{where}: neither text nor picture")
    for counter in said.get("interactionStatistic", []):
        right = counter["@type"] == "InteractionCounter" and counter["userInteractionCount"] >= 0
        if not right or not counter["interactionType"].startswith("https://schema.org/"):
            found.append(f"{where}: counter")
    if said["@type"] == "DiscussionForumPosting":
        found += [f"{where}: {name}" for name in ("headline", "isPartOf") if not said.get(name)]
    elif said["@type"] != "Comment":
        found.append(f"{where}: type")
    for number, comment in enumerate(said.get("comment", [])):
        found += faults(comment, f"comment {number}")
    return found


def crumb_faults(said: dict[str, Any]) -> list[str]:
    steps = said["itemListElement"]
    found = [f"step {n}" for n, step in enumerate(steps, 1) if step["position"] != n]
    found += [step["name"] for step in steps[:-1] if not step["item"].startswith("http")]
    return found + ["name" for step in steps if not step["name"]]


def test_a_threads_page_holds_what_google_asks_of_a_forum(guest, ada, bo, group):
    thread = make_thread(ada, group, "Is it worth it?", "Prices have **doubled**.")
    reply = make_post(bo, thread, "Yes & no: <b>look</b> at the patch.")
    said = data_of(guest, thread.get_absolute_url())
    posting = said["DiscussionForumPosting"]
    assert faults(posting) == []
    assert crumb_faults(said["BreadcrumbList"]) == []
    assert posting["headline"] == "Is it worth it?"
    assert posting["url"] == f"{SITE}{thread.get_absolute_url()}"
    assert posting["text"] == "Prices have doubled."
    assert posting["author"] == {
        "@type": "Person",
        "name": "Ada Quist",
        "url": f"{SITE}/members/ada/",
    }
    assert posting["interactionStatistic"][0]["userInteractionCount"] == 1
    (comment,) = posting["comment"]
    assert comment["text"] == "Yes & no: <b>look</b> at the patch."
    assert comment["url"] == f"{SITE}{reply.place}"
    assert [step["name"] for step in said["BreadcrumbList"]["itemListElement"]] == [
        "Shoal",
        "Film cameras",
        "Is it worth it?",
    ]


@pytest.mark.parametrize("broken", ["author", "datePublished", "text", "url"])
def test_the_checker_finds_what_is_missing(guest, ada, thread, broken):
    posting = data_of(guest, thread.get_absolute_url())["DiscussionForumPosting"]
    del posting[broken]
    assert faults(posting) != []


def test_a_later_page_names_the_thread_and_holds_its_own_replies(guest, ada, group, settings):
    settings.POSTS_PER_PAGE = 2
    thread = make_thread(ada, group, replies=3)
    posting = data_of(guest, f"{thread.get_absolute_url()}?page=2")["DiscussionForumPosting"]
    assert faults(posting) == []
    assert posting["url"] == f"{SITE}{thread.get_absolute_url()}"
    assert posting["author"]["name"] == "Ada Quist"
    assert [one["text"] for one in posting["comment"]] == ["Reply number 3.", "Reply number 4."]
    assert posting["comment"][0]["url"] == f"{SITE}{thread.get_absolute_url()}?page=2#p3"


def test_no_words_of_a_post_can_leave_the_element(guest, ada, group):
    thread = make_thread(ada, group, "</script><script>alert(1)", "`</script><!--` &amp; more")
    html = guest.get(thread.get_absolute_url()).content.decode()
    (block,) = BLOCK.findall(html)
    assert not set("<>&") & set(block)
    posting = data_of(guest, thread.get_absolute_url())["DiscussionForumPosting"]
    assert posting["headline"] == "</script><script>alert(1)"
    assert posting["text"] == "</script><!-- & more"


def test_hidden_posts_and_hidden_threads_say_nothing(guest, ada, bo, mo, group):
    thread = make_thread(ada, group)
    reply = make_post(bo, thread, "Sells fakes.")
    hide_post(post=reply, by=mo, reason="Not true")
    html = guest.get(thread.get_absolute_url()).content.decode()
    assert "Sells fakes" not in html
    hide_post(post=Post.objects.get(thread=thread, number=1), by=mo, reason="Spam")
    thread.refresh_from_db()
    assert data_of(guest, thread.get_absolute_url()) == {}


def test_edits_and_locks_are_said(guest, ada, mo, thread):
    post = Post.objects.get(thread=thread)
    edit_post(post=post, editor=ada, body="Other words")
    lock_thread(thread=thread, by=mo, reason="Done")
    posting = data_of(guest, thread.get_absolute_url())["DiscussionForumPosting"]
    post.refresh_from_db()
    assert ("dateModified" in posting) == (post.edited_at is not None)
    assert posting["creativeWorkStatus"] == "Closed"
    assert posting["text"] == "Other words"


def test_members_pages_go_without(as_bo, thread):
    assert data_of(as_bo, thread.get_absolute_url()) == {}


def test_a_full_page_stays_within_its_budget(guest, ada, group):
    body = "The rangefinder patch of number {} was clean and bright when I looked. " * 6
    thread = make_thread(ada, group, body=body.format(*range(6)))
    for number in range(19):
        make_post(ada, thread, body.format(*range(number, number + 6)))
    page = guest.get(thread.get_absolute_url()).content
    assert len(page) <= 60_000
    assert len(gzip.compress(page)) <= 10_000


# -- addresses ----------------------------------------------------------------------------------


def head(client: Client, address: str) -> tuple[list[str], list[str]]:
    """The canonical addresses and the robots' rules of a page."""
    html = client.get(address).content.decode().partition("</head>")[0]
    return (
        re.findall(r'<link rel="canonical" href="([^"]+)">', html),
        re.findall(r'<meta name="robots" content="([^"]+)">', html),
    )


def test_every_page_to_be_found_names_its_address_and_has_a_title(guest, ada, thread, group):
    arguments = {"group": [group.slug], "member": ["ada"]}
    titles = {}
    for route in sorted(FOUND):
        if route in ("listing", "shop", "tag", "badge"):
            continue  # each needs more; the routes below say theirs the same way
        kind = route.split("_")[0]
        path = reverse(route, args=arguments.get(kind, []))
        assert head(guest, path) == ([f"{SITE}{path}"], [])
        html = guest.get(path).content.decode()
        (titles[route],) = re.findall(r"<title>\s*(.*?)\s*</title>", html, re.DOTALL)
        assert re.search(r'<meta name="description" content="[^"]+">', html)
    assert all(title.endswith("· Shoal") and len(title) > 9 for title in titles.values())


@pytest.mark.parametrize("query", ["order=top", "kind=question", "after=1-1", "tag=film"])
def test_orders_filters_and_further_pages_are_not_listed(guest, group, query):
    for path in ("/", group.get_absolute_url()):
        assert head(guest, f"{path}?{query}") == ([], ["noindex, follow"])


def test_a_shared_address_is_the_page_itself(guest, group):
    path = group.get_absolute_url()
    assert head(guest, f"{path}?via=bo") == ([f"{SITE}{path}"], [])


def test_what_is_not_there_has_no_address(guest, db):
    assert head(guest, "/g/nowhere/") == ([], ["noindex"])


def test_a_member_outside_the_directory_is_not_listed(guest, ada):
    ada.is_listed = False
    ada.save()
    assert head(guest, "/members/ada/") == ([], ["noindex, follow"])


def test_links_in_posts_and_profiles_vouch_for_nothing(guest, ada, group):
    thread = make_thread(ada, group, body="See https://elsewhere.example/a")
    ada.bio = "Find me at https://elsewhere.example/b"
    ada.save()
    for address in (thread.get_absolute_url(), "/members/ada/"):
        html = guest.get(address).content.decode()
        for link in re.findall(r'<a [^>]*href="https?://elsewhere[^>]*>', html):
            assert 'rel="nofollow ugc noopener"' in link
