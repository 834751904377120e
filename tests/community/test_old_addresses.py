"""Addresses of the sites that were imported lead to what became of them, for who may see it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponse
from django.test import Client, RequestFactory

from community.groups.models import Group
from community.importing.addresses import names_in, relink
from community.importing.middleware import OldHostsMiddleware
from community.importing.models import SITE, ImportedRecord, site_key
from community.members.models import Member
from community.threads.models import Thread
from tests.factories import make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db


def remember(source: str, *names: tuple[str, str, int]) -> None:
    ImportedRecord.objects.bulk_create(
        ImportedRecord(source=source, kind=kind, external_id=id_, object_id=object_id)
        for kind, id_, object_id in names
    )


def answer_for(source: str, style: str, *hosts: str) -> None:
    for site in (source, *hosts):
        ImportedRecord.objects.create(
            source=site_key(site), kind=f"{SITE}:{style}", external_id=source, object_id=0
        )


@pytest.fixture
def talk(ada: Member, bo: Member, group: Group) -> Thread:
    """A thread that was topic 7 of a Discourse site, with a reply."""
    thread = make_thread(ada, group)
    reply = make_post(bo, thread)
    opening = thread.posts.get(number=1)
    answer_for("talk", "discourse", "talk.example")
    remember(
        "talk",
        *(("post", "101", opening.pk), ("place", "7/1", opening.pk)),
        *(("post", "102", reply.pk), ("place", "7/2", reply.pk)),
        *(("room", "4", group.pk), ("user", "11", ada.pk), ("username", "ada_q", ada.pk)),
    )
    return thread


def test_old_addresses_lead_to_the_thread_post_group_or_member(guest: Client, talk: Thread):
    reply = talk.posts.get(number=2)
    for old, ours in (
        ("t/which-one/7", talk.get_absolute_url()),
        ("t/which-one/7/2", f"/p/{reply.pk}/"),
        ("t/7/2?u=someone", f"/p/{reply.pk}/"),
        ("t/which-one/7/99", talk.get_absolute_url()),
        ("p/102", f"/p/{reply.pk}/"),
        ("c/cameras/film/4", "/g/film-cameras/"),
        ("u/Ada_Q/summary", "/members/ada/"),
    ):
        for site in ("talk.example", "TALK.example", "talk"):
            response = guest.get(f"/old/{site}/{old}")
            assert (response.status_code, response["Location"]) == (301, ours)
            assert response["Cache-Control"] == "private"


@pytest.mark.parametrize(
    "address",
    [
        *("talk.example/t/x/8", "talk.example/", "talk.example/latest", "other.example/t/x/7"),
        *("talk.example/viewtopic.php?t=7", "talk.example/t/x/99999999999999999999"),
        *("talk.example/u/%00", "talk.example/t/%F0%9F%90%9F/7/2/3"),
    ],
)
def test_what_nobody_brought_is_not_found(guest: Client, talk: Thread, address: str):
    assert guest.get(f"/old/{address}").status_code in (400, 404)


def test_what_is_hidden_is_not_found_by_its_old_address(
    guest: Client,
    as_cy: Client,
    as_member: Callable[[Member], Client],
):
    writer = make_member("writer")
    cellar = make_group("cellar", owner=writer, join_mode="hidden")
    thread = make_thread(writer, cellar)
    answer_for("deep", "phpbb", "deep.example")
    remember(
        "deep",
        *(("thread", "5", thread.pk), ("post", "9", thread.posts.get().pk)),
        *(("room", "2", cellar.pk), ("user", "3", writer.pk)),
    )
    ImportedRecord.objects.filter(kind="thread").update(object_id=thread.posts.get().pk)
    for address, ours in (
        ("viewtopic.php?f=2&t=5", thread.get_absolute_url()),
        ("forum/viewtopic.php?p=9", thread.get_absolute_url()),
        ("viewforum.php?f=2", "/g/cellar/"),
        ("memberlist.php?mode=viewprofile&u=3", "/members/writer/"),
    ):
        for outsider in (guest, as_cy):
            assert outsider.get(f"/old/deep.example/{address}").status_code == 404
        response = as_member(writer).get(f"/old/deep.example/{address}")
        assert (response.status_code, response["Location"]) == (301, ours)


def test_a_post_a_moderator_hid_leads_to_its_thread(guest: Client, talk: Thread, mo: Member):
    reply = talk.posts.get(number=2)
    reply.hide(by=mo, reason="Rude", at=reply.created_at)
    reply.save()
    response = guest.get("/old/talk.example/t/x/7/2")
    assert response["Location"] == talk.get_absolute_url()
    assert guest.get("/old/talk.example/p/102").status_code == 404


def test_an_old_address_costs_three_queries(guest: Client, talk: Thread, django_assert_num_queries):
    guest.get("/old/talk.example/t/x/7/2")
    with django_assert_num_queries(3):
        guest.get("/old/talk.example/t/x/7/2")


def test_nothing_is_written_by_an_old_address(guest: Client, talk: Thread):
    assert guest.post("/old/talk.example/t/x/7").status_code == 405


def test_sites_of_one_host_are_all_asked(guest: Client, ada: Member, group: Group):
    for name in ("beans", "tins"):
        answer_for(name, "reddit", "www.reddit.com")
    thread = make_thread(ada, group)
    remember("tins", ("post", "abc12", thread.posts.get().pk))
    response = guest.get("/old/www.reddit.com/r/Tins/comments/ABC12/any_title/?utm=x")
    assert response["Location"] == thread.get_absolute_url()


# -- a domain pointed at us -------------------------------------------------------------------


def test_a_domain_that_moved_here_is_answered_by_our_own(settings, rf: RequestFactory):
    settings.OLD_HOSTS, settings.SITE_URL = ["talk.example"], "https://shoal.example"
    settings.ALLOWED_HOSTS = ["talk.example", "shoal.example"]
    middleware = OldHostsMiddleware(lambda request: HttpResponse("ours"))
    response = middleware(rf.get("/t/x/7/2?u=a", headers={"host": "Talk.example:443"}))
    assert response.status_code == 301
    assert response["Location"] == "https://shoal.example/old/talk.example/t/x/7/2?u=a"
    assert middleware(rf.get("/t/7/", headers={"host": "shoal.example"})).status_code == 200


def test_where_no_domain_moved_nothing_is_asked(settings):
    settings.OLD_HOSTS = []
    with pytest.raises(MiddlewareNotUsed):
        OldHostsMiddleware(lambda request: HttpResponse("ours"))


# -- pure -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "path", "names"),
    [
        ("stackexchange", "/questions/12/how-so/34", [("post", "34"), ("post", "12")]),
        ("stackexchange", "/questions/12", [("post", "12")]),
        ("stackexchange", "/a/12/5", [("post", "12")]),
        ("stackexchange", "/users/3/ada", [("user", "3")]),
        ("stackexchange", "/questions/tagged/12", []),
        ("discourse", "/t/a-slug/12/3", [("place", "12/3"), ("place", "12/1")]),
        ("discourse", "/t/12/3", [("place", "12/3"), ("place", "12/1")]),
        ("discourse", "/t/-/12", [("place", "12/1")]),
        ("discourse", "/t/2020-review/12", [("place", "12/1")]),
        ("reddit", "/r/x/comments/abc/t/DEF/", [("comment", "def"), ("post", "abc")]),
        ("reddit", "/comments/abc", [("post", "abc")]),
        ("reddit", "/user/Tin_Man/", [("username", "tin_man")]),
        ("reddit", "/r/Beans", [("room", "beans")]),
        ("phpbb", "/viewtopic.php", []),
    ],
)
def test_addresses_name_what_they_named(style: str, path: str, names: list[tuple[str, str]]):
    assert names_in(style, path, {}) == names


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<https://b.example/q/5>", "[https://b.example/q/5](/p/5/)"),
        ("https://b.example/q/5, yes", "[https://b.example/q/5](/p/5/), yes"),
        ("`https://b.example/q/5`", "`https://b.example/q/5`"),
        ('[x](https://b.example/q/5 "t")', '[x](/p/5/ "t")'),
        ("[@ann](https://b.example/users/7/ann), hi", "@ann-b, hi"),
        ("[@ann](https://b.example/users/7/ann)s", "[@ann](/members/ann-b/)s"),
        ("[Ann](https://b.example/users/7/ann)", "[Ann](/members/ann-b/)"),
        ("[x](/p/5/)", "[x](/p/5/)"),
        ("[x](/q/5)", "[x](/q/5)"),
        ("[x](https://[/q/5)", "[x](https://[/q/5)"),
        ("[x](//evil.example/q/5)", "[x](//evil.example/q/5)"),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
    ],
)
def test_addresses_in_text_lead_to_ours(before: str, after: str):
    ours = {("post", "5"): "/p/5/", ("user", "7"): "@ann-b"}
    found = relink(
        before,
        style="stackexchange",
        hosts={"b.example"},
        base="https://b.example",
        ours=lambda kind, id_: ours.get((kind, id_)),
    )
    assert found == after
