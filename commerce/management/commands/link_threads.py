"""`manage.py link_threads`: the linking job over all posts, or those of one group."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from tqdm import tqdm

from commerce.placements.models import Evidence
from commerce.placements.services import link_post
from community.groups.models import Group
from community.threads.models import Post

CHUNK = 200


def _in_order(posts: QuerySet[Post]) -> Iterator[Post]:
    """Stream posts by their ids, a short query at a time: no cursor is held open for hours."""
    rows = posts.select_related("thread__group").defer("body").order_by("pk")
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        yield from chunk
        last = chunk[-1].pk


class Command(BaseCommand):
    help = (
        "Look for listings in every post again: after listings came in, or the rules changed."
        " What people decided stays; a second run changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--group", metavar="SLUG", help="only the posts of this group")

    def handle(self, *args: Any, **options: Any) -> None:
        posts = Post.objects.filter(hidden_at__isnull=True)
        if options["group"]:
            group = Group.objects.filter(slug=options["group"]).first()
            if group is None:
                raise CommandError(f"There is no group {options['group']!r}.")
            posts = posts.filter(thread__group=group)
        links: Counter[str] = Counter()
        linked = suggested = nothing = suggestions = changed = 0
        bar = tqdm(total=posts.count(), unit="post", disable=options["verbosity"] == 0, leave=True)
        with bar:
            for post in _in_order(posts):
                outcome = link_post(post)
                links += outcome.linked
                suggestions += outcome.suggested
                changed += outcome.changed
                linked += bool(outcome.linked)
                suggested += bool(outcome.suggested and not outcome.linked)
                nothing += not outcome.linked and not outcome.suggested
                bar.update()
        total = linked + suggested + nothing
        self.stdout.write(
            f"{total:,} posts: {linked:,} linked, {suggested:,} suggested only,"
            f" {nothing:,} nothing."
        )
        by_evidence = ", ".join(f"{links[one]:,} {one.label}" for one in Evidence if links[one])
        self.stdout.write(
            f"{links.total():,} links ({by_evidence or 'none'}), {suggestions:,} suggestions;"
            f" {changed:,} changed by this run."
        )
