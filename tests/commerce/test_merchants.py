"""Merchants: shops and private sellers, who speaks for them, and what readers are told."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext

from commerce.merchants.errors import (
    AlreadyOnTeam,
    HostFixed,
    HostTaken,
    LastOwner,
    NameTaken,
    NoInvitation,
    NotOnTeam,
    NotOwner,
    PersonalHasNoTeam,
    TeamFull,
)
from commerce.merchants.models import Merchant, TeamInvitation, TeamMember, TeamRole
from commerce.merchants.services import (
    TEAM_MAX,
    add_team_member,
    answer_team_invitation,
    describe_merchant,
    invite_to_team,
    open_shop,
    personal_merchant,
    remove_team_member,
    role_of,
    set_team_role,
)
from tests.factories import join, make_member, make_post
from tests.factories_commerce import make_listing, make_merchant


@pytest.fixture
def shop(ada) -> Merchant:
    """Ada's shop."""
    return make_merchant("Shore Optical", owner=ada, host="shore.example")


# -- opening ----------------------------------------------------------------------------------


def test_whoever_opens_a_shop_owns_it(shop, ada, bo):
    assert (shop.slug, shop.kind, shop.currency) == ("shore-optical", "shop", "GBP")
    assert role_of(ada, shop) == TeamRole.OWNER
    assert role_of(bo, shop) is None
    assert list(Merchant.objects.run_by(ada)) == [shop]
    assert not Merchant.objects.run_by(bo).exists()


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"name": "Shore, Optical!"}, NameTaken),
        ({"name": "New"}, NameTaken),
        ({"name": "🐟"}, NameTaken),
        ({"name": "Other", "host": "shore.example"}, HostTaken),
    ],
)
def test_a_refused_shop_leaves_no_row(shop, bo, fields, refusal):
    with pytest.raises(refusal):
        open_shop(owner=bo, **fields)
    assert Merchant.objects.count() == 1
    assert TeamMember.objects.count() == 1


def test_a_private_seller_is_made_once(bo):
    own = personal_merchant(bo)
    assert (own.kind, own.name, own.slug) == ("person", "Bo Lind", "bo")
    assert personal_merchant(bo) == own
    assert Merchant.objects.count() == 1


def test_a_private_seller_steps_aside_for_a_shop_of_its_name(bo):
    make_merchant("Bo", slug="bo")
    assert personal_merchant(bo).slug == "bo-2"


@pytest.mark.django_db(transaction=True)
def test_two_first_sales_at_once_make_one_private_seller():
    member, start, made = make_member("eve"), threading.Barrier(2), []

    def sell() -> None:
        start.wait()
        try:
            made.append(personal_merchant(member).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=sell) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert len(set(made)) == 1
    assert Merchant.objects.count() == 1


def test_an_owner_describes_the_shop_and_its_website_is_set_once(ada, bo):
    shop = make_merchant(owner=ada, host="")
    add_team_member(merchant=shop, member=bo, by=ada)
    said = {"name": "Shore", "about": "Film.", "disclosure": "We sell film."}
    with pytest.raises(NotOwner):
        describe_merchant(merchant=shop, by=bo, host="shore.example", **said)
    described = describe_merchant(merchant=shop, by=ada, host="shore.example", **said)
    assert (described.name, described.host) == ("Shore", "shore.example")
    with pytest.raises(HostFixed):
        describe_merchant(merchant=shop, by=ada, host="evil.example", **said)
    shop.refresh_from_db()
    assert shop.host == "shore.example"


@pytest.mark.parametrize(
    "change", [{"kind": "mall"}, {"currency": "gbp"}, {"currency": "EURO"}, {"host": "far.example"}]
)
def test_the_database_keeps_merchants_sound(shop, change):
    make_merchant(host="far.example")
    with pytest.raises(DatabaseError), transaction.atomic():
        Merchant.objects.filter(pk=shop.pk).update(**change)
    shop.refresh_from_db()
    assert (shop.kind, shop.currency, shop.host) == ("shop", "GBP", "shore.example")


# -- the team ---------------------------------------------------------------------------------


def test_somebody_joins_a_team_by_saying_yes(shop, ada, bo):
    invite_to_team(merchant=shop, member=bo, by=ada)
    invite_to_team(merchant=shop, member=bo, by=ada)
    assert TeamInvitation.objects.count() == 1
    assert role_of(bo, shop) is None
    answer_team_invitation(merchant=shop, member=bo, accept=True)
    assert role_of(bo, shop) == TeamRole.STAFF
    assert not TeamInvitation.objects.exists()
    with pytest.raises(NoInvitation):
        answer_team_invitation(merchant=shop, member=bo, accept=True)


