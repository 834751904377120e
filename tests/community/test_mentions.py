"""Whom one is offered for @, emoji for :, and threads like a title."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from community.groups.models import JoinMode
from community.members.models import Block, Member
from community.search.models import SearchDocument
from community.search.services import write_documents
from community.threads.mentions import mentionable
from config.emojis import emoji_address
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db


def offered(client, **query: object) -> list[str]:
    response = client.get("/mentions/", query)
    if response.status_code == 204:
        return []
    assert response.status_code == 200
    return re.findall(r'data-text="@([\w-]+) "', response.content.decode())


def test_people_of_the_thread_come_first_then_the_group_then_others(as_bo, ada, group, thread):
    make_member("abby", name="Abby Others")
    join(make_member("aaron", name="Aaron Inside"), group)
    assert offered(as_bo, thread=thread.pk, q="a") == ["ada", "aaron", "abby"]


def test_a_name_is_found_by_any_of_its_words_and_a_handle_by_its_beginning(as_bo, thread):
    assert offered(as_bo, thread=thread.pk, q="qui") == ["ada"]  # Ada Quist
    assert offered(as_bo, thread=thread.pk, q="ADA") == ["ada"]
    assert offered(as_bo, thread=thread.pk, q="da") == []
    assert offered(as_bo, thread=thread.pk, q="uist") == []


def test_without_a_beginning_it_is_those_near_by(as_bo, cy, thread, group):
    near = offered(as_bo, thread=thread.pk)
    assert near[0] == "ada"
    assert "cy" not in near


def test_at_most_eight_are_offered_in_one_query(bo, group, thread, django_assert_num_queries):
    for number in range(12):
        join(make_member(f"zed-{number}"), group)
    with django_assert_num_queries(1):
        people = mentionable(bo, group=group, thread=thread, beginning="zed")
    assert len(people) == 8


def test_wildcards_are_letters(as_bo, thread):
    assert offered(as_bo, thread=thread.pk, q="%") == []
    assert offered(as_bo, thread=thread.pk, q="_") == []


def test_oneself_and_who_is_blocked_either_way_are_left_out(as_bo, bo, ada, mo, thread):
    assert "bo" not in offered(as_bo, thread=thread.pk, q="b")
    Block.objects.create(by=ada, of=bo, kind=Block.Kind.BLOCK)
    assert offered(as_bo, thread=thread.pk, q="ada") == []
    Block.objects.create(by=bo, of=mo, kind=Block.Kind.MUTE)
    assert offered(as_bo, thread=thread.pk, q="mo") == []


def test_a_mute_does_not_show_to_the_muted(as_bo, bo, ada, thread):
    Block.objects.create(by=ada, of=bo, kind=Block.Kind.MUTE)
    assert offered(as_bo, thread=thread.pk, q="ada") == ["ada"]


def test_outsiders_learn_of_nobody_in_a_hidden_group(as_cy, guest, ada, hidden_group):
    thread = make_thread(ada, hidden_group)
    assert as_cy.get("/mentions/", {"thread": thread.pk, "q": "a"}).status_code == 404
    assert as_cy.get("/mentions/", {"group": hidden_group.pk, "q": "a"}).status_code == 404
    assert as_cy.get("/mentions/", {"q": "a"}).status_code == 404
    assert guest.get("/mentions/", {"thread": thread.pk}).status_code == 302


def test_in_a_closed_group_nobody_from_outside_is_offered(as_ada, ada, cy, bo, hidden_group):
    join(bo, hidden_group)
    thread = make_thread(bo, hidden_group)
    assert offered(as_ada, thread=thread.pk, q="c") == []
    assert offered(as_ada, thread=thread.pk, q="bo") == ["bo"]
    hidden_group.memberships.filter(member=bo).delete()  # their posts stay
    assert offered(as_ada, thread=thread.pk, q="bo") == []
    by_request = make_group("studio", owner=ada, join_mode=JoinMode.REQUEST)
    assert offered(as_ada, group=by_request.pk, q="c") == []


def test_who_is_not_listed_is_offered_only_to_those_near(as_bo, thread, group):
    shy = make_member("shy", is_listed=False)
    assert offered(as_bo, thread=thread.pk, q="shy") == []
    join(shy, group)
    assert offered(as_bo, thread=thread.pk, q="shy") == ["shy"]


def test_the_gone_are_not_offered(as_bo, ada, thread):
    Member.objects.filter(pk=ada.pk).update(is_active=False)
    assert offered(as_bo, thread=thread.pk, q="ada") == []


def test_names_are_written_as_text(as_bo, group, thread):
    join(make_member("mallory", name="<b>Mal</b>"), group)
    response = as_bo.get("/mentions/", {"thread": thread.pk, "q": "mal"})
    assert "&lt;b&gt;Mal&lt;/b&gt;" in response.content.decode()


# -- emoji ------------------------------------------------------------------------------------


def test_emoji_have_their_names_and_are_kept_for_a_year(guest):
    response = guest.get(emoji_address("en"))
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    rows = json.loads(response.content)
    names = {character: rest for character, *rest in rows}
    assert len(rows) > 1_000
    assert names["👍"][:2] == ["+1", "thumbsup"]
    assert "fish" in names["🐟"]
    assert not any("\U0001f3fb" in character for character in names)


def test_emoji_have_names_in_the_language_of_the_page(guest):
    rows = json.loads(guest.get(emoji_address("zh-hans")).content)
    assert "鱼" in {name for character, *names in rows if character == "🐟" for name in names}


def test_another_version_of_the_emoji_is_gone(guest):
    assert guest.get("/emoji/en/000000000000.json").status_code == 404
    assert guest.get("/emoji/xx/000000000000.json").status_code == 404


# -- similar threads --------------------------------------------------------------------------


def index(*threads) -> None:
    write_documents(
        SearchDocument.Kind.POST, [post.pk for one in threads for post in one.posts.all()]
    )


def test_threads_like_a_title_are_shown_while_it_is_typed(as_bo, ada, group):
    seals = make_thread(ada, group, title="Light seals for the Optra", body="Foam or wool?")
    other = make_thread(ada, group, title="Where to meet in May", body="The pier?")
    index(seals, other)
    response = as_bo.get(
        reverse("similar_threads"), {"group": group.pk, "title": "replace light seals"}
    )
    page = response.content.decode()
    assert "Light seals for the Optra" in page
    assert "Where to meet" not in page
    nothing = as_bo.get(reverse("similar_threads"), {"group": group.pk, "title": "zyzzyva"})
    assert nothing.status_code == 204


def test_threads_of_hidden_groups_are_like_nothing(as_cy, as_ada, ada, hidden_group):
    thread = make_thread(ada, hidden_group, title="Light seals below the counter")
    index(thread)
    query = {"group": hidden_group.pk, "title": "light seals"}
    assert as_cy.get(reverse("similar_threads"), query).status_code == 404
    assert as_ada.get(reverse("similar_threads"), query).status_code == 200


def test_without_scripts_similar_threads_stand_in_the_form_that_came_back(as_bo, ada, group):
    seals = make_thread(ada, group, title="Light seals for the Optra", body="Foam or wool?")
    make_post(ada, seals, "Wool.")
    index(seals)
    response = as_bo.post(
        f"/g/{group.slug}/new/", {"title": "Light seals", "body": "Which?", "preview": "1"}
    )
    page = response.content.decode()
    assert "Already talked about?" in page
    assert "1 reply" in page
