"""The demo's content: what is written holds together, and playing it gives the same every time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, Sum
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from commerce.attribution.balance import weigh
from commerce.attribution.models import Credit
from commerce.attribution.services import current_run
from commerce.connectors.models import Delivery
from commerce.listings.models import TRANSITIONS, Listing, ListingState
from commerce.listings.tokens import is_gtin
from commerce.merchants.models import Merchant
from commerce.orders.models import Order, OrderLine, Refund
from commerce.placements.models import Evidence, Placement
from commerce.touchpoints.models import NotCounted, Touchpoint
from community.chat.models import MESSAGE_MAX_CHARS, Message
from community.groups.models import Group, Membership, Role
from community.members.models import Member
from community.notifications.models import Notification
from community.reactions.models import Reaction
from community.standing.models import BadgeGrant
from community.threads.kinds import clean_details, clean_kind
from community.threads.models import (
    POST_MAX_CHARS,
    TITLE_MAX_CHARS,
    Post,
    Thread,
    ThreadKind,
)
from community.uploads.models import Image
from config.models import OutboxEvent, State
from config.seeds import ACCOUNTS, DEMO_PASSWORD, welcome
from config.seeds.darkroom import Darkroom
from config.seeds.drawing import ARTS, PLANTS, SCENES
from config.seeds.people import first_words
from config.seeds.script import Script, ThreadText, read_script
from config.seeds.seeding import seed
from config.seeds.stage import Stage
from config.seeds.trade import DAYS, DEDUPE_DAYS, Plan, Spot, Story, Ware, plan_trade
from moderation.flags.models import FlagReason, Outcome
from tests.config.counted import ensure_counted

NOON = datetime(2026, 10, 4, 12, tzinfo=UTC)
# In one process, where a run has several: each would play it anew.
TOGETHER = pytest.mark.xdist_group("played")


# -- what is written --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def script() -> Script:
    return read_script()


def test_there_is_as_much_as_a_demo_needs(script):
    assert len(script.people) == 46
    assert len([group for group in script.groups if group.join_mode != "hidden"]) >= 6
    assert len(script.threads) >= 60
    assert script.post_count >= 600
    assert len(script.merchants) == 3
    assert len(script.listings) >= 80
    assert {group.template for group in script.groups} == {
        *("second_hand", "fitness", "collectibles", "services")
    }
    assert {group.join_mode for group in script.groups} == {"open", "request", "invite", "hidden"}


def test_everybody_named_is_a_member_of_the_demo(script):
    known = {person.handle for person in script.people}
    named = {post.author for thread in script.threads for post in thread.posts}
    named |= {handle for shop in script.merchants for handle in shop.team}
    named |= {*script.sellers, *(account.handle for account in ACCOUNTS)}
    named |= {flag.member for case in script.cases for flag in case.flags}
    named |= {suggestion.by for suggestion in script.suggestions}
    mentioned = {
        handle
        for thread in script.threads
        for post in thread.posts
        for handle in re.findall(r"(?<![\w@])@([a-z]+)\b", post.body)
    }
    assert named <= known
    assert mentioned <= known


def test_groups_are_moderated_by_their_members_who_are_in_a_few_groups_each(script):
    for group in script.groups:
        assert group.owner in group.members
        assert set(group.moderators) <= set(group.members)
        assert len(group.members) == len(set(group.members))
    groups_of = Counter(
        handle for group in script.groups if group.join_mode != "hidden" for handle in group.members
    )
    assert set(groups_of) == {person.handle for person in script.people}
    assert max(groups_of.values()) <= 5


def test_only_members_of_a_group_speak_and_sell_in_it_and_only_after_they_had_joined(script):
    joined = {person.handle: person.joined_days_ago for person in script.people}
    for group in script.groups:
        for handle, days_ago in first_words(script, group.slug).items():
            assert handle in group.members, (handle, group.slug)
            assert days_ago < joined[handle], (handle, group.slug)


def test_posts_follow_each_other_and_answer_earlier_ones(script):
    for thread in script.threads:
        hours = [post.hours for post in thread.posts]
        assert hours == sorted(hours), thread.title
        assert hours[0] == 0 and thread.posts[0].author == thread.author, thread.title
        assert hours[-1] < thread.days_ago * 24 - 0.2, thread.title
        for number, post in enumerate(thread.posts, start=1):
            assert post.reply_to is None or 1 <= post.reply_to < number, thread.title
        assert thread.answer is None or 1 < thread.answer <= len(thread.posts), thread.title


def test_titles_bodies_and_messages_fit(script):
    titles = [(thread.group, thread.title) for thread in script.threads]
    assert len(titles) == len(set(titles))
    for thread in script.threads:
        assert thread.title == thread.title.strip() and len(thread.title) <= TITLE_MAX_CHARS
        for post in thread.posts:
            assert 0 < len(post.body.strip()) <= POST_MAX_CHARS
    for room in script.rooms:
        assert 8 <= len(room.messages) <= 20
        assert min(message.hours_ago for message in room.messages) < 12
        assert all(0 < len(message.body) <= MESSAGE_MAX_CHARS for message in room.messages)


def test_rooms_of_every_kind_are_talked_in_by_those_inside(script):
    groups = {group.slug: group for group in script.groups}
    handles = {person.handle for person in script.people}
    titles = {(thread.group, thread.title) for thread in script.threads}
    shops = {shop.slug: shop.team for shop in script.merchants}
    teams = {
        one.key: shops[one.merchant] if one.merchant else [one.seller] for one in script.listings
    }
    for talk in script.talks:
        if talk.listing:
            inside = {talk.by, *teams[talk.listing]}
            assert talk.by not in teams[talk.listing]
        else:
            inside = set(talk.people) or set(groups[talk.group].members)
        assert inside <= handles
        assert not talk.thread or (talk.group, talk.thread) in titles
        if talk.name:
            group = groups[talk.group]
            assert talk.by in {group.owner, *group.moderators}
        said = [message.hours_ago for message in talk.messages]
        assert said == sorted(said, reverse=True)
        assert said[0] < talk.opened_hours_ago
        for number, message in enumerate(talk.messages, start=1):
            givers = {who for each in message.reactions.values() for who in each}
            assert {message.author, *givers} <= inside
            assert 0 <= message.answers < number
            assert not message.edited or message.edited != message.body
        assert set(talk.unread) <= inside
    kinds = [
        next((kind for kind in ("people", "listing", "thread") if getattr(talk, kind)), "group")
        for talk in script.talks
    ]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "group": 4,
        "thread": 1,
        "people": 6,
        "listing": 3,
    }


def test_edits_change_something_that_is_there_once(script):
    edited = [post for thread in script.threads for post in thread.posts if post.edits]
    assert edited
    for post in edited:
        assert [edit.hours for edit in post.edits] == sorted(edit.hours for edit in post.edits)
        body = post.body
        for edit in post.edits:
            assert body.count(edit.old) == 1 and edit.old != edit.new
            body = body.replace(edit.old, edit.new)


def test_locks_are_made_by_moderators_after_the_last_post(script):
    groups = {group.slug: group for group in script.groups}
    locked = [thread for thread in script.threads if thread.lock]
    assert locked
    for thread in locked:
        group = groups[thread.group]
        assert thread.lock.by in {group.owner, *group.moderators}
        assert thread.posts[-1].hours < thread.lock.hours < thread.days_ago * 24


def test_listings_have_one_seller_who_is_in_the_group_and_numbers_of_their_own(script):
    shops = {shop.slug: shop for shop in script.merchants}
    groups = {group.slug: group for group in script.groups}
    for listing in script.listings:
        assert bool(listing.merchant) != bool(listing.seller), listing.key
        seller = listing.seller or shops[listing.merchant].team[0]
        assert seller in groups[listing.group].members, listing.key
        assert not listing.seller or listing.seller in script.sellers, listing.key
        assert bool(listing.path) == bool(listing.merchant), listing.key
    keys = [listing.key for listing in script.listings]
    assert len(keys) == len(set(keys))
    for numbers in (
        [(listing.merchant, listing.sku) for listing in script.listings if listing.sku],
        [(listing.merchant, listing.path) for listing in script.listings if listing.path],
        [listing.gtin for listing in script.listings if listing.gtin],
    ):
        assert len(numbers) == len(set(numbers))


def test_gtins_have_their_check_digit_and_belong_to_no_real_ware(script):
    gtins = [listing.gtin for listing in script.listings if listing.gtin]
    assert len(gtins) >= 30
    for gtin in gtins:
        assert is_gtin(gtin) and len(gtin) == 13
        assert 200 <= int(gtin[:3]) <= 299  # for use inside a shop


def test_listings_came_into_their_state_in_a_way_the_site_allows(script):
    assert {listing.state for listing in script.listings} == set(ListingState)
    for listing in script.listings:
        if listing.state in (ListingState.LIVE, ListingState.DRAFT):
            assert listing.changed_days_ago is None, listing.key
        else:
            assert ListingState(listing.state) in TRANSITIONS[ListingState.LIVE]
            assert 0 < listing.changed_days_ago < listing.listed_days_ago, listing.key


def test_pictures_can_be_drawn_and_say_what_they_show(script):
    known = {*ARTS, *SCENES, *(f"plant:{plant}" for plant in PLANTS)}
    pictures = [
        picture for thread in script.threads for post in thread.posts for picture in post.pictures
    ]
    assert len(pictures) >= 20
    assert {picture.art for picture in pictures} <= known
    assert {listing.art for listing in script.listings} <= known
    assert all(picture.alt and "]" not in picture.alt for picture in pictures)


def test_listings_named_in_threads_and_rooms_are_there(script):
    listings = {listing.key: listing for listing in script.listings}
    for thread in script.threads:
        for post in thread.posts:
            if post.listing:
                listing = listings[post.listing]
                written = thread.days_ago - post.hours / 24
                assert listing.changed_days_ago is None or (listing.changed_days_ago < written), (
                    post.listing
                )
        for placed in thread.placed:
            assert listings[placed.listing].state == ListingState.LIVE
    for room in script.rooms:
        for message in room.messages:
            assert set(re.findall(r"\{listing:([^}]*)\}", message.body)) <= set(listings)


def test_cases_and_suggestions_are_about_something_that_is_there(script):
    posts = {
        (thread.group, thread.title, number): post
        for thread in script.threads
        for number, post in enumerate(thread.posts, start=1)
    }
    keys = {listing.key for listing in script.listings}
    said = [(room.group, message.body) for room in script.rooms for message in room.messages]
    for suggestion in script.suggestions:
        assert (suggestion.group, suggestion.thread, suggestion.number) in posts
        assert suggestion.listing in keys
    for case in script.cases:
        assert {flag.reason for flag in case.flags} <= set(FlagReason.values)
        if case.kind == "post":
            author = posts[case.group, case.thread, case.number].author
            assert author not in {flag.member for flag in case.flags}
        elif case.kind == "listing":
            assert case.listing in keys
        else:
            assert [body for group, body in said if group == case.group and case.says in body]
    outcomes = [case.decision.outcome if case.decision else None for case in script.cases]
    assert Counter(outcomes)[None] >= 2 and {Outcome.HIDE, Outcome.KEEP} <= set(outcomes)


def test_what_was_made_of_threads_is_about_threads_and_people_that_are_there(script):
    groups = {group.slug: group for group in script.groups}
    posts = {(thread.group, thread.title): len(thread.posts) for thread in script.threads}
    forum = script.forum
    for poll in forum.polls:
        assert (poll.group, poll.thread) in posts
        assert len(poll.options) == len(poll.votes) == len(set(poll.options))
        assert set(poll.without) <= set(groups[poll.group].members)
    for act in forum.acts:
        assert (act.group, act.thread) in posts
        for slug in {act.group, act.to} - {""}:
            assert act.by in {groups[slug].owner, *groups[slug].moderators}, act
        assert not act.into or (act.group, act.into) in posts
        assert all(1 < number <= posts[act.group, act.thread] for number in act.numbers)
    for one in (*forum.wikis, *forum.deleted):
        assert one.number <= posts[one.group, one.thread]
    assert [account.handle for account in forum.accounts] == [one.handle for one in ACCOUNTS]
    for account in forum.accounts:
        places = (*account.unread, *account.unopened, *account.bookmarks, *account.drafts)
        for one in (*places, *account.follows):
            assert account.handle in groups[one.group].members, one
            assert not one.thread or (one.group, one.thread) in posts, one


def test_kinds_of_threads_are_those_their_groups_offer_with_details_that_fit(script):
    groups = {group.slug: Group(template=group.template) for group in script.groups}
    for thread in script.threads:
        kind = clean_kind(thread.kind, groups[thread.group])
        day = {"on": NOON.date()} if kind == ThreadKind.LOG else {}
        clean_details(kind, {**thread.details, **day})
    assert {thread.kind for thread in script.threads} == set(ThreadKind.values)


def test_a_slip_of_the_pen_is_found_when_the_script_is_read(tmp_path):
    for file in (read_script.__globals__["CONTENT"]).iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    threads = tmp_path / "threads-moderators-corner.toml"
    threads.write_text(threads.read_text().replace("reply_to = 4", "replyto = 4", 1))
    with pytest.raises(TypeError, match="replyto"):
        read_script(tmp_path)


def test_the_terminal_is_told_how_to_sign_in():
    text = welcome()
    assert DEMO_PASSWORD in text
    assert all(f"  {account.handle} " in text for account in ACCOUNTS)
    assert max(len(line) for line in text.splitlines()) <= 90


# -- clicks and orders, planned ---------------------------------------------------------------

READERS = (("ada", 400.0), ("bo", 30.0))
SPOTS = (
    Spot("film", "shop", 80.0, pull=1.0, talk=(80.0, 79.5, 20.0), readers=READERS, author="ada"),
    Spot("camera", "shop", 60.0, closes=35.0, talk=(60.0,), readers=READERS, author="cy"),
    Spot("pen", "agnes", 85.0, talk=(85.0,), readers=READERS),
    Spot("film", "shop", 90.0, pull=0.5),
)
WARES = {
    "shop": (
        Ware("Film", 3_400, "film", "SO-1", "https://shop.example/film"),
        Ware("Camera", 21_000, "camera", "SO-2", "https://shop.example/camera", many=False),
        Ware("Lens cloth", 600),
    )
}


def plan(**changes: Any) -> Plan:
    return plan_trade(SPOTS, WARES, **{"clicks": 1_500, "lone_orders": 40, **changes})


def test_the_same_spots_give_the_same_plan():
    assert plan() == plan()


def test_nobody_clicks_what_is_not_there_or_before_they_joined():
    for click in plan().clicks:
        spot = SPOTS[click.spot]
        assert spot.opens >= click.days_ago > 0
        assert click.days_ago >= spot.closes - DEDUPE_DAYS  # a second look at a sold one
        if click.member:
            assert dict(READERS)[click.member] >= click.days_ago
            assert click.member != spot.author


def test_a_second_click_within_half_an_hour_is_a_repeat_and_no_other_is():
    kept: dict[tuple[int | None, int], float] = {}
    repeats = 0
    for click in plan().clicks:
        key = (click.visitor, click.spot)
        soon = click.visitor is not None and kept.get(key, 1e9) - click.days_ago < DEDUPE_DAYS
        assert soon == (click.not_counted == NotCounted.REPEAT)
        repeats += soon
        if not soon:
            kept[key] = click.days_ago
    assert repeats > 20


def test_what_is_no_reader_is_no_visitor():
    clicks = plan().clicks
    for kind in (NotCounted.BOT, NotCounted.PREFETCH):
        assert [click for click in clicks if click.not_counted == kind]
    assert all(
        click.visitor is None and not click.member
        for click in clicks
        if click.not_counted in (NotCounted.BOT, NotCounted.PREFETCH)
    )


def test_orders_come_after_their_click_and_shops_alone_have_them():
    made = plan()
    followed = [order for order in made.orders if order.click is not None]
    assert len(followed) > 40
    for order in followed:
        click = made.clicks[order.click or 0]
        assert 0 < order.days_ago < click.days_ago
        assert not click.not_counted
        assert SPOTS[click.spot].shop == order.shop == "shop"
    clicked = [click for click in made.clicks if not click.not_counted]
    assert 0.03 < len(followed) / len(clicked) < 0.12


def test_what_there_is_one_of_is_clicked_and_not_ordered():
    bought = {line.ware.title for order in plan().orders if not order.test for line in order.lines}
    assert bought == {"Film", "Lens cloth"}


def test_there_is_more_going_on_at_weekends_and_at_the_end():
    steady = Spot("film", "shop", 500.0, talk=tuple(n / 3 for n in range(300)))
    days = Counter(
        int(click.days_ago) for click in plan_trade([steady], WARES, clicks=20_000).clicks
    )
    weekends = sum(days[day] for day in range(DAYS) if day % 7 in (0, 1)) / 26
    weekdays = sum(days[day] for day in range(DAYS) if day % 7 not in (0, 1)) / 64
    assert weekends > 1.3 * weekdays
    assert sum(days[day] for day in range(30)) > 1.3 * sum(days[day] for day in range(60, 90))


def test_a_story_is_told_and_one_whose_listing_is_nowhere_is_left_out():
    told = Story("bo", "film", "ada", clicked=12.0, ordered=11.5)
    lost = Story("bo", "film", "nobody", clicked=12.0, ordered=11.5)
    made = plan(stories=[told, lost])
    [order] = [order for order in made.orders if order.days_ago == 11.5]
    assert order.member == "bo"
    assert order.click is not None
    assert made.clicks[order.click].days_ago == 12.0


def test_some_orders_are_given_back_cancelled_or_changed():
    orders = plan(clicks=4_000, lone_orders=120).orders
    assert sum(len(order.refunds) for order in orders) >= 10
    assert sum(order.cancelled_days_ago is not None for order in orders) == 3
    assert sum(order.changed is not None for order in orders) == 2
    for order in orders:
        for refund in order.refunds:
            assert 0 < refund.amount_minor <= sum(line.net_minor for line in order.lines)
            assert refund.days_ago < order.days_ago


# -- played -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def part(script: Script) -> Script:
    """Two groups with three threads each, one of them by people who sell."""
    return script.only(["vintage-audio", "house-plants"], threads=3)


@dataclass(frozen=True)
class Played:
    """What was played lies in the database; `before` is what an earlier play had written."""

    stage: Stage
    before: dict[str, list[Any]]


@pytest.fixture(scope="module")
def played(
    part: Script,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Played]:
    """The part of the script, played three days ago and thrown away, and again at noon.

    Once for all tests that look at it: it takes as long as a hundred others.
    """

    def play(anchor: datetime) -> Stage:
        return seed(part, anchor=anchor, clicks=600, lone_orders=20, darkroom=darkroom)

    with (
        override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("played")),
        django_db_blocker.unblock(),
        Darkroom() as darkroom,
    ):
        with taken_back():
            before = as_played(play(NOON - timedelta(days=3, hours=5, minutes=7)))
        with taken_back():
            yield Played(play(NOON), before)


@contextmanager
def taken_back() -> Iterator[None]:
    """A transaction that leaves nothing, and that the outbox does not count as one."""
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]
    with whole:
        yield
        connection.check_constraints()
        transaction.set_rollback(True)


def said(thread: ThreadText) -> list[str]:
    return [post.body.strip() for post in thread.posts]


@TOGETHER
@pytest.mark.django_db
def test_a_part_of_the_script_is_played_completely(part, played):
    assert Member.objects.count() == 46
    assert Group.objects.count() == 2
    for text in part.groups:
        group = Group.objects.get(slug=text.slug)
        roles = dict(Membership.objects.filter(group=group).values_list("member__handle", "role"))
        assert set(roles) == set(text.members)
        assert {handle for handle, role in roles.items() if role == Role.OWNER} == {text.owner}
        moderators = {handle for handle, role in roles.items() if role == Role.MODERATOR}
        assert moderators == set(text.moderators)
        assert group.member_count == len(text.members)
        assert group.thread_count == 3
    assert Thread.objects.count() == 6
    for text in part.threads:
        thread = Thread.objects.get(title=text.title)
        posts = list(thread.posts.order_by("number").select_related("author", "reply_to"))
        assert [post.author.handle for post in posts] == [post.author for post in text.posts]
        assert [post.reply_to and post.reply_to.number for post in posts] == [
            post.reply_to for post in text.posts
        ]
        for post, body in zip(posts, said(text), strict=True):
            assert post.body.startswith(body)
        assert [len(post.images.all()) for post in posts] == [
            len(post.pictures) for post in text.posts
        ]
        began = NOON - timedelta(days=text.days_ago)
        assert [post.created_at for post in posts] == [
            began + timedelta(hours=post.hours) for post in text.posts
        ]
        assert thread.reply_count == len(posts) - 1
        assert thread.last_post_at == posts[-1].created_at
        assert (thread.answer and thread.answer.number) == text.answer
        assert (thread.pinned_at is not None) == text.pinned
    rooms = (*part.rooms, *part.talks)
    assert Message.objects.count() == sum(len(room.messages) for room in rooms)
    assert Listing.objects.count() == len(part.listings)
    for text in part.listings:
        listing = Listing.objects.get(title=text.title)
        assert listing.state == text.state
        assert listing.photos.count() >= 1
        assert (listing.published_at is None) == (text.state == ListingState.DRAFT)
    assert Image.objects.filter(alt="").count() == 0
    assert Placement.objects.exclude(evidence=Evidence.HAND).exists()
    assert not OutboxEvent.objects.exclude(state=State.DONE).exists()


@TOGETHER
@pytest.mark.django_db
def test_what_was_given_is_counted_and_nobody_thanks_themselves(played):
    ensure_counted()
    assert Reaction.objects.count() > 40
    assert not Reaction.objects.filter(member=F("post__author")).exists()
    assert not Reaction.objects.filter(given_at__lt=F("post__created_at")).exists()
    assert not BadgeGrant.objects.filter(earned_at__gt=NOON).exists()
    assert not Notification.objects.filter(at__gt=NOON).exists()


@TOGETHER
@pytest.mark.django_db
def test_nothing_of_what_was_played_lies_ahead_of_its_moment(played):
    for model, field in (
        (Post, "created_at"),
        (Message, "sent_at"),
        (Listing, "state_changed_at"),
        (Placement, "created_at"),
        (Image, "created_at"),
        (Touchpoint, "occurred_at"),
        (Touchpoint, "received_at"),
        (Order, "placed_at"),
        (Order, "recorded_at"),
        (Refund, "refunded_at"),
        (Delivery, "received_at"),
        (Membership, "joined_at"),
    ):
        assert not model.objects.filter(**{f"{field}__gt": NOON}).exists(), (model, field)


@TOGETHER
@pytest.mark.django_db
def test_credits_of_played_orders_add_up_to_what_was_sold(played):
    shops = Merchant.objects.filter(orders__isnull=False).distinct()
    assert shops.count() == 3
    for shop in shops:
        run = current_run(shop)
        assert run is not None and weigh(run).off == []
        orders = Order.objects.filter(merchant=shop, test=False)
        kept = OrderLine.objects.filter(order__in=orders.filter(cancelled_at=None))
        sold = kept.aggregate(minor=Sum("net_minor"))["minor"] or 0
        back = Refund.objects.filter(order__in=orders.filter(cancelled_at=None))
        returned = back.aggregate(minor=Sum("amount_minor"))["minor"] or 0
        credited = Credit.objects.filter(run=run).aggregate(minor=Sum("amount_minor"))["minor"]
        assert credited == sold - returned
    assert Credit.objects.exclude(kind="unattributed").exists()


@TOGETHER
@pytest.mark.django_db
def test_played_again_later_it_is_the_same_but_for_its_dates(played):
    for what, rows in as_played(played.stage).items():
        assert rows == played.before[what], what


def as_played(stage: Stage) -> dict[str, list[Any]]:
    """All that was written, dates counted from the moment it was played and without our ids."""

    def ago(at: datetime | None) -> float | None:
        return round((stage.anchor - at).total_seconds(), 3) if at else None

    def plain(text: str) -> str:
        return re.sub(r"image:[0-9a-f-]+|/listings/\d+/", "#", text)

    return {
        "posts": [
            (post.thread.title, post.number, post.author.handle, plain(post.body), ago(at))
            for post in Post.objects.select_related("thread", "author").order_by("pk")
            for at in [post.created_at]
        ],
        "members": [
            (one.member.handle, one.group.slug, one.role, ago(one.joined_at))
            for one in Membership.objects.select_related("member", "group").order_by("pk")
        ],
        "messages": [
            (message.seq, plain(message.body), ago(message.sent_at))
            for message in Message.objects.order_by("room_id", "seq")
        ],
        "pictures": sorted(Image.objects.values_list("alt", "sha256")),
        "placements": [
            (
                *(one.thread.title, one.post.number if one.post else 0, one.listing.title),
                *(one.evidence, one.state, ago(one.created_at)),
            )
            for one in Placement.objects.select_related("thread", "post", "listing").order_by("pk")
        ],
        "clicks": [
            (click.click_id, click.not_counted, click.listing.title, ago(click.occurred_at))
            for click in Touchpoint.objects.select_related("listing").order_by("pk")
        ],
        "orders": [
            (
                *(order.merchant.slug, order.external_id, order.click_id, order.total_minor),
                *(ago(order.placed_at), ago(order.cancelled_at)),
            )
            for order in Order.objects.select_related("merchant").order_by("pk")
        ],
        "credits": [
            (credit.order.external_id, credit.kind, credit.reason, credit.amount_minor)
            for credit in Credit.objects.select_related("order").order_by("pk")
        ],
    }


@TOGETHER
@pytest.mark.django_db
def test_a_database_with_members_is_left_as_it_is(played):
    with pytest.raises(CommandError, match="has members already"):
        call_command("seed", "--quiet")
    assert Member.objects.count() == 46
    assert Group.objects.count() == 2
