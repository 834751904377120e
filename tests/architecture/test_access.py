"""The access matrix: every address, by everybody, in every place, in every form it has.

The tables are in tests/architecture/access: a new route needs a row there, or this fails.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import get_resolver, path

from community.threads.models import Thread
from config import urls
from tests.architecture.access import (
    chat_routes,
    commerce_routes,
    member_routes,
    reading_routes,
)
from tests.architecture.access.asking import ask
from tests.architecture.access.checking import (
    METHODS,
    csrf_exempt,
    holes,
    methods_of,
    other,
    routes_of,
    unlisted,
)
from tests.architecture.access.rules import CONFIRM, LOGIN, Row, everybody, get, signed_in
from tests.architecture.access.rules import post as sends
from tests.architecture.access.world import IN_HIDDEN_GROUP, SECRETS, World

pytestmark = pytest.mark.django_db

TABLES: Final = {
    "lists": reading_routes.LISTS,
    "reading": reading_routes.READING,
    "writing": reading_routes.WRITING,
    "organising": reading_routes.ORGANISING,
    "groups": member_routes.GROUPS,
    "chat": chat_routes.CHAT,
    "people": member_routes.PEOPLE,
    "finding": member_routes.FINDING,
    "own": member_routes.OWN,
    "listings": commerce_routes.LISTINGS,
    "shop": commerce_routes.SHOP,
    "site": commerce_routes.SITE,
}
ROWS: Final[list[Row]] = [row for rows in TABLES.values() for row in rows]

# Forms that carry no token, and what stands in its place.
TOKENLESS: Final = {
    "language/": "on every guest's page, which is kept for all: where it came from is checked",
    "consent/": "on every guest's page, which is kept for all: where it came from is checked",
    "drafts/typed/": "below every guest's thread, which is kept for all: likewise",
    "mail/off/<str:token>/": "a mail program asks without a session (RFC 8058): a signed token",
    "inbound-mail/": "a mail provider sends it without a session: a secret",
    "hooks/generic/<uuid:public_id>/": "a shop sends it without a session: a signature",
}


# -- the tables -----------------------------------------------------------------------------------


def test_every_route_is_listed(world: World):
    found = unlisted(ROWS, world)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("table", TABLES)
def test_everybody_gets_what_the_table_says_and_a_refusal_leaves_no_row(world: World, table: str):
    found = holes(world, TABLES[table])
    assert not found, "\n".join(found)


def test_what_one_may_not_see_is_404_to_htmx_and_to_scripts_too(world: World):
    found = []
    for row in ROWS:
        if row.method != "GET" or not row.is_placed or row.expected("outsider", "hidden") != 404:
            continue
        for headers in ({"HX-Request": "true"}, {"Accept": "application/json"}):
            answer = ask(world, row, "outsider", "hidden", headers=headers)
            if answer.status != 404 or answer.leaked or answer.written:
                found.append(f"{row} {headers}: {answer.status} {sorted(answer.leaked)}")
    assert not found, "\n".join(found)


def test_a_guest_is_sent_to_sign_in_by_htmx_with_the_whole_page(world: World):
    row = sends("/t/{thread.pk}/follow/", signed_in(), {"level": "3"})
    answer = ask(world, row, "guest", "open", headers={"HX-Request": "true"})
    assert (answer.status, answer.written) == (LOGIN, frozenset())


def test_each_route_knows_the_methods_listed_and_no_other(world: World):
    found = []
    for route, (row, known) in methods_of(ROWS, world).items():
        for method in METHODS:
            if method not in known:
                answer = ask(world, other(row, method), "author", "open")
                if answer.status != 405 or answer.written:
                    found.append(f"{method} {route}: {answer.status}")
    assert not found, "\n".join(found)


def test_every_form_needs_a_token_but_those_that_say_why_not(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    assert set(csrf_exempt(get_resolver().url_patterns)) - set(TOKENLESS) == set()
    client = world.clients["author"]
    monkeypatch.setattr(client.handler, "enforce_csrf_checks", True)
    found, seen = [], set()
    for row in ROWS:
        route = next(iter(routes_of([row], world)))
        if row.method == "GET" or route in TOKENLESS or (route, row.method) in seen:
            continue
        seen.add((route, row.method))
        answer = ask(world, row, "author", "open", client=client)
        if answer.status != 403 or answer.written:
            found.append(f"{row}: {answer.status}")
    assert not found, "\n".join(found)


def test_forms_without_a_token_come_from_our_own_pages(world: World):
    for address in ("/language/", "/consent/", "/drafts/typed/"):
        row = sends(address, everybody(403), {"language": "en", "choice": "yes"})
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
            answer = ask(world, row, "author", "open", headers=headers)
            assert (answer.status, answer.written) == (403, frozenset()), address


def test_a_copy_and_an_erasure_ask_for_the_password_again(world: World):
    for row in (
        get("/settings/data/copy/{export.pk}/", everybody()),
        sends("/settings/data/copy/", everybody()),
        sends("/settings/data/erasure/", everybody(), {"sure": "on"}),
    ):
        answer = ask(world, row, "author", "open", client=world.unconfirmed)
        assert (answer.status, answer.written - {"django_session"}) == (CONFIRM, frozenset())


# -- the words are there for those who may --------------------------------------------------------


def test_who_may_read_a_secret_finds_it(world: World):
    """Else a page that leaks nothing may only be one that shows nothing."""
    for row, person, place, word in (
        (get("/t/{thread.pk}/{thread.slug}/", everybody()), "member", "hidden", "marrowstone"),
        (get("/images/{image.pk}/", everybody()), "member", "hidden", "marrowstone"),
        (get("/search/", everybody(), query={"q": "quillfeather"}), "member", "open",
            "marrowstone"),
        (get("/search/suggest/", everybody(), query={"q": "quillf"}), "member", "open",
            "marrowstone"),
        (get("/p/{hidden_post.pk}/hiding/", everybody()), "moderator", "open", "thistlegate"),
        (get("/p/{deleted_post.pk}/hiding/", everybody()), "author", "open", "gorsewick"),
        (get("/bookmarks/", everybody()), "author", "open", "fennelmark"),
        (get("/drafts/", everybody()), "author", "open", "fennelmark"),
        (get("/merchants/{shop.slug}/orders/{order.pk}/", everybody()), "author", "open",
            "fennelmark"),
        (get("/rooms/{room.pk}/after/", everybody()), "member", "hidden", "marrowstone"),
        (get("/rooms/{pair.pk}/", everybody()), "outsider", "open", "sorrelgate"),
    ):  # fmt: skip
        assert word in SECRETS
        assert word in ask(world, row, person, place).body, f"{row} ({person})"


# -- the check can fail ---------------------------------------------------------------------------


def leaking(request: HttpRequest, thread_id: int) -> HttpResponse:
    """A twin of the thread page that forgets `visible_to`."""
    return HttpResponse(Thread.objects.get(pk=thread_id).title)


def careless(request: HttpRequest, thread_id: int) -> HttpResponse:
    """A twin that writes before it asks."""
    Thread.objects.filter(pk=thread_id).update(title="Anybody's")
    return HttpResponse(status=403)


@pytest.fixture
def twins() -> str:
    """The site with two bad addresses more."""
    module = ModuleType("tests.architecture.twins")
    module.urlpatterns = [  # type: ignore[attr-defined]
        *urls.urlpatterns,
        path("twin/<int:thread_id>/", leaking),
        path("careless/<int:thread_id>/", careless),
    ]
    import sys

    sys.modules[module.__name__] = module
    return module.__name__


def test_a_route_without_a_row_is_reported(world: World, twins: str):
    assert unlisted(ROWS, world, twins) == ["twin/<int:thread_id>/", "careless/<int:thread_id>/"]


def test_a_view_that_forgets_who_may_see_is_caught(world: World, twins: str):
    with override_settings(ROOT_URLCONF=twins):
        found = holes(world, [get("/twin/{thread.pk}/", everybody())])
    assert found == [
        f"GET /twin/{{thread.pk}}/ (hidden, {person}): {wrong}"
        for person in ("guest", "outsider", "staff")
        for wrong in ("200 instead of 404", f"told {IN_HIDDEN_GROUP}")
    ]


def test_a_refusal_that_left_a_row_is_caught(world: World, twins: str):
    with override_settings(ROOT_URLCONF=twins):
        found = holes(world, [sends("/careless/{thread.pk}/", everybody(403))])
    assert "POST /careless/{thread.pk}/ (open, guest): left rows in community_thread" in found
