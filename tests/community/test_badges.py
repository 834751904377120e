"""Badges: earned by a rule, once, with the post that did it and a reason one can read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from community.events import MemberChanged, TrustChanged
from community.groups.models import Group, Interest
from community.members.models import Member, TrustLevel
from community.notifications.models import Notification
from community.reactions.services import toggle_reaction
from community.standing.activity import count_activity
from community.standing.asked import ASKED
from community.standing.badges import earners, give_badge, grant_due, subject_of, sweep
from community.standing.errors import BadgeHeld, ReasonMissing
from community.standing.given import BADGES, INTERESTS, ensure_given
from community.standing.models import Badge, BadgeGrant
from community.standing.pages import why_of
from community.standing.rules import COUNTS, FIRSTS, clean_rule, reason_of
from community.standing.tasks import count_members_activity, sweep_badges
from community.threads.marks import ReadingDay
from community.threads.models import Thread
from community.threads.services import choose_answer
from config.outbox import publish
from tests.factories import make_member, make_post, make_thread
from tests.outbox import run_outbox


@pytest.fixture
def only_mine(db: None) -> None:
    """No badges but those a test makes."""
    Badge.objects.all().delete()


def badge(rule: dict[str, Any] | None, **fields: Any) -> Badge:
    number = Badge.objects.count()
    fields = {"slug": f"b{number}", "name": f"Badge {number}", "glyph": "🏅", **fields}
    return Badge.objects.create(rule=rule, about="For a test.", **fields)


def holders(of: Badge) -> list[str]:
    grants = BadgeGrant.objects.filter(badge=of).order_by("member__handle")
    return list(grants.values_list("member__handle", flat=True))


# -- rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [row[5] for row in BADGES])
def test_every_rule_a_site_begins_with_is_known(rule: dict[str, Any]):
    clean_rule(rule)
    assert subject_of(rule) in ASKED
    assert reason_of(rule, "Member")


def test_all_that_rules_may_count_can_be_asked_and_said():
    rules = [{"count": count, "at_least": 2} for count in COUNTS]
    rules += [{"first": first} for first in FIRSTS]
    rules += [{"trust": 1}, {"anniversary_years": 1}]
    assert {subject_of(rule) for rule in rules} == set(ASKED)
    assert all(reason_of(rule, "Member") for rule in rules)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"count": "likes", "at_least": 1},
        {"count": "posts"},
        {"count": "posts", "at_least": 0},
        {"count": "posts", "at_least": True},
        {"count": "posts", "at_least": "10"},
        {"count": "posts", "at_least": 10, "more": 1},
        {"first": "kiss"},
        {"trust": 0},
        {"trust": 5},
        {"anniversary_years": 0},
        "posts",
        [1],
    ],
)
def test_no_other_rule_is_taken(rule: Any):
    with pytest.raises(ValidationError):
        clean_rule(rule)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_nothing_but_a_rule_passes_for_one(value: Any):
    if value is None:
        clean_rule(value)
        return
    with pytest.raises(ValidationError):
        clean_rule(value)


@pytest.mark.django_db
def test_a_site_begins_with_badges_and_interests_and_writing_them_again_changes_nothing():
    ensure_given(Interest, Badge)
    assert Interest.objects.count() == len(INTERESTS) == 24
    assert Badge.objects.count() == len(BADGES) == 21
    Badge.objects.filter(slug="hello").update(name="Renamed", is_active=False)
    ensure_given(Interest, Badge)
    kept = Badge.objects.get(slug="hello")
    assert (kept.name, kept.is_active, Badge.objects.count()) == ("Renamed", False, 21)


# -- earning ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_the_first_reply_earns_its_badge_with_the_post(ada: Member, bo: Member, thread: Thread):
    first = badge({"first": "reply"})
    post = make_post(bo, thread, "Hello.")
    make_post(bo, thread, "Again.")
    run_outbox()
    grant = BadgeGrant.objects.get()
    assert (grant.badge, grant.member, grant.post) == (first, bo, post)
    assert why_of(grant) == "Wrote a first reply."
    told = Notification.objects.get(kind="badge")
    assert (told.member, told.details["badge"]) == (bo, first.name)


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_counts_are_met_by_the_last_that_is_needed(bo: Member, thread: Thread, group: Group):
    three = badge({"count": "posts", "at_least": 3})
    two_threads = badge({"count": "threads", "at_least": 2})
    make_post(bo, thread)
    make_thread(bo, group, title="One")
    run_outbox()
    assert holders(three) == []
    make_thread(bo, group, title="Two")
    run_outbox()
    assert holders(three) == ["bo"]
    assert holders(two_threads) == ["bo"]


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_reactions_earn_for_who_gave_and_for_who_received(
    ada: Member, bo: Member, cy: Member, thread: Thread
):
    given = badge({"first": "reaction"})
    received = badge({"count": "reactions_received", "at_least": 2})
    on_one = badge({"count": "reactions_received_on_one_post", "at_least": 2})
    post = thread.posts.get()
    toggle_reaction(post=post, member=bo, name="heart")
    run_outbox()
    assert (holders(given), holders(received)) == (["bo"], [])
    toggle_reaction(post=post, member=cy, name="heart")
    run_outbox()
    assert holders(given) == ["bo", "cy"]
    assert holders(received) == ["ada"]
    assert BadgeGrant.objects.get(badge=on_one).post == post


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_answers_count_for_who_wrote_them_not_for_ones_own(ada: Member, bo: Member, thread):
    answers = badge({"first": "answer"})
    own = make_post(ada, thread, "Found it myself.")
    choose_answer(thread=thread, post=own, by=ada)
    run_outbox()
    assert holders(answers) == []
    post = make_post(bo, thread, "Clean the contacts.")
    choose_answer(thread=thread, post=post, by=ada)
    run_outbox()
    assert holders(answers) == ["bo"]


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_a_thread_that_others_answer_earns_for_who_opened_it(ada: Member, bo: Member, thread):
    talk = badge({"count": "replies_to_one_thread", "at_least": 2})
    make_post(ada, thread, "To myself.")
    make_post(bo, thread)
    run_outbox()
    assert holders(talk) == []
    make_post(bo, thread)
    run_outbox()
    assert BadgeGrant.objects.get(badge=talk).post == thread.posts.get(number=1)


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_levels_and_profiles_earn_badges(bo: Member):
    level, said = badge({"trust": 2}), badge({"first": "profile"})
    Member.objects.filter(pk=bo.pk).update(trust_level=2, bio="Lenses.")
    with transaction.atomic():
        publish(TrustChanged(member_id=bo.pk, level=2))
        publish(MemberChanged(member_id=bo.pk))
    run_outbox()
    assert (holders(level), holders(said)) == (["bo"], ["bo"])


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_quotes_of_others_and_mentions_earn(ada: Member, bo: Member, thread: Thread):
    quote, mention = badge({"first": "quote"}), badge({"first": "mention"})
    post = thread.posts.get()
    make_post(bo, thread, f"> [Ada](/p/{post.pk}/): Prices\n\n@ada, indeed.")
    run_outbox()
    assert (holders(quote), holders(mention)) == (["bo"], ["bo"])


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_anniversaries_and_days_come_with_the_night(ada: Member, bo: Member, cy: Member):
    year, days = (
        badge({"anniversary_years": 1}),
        badge({"count": "days_visited", "at_least": 2}),
    )
    now = timezone.now()
    Member.objects.filter(pk__in=[ada.pk, bo.pk]).update(joined_at=now - timedelta(days=367))
    for ago in (0, 1):
        ReadingDay.objects.create(member=ada, on=now.date() - timedelta(days=ago))
    ReadingDay.objects.create(member=bo, on=now.date() - timedelta(days=60))  # no longer about
    ReadingDay.objects.create(member=cy, on=now.date())  # not a year here
    sweep_badges()
    assert (holders(year), holders(days)) == (["ada"], ["ada"])
    sweep_badges()
    run_outbox()
    assert BadgeGrant.objects.count() == 2
    assert Notification.objects.filter(kind="badge").count() == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_however_often_it_is_looked_at_a_badge_is_granted_once(bo: Member, thread: Thread):
    badge({"first": "reply"})
    make_post(bo, thread)
    run_outbox()
    assert grant_due([bo.pk], subjects={"first reply"}) == 0
    assert sweep() == 0
    assert BadgeGrant.objects.count() == 1
    with pytest.raises(IntegrityError, match="badge_earned_once"), transaction.atomic():
        BadgeGrant.objects.create(badge=Badge.objects.get(), member=bo, reason="Twice.")


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_what_is_done_in_hidden_groups_earns_nothing(
    ada: Member, bo: Member, hidden_group: Group, thread: Thread
):
    rules = [{"count": "posts", "at_least": 2}, {"count": "threads", "at_least": 2}]
    for rule in rules:
        badge(rule)
    make_thread(ada, hidden_group, replies=3)
    run_outbox()
    assert sweep() == 0
    # The bad twin: the same words where everybody reads them.
    make_thread(ada, thread.group, replies=3)
    assert sweep() == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_closed_accounts_and_switched_off_badges_earn_nothing(bo: Member, thread: Thread):
    rule = {"count": "posts", "at_least": 1}
    badge(rule, is_active=False)
    make_post(bo, thread)
    Member.objects.exclude(handle="ada").update(is_active=False)
    on = badge(rule)
    sweep()
    assert holders(on) == ["ada"]


@pytest.mark.django_db
@pytest.mark.parametrize("subject", sorted(ASKED))
def test_every_question_is_one_query(subject: str, thread, bo, django_assert_num_queries):
    rule: dict[str, Any] = {"count": subject, "at_least": 1}
    if subject.startswith("first "):
        rule = {"first": subject.removeprefix("first ")}
    elif subject in ("trust", "anniversary_years"):
        rule = {subject: 1}
    with django_assert_num_queries(1):
        earners(rule, [bo.pk])


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_a_badge_is_given_by_hand_for_words_everybody_reads(bo: Member, keeper: Member, guest):
    hand = badge(None)
    with pytest.raises(ReasonMissing):
        give_badge(badge=hand, member=bo, by=keeper, reason=" ")
    give_badge(badge=hand, member=bo, by=keeper, reason="Organised the swap meet.")
    with pytest.raises(BadgeHeld):
        give_badge(badge=hand, member=bo, by=keeper, reason="Again.")
    assert "Organised the swap meet." in guest.get(hand.get_absolute_url()).content.decode()
    assert sweep() == 0


# -- pages ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_a_badges_page_pages_through_its_holders(guest: Client, django_assert_num_queries):
    held = badge({"trust": 1})
    for number in range(31):
        BadgeGrant.objects.create(
            badge=held, member=make_member(f"holder-{number}"), rule=held.rule
        )
    with django_assert_num_queries(2):  # the badge, its grants with their members
        first = guest.get(held.get_absolute_url())
    second = guest.get(f"{held.get_absolute_url()}?before={first.context['before']}")
    names = [row.grant.member.handle for row in (*first.context["rows"], *second.context["rows"])]
    assert names == [f"holder-{n}" for n in range(30, -1, -1)]
    assert "Reached the trust level “Basic”." in first.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_the_post_that_earned_it_is_linked_for_those_who_may_read_it(
    ada: Member, hidden_group: Group, guest: Client, as_ada: Client
):
    held = badge({"first": "thread"})
    post = make_thread(ada, hidden_group, title="Down below").posts.get()
    BadgeGrant.objects.create(badge=held, member=ada, rule=held.rule, post=post)
    for address in (held.get_absolute_url(), "/members/ada/badges/"):
        assert "Down below" not in guest.get(address).content.decode()
        assert "Down below" in as_ada.get(address).content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("only_mine")
def test_all_badges_say_how_many_hold_them_and_which_are_mine(as_bo: Client, bo: Member, ada):
    held, gone = badge({"trust": 1}), badge({"trust": 2}, is_active=False)
    for member in (bo, ada):
        BadgeGrant.objects.create(badge=held, member=member, rule=held.rule)
    Member.objects.filter(pk=ada.pk).update(is_active=False)
    page = as_bo.get("/badges/").content.decode()
    assert "1 holder" in page
    assert "Yours" in page
    assert gone.name not in page
    assert as_bo.get(gone.get_absolute_url()).status_code == 404


@pytest.mark.django_db
def test_reasons_are_said_in_the_readers_language():
    assert reason_of({"count": "posts", "at_least": 1}) == "Wrote 1 post."
    assert reason_of({"count": "posts", "at_least": 10}) == "Wrote 10 posts."
    assert reason_of({"trust": 2}, str(TrustLevel.MEMBER.label)) == (
        "Reached the trust level “Member”."
    )
    with translation.override("zh-hans"):
        assert reason_of({"anniversary_years": 1})


@pytest.mark.django_db
def test_staff_change_badges_and_bad_rules_come_back(as_member):
    root = make_member("root", is_staff=True, is_superuser=True)
    client = as_member(root)
    made = badge({"trust": 1}, slug="mine-to-change")
    page = f"/staff/community/badge/{made.pk}/change/"
    fields = {
        "slug": made.slug,
        "name": "Changed",
        "glyph": "🏅",
        "rank": "2",
        "about": "For a test.",
        "is_active": "on",
    }
    answer = client.post(page, {**fields, "rule": '{"count": "kisses", "at_least": 1}'})
    assert answer.status_code == 200
    made.refresh_from_db()
    assert made.name != "Changed"
    client.post(page, {**fields, "rule": '{"count": "posts", "at_least": 5}'})
    made.refresh_from_db()
    assert (made.name, made.rank, made.rule) == ("Changed", 2, {"count": "posts", "at_least": 5})


# -- activity ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_activity_counts_posts_of_ninety_days_that_everybody_can_read(
    ada: Member, bo: Member, thread: Thread, hidden_group: Group
):
    make_thread(ada, hidden_group, replies=5)
    make_post(bo, thread)
    with time_machine.travel(timezone.now() - timedelta(days=91)):
        old = make_thread(bo, thread.group, replies=3)
    assert old.reply_count == 3
    count_members_activity()
    assert dict(Member.objects.filter(activity__gt=0).values_list("handle", "activity")) == {
        "ada": 1,
        "bo": 1,
    }
    assert count_activity() == 0
