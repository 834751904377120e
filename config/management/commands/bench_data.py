"""Fill an empty database with talk in bulk, to measure on."""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from community.groups.models import TINTS, Group, Membership, Role, Template
from community.members.models import Member
from community.threads.markup import MARKUP_VERSION, render
from community.threads.models import Post, Thread

VOCABULARY: Final = (
    "shutter lens patch tin grind seal foam price body clean light meter roll dusk trade glass "
    "screw spring bench winder film grade fault scratch serviced honest seller box strap case"
)
WORDS: Final = tuple(VOCABULARY.split())
TEXTS: Final = 400
BATCH: Final = 2_000


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

    Thread 0 of group 0 gets a tenth of the replies, so that one thread is long.
    """
    chance = random.Random(11)  # noqa: S311 - wanted to repeat
    now = timezone.now()
    people = Member.objects.bulk_create(
        Member(handle=f"m{n}", name=f"Member {n}", email=f"m{n}@shoal.example", password="!")  # noqa: S106
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
        if place == number or place % groups == number or place < 20
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

    def rows() -> Iterator[Post]:
        for n in range(posts):
            if n < threads:
                thread = made_threads[n]
            elif n % 10 == 0:
                thread = made_threads[0]
            else:
                thread = made_threads[chance.randrange(threads)]
            thread.last_number += 1
            which = chance.randrange(TEXTS)
            yield Post(
                thread=thread,
                number=thread.last_number,
                author=people[chance.randrange(members)],
                body=texts[which],
                html=rendered[which].html,
                markup_version=MARKUP_VERSION,
                created_at=now - timedelta(seconds=posts - n),
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
    for number, group in enumerate(made_groups):
        group.member_count = group.memberships.count()
        group.thread_count = len(range(number, threads, groups))
        group.last_post_at = now
    Group.objects.bulk_update(made_groups, ["member_count", "thread_count", "last_post_at"])


def _text(chance: random.Random) -> str:
    paragraphs = [
        " ".join(chance.choices(WORDS, k=chance.randint(8, 60))).capitalize() + "."
        for _ in range(chance.randint(1, 4))
    ]
    if chance.random() < 0.2:
        paragraphs.append("\n".join(f"- {word}" for word in chance.sample(WORDS, 4)))
    return "\n\n".join(paragraphs)
