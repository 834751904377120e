"""Groups: who gets in, who keeps them, and what a hidden one shows to outsiders."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from community.groups.errors import (
    AlreadyAsked,
    InvitationSpent,
    LastOwner,
    NotAllowed,
    NotInvited,
)
from community.groups.models import Group, Invitation, JoinMode, JoinRequest, Membership, Role
from community.groups.services import (
    INVITATION_LIFETIME,
    accept_invitation,
    answer_join_request,
    invite,
    join_group,
    leave_group,
    remove_member,
    set_role,
)
from community.members.models import Member
from config.models import OutboxEvent
from tests.community.test_moderating import after_it
from tests.factories import join, make_group, make_member, owner_of

pytestmark = pytest.mark.django_db


def size(group: Group) -> int:
    group.refresh_from_db()
    return group.member_count


def test_joining_an_open_group_counts_once_and_is_announced(group: Group, cy: Member):
    before = size(group)
    join_group(member=cy, group=group)
    join_group(member=cy, group=group)
    assert size(group) == before + 1
    assert Membership.objects.get(group=group, member=cy).role == Role.MEMBER
    told = OutboxEvent.objects.filter(kind="community.MemberJoined", payload__member_id=cy.pk)
    assert told.count() == 1


def test_a_group_on_request_keeps_the_asker_outside_until_a_moderator_answers(cy: Member):
    group = make_group("readers", join_mode=JoinMode.REQUEST)
    asked = join_group(member=cy, group=group, message="I read.")
    assert isinstance(asked, JoinRequest)
    assert size(group) == 1
    with pytest.raises(AlreadyAsked):
        join_group(member=cy, group=group)
    answer_join_request(request=asked, by=owner_of(group), accept=True)
    assert size(group) == 2
    answer_join_request(request=asked, by=owner_of(group), accept=False)
    asked.refresh_from_db()
    assert asked.accepted is True


def test_a_declined_asker_stays_outside_and_may_ask_again(cy: Member):
    group = make_group("readers", join_mode=JoinMode.REQUEST)
    asked = join_group(member=cy, group=group)
    assert isinstance(asked, JoinRequest)
    answer_join_request(request=asked, by=owner_of(group), accept=False)
    assert size(group) == 1
    assert isinstance(join_group(member=cy, group=group), JoinRequest)


def test_a_member_cannot_answer_a_request(cy: Member):
    group = make_group("readers", join_mode=JoinMode.REQUEST)
    helper = make_member("helper")
    asked = join_group(member=helper, group=group)
    assert isinstance(asked, JoinRequest)
    with pytest.raises(NotAllowed):
        answer_join_request(request=asked, by=cy, accept=True)
    assert size(group) == 1


@pytest.mark.parametrize("mode", [JoinMode.INVITE, JoinMode.HIDDEN])
def test_nobody_walks_into_a_group_by_invitation(mode: JoinMode, cy: Member):
    group = make_group("closed", join_mode=mode)
    with pytest.raises(NotInvited):
        join_group(member=cy, group=group)
    assert size(group) == 1


def test_an_invitation_lets_one_person_in_once(cy: Member, bo: Member):
    group = make_group("closed", join_mode=JoinMode.HIDDEN)
    token = invite(group=group, by=owner_of(group)).token
    accept_invitation(token=token, member=cy)
    with pytest.raises(InvitationSpent):
        accept_invitation(token=token, member=bo)
    assert size(group) == 2


def test_an_invitation_expires(cy: Member):
    group = make_group("closed", join_mode=JoinMode.HIDDEN)
    token = invite(group=group, by=owner_of(group)).token
    with (
        time_machine.travel(timezone.now() + INVITATION_LIFETIME),
        pytest.raises(InvitationSpent),
    ):
        accept_invitation(token=token, member=cy)


def test_a_member_inside_does_not_spend_an_invitation(group: Group, ada: Member, cy: Member):
    token = invite(group=group, by=owner_of(group)).token
    accept_invitation(token=token, member=ada)
    accept_invitation(token=token, member=cy)
    assert Invitation.objects.get(token=token).used_by == cy


def test_a_member_cannot_invite(group: Group, ada: Member):
    with pytest.raises(NotAllowed):
        invite(group=group, by=ada)
    assert not Invitation.objects.exists()


def test_the_last_owner_cannot_leave_nor_step_down(group: Group):
    owner = owner_of(group)
    with pytest.raises(LastOwner):
        leave_group(member=owner, group=group)
    with pytest.raises(LastOwner):
        set_role(group=group, member=owner, role=Role.MEMBER, by=owner)
    assert owner_of(group) == owner


def test_leaving_counts_down_and_leaving_twice_changes_nothing(group: Group, ada: Member):
    before = size(group)
    leave_group(member=ada, group=group)
    leave_group(member=ada, group=group)
    assert size(group) == before - 1


def test_a_moderator_takes_out_members_but_no_moderator(group: Group, mo: Member, ada: Member):
    second = make_member("second")
    join(second, group, Role.MODERATOR)
    remove_member(group=group, member=ada, by=mo)
    with pytest.raises(NotAllowed):
        remove_member(group=group, member=second, by=mo)
    with pytest.raises(NotAllowed):
        set_role(group=group, member=mo, role=Role.OWNER, by=mo)
    assert not Membership.objects.filter(group=group, member=ada).exists()


@pytest.mark.django_db(transaction=True)
def test_who_opens_a_group_of_a_name_that_was_just_taken_is_told(as_member):
    bo = make_member("bo")
    answers = []

    def open_it() -> None:
        form = {"name": "Cellar", "glyph": "🐟", "template": "services", "join_mode": "open"}
        answers.append(as_member(bo).post("/groups/new/", {**form, "tint": "1"}))

    assert after_it(lambda: make_group("cellar", name="Cellar"), open_it) == []
    assert [answer.status_code for answer in answers] == [422]
    assert "There is a group of this name already" in answers[0].content.decode()
    assert Group.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one_behind():
    group = make_group("shared")
    first, second = owner_of(group), make_member("second")
    join(second, group, Role.OWNER)

    def leave(member: Member) -> bool:
        try:
            leave_group(member=member, group=group)
        except LastOwner:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        left = list(pool.map(leave, [first, second]))
    assert sorted(left) == [False, True]
    assert Membership.objects.filter(group=group, role=Role.OWNER).count() == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"join_mode": "secret"},
        {"template": "cars"},
        {"tint": 12},
    ],
)
def test_the_database_refuses_a_group_that_is_none(broken: dict[str, object]):
    fields = {"slug": "x", "name": "X", "template": "fitness", **broken}
    with pytest.raises(IntegrityError), transaction.atomic():
        Group.objects.create(**fields)


def test_the_database_keeps_a_member_once_in_a_group(group: Group, ada: Member):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(group=group, member=ada)


# -- pages ------------------------------------------------------------------------------------


def group_pages(group: Group) -> list[str]:
    names = ["group", "group_about", "group_members", "group_listings", "new_thread", "room"]
    return [reverse(name, args=[group.slug]) for name in names]


def test_a_hidden_group_is_404_for_outsiders_on_every_page(
    hidden_group: Group, as_cy: Client, guest: Client
):
    for address in group_pages(hidden_group):
        assert as_cy.get(address).status_code == 404, address
        answer = guest.get(address)
        assert answer.status_code in (302, 404), address
        assert "Cellar" not in answer.content.decode()
        assert as_cy.get(address, headers={"HX-Request": "true"}).status_code == 404, address
    assert as_cy.post(reverse("membership", args=[hidden_group.slug])).status_code == 404
    for client in (as_cy, guest):
        assert "Cellar" not in client.get(reverse("groups")).content.decode()
        assert "Cellar" not in client.get(reverse("home")).content.decode()


def test_a_hidden_group_is_there_for_its_members(hidden_group: Group, as_ada: Client):
    for address in group_pages(hidden_group):
        assert as_ada.get(address).status_code == 200, address
    assert "Cellar" in as_ada.get(reverse("groups")).content.decode()


def test_joining_and_leaving_by_the_button(group: Group, cy: Member, as_cy: Client):
    address = reverse("membership", args=[group.slug])
    assert "Join" in as_cy.get(group.get_absolute_url()).content.decode()
    assert as_cy.post(address).status_code == 302
    assert Membership.objects.filter(group=group, member=cy).exists()
    assert "Joined" in as_cy.get(group.get_absolute_url()).content.decode()
    as_cy.post(address, {"_method": "delete"})
    assert not Membership.objects.filter(group=group, member=cy).exists()


def test_joining_never_leads_to_another_site(group: Group, as_cy: Client):
    answer = as_cy.post(reverse("membership", args=[group.slug]), {"next": "https://evil.example/"})
    assert answer["Location"] == group.get_absolute_url()


def test_a_guest_who_joins_is_sent_to_sign_in_and_back(group: Group, guest: Client):
    address = reverse("membership", args=[group.slug])
    came_from = f"http://testserver{group.get_absolute_url()}"
    answer = guest.post(address, headers={"Referer": came_from})
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={group.get_absolute_url()}"


def test_opening_a_group_makes_its_owner(as_cy: Client, cy: Member):
    answer = as_cy.post(
        reverse("new_group"),
        {
            "name": "Tin toys",
            "glyph": "🚂",
            "template": "collectibles",
            "join_mode": "open",
            "about": "Wind-up and friction.",
            "rules": "Photograph rust.\n\nNo repaints sold as mint.",
            "tint": "3",
        },
    )
    assert answer.status_code == 302
    group = Group.objects.get(slug="tin-toys")
    assert owner_of(group) == cy
    assert group.rule_lines == ["Photograph rust.", "No repaints sold as mint."]


def test_a_bad_group_form_keeps_what_was_typed(as_cy: Client, group: Group):
    answer = as_cy.post(reverse("new_group"), {"name": "Film cameras", "about": "Typed with care."})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Typed with care." in page
    assert "There is a group of this name already" in page
    assert Group.objects.count() == 1


def test_only_an_owner_changes_a_group(group: Group, as_mo: Client, as_member):
    address = reverse("edit_group", args=[group.slug])
    assert as_mo.get(address).status_code == 404
    assert as_member(owner_of(group)).get(address).status_code == 200


def test_only_moderators_see_requests_and_invitations(group: Group, as_ada: Client, as_mo: Client):
    invitation = invite(group=group, by=owner_of(group))
    address = reverse("group_members", args=[group.slug])
    assert invitation.token not in as_ada.get(address).content.decode()
    assert invitation.token in as_mo.get(address).content.decode()
    made = as_ada.post(reverse("group_invitations", args=[group.slug]))
    assert made.status_code == 403


def test_a_spent_invitation_says_so(as_cy: Client):
    answer = as_cy.get(reverse("invitation", args=["nothing-like-it"]))
    assert answer.status_code == 410
    assert "This invitation is over" in answer.content.decode()


def test_the_directory_pages_by_size_without_losing_a_group(guest: Client):
    for number in range(30):
        make_group(f"g{number}", name=f"Group {number:02}")
    seen: list[str] = []
    address = reverse("groups")
    for _ in range(3):
        answer = guest.get(address)
        seen += [group.slug for group in answer.context["groups"]]
        if not (after := answer.context["after"]):
            break
        address = f"{reverse('groups')}?after={after}"
    assert sorted(seen) == sorted(f"g{number}" for number in range(30))


def test_the_directory_finds_by_words_and_says_when_it_finds_nothing(group: Group, guest: Client):
    assert "Film cameras" in guest.get("/groups/?q=camera").content.decode()
    page = guest.get("/groups/?q=zeppelin").content.decode()
    assert "No group of that kind" in page


@pytest.mark.parametrize("after", ["x", "9" * 40, "-", "1-", "1-²", "0-0"])
def test_a_broken_cursor_is_no_error(group: Group, guest: Client, after: str):
    for address in ("/groups/", "/", group.get_absolute_url(), f"/g/{group.slug}/members/"):
        assert guest.get(address, {"after": after}).status_code == 200


def test_an_owner_who_is_silenced_cannot_rename_the_group(
    silenced: Member, group: Group, as_member
):
    Membership.objects.filter(group=group, member=silenced).update(role=Role.OWNER)
    client = as_member(silenced)
    said = {"name": "Buy lenses", "slug": group.slug, "template": group.template}
    said |= {"join_mode": "open", "glyph": "🐟", "tint": "0"}
    answer = client.post(f"/g/{group.slug}/edit/", said)
    assert answer.status_code == 422
    assert "Sold the same lens twice." in answer.content.decode()
    group.refresh_from_db()
    assert group.name == "Film cameras"
