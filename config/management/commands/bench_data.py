"""Fill an empty database with talk in bulk, to measure on."""

from __future__ import annotations

import itertools
import random
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from commerce.listings.models import Condition, Listing, ListingKind, ListingState
from commerce.merchants.models import Merchant, MerchantKind, TeamMember
from commerce.placements.models import Evidence, Placement
from community.groups.models import TINTS, Group, Membership, Role, Template
from community.members.models import Member, TrustLevel
from community.reactions.models import Reaction
from community.threads.marks import Follow, FollowLevel, ReadMark
from community.threads.markup import MARKUP_VERSION, render
from community.threads.models import Post, Thread

VOCABULARY: Final = (
    "shutter lens patch tin grind seal foam price body clean light meter roll dusk trade glass "
    "screw spring bench winder film grade fault scratch serviced honest seller box strap case"
)
WORDS: Final = tuple(VOCABULARY.split())
TEXTS: Final = 400
BATCH: Final = 2_000
LONGEST: Final = 500  # posts of the longest thread
READERS: Final = 20  # members who are in every group, have read half of each thread and follow some
CARD_EVERY: Final = 10  # so many posts have one card beside them, in every tenth thread


class Command(BaseCommand):
    help = "Fill an empty database with groups, threads and posts for benchmarks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--groups", type=int, default=50)
        parser.add_argument("--threads", type=int, default=2_000)
        parser.add_argument("--posts", type=int, default=40_000)
        parser.add_argument("--members", type=int, default=500)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION or Member.objects.exists():
            raise CommandError("This wants an empty database that is not a production one.")
        fill(
            groups=options["groups"],
            threads=options["threads"],
            posts=options["posts"],
            members=options["members"],
        )
        self.stdout.write(f"{options['posts']} posts in {options['threads']} threads")