def test_somebody_says_no(shop, ada, bo):
    invite_to_team(merchant=shop, member=bo, by=ada)
    answer_team_invitation(merchant=shop, member=bo, accept=False)
    assert role_of(bo, shop) is None
    assert not TeamInvitation.objects.exists()


def test_only_owners_change_a_team(shop, ada, bo, cy):
    add_team_member(merchant=shop, member=bo, by=ada)
    for by in (bo, cy):
        with pytest.raises(NotOwner):
            add_team_member(merchant=shop, member=cy, by=by)
        with pytest.raises(NotOwner):
            invite_to_team(merchant=shop, member=cy, by=by)
        with pytest.raises(NotOwner):
            remove_team_member(merchant=shop, member=ada, by=by)
        with pytest.raises(NotOwner):
            set_team_role(merchant=shop, member=bo, role=TeamRole.OWNER, by=by)
    assert TeamMember.objects.count() == 2
    assert not TeamInvitation.objects.exists()


def test_nobody_joins_twice(shop, ada, bo):
    add_team_member(merchant=shop, member=bo, by=ada)
    with pytest.raises(AlreadyOnTeam):
        add_team_member(merchant=shop, member=bo, by=ada)
    with pytest.raises(AlreadyOnTeam):
        invite_to_team(merchant=shop, member=bo, by=ada)
    assert TeamMember.objects.count() == 2


def test_a_private_seller_has_no_team(bo, ada):
    own = personal_merchant(bo)
    with pytest.raises(PersonalHasNoTeam):
        invite_to_team(merchant=own, member=ada, by=bo)
    assert TeamMember.objects.count() == 1


def test_a_team_is_full_with_invitations_counted(shop, ada, monkeypatch):
    assert TEAM_MAX == 50
    monkeypatch.setattr("commerce.merchants.services.TEAM_MAX", 2)
    invite_to_team(merchant=shop, member=make_member(), by=ada)
    with pytest.raises(TeamFull):
        invite_to_team(merchant=shop, member=make_member(), by=ada)
    assert TeamInvitation.objects.count() == 1


def test_the_last_owner_stays(shop, ada, bo):
    add_team_member(merchant=shop, member=bo, by=ada)
    with pytest.raises(LastOwner):
        remove_team_member(merchant=shop, member=ada, by=ada)
    with pytest.raises(LastOwner):
        set_team_role(merchant=shop, member=ada, role=TeamRole.STAFF, by=ada)
    with pytest.raises(NotOnTeam):
        set_team_role(merchant=shop, member=make_member(), role=TeamRole.STAFF, by=ada)
    set_team_role(merchant=shop, member=bo, role=TeamRole.OWNER, by=ada)
    remove_team_member(merchant=shop, member=ada, by=ada)
    assert list(TeamMember.objects.values_list("member", "role")) == [(bo.pk, "owner")]


def test_staff_leave_by_themselves(shop, ada, bo):
    add_team_member(merchant=shop, member=bo, by=ada)
    remove_team_member(merchant=shop, member=bo, by=bo)
    assert role_of(bo, shop) is None


# -- by HTTP ----------------------------------------------------------------------------------

SAID = {
    "name": "Shore Optical",
    "about": "Film.",
    "disclosure": "I sell film.",
    "host": "https://www.Shore.example/",
    "currency": "EUR",
}


def test_opening_a_shop_by_the_form(as_bo, guest):
    assert guest.get("/merchants/new/").status_code == 302
    response = as_bo.post("/merchants/new/", SAID)
    assert response["Location"] == "/merchants/shore-optical/shop/"
    shop = Merchant.objects.get()
    assert (shop.host, shop.currency) == ("shore.example", "EUR")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "🐟"}, "Use some letters or digits"),
        ({"name": "new"}, "There is a shop of this name already"),
        ({"disclosure": ""}, "This field is required"),
        ({"host": "10.0.0.1"}, "Write the host alone"),
        ({"host": "shop"}, "Write the host alone"),
        ({"host": "shop.example/evil?"}, "Write the host alone"),
        ({"host": "far.example"}, "Another shop here has this website"),
    ],
)
def test_a_refused_form_says_why_and_loses_nothing(as_bo, change, words):
    make_merchant("Far", host="far.example")
    response = as_bo.post("/merchants/new/", {**SAID, **change})
    assert response.status_code == 422
    html = response.content.decode()
    assert words in html
    assert "Film." in html
    assert Merchant.objects.count() == 1


@pytest.mark.parametrize("page", ["team", "settings"])
def test_a_teams_pages_are_404_for_others(guest, as_ada, as_bo, shop, page):
    address = f"/merchants/{shop.slug}/{page}/"
    assert guest.get(address).status_code == 302
    assert as_bo.get(address).status_code == 404
    assert as_bo.post(address, {"handle": "bo", **SAID}).status_code == 404
    assert as_ada.get(address).status_code == 200


