"""Who is told what: each occasion once, by its strongest reason, and only those who may read it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from community.bookmarks.models import Bookmark
from community.events import (
    AnswerChosen,
    BookmarkDue,
    MemberInvited,
    PostPublished,
    ReactionGiven,
    SavedSearchMatched,
    TrustChanged,
)
from community.groups.models import Group, Invitation, JoinMode, JoinRequest
from community.groups.services import answer_join_request, invite_member, join_group, leave_group
from community.members.models import Block, Member
from community.notifications.context import unread_count
from community.notifications.handlers import tell_of_post
from community.notifications.models import (
    NEW_POST_KINDS,
    Channel,
    Kind,
    Notification,
    Sending,
)
from community.notifications.recipients import may_read
from community.notifications.services import (
    mark_all_read,
    mark_read,
    notify,
    want,
)
from community.notifications.words import address, excerpt, sentence
from community.reactions.models import Reaction
from community.search.models import SavedSearch, SearchDocument
from community.tags.models import Tag
from community.threads.marks import Follow, FollowLevel, ReadMark
from community.threads.models import Post, PostMention, PostQuote, Thread, ThreadTag
from config.models import OutboxEvent
from config.outbox import publish
from moderation.flags.models import Outcome
from moderation.flags.services import decide, flag, show_again
from moderation.queue.roles import ensure_moderator_role
from tests.factories import join, make_group, make_member, make_post, make_thread, owner_of
from tests.outbox import run_outbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_earned")]


def told(member: Member) -> list[str]:
    """What a member was told, oldest first."""
    rows = Notification.objects.filter(member=member).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def names(post: Post, *members: Member) -> None:
    for member in members:
        PostMention.objects.get_or_create(post=post, member=member)


def quotes(post: Post, *quoted: Post) -> None:
    for each in quoted:
        PostQuote.objects.get_or_create(post=post, quoted=each)


def follow(member: Member, level: FollowLevel, **what: Any) -> None:
    Follow.objects.update_or_create(
        member=member, **what, defaults={"level": level, "is_chosen": True}
    )


def react(post: Post, member: Member, name: str = "heart") -> None:
    with transaction.atomic():
        Reaction.objects.get_or_create(post=post, member=member, name=name)
        publish(ReactionGiven(post_id=post.pk, member_id=member.pk, name=name))
    run_outbox()


def again(post: Post) -> None:
    """Announce a post a second time."""
    with transaction.atomic():
        publish(PostPublished(post_id=post.pk))
    run_outbox()


def a_moderator() -> Member:
    staff = make_member("sta", name="Sta Berg", is_staff=True)
    staff.groups.add(ensure_moderator_role())
    return Member.objects.get(pk=staff.pk)


@pytest.fixture(autouse=True)
def nothing_told(nothing_earned: None, thread: Thread) -> None:
    run_outbox()


# -- a new post -------------------------------------------------------------------------------


def test_a_reply_to_nobody_in_particular_tells_who_began_the_thread(
    ada: Member, bo: Member, mo: Member, thread: Thread
):
    make_post(bo, thread)
    run_outbox()
    assert told(ada) == ["reply"]
    assert told(bo) == told(mo) == []
    row = Notification.objects.get(member=ada)
    assert sentence(row) == "Bo Lind replied to you in “Is the Optra R2 still worth it?”"
    assert excerpt(row) == "Yes, if the rangefinder patch is clean."
    assert row.post is not None
    assert address(row) == row.post.get_absolute_url()


def test_a_reply_to_a_post_tells_its_author_and_not_who_began_the_thread(
    ada: Member, bo: Member, mo: Member, thread: Thread
):
    first = make_post(bo, thread)
    run_outbox()
    make_post(mo, thread, reply_to=first)
    run_outbox()
    assert told(bo) == ["reply"]
    assert told(ada) == ["reply"]  # of bo's post alone


def test_one_post_that_is_everything_at_once_tells_once_by_the_strongest_reason(
    ada: Member, bo: Member, thread: Thread
):
    opening = thread.posts.get(number=1)
    follow(ada, FollowLevel.WATCHING, thread=thread)
    post = make_post(bo, thread, reply_to=opening)
    names(post, ada)
    quotes(post, opening)
    run_outbox()
    assert told(ada) == ["mention"]
    again(post)
    assert told(ada) == ["mention"]


@pytest.mark.parametrize(
    ("switched_off", "kind"),
    [
        ([], "mention"),
        (["mention"], "reply"),
        (["mention", "reply"], "quote"),
        (["mention", "reply", "quote"], "watched"),
    ],
)
def test_the_next_reason_stands_in_for_one_nobody_wants_to_hear_of(
    ada: Member, bo: Member, thread: Thread, switched_off: list[str], kind: str
):
    opening = thread.posts.get(number=1)
    follow(ada, FollowLevel.WATCHING, thread=thread)
    for each in switched_off:
        for channel in Channel.values:
            want(ada, each, channel, False)
    post = make_post(bo, thread)
    names(post, ada)
    quotes(post, opening)
    run_outbox()
    assert told(ada) == [kind]


def test_who_switched_everything_off_is_told_nothing_and_sent_nothing(
    ada: Member, bo: Member, thread: Thread
):
    for kind in Kind.values:
        for channel in Channel.values:
            want(ada, kind, channel, False)
    make_post(bo, thread)
    run_outbox()
    assert told(ada) == []
    assert not Sending.objects.filter(member=ada).exists()


def test_what_is_wanted_by_e_mail_alone_is_sent_and_not_listed(
    ada: Member, bo: Member, thread: Thread
):
    want(ada, Kind.REPLY, Channel.SITE, False)
    want(ada, Kind.REPLY, Channel.PUSH, False)
    make_post(bo, thread)
    run_outbox()
    assert list(Sending.objects.filter(member=ada).values_list("channel", flat=True)) == ["email"]
    assert unread_count(ada) == 0


def test_nobody_is_told_of_their_own_post(ada: Member, thread: Thread):
    follow(ada, FollowLevel.WATCHING, thread=thread)
    post = make_post(ada, thread)
    names(post, ada)
    run_outbox()
    assert told(ada) == []


@pytest.mark.parametrize("kind", ["mute", "block"])
def test_who_shut_the_author_out_is_told_nothing_of_theirs(
    ada: Member, bo: Member, mo: Member, thread: Thread, kind: str
):
    Block.objects.create(by=ada, of=bo, kind=kind)
    follow(ada, FollowLevel.WATCHING, thread=thread)
    post = make_post(bo, thread)
    names(post, ada)
    react(thread.posts.get(number=1), bo)
    run_outbox()
    assert told(ada) == []
    make_post(mo, thread)  # somebody else is heard
    run_outbox()
    assert told(ada) == ["reply"]


def test_what_somebody_now_shut_out_did_before_leaves_the_list_and_the_count(
    ada: Member, bo: Member, thread: Thread
):
    make_post(bo, thread)
    run_outbox()
    assert unread_count(ada) == 1
    Block.objects.create(by=ada, of=bo, kind="mute")
    assert unread_count(ada) == 0


def test_a_muted_thread_is_silent_whatever_is_said_in_it(ada: Member, bo: Member, thread: Thread):
    follow(ada, FollowLevel.MUTED, thread=thread)
    post = make_post(bo, thread)
    names(post, ada)
    react(thread.posts.get(number=1), bo)
    run_outbox()
    assert told(ada) == []


def test_a_muted_group_is_silent_but_for_its_threads_that_are_watched(
    ada: Member, bo: Member, group: Group, thread: Thread
):
    other = make_thread(ada, group, title="Another one entirely")
    follow(ada, FollowLevel.MUTED, group=group)
    follow(ada, FollowLevel.WATCHING, thread=other)
    make_post(bo, thread)
    make_post(bo, other)
    run_outbox()
    assert list(Notification.objects.filter(member=ada).values_list("thread", flat=True)) == [
        other.pk
    ]


def test_a_muted_tag_silences_its_threads(ada: Member, bo: Member, thread: Thread):
    tag = Tag.objects.create(name="Rangefinders", slug="rangefinders")
    ThreadTag.objects.create(thread=thread, tag=tag)
    follow(ada, FollowLevel.MUTED, tag=tag)
    make_post(bo, thread)
    run_outbox()
    assert told(ada) == []


def test_watching_a_group_tells_of_its_threads_and_not_of_their_replies(
    ada: Member, bo: Member, mo: Member, group: Group
):
    follow(mo, FollowLevel.WATCHING, group=group)
    begun = make_thread(bo, group, title="Seals for an old body", replies=2)
    run_outbox()
    assert told(mo) == ["thread"]
    assert sentence(Notification.objects.get(member=mo)) == "Bo Lind began “Seals for an old body”"
    assert begun.posts.count() == 3


def test_watching_a_tag_tells_of_new_threads_with_it(bo: Member, mo: Member, group: Group):
    tag = Tag.objects.create(name="Repairs", slug="repairs")
    follow(mo, FollowLevel.WATCHING, tag=tag)
    begun = make_thread(bo, group)
    ThreadTag.objects.create(thread=begun, tag=tag)
    make_thread(bo, group, title="Without the tag")
    run_outbox()
    assert told(mo) == ["thread"]


def test_watching_a_thread_tells_of_each_reply(bo: Member, mo: Member, thread: Thread):
    follow(mo, FollowLevel.WATCHING, thread=thread)
    make_post(bo, thread)
    make_post(bo, thread)
    run_outbox()
    assert told(mo) == ["watched", "watched"]


def test_tracking_counts_and_tells_nothing(bo: Member, mo: Member, thread: Thread):
    follow(mo, FollowLevel.TRACKING, thread=thread)
    make_post(bo, thread)
    run_outbox()
    assert told(mo) == []


def test_an_outsider_named_in_a_hidden_group_is_told_nothing(
    ada: Member, cy: Member, hidden_group: Group
):
    begun = make_thread(ada, hidden_group)
    names(begun.posts.get(number=1), cy)
    follow(cy, FollowLevel.WATCHING, thread=begun)
    run_outbox()
    assert told(cy) == []


def test_who_may_read_agrees_with_the_door(
    ada: Member, bo: Member, cy: Member, group: Group, hidden_group: Group
):
    everybody = [ada, bo, cy]
    for place in (group, hidden_group, make_group("asked", join_mode=JoinMode.REQUEST)):
        allowed = {
            member.pk
            for member in everybody
            if Group.objects.visible_to(member).filter(pk=place.pk).exists()
        }
        assert may_read(place, [member.pk for member in everybody]) == allowed


def test_who_leaves_a_hidden_group_keeps_nothing_of_it_in_the_list(
    ada: Member, bo: Member, hidden_group: Group
):
    join(bo, hidden_group)
    begun = make_thread(bo, hidden_group)
    make_post(ada, begun)
    run_outbox()
    assert unread_count(bo) == 1
    leave_group(member=bo, group=hidden_group)
    assert unread_count(bo) == 0
    assert not Notification.objects.listed_for(bo).exists()


def test_a_hidden_post_leaves_the_list(ada: Member, bo: Member, mo: Member, thread: Thread):
    post = make_post(bo, thread)
    run_outbox()
    post.hide(by=mo, reason="Rude.", at=timezone.now())
    post.save()
    assert unread_count(ada) == 0


def test_talk_brought_in_with_its_old_dates_is_no_news(ada: Member, bo: Member, thread: Thread):
    make_post(bo, thread, at=timezone.now() - timedelta(days=3))
    run_outbox()
    assert told(ada) == []


def test_a_closed_account_is_told_nothing(ada: Member, bo: Member, thread: Thread):
    Member.objects.filter(pk=ada.pk).update(is_active=False)
    make_post(bo, thread)
    run_outbox()
    assert told(ada) == []


def test_telling_many_costs_the_same_queries_as_telling_few(
    bo: Member, group: Group, thread: Thread
):
    def cost(watchers: int) -> int:
        for _ in range(watchers):
            follow(make_member(), FollowLevel.WATCHING, thread=thread)
        post = make_post(bo, thread)
        with CaptureQueriesContext(connection) as queries:
            tell_of_post(PostPublished(post_id=post.pk))
        return len(queries)

    assert cost(1) == cost(30) <= 18


# -- reactions --------------------------------------------------------------------------------


def test_reactions_to_a_post_share_one_row_while_it_is_unread(
    ada: Member, bo: Member, mo: Member, thread: Thread
):
    opening = thread.posts.get(number=1)
    react(opening, bo)
    assert sentence(Notification.objects.get(member=ada)) == (
        "Bo Lind reacted to your post in “Is the Optra R2 still worth it?”"
    )
    react(opening, mo)
    row = Notification.objects.get(member=ada)
    assert (row.kind, row.actor_count) == ("reaction", 2)
    assert sentence(row).startswith("Mo Adler and 1 other reacted")
    react(opening, make_member("ivo", name="Ivo Larsen"))
    row.refresh_from_db()
    assert sentence(row).startswith("Ivo Larsen and 2 others reacted")
    assert unread_count(ada) == 1


def test_a_reaction_after_the_row_was_read_opens_another(
    ada: Member, bo: Member, mo: Member, thread: Thread
):
    opening = thread.posts.get(number=1)
    react(opening, bo)
    mark_all_read(ada)
    react(opening, mo)
    assert told(ada) == ["reaction", "reaction"]
    assert unread_count(ada) == 1


def test_the_same_person_reacting_again_is_no_news(ada: Member, bo: Member, thread: Thread):
    opening = thread.posts.get(number=1)
    react(opening, bo)
    mark_all_read(ada)
    react(opening, bo, "laugh")
    Reaction.objects.filter(member=bo).delete()
    react(opening, bo)
    assert told(ada) == ["reaction"]


def test_a_reaction_taken_back_before_it_was_told_is_not_told(
    ada: Member, bo: Member, thread: Thread
):
    with transaction.atomic():
        publish(ReactionGiven(post_id=thread.posts.get(number=1).pk, member_id=bo.pk, name="heart"))
    run_outbox()
    assert told(ada) == []


def test_the_rows_hold_by_themselves_that_nothing_is_told_twice(
    ada: Member, bo: Member, thread: Thread
):
    react(thread.posts.get(number=1), bo)
    row = Notification.objects.get(member=ada)
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    row.key = "another"  # a second unread row of reactions to the post
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


# -- other occasions --------------------------------------------------------------------------


def test_the_author_of_the_chosen_answer_is_told_unless_they_chose_it(
    ada: Member, bo: Member, thread: Thread
):
    post = make_post(bo, thread)
    own = make_post(ada, thread)
    run_outbox()
    for chosen in (post, own):
        Thread.objects.filter(pk=thread.pk).update(answer=chosen)
        with transaction.atomic():
            publish(AnswerChosen(thread_id=thread.pk, post_id=chosen.pk, member_id=ada.pk))
        run_outbox()
    assert told(bo) == ["answer"]
    assert told(ada) == ["reply"]


def test_an_answer_taken_back_meanwhile_is_not_told(ada: Member, bo: Member, thread: Thread):
    post = make_post(bo, thread)
    with transaction.atomic():
        publish(AnswerChosen(thread_id=thread.pk, post_id=post.pk, member_id=ada.pk))
    run_outbox()
    assert told(bo) == []


def test_an_invitation_by_name_brings_a_way_in_of_ones_own(
    ada: Member, cy: Member, hidden_group: Group
):
    invite_member(group=hidden_group, member=cy, by=ada)
    run_outbox()
    row = Notification.objects.listed_for(cy).get()
    assert sentence(row) == "Ada Quist invites you to join Cellar"
    invitation = Invitation.objects.get(group=hidden_group)
    assert address(row) == f"/invitations/{invitation.token}/"
    invite_member(group=hidden_group, member=cy, by=ada)
    run_outbox()
    assert told(cy) == ["invite"]
    assert Invitation.objects.count() == 1


def test_a_moderator_invites_by_name_on_the_page(
    as_mo: Client, as_bo: Client, cy: Member, group: Group
):
    address = f"/g/{group.slug}/invitations/"
    assert as_bo.post(address, {"handle": "cy"}).status_code == 403
    as_mo.post(address, {"handle": "nobody-at-all"})
    as_mo.post(address, {"handle": "@Cy"})
    run_outbox()
    assert told(cy) == ["invite"]


def test_an_invitation_by_somebody_the_member_blocked_leaves_no_link_about(
    ada: Member, cy: Member, hidden_group: Group
):
    Block.objects.create(by=cy, of=ada, kind="block")
    invite_member(group=hidden_group, member=cy, by=ada)
    run_outbox()
    assert told(cy) == []
    assert not Invitation.objects.exists()


def test_an_invitation_by_one_who_moderates_no_more_is_void(bo: Member, cy: Member, group: Group):
    with transaction.atomic():
        publish(MemberInvited(group_id=group.pk, member_id=cy.pk, by_id=bo.pk))
    run_outbox()
    assert told(cy) == []


@pytest.mark.parametrize(
    ("accept", "says"),
    [
        (True, "You are now a member of Asked"),
        (False, "Your request to join Asked was declined"),
    ],
)
def test_who_asked_to_join_is_told_the_answer(cy: Member, accept: bool, says: str):
    group = make_group("asked", join_mode=JoinMode.REQUEST)
    asked = join_group(member=cy, group=group)
    assert isinstance(asked, JoinRequest)
    answer_join_request(request=asked, by=owner_of(group), accept=accept)
    run_outbox()
    assert sentence(Notification.objects.get(member=cy)) == says


def test_a_bookmark_that_is_due_is_told_if_it_may_still_be_read(
    ada: Member, bo: Member, hidden_group: Group, thread: Thread
):
    join(bo, hidden_group)
    for post in (thread.posts.get(number=1), make_thread(ada, hidden_group).posts.get(number=1)):
        mark = Bookmark.objects.create(
            member=bo, post=post, remind_at=timezone.now(), note="Ask about the shutter"
        )
        if post.thread.group_id == hidden_group.pk:
            leave_group(member=bo, group=hidden_group)
        with transaction.atomic():
            publish(BookmarkDue(bookmark_id=mark.pk))
    run_outbox()
    row = Notification.objects.get(member=bo)
    assert sentence(row) == "You wanted to come back to “Is the Optra R2 still worth it?”"
    assert excerpt(row) == "Ask about the shutter"


def test_a_level_gained_is_told_and_one_lost_is_not(ada: Member):
    for level in (1, 2, 1):
        Member.objects.filter(pk=ada.pk).update(trust_level=level)
        with transaction.atomic():
            publish(TrustChanged(member_id=ada.pk, level=level))
        run_outbox()
    assert told(ada) == ["trust", "trust"]
    last = Notification.objects.filter(member=ada).latest("pk")
    assert sentence(last) == "You reached the trust level “Member”"


def test_a_decision_tells_the_author_why_and_who_flagged_how_it_ended(
    ada: Member, bo: Member, thread: Thread
):
    post = make_post(bo, thread)
    run_outbox()
    case = flag(kind="post", target=post, member=ada, reason="unkind").case
    staff = a_moderator()
    decide(case=case, by=staff, outcome=Outcome.HIDE, reason="Be kind.")
    run_outbox()
    to_bo = Notification.objects.get(member=bo)
    assert sentence(to_bo) == "A moderator hid something you wrote"
    assert (excerpt(to_bo), address(to_bo)) == ("Be kind.", "/settings/decisions/")
    to_ada = Notification.objects.get(member=ada, kind="decision")
    assert sentence(to_ada) == "Moderators looked at what you reported and hid it"
    show_again(case=case, by=staff, reason="It was a quote.")
    run_outbox()
    assert sentence(Notification.objects.filter(member=bo).latest("pk")) == (
        "A moderator shows again what you wrote"
    )


def test_a_post_that_was_kept_tells_its_author_nothing(ada: Member, bo: Member, thread: Thread):
    post = make_post(bo, thread)
    run_outbox()
    case = flag(kind="post", target=post, member=ada, reason="unkind").case
    decide(case=case, by=a_moderator(), outcome=Outcome.KEEP, reason="Nothing wrong.")
    run_outbox()
    assert told(bo) == []
    assert told(ada) == ["reply", "decision"]


# -- the verb for others ----------------------------------------------------------------------


def test_a_key_is_told_a_member_once(ada: Member, bo: Member, group: Group):
    first = notify(member=ada, kind=Kind.BADGE, key="badge:7", details={"badge": "First reply"})
    assert first is not None
    assert sentence(first) == "You earned the badge “First reply”"
    assert notify(member=ada, kind=Kind.BADGE, key="badge:7") is None
    assert notify(member=bo, kind=Kind.BADGE, key="badge:7") is not None


@pytest.mark.parametrize(
    "away", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"]
)
def test_an_address_leads_nowhere_but_home(ada: Member, away: str):
    row = notify(member=ada, kind=Kind.BADGE, key="badge:8", details={"address": away})
    assert row is not None
    assert address(row) == "/notifications/"


# -- reading ----------------------------------------------------------------------------------


def test_reading_a_new_post_in_its_thread_is_reading_what_was_told_of_it(
    ada: Member, bo: Member, thread: Thread
):
    post = make_post(bo, thread)
    react(thread.posts.get(number=1), bo)
    run_outbox()
    assert unread_count(ada) == 2
    ReadMark.objects.update_or_create(member=ada, thread=thread, defaults={"number": post.number})
    assert unread_count(ada) == 1  # that somebody reacted is still news
    assert set(NEW_POST_KINDS) == {"mention", "reply", "quote", "thread", "watched"}


def test_a_row_can_be_marked_unread_again(ada: Member, bo: Member, thread: Thread):
    make_post(bo, thread)
    run_outbox()
    row = Notification.objects.get(member=ada)
    mark_read(row)
    assert unread_count(ada) == 0
    mark_read(row, read=False)
    assert unread_count(ada) == 1


def test_each_event_is_announced_once_by_what_the_group_does(cy: Member):
    group = make_group("asked", join_mode=JoinMode.REQUEST)
    asked = join_group(member=cy, group=group)
    assert isinstance(asked, JoinRequest)
    for _ in range(2):
        answer_join_request(request=asked, by=owner_of(group), accept=True)
    assert OutboxEvent.objects.filter(kind="community.JoinRequestAnswered").count() == 1


def test_something_new_for_a_saved_search_is_told_if_it_may_be_read(
    ada: Member, bo: Member, cy: Member, hidden_group: Group, thread: Thread
):
    join(bo, hidden_group)
    post = make_post(bo, thread)
    secret = make_thread(bo, hidden_group).posts.get(number=1)
    run_outbox()
    saved = SavedSearch.objects.create(member=cy, name="Rangefinders", query="rangefinder")
    for each in (post, secret):
        document = SearchDocument.objects.get(kind="post", object_id=each.pk)
        with transaction.atomic():
            publish(SavedSearchMatched(saved_search_id=saved.pk, document_id=document.pk))
    run_outbox()
    row = Notification.objects.get(member=cy)
    assert sentence(row) == "New for your search “Rangefinders”"
    assert (row.post, address(row)) == (post, post.get_absolute_url())
