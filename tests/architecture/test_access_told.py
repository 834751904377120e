"""Who is told: on the site, by letter, by push, in the digest and by saved searches.

Everybody follows everything here, whether they may read it or not: as those do who left a group.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from community.groups.services import leave_group
from community.notifications import delivery, push, recipients, services
from community.notifications.delivery import send_due
from community.notifications.digest import collect
from community.notifications.models import (
    Channel,
    Notification,
    NotificationQuerySet,
    PushSubscription,
    Sending,
)
from community.notifications.services import add_push_subscription, choose
from community.search.models import SavedSearch, SearchDocumentQuerySet
from community.search.saving import look_for_news, save_search
from community.threads.hiding import hide_post
from community.threads.marks import Follow, FollowLevel
from community.threads.models import Post, PostMention, PostQuerySet
from tests.architecture.access.world import IN_HIDDEN_GROUP, INSIDE, PLACES, World
from tests.factories import make_post
from tests.outbox import run_outbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_earned")]

LATER = timedelta(minutes=10)


class Heard:
    """What went out by push: the members, and the words."""

    def __init__(self) -> None:
        self.members: set[int] = set()
        self.words = b""

    def send(self, subscription: PushSubscription, data: bytes, *, topic: str) -> push.Answer:
        self.members.add(subscription.member_id)
        self.words += data
        return push.Answer(201)


@pytest.fixture
def heard(world: World, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Heard:
    """Everybody wants everything at once, everywhere, and watches a thread in each place."""
    heard = Heard()
    settings.VAPID_PRIVATE_KEY = push.new_private_key()
    monkeypatch.setattr(push, "send", heard.send)
    monkeypatch.setattr(delivery, "is_here", lambda member_id: False)
    Notification.objects.all().delete()
    Sending.objects.all().delete()
    for name, member in world.people.items():
        choose(
            member=member, wanted={}, email_when="always", quiet=None, digest="day",
            time_zone="UTC",
        )  # fmt: skip
        add_push_subscription(
            member, endpoint=f"https://push.example/{name}", p256dh="A" * 87, auth="A" * 22
        )
        for spot in world.spots.values():
            Follow.objects.update_or_create(
                member=member, thread=spot["thread"], defaults={"level": FollowLevel.WATCHING}
            )
    return heard


def says(world: World, name: str, place: str) -> Post:
    """A reply by one of the people that names all the others."""
    post = make_post(world.people[name], world.spots[place]["thread"], "News of a lens.")
    for member in world.people.values():
        PostMention.objects.get_or_create(post=post, member=member)
    run_outbox()
    return post


def named(world: World, ids: Any) -> set[str]:
    """The people among the members of these ids."""
    known = {member.pk: name for name, member in world.people.items()}
    return {known[pk] for pk in set(ids) if pk in known}


def told(world: World, **what: Any) -> set[str]:
    rows = Notification.objects.filter(**what)
    return named(world, rows.values_list("member", flat=True))


def sent(world: World, heard: Heard) -> tuple[set[str], set[str]]:
    """Send all that is due; return who got a letter and who a push."""
    mail.outbox.clear()
    with time_machine.travel(timezone.now() + LATER, tick=True):
        send_due(Channel.EMAIL)
        send_due(Channel.PUSH)
    to = {address for letter in mail.outbox for address in letter.to}
    letters = {name for name, member in world.people.items() if member.email in to}
    return letters, named(world, heard.members)


def expected(world: World, place: str, *without: str) -> set[str]:
    inside = set(INSIDE) if place == "hidden" else set(world.people)
    return inside - set(without)


@pytest.mark.parametrize("place", PLACES)
def test_a_post_is_told_to_those_who_may_read_it_on_every_channel(
    world: World, heard: Heard, place: str
):
    """A member who is silenced reads, and so is told."""
    post = says(world, "moderator", place)
    who = expected(world, place, "moderator")
    assert told(world, post=post) == who
    assert sent(world, heard) == (who, who)


def test_who_blocked_its_author_is_told_nothing(world: World, heard: Heard):
    post = says(world, "blocked", "open")
    who = expected(world, "open", "blocked", "author")
    assert told(world, post=post) == who
    assert sent(world, heard) == (who, who)


def test_who_left_a_hidden_group_meanwhile_gets_neither_letter_nor_push(world: World, heard: Heard):
    post = says(world, "moderator", "hidden")
    leaver = world.people["member"]
    assert "member" in told(world, post=post)
    leave_group(member=leaver, group=world.spots["hidden"]["group"])
    who = expected(world, "hidden", "moderator", "member")
    assert sent(world, heard) == (who, who)
    assert not Notification.objects.visible_to(leaver).filter(post=post).exists()
    assert told(world, post=says(world, "moderator", "hidden")) == who


def test_a_post_hidden_meanwhile_goes_to_nobody(world: World, heard: Heard):
    post = says(world, "member", "open")
    hide_post(post=post, by=world.people["moderator"], reason="Said twice.")
    letters, pushes = sent(world, heard)
    assert (letters - {"member"}, pushes - {"member"}) == (set(), set())
    for member in world.people.values():
        assert member == post.author or not (
            Notification.objects.visible_to(member).filter(post=post).exists()
        )


def test_a_digest_holds_what_its_reader_may_read(world: World, heard: Heard):
    says(world, "moderator", "hidden")
    since = timezone.now() - timedelta(days=1)
    for name, member in world.people.items():
        news, best = collect(member, since)
        groups = {row.post.thread.group for row in news if row.post} | {t.group for t in best}
        hidden = {group.name for group in groups if IN_HIDDEN_GROUP in group.name}
        assert bool(hidden) <= (name in INSIDE), name
        shut = {row.actor_id for row in news} | {thread.author_id for thread in best}
        assert name != "author" or world.people["blocked"].pk not in shut


def alerts(world: World, name: str, place: str) -> set[str]:
    """Who is told that something new fits their saved search."""
    for member in world.people.values():
        save_search(member=member, query="thunderquill")
    SavedSearch.objects.update(looked_at=timezone.now() - timedelta(days=2))
    post = make_post(world.people[name], world.spots[place]["thread"], "A thunderquill.")
    Follow.objects.all().delete()
    run_outbox()
    look_for_news(at=timezone.now() + timedelta(hours=1))
    run_outbox()
    return told(world, post=post, kind="search")


@pytest.mark.parametrize("place", ["open", "hidden"])
def test_a_saved_search_finds_what_its_member_may_read(world: World, heard: Heard, place: str):
    # Who opened the thread is told of the reply itself, and once.
    assert alerts(world, "moderator", place) | {"author"} == expected(world, place, "moderator")


def test_a_saved_search_finds_nothing_by_somebody_blocked(world: World, heard: Heard):
    assert "author" not in alerts(world, "blocked", "open")


# -- the checks can fail --------------------------------------------------------------------------


def everything(rows: Any, viewer: Any, *args: Any, **kwargs: Any) -> Any:
    """A twin of `visible_to` that forgets who asks."""
    return rows.all()


def for_member(rows: Any, member: Any) -> Any:
    """A twin that gives a member what is theirs, whether they may still read it or not."""
    return rows.filter(member=member)


# What forgets, its twin, and the test above that finds it.
TWINS: dict[str, tuple[list[tuple[Any, str, Any]], Callable[..., None], tuple[Any, ...]]] = {
    "recipients who may not read": (
        [(recipients, "may_read", lambda group, members: set(members))],
        test_a_post_is_told_to_those_who_may_read_it_on_every_channel,
        ("hidden",),
    ),
    "recipients who blocked its author": (
        [(recipients, "deaf_to", lambda author_id, members: set())],
        test_who_blocked_its_author_is_told_nothing,
        (),
    ),
    "sending without asking again who left": (
        [(NotificationQuerySet, "visible_to", for_member)],
        test_who_left_a_hidden_group_meanwhile_gets_neither_letter_nor_push,
        (),
    ),
    "sending without asking again what was hidden": (
        [(NotificationQuerySet, "visible_to", for_member)],
        test_a_post_hidden_meanwhile_goes_to_nobody,
        (),
    ),
    "a digest of what others may read": (
        [
            (recipients, "may_read", lambda group, members: set(members)),
            (NotificationQuerySet, "visible_to", for_member),
        ],
        test_a_digest_holds_what_its_reader_may_read,
        (),
    ),
    "a saved search over all documents": (
        [
            (SearchDocumentQuerySet, "visible_to", everything),
            (PostQuerySet, "visible_to", everything),
        ],
        test_a_saved_search_finds_what_its_member_may_read,
        ("hidden",),
    ),
    "a saved search by whoever was blocked": (
        [
            (SearchDocumentQuerySet, "not_blocked_by", everything),
            (services, "deaf_to", lambda author_id, members: set()),
        ],
        test_a_saved_search_finds_nothing_by_somebody_blocked,
        (),
    ),
}


@pytest.mark.parametrize("twin", TWINS)
def test_what_forgets_who_may_be_told_is_caught(
    world: World, heard: Heard, monkeypatch: pytest.MonkeyPatch, twin: str
):
    changes, finds, place = TWINS[twin]
    for owner, name, bad in changes:
        monkeypatch.setattr(owner, name, bad)
    with pytest.raises(AssertionError):
        finds(world, heard, *place)
