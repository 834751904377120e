"""Newcomers: what they may not do yet, said in a sentence, with nothing typed lost."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from PIL import Image as PillowImage

from commerce.merchants.services import open_shop
from community.chat.errors import MessageRefused
from community.chat.models import Message
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.groups.models import Group, Role
from community.members.models import Member
from community.notifications.models import Notification
from community.standing.limits import (
    hosts_of,
    learn_hosts,
    limit_post,
    unknown_hosts,
    why_hold,
)
from community.standing.models import KnownDomain
from community.threads.editing import edit_post
from community.threads.errors import Refused
from community.threads.models import Post, Thread
from community.threads.rendering import render_body
from community.threads.services import Attempt, publish_post, start_thread
from community.uploads.services import save_image
from moderation.audit.models import AuditEntry
from moderation.flags.models import Case, Outcome
from moderation.flags.services import decide
from tests.factories import join, make_member, make_post, make_thread
from tests.outbox import run_outbox

pytestmark = pytest.mark.django_db

KNOWN = "https://known.example/a"


@pytest.fixture(autouse=True)
def known() -> None:
    learn_hosts({"known.example"})


def picture(owner: Member, group: Group) -> str:
    out = io.BytesIO()
    PillowImage.new("RGB", (20, 20), "teal").save(out, "PNG")
    out.seek(0)
    image = save_image(owner=owner, group=group, file=out)
    return f"![A lens](image:{image.pk})"


# -- what a post holds ------------------------------------------------------------------------


def test_two_links_pass_and_a_third_does_not(newcomer: Member, thread: Thread):
    make_post(newcomer, thread, f"{KNOWN}1 and {KNOWN}2")
    with pytest.raises(Refused, match="at most 2 links"):
        make_post(newcomer, thread, f"{KNOWN}1 and {KNOWN}2 and {KNOWN}3")
    assert thread.posts.count() == 2


def test_links_within_the_site_are_no_links_to_count(newcomer: Member, thread: Thread, settings):
    body = " ".join(f"{settings.SITE_URL}/t/{n}/" for n in range(5))
    assert make_post(newcomer, thread, body).number == 2


@pytest.mark.parametrize(
    "address",
    [
        *("//shop.example", "///shop.example", "https:shop.example", "http:/shop.example"),
        *("https:///shop.example", "<\t//shop.example>", "&#47;/shop.example"),
    ],
)
def test_no_other_way_to_write_an_address_becomes_an_uncounted_link(
    newcomer: Member, thread: Thread, address: str
):
    post = publish_post(
        author=newcomer, thread=thread, body=f"[here]({address})\n\n![p]({address})"
    )
    assert "<a" not in post.html


def test_one_picture_passes_and_a_second_does_not(newcomer: Member, thread: Thread, group: Group):
    one, two = picture(newcomer, group), picture(newcomer, group)
    make_post(newcomer, thread, one)
    with pytest.raises(Refused, match="at most 1 picture"):
        make_post(newcomer, thread, f"{one}\n\n{two}")


def test_two_mentions_pass_and_a_third_does_not(
    newcomer: Member, thread: Thread, bo: Member, mo: Member
):
    make_post(newcomer, thread, "@ada and @bo")
    with pytest.raises(Refused, match="at most 2 people"):
        make_post(newcomer, thread, "@ada, @bo and @mo")


def test_an_edit_has_the_same_limits(newcomer: Member, thread: Thread):
    post = make_post(newcomer, thread, "No link yet.")
    with pytest.raises(Refused, match="at most 2 links"):
        edit_post(post=post, editor=newcomer, body=f"{KNOWN}1 {KNOWN}2 {KNOWN}3")
    post.refresh_from_db()
    assert post.body == "No link yet."


def test_a_refusal_comes_back_with_all_that_was_typed(
    newcomer: Member, thread: Thread, as_member: Callable[[Member], Client]
):
    body = f"{KNOWN}1 {KNOWN}2 {KNOWN}3"
    answer = as_member(newcomer).post(f"/t/{thread.pk}/replies/", {"body": body})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert body in page
    assert "New members put at most 2 links into a post." in page


def test_known_members_staff_and_moderators_have_no_limits(
    ada: Member, thread: Thread, group: Group
):
    body = f"{KNOWN}1 {KNOWN}2 {KNOWN}3"
    assert make_post(ada, thread, body).number == 2
    moderator = make_member("mod", trust_level=0)
    join(moderator, group, Role.MODERATOR)
    assert make_post(moderator, thread, body).number == 3
    staff = make_member("staff", trust_level=0, is_staff=True)
    join(staff, group)
    assert make_post(staff, thread, body).number == 4


# -- the first day ----------------------------------------------------------------------------


def test_three_threads_on_the_first_day(newcomer: Member, group: Group):
    for number in range(3):
        make_thread(newcomer, group, title=f"Thread {number}")
    with pytest.raises(Refused, match="at most 3 threads on their first day") as refused:
        make_thread(newcomer, group, title="A fourth")
    assert refused.value.status == 429
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        make_thread(newcomer, group, title="A fourth")


def test_ten_replies_on_the_first_day(newcomer: Member, thread: Thread):
    for number in range(10):
        make_post(newcomer, thread, f"Reply {number}")
    with pytest.raises(Refused, match="at most 10 replies on their first day"):
        make_post(newcomer, thread, "An eleventh")
    assert thread.posts.filter(author=newcomer).count() == 10


def test_the_first_day_begins_with_the_first_post(newcomer: Member, thread: Thread):
    month_ago = timezone.now() - timedelta(days=30)
    Member.objects.filter(pk=newcomer.pk).update(joined_at=month_ago)
    for number in range(10):
        make_post(newcomer, thread, f"Reply {number}")
    with pytest.raises(Refused, match="first day"):
        make_post(newcomer, thread, "An eleventh")


def test_talk_brought_in_from_elsewhere_has_no_limits(newcomer: Member, group: Group):
    at = timezone.now() - timedelta(days=400)
    for number in range(5):
        start_thread(
            author=newcomer,
            group=group,
            title=f"Old {number}",
            body=f"{KNOWN}1 {KNOWN}2 {KNOWN}3 https://old.example/",
            at=at,
        )
    assert not Post.objects.filter(hidden_at__isnull=False).exists()


# -- chat -------------------------------------------------------------------------------------


def test_messages_have_the_limits_too(newcomer: Member, group: Group, ada: Member, bo: Member, mo):
    room = room_of(group)
    with pytest.raises(MessageRefused, match="at most 2 links"):
        send_message(room=room, sender=newcomer, body=f"{KNOWN}1 {KNOWN}2 {KNOWN}3")
    with pytest.raises(MessageRefused, match="at most 2 people"):
        send_message(room=room, sender=newcomer, body="@ada @bo @mo")
    with pytest.raises(MessageRefused, match="Nobody here has linked to"):
        send_message(room=room, sender=newcomer, body="https://fresh.example/")
    assert not Message.objects.exists()
    assert send_message(room=room, sender=newcomer, body=f"Look: {KNOWN}").seq == 1


# -- held for review --------------------------------------------------------------------------


FRESH = "Buy it at https://www.fresh.example/shop"


def test_a_link_to_where_nobody_linked_is_held_with_a_case(
    newcomer: Member, thread: Thread, guest: Client, as_member
):
    post = make_post(newcomer, thread, FRESH)
    post.refresh_from_db()
    assert post.is_hidden
    assert "fresh.example, which nobody here has linked to before" in post.hidden_reason
    assert not post.is_deleted  # its author cannot bring it back
    case = Case.objects.get(kind="post", target_id=post.pk)
    assert case.is_open
    assert case.flag_count == 1
    assert AuditEntry.objects.get().action == "content.held"
    assert "fresh.example/shop" not in guest.get(thread.get_absolute_url()).content.decode()
    page = as_member(newcomer).get(thread.get_absolute_url()).content.decode()
    assert "Held for review" in page
    assert "fresh.example/shop" in page
    thread.refresh_from_db()
    assert thread.reply_count == 0


def test_a_held_thread_is_in_no_list(newcomer: Member, group: Group, guest: Client):
    make_thread(newcomer, group, title="Cheap lenses", body=FRESH)
    group.refresh_from_db()
    assert group.thread_count == 0
    assert "Cheap lenses" not in guest.get("/").content.decode()


def test_nobody_hears_of_a_held_post_before_it_is_shown(
    newcomer: Member, thread: Thread, ada: Member, keeper: Member, bo: Member
):
    post = make_post(newcomer, thread, f"@bo {FRESH}")
    run_outbox()
    assert not Notification.objects.filter(member=bo).exists()
    decide(case=Case.objects.get(), by=keeper, outcome=Outcome.KEEP, reason="An honest shop.")
    run_outbox()
    post.refresh_from_db()
    assert not post.is_hidden
    assert Notification.objects.get(member=bo).kind == "mention"
    told = Notification.objects.get(member=newcomer, kind="decision")
    assert told.details["about"] == "shown"
    assert KnownDomain.objects.filter(host="fresh.example").exists()
    assert not make_post(newcomer, thread, FRESH).is_hidden


def test_a_held_post_that_is_hidden_stays_so_for_the_moderators_reason(
    newcomer: Member, thread: Thread, keeper: Member
):
    post = make_post(newcomer, thread, FRESH)
    decide(case=Case.objects.get(), by=keeper, outcome=Outcome.HIDE, reason="Spam.")
    post.refresh_from_db()
    assert (post.hidden_reason, post.hidden_by) == ("Spam.", keeper)
    run_outbox()
    assert not KnownDomain.objects.filter(host="fresh.example").exists()


def test_an_edit_that_brings_in_such_a_link_is_held(newcomer: Member, thread: Thread):
    post = make_post(newcomer, thread, "A good shop.")
    edit_post(post=post, editor=newcomer, body=FRESH)
    post.refresh_from_db()
    assert post.is_hidden


def test_what_trusted_members_link_to_is_known(ada: Member, newcomer: Member, thread: Thread):
    make_post(ada, thread, "See https://WWW.Ada.example/x")
    run_outbox()
    assert unknown_hosts(["http://ada.example/y", "https://bo.example/"]) == {"bo.example"}
    assert not make_post(newcomer, thread, "https://ada.example/z").is_hidden


def test_what_newcomers_or_hidden_groups_link_to_is_not_known(
    newcomer: Member, thread: Thread, hidden_group: Group, ada: Member
):
    make_post(newcomer, thread, f"{KNOWN} only")
    make_thread(ada, hidden_group, body="https://secret.example/")
    run_outbox()
    assert set(KnownDomain.objects.values_list("host", flat=True)) == {"known.example"}


def test_a_shop_of_a_trusted_member_is_vouched_for(ada: Member, newcomer: Member):
    shop = open_shop(owner=ada, name="Shore Optical", host="shore.example")
    assert shop.host == "shore.example"
    own = open_shop(owner=newcomer, name="Quick Cash", host="quick.example")
    assert own.host == "quick.example"
    asked = ["https://shore.example/1", "https://quick.example/1"]
    assert unknown_hosts(asked) == {"quick.example"}


def test_hosts_are_read_without_www_and_without_ours(settings):
    settings.OLD_HOSTS = ["old.example"]
    links = [
        "https://www.A.example:8443/x",
        "http://old.example/",
        f"{settings.SITE_URL}/t/1/",
        "mailto:x@y.example",
        "https://[broken",
    ]
    assert hosts_of(links) == {"a.example"}


def test_a_known_members_post_asks_nothing_more(
    ada: Member, thread: Thread, django_assert_max_num_queries
):
    rendered = render_body(FRESH, group=None, writers=[])
    attempt = Attempt(ada, thread.group, thread, None, "", FRESH, rendered, timezone.now())
    with django_assert_max_num_queries(0):
        limit_post(attempt)
        assert why_hold(attempt) == ""


def test_the_site_itself_cannot_sign_in(newcomer: Member, thread: Thread, guest: Client):
    make_post(newcomer, thread, FRESH)
    site = Member.objects.get(email="system@shoal.invalid")
    assert not site.has_usable_password()
    assert not site.is_active
    assert guest.get(f"/members/{site.handle}/").status_code == 404


def test_the_same_key_again_holds_once(newcomer: Member, thread: Thread):
    key = uuid4()
    for _ in range(2):
        publish_post(author=newcomer, thread=thread, body=FRESH, client_key=key)
    assert Case.objects.count() == 1
