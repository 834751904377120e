"""The whole of the demo's content, written by its command into an empty database."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client

from commerce.attribution.balance import weigh
from commerce.attribution.models import Credit
from commerce.attribution.services import current_run
from commerce.connectors.models import Delivery, DeliveryState
from commerce.listings.models import Listing
from commerce.merchants.models import Merchant, MerchantKind
from commerce.orders.models import Order
from commerce.placements.models import Evidence, Placement, PlacementState
from commerce.touchpoints.models import Touchpoint
from community.groups.models import Group
from community.members.models import Member
from community.notifications.models import Kind, Notification
from community.search.finding import newest
from community.search.queries import parse
from community.tags.models import Tag
from community.threads.models import (
    Post,
    Thread,
    ThreadEntry,
    ThreadScore,
)
from community.threads.unread import unread_counts
from config.seeds import ACCOUNTS, DEMO_PASSWORD
from config.seeds.script import read_script
from moderation.audit.models import AuditEntry
from moderation.flags.models import Case
from tests.config.counted import ensure_counted


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_whole_demo_is_what_was_asked_for(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    call_command("seed", "--quiet")
    assert Group.objects.exclude(join_mode="hidden").count() >= 6
    assert Member.objects.count() >= 40
    assert Thread.objects.count() >= 60
    assert Post.objects.count() >= 600
    assert Merchant.objects.filter(kind=MerchantKind.SHOP).count() == 3
    assert Listing.objects.count() >= 80
    assert not Listing.objects.filter(photos=None).exists()
    assert 2_500 <= Touchpoint.objects.count() <= 4_000
    assert 180 <= Order.objects.filter(test=False).count() <= 260
    first = Touchpoint.objects.earliest("occurred_at").occurred_at
    last = Touchpoint.objects.latest("occurred_at").occurred_at
    assert timedelta(days=86) < last - first <= timedelta(days=90)
    for shop in Merchant.objects.filter(kind=MerchantKind.SHOP):
        run = current_run(shop)
        assert run is not None and weigh(run).off == []
        kinds = set(Credit.objects.filter(run=run).values_list("kind", flat=True))
        assert kinds == {"direct", "halo", "unattributed"}
        clicks = Touchpoint.objects.counted().filter(merchant=shop).count()
        followed = shop.orders.exclude(click_id="").count()
        assert 0.04 < followed / clicks < 0.12
    reasons = set(Credit.objects.values_list("reason", flat=True))
    assert reasons == {"sale", "refund", "cancelled", "change"}
    assert Delivery.objects.filter(state=DeliveryState.FAILED).count() == 0
    assert Delivery.objects.filter(state=DeliveryState.WAITING).count() == 1
    evidence = set(Placement.objects.shown().values_list("evidence", flat=True))
    assert evidence == set(Evidence)
    states = set(Placement.objects.values_list("state", flat=True))
    assert states == set(PlacementState)
    own = Order.objects.get(buyer_member__handle="dougal")
    assert not Credit.objects.filter(order=own).exclude(kind="unattributed").exists()
    assert Case.objects.filter(closed_at=None).count() == 2
    acted = Counter(
        action.partition(".")[0] for action in AuditEntry.objects.values_list("action", flat=True)
    )
    assert acted == {"case": 2, "member": 4, "thread": 10}
    assert Post.objects.exclude(hidden_at=None).count() == 2
    for account in ACCOUNTS:
        browser = Client()
        browser.post("/accounts/login/", {"login": account.handle, "password": DEMO_PASSWORD})
        assert browser.get("/settings/").status_code == 200, account.handle
    ensure_whole_forum()
    browser = Client()
    browser.post("/accounts/login/", {"login": "mo", "password": DEMO_PASSWORD})
    assert browser.get("/staff/moderation/case/").status_code == 200


def ensure_whole_forum() -> None:
    """Every page of the forum has something on it, for each of the accounts."""
    ensure_counted()
    script = read_script()
    for account in script.forum.accounts:
        member = Member.objects.get(handle=account.handle)
        for one in account.unread:
            thread = Thread.objects.get(title=one.thread)
            assert unread_counts(member, [thread])[thread.pk][0] == one.posts, one
        unopened = {one.thread for one in account.unopened}
        assert unopened <= {thread.title for thread in Thread.objects.new_for(member)}
        assert member.bookmarks.count() == len(account.bookmarks)
        assert member.drafts.count() == len(account.drafts)
        assert member.saved_searches.count() == len(account.searches)
        told = Notification.objects.listed_for(member)
        assert told.unread().exists() and told.exclude(read_at=None).exists()
    assert set(Notification.objects.values_list("kind", flat=True)) >= {
        *(Kind.MENTION, Kind.REPLY, Kind.QUOTE, Kind.WATCHED, Kind.THREAD, Kind.REACTION),
        *(Kind.ANSWER, Kind.BADGE, Kind.INVITE, Kind.REMINDER, Kind.SEARCH),
    }
    verbs = set(ThreadEntry.objects.values_list("verb", flat=True))
    assert verbs == {
        *("move", "split", "split_off", "merge", "merged", "pin", "slow_mode"),
        *("closing", "retitle", "lock"),
    }
    assert Tag.objects.exclude(synonym_of=None).count() == 18
    assert set(ThreadScore.objects.values_list("period", flat=True)) == set(ThreadScore.Period)
    found = newest(parse("推冲"), Member.objects.get(handle="ada"), after_id=0).hits
    asked = Thread.objects.get(title__startswith="推冲")
    assert len([hit for hit in found if hit.thread_id == asked.pk]) >= 2
