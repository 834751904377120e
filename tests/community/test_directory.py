"""The directories of members and groups: who and what is found, by what, and who is not."""

from __future__ import annotations

import pytest
from django.test import Client

from community.groups.models import Group, Interest
from community.members.models import Member
from community.profiles import directory
from tests.factories import join, make_group, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def repair(db: None) -> Interest:
    return Interest.objects.get_or_create(
        slug="repair", defaults={"name": "Repairing things", "glyph": "🔧"}
    )[0]


def handles(client: Client, query: str = "") -> list[str]:
    return [member.handle for member in client.get(f"/members/{query}").context["members"]]


def test_members_stand_most_active_first_or_newest_first(guest, ada, bo, cy, group: Group):
    for member, activity in ((ada, 3), (bo, 9), (cy, 3)):
        Member.objects.filter(pk=member.pk).update(activity=activity)
    assert handles(guest)[:3] == ["bo", "cy", "ada"]
    newest = handles(guest, "?order=newest")
    assert newest[:3] == ["cy", "bo", "ada"]


def test_who_asked_to_be_left_out_closed_or_erased_is_not_listed(guest: Client, ada, bo, cy, mo):
    Member.objects.filter(pk=ada.pk).update(is_listed=False)
    Member.objects.filter(pk=bo.pk).update(is_active=False)
    Member.objects.filter(pk=cy.pk).update(erased_at="2026-01-01T00:00Z")
    found = handles(guest)
    assert "mo" in found
    assert not {"ada", "bo", "cy"} & set(found)
    assert handles(guest, "?q=ada") == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ad", ["ada"]),
        ("@ADA", ["ada"]),
        ("Ada Q", ["ada"]),
        ("quist", ["ada"]),
        ("uist", []),
        ("%", []),
        ("_", []),
    ],
)
def test_a_member_is_found_by_the_beginning_of_a_handle_or_a_word(
    guest: Client, ada: Member, bo: Member, words: str, found: list[str]
):
    assert [one for one in handles(guest, f"?q={words}") if one in ("ada", "bo")] == found


def test_members_are_filtered_by_interest_and_group(
    guest: Client, ada: Member, bo: Member, cy: Member, group: Group, repair: Interest
):
    bo.interests.add(repair)
    cy.interests.add(repair)
    assert set(handles(guest, "?interest=repair")) == {"bo", "cy"}
    assert handles(guest, f"?interest=repair&group={group.slug}") == ["bo"]
    assert "ada" in handles(guest, "?interest=no-such-thing")


def test_a_hidden_group_filters_like_one_that_never_was(
    guest: Client, as_cy: Client, as_ada: Client, ada: Member, bo: Member, hidden_group: Group
):
    everybody = handles(guest, "?group=never-was")
    for client in (guest, as_cy):
        answer = client.get("/members/?group=cellar")
        assert [one.handle for one in answer.context["members"]] == everybody
        assert "Cellar" not in answer.content.decode()
    assert handles(as_ada, "?group=cellar") == ["ada"]


@pytest.mark.parametrize("order", ["", "&order=newest"])
def test_members_page_by_keyset(guest: Client, monkeypatch, order: str, ada, bo, cy, mo):
    monkeypatch.setattr(directory, "MEMBERS_PER_PAGE", 2)
    Member.objects.filter(pk__in=[ada.pk, bo.pk]).update(activity=2)
    seen: list[str] = []
    after = ""
    while True:
        answer = guest.get(f"/members/?after={after}{order}")
        seen += [member.handle for member in answer.context["members"]]
        after = answer.context["after"]
        if not after:
            break
    assert sorted(seen) == sorted(Member.objects.values_list("handle", flat=True))
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    "query", ["?after=x", "?after=1-", "?after=9999999999999999999999-1", "?order=upside", "?q=%00"]
)
def test_nonsense_in_the_address_is_left_out(guest: Client, ada: Member, query: str):
    assert guest.get(f"/members/{query}").status_code == 200


def test_the_directory_costs_the_same_for_two_and_for_thirty(
    guest: Client, ada: Member, repair: Interest, django_assert_num_queries
):
    ada.interests.add(repair)
    with django_assert_num_queries(4):  # members, their interests; interests and groups to choose
        guest.get("/members/")
    for number in range(30):
        make_member(f"one-{number}").interests.add(repair)
    with django_assert_num_queries(4):
        guest.get("/members/")


# -- groups -----------------------------------------------------------------------------------


def test_groups_are_filtered_by_interest_with_counts(guest: Client, group: Group, repair: Interest):
    other = make_group("audio", name="Vintage audio")
    for each in (group, other):
        each.interests.add(repair)
    make_group("runners", name="Trail runners")
    page = guest.get("/groups/?interest=repair")
    assert {one.slug for one in page.context["groups"]} == {"film-cameras", "audio"}
    assert [(one.slug, one.n) for one in page.context["interests"]] == [("repair", 2)]
    assert len(guest.get("/groups/?interest=never-was").context["groups"]) == 3


def test_a_hidden_group_is_in_no_count(
    guest: Client, as_ada: Client, hidden_group: Group, repair: Interest
):
    hidden_group.interests.add(repair)
    assert list(guest.get("/groups/").context["interests"]) == []
    assert [one.n for one in as_ada.get("/groups/").context["interests"]] == [1]


def test_filters_stay_while_others_are_chosen(guest: Client, group: Group, repair: Interest):
    group.interests.add(repair)
    page = guest.get("/groups/?interest=repair&q=film&template=collectibles").content.decode()
    assert '<input type="hidden" name="interest" value="repair">' in page
    assert "Film cameras" in page


def test_an_owner_says_what_a_group_is_for(as_cy: Client, cy: Member, repair: Interest):
    form = {
        "name": "Fixers",
        "glyph": "🔧",
        "template": "services",
        "join_mode": "open",
        "tint": "1",
        "interests": [repair.pk],
    }
    assert as_cy.post("/groups/new/", form).status_code == 302
    group = Group.objects.get(slug="fixers")
    assert list(group.interests.all()) == [repair]
    as_cy.post("/g/fixers/edit/", {**form, "interests": []})
    assert not group.interests.exists()


def test_group_cards_cost_no_more_for_their_interests(
    guest: Client, group: Group, repair: Interest, django_assert_num_queries
):
    group.interests.add(repair)
    with django_assert_num_queries(3):  # groups, their interests, the chips
        guest.get("/groups/")
    for number in range(10):
        make_group(f"more-{number}").interests.add(repair)
    with django_assert_num_queries(3):
        guest.get("/groups/")


def test_a_group_joined_shows_in_the_filter_of_members(as_cy: Client, cy: Member, group: Group):
    join(cy, group)
    assert handles(as_cy, f"?group={group.slug}&q=cy") == ["cy"]
