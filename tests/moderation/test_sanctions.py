"""Sanctions: who is silenced reads only, who is suspended stays out; each says why and ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from commerce.merchants.models import TeamInvitation
from commerce.merchants.services import open_shop
from commerce.placements.models import Evidence, Placement, PlacementState
from community.chat.errors import MessageRefused
from community.chat.models import Message, Room
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.models import Group, Invitation, JoinRequest, Membership, Role
from community.members.errors import MayNotWrite
from community.members.models import FOREVER, Member
from community.members.sanctions import ensure_may_sign_in, ensure_may_write
from community.notifications.models import Notification
from community.polls.models import Poll
from community.polls.services import make_poll, vote
from community.reactions.models import Reaction
from community.reactions.services import toggle_reaction
from community.threads.editing import edit_post
from community.threads.errors import Refused
from community.threads.hiding import delete_post
from community.threads.models import Post, Thread
from community.threads.rights import ensure_keeps_head
from moderation.audit.models import AuditEntry
from moderation.sanctions.errors import (
    EndsBefore,
    InForce,
    MayNotSanction,
    NotInForce,
    NotThisMember,
    ReasonMissing,
)
from moderation.sanctions.gates import refuse_silenced_message
from moderation.sanctions.models import Sanction
from moderation.sanctions.services import lift, penalised_since, silence, suspend
from tests.factories import PASSWORD, make_member, make_post, make_thread
from tests.factories_commerce import make_listing, make_merchant
from tests.outbox import run_outbox

pytestmark = pytest.mark.django_db

WHY = "Sold the same lens twice."


def in_days(days: float):
    return timezone.now() + timedelta(days=days)


# -- silence ----------------------------------------------------------------------------------


def test_a_silenced_member_reads(silenced: Member, thread: Thread, as_member):
    page = as_member(silenced).get(thread.get_absolute_url())
    assert page.status_code == 200
    assert "Prices have nearly doubled" in page.content.decode()


def test_a_silenced_member_posts_nothing_and_loses_nothing(silenced: Member, thread, as_member):
    client = as_member(silenced)
    answer = client.post(f"/t/{thread.pk}/replies/", {"body": "What I typed"})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "What I typed" in page
    assert WHY in page
    answer = client.post(f"/g/{thread.group.slug}/new/", {"title": "A title", "body": "Typed too"})
    assert answer.status_code == 403
    assert "Typed too" in answer.content.decode()
    assert not Post.objects.filter(author=silenced).exists()


def test_a_silenced_member_edits_nothing(ada: Member, keeper: Member, thread: Thread):
    post = thread.posts.get()
    silence(member=ada, by=keeper, reason=WHY)
    with pytest.raises(Refused, match=WHY):
        edit_post(post=post, editor=ada, body="Otherwise")
    post.refresh_from_db()
    assert post.body != "Otherwise"


def test_a_silenced_member_says_nothing_in_chat(silenced: Member, group: Group, as_member):
    with pytest.raises(MessageRefused, match=WHY) as refused:
        send_message(room=room_of(group), sender=silenced, body="Hello")
    assert refused.value.status == 403
    answer = as_member(silenced).post(f"/rooms/{room_of(group).pk}/messages/", {"body": "Hello"})
    assert answer.status_code == 403
    assert not Message.objects.exists()


def test_a_silenced_member_neither_reacts_nor_votes(silenced: Member, thread: Thread, as_member):
    post = thread.posts.get()
    poll = make_poll(post=post, question="Which?", options=["A", "B"])
    option = poll.options.all()[0]
    with pytest.raises(MayNotWrite, match=WHY):
        toggle_reaction(post=post, member=silenced, name="heart")
    with pytest.raises(Refused, match=WHY):
        vote(poll=poll, member=silenced, option_ids=[option.pk])
    answer = as_member(silenced).post(f"/p/{post.pk}/reactions/", {"name": "heart"})
    assert answer.status_code == 403
    assert not Reaction.objects.exists()
    option.refresh_from_db()
    assert option.votes == 0


def test_a_silenced_member_opens_no_group_and_renames_nothing(
    ada: Member, keeper: Member, thread: Thread, as_ada: Client
):
    silence(member=ada, by=keeper, reason=WHY)
    form = {"name": "Another", "glyph": "🐟", "template": "services", "join_mode": "open"}
    answer = as_ada.post("/groups/new/", {**form, "tint": "1"})
    assert answer.status_code == 422
    assert WHY in answer.content.decode()
    with pytest.raises(Refused, match=WHY):
        ensure_keeps_head(thread, ada)
    assert not Group.objects.filter(slug="another").exists()


def test_a_silenced_moderator_writes_no_reason_title_or_tag(
    mo: Member, keeper: Member, thread: Thread, as_member: Callable[[Member], Client]
):
    post = make_post(mo, thread)
    other = make_thread(mo, thread.group)
    answer = make_post(other.author, thread)
    hidden = make_post(thread.author, thread)
    silence(member=mo, by=keeper, reason="Sold the same lens twice.")
    client = as_member(Member.objects.get(pk=mo.pk))
    why = {"reason": "Buy at my shop."}
    place = f"/t/{thread.pk}"
    for address, said in {
        f"{place}/lock/": why,
        f"{place}/pin/": why,
        f"{place}/slow-mode/": {**why, "seconds": "60"},
        f"{place}/closing/": {**why, "days": "30"},
        f"{place}/title/": {**why, "title": "Buy at my shop"},
        f"{place}/split/": {**why, "title": "Buy at my shop", "posts": str(answer.pk)},
        f"{place}/merge/": {**why, "into": str(other.pk)},
        f"/p/{hidden.pk}/hiding/": why,
        f"/g/{thread.group.slug}/tags/keep/": {"new": "1", "name": "my shop"},
    }.items():
        refused = client.post(address, said)
        assert refused.status_code == 403, address
        assert "Sold the same lens twice." in refused.content.decode(), address
    thread.refresh_from_db()
    assert not thread.is_locked
    assert not thread.entries.exists()
    assert Post.objects.get(pk=post.pk).thread_id == thread.pk


def test_a_silenced_moderator_decides_about_nobody(
    mo: Member, cy: Member, bo: Member, keeper: Member, thread: Thread, as_member
):
    group = thread.group
    Membership.objects.filter(group=group, member=mo).update(role=Role.OWNER)
    asked = JoinRequest.objects.create(group=group, member=cy)
    reply = make_post(bo, thread)
    Thread.objects.filter(pk=thread.pk).update(kind="question")
    poll = make_poll(post=thread.posts.get(number=1), question="Which?", options=["A", "B"])
    hidden = make_post(bo, thread)
    delete_post(post=hidden, by=bo)
    offered = Placement.objects.create(
        thread=thread,
        listing=make_listing(make_merchant(owner=bo), group=group),
        evidence=Evidence.MODEL,
        state=PlacementState.SUGGESTED,
    )
    silence(member=mo, by=keeper, reason=WHY)
    client = as_member(Member.objects.get(pk=mo.pk))
    for address, said in {
        f"/g/{group.slug}/requests/{asked.pk}/": {"accept": "yes"},
        f"/g/{group.slug}/invitations/": {},
        f"/g/{group.slug}/invitations/#of-a-member": {"handle": "cy"},
        f"/g/{group.slug}/members/bo/role/": {"role": "moderator"},
        f"/g/{group.slug}/members/bo/role/#out": {"role": "none"},
        f"/p/{hidden.pk}/hiding/": {"_method": "delete"},
        f"/p/{reply.pk}/answer/": {},
        f"/p/{reply.pk}/wiki/": {},
        f"/p/{poll.post_id}/poll/closing/": {},
        f"/placements/{offered.pk}/confirmation/": {},
        f"/placements/{offered.pk}/removal/": {},
    }.items():
        refused = client.post(address, said)
        assert refused.status_code == 403, address
        assert WHY in refused.content.decode(), address
    asked.refresh_from_db()
    assert asked.answered_at is None
    assert not group.memberships.filter(member=cy).exists()
    assert not Invitation.objects.exists()
    assert Membership.objects.get(group=group, member=bo).role == Role.MEMBER
    assert Post.objects.get(pk=hidden.pk).is_hidden
    assert not Post.objects.get(pk=reply.pk).is_wiki
    assert Thread.objects.get(pk=thread.pk).answer_id is None
    assert Poll.objects.get(pk=poll.pk).closed_at is None
    offered.refresh_from_db()
    assert offered.state == PlacementState.SUGGESTED


def test_a_silenced_moderator_still_reads_what_is_hidden_and_may_leave(
    mo: Member, bo: Member, keeper: Member, thread: Thread, as_member
):
    hidden = make_post(bo, thread)
    delete_post(post=hidden, by=bo)
    silence(member=mo, by=keeper, reason=WHY)
    client = as_member(Member.objects.get(pk=mo.pk))
    assert client.get(f"/p/{hidden.pk}/hiding/").status_code == 200
    left = client.post(f"/g/{thread.group.slug}/membership/", {"_method": "delete"})
    assert left.status_code == 302
    assert not Membership.objects.filter(group=thread.group, member=mo).exists()


def test_a_silenced_seller_takes_their_listing_away_and_asks_nobody_in(
    bo: Member, cy: Member, keeper: Member, thread: Thread, as_member
):
    shop = open_shop(owner=bo, name="Bo's", host="bo.example", disclosure="I sell.")
    listing = make_listing(shop, group=thread.group)
    placed = Placement.objects.create(thread=thread, listing=listing, evidence=Evidence.HAND)
    silence(member=bo, by=keeper, reason=WHY)
    client = as_member(Member.objects.get(pk=bo.pk))
    assert client.post(f"/placements/{placed.pk}/removal/").status_code == 302
    placed.refresh_from_db()
    assert placed.state == PlacementState.REMOVED
    team = f"/merchants/{shop.slug}/team/"
    assert client.post(team, {"handle": "cy"}).status_code == 403
    assert client.post(f"{team}bo/", {"role": "staff"}).status_code == 403
    assert not TeamInvitation.objects.exists()


def test_a_silenced_shopkeeper_renames_no_shop(bo: Member, keeper: Member, as_member):
    shop = open_shop(owner=bo, name="Bo's", host="bo.example", disclosure="I sell.")
    silence(member=bo, by=keeper, reason="Sold the same lens twice.")
    said = {"name": "Buy here", "host": "bo.example", "disclosure": "I sell.", "about": ""}
    client = as_member(Member.objects.get(pk=bo.pk))
    assert client.post(f"/merchants/{shop.slug}/settings/", said).status_code == 403
    shop.refresh_from_db()
    assert shop.name == "Bo's"


def test_a_silence_ends_by_itself(bo: Member, keeper: Member, thread: Thread):
    silence(member=bo, by=keeper, reason=WHY, until=in_days(3))
    with pytest.raises(Refused):
        make_post(bo, thread, "Too early.")
    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=1)):
        assert make_post(bo, thread, "Back again.").number == 2


def test_a_refusal_says_until_when(bo: Member, keeper: Member, thread: Thread):
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        silence(member=bo, by=keeper, reason=WHY, until=in_days(3))
        with pytest.raises(Refused, match="until 5 Mar 2026, 10:00 UTC"):
            make_post(bo, thread)


def test_a_silence_is_lifted_with_a_reason(silenced: Member, keeper: Member, thread: Thread):
    sanction = Sanction.objects.get()
    assert silenced.silenced_until == FOREVER
    lift(sanction=sanction, by=keeper, reason="It was a mix-up.")
    silenced.refresh_from_db()
    assert not silenced.is_silenced(timezone.now())
    assert make_post(silenced, thread, "Thank you.").number == 2
    with pytest.raises(NotInForce):
        lift(sanction=sanction, by=keeper, reason="Again.")
    sanction.refresh_from_db()
    assert (sanction.lifted_by, sanction.lifted_reason) == (keeper, "It was a mix-up.")


# -- suspension -------------------------------------------------------------------------------


def sign_in(client: Client, member: Member):
    return client.post("/accounts/login/", {"login": member.handle, "password": PASSWORD})


def test_a_suspended_member_cannot_sign_in_and_reads_why(bo: Member, keeper: Member, guest):
    suspend(member=bo, by=keeper, reason="Threats by message.", until=in_days(7))
    answer = sign_in(guest, bo)
    assert answer.status_code == 403
    assert "Threats by message." in answer.content.decode()
    assert "_auth_user_id" not in guest.session


def test_the_open_sessions_of_a_suspended_member_end(bo: Member, keeper: Member, as_bo: Client):
    assert as_bo.get("/settings/").status_code == 200
    sanction = suspend(member=bo, by=keeper, reason=WHY)
    assert as_bo.get("/settings/").status_code == 302
    lift(sanction=sanction, by=keeper, reason="Talked it over.")
    assert as_bo.get("/settings/").status_code == 302


def test_after_a_suspension_one_signs_in_again(bo: Member, keeper: Member):
    lift(sanction=suspend(member=bo, by=keeper, reason=WHY), by=keeper, reason="Sorted.")
    assert sign_in(Client(), bo).status_code == 302
    suspend(member=bo, by=keeper, reason=WHY, until=in_days(2))
    with time_machine.travel(timezone.now() + timedelta(days=2, seconds=1)):
        client = Client()
        assert sign_in(client, bo).status_code == 302
        assert client.get("/settings/").status_code == 200


def test_sessions_of_others_stay(bo: Member, keeper: Member, as_ada: Client):
    suspend(member=bo, by=keeper, reason=WHY)
    assert as_ada.get("/settings/").status_code == 200


# -- who, and what is kept --------------------------------------------------------------------


def test_only_moderators_of_the_site_sanction(ada: Member, bo: Member, mo: Member, keeper: Member):
    for by in (ada, mo):
        with pytest.raises(MayNotSanction):
            silence(member=bo, by=by, reason=WHY)
    made = silence(member=bo, by=keeper, reason=WHY)
    with pytest.raises(MayNotSanction):
        lift(sanction=made, by=mo, reason="Please.")


def test_nobody_sanctions_themselves_nor_staff_each_other(keeper: Member):
    other = make_member("lou", is_staff=True)
    for member in (keeper, other):
        with pytest.raises(NotThisMember):
            silence(member=member, by=keeper, reason=WHY)
    root = make_member("root", is_staff=True, is_superuser=True)
    assert silence(member=other, by=root, reason=WHY).member == other


def test_a_sanction_needs_a_reason_and_an_end_to_come(bo: Member, keeper: Member):
    with pytest.raises(ReasonMissing):
        silence(member=bo, by=keeper, reason="  ")
    with pytest.raises(EndsBefore):
        silence(member=bo, by=keeper, reason=WHY, until=timezone.now())
    silence(member=bo, by=keeper, reason=WHY)
    with pytest.raises(InForce):
        silence(member=bo, by=keeper, reason=WHY, until=in_days(1))
    assert Sanction.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def test_every_act_leaves_an_entry_and_tells_the_member(bo: Member, keeper: Member):
    lift(sanction=silence(member=bo, by=keeper, reason=WHY), by=keeper, reason="Sorted.")
    entries = AuditEntry.objects.order_by("pk").values_list("action", "target", "reason")
    assert list(entries) == [
        ("member.silenced", f"member:{bo.pk}", WHY),
        ("member.silence_lifted", f"member:{bo.pk}", "Sorted."),
    ]
    run_outbox()
    # Both handlers see what holds now: it is lifted.
    told = Notification.objects.get(member=bo)
    assert told.details == {"about": "silence_lifted", "words": "Sorted."}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"kind": "ban"}, "sanction_kind_known"),
        ({"reason": ""}, "sanction_has_a_reason"),
        ({"ends_at": timezone.now() - timedelta(days=400)}, "sanction_lasts"),
        ({"lifted_at": timezone.now()}, "sanction_lifted_whole"),
    ],
)
def test_the_database_refuses_half_a_sanction(silenced: Member, change, name: str):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Sanction.objects.update(**change)


def test_who_was_penalised_lately_is_known(silenced: Member, bo: Member, keeper: Member):
    lift(sanction=silence(member=bo, by=keeper, reason=WHY), by=keeper, reason="Sorted.")
    ids = [silenced.pk, bo.pk, keeper.pk]
    assert penalised_since(ids, in_days(-1)) == {silenced.pk, bo.pk}
    assert penalised_since(ids, in_days(1)) == {silenced.pk}


# -- the admin --------------------------------------------------------------------------------


@pytest.fixture
def as_keeper(keeper: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(keeper)


def test_moderators_silence_and_lift_on_a_members_page(as_keeper: Client, bo: Member):
    page = f"/staff/community/member/{bo.pk}/change/"
    assert "None so far." in as_keeper.get(page).content.decode()
    answer = as_keeper.post(
        page, {"impose": "1", "kind": "silence", "days": "7", "reason": WHY}, follow=True
    )
    assert WHY in answer.content.decode()
    sanction = Sanction.objects.get(member=bo)
    assert sanction.ends_at is not None
    assert timedelta(days=6, hours=23) < sanction.ends_at - timezone.now() < timedelta(days=7)
    as_keeper.post(page, {"lift": "1", "sanction": sanction.pk, "reason": "Sorted."})
    bo.refresh_from_db()
    assert not bo.is_silenced(timezone.now())


def test_the_page_of_a_member_says_what_is_missing(as_keeper: Client, bo: Member):
    page = f"/staff/community/member/{bo.pk}/change/"
    answer = as_keeper.post(page, {"impose": "1", "kind": "silence", "reason": ""})
    assert answer.status_code == 422
    assert "Say why; the member will read it." in answer.content.decode()
    assert not Sanction.objects.exists()


def test_moderators_pin_a_trust_level_with_an_entry(as_keeper: Client, bo: Member, keeper):
    page = f"/staff/community/member/{bo.pk}/change/"
    as_keeper.post(page, {"set_level": "1", "level": "4", "reason": "Keeps the wiki."})
    bo.refresh_from_db()
    assert (bo.trust_level, bo.trust_pinned) == (4, True)
    entry = AuditEntry.objects.get(action="member.level_pinned")
    assert (entry.actor, entry.subject, entry.reason) == (keeper, bo, "Keeps the wiki.")
    assert entry.detail == {"before": 1, "level": 4}
    as_keeper.post(page, {"set_level": "1", "level": "", "reason": "Moved away."})
    bo.refresh_from_db()
    assert (bo.trust_level, bo.trust_pinned) == (0, False)


def test_others_have_no_such_page(as_mo: Client, as_ada: Client, bo: Member):
    for client in (as_mo, as_ada):
        assert client.get(f"/staff/community/member/{bo.pk}/change/").status_code == 302


def test_a_silence_costs_others_no_query(ada: Member, group: Group, django_assert_num_queries):
    with django_assert_num_queries(0):
        refuse_silenced_message(ada, Room(group=group), "Hello")
        ensure_may_write(ada)
        ensure_may_sign_in(ada)


def test_a_thread_of_a_silenced_member_stays(silenced: Member, bo: Member, keeper, guest, group):
    thread = make_thread(bo, group, title="Before it happened")
    silence(member=bo, by=keeper, reason=WHY)
    assert "Before it happened" in guest.get(thread.get_absolute_url()).content.decode()