@transaction.atomic
def fill(*, groups: int, threads: int, posts: int, members: int) -> None:
    """Write rows as the services would have, in bulk. The same numbers give the same rows.

    Threads have a long tail, by Zipf's law: thread 0 of group 0 is the longest, with 500 posts of
    40,000, most have fewer than ten.
    """
    chance = random.Random(11)  # noqa: S311 - wanted to repeat
    now = timezone.now()
    people = Member.objects.bulk_create(
        Member(
            handle=f"m{n}",
            name=f"Member {n}",
            email=f"m{n}@shoal.example",
            password="!",  # noqa: S106
            trust_level=TrustLevel.MEMBER,
            onboarded_at=now,
        )
        for n in range(members)
    )
    made_groups = Group.objects.bulk_create(
        Group(
            slug=f"g{n}",
            name=f"Group {n}",
            template=Template.values[n % len(Template.values)],
            about="Made to be measured.",
            tint=n % TINTS,
        )
        for n in range(groups)
    )
    Membership.objects.bulk_create(
        Membership(group=group, member=member, role=Role.OWNER if place == number else Role.MEMBER)
        for number, group in enumerate(made_groups)
        for place, member in enumerate(people)
        if place == number or place % groups == number or place < READERS
    )
    texts = [_text(chance) for _ in range(TEXTS)]
    rendered = [render(text) for text in texts]
    made_threads = Thread.objects.bulk_create(
        (
            Thread(
                group=made_groups[n % groups],
                author=people[chance.randrange(members)],
                title=" ".join(chance.sample(WORDS, 6)).capitalize(),
                excerpt=rendered[n % TEXTS].text[:200],
                created_at=now - timedelta(minutes=threads - n, days=30),
                last_post_at=now - timedelta(minutes=threads - n),
            )
            for n in range(threads)
        ),
        batch_size=BATCH,
    )
    for thread in made_threads:
        thread.last_number = 0
    ladder = list(itertools.accumulate(1 / (rank + 15) for rank in range(threads)))
    most = max(LONGEST, posts // threads * 2)

    def rows() -> Iterator[Post]:
        for n in range(posts):
            thread = made_threads[n % threads]
            if n >= threads:
                thread = chance.choices(made_threads, cum_weights=ladder)[0]
                while thread.last_number >= most:
                    thread = made_threads[chance.randrange(threads)]
            thread.last_number += 1
            which = chance.randrange(TEXTS)
            given = chance.choices(({}, {"heart": 1}, {"heart": 2, "helpful": 1}), (6, 3, 1))[0]
            yield Post(
                thread=thread,
                number=thread.last_number,
                author=people[chance.randrange(members)],
                body=texts[which],
                html=rendered[which].html,
                markup_version=MARKUP_VERSION,
                created_at=now - timedelta(seconds=posts - n),
                reactions=given,
                reaction_count=sum(given.values()),
            )

    source = rows()
    while batch := list(islice(source, BATCH)):
        Post.objects.bulk_create(batch)
    for thread in made_threads:
        thread.reply_count = thread.last_number - 1
        thread.last_post_by = thread.author
    Thread.objects.bulk_update(
        made_threads, ["last_number", "reply_count", "last_post_by"], batch_size=BATCH
    )
    _react(people[:READERS])
    _read(people[:READERS], made_threads, now)
    _place(people[-1], made_threads, now)
    for number, group in enumerate(made_groups):
        group.member_count = group.memberships.count()
        group.thread_count = len(range(number, threads, groups))
        group.last_post_at = now
    Group.objects.bulk_update(made_groups, ["member_count", "thread_count", "last_post_at"])


def _react(readers: list[Member]) -> None:
    """Write the rows of the reactions that posts count; never more of a name than there are."""
    posts = Post.objects.exclude(reactions={}).values_list("pk", "reactions")
    Reaction.objects.bulk_create(
        (
            Reaction(post_id=pk, member=readers[(pk + nth) % len(readers)], name=name)
            for pk, counts in posts
            for name, count in counts.items()
            for nth in range(count)
        ),
        batch_size=BATCH,
    )


def _read(readers: list[Member], threads: list[Thread], now: datetime) -> None:
    """Let each reader have read half of every thread and follow each tenth."""
    Member.objects.filter(pk__in=[one.pk for one in readers]).update(
        all_read_at=now - timedelta(days=365)
    )
    ReadMark.objects.bulk_create(
        (
            ReadMark(member=reader, thread=thread, number=thread.last_number // 2, read_at=now)
            for reader in readers
            for thread in threads
        ),
        batch_size=BATCH,
    )
    Follow.objects.bulk_create(
        (
            Follow(member=reader, thread=thread, level=FollowLevel.TRACKING)
            for reader in readers
            for thread in threads[::10]
        ),
        batch_size=BATCH,
    )


def _place(keeper: Member, threads: list[Thread], now: datetime) -> None:
    """Place listings of one shop beside each tenth post of every tenth thread."""
    shop = Merchant.objects.create(
        slug="bench", name="Bench", kind=MerchantKind.SHOP, disclosure="Made to be measured."
    )
    TeamMember.objects.create(merchant=shop, member=keeper)
    listings = Listing.objects.bulk_create(
        Listing(
            merchant=shop,
            kind=ListingKind.SALE,
            state=ListingState.LIVE,
            title=f"Rangefinder {n}",
            price_minor=21_000 + n,
            currency="GBP",
            condition=Condition.values[0],
            published_at=now,
        )
        for n in range(20)
    )
    posts = Post.objects.filter(
        thread__in=[one.pk for one in threads[::10]], number__in=range(4, LONGEST, CARD_EVERY)
    )
    Placement.objects.bulk_create(
        (
            Placement(
                thread_id=thread_id,
                post_id=pk,
                listing=listings[pk % len(listings)],
                evidence=Evidence.URL,
            )
            for pk, thread_id in posts.values_list("pk", "thread_id")
        ),
        batch_size=BATCH,
    )


def _text(chance: random.Random) -> str:
    paragraphs = [
        " ".join(chance.choices(WORDS, k=chance.randint(8, 60))).capitalize() + "."
        for _ in range(chance.randint(1, 4))
    ]
    if chance.random() < 0.2:
        paragraphs.append("\n".join(f"- {word}" for word in chance.sample(WORDS, 4)))
    return "\n\n".join(paragraphs)