def test_an_invitation_goes_from_owner_to_member_and_back(as_ada, as_bo, shop, bo):
    address = f"/merchants/{shop.slug}/team/"
    assert as_ada.post(address, {"handle": "@Bo"}).status_code == 302
    mine = as_bo.get("/listings/mine/").content.decode()
    assert "invites you to the team of" in mine
    assert "I sell what is discussed here." in mine
    response = as_bo.post(f"/merchants/{shop.slug}/invitation/", {"accept": "yes"})
    assert response["Location"] == f"/merchants/{shop.slug}/shop/"
    assert role_of(bo, shop) == TeamRole.STAFF
    assert as_bo.get(address).status_code == 200
    assert as_bo.post(address, {"handle": "cy"}).status_code in (403, 422)
    assert not TeamInvitation.objects.exists()


def test_an_unknown_handle_is_said_beside_its_field(as_ada, shop):
    response = as_ada.post(f"/merchants/{shop.slug}/team/", {"handle": "nobody"})
    assert response.status_code == 422
    assert "There is no member of this handle." in response.content.decode()


def test_without_an_invitation_there_is_nothing_to_answer(as_bo, shop, bo):
    response = as_bo.post(f"/merchants/{shop.slug}/invitation/", {"accept": "yes"})
    assert response.status_code == 404
    assert role_of(bo, shop) is None


def test_staff_may_not_change_the_shop_but_may_leave(as_bo, shop, ada, bo):
    add_team_member(merchant=shop, member=bo, by=ada)
    assert as_bo.post(f"/merchants/{shop.slug}/settings/", SAID).status_code == 403
    ada_there = f"/merchants/{shop.slug}/team/ada/"
    assert as_bo.post(ada_there, {"_method": "delete"}).status_code == 403
    assert as_bo.post(ada_there, {"role": "staff"}).status_code == 403
    response = as_bo.post(f"/merchants/{shop.slug}/team/bo/", {"_method": "delete"})
    assert response["Location"] == "/listings/mine/"
    assert list(TeamMember.objects.values_list("member", flat=True)) == [ada.pk]


def test_an_owner_changes_settings_and_roles(as_ada, shop, ada, bo):
    add_team_member(merchant=shop, member=bo, by=ada)
    as_ada.post(f"/merchants/{shop.slug}/settings/", {**SAID, "name": "Shore", "host": "x.example"})
    shop.refresh_from_db()
    assert (shop.name, shop.host, shop.slug) == ("Shore", "shore.example", "shore-optical")
    as_ada.post(f"/merchants/{shop.slug}/team/bo/", {"role": "owner"})
    assert role_of(bo, shop) == TeamRole.OWNER
    response = as_ada.post(f"/merchants/{shop.slug}/team/bo/", {"role": "king"}, follow=True)
    assert "There is no such role." in response.content.decode()


def test_everybody_reads_a_shops_page(guest, as_ada, shop):
    make_listing(shop, "Sonet 50 mm")
    html = guest.get(f"/merchants/{shop.slug}/shop/").content.decode()
    for words in ("Shore Optical", "I sell what is discussed here.", "Ada Quist", "Sonet 50 mm"):
        assert words in html
    assert "Team</a>" not in html
    assert "Team</a>" in as_ada.get(f"/merchants/{shop.slug}/shop/").content.decode()
    assert guest.get("/merchants/nothing/shop/").status_code == 404


# -- disclosure -------------------------------------------------------------------------------


def test_posts_of_a_team_say_whom_they_sell_for(guest, shop, thread, bo):
    make_post(bo, thread)
    html = guest.get(thread.get_absolute_url()).content.decode()
    assert html.count('<span class="vh">: I sell what is discussed here.</span>') == 1  # ada's
    assert html.count('href="/merchants/shore-optical/shop/"') == 1


def test_a_private_seller_discloses_what_they_wrote_and_nothing_else(guest, ada, thread):
    own = personal_merchant(ada)
    assert "/merchants/ada/shop/" not in guest.get(thread.get_absolute_url()).content.decode()
    Merchant.objects.filter(pk=own.pk).update(disclosure="I repair these for money.")
    html = guest.get(thread.get_absolute_url()).content.decode()
    assert "I repair these for money." in html


def test_disclosures_of_twenty_authors_cost_one_query(guest, thread, group):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            guest.get(thread.get_absolute_url())
        return len(captured)

    few = queries()
    for _ in range(18):
        author = make_member()
        join(author, group)
        make_merchant(owner=author)
        make_post(author, thread)
    assert queries() == few
