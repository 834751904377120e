"""Moderation: flags gather in cases, decisions hide for a reason, every act leaves an entry."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group as AuthGroup
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client, override_settings
from django.utils import timezone
from PIL import Image as PillowImage

from community.chat.models import Message
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Post, Thread
from community.uploads.services import save_image
from moderation.audit.models import AuditEntry
from moderation.audit.services import OutsideTransaction, record
from moderation.flags.errors import (
    AlreadyHidden,
    CaseClosed,
    MayNotDecide,
    OwnCase,
    OwnContent,
    ReasonMissing,
    TooManyFlags,
)
from moderation.flags.models import Case, Decision, Flag, FlagReason, Outcome
from moderation.flags.services import FLAGS_PER_DAY, decide, flag, show_again
from moderation.queue.roles import ROLE_NAME, ensure_moderator_role
from tests.factories import join, make_member, make_post, make_thread
from tests.factories_commerce import keeper_of, make_listing

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db: None) -> Member:
    """A site moderator: staff with the moderator role and nothing more."""
    member = make_member("lin", name="Lin Koh", is_staff=True)
    member.groups.add(ensure_moderator_role())
    return Member.objects.get(pk=member.pk)


@pytest.fixture
def as_staff(staff: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(staff)


@pytest.fixture
def reply(thread: Thread, ada: Member) -> Post:
    return make_post(ada, thread, "You clearly know nothing.")


def flagged(reply: Post, by: Member, reason: str = FlagReason.UNKIND) -> Case:
    return flag(kind="post", target=reply, member=by, reason=reason).case


def test_flags_on_one_target_gather_in_one_case(reply: Post, bo: Member, mo: Member):
    first = flagged(reply, bo)
    assert flagged(reply, bo) == first
    assert flagged(reply, mo, FlagReason.SPAM) == first
    first.refresh_from_db()
    assert first.flag_count == 2
    assert first.author == reply.author
    assert Flag.objects.count() == 2


def test_nobody_flags_their_own(reply: Post, ada: Member):
    with pytest.raises(OwnContent):
        flagged(reply, ada)
    assert not Case.objects.exists()


def test_a_member_flags_so_many_a_day(reply: Post, bo: Member, ada: Member):
    case = flagged(reply, bo)
    for _ in range(FLAGS_PER_DAY - 1):
        other = Case.objects.create(
            kind="post", target_id=case.target_id, author=ada, closed_at=timezone.now()
        )
        Flag.objects.create(case=other, member=bo, reason=FlagReason.OTHER)
    with pytest.raises(TooManyFlags):
        flagged(make_post(ada, reply.thread, "Another."), bo)
    assert Case.objects.filter(closed_at=None).count() == 1


def test_hiding_takes_the_words_away_and_tells_the_author_why(
    reply: Post, bo: Member, staff: Member, as_ada: Client, as_bo: Client, thread: Thread
):
    decide(case=flagged(reply, bo), by=staff, outcome=Outcome.HIDE, reason="Unkind to a newcomer.")
    reply.refresh_from_db()
    assert (reply.hidden_by, reply.hidden_reason) == (staff, "Unkind to a newcomer.")
    thread.refresh_from_db()
    assert thread.reply_count == 0
    others = as_bo.get(thread.get_absolute_url()).content.decode()
    assert "You clearly know nothing." not in others
    assert "Unkind to a newcomer." not in others
    authors = as_ada.get(thread.get_absolute_url()).content.decode()
    assert "Unkind to a newcomer." in authors
    assert "Unkind to a newcomer." in as_ada.get("/settings/decisions/").content.decode()
    assert "Nothing of yours was hidden" in as_bo.get("/settings/decisions/").content.decode()


def test_keeping_closes_the_case_and_changes_nothing_else(reply: Post, bo: Member, staff: Member):
    case = flagged(reply, bo)
    decide(case=case, by=staff, outcome=Outcome.KEEP, reason="Blunt, not unkind.")
    reply.refresh_from_db()
    case.refresh_from_db()
    assert not reply.is_hidden
    assert not case.is_open


def test_a_decision_and_its_undoing_leave_entries(reply: Post, bo: Member, staff: Member):
    case = flagged(reply, bo)
    decide(case=case, by=staff, outcome=Outcome.HIDE, reason="Unkind.")
    show_again(case=case, by=staff, reason="Read it again.")
    show_again(case=case, by=staff, reason="Read it twice.")
    reply.refresh_from_db()
    assert not reply.is_hidden
    told = AuditEntry.objects.order_by("pk").values_list("action", "target", "reason")
    assert list(told) == [
        ("case.hide", f"post:{reply.pk}", "Unkind."),
        ("content.shown_again", f"post:{reply.pk}", "Read it again."),
    ]


def test_a_case_is_decided_once(reply: Post, bo: Member, staff: Member):
    case = flagged(reply, bo)
    decide(case=case, by=staff, outcome=Outcome.KEEP, reason="Fine.")
    with pytest.raises(CaseClosed):
        decide(case=case, by=staff, outcome=Outcome.HIDE, reason="Not fine.")
    assert AuditEntry.objects.count() == 1
    assert Decision.objects.get().outcome == Outcome.KEEP


def test_only_moderators_decide_and_only_with_a_reason(
    reply: Post, bo: Member, mo: Member, staff: Member
):
    case = flagged(reply, bo)
    for member in (bo, mo):
        with pytest.raises(MayNotDecide):
            decide(case=case, by=member, outcome=Outcome.HIDE, reason="So.")
    with pytest.raises(ReasonMissing):
        decide(case=case, by=staff, outcome=Outcome.HIDE, reason="  ")
    reply.refresh_from_db()
    assert not reply.is_hidden
    assert not Decision.objects.exists()
    assert not AuditEntry.objects.exists()


def test_nobody_decides_about_their_own(group: Group, thread: Thread, staff: Member, bo: Member):
    join(staff, group)
    case = flagged(make_post(staff, thread, "Mine."), bo)
    with pytest.raises(OwnCase):
        decide(case=case, by=staff, outcome=Outcome.KEEP, reason="I meant well.")
    case.refresh_from_db()
    assert case.is_open
    assert not AuditEntry.objects.exists()


def test_what_is_hidden_is_not_flagged_again(reply: Post, bo: Member, mo: Member, staff: Member):
    decide(case=flagged(reply, bo), by=staff, outcome=Outcome.HIDE, reason="Unkind.")
    reply.refresh_from_db()
    with pytest.raises(AlreadyHidden):
        flagged(reply, mo)


def test_after_a_decision_a_new_flag_opens_a_new_case(
    reply: Post, bo: Member, mo: Member, staff: Member
):
    decide(case=flagged(reply, bo), by=staff, outcome=Outcome.KEEP, reason="Fine.")
    assert flagged(reply, mo).is_open
    assert Case.objects.count() == 2


def test_hiding_the_opening_post_takes_the_thread_out_of_lists(
    thread: Thread, bo: Member, staff: Member, guest: Client, group: Group
):
    case = flagged(thread.posts.get(), bo)
    assert thread.title in guest.get("/").content.decode()
    decide(case=case, by=staff, outcome=Outcome.HIDE, reason="A scam.")
    for address in ("/", group.get_absolute_url(), f"{group.get_absolute_url()}?order=unanswered"):
        assert thread.title not in guest.get(address).content.decode()


def test_a_hidden_threads_title_and_pictures_are_its_authors_alone(
    ada: Member, bo: Member, group: Group, staff: Member, as_ada: Client, as_bo: Client
):
    picture = io.BytesIO()
    PillowImage.new("RGB", (40, 30), "teal").save(picture, "PNG")
    picture.seek(0)
    image = save_image(owner=ada, group=group, file=picture, alt="A lens")
    thread = make_thread(ada, group, title="Buy pills here", body=image.markdown)
    case = flagged(thread.posts.get(), bo, FlagReason.SPAM)
    assert as_bo.get(image.thumbnail_url).status_code == 200
    decide(case=case, by=staff, outcome=Outcome.HIDE, reason="Spam.")
    page = as_bo.get(f"/t/{thread.pk}/", follow=True)
    assert "pills" not in page.content.decode().lower()
    assert "pills" not in page.redirect_chain[-1][0]
    assert as_bo.get(image.thumbnail_url).status_code == 404
    assert as_ada.get(image.thumbnail_url).status_code == 200
    show_again(case=case, by=staff, reason="It was about vitamins.")
    assert as_bo.get(image.thumbnail_url).status_code == 200
    assert "Buy pills here" in as_bo.get(f"/t/{thread.pk}/", follow=True).content.decode()


def test_hiding_a_message_hides_its_words_in_the_room(
    ada: Member, bo: Member, group: Group, staff: Member, as_bo: Client
):
    message = send_message(room=room_of(group), sender=ada, body="Pay me by bank transfer")
    case = flag(kind="message", target=message, member=bo, reason=FlagReason.SCAM).case
    decide(case=case, by=staff, outcome=Outcome.HIDE, reason="Payment outside the site.")
    assert Message.objects.get().is_hidden
    for address in (f"/chat/{group.slug}/", f"/rooms/{message.room_id}/after/?after=0"):
        assert "bank transfer" not in as_bo.get(address).content.decode()


def test_a_hidden_listing_is_gone_but_for_its_seller_who_reads_why(
    staff: Member, as_member: Callable[[Member], Client], as_bo: Client
):
    listing = make_listing(title="Optra R2-M, never opened")
    seller = as_member(keeper_of(listing.merchant))
    address = listing.get_absolute_url()
    assert f"/flag/listing/{listing.pk}/" in as_bo.get(address).content.decode()
    as_bo.post(f"/flag/listing/{listing.pk}/", {"reason": FlagReason.WRONG})
    case = Case.objects.get(kind="listing", target_id=listing.pk)
    assert (case.author, case.flag_count) == (keeper_of(listing.merchant), 1)
    decide(case=case, by=staff, outcome=Outcome.HIDE, reason="The photos are not yours.")
    assert as_bo.get(address).status_code == 404
    for page in (address, "/settings/decisions/"):
        assert "The photos are not yours." in seller.get(page).content.decode()


# -- the database -----------------------------------------------------------------------------


def test_an_audit_entry_cannot_be_changed_or_deleted(staff: Member):
    with transaction.atomic():
        entry = record(actor=staff, action="test", target="post:1")
    for attack in (
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(reason="Another."),
        lambda: AuditEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="never changed nor deleted"), transaction.atomic():
            attack()
    assert AuditEntry.objects.get().reason == ""


@pytest.mark.django_db(transaction=True)
def test_an_entry_without_its_act_is_refused():
    with pytest.raises(OutsideTransaction):
        record(actor=make_member("lin"), action="test", target="post:1")
    assert not AuditEntry.objects.exists()


def test_the_database_keeps_one_open_case_a_target(ada: Member):
    Case.objects.create(kind="post", target_id=1, author=ada)
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.create(kind="post", target_id=1, author=ada)


# -- pages ------------------------------------------------------------------------------------


def test_flagging_by_the_form(reply: Post, as_bo: Client):
    address = f"/flag/post/{reply.pk}/"
    assert "You clearly know nothing." in as_bo.get(address).content.decode()
    missing = as_bo.post(address, {"note": "Typed."})
    assert missing.status_code == 422
    assert "Typed." in missing.content.decode()
    assert not Flag.objects.exists()
    answer = as_bo.post(address, {"reason": "unkind", "note": "Rude."})
    assert answer.status_code == 302
    assert Flag.objects.get().note == "Rude."


def test_what_one_may_not_see_cannot_be_flagged(
    ada: Member, hidden_group: Group, as_cy: Client, guest: Client
):
    post = make_thread(ada, hidden_group).posts.get()
    message = send_message(room=room_of(hidden_group), sender=ada, body="Psst")
    for kind, pk in (("post", post.pk), ("message", message.pk), ("post", 10**6), ("car", 1)):
        assert as_cy.get(f"/flag/{kind}/{pk}/").status_code == 404
        assert as_cy.post(f"/flag/{kind}/{pk}/", {"reason": "spam"}).status_code == 404
        assert guest.get(f"/flag/{kind}/{pk}/").status_code == 302
    assert not Case.objects.exists()


def test_a_moderator_works_the_queue_in_the_admin(reply: Post, bo: Member, as_staff: Client):
    case = flagged(reply, bo)
    queue = as_staff.get("/staff/moderation/case/").content.decode()
    assert "You clearly know nothing." in queue
    assert "Unkind or hateful" in queue
    address = f"/staff/moderation/case/{case.pk}/change/"
    assert "Bo Lind" in as_staff.get(address).content.decode()
    missing = as_staff.post(address, {"decide": "Decide", "outcome": "hide", "reason": ""})
    assert missing.status_code == 422
    assert "Say why" in missing.content.decode()
    done = as_staff.post(address, {"decide": "Decide", "outcome": "hide", "reason": "Unkind."})
    assert done.status_code == 302
    reply.refresh_from_db()
    assert reply.hidden_reason == "Unkind."
    as_staff.post(address, {"show_again": "1", "reason": "Mistaken."})
    reply.refresh_from_db()
    assert not reply.is_hidden
    assert "case.hide" in as_staff.get("/staff/moderation/auditentry/").content.decode()


def test_the_queue_costs_the_same_however_long(
    thread: Thread, ada: Member, bo: Member, as_staff: Client
):
    def look() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            assert as_staff.get("/staff/moderation/case/").status_code == 200
        return len(queries)

    flagged(make_post(ada, thread, "One."), bo)
    few = look()
    for number in range(12):
        flagged(make_post(ada, thread, f"Number {number}."), bo)
    assert look() == few


def test_the_moderator_role_may_decide_and_sanction_and_nothing_else(
    as_staff: Client, staff: Member
):
    assert sorted(staff.get_all_permissions()) == [
        "community.view_member",
        "community.view_room",
        "moderation.add_decision",
        "moderation.add_sanction",
        "moderation.view_auditentry",
        "moderation.view_case",
        "moderation.view_decision",
        "moderation.view_flag",
        "moderation.view_sanction",
    ]
    assert AuthGroup.objects.get(name=ROLE_NAME).permissions.count() == 9
    for closed in (
        "community/badge/",
        "config/outboxevent/",
        "auth/group/",
        "moderation/case/add/",
    ):
        assert as_staff.get(f"/staff/{closed}").status_code in (403, 404), closed


def test_a_group_moderator_has_no_way_into_the_admin(as_mo: Client, guest: Client):
    assert as_mo.get("/staff/moderation/case/").status_code == 302
    assert as_mo.get("/staff/login/")["Location"] == "/"
    answer = guest.get("/staff/")
    assert answer["Location"].startswith("/staff/login/")
    assert guest.get(answer["Location"])["Location"] == "/accounts/login/?next=/staff/"


@override_settings(STAFF_MFA_REQUIRED=True)
def test_staff_without_a_second_factor_are_sent_to_add_one(as_staff: Client):
    assert as_staff.get("/staff/moderation/case/").status_code == 302
    assert as_staff.get("/staff/login/")["Location"] == "/accounts/2fa/"


def test_the_admin_keeps_a_policy_without_eval_or_inline(as_staff: Client):
    policy = as_staff.get("/staff/moderation/case/")["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    assert "unsafe" not in policy
